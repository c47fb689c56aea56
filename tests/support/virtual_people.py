"""People at a server in virtual time: windows of the waiting room, calls, and simulated browsers."""

import base64
import json

from livekit.protocol import models, rtc

from loadtest.engine.answer import read_answer
from loadtest.engine.offer import OPUS_PT, Ours, Section, Sent, write_offer
from tests.support.pretended_socket import Frame, Line
from tests.support.virtual_house import House

_CID = "microphone"
_MOST_CALLERS = 4
_SLOWEST_UPGRADE = 40
"""Turns of the loop, in which somebody may decide otherwise."""


class Caller:
    """One connection to the call, with a peer of its own."""

    def __init__(self, person: "Person", token: str) -> None:
        """Join, or come back to `resumed`."""
        self.person = person
        self.token = token
        self.sid = ""
        self.peer: int | None = None
        self.line = self._a_line()
        self._ours: Ours | None = None
        self._ssrc = 0
        self._receiving = 0
        self._offers = 0
        self._connected = False

    def join(self) -> None:
        """Ask to come in."""
        self._dial(rtc.JoinRequest(connection_settings=rtc.ConnectionSettings(auto_subscribe=True)))

    def resume(self) -> None:
        """Come back with another connection."""
        self.line.drop()
        self.line = self._a_line()
        self.token = self.person.token
        self._dial(rtc.JoinRequest(reconnect=True, participant_sid=self.sid))

    def say(self, **message: object) -> None:
        """Say something."""
        self.line.say(rtc.SignalRequest(**message).SerializeToString())  # type: ignore[arg-type]

    def talk(self) -> None:
        """Send a packet of sound, if there are keys for it."""
        if self.peer is not None and self._connected:
            self.person.house.simulation.send_audio(self.peer, self._ssrc, OPUS_PT)

    def vanish(self) -> None:
        """Be gone without a word."""
        self.line.drop()
        if self.peer is not None:
            self.person.house.simulation.vanish(self.peer)
            self._connected = False

    def _a_line(self) -> Line:
        loop = self.person.house.loop
        return Line(loop, self._hear, upgrade_turns=loop.chance.randint(0, _SLOWEST_UPGRADE))

    def _dial(self, request: rtc.JoinRequest) -> None:
        wrapped = rtc.WrappedJoinRequest(join_request=request.SerializeToString()).SerializeToString()
        query = {"access_token": self.token, "join_request": base64.urlsafe_b64encode(wrapped).decode()}
        self.line.dial(self.person.house.signalling._serve, query)

    def _hear(self, line: Line, frame: Frame) -> None:
        if line is not self.line:
            return
        assert isinstance(frame, bytes)
        message = rtc.SignalResponse.FromString(frame)
        match message.WhichOneof("message"):
            case "join":
                self.person.let_in(self.token)
                self.sid = message.join.participant.sid
                self._bring_a_peer()
                kind, source = models.TrackType.AUDIO, models.TrackSource.MICROPHONE
                self.say(add_track=rtc.AddTrackRequest(cid=_CID, type=kind, source=source))
                self._offer()
            case "reconnect":
                self.person.let_in(self.token)
            case "answer":
                self._take(message.answer.sdp)
            case "media_sections_requirement":
                self._receiving += message.media_sections_requirement.num_audios
                self._offer()
            case "refresh_token":
                self.person.tokens.append(message.refresh_token)
            case "room_moved":
                self.person.tokens.append(message.room_moved.token)
                self.sid = message.room_moved.participant.sid

    def _bring_a_peer(self) -> None:
        house = self.person.house
        self.peer, ufrag, pwd, fingerprint = house.simulation.add_peer()
        house.people[self.peer] = self.person.identity
        self._ours = Ours(ufrag, pwd, ":".join(f"{byte:02X}" for byte in fingerprint))
        self._ssrc = 1000 + self.peer

    def _offer(self) -> None:
        assert self._ours is not None
        self._offers += 1
        sections = [Section("mic", "audio", Sent(_CID, ((self._ssrc, self._ssrc),)))]
        sections += [Section(f"r{number}", "audio") for number in range(self._receiving)]
        sdp = write_offer(self._ours, sections, version=self._offers)
        self.say(offer=rtc.SessionDescription(type="offer", sdp=sdp, id=self._offers))

    def _take(self, sdp: str) -> None:
        if self.peer is None or self._connected:
            return
        answer = read_answer(sdp)
        self._connected = True
        self.person.house.simulation.connect(self.peer, answer.ufrag, answer.pwd, answer.fingerprint)
        self.person.house.turn_soon()


class Person:
    """Somebody with every token that they were ever given, and all their windows."""

    def __init__(self, house: House, identity: str) -> None:
        self.house = house
        self.identity = identity
        self.tokens: list[str] = []
        self.windows: list[Line] = []
        """Connections to the waiting room's channel, or to the hosts'."""
        self.callers: list[Caller] = []
        self.came_in: list[tuple[float, str]] = []
        """When the call took them in, and with which token."""

    @property
    def token(self) -> str:
        """The newest token."""
        return self.tokens[-1]

    def knock(self, token: str) -> None:
        """Open a window of the waiting room's channel."""
        line = Line(self.house.loop, self._hear)
        self.windows.append(line)
        line.dial(self.house.waiting._channel.serve, {})
        line.say(json.dumps({"type": "hello", "v": 1, "token": token}))

    def enter(self, token: str) -> Caller:
        """Join the call."""
        caller = Caller(self, token)
        self.callers.append(caller)
        caller.join()
        return caller

    def let_in(self, token: str) -> None:
        """Note that the call took this person in."""
        self.came_in.append((self.house.wall(), token))

    def stay(self) -> None:
        """Say on every line that one is there."""
        for caller in self.callers:
            caller.say(ping_req=rtc.Ping(timestamp=1))
        for window in self.windows:
            window.say(json.dumps({"type": "pong"}))

    def forget_what_is_closed(self) -> None:
        """Keep no windows that are gone. Peers go on by themselves: not everybody takes no for an answer."""
        self.windows = [window for window in self.windows if window.open]
        self.callers = [one for one in self.callers if one.line.open or one.sid][-_MOST_CALLERS:]

    def be_disconnected(self) -> None:
        """Lose every line, as when the server is gone."""
        for window in self.windows:
            window.drop()
        for caller in self.callers:
            caller.line.drop()
        self.windows, self.callers = [], []

    def _hear(self, line: Line, frame: Frame) -> None:
        del line
        word = json.loads(frame)
        if "token" in word:
            self.tokens.append(word["token"])
        if word["type"] == "admitted":
            self.enter(word["token"])

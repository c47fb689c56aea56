"""Calls of signalling in virtual time: people join, say things and hear answers, without any socket."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from livekit.protocol import models, rtc

from rooms import Admission, Bandwidth, CallRules, Features, Grants, Warrant
from sfu import LegKey, TrackKey
from signalling.livekit.hub import Hub, Seat
from signalling.livekit.live import LiveSide
from signalling.livekit.media import Clocks
from signalling.livekit.outbox import Outgoing
from signalling.livekit.participant import Participant
from signalling.livekit.settings import LiveKitSettings
from signalling.livekit.timers import TimerTable
from tests.support.live_side import FakeLeg, FakeSfu

EPOCH = 1_800_000_000.0
ROOM = "RM_room"
ALL_RIGHTS = Grants(
    can_publish=True,
    can_subscribe=True,
    can_publish_data=True,
    can_publish_sources=(),
    hidden=False,
    room_admin=False,
    can_update_own_metadata=True,
)


def rights(**changes: Any) -> Grants:
    """Give all rights but these."""
    return dataclasses.replace(ALL_RIGHTS, **changes)


def rules(
    text: str = '{"title":"A visit"}',
    max_participants: int | None = None,
    *,
    audio_only: bool = False,
    **features: bool,
) -> CallRules:
    """Give the rules of a room with these features."""
    bandwidth = Bandwidth(audio_only=audio_only)
    return CallRules(Features(**features), max_participants, text, bandwidth=bandwidth)


def admission(identity: str, grants: Grants = ALL_RIGHTS, **changes: Any) -> Admission:
    """Give what the durable part says of a person who may come in."""
    person = Admission(
        room_id=ROOM,
        room_name="visit",
        identity=identity,
        name=identity.capitalize(),
        role="guest",
        grants=grants,
        warrant=Warrant(stored=None, token=grants),
        metadata="",
        attributes={},
        epoch=1,
        expires_at=EPOCH + 600,
        rules=rules(),
    )
    return dataclasses.replace(person, **changes)


class Client:
    """A person's client: what it said is done, what it heard is kept."""

    def __init__(self, stage: "Stage", identity: str) -> None:
        self.stage = stage
        self.identity = identity
        self.heard: list[rtc.SignalResponse] = []
        self.closed: tuple[int, str] | None = None
        self.seat: Seat | None = None

    def send(self, message: Outgoing) -> None:
        assert self.closed is None, "said something after the close"
        self.heard.append(rtc.SignalResponse.FromString(message.response.SerializeToString()))

    def close(self, code: int, reason: str) -> None:
        self.closed = self.closed or (code, reason)

    def says(self, **message: Any) -> None:
        """Send one request."""
        assert self.seat is not None
        self.seat.handle(rtc.SignalRequest(**message), now=self.stage.now)

    def hears(self, kind: str) -> list[Any]:
        """Give every message of a kind, in order."""
        return [getattr(one, kind) for one in self.heard if one.WhichOneof("message") == kind]

    def kinds(self) -> list[str]:
        """Give the kinds of everything heard, in order."""
        return [one.WhichOneof("message") or "" for one in self.heard]

    def forgets(self) -> None:
        """Forget everything heard."""
        self.heard.clear()

    def updates_of(self, identity: str) -> list[models.ParticipantInfo]:
        """Give every update about a person."""
        return [
            info
            for update in self.hears("update")
            for info in update.participants
            if info.identity == identity
        ]

    def close_code(self) -> int | None:
        """Give with which code the server closed the connection, if it did."""
        return self.closed[0] if self.closed else None

    @property
    def person(self) -> Participant:
        assert self.seat is not None
        return self.seat._person

    @property
    def sid(self) -> LegKey:
        return self.person.key

    @property
    def leg(self) -> FakeLeg:
        leg = self.person.leg
        assert isinstance(leg, FakeLeg)
        return leg

    def publishes(
        self, source: models.TrackSource = models.TrackSource.MICROPHONE, **fields: Any
    ) -> TrackKey:
        """Announce a track and offer it; give its sid."""
        kind = models.TrackType.VIDEO
        if source in {models.TrackSource.MICROPHONE, models.TrackSource.SCREEN_SHARE_AUDIO}:
            kind = models.TrackType.AUDIO
        cid = f"cid-{len(self.hears('track_published'))}-{self.stage.count()}"
        self.says(add_track=rtc.AddTrackRequest(cid=cid, type=kind, source=source, **fields))
        published = self.hears("track_published")[-1]
        assert published.cid == cid
        self.offers()
        return TrackKey(published.track.sid)

    def offers(self, offer_id: int = 7) -> None:
        """Send an offer."""
        self.says(offer=rtc.SessionDescription(type="offer", sdp="an offer", id=offer_id))

    def connects(self, *, ipv6: bool = False) -> None:
        """Let the media come up."""
        self.leg.listener.connected("udp", ipv6=ipv6)

    def loses_signal(self) -> None:
        """Break the connection."""
        assert self.seat is not None
        self.seat.lost(now=self.stage.now)


class Legs:
    """Remembers what the durable part is told (`rooms.LegObserver`)."""

    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []

    def leg_opened(self, room_id: str, leg: str, identity: str, role: str) -> None:
        self.told.append(("opened", room_id, leg, identity, role))

    def leg_media_ready(self, room_id: str, leg: str, path: str, family: str) -> None:
        self.told.append(("media", room_id, leg, path, family))

    def leg_lost(self, room_id: str, leg: str) -> None:
        self.told.append(("lost", room_id, leg))

    def leg_back(self, room_id: str, leg: str) -> None:
        self.told.append(("back", room_id, leg))

    def leg_degraded(self, room_id: str, leg: str, reason: str, score: float) -> None:
        self.told.append(("degraded", room_id, leg, reason, str(score)))

    def leg_recovered(self, room_id: str, leg: str) -> None:
        self.told.append(("recovered", room_id, leg))

    def leg_path_changed(self, room_id: str, leg: str, path: str, family: str) -> None:
        self.told.append(("path", room_id, leg, path, family))

    def leg_closed(self, room_id: str, leg: str, reason: str) -> None:
        self.told.append(("closed", room_id, leg, reason))

    def happened(self, room_id: str, type_: str, data: Mapping[str, Any]) -> None:
        self.told.append((type_, room_id, str(data)))


class Stage:
    """A hub with a live side without media, and a clock that tests turn."""

    def __init__(self, settings: LiveKitSettings | None = None, *, sfu: LiveSide | None = None) -> None:
        self.now = 1000.0
        self.sfu = FakeSfu()
        self.legs = Legs()
        self.tokens_wanted: list[Participant] = []
        self.places_wanted: list[Participant] = []
        self._count = 0
        clocks = Clocks(now=lambda: self.now, wall=self.wall)
        self.hub = Hub(
            sfu or self.sfu,
            settings or LiveKitSettings(),
            clocks,
            TimerTable(),
            legs=self.legs,
            want_token=lambda _call, person: self.tokens_wanted.append(person),
            want_place=self.places_wanted.append,
        )

    def wall(self) -> float:
        """Give the time of day."""
        return EPOCH + self.now - 1000.0

    def count(self) -> int:
        """Give a number that was not given before."""
        self._count += 1
        return self._count

    def joins(
        self,
        identity: str,
        grants: Grants = ALL_RIGHTS,
        *,
        connected: bool = True,
        request: rtc.JoinRequest | None = None,
        **changes: Any,
    ) -> Client:
        """Let a person in; media is up at once unless it is to wait."""
        client = Client(self, identity)
        request = request or rtc.JoinRequest(
            connection_settings=rtc.ConnectionSettings(auto_subscribe=True),
            client_info=models.ClientInfo(sdk=models.ClientInfo.JS, version="2.23.0", client_protocol=1),
        )
        client.seat = self.hub.join(admission(identity, grants, **changes), request, client, now=self.now)
        if connected:
            client.connects()
        return client

    def resumes(
        self,
        client: Client,
        sid: str | None = None,
        *,
        request: rtc.JoinRequest | None = None,
        **changes: Any,
    ) -> Client:
        """Let a person come back with a new connection."""
        again = Client(self, client.identity)
        request = request or rtc.JoinRequest()
        request.reconnect, request.participant_sid = True, sid or client.sid
        again.seat = self.hub.resume(admission(client.identity, **changes), request, again, now=self.now)
        return again

    def passes(self, seconds: float) -> None:
        """Let time pass; everything due happens when it is due."""
        end = self.now + seconds
        while (due := self.hub.timers.next()) is not None and due <= end:
            self.now = max(self.now, due)
            self.hub.wake(now=self.now)
        self.now = end

    def everybody_forgets(self, clients: Iterable[Client]) -> None:
        """Forget what was heard so far."""
        for client in clients:
            client.forgets()

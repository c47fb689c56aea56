"""Connection tests' live part in virtual time: clients that write down what they hear, and no media."""

import json
from typing import Any

from sfu import CallKey, LegKey
from signalling.livekit.outbox import Sendable
from signalling.livekit.timers import TimerTable
from signalling.probe import Path, ProbeSettings, Seen
from signalling.probe.hub import Hub
from signalling.probe.session import Session
from signalling.probe.timer import Timer
from tests.support.live_side import FakeLeg, FakeSfu
from turn_config import IceServer

RELAY = IceServer(("turn:visio.example:3478?transport=udp",), "a user", "a password")
PATHS = (Path("udp", 10000), Path("turn_udp", 3478, RELAY))


class Client:
    """A connection's far end."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.closed: int | None = None
        self.session: Session | None = None

    def send(self, message: Sendable) -> None:
        assert self.closed is None, "said something after the close"
        self.heard.append(json.loads(message.frame(text=True)))

    def close(self, code: int, reason: str) -> None:
        del reason
        self.closed = code

    @property
    def is_open(self) -> bool:
        """Whether the server has not closed it."""
        return self.closed is None

    def take(self) -> list[dict[str, Any]]:
        """Return what came since the last time."""
        heard, self.heard = self.heard, []
        return heard


class ProbeStage:
    """A hub, its live side and its clock."""

    def __init__(self, settings: ProbeSettings | None = None) -> None:
        self.now = 1000.0
        self.sfu = FakeSfu()
        self.timers: TimerTable[Timer] = TimerTable()
        self.hub = Hub(self.sfu, settings or ProbeSettings(), self.timers, paths=lambda: PATHS)
        self.clients: list[Client] = []

    def connect(self, address: str = "192.0.2.1", **seen: bool) -> Client:
        """Open a connection that says nothing yet."""
        client = Client()
        client.session = self.hub.open(client, Seen(address, **seen), now=self.now)
        self.clients.append(client)
        return client

    def say(self, client: Client, **message: Any) -> str | None:
        """Say something; give the token that is to be checked, if it is one."""
        return self.say_frame(client, json.dumps(message))

    def say_frame(self, client: Client, frame: str | bytes) -> str | None:
        """Say a frame as it stands."""
        assert client.session is not None
        return self.hub.receive(client.session, frame, now=self.now)

    def hello(self, client: Client, test: str) -> bool:
        """Say hello with a token that is good for this test; False if it was not even looked at."""
        if self.say(client, type="hello", v=1, token=test) is None:
            return False
        assert client.session is not None
        self.hub.admit(client.session, test, now=self.now)
        return True

    def tests(self, test: str = "CT_1", address: str = "192.0.2.1", **seen: bool) -> Client:
        """Connect and be let test, with nothing heard but that."""
        client = self.connect(address, **seen)
        assert self.hello(client, test)
        assert [one["type"] for one in client.take()] == ["ready"]
        return client

    def offers(self, client: Client, leg: str = "a", sdp: str = "offer", **mids: str) -> None:
        """Offer a leg that sends both kinds unless said otherwise."""
        self.say(client, type="offer", leg=leg, sdp=sdp, **(mids or {"audio": "0", "video": "1"}))

    def drop(self, client: Client) -> None:
        """Be gone without a word."""
        assert client.session is not None
        client.closed = client.closed or 1006
        self.hub.closed(client.session)
        self.clients.remove(client)

    def advance(self, seconds: float) -> None:
        """Let time pass, waking what is due when it is due."""
        until = self.now + seconds
        while (due := self.timers.next()) is not None and due <= until:
            self.now = max(self.now, due)
            self.hub.wake(now=self.now)
        self.now = until

    def legs(self, test: str = "CT_1") -> list[FakeLeg]:
        """Give every leg of a test that was ever made, the oldest first."""
        call = self.sfu.calls.get(CallKey(f"probe:{test}"))
        return [] if call is None else list(call.legs.values())

    def living(self) -> set[LegKey]:
        """Give the legs of all tests that are not closed."""
        return {
            leg.key for call in self.sfu.calls.values() for leg in call.legs.values() if leg.closed is None
        }

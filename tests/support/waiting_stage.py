"""The waiting room's hub in virtual time: a store of plain values, clients that write down what they hear."""

import dataclasses
import json
from typing import Any

from rooms import Admission, Group, Room, RoomDraft, RoomsSettings, Scene, Standing
from rooms.entrance import new_room_row
from rooms.presence import PresenceAct, PresenceFacts, must_wait, participant_after
from rooms.rows import room_of
from rooms.transitions import Cause
from signalling.livekit.outbox import Sendable
from signalling.livekit.timers import TimerTable
from signalling.present import Present
from signalling.waiting.hub import Hub
from signalling.waiting.seats import Seat
from signalling.waiting.settings import WaitingSettings
from signalling.waiting.timer import Timer
from signalling.waiting.verbs import WAITING_VERBS
from signalling.waiting.wishes import Check, GiveUp, Knock, LetIn, Look, Order, Renew, Wish
from tests.support.stage import admission

EPOCH = 1_800_000_000.0
ROOM = "RM_room"


class Client:
    """A connection's far end."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.heard: list[dict[str, Any]] = []
        self.closed: int | None = None
        self.seat: Seat | None = None

    def send(self, message: Sendable) -> None:
        assert self.closed is None, "said something after the close"
        self.heard.append(json.loads(message.frame(text=True)))

    def close(self, code: int, reason: str) -> None:
        del reason
        self.closed = code

    @property
    def last(self) -> dict[str, Any] | None:
        """The last state that was told."""
        told = [word for word in self.heard if word["type"] not in {"ping", "token", "done", "error"}]
        return told[-1] if told else None


class Store:
    """What is stored of one room, moved along the real table of participants."""

    def __init__(self) -> None:
        row = new_room_row("default", "visit", RoomDraft(waiting_room=True), RoomsSettings(), EPOCH)
        self.room: Room | None = dataclasses.replace(room_of(row), uid=ROOM)
        self.people: dict[str, Standing] = {}
        self.groups: list[Group] = []
        self.in_call: dict[str, Present] = {}
        self.changes = 0

    def scene(self) -> Scene | None:
        """Read everything."""
        return (
            None
            if self.room is None
            else Scene(self.room, None, dict(self.people), None, groups=tuple(self.groups))
        )

    def move(self, identity: str, act: PresenceAct, cause: Cause, *, now: float) -> bool:
        """Do what the table says."""
        before = self.people.get(identity) or Standing(identity, "guest", None, "expected", None, 0, True)
        admitted = not before.must_wait
        after = participant_after(before.state, act, cause, PresenceFacts(not admitted, 0, 0))
        if after is None:
            return False
        since = now if after == "waiting" else before.since if after == "admitted" else None
        if after in {"admitted", "connected"}:
            admitted = True
        elif after in {"expected", "denied", "removed"}:
            admitted = False
        self.people[identity] = dataclasses.replace(
            before,
            state=after,
            since=since,
            epoch=before.epoch + (after == "removed"),
            must_wait=must_wait("guest", waiting_room=True, admitted=admitted),
        )
        self.changes += 1
        return True

    @property
    def queue(self) -> list[str]:
        """Identities of those who wait, in order."""
        waiting = [one for one in self.people.values() if one.state == "waiting"]
        return [one.identity for one in sorted(waiting, key=lambda one: (one.since or 0.0, one.identity))]


class WaitingStage:
    """A hub, its store and its clock; wishes stay where they are until somebody grants them."""

    def __init__(self, settings: WaitingSettings | None = None, store: Store | None = None) -> None:
        self.now = 0.0
        self.settings = settings or WaitingSettings()
        self.store = store or Store()
        self.wishes: list[Wish] = []
        self.shows: list[Scene | None] = []
        """Scenes that were read and not yet shown."""
        self.clients: list[Client] = []
        self._start()

    def _start(self) -> None:
        self.timers: TimerTable[Timer] = TimerTable()
        self.hub = Hub(
            self.settings,
            self.timers,
            WAITING_VERBS,
            wish=self.wishes.append,
            clock=lambda: self.now,
            wall=lambda: EPOCH + self.now,
            in_call=lambda _: self.store.in_call,
        )

    # --- people ---

    def connect(self, identity: str = "", address: str = "192.0.2.1") -> Client:
        """Open a connection that says nothing yet."""
        client = Client(identity)
        client.seat = self.hub.open(client, address, now=self.now)
        self.clients.append(client)
        return client

    def say(self, client: Client, **message: Any) -> Check | Order | None:
        """Say something."""
        assert client.seat is not None
        return self.hub.receive(client.seat, json.dumps(message), now=self.now)

    def arrive(self, identity: str, *, role: str = "guest", **changes: Any) -> Client:
        """Connect, say hello and take a seat, as the shell does it."""
        client = self.connect(identity)
        assert self.say(client, type="hello", v=1, token=identity) == Check(identity)
        person = self.admission(identity, role=role, **changes)
        assert client.seat is not None
        if role == "guest":
            self.hub.expect(client.seat, person)
            if self._has_to_wait(identity) and self.store.move(
                identity, PresenceAct.KNOCK, "media", now=self.now
            ):
                self.hub.touch(ROOM)
        self.hub.seat(client.seat, person, now=self.now)
        return client

    def drop(self, client: Client) -> None:
        """Lose a connection."""
        assert client.seat is not None
        client.closed = client.closed or 1006
        self.hub.closed(client.seat, now=self.now)
        self.clients.remove(client)

    def admission(self, identity: str, **changes: Any) -> Admission:
        """Give what the durable part says of somebody whose token is good now."""
        person = self.store.people.get(identity)
        epoch = 0 if person is None else person.epoch
        return admission(identity, **{"room_id": ROOM, "epoch": epoch, **changes})

    def _has_to_wait(self, identity: str) -> bool:
        person = self.store.people.get(identity)
        return person is None or person.must_wait

    # --- the rest of the server ---

    def decide(self, identity: str, act: PresenceAct) -> bool:
        """Let the application decide about somebody; the hint is given separately."""
        return self.store.move(identity, act, "api", now=self.now)

    def grant(self, index: int = 0) -> None:
        """Do one thing that was wished for."""
        match self.wishes.pop(index):
            case Look():
                self.shows.append(self.store.scene())
            case LetIn(seat, person):
                self.hub.let_in(seat, f"token-of-{person.identity}", now=self.now)
            case Renew(seat, person):
                self.hub.new_token(seat, f"renewed-{person.identity}")
            case Knock(person):
                self.store.move(person.identity, PresenceAct.KNOCK, "media", now=self.now)
                self.hub.touch(ROOM)
            case GiveUp(key, identity):
                if not self.hub.here(key, identity):
                    self.store.move(identity, PresenceAct.GIVE_UP, "media", now=self.now)
                self.hub.touch(key)

    def show(self) -> None:
        """Show a scene that was read."""
        self.hub.show(ROOM, self.shows.pop(0), now=self.now)

    def advance(self, seconds: float) -> None:
        """Let time pass, waking what is due when it is due."""
        until = self.now + seconds
        while (due := self.timers.next()) is not None and due <= until:
            self.now = max(self.now, due)
            self.hub.wake(now=self.now)
        self.now = until

    def settle(self) -> None:
        """Do everything that is to be done now."""
        for _ in range(1000):
            if self.wishes:
                self.grant()
            elif self.shows:
                self.show()
            elif (due := self.timers.next()) is not None and due <= self.now + 0.2:
                self.advance(due - self.now if due > self.now else 0.0)
            else:
                return
        raise AssertionError("it never settles")

    def restart(self) -> None:
        """Crash: connections, timers and wishes are gone, the store is not."""
        self.clients, self.wishes, self.shows = [], [], []
        self._start()
        standing = [(ROOM, one.identity) for one in self.store.people.values() if one.since is not None]
        self.hub.restored(standing, now=self.now)

"""The queue under everything at once: people with two windows, crashes, hints that come late, twice or never.

The store is moved along the real table of participants. Whatever the order, nobody is let in whom the store
would turn away, a place is kept for as long as it should be and no longer, and once all is done everybody has
been told the truth.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rooms.presence import PresenceAct
from signalling.waiting.settings import WaitingTimes
from signalling.waiting.wishes import GiveUp
from tests.support.waiting_stage import ROOM, Client, WaitingStage

TIMES = WaitingTimes()
_STEP = 50.0
NAMES = st.sampled_from(["ada", "ben", "cleo"])
ACTS = st.sampled_from([PresenceAct.ADMIT, PresenceAct.DENY, PresenceAct.REMOVE, PresenceAct.PUT_BACK])


class Queue(RuleBasedStateMachine):
    """People, the application, the database and the clock, each at any time."""

    @initialize()
    def begin(self) -> None:
        self.stage = WaitingStage()
        self.alone_since: dict[str, float] = {}
        """Since when each person has had no connection."""
        self.kept: dict[str, float | None] = {}
        """Whose place must be kept, and since when they wait."""
        self.excused: set[str] = set()
        """Those who left, or about whom something was decided: they may lose their place."""
        self.admitted: set[str] = set()

    # --- people ---

    @rule(name=NAMES)
    def arrive(self, name: str) -> None:
        person = self.stage.store.people.get(name)
        if person is None or person.state != "removed":  # the door refuses who was removed
            self.stage.arrive(name)

    @rule(name=NAMES)
    def fail_to_arrive(self, name: str) -> None:
        client = self.stage.connect(name)
        self.stage.say(client, type="hello", v=1, token=name)
        assert client.seat is not None
        self.stage.hub.expect(client.seat, self.stage.admission(name))
        self.stage.hub.turn_away(client.seat, "busy", now=self.stage.now)
        self.stage.drop(client)
        self.alone_since.pop(name, None)  # who tried to come back has the whole time again …
        if any(isinstance(wish, GiveUp) and wish.identity == name for wish in self.stage.wishes):
            self.excused.add(name)  # … unless it was over before that

    @precondition(lambda self: self.stage.clients)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        self.stage.drop(data.draw(st.sampled_from(self.stage.clients)))

    @precondition(lambda self: self.stage.clients)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        client = data.draw(st.sampled_from(self.stage.clients))
        self.excused.add(client.identity)
        self.stage.say(client, type="leave")

    @rule()
    def host_comes_and_goes(self) -> None:
        host = self.stage.arrive("doctor", role="host")
        self.stage.drop(host)

    # --- the application ---

    @rule(name=NAMES, act=ACTS, told=st.booleans())
    def decide(self, name: str, act: PresenceAct, told: bool) -> None:
        if name in self.stage.store.people and self.stage.decide(name, act):
            self.excused.add(name)
            if act is PresenceAct.ADMIT:
                self.admitted.add(name)
            if told:
                self.hint()

    @rule()
    def hint(self) -> None:
        self.stage.hub.touch(ROOM)

    @rule()
    def call_changes(self) -> None:
        self.stage.hub.call_changed(ROOM)

    # --- the rest of the server ---

    @precondition(lambda self: self.stage.wishes)
    @rule(data=st.data())
    def grant(self, data: st.DataObject) -> None:
        self.stage.grant(data.draw(st.integers(0, len(self.stage.wishes) - 1)))

    @precondition(lambda self: self.stage.shows)
    @rule()
    def show(self) -> None:
        self.stage.show()

    @rule(seconds=st.sampled_from([0.05, 1.0, 14.0, _STEP]))
    def wait(self, seconds: float) -> None:
        for client in self._open():
            self.stage.say(client, type="pong")
        self.stage.advance(seconds)

    @rule()
    def crash(self) -> None:
        self.stage.restart()
        self.alone_since = dict.fromkeys(self.stage.store.people, self.stage.now)

    # --- what must hold ---

    @rule()
    def settle_and_look(self) -> None:
        self.hint()
        self.stage.settle()
        queue = self.stage.store.queue
        for client in self._open():
            assert client.last is not None
            told = (client.last["type"], client.last.get("position"))
            assert told == ("waiting", queue.index(client.identity) + 1)
        for name in set(queue) - {client.identity for client in self._open()}:
            assert self.stage.now - self.alone_since.get(name, self.stage.now) <= TIMES.grace + TIMES.again
        self.kept = {name: since for name, since in self.kept.items() if name not in self.excused}
        self.excused.clear()

    @invariant()
    def nobody_is_let_in_whom_nobody_admitted(self) -> None:
        for client in self.stage.clients:
            if client.last is not None and client.last["type"] == "admitted":
                assert client.identity in self.admitted

    @invariant()
    def a_place_is_kept_while_somebody_is_there_and_a_while_longer(self) -> None:
        here = {client.identity for client in self._open()}
        for name, person in self.stage.store.people.items():
            if name in here:
                self.alone_since.pop(name, None)
            alone = self.stage.now - self.alone_since.setdefault(name, self.stage.now)
            if name in here:
                self.alone_since.pop(name)
            # A line that fell silent is noticed within one step of the clock, seen here at its end.
            must_be_kept = name not in self.excused and (name in here or alone < TIMES.grace - _STEP)
            if name in self.kept and must_be_kept:
                assert (person.state, person.since) == ("waiting", self.kept[name])
            if person.state == "waiting":
                self.kept[name] = person.since
            else:
                self.kept.pop(name, None)

    @invariant()
    def nothing_grows(self) -> None:
        census = self.stage.hub.census()
        assert census["rooms"] <= 1
        assert census["sockets"] == len(self.stage.clients)
        assert census["arriving"] == 0
        assert census["waiting"] <= 3

    def teardown(self) -> None:
        if not hasattr(self, "stage"):
            return
        for client in list(self.stage.clients):
            self.stage.drop(client)
        for _ in range(4):
            self.stage.settle()
            self.stage.advance(TIMES.grace + 1)
        self.stage.settle()
        assert self.stage.store.queue == []
        assert {name: count for name, count in self.stage.hub.census().items() if count} == {}

    def _open(self) -> list[Client]:
        return [client for client in self.stage.clients if client.closed is None]


Queue.TestCase.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
test_any_order_keeps_places_and_tells_the_truth = Queue.TestCase

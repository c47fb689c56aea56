"""Tests that come, try, break and vanish in any order: no bound is ever passed, and nothing stays behind."""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sfu import LegStats
from signalling.probe import ProbeLimits, ProbeSettings, ProbeTimes
from signalling.probe.lifecycle import State
from tests.support.probe_stage import Client, ProbeStage

LIMITS = ProbeLimits(tests=4, tests_per_address=3, sockets=7, sockets_per_address=5, legs=5)
TIMES = ProbeTimes()
ADDRESSES = st.sampled_from(["192.0.2.1", "192.0.2.2"])
TESTS = st.sampled_from(["CT_1", "CT_2", "CT_3"])
LEGS = st.sampled_from("abc")
FRAMES = st.sampled_from(["", "{}", '{"type":"bye"}', '{"type":"hello"}', '{"type":"offer","leg":[]}', b""])


class House(RuleBasedStateMachine):
    """Clients, the door, media and the clock, each at any time."""

    @initialize()
    def begin(self) -> None:
        self.stage = ProbeStage(ProbeSettings(limits=LIMITS))
        self.ready_at: dict[Client, float] = {}
        self.checking: dict[Client, str] = {}

    @precondition(lambda self: len(self.stage.hub._sessions) < LIMITS.sockets)
    @rule(address=ADDRESSES)
    def connect(self, address: str) -> None:
        if self.stage.hub._sockets[address] < LIMITS.sockets_per_address:
            self.stage.connect(address)

    @precondition(lambda self: self.stage.clients)
    @rule(data=st.data(), test=TESTS)
    def hello(self, data: st.DataObject, test: str) -> None:
        client = self._one(data)
        if self.stage.say(client, type="hello", v=1, token=test) is not None:
            self.checking[client] = test

    @precondition(lambda self: self.checking)
    @rule(data=st.data(), good=st.booleans())
    def check(self, data: st.DataObject, good: bool) -> None:
        """The door answers, whether anybody still waits for it or not."""
        client = data.draw(st.sampled_from(list(self.checking)))
        test = self.checking.pop(client)
        assert client.session is not None
        if good:
            self.stage.hub.admit(client.session, test, now=self.stage.now)
            self.ready_at[client] = self.stage.now
        else:
            self.stage.hub.turn_away(client.session, "not-found")

    @precondition(lambda self: len(self.stage.hub._sessions) < LIMITS.sockets)
    @rule(address=ADDRESSES, test=TESTS, legs=st.lists(LEGS, max_size=3))
    def begin_a_test(self, address: str, test: str, legs: list[str]) -> None:
        if self.stage.hub._sockets[address] < LIMITS.sockets_per_address:
            client = self.stage.connect(address)
            if self.stage.hello(client, test):
                self.ready_at[client] = self.stage.now
            for leg in legs:
                self.stage.offers(client, leg)

    @precondition(lambda self: self.stage.clients)
    @rule(data=st.data(), leg=LEGS)
    def offer(self, data: st.DataObject, leg: str) -> None:
        self.stage.offers(self._one(data), leg)

    @precondition(lambda self: self.stage.clients)
    @rule(data=st.data(), leg=LEGS)
    def hang_up(self, data: st.DataObject, leg: str) -> None:
        self.stage.say(self._one(data), type="hang_up", leg=leg)

    @precondition(lambda self: self.stage.clients)
    @rule(data=st.data(), frame=FRAMES)
    def say_anything(self, data: st.DataObject, frame: str | bytes) -> None:
        self.stage.say_frame(self._one(data), frame)

    @precondition(lambda self: self.stage.clients)
    @rule(data=st.data())
    def vanish(self, data: st.DataObject) -> None:
        self.stage.drop(self._one(data))

    @rule(test=TESTS, reason=st.sampled_from(["ice_timeout", "closed_by_peer"]))
    def a_line_breaks(self, test: str, reason: str) -> None:
        for leg in self.stage.legs(test):
            if leg.closed is None:
                leg.listener.failed(reason)
                return

    @rule(test=TESTS, kbits=st.integers(0, 20_000))
    def media_comes(self, test: str, kbits: int) -> None:
        for leg in self.stage.legs(test):
            leg.now_stats = LegStats(bytes_up=leg.now_stats.bytes_up + kbits * 125)

    @rule(seconds=st.sampled_from([0.3, 0.5, 4.0, 31.0]))
    def time_passes(self, seconds: float) -> None:
        self.stage.advance(seconds)

    @precondition(lambda self: len(self.stage.clients) >= LIMITS.sockets)
    @rule()
    def the_server_is_told_to_stop(self) -> None:
        self.stage.hub.end_all(retry_after=5)

    @invariant()
    def every_bound_holds(self) -> None:
        sessions = [one.session for one in self.stage.clients if one.session is not None]
        busy = [one for one in sessions if one.state in {State.CHECKING, State.TESTING}]
        assert len(busy) <= LIMITS.tests
        assert all(n <= LIMITS.tests_per_address for n in Counter(one.seen.address for one in busy).values())
        testing = [one for one in busy if one.state is State.TESTING]
        assert all(n <= LIMITS.connections_per_test for n in Counter(one.test for one in testing).values())
        legs = [0 if one.legs is None else len(one.legs) for one in testing]
        assert all(count <= LIMITS.legs_at_once for count in legs)
        assert len(self.stage.living()) == sum(legs) == self.stage.hub.census()["legs"]

    @invariant()
    def nobody_tests_for_longer_than_a_minute(self) -> None:
        for client, at in self.ready_at.items():
            assert client.closed is not None or self.stage.now - at <= TIMES.whole

    def teardown(self) -> None:
        for client in list(self.stage.clients):
            self.stage.drop(client)
        assert not any(self.stage.hub.census().values()), self.stage.hub.census()
        assert not self.stage.living()

    def _one(self, data: st.DataObject) -> Client:
        found: Client = data.draw(st.sampled_from(self.stage.clients))
        return found


House.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_any_order_passes_no_bound_and_leaves_nothing = House.TestCase

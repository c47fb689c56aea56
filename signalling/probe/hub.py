"""Every connection that tests, sans-IO: who may test now, and what they say."""

import logging
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import count
from typing import Any

from sfu import CallKey, PeerError
from signalling.livekit.live import LiveSide
from signalling.livekit.timers import TimerTable
from signalling.probe.counters import Counters
from signalling.probe.legs import Legs
from signalling.probe.lifecycle import ENDINGS, Event, State, after
from signalling.probe.messages import CLIENT_SAYS, LEG_NAME_MAX, VERSION
from signalling.probe.paths import Path
from signalling.probe.seen import Seen
from signalling.probe.session import Outlet, Session
from signalling.probe.settings import ProbeSettings
from signalling.probe.timer import Timer
from signalling.words import Hello, Said, Word, decode, read_body

log = logging.getLogger(__name__)


class Hub:
    """The live part of all connection tests of a server."""

    def __init__(
        self,
        live: LiveSide,
        settings: ProbeSettings,
        timers: TimerTable[Timer],
        *,
        paths: Callable[[], Sequence[Path]],
    ) -> None:
        """Take the live side; `paths` makes the list of ways for one client, with fresh credentials."""
        self.counters = Counters()
        self._live = live
        self._settings = settings
        self._timers = timers
        self._paths = paths
        self._sessions: set[Session] = set()
        self._sockets: Counter[str] = Counter()
        """All connections, by address."""
        self._addresses: Counter[str] = Counter()
        """Those that test or are about to, by address."""
        self._tests: Counter[str] = Counter()
        self._numbers = count(1)

    def open(self, outlet: Outlet, seen: Seen, *, now: float) -> Session:
        """Take a connection that has said nothing yet; raise PeerError `busy`."""
        limits = self._settings.limits
        if len(self._sessions) >= limits.sockets or self._sockets[seen.address] >= limits.sockets_per_address:
            raise PeerError("busy", "too many connections for tests; try again later")
        session = Session(outlet, seen, limits, now=now)
        self._sessions.add(session)
        self._sockets[seen.address] += 1
        self._timers.set(session, Timer.HELLO, at=now + self._settings.times.hello_within)
        return session

    def receive(self, session: Session, frame: str | bytes, *, now: float) -> str | None:
        """Take a message of a client; give the token that is to be checked before its next, if it is one.

        `admit` or `turn_away` say what the check found.
        """
        if session.state is State.ENDED:
            return None
        if not session.messages.take(now=now):
            self.abuse(session, "flood")
            return None
        try:
            said = decode(frame)
            if session.state is State.GREETING:
                return self._hello(session, said)
        except PeerError as error:
            self.abuse(session, error.code)
            return None
        try:
            self._obey(session, said, now=now)
        except PeerError as error:
            self.counters.dropped[error.code] += 1
            session.say(Word("error", code=error.code, detail=error.text, **_leg_in(said)))
        return None

    def admit(self, session: Session, test: str, *, now: float, call_kbps: int | None = None) -> None:
        """Let somebody test whose token is good; `test` names the connection test that it is for.

        `call_kbps` is what calls may take of a line, if that is bounded: a test takes no more.
        """
        limits, times = self._settings.limits, self._settings.times
        if session.state is not State.CHECKING:
            return  # gone meanwhile
        if self._tests[test] >= limits.connections_per_test:
            self.turn_away(session, "busy", retry_after=times.busy_retry_after)
            return
        self._move(session, Event.ADMITTED)
        self._tests[test] += 1
        session.test = test
        kbps = min(limits.kbps, call_kbps or limits.kbps)
        session.legs = Legs(
            self._live,
            CallKey(f"probe:{test}"),
            say=session.say,
            counters=self.counters,
            limits=limits,
            kbps=kbps,
            numbers=self._numbers,
        )
        self.counters.hellos["testing"] += 1
        self._timers.set(session, Timer.OVER, at=now + times.whole)
        self._timers.set(session, Timer.RATE, at=now + times.rate_every)
        bounds = {"seconds": round(times.whole), "legs": limits.legs_at_once, "kbps": kbps}
        session.say(
            Word(
                "ready",
                seen=session.seen.fields(),
                limits=bounds,
                paths=[path.fields() for path in self._paths()],
            )
        )

    def turn_away(self, session: Session, code: str, *, retry_after: int | None = None) -> None:
        """Say why the token opens nothing; `retry_after` seconds later it may, if that is not None."""
        if self._end(session, Event.REFUSED, code=code, retry_after=retry_after):
            self.counters.hellos[code] += 1

    def abuse(self, session: Session, reason: str) -> None:
        """End the connection of a client that broke the rules."""
        if self._end(session, Event.ABUSE):
            self.counters.dropped[reason] += 1

    def closed(self, session: Session) -> None:
        """Forget a connection that is gone."""
        self._end(session, Event.LOST)
        if session in self._sessions:
            self._sessions.discard(session)
            _less(self._sockets, session.seen.address)

    def end_all(self, *, retry_after: int) -> None:
        """End every connection: the server stops."""
        for session in list(self._sessions):
            if session.state is State.TESTING:
                self._end(session, Event.SHUTDOWN, retry_after=retry_after)
            else:
                self.turn_away(session, "draining", retry_after=retry_after)

    def wake(self, *, now: float) -> None:
        """Do everything that is due; what goes wrong with one does not keep the others waiting."""
        while (due := self._timers.pop_due(now)) is not None:
            try:
                self._wake_one(*due, now=now)
            except Exception:
                log.exception("timer_failed", extra={"timer": due[1].value})

    def census(self) -> Mapping[str, int]:
        """Count what lives, to see leaks."""
        return {
            "sockets": len(self._sessions),
            "addresses": len(self._sockets),
            "testing": sum(self._addresses.values()),
            "tests": len(self._tests),
            "legs": sum(len(one.legs) for one in self._sessions if one.legs is not None),
            "timers": len(self._timers),
        }

    def debug_state(self) -> list[dict[str, Any]]:
        """Describe every connection as JSON values, without addresses."""
        return [one.debug_state() for one in self._sessions]

    # --- within ---

    def _hello(self, session: Session, said: Said) -> str | None:
        if said.type != "hello":
            self.abuse(session, "no-hello")
            return None
        hello: Hello = read_body(Hello, said)
        limits, address = self._settings.limits, session.seen.address
        if hello.v != VERSION:
            self.turn_away(session, "unsupported-version")
            return None
        if self._addresses.total() >= limits.tests or self._addresses[address] >= limits.tests_per_address:
            self.turn_away(session, "busy", retry_after=self._settings.times.busy_retry_after)
            return None
        self._move(session, Event.HELLO)
        self._addresses[address] += 1
        self._timers.cancel(session, Timer.HELLO)
        return hello.token

    def _obey(self, session: Session, said: Said, *, now: float) -> None:
        legs, fields = session.legs, CLIENT_SAYS.get(said.type)
        if legs is None:
            raise PeerError("not-ready", "wait until the server has said that it is ready")
        if fields is None:
            raise PeerError("unknown-type", "this server knows no such message")
        body = read_body(fields, said)
        match said.type:
            case "ping":
                session.say(Word("pong", id=said.id))
            case "offer":
                # What a description costs grows with its size, and each leg has a bound of its own.
                if not session.offer_bytes.take(len(body.sdp), now=now):
                    raise PeerError("too-many-offers", "too many descriptions of late: wait some seconds")
                legs.offer(body)
            case "figures":
                legs.figures(body.leg)
            case "hang_up":
                legs.hang_up(body.leg)
            case "bye":
                self._end(session, Event.BYE)

    def _move(self, session: Session, event: Event) -> bool:
        following = after(session.state, event)
        if following is None:
            return False
        session.state = following
        return True

    def _end(self, session: Session, event: Event, **fields: Any) -> bool:
        """End a connection once, with everything that it has; False if that was done before."""
        before = session.state
        if not self._move(session, event):
            return False
        self.counters.ended[event] += 1
        ending = ENDINGS[event]
        if session.legs is not None:
            session.legs.close(ending.legs)
        if ending.says is not None:
            session.outlet.send(Word(ending.says, **fields))
        session.outlet.close(ending.close_code, event.value)
        self._timers.cancel_all(session)
        if before in {State.CHECKING, State.TESTING}:
            _less(self._addresses, session.seen.address)
        if session.test is not None:
            _less(self._tests, session.test)
        return True

    def _wake_one(self, owner: Hashable, timer: Timer, *, now: float) -> None:
        assert isinstance(owner, Session)  # noqa: S101 - nothing else has timers here
        times = self._settings.times
        match timer:
            case Timer.HELLO:
                self._end(owner, Event.HELLO_LATE)
            case Timer.OVER:
                self._end(owner, Event.OVER)
            case Timer.RATE if owner.legs is not None:
                self._timers.set(owner, Timer.RATE, at=now + times.rate_every)
                owner.legs.look(window=times.rate_window, now=now)


def _leg_in(said: Said) -> dict[str, str]:
    """Repeat which leg a message is about, if it names one as it should."""
    leg = said.fields.get("leg")
    return {"leg": leg} if isinstance(leg, str) and len(leg) <= LEG_NAME_MAX else {}


def _less(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]

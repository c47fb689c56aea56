"""All waiting rooms of a server, sans-IO: who is connected, what they are told, what has to be done for them.

Theory of operation. The truth is in the store. Every hint that it changed (an event of a room, a word of an
observer, somebody coming) only marks a room as stale; then the whole `Scene` is read again, one read a room
at a time, and everybody is told what follows from it. So hints may come twice, late or in another order.
What takes time is wished for (`Wish`) and told back.

A place in the queue is a person's, not a connection's: it is stored, several connections are one person, and
it is given up a while after the last of them is gone, which holds across a restart too.
"""

import logging
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from enum import StrEnum
from typing import Any

from rooms import Admission, Scene, closes_at
from sfu import PeerError
from signalling.livekit.rate import TokenBucket
from signalling.livekit.timers import TimerTable
from signalling.waiting.board import Note, Verdict, host_verdict, verdict, why_closed
from signalling.waiting.counters import Counters
from signalling.waiting.lifecycle import ENDINGS, Event, State, after
from signalling.waiting.messages import VERSION, Body, Hello, Word, decode, read_body
from signalling.waiting.seats import Board, Outlet, Seat
from signalling.waiting.settings import WaitingSettings
from signalling.waiting.telling import tell
from signalling.waiting.verbs import HOSTS, Verb
from signalling.waiting.wishes import Check, GiveUp, Knock, LetIn, Look, Order, Renew, Wish

log = logging.getLogger(__name__)

_LOOKS_APART = 0.1
"""Seconds between two reads of one room: a crowd that comes at once costs ten of them a second."""


class Timer(StrEnum):
    """Why something wakes up."""

    HELLO = "hello"
    PING = "ping"
    TOKEN = "token"  # noqa: S105 - a name, not a token
    """Somebody who waits should get a fresh token."""
    LET_IN = "let-in"
    """The token of somebody who may enter is to be asked for again."""
    GRACE = "grace"
    """Somebody without a connection loses the place."""
    LOOK = "look"
    """A room is to be read again."""


class Hub:
    """Every waiting room, and every connection to them."""

    def __init__(
        self,
        settings: WaitingSettings,
        timers: TimerTable[Timer],
        verbs: Mapping[str, Verb],
        *,
        wish: Callable[[Wish], None],
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        """Take what needs waiting for.

        `wish` starts something and returns at once; `clock` gives seconds for timers where a caller has none
        to pass, `wall` seconds since the Unix epoch.
        """
        self.counters = Counters()
        self._settings = settings
        self._timers = timers
        self._verbs = verbs
        self._wish = wish
        self._clock = clock
        self._wall = wall
        self._boards: dict[str, Board] = {}
        self._seats: set[Seat] = set()
        self._by_address: Counter[str] = Counter()

    # --- connections ---

    def open(self, outlet: Outlet, address: str, *, now: float) -> Seat:
        """Take a connection that has said nothing yet; raise PeerError `full` or `rate-limited`."""
        limits = self._settings.limits
        if len(self._seats) >= limits.sockets:
            raise PeerError("full", "too many people wait on this server")
        if self._by_address[address] >= limits.sockets_per_address:
            raise PeerError("rate-limited", "too many connections from this address")
        bucket = TokenBucket(limits.messages_per_second, limits.messages_burst, now=now)
        seat = Seat(outlet, address, bucket, now=now)
        self._seats.add(seat)
        self._by_address[address] += 1
        self._timers.set(seat, Timer.HELLO, at=now + self._settings.times.hello_within)
        return seat

    def receive(self, seat: Seat, frame: str | bytes, *, now: float) -> Check | Order | None:
        """Take a message of a client; give what has to be done for it before its next."""
        if seat.state is State.ENDED:
            return None
        seat.heard_at = now
        if not seat.messages.take(now=now):
            self.abuse(seat, "flood", now=now)
            return None
        try:
            said = decode(frame)
            if seat.state is State.GREETING:
                return self._hello(seat, read_body(Hello, said) if said.type == "hello" else None, now=now)
        except PeerError as error:
            self.abuse(seat, error.code, now=now)
            return None
        match said.type:
            case "pong":
                return None
            case "leave":
                self._end(seat, Event.LEFT, now=now)
                return None
        try:
            return self._order(seat, said.type, said.id, lambda body: read_body(body, said))
        except PeerError as error:
            self.failed(seat, said.type, said.id, error.code, error.text)
            return None

    def expect(self, seat: Seat, admission: Admission) -> None:
        """Keep the place of somebody whose token is good and who is about to be seated."""
        seat.admission, seat.expected = admission, True
        board = self._board(admission.room_id)
        board.arriving[admission.identity] += 1
        board.absent.discard(admission.identity)
        self._timers.cancel((board.key, admission.identity), Timer.GRACE)

    def seat(self, seat: Seat, admission: Admission, *, now: float) -> None:
        """Take in somebody who has knocked, or attends; what they see follows."""
        board = self._board(admission.room_id)
        hosts = admission.role in HOSTS
        known = hosts or admission.identity in board.waiting
        if not known and len(board.waiting) >= self._settings.limits.sockets_per_room:
            self.turn_away(seat, "full", now=now)
            return
        if not self._move(seat, Event.ATTENDS if hosts else Event.SEATED):
            return  # gone meanwhile
        seat.admission = admission
        others = board.hosts if hosts else board.waiting.setdefault(admission.identity, [])
        others.append(seat)
        seat.judged_from = board.looks + 1
        self._arrived(seat)
        mine = [one for one in others if one.admission and one.admission.identity == admission.identity]
        if len(mine) > self._settings.limits.sockets_per_person:
            self._end(mine[0], Event.REPLACED, now=now)
        self.counters.hellos["hosting" if hosts else "waiting"] += 1
        times = self._settings.times
        self._timers.set(seat, Timer.PING, at=now + times.ping_interval)
        self._timers.set(seat, Timer.TOKEN, at=now + times.token_refresh)
        self._look(board, now=now)

    def turn_away(self, seat: Seat, code: str, *, now: float, retry_after: int | None = None) -> None:
        """Say why the token opens nothing; `retry_after` seconds later it may."""
        self.counters.hellos[code] += 1
        fields: dict[str, Any] = {} if retry_after is None else {"retry_after": retry_after}
        self._end(seat, Event.REFUSED, now=now, code=code, **fields)

    def abuse(self, seat: Seat, reason: str, *, now: float) -> None:
        """End the connection of a client that broke the rules."""
        self.counters.dropped[reason] += 1
        self._end(seat, Event.ABUSE, now=now)

    def closed(self, seat: Seat, *, now: float) -> None:
        """Forget a connection that is gone; the place in the queue is kept for a while."""
        self._end(seat, Event.LOST, now=now)
        if seat in self._seats:
            self._seats.discard(seat)
            self._by_address[seat.address] -= 1
            if not self._by_address[seat.address]:
                del self._by_address[seat.address]

    def end_all(self, event: Event, *, now: float, **fields: Any) -> None:
        """End every connection."""
        for seat in list(self._seats):
            self._end(seat, event, now=now, **fields)

    # --- what was wished for ---

    def show(self, key: str, scene: Scene | None, *, now: float) -> None:
        """Tell everybody in a room what its state means to them."""
        board = self._boards.get(key)
        if board is None:
            return
        board.looking, board.scene = False, scene
        stale, board.stale = board.stale, False
        self._judge(board, now=now)
        if scene is not None:
            tell(board, scene)
            self._watch_the_clock(board, scene, now=now)
        if stale:
            self._look(board, now=now)
        self._drop_if_empty(board)

    def look_failed(self, key: str, *, now: float) -> None:
        """Read again later: the database did not answer."""
        board = self._boards.get(key)
        if board is not None:
            board.looking = board.stale = False
            self._timers.set(board, Timer.LOOK, at=now + self._settings.times.again)

    def let_in(self, seat: Seat, token: str, *, now: float) -> None:
        """Give somebody the way into the call, unless it was closed again meanwhile."""
        seat.being_let_in = False
        admission = seat.admission
        board = None if admission is None else self._boards.get(admission.room_id)
        if admission is None or board is None or verdict(board.scene, admission) is not Verdict.ENTER:
            return
        self._end(seat, Event.ADMITTED, now=now, token=token)

    def let_in_later(self, seat: Seat, *, now: float) -> None:
        """Ask again for the token of somebody who may enter."""
        self._timers.set(seat, Timer.LET_IN, at=now + self._settings.times.again)

    def new_token(self, seat: Seat, token: str) -> None:
        """Give somebody who waits a token to come back with."""
        if seat.state in {State.WAITING, State.HOSTING}:
            seat.outlet.send(Word("token", token=token))

    def here(self, key: str, identity: str) -> bool:
        """Whether somebody is connected or about to be."""
        board = self._boards.get(key)
        return board is not None and (identity in board.waiting or identity in board.arriving)

    def keep_absent(self, key: str, identity: str, *, now: float) -> None:
        """Ask again later to take somebody out of the queue."""
        self._await_return(self._board(key), identity, now=now, seconds=self._settings.times.again)

    def restored(self, places: Iterable[tuple[str, str]], *, now: float) -> None:
        """Keep the places that were kept before the server started, for as long as any other."""
        for key, identity in places:
            if not self.here(key, identity):
                self._await_return(self._board(key), identity, now=now, seconds=self._settings.times.grace)

    def write_to(self, key: str, identity: str | None, text: str, *, now: float, wall: float) -> None:
        """Show what a host wrote to one who waits, or to all."""
        board = self._boards.get(key)
        if board is None:
            return
        if identity is None:
            board.for_all = Note(text, wall)
        else:
            board.notes[identity] = Note(text, wall)
        self._look(board, now=now)

    def done(self, seat: Seat, order: Order, result: Mapping[str, Any] | None) -> None:
        """Answer a host whose order was carried out."""
        self.counters.verbs[order.name, "done"] += 1
        self._say(seat, Word("done", id=order.id, **(result or {})))

    def failed(self, seat: Seat, verb: str, id_: int | None, code: str, detail: str) -> None:
        """Answer somebody whose message could not be carried out."""
        self.counters.verbs[verb if verb in self._verbs else "unknown", code] += 1
        self._say(seat, Word("error", id=id_, code=code, detail=detail))

    # --- durable changes: hints to look again ---

    def touch(self, key: str) -> None:
        """Look again at a room, if anybody is there."""
        board = self._boards.get(key)
        if board is not None and board.seats:  # who is about to be seated has the room read then
            self._look(board, now=self._clock())

    def touch_all(self) -> None:
        """Look again at every room in which anybody is."""
        for key in list(self._boards):
            self.touch(key)

    @property
    def idle(self) -> bool:
        """Whether nobody is in any room."""
        return not self._boards

    # --- time ---

    def wake(self, *, now: float) -> None:
        """Do everything that is due; what goes wrong with one does not keep the others waiting."""
        while (due := self._timers.pop_due(now)) is not None:
            try:
                self._wake_one(*due, now=now)
            except Exception:
                log.exception("timer_failed", extra={"timer": due[1].value})

    def census(self) -> Mapping[str, int]:
        """Count what lives, to see leaks."""
        boards = self._boards.values()
        return {
            "rooms": len(boards),
            "sockets": len(self._seats),
            "addresses": len(self._by_address),
            "waiting": sum(len(board.waiting) for board in boards),
            "hosts": sum(len(board.hosts) for board in boards),
            "arriving": sum(len(board.arriving) for board in boards),
            "absent": sum(len(board.absent) for board in boards),
            "notes": sum(len(board.notes) + (board.for_all is not None) for board in boards),
            "timers": len(self._timers),
        }

    # --- within ---

    def _hello(self, seat: Seat, hello: Hello | None, *, now: float) -> Check | None:
        if hello is None:
            self.abuse(seat, "no-hello", now=now)
            return None
        if hello.v != VERSION:
            self.turn_away(seat, "unsupported-version", now=now)
            return None
        self._move(seat, Event.HELLO)
        self._timers.cancel(seat, Timer.HELLO)
        return Check(hello.token)

    def _order(
        self, seat: Seat, name: str, id_: int | None, read: Callable[[type[Body]], Body]
    ) -> Order | None:
        verb = self._verbs.get(name)
        if verb is None:
            raise PeerError("unknown-verb", "this server knows no such message")
        admission = seat.admission
        if seat.state is not State.HOSTING or admission is None or admission.role not in verb.roles:
            raise PeerError("forbidden", "only a host or a delegate of the room may do this")
        return Order(name, verb, read(verb.body), id_)

    def _judge(self, board: Board, *, now: float) -> None:
        for seat in board.seats:
            admission = seat.admission
            assert admission is not None, "who is at a board has an admission"  # noqa: S101
            if seat.judged_from > board.looks:
                continue  # the scene was read before this person came
            judge = host_verdict if seat.state is State.HOSTING else verdict
            match judge(board.scene, admission):
                case Verdict.CLOSED:
                    self._end(seat, Event.CLOSED, now=now, reason=why_closed(board.scene))
                case Verdict.REVOKED:
                    self._end(seat, Event.REVOKED, now=now, code="revoked")
                case Verdict.DENIED:
                    self._end(seat, Event.DENIED, now=now)
                case Verdict.ENTER if not seat.being_let_in:
                    seat.being_let_in = True
                    self._wish(LetIn(seat, admission))
                case Verdict.KNOCK if board.waiting[admission.identity][0] is seat:
                    self._wish(Knock(admission))

    def _watch_the_clock(self, board: Board, scene: Scene, *, now: float) -> None:
        """Look again when nobody may enter any more: no event tells of it while a call goes on."""
        closing = closes_at(scene.room)
        wall = self._wall()
        if closing is not None and closing > wall and board.seats:
            self._timers.set(board, Timer.LOOK, at=now + closing - wall)

    def _look(self, board: Board, *, now: float) -> None:
        if board.looking:
            board.stale = True
            return
        if now < board.looked_at + _LOOKS_APART:
            self._timers.set(board, Timer.LOOK, at=board.looked_at + _LOOKS_APART)
            return
        board.looking, board.looked_at = True, now
        board.looks += 1
        hosts = (seat.admission.identity for seat in board.hosts if seat.admission is not None)
        self._wish(Look(board.key, (*board.waiting, *hosts)))

    def _say(self, seat: Seat, word: Word) -> None:
        if seat.state is not State.ENDED:
            seat.outlet.send(word)

    def _move(self, seat: Seat, event: Event) -> bool:
        following = after(seat.state, event)
        if following is None:
            return False
        seat.state = following
        return True

    def _end(self, seat: Seat, event: Event, *, now: float, **fields: Any) -> None:
        if not self._move(seat, event):
            return
        self.counters.ended[event] += 1
        ending = ENDINGS[event]
        if ending.says is not None:
            seat.outlet.send(Word(ending.says, **fields))
        seat.outlet.close(ending.close_code, event.value)
        self._timers.cancel_all(seat)
        if seat.admission is not None:
            self._leave_board(seat, seat.admission, event, now=now)

    def _leave_board(self, seat: Seat, admission: Admission, event: Event, *, now: float) -> None:
        board = self._boards.get(admission.room_id)
        if board is None:
            return
        if seat.expected:
            self._arrived(seat)
            if not self.here(board.key, admission.identity):
                # A place that was kept is kept on: the knock may have failed.
                self._await_return(board, admission.identity, now=now, seconds=self._settings.times.grace)
        if seat in board.hosts:
            board.hosts.remove(seat)
            self._look(board, now=now)
        seats = board.waiting.get(admission.identity, [])
        if seat in seats:
            seats.remove(seat)
            if not seats:
                del board.waiting[admission.identity]
                self._person_gone(board, admission.identity, event, now=now)
                self._look(board, now=now)
        self._drop_if_empty(board)

    def _person_gone(self, board: Board, identity: str, event: Event, *, now: float) -> None:
        if event in {Event.CLOSED, Event.DENIED, Event.REVOKED, Event.SHUTDOWN}:
            return  # has no place any more, or keeps it while the server is away
        if event is Event.LEFT:
            self._wish(GiveUp(board.key, identity))
        else:
            self._await_return(board, identity, now=now, seconds=self._settings.times.grace)

    def _await_return(self, board: Board, identity: str, *, now: float, seconds: float) -> None:
        board.absent.add(identity)
        self._timers.set((board.key, identity), Timer.GRACE, at=now + seconds)

    def _arrived(self, seat: Seat) -> None:
        """Stop counting somebody among those who are arriving."""
        if not seat.expected or seat.admission is None:
            return
        seat.expected = False
        board = self._board(seat.admission.room_id)
        board.arriving[seat.admission.identity] -= 1
        if board.arriving[seat.admission.identity] <= 0:
            del board.arriving[seat.admission.identity]

    def _board(self, key: str) -> Board:
        board = self._boards.get(key)
        if board is None:
            board = self._boards[key] = Board(key)
        return board

    def _drop_if_empty(self, board: Board) -> None:
        if board.empty and self._boards.get(board.key) is board:
            del self._boards[board.key]
            self._timers.cancel_all(board)

    def _wake_one(self, owner: Hashable, timer: Timer, *, now: float) -> None:
        if isinstance(owner, Board):
            self._look(owner, now=now)
        elif isinstance(owner, Seat):
            self._wake_seat(owner, timer, now=now)
        elif isinstance(owner, tuple):
            key, identity = owner
            board = self._board(key)
            board.absent.discard(identity)
            if not self.here(key, identity):
                self._wish(GiveUp(key, identity))
            self._drop_if_empty(board)

    def _wake_seat(self, seat: Seat, timer: Timer, *, now: float) -> None:
        times = self._settings.times
        match timer:
            case Timer.HELLO:
                self._end(seat, Event.HELLO_LATE, now=now)
            case Timer.PING if now - seat.heard_at >= times.ping_timeout:
                self._end(seat, Event.SILENT, now=now)
            case Timer.PING:
                self._timers.set(seat, Timer.PING, at=now + times.ping_interval)
                seat.outlet.send(Word("ping"))
            case Timer.TOKEN if seat.admission is not None:
                self._timers.set(seat, Timer.TOKEN, at=now + times.token_refresh)
                self._wish(Renew(seat, seat.admission))
            case Timer.LET_IN if seat.admission is not None:
                self._wish(LetIn(seat, seat.admission))

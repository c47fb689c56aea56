"""All waiting rooms of a server, sans-IO: who is connected, what they are told, what has to be done for them.

Theory of operation. Here are the connections and what they say. Which people have a place is kept in
`Places`; what rooms look like now, and what follows for everybody in them, is found out by `Looking`. What
takes time is wished for (`Wish`) and told back.
"""

import logging
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

from rooms import Admission, Scene
from sfu import PeerError
from signalling.livekit.rate import TokenBucket
from signalling.livekit.timers import TimerTable
from signalling.present import InCall, nobody
from signalling.waiting.board import Note, Verdict, verdict
from signalling.waiting.counters import Counters
from signalling.waiting.lifecycle import ENDINGS, Event, State, after
from signalling.waiting.looking import Looking
from signalling.waiting.messages import VERSION, Word
from signalling.waiting.places import Places
from signalling.waiting.seats import Board, Outlet, Seat
from signalling.waiting.settings import WaitingSettings
from signalling.waiting.timer import Timer
from signalling.waiting.verbs import HOSTS, Verb
from signalling.waiting.wishes import Check, LetIn, Order, Renew, Wish
from signalling.words import Body, Hello, decode, read_body

log = logging.getLogger(__name__)


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
        in_call: InCall = nobody,
    ) -> None:
        """Take what needs waiting for.

        `wish` starts something and returns at once; `clock` gives seconds for timers where a caller has none
        to pass, `wall` seconds since the Unix epoch; `in_call` tells who is in the call of a room now.
        """
        self.counters = Counters()
        self._settings = settings
        self._timers = timers
        self._verbs = verbs
        self._wish = wish
        self._clock = clock
        self._places = Places(timers, wish=wish, grace=settings.times.grace)
        self._looking = Looking(
            timers,
            self._places,
            wish=wish,
            end=self._end,
            wall=wall,
            again=settings.times.again,
            in_call=in_call,
        )
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
        self._places.expect(seat, admission)

    def seat(self, seat: Seat, admission: Admission, *, now: float) -> None:
        """Take in somebody who has knocked, or attends; what they see follows."""
        board = self._places.board(admission.room_id)
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
        self._places.arrived(seat)
        mine = [one for one in others if one.admission and one.admission.identity == admission.identity]
        if len(mine) > self._settings.limits.sockets_per_person:
            self._end(mine[0], Event.REPLACED, now=now)
        self.counters.hellos["hosting" if hosts else "waiting"] += 1
        times = self._settings.times
        self._timers.set(seat, Timer.PING, at=now + times.ping_interval)
        self._timers.set(seat, Timer.TOKEN, at=now + times.token_refresh)
        self._looking.look(board, now=now)

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
        self._looking.show(key, scene, now=now)

    def look_failed(self, key: str, *, now: float) -> None:
        """Read again later: the database did not answer."""
        self._looking.failed(key, now=now)

    def let_in(self, seat: Seat, token: str, *, now: float) -> None:
        """Give somebody the way into the call, unless it was closed again meanwhile."""
        seat.being_let_in = False
        admission = seat.admission
        board = None if admission is None else self._places.find(admission.room_id)
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
        return self._places.here(key, identity)

    def keep_absent(self, key: str, identity: str, *, now: float) -> None:
        """Ask again later to take somebody out of the queue."""
        self._places.keep(key, identity, now=now, seconds=self._settings.times.again)

    def restored(self, places: Iterable[tuple[str, str]], *, now: float) -> None:
        """Keep the places that were kept before the server started, for as long as any other."""
        for key, identity in places:
            if not self._places.here(key, identity):
                self._places.keep(key, identity, now=now)

    def write_to(self, key: str, identity: str | None, text: str, *, now: float, wall: float) -> None:
        """Show what a host wrote to one who waits, or to all."""
        board = self._places.find(key)
        if board is None:
            return
        if identity is None:
            board.for_all = Note(text, wall)
        else:
            board.notes[identity] = Note(text, wall)
        self._looking.look(board, now=now)

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
        board = self._places.find(key)
        if board is not None and board.seats:  # who is about to be seated has the room read then
            self._looking.look(board, now=self._clock())

    def call_changed(self, key: str) -> None:
        """Hear that somebody came into the call of a room or left it; its events may tell of it later."""
        board = self._places.find(key)
        if board is not None:
            self._looking.call_changed(board, now=self._clock())

    def touch_all(self) -> None:
        """Look again at every room in which anybody is."""
        for board in self._places.boards():
            self.touch(board.key)

    @property
    def idle(self) -> bool:
        """Whether nobody is in any room."""
        return not self._places.boards()

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
        boards = self._places.boards()
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
        board = self._places.find(admission.room_id)
        if board is None:
            return
        self._places.not_coming(seat, now=now)
        if seat in board.hosts:
            board.hosts.remove(seat)
            self._looking.look(board, now=now)
        seats = board.waiting.get(admission.identity, [])
        if seat in seats:
            seats.remove(seat)
            if not seats:
                del board.waiting[admission.identity]
                self._places.gone(board.key, admission.identity, event, now=now)
                self._looking.look(board, now=now)
        self._places.drop_if_empty(board)

    def _wake_one(self, owner: Hashable, timer: Timer, *, now: float) -> None:
        if isinstance(owner, Board):
            if timer is Timer.TELL:
                self._looking.tell_of_call(owner, now=now)
            else:
                self._looking.look(owner, now=now)
        elif isinstance(owner, Seat):
            self._wake_seat(owner, timer, now=now)
        elif isinstance(owner, tuple):
            self._places.grace_is_over(*owner)

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

"""Looks at rooms whenever they may have changed, and has everybody in them told what follows.

The truth is in the store. Every hint that it changed (an event of a room, a word of an observer, somebody
coming) only marks a room as stale; then the whole `Scene` is read again, one read a room at a time, and
everybody is told what follows from it. So hints may come twice, late or in another order.
"""

from collections.abc import Callable
from typing import Any, Protocol

from rooms import Scene, closes_at
from signalling.livekit.timers import TimerTable
from signalling.present import InCall
from signalling.waiting.board import Verdict, host_verdict, verdict, why_closed
from signalling.waiting.lifecycle import Event, State
from signalling.waiting.places import Places
from signalling.waiting.seats import Board, Seat
from signalling.waiting.telling import tell
from signalling.waiting.timer import Timer
from signalling.waiting.wishes import Knock, LetIn, Look, Wish

_LOOKS_APART = 0.1
"""Seconds between two reads of one room: a crowd that comes at once costs ten of them a second."""
_TELLS_APART = 0.1
"""Seconds between two words to its hosts about who is in the call."""


class End(Protocol):
    """Ends a connection."""

    def __call__(self, seat: Seat, event: Event, *, now: float, **fields: Any) -> None:
        """End it; `fields` go into the last message."""


class Looking:
    """Reads rooms and judges those in them."""

    def __init__(
        self,
        timers: TimerTable[Timer],
        places: Places,
        *,
        wish: Callable[[Wish], None],
        end: End,
        wall: Callable[[], float],
        again: float,
        in_call: InCall,
    ) -> None:
        """Look again after `again` seconds where the database did not answer."""
        self._timers = timers
        self._places = places
        self._wish = wish
        self._end = end
        self._wall = wall
        self._again = again
        self._in_call = in_call

    def look(self, board: Board, *, now: float) -> None:
        """Have a room read, now or as soon as it may be."""
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

    def show(self, key: str, scene: Scene | None, *, now: float) -> None:
        """Tell everybody in a room that was read what its state means to them."""
        board = self._places.find(key)
        if board is None:
            return
        board.looking, board.scene = False, scene
        stale, board.stale = board.stale, False
        self._judge(board, now=now)
        if scene is not None:
            self._tell(board, scene)
            self._watch_the_clock(board, scene, now=now)
        if stale:
            self.look(board, now=now)
        self._places.drop_if_empty(board)

    def call_changed(self, board: Board, *, now: float) -> None:
        """Have hosts told who is in the call as soon as it may be: nothing has to be read for it."""
        if board.hosts:
            self._timers.set(board, Timer.TELL, at=max(now, board.told_at + _TELLS_APART))

    def tell_of_call(self, board: Board, *, now: float) -> None:
        """Tell what follows from what was read last and from who is in the call now."""
        board.told_at = now
        if board.scene is not None and not board.looking:  # what is being read will be told
            self._tell(board, board.scene)

    def failed(self, key: str, *, now: float) -> None:
        """Look again later."""
        board = self._places.find(key)
        if board is not None:
            board.looking = board.stale = False
            self._timers.set(board, Timer.LOOK, at=now + self._again)

    def _tell(self, board: Board, scene: Scene) -> None:
        tell(board, scene, in_call=self._in_call(board.key) if board.hosts else {})

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

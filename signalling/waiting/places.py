"""The waiting rooms in which anybody is, and the places in their queues that are kept.

A place in the queue is a person's, not a connection's: it is stored, several connections are one person, and
it is given up a while after the last of them is gone, which holds across a restart too.
"""

from collections.abc import Callable, Sequence

from rooms import Admission
from signalling.livekit.timers import TimerTable
from signalling.waiting.lifecycle import Event
from signalling.waiting.seats import Board, Seat
from signalling.waiting.timer import Timer
from signalling.waiting.wishes import GiveUp, Wish

_KEEPS_NO_PLACE = frozenset({Event.CLOSED, Event.DENIED, Event.REVOKED, Event.SHUTDOWN})
"""Endings after which a person has no place any more, or keeps it while the server is away."""


class Places:
    """Every board, by the room's uid; one that nobody needs is dropped."""

    def __init__(self, timers: TimerTable[Timer], *, wish: Callable[[Wish], None], grace: float) -> None:
        """Keep a place for `grace` seconds without a connection."""
        self._timers = timers
        self._wish = wish
        self._grace = grace
        self._boards: dict[str, Board] = {}

    def boards(self) -> Sequence[Board]:
        """Give every board as of now."""
        return list(self._boards.values())

    def find(self, key: str) -> Board | None:
        """Give the board of a room, if anybody is there."""
        return self._boards.get(key)

    def board(self, key: str) -> Board:
        """Give the board of a room, a new one if nobody was there."""
        board = self._boards.get(key)
        if board is None:
            board = self._boards[key] = Board(key)
        return board

    def drop_if_empty(self, board: Board) -> None:
        """Forget a board that nobody needs."""
        if board.empty and self._boards.get(board.key) is board:
            del self._boards[board.key]
            self._timers.cancel_all(board)

    # --- places ---

    def here(self, key: str, identity: str) -> bool:
        """Whether somebody is connected or about to be."""
        board = self._boards.get(key)
        return board is not None and (identity in board.waiting or identity in board.arriving)

    def expect(self, seat: Seat, admission: Admission) -> None:
        """Keep the place of somebody who is about to be seated."""
        seat.admission, seat.expected = admission, True
        board = self.board(admission.room_id)
        board.arriving[admission.identity] += 1
        board.absent.discard(admission.identity)
        self._timers.cancel((board.key, admission.identity), Timer.GRACE)

    def arrived(self, seat: Seat) -> None:
        """Stop counting somebody among those who are arriving."""
        if not seat.expected or seat.admission is None:
            return
        seat.expected = False
        board = self.board(seat.admission.room_id)
        board.arriving[seat.admission.identity] -= 1
        if board.arriving[seat.admission.identity] <= 0:
            del board.arriving[seat.admission.identity]

    def not_coming(self, seat: Seat, *, now: float) -> None:
        """Stop expecting somebody; a place that was kept is kept on, since the knock may have failed."""
        if not seat.expected or seat.admission is None:
            return
        self.arrived(seat)
        if not self.here(seat.admission.room_id, seat.admission.identity):
            self.keep(seat.admission.room_id, seat.admission.identity, now=now)

    def gone(self, key: str, identity: str, event: Event, *, now: float) -> None:
        """Hear that the last connection of somebody who waits has ended, and how."""
        if event is Event.LEFT:
            self._wish(GiveUp(key, identity))
        elif event not in _KEEPS_NO_PLACE:
            self.keep(key, identity, now=now)

    def keep(self, key: str, identity: str, *, now: float, seconds: float | None = None) -> None:
        """Keep a place without a connection, for the usual while or for so many seconds."""
        self.board(key).absent.add(identity)
        self._timers.set((key, identity), Timer.GRACE, at=now + (self._grace if seconds is None else seconds))

    def grace_is_over(self, key: str, identity: str) -> None:
        """Give up the place of somebody who has not come back."""
        board = self.board(key)
        board.absent.discard(identity)
        if not self.here(key, identity):
            self._wish(GiveUp(key, identity))
        self.drop_if_empty(board)

"""What people thought of a call: 1 to 5, and why, in words from a closed list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast, get_args

from sqlalchemy import func, select

from rooms.answers import earlier_answer, keep_answer
from rooms.context import room_row
from rooms.errors import Full, InvalidValue
from rooms.events import append_event
from rooms.ids import is_usable_id, new_rating_id
from rooms.tables import RatingRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.answers import Answer, Once
    from rooms.context import Context
    from rooms.tables import RoomRow

Reason = Literal[
    "audio_missing",
    "audio_choppy",
    "audio_echo",
    "video_missing",
    "video_frozen",
    "video_blurry",
    "delay",
    "connection_lost",
    "device_trouble",
    "hard_to_use",
    "other",
]
REASONS: tuple[Reason, ...] = get_args(Reason)


@dataclass(frozen=True, slots=True)
class Rating:
    """One person's view of a call."""

    identity: str
    score: int
    """1, bad, to 5, good."""
    reasons: tuple[Reason, ...]
    created_at: float


class Ratings:
    """What people thought of the calls in their rooms; giving another rating replaces it."""

    def __init__(self, context: Context) -> None:
        """Work on the shared store."""
        self._context = context

    async def give(
        self,
        tenant: str,
        room_id: str,
        identity: str,
        score: int,
        reasons: Sequence[Reason] = (),
        *,
        now: float,
        once: Once | None = None,
    ) -> Rating | Answer:
        """Keep what a person thought, who need not be stored; raise `NotFound`, `Full`, `InvalidValue`.

        With `once`, a repeated request writes nothing and gets the earlier answer.
        """
        async with self._context.change() as session:
            if (earlier := await earlier_answer(session, tenant, once, now=now)) is not None:
                return earlier
            room = await room_row(session, tenant, room_id)
            rating = await rate(self._context, session, room, identity, score, reasons, now=now)
            keep_answer(session, tenant, once, rating, now=now)
            return rating

    async def list(
        self, tenant: str, room_id: str, *, after: str | None = None, limit: int = 100
    ) -> list[Rating]:
        """Give up to `limit` ratings in order of identity, those after `after`."""
        async with self._context.store.read() as session:
            room = await room_row(session, tenant, room_id)
            query = select(RatingRow).where(RatingRow.room_uid == room.uid)
            if after is not None:
                query = query.where(RatingRow.identity > after)
            found = await session.scalars(query.order_by(RatingRow.identity).limit(limit))
            return [_rating(row) for row in found]


async def rate(
    context: Context,
    session: AsyncSession,
    room: RoomRow,
    identity: str,
    score: int,
    reasons: Sequence[Reason],
    *,
    now: float,
) -> Rating:
    """Write a rating and its event, within the room's cap."""
    if not is_usable_id(identity):
        raise InvalidValue("identity", "must be 1 to 128 printable characters without a slash")
    if not 1 <= score <= 5:
        raise InvalidValue("score", "must be 1 to 5")
    of_room = RatingRow.room_uid == room.uid
    row = await session.scalar(select(RatingRow).where(of_room, RatingRow.identity == identity))
    if row is None:
        count = await session.scalar(select(func.count()).select_from(RatingRow).where(of_room)) or 0
        if count >= context.settings.max_participants_per_room:
            raise Full("ratings")
        row = RatingRow(id=new_rating_id(), room_uid=room.uid, identity=identity)
        session.add(row)
    row.score, row.reasons, row.created_at = score, list(dict.fromkeys(reasons)), now
    data = {"identity": identity, "score": row.score, "reasons": row.reasons}
    await append_event(session, room, "rating.created", data, now=now)
    return _rating(row)


def _rating(row: RatingRow) -> Rating:
    return Rating(row.identity, row.score, cast("tuple[Reason, ...]", tuple(row.reasons)), row.created_at)

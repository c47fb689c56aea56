"""What is to be delivered to webhooks, taken from the tables and put back there: the queue is the database.

Theory of operation. A webhook has read the event log up to its `position`. What it read is spread over
lanes, one for each room that is still to be told of (`rooms.retries`); a lane holds no events, only where in
its room it stands, so a receiver that is away for a day costs one row for each room. What is claimed of a
lane is a run: its first event and some that follow, which are sent one by one as long as each is delivered,
so that a room is told as fast as its receiver answers. `turn` does all that is
to be done at one moment in one transaction: it writes down how attempts ended, spreads what is new, and
claims what is to be sent next. After a crash an attempt that was on its way is made again, once its claim
has run out: at least once, and the receiver knows an event by its id. Several servers may take turns on one
database.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select, update

from rooms.errors import StoreUnavailable
from rooms.events import newest_position
from rooms.outbox_picking import pick, spread
from rooms.outbox_settling import settle
from rooms.retries import HORIZON_SECONDS
from rooms.tables import WebhookLaneRow, WebhookLetterRow, WebhookRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.context import Context
    from rooms.outbox_picking import Parcel
    from rooms.retries import Outcome

LOOK_AGAIN_SECONDS = 5.0
"""Also a database that is not shared may be written by hand, or by a restored copy."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be sent now, and when to look again."""

    parcels: list[Parcel]
    wake_at: float | None
    """When something is due next; outcomes and events may come before. `None`: nothing waits for the time."""
    oldest: float | None
    """When the oldest event occurred that an enabled webhook still waits for."""
    lanes: int
    """Rooms that some webhook is still to be told of."""
    dead: int = 0
    """Events that were given up in this turn."""
    disabled: tuple[str, ...] = ()
    """Webhooks that went: their receiver answered 410."""
    fell_silent: tuple[str, ...] = ()
    """Webhooks where nobody answered for the first time in a row."""
    answering_again: tuple[str, ...] = ()


class Outbox:
    """The deliveries of all webhooks."""

    def __init__(self, context: Context) -> None:
        """Work on the shared store."""
        self._context = context
        self._nobody_at = float("-inf")
        self._changes = 0

    def look_again(self) -> None:
        """Take note that webhooks were changed here."""
        self._nobody_at = float("-inf")
        self._changes += 1

    async def start(self, *, now: float) -> None:
        """Make at once again what was on its way when this server stopped, if the database is its own."""
        async with self._context.store.write() as session:
            if session.get_bind().dialect.name != "sqlite":
                return  # a claim may be that of another server
            for table in (WebhookLaneRow, WebhookLetterRow):
                await session.execute(
                    update(table).where(table.claim.is_not(None)).values(claim=None, due_at=now)
                )

    async def turn(
        self, outcomes: Sequence[tuple[Parcel, Outcome | None]], *, now: float, random: Random
    ) -> Turn:
        """Write down how attempts ended (`None`: none was made) and give what is to be sent next."""
        if not outcomes:
            if self._nobody_listens(now=now):
                return Turn([], None, None, 0)
            changes = self._changes
            async with self._context.store.read() as session:
                match await _anything_to_do(session, now=now):
                    case None:
                        if self._changes == changes:
                            self._nobody_at = now
                        return Turn([], None, None, 0)
                    case False:
                        return await _look_ahead(session, [], now=now)
        async with self._context.store.write() as session:
            found = await session.scalars(select(WebhookRow).order_by(WebhookRow.id))
            webhooks = {row.id: row for row in found}
            settled = await settle(session, webhooks, outcomes, now=now, random=random)
            more = await spread(session, webhooks.values(), now=now)
            parcels, skipped = await pick(session, webhooks.values(), now=now)
        ahead = await self._look_ahead(parcels, now=now)
        return Turn(
            parcels=parcels,
            wake_at=now if more or skipped else ahead.wake_at,
            oldest=ahead.oldest,
            lanes=ahead.lanes,
            dead=settled.dead,
            disabled=tuple(settled.disabled),
            fell_silent=tuple(settled.fell_silent),
            answering_again=tuple(settled.answering_again),
        )

    def _nobody_listens(self, *, now: float) -> bool:
        """Whether no webhook was enabled a moment ago and none was changed here since: known without asking.

        Every event of every call asks.
        """
        fresh = 0 <= now - self._nobody_at < LOOK_AGAIN_SECONDS
        return fresh and not self._context.store.is_shared

    async def _look_ahead(self, parcels: list[Parcel], *, now: float) -> Turn:
        # Apart from the turn, so that others may write meanwhile.
        try:
            async with self._context.store.read() as session:
                return await _look_ahead(session, parcels, now=now)
        except StoreUnavailable:
            return Turn(parcels, now, None, 0)  # what was claimed is to be sent all the same


async def _anything_to_do(session: AsyncSession, *, now: float) -> bool | None:
    """Look without holding up writers; `None` if no webhook is enabled at all."""
    enabled = WebhookRow.enabled.is_(True)
    behind: int | None = (
        await session.execute(select(func.min(WebhookRow.position)).where(enabled))
    ).scalar()
    if behind is None:
        return None
    if behind < await newest_position(session):
        return True
    not_held = or_(
        WebhookRow.held_until.is_(None),
        WebhookRow.held_until <= now,
        WebhookRow.held_until > now + HORIZON_SECONDS,
    )
    for table in (WebhookLaneRow, WebhookLetterRow):
        late = or_(table.due_at <= now, table.due_at > now + HORIZON_SECONDS)
        due = select(table.position).join(WebhookRow).where(enabled, not_held, late)
        if (await session.scalars(due.limit(1))).first() is not None:
            return True
    return False


async def _look_ahead(session: AsyncSession, parcels: list[Parcel], *, now: float) -> Turn:
    enabled = WebhookRow.enabled.is_(True)
    times = []
    for table in (WebhookLaneRow, WebhookLetterRow):
        query = select(func.min(table.due_at)).join(WebhookRow).where(enabled, table.due_at > now)
        times.append((await session.scalars(query)).one())
    held = select(func.min(WebhookRow.held_until)).where(enabled, WebhookRow.held_until > now)
    times.append((await session.scalars(held)).one())
    waiting = select(func.count(), func.min(WebhookLaneRow.occurred_at)).select_from(WebhookLaneRow)
    lanes, oldest = (await session.execute(waiting.join(WebhookRow).where(enabled))).one()
    return Turn(parcels, min((one for one in times if one is not None), default=None), oldest, lanes)

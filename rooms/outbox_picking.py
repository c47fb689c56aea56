"""Spreading the event log over lanes, and picking what is to be sent next."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import func, or_, select

from rooms.events import event_of, newest_position
from rooms.ids import new_claim
from rooms.retries import CLAIM_SECONDS, HORIZON_SECONDS, room_for
from rooms.tables import EventRow, WebhookLaneRow, WebhookLetterRow
from rooms.webhooks import signing_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.events import RoomEvent
    from rooms.tables import WebhookRow
    from rooms.webhooks import Signing

Row = TypeVar("Row", WebhookLaneRow, WebhookLetterRow)

SPREAD_AT_ONCE = 500
"""Events of one webhook in one transaction: few enough to let others write."""
RUN_MOST = 100
"""Events of one room that are claimed at once; after a crash so many may come twice."""
RUNS_MOST = 500
"""The same for all rooms of a webhook, which bounds what is held in memory."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One event on its way to one webhook."""

    webhook_id: str
    signing: Signing
    event: RoomEvent
    claim: str
    """Names this attempt."""
    alone: bool = False
    """Asked for again by itself, not the next of its room."""
    following: tuple[RoomEvent, ...] = ()
    """Of the same room, to be sent one after another as long as each is delivered."""

    def next(self) -> Parcel:
        """Give what is to be sent once this event is delivered; how that ends is said of the whole."""
        return replace(self, event=self.following[0], following=self.following[1:])


async def spread(session: AsyncSession, webhooks: Iterable[WebhookRow], *, now: float) -> bool:
    """Read the log on for every enabled webhook; say whether there is more of it."""
    newest, more = await newest_position(session), False
    for webhook in webhooks:
        if not webhook.enabled or webhook.position >= newest:
            continue
        query = select(EventRow.position, EventRow.room_uid, EventRow.occurred_at)
        query = query.where(*_wanted(webhook), EventRow.position > webhook.position)
        events = (await session.execute(query.order_by(EventRow.position).limit(SPREAD_AT_ONCE))).all()
        firsts = {room_uid: (position, at) for position, room_uid, at in reversed(events)}
        lanes = select(WebhookLaneRow.room_uid).where(
            WebhookLaneRow.webhook_id == webhook.id, WebhookLaneRow.room_uid.in_(firsts)
        )
        known = set(await session.scalars(lanes)) if firsts else set()
        for room_uid, (position, occurred_at) in firsts.items():
            if room_uid not in known:
                session.add(_lane(webhook, room_uid, position, occurred_at, now=now))
        full = len(events) == SPREAD_AT_ONCE
        webhook.position = events[-1].position if full else newest
        more = more or full
    await session.flush()
    return more


async def advance(
    session: AsyncSession, webhooks: Mapping[str, WebhookRow], lanes: Sequence[WebhookLaneRow], *, now: float
) -> None:
    """Move lanes to the next event of their room; one without another ends."""
    by_webhook: dict[str, list[WebhookLaneRow]] = defaultdict(list)
    for lane in lanes:
        by_webhook[lane.webhook_id].append(lane)
    for webhook_id, own in by_webhook.items():
        webhook = webhooks[webhook_id]
        following = (
            select(func.min(EventRow.position))
            .join(WebhookLaneRow, WebhookLaneRow.room_uid == EventRow.room_uid)
            .where(
                WebhookLaneRow.webhook_id == webhook_id,
                WebhookLaneRow.room_uid.in_([lane.room_uid for lane in own]),
                *_wanted(webhook),
                EventRow.position > WebhookLaneRow.position,
                EventRow.position <= webhook.position,
            )
            .group_by(EventRow.room_uid)
        )
        query = select(EventRow.room_uid, EventRow.position, EventRow.occurred_at)
        found = await session.execute(query.where(EventRow.position.in_(following)))
        nexts = {room_uid: (position, at) for room_uid, position, at in found}
        for lane in own:
            if lane.room_uid in nexts:
                lane.position, lane.occurred_at = nexts[lane.room_uid]
                lane.due_at = now
            else:
                await session.delete(lane)
    await session.flush()


async def pick(
    session: AsyncSession, webhooks: Iterable[WebhookRow], *, now: float
) -> tuple[list[Parcel], bool]:
    """Claim what is due, within what each webhook may have on its way; say whether some of it was gone."""
    by_id = {webhook.id: webhook for webhook in webhooks}
    claimed = await _claimed(session, WebhookLaneRow, now=now)
    waiting = select(WebhookLetterRow.position).where(WebhookLetterRow.due_at.is_not(None)).limit(1)
    letters_wait = (await session.scalars(waiting)).first() is not None
    letters_claimed = await _claimed(session, WebhookLetterRow, now=now) if letters_wait else Counter[str]()
    taken: list[WebhookLaneRow | WebhookLetterRow] = []
    for webhook in by_id.values():
        if not webhook.enabled:
            continue
        room = room_for(
            claimed[webhook.id] + letters_claimed[webhook.id],
            unreachable=webhook.unreachable_since is not None,
            held=webhook.held_until is not None and now < webhook.held_until <= now + HORIZON_SECONDS,
        )
        if room and letters_wait and not letters_claimed[webhook.id]:  # letters go one by one
            letters = await _due(session, WebhookLetterRow, webhook, 1, now=now)
            taken += letters
            room -= len(letters)
        if room:
            taken += await _due(session, WebhookLaneRow, webhook, room, now=now)
    query = select(EventRow).where(EventRow.position.in_({one.position for one in taken}))
    events = {row.position: row for row in await session.scalars(query)} if taken else {}
    runs = await _runs(session, by_id, [one for one in taken if isinstance(one, WebhookLaneRow)])
    parcels = []
    for one in taken:
        event = events.get(one.position)
        if event is not None:
            webhook = by_id[one.webhook_id]
            one.claim, one.due_at = new_claim(), now + CLAIM_SECONDS
            alone = isinstance(one, WebhookLetterRow)
            signing = signing_of(webhook, now=now)
            run = () if alone else tuple(runs[webhook.id, event.room_uid])
            parcels.append(Parcel(webhook.id, signing, event_of(event), one.claim, alone, run))
        elif isinstance(one, WebhookLetterRow):
            await session.delete(one)
    # Deleted for their age, while their webhook was disabled.
    lost = [one for one in taken if isinstance(one, WebhookLaneRow) and one.position not in events]
    await advance(session, by_id, lost, now=now)
    return parcels, len(parcels) < len(taken)


async def _runs(
    session: AsyncSession, webhooks: Mapping[str, WebhookRow], lanes: Sequence[WebhookLaneRow]
) -> Mapping[tuple[str, str], list[RoomEvent]]:
    """Give what follows the events of lanes, by webhook and room."""
    runs: dict[tuple[str, str], list[RoomEvent]] = defaultdict(list)
    rooms: dict[str, list[str]] = defaultdict(list)
    for lane in lanes:
        rooms[lane.webhook_id].append(lane.room_uid)
    for webhook_id, room_uids in rooms.items():
        webhook = webhooks[webhook_id]
        query = (
            select(EventRow)
            .join(WebhookLaneRow, WebhookLaneRow.room_uid == EventRow.room_uid)
            .where(
                WebhookLaneRow.webhook_id == webhook_id,
                WebhookLaneRow.room_uid.in_(room_uids),
                *_wanted(webhook),
                EventRow.position > WebhookLaneRow.position,
                EventRow.position <= webhook.position,
            )
        )
        # The oldest of all rooms are the first of each: no run has a hole.
        for row in await session.scalars(query.order_by(EventRow.position).limit(RUNS_MOST)):
            run = runs[webhook_id, row.room_uid]
            if len(run) < RUN_MOST - 1:
                run.append(event_of(row))
    return runs


async def _due(
    session: AsyncSession, table: type[Row], webhook: WebhookRow, limit: int, *, now: float
) -> list[Row]:
    late = or_(table.due_at <= now, table.due_at > now + HORIZON_SECONDS)
    query = select(table).where(table.webhook_id == webhook.id, late)
    found = await session.execute(query.order_by(table.due_at, table.position).limit(limit))
    return list(found.scalars())


async def _claimed(
    session: AsyncSession, table: type[WebhookLaneRow | WebhookLetterRow], *, now: float
) -> Counter[str]:
    query = select(table.webhook_id, func.count()).where(table.claim.is_not(None), table.due_at > now)
    found = await session.execute(query.group_by(table.webhook_id))
    return Counter({webhook_id: count for webhook_id, count in found})  # noqa: C416


def _wanted(webhook: WebhookRow) -> tuple[ColumnElement[bool], ...]:
    of_tenant = EventRow.tenant == webhook.tenant
    if webhook.event_types is None:
        return (of_tenant,)
    return (of_tenant, EventRow.type.in_(webhook.event_types))


def _lane(
    webhook: WebhookRow, room_uid: str, position: int, occurred_at: float, *, now: float
) -> WebhookLaneRow:
    return WebhookLaneRow(
        webhook_id=webhook.id,
        room_uid=room_uid,
        position=position,
        occurred_at=occurred_at,
        due_at=now,
        claim=None,
        attempts=0,
        failing_since=None,
        reason=None,
        status=None,
    )

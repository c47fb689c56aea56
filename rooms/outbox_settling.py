"""Writing down how attempts to deliver ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from rooms.outbox_picking import Row, advance
from rooms.retries import Retry, Trouble, after_failure, asked_delay
from rooms.tables import WebhookLaneRow, WebhookLetterRow
from rooms.webhooks import disable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.outbox_picking import Parcel
    from rooms.retries import GiveUp, Outcome
    from rooms.tables import WebhookRow


@dataclass(slots=True)
class Settled:
    """What changed for whole webhooks."""

    dead: int = 0
    disabled: list[str] = field(default_factory=list)
    fell_silent: list[str] = field(default_factory=list)
    answering_again: list[str] = field(default_factory=list)


async def settle(
    session: AsyncSession,
    webhooks: Mapping[str, WebhookRow],
    outcomes: Sequence[tuple[Parcel, Outcome | None]],
    *,
    now: float,
    random: Random,
) -> Settled:
    """Move every lane and letter on whose attempt ended; one that was claimed anew meanwhile stays.

    An outcome of `None` gives a claim back: no attempt was made. Of a run the parcel is that of the last
    attempt, and those before it were delivered.
    """
    settled = Settled()
    ended = {parcel.claim: (parcel, outcome) for parcel, outcome in outcomes}
    moved = []
    for lane in await _claimed(session, WebhookLaneRow, [one for one, _ in outcomes if not one.alone]):
        parcel, outcome = ended[lane.claim or ""]
        lane.claim, lane.due_at = None, now
        if lane.position != parcel.event.position:  # what came before it in the run was delivered
            lane.position, lane.occurred_at = parcel.event.position, parcel.event.occurred_at
            _write_trouble(lane, Trouble(), None)
        if outcome is not None and await _settle_lane(
            session, lane, parcel, outcome, settled, now=now, jitter=random.random()
        ):
            moved.append(lane)
    for letter in await _claimed(session, WebhookLetterRow, [one for one, _ in outcomes if one.alone]):
        parcel, outcome = ended[letter.claim or ""]
        letter.claim, letter.due_at = None, now
        if outcome is None:
            continue
        if outcome.code == "delivered":
            await session.delete(letter)
        else:
            _settle_letter(letter, parcel, outcome, settled, now=now, jitter=random.random())
    for parcel, outcome in outcomes:
        webhook = webhooks.get(parcel.webhook_id)
        if outcome is not None and webhook is not None and webhook.url == parcel.signing.url:
            await _settle_webhook(session, webhook, outcome, settled, now=now)
    await session.flush()
    await advance(session, webhooks, moved, now=now)
    return settled


async def _claimed(session: AsyncSession, table: type[Row], parcels: Sequence[Parcel]) -> Sequence[Row]:
    if not parcels:
        return ()
    query = select(table).where(table.claim.in_([one.claim for one in parcels]))
    return (await session.execute(query)).scalars().all()


async def _settle_lane(
    session: AsyncSession,
    lane: WebhookLaneRow,
    parcel: Parcel,
    outcome: Outcome,
    settled: Settled,
    *,
    now: float,
    jitter: float,
) -> bool:
    """Say whether the lane goes on to its next event."""
    if outcome.code == "delivered":
        _write_trouble(lane, Trouble(), None)
        return True
    if outcome.code == "gone":
        return False
    verdict = _verdict(lane, parcel, outcome, now=now, jitter=jitter)
    if isinstance(verdict, Retry):
        lane.due_at = verdict.due_at
        _write_trouble(lane, verdict.trouble, outcome)
        return False
    # There is one already where the event was asked for again while it waited here.
    letter = await session.get(WebhookLetterRow, (lane.webhook_id, lane.position))
    if letter is None:
        letter = WebhookLetterRow(webhook_id=lane.webhook_id, position=lane.position)
        session.add(letter)
    letter.attempts, letter.failing_since, letter.claim = lane.attempts, lane.failing_since, None
    _bury(letter, outcome, settled, now=now)
    _write_trouble(lane, verdict.trouble, outcome)
    return True


def _settle_letter(
    letter: WebhookLetterRow,
    parcel: Parcel,
    outcome: Outcome,
    settled: Settled,
    *,
    now: float,
    jitter: float,
) -> None:
    if outcome.code == "gone":
        return
    verdict = _verdict(letter, parcel, outcome, now=now, jitter=jitter)
    if isinstance(verdict, Retry):
        letter.due_at = verdict.due_at
        _write_trouble(letter, verdict.trouble, outcome)
    else:
        _bury(letter, outcome, settled, now=now)


def _verdict(
    row: WebhookLaneRow | WebhookLetterRow, parcel: Parcel, outcome: Outcome, *, now: float, jitter: float
) -> Retry | GiveUp:
    trouble = Trouble(row.attempts, row.failing_since)
    return after_failure(trouble, outcome, occurred_at=parcel.event.occurred_at, jitter=jitter, now=now)


def _write_trouble(row: WebhookLaneRow | WebhookLetterRow, trouble: Trouble, outcome: Outcome | None) -> None:
    row.attempts, row.failing_since = trouble.attempts, trouble.failing_since
    row.reason = None if outcome is None else outcome.code
    row.status = None if outcome is None else outcome.status


def _bury(letter: WebhookLetterRow, outcome: Outcome, settled: Settled, *, now: float) -> None:
    letter.attempts += 1
    letter.reason, letter.status, letter.dead_at, letter.due_at = outcome.code, outcome.status, now, None
    settled.dead += 1


async def _settle_webhook(
    session: AsyncSession, webhook: WebhookRow, outcome: Outcome, settled: Settled, *, now: float
) -> None:
    if not outcome.answered:
        if webhook.unreachable_since is None:
            webhook.unreachable_since = now
            settled.fell_silent.append(webhook.id)
        return
    if webhook.unreachable_since is not None:
        webhook.unreachable_since = None
        settled.answering_again.append(webhook.id)
        await _wake_lanes(session, webhook, now=now)
    if outcome.retry_after_seconds is not None and outcome.code != "delivered":
        # It speaks of the receiver as a whole, not of this room.
        webhook.held_until = now + asked_delay(outcome.retry_after_seconds)
    if outcome.code == "gone" and webhook.enabled:
        disable(webhook, "gone", now=now)
        settled.disabled.append(webhook.id)


async def _wake_lanes(session: AsyncSession, webhook: WebhookRow, *, now: float) -> None:
    """Try at once what had no answer while nobody was there, instead of when its back-off is over."""
    for table in (WebhookLaneRow, WebhookLetterRow):
        await session.execute(
            update(table)
            .where(
                table.webhook_id == webhook.id,
                table.claim.is_(None),
                table.due_at > now,
                table.status.is_(None),
            )
            .values(due_at=now)
        )

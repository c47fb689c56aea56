"""A tenant's webhooks: where events are told, signed with which secrets, and telling them once more."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast, overload

from sqlalchemy import delete, func, select, update

from rooms.answers import earlier_answer, keep_answer
from rooms.errors import Full, InvalidTransition, InvalidValue, NotFound, StaleVersion
from rooms.events import event_of, newest_position
from rooms.ids import new_webhook_id, new_webhook_secret
from rooms.tables import EventHeadRow, EventRow, WebhookLaneRow, WebhookLetterRow, WebhookRow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.answers import Answer, Once
    from rooms.context import Context
    from rooms.events import EventType, RoomEvent
    from rooms.retries import OutcomeCode

log = logging.getLogger("rooms")

DisabledReason = Literal["by_request", "gone"]

MAX_PER_TENANT = 20
"""Each may keep connections open and costs a little at every event."""
OVERLAP_SECONDS = 86400.0
"""How long the old secret goes on signing after a new one was made, unless the caller says else."""


@dataclass(frozen=True, slots=True)
class WebhookDraft:
    """What the caller wants of a webhook."""

    url: str
    description: str | None = None
    event_types: tuple[EventType, ...] | None = None
    """`None` for all."""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook as it is stored, but for its secrets."""

    id: str
    tenant: str
    url: str
    description: str | None
    event_types: tuple[EventType, ...] | None
    enabled: bool
    disabled_reason: DisabledReason | None
    disabled_at: float | None
    old_secret_until: float | None
    """Until then deliveries bear two signatures."""
    unreachable_since: float | None
    """Nobody has answered since then."""
    created_at: float
    version: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that could not be delivered for a day."""

    event: RoomEvent
    attempts: int
    reason: OutcomeCode
    status: int | None
    dead_at: float


@dataclass(frozen=True, slots=True)
class Signing:
    """What a delivery is addressed and signed with."""

    url: str
    secrets: tuple[str, ...] = field(repr=False)
    """The present one first; two while one takes over from the other."""


class Webhooks:
    """The webhooks of all tenants."""

    def __init__(self, context: Context) -> None:
        """Work on the shared store."""
        self._context = context
        self._watchers: list[Callable[[], None]] = []

    def watch(self, watcher: Callable[[], None]) -> None:
        """Tell `watcher` whenever there may be something new to deliver because of a change here."""
        self._watchers.append(watcher)

    @overload
    async def create(self, tenant: str, draft: WebhookDraft, *, now: float) -> tuple[Webhook, str]: ...

    @overload
    async def create(
        self, tenant: str, draft: WebhookDraft, *, now: float, once: Once | None
    ) -> tuple[Webhook, str] | Answer: ...

    async def create(
        self, tenant: str, draft: WebhookDraft, *, now: float, once: Once | None = None
    ) -> tuple[Webhook, str] | Answer:
        """Make a webhook for what happens from now on; the second value is its secret, shown this once.

        With `once`, a repeated request makes nothing and gets the earlier answer.
        """
        secret = new_webhook_secret()
        async with self._context.store.write() as session:
            if (earlier := await earlier_answer(session, tenant, once, now=now)) is not None:
                return earlier
            count = select(func.count()).select_from(WebhookRow).where(WebhookRow.tenant == tenant)
            if (await session.scalar(count) or 0) >= MAX_PER_TENANT:
                raise Full("webhooks")
            row = WebhookRow(
                id=new_webhook_id(),
                tenant=tenant,
                secret=secret,
                enabled=True,
                position=await newest_position(session),
                created_at=now,
                version=1,
            )
            _write(row, draft, now=now)
            session.add(row)
            keep_answer(session, tenant, once, (webhook_of(row), secret), now=now)
        log.info("webhook_created", extra={"webhook": row.id})
        self._tell()
        return webhook_of(row), secret

    async def list(self, tenant: str) -> list[Webhook]:
        """Give all webhooks of a tenant, the oldest first; there are `MAX_PER_TENANT` at most."""
        query = select(WebhookRow).where(WebhookRow.tenant == tenant)
        async with self._context.store.read() as session:
            rows = await session.scalars(query.order_by(WebhookRow.created_at, WebhookRow.id))
            return [webhook_of(row) for row in rows]

    async def get(self, tenant: str, webhook_id: str) -> Webhook:
        """Give one webhook; raise `NotFound`, also for another tenant's."""
        async with self._context.store.read() as session:
            return webhook_of(await _row(session, tenant, webhook_id))

    async def replace(
        self,
        tenant: str,
        webhook_id: str,
        draft: WebhookDraft,
        *,
        now: float,
        if_version: int | None = None,
    ) -> Webhook:
        """Change a webhook. One that is enabled again goes on where it stopped, and has a day for each event.

        Other `event_types` hold for what happens from now on.
        """
        async with self._context.store.write() as session:
            row = await _row(session, tenant, webhook_id)
            if if_version not in {None, row.version}:
                raise StaleVersion("webhook")
            if (draft.enabled and not row.enabled) or draft.url != row.url:
                await _start_afresh(session, row, now=now)
            _write(row, draft, now=now)
            row.version += 1
        self._tell()
        return webhook_of(row)

    async def delete(self, tenant: str, webhook_id: str) -> None:
        """End a webhook; what it was still to be told is forgotten, its dead letters too."""
        async with self._context.store.write() as session:
            await session.delete(await _row(session, tenant, webhook_id))
        log.info("webhook_deleted", extra={"webhook": webhook_id})

    @overload
    async def rotate_secret(
        self, tenant: str, webhook_id: str, *, now: float, overlap_seconds: float = OVERLAP_SECONDS
    ) -> tuple[Webhook, str]: ...

    @overload
    async def rotate_secret(
        self,
        tenant: str,
        webhook_id: str,
        *,
        now: float,
        overlap_seconds: float = OVERLAP_SECONDS,
        once: Once | None,
    ) -> tuple[Webhook, str] | Answer: ...

    async def rotate_secret(
        self,
        tenant: str,
        webhook_id: str,
        *,
        now: float,
        overlap_seconds: float = OVERLAP_SECONDS,
        once: Once | None = None,
    ) -> tuple[Webhook, str] | Answer:
        """Make a new secret, shown this once; the old one signs beside it for a while.

        A secret that was about to end before this ends now: there are two at most. With `once`, a repeated
        request makes nothing and gets the earlier answer.
        """
        secret = new_webhook_secret()
        async with self._context.store.write() as session:
            if (earlier := await earlier_answer(session, tenant, once, now=now)) is not None:
                return earlier
            row = await _row(session, tenant, webhook_id)
            row.old_secret, row.secret = row.secret, secret
            row.old_secret_until = now + overlap_seconds
            row.version += 1
            keep_answer(session, tenant, once, (webhook_of(row), secret), now=now)
        log.info("webhook_secret_rotated", extra={"webhook": row.id})
        return webhook_of(row), secret

    async def redeliver_after(self, tenant: str, webhook_id: str, after: int, *, now: float) -> bool:
        """Tell everything after a position once more, in order; new events come behind it.

        Say whether all of it is still there: `False` if some was deleted for its age.
        """
        async with self._context.store.write() as session:
            row = await _enabled_row(session, tenant, webhook_id)
            row.position = min(row.position, after)
            await session.execute(
                delete(WebhookLaneRow).where(
                    WebhookLaneRow.webhook_id == row.id, WebhookLaneRow.position > after
                )
            )
            await _start_afresh(session, row, now=now)
            pruned = (await session.scalars(select(EventHeadRow.pruned))).one()
        self._tell()
        return after >= pruned

    async def redeliver_events(
        self, tenant: str, webhook_id: str, event_ids: Sequence[str], *, now: float
    ) -> None:
        """Tell these events once more, each by itself, dead letters or not; raise `InvalidValue`."""
        async with self._context.store.write() as session:
            row = await _enabled_row(session, tenant, webhook_id)
            query = select(EventRow.id, EventRow.position)
            found = await session.execute(
                query.where(EventRow.tenant == tenant, EventRow.id.in_(event_ids)).order_by(EventRow.position)
            )
            positions = {event_id: position for event_id, position in found}  # noqa: C416
            if missing := [one for one in event_ids if one not in positions]:
                raise InvalidValue("events", f"{missing[0]} is not known, or too old")
            for position in positions.values():
                letter = await session.get(WebhookLetterRow, (row.id, position))
                if letter is None:
                    letter = WebhookLetterRow(webhook_id=row.id, position=position)
                    session.add(letter)
                letter.due_at, letter.attempts = now, 0
                letter.claim = letter.failing_since = letter.dead_at = letter.reason = letter.status = None
        self._tell()

    async def dead_letters(
        self, tenant: str, webhook_id: str, *, after: int = 0, limit: int = 50
    ) -> Sequence[DeadLetter]:
        """Give up to `limit` dead letters of events after a position, in the order of the events."""
        async with self._context.store.read() as session:
            row = await _row(session, tenant, webhook_id)
            query = (
                select(WebhookLetterRow, EventRow)
                .join(EventRow, EventRow.position == WebhookLetterRow.position)
                .where(
                    WebhookLetterRow.webhook_id == row.id,
                    WebhookLetterRow.dead_at.is_not(None),
                    WebhookLetterRow.position > after,
                )
            )
            found = await session.execute(query.order_by(WebhookLetterRow.position).limit(limit))
            return [_dead_letter(letter, event) for letter, event in found]

    async def signing(self, tenant: str, webhook_id: str, *, now: float) -> Signing:
        """Give what a delivery to this webhook is signed with now."""
        async with self._context.store.read() as session:
            return signing_of(await _row(session, tenant, webhook_id), now=now)

    def _tell(self) -> None:
        for watcher in self._watchers:
            watcher()


def webhook_of(row: WebhookRow) -> Webhook:
    """Give the webhook that a row holds."""
    types = row.event_types
    return Webhook(
        id=row.id,
        tenant=row.tenant,
        url=row.url,
        description=row.description,
        event_types=types if types is None else cast("tuple[EventType, ...]", tuple(types)),
        enabled=row.enabled,
        disabled_reason=cast("DisabledReason | None", row.disabled_reason),
        disabled_at=row.disabled_at,
        old_secret_until=row.old_secret_until,
        unreachable_since=row.unreachable_since,
        created_at=row.created_at,
        version=row.version,
    )


def signing_of(row: WebhookRow, *, now: float) -> Signing:
    """Give the secrets in force."""
    two = row.old_secret is not None and row.old_secret_until is not None and now < row.old_secret_until
    return Signing(row.url, (row.secret, row.old_secret) if two and row.old_secret else (row.secret,))


def disable(row: WebhookRow, reason: DisabledReason, *, now: float) -> None:
    """Stop telling; what is still to be told stays where it is."""
    row.enabled, row.disabled_reason, row.disabled_at = False, reason, now
    row.version += 1


def _write(row: WebhookRow, draft: WebhookDraft, *, now: float) -> None:
    row.url = draft.url
    row.description = draft.description
    row.event_types = None if draft.event_types is None else list(draft.event_types)
    if draft.enabled:
        row.enabled, row.disabled_reason, row.disabled_at = True, None, None
    elif row.enabled:
        row.enabled, row.disabled_reason, row.disabled_at = False, "by_request", now


async def _start_afresh(session: AsyncSession, row: WebhookRow, *, now: float) -> None:
    """Forget past failures, so that everything is tried at once and has its whole day."""
    row.unreachable_since = row.held_until = None
    afresh = {"due_at": now, "attempts": 0, "failing_since": None}
    await session.execute(
        update(WebhookLaneRow)
        .where(WebhookLaneRow.webhook_id == row.id, WebhookLaneRow.claim.is_(None))
        .values(afresh)
    )
    await session.execute(
        update(WebhookLetterRow)
        .where(
            WebhookLetterRow.webhook_id == row.id,
            WebhookLetterRow.claim.is_(None),
            WebhookLetterRow.dead_at.is_(None),
        )
        .values(afresh)
    )


async def _row(session: AsyncSession, tenant: str, webhook_id: str) -> WebhookRow:
    row = await session.get(WebhookRow, webhook_id)
    if row is None or row.tenant != tenant:
        raise NotFound("webhook")
    return row


async def _enabled_row(session: AsyncSession, tenant: str, webhook_id: str) -> WebhookRow:
    row = await _row(session, tenant, webhook_id)
    if not row.enabled:
        raise InvalidTransition("disabled", "the webhook is disabled; enable it first")
    return row


def _dead_letter(letter: WebhookLetterRow, event: EventRow) -> DeadLetter:
    assert letter.dead_at is not None, "only dead letters are asked for"  # noqa: S101
    return DeadLetter(
        event=event_of(event),
        attempts=letter.attempts,
        reason=cast("OutcomeCode", letter.reason),
        status=letter.status,
        dead_at=letter.dead_at,
    )

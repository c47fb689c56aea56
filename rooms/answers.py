"""Idempotent requests: the first answer is stored with what the request did, a repetition gets it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete

from rooms.errors import IdempotencyMismatch
from rooms.tables import AnswerRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.ext.asyncio import AsyncSession

KEPT_SECONDS = 86400.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was sent."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Once:
    """A request to be done once: its key, what it asked (`fingerprint`), and how its answer is written."""

    key: str
    fingerprint: str
    render: Callable[[Any], Answer]
    """Takes what the request made, as its method gives it."""


async def earlier_answer(
    session: AsyncSession, tenant: str, once: Once | None, *, now: float
) -> Answer | None:
    """Give the stored answer to this very request; raise `IdempotencyMismatch` if it was another one."""
    if once is None:
        return None
    await session.execute(delete(AnswerRow).where(AnswerRow.created_at < now - KEPT_SECONDS))
    row = await session.get(AnswerRow, (tenant, once.key))
    if row is None:
        return None
    if row.fingerprint != once.fingerprint:
        raise IdempotencyMismatch("the key was used for another request")
    return Answer(row.status, row.headers, row.body)


def keep_answer(session: AsyncSession, tenant: str, once: Once | None, made: object, *, now: float) -> None:
    """Store the answer in the transaction of the change, if the request is one to be done once."""
    if once is None:
        return
    answer = once.render(made)
    session.add(
        AnswerRow(
            tenant=tenant,
            key=once.key,
            fingerprint=once.fingerprint,
            status=answer.status,
            headers=dict(answer.headers),
            body=answer.body,
            created_at=now,
        )
    )

"""What is sent, and how it is signed (Standard Webhooks)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from standardwebhooks import Webhook as Signer

from control_api.event_schemas import EventBody

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rooms import RoomEvent


def event_message(event: RoomEvent) -> str:
    """Write an event as `GET /v1/events` gives it."""
    return EventBody.of(event).model_dump_json()


def signed_headers(message_id: str, body: str, secrets: Sequence[str], *, now: float) -> dict[str, str]:
    """Give the headers of one attempt: the id of the event, the time of the attempt, a signature a secret."""
    # In UTC and whole seconds, because the library signs the wall time that it is given, rounded down.
    sent_at = datetime.fromtimestamp(int(now), tz=UTC)
    signatures = [Signer(secret).sign(message_id, sent_at, body) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": " ".join(signatures),
    }

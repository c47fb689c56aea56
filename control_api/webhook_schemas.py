"""The bodies of webhooks: what is accepted, what is answered, and the message of a test."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from control_api.event_schemas import EventBody
from control_api.schema_types import Strict, Title, moment, moment_or_none
from rooms import DeadLetter, DisabledReason, EventType, OutcomeCode, Webhook, WebhookDraft

EventId = Annotated[str, StringConstraints(pattern=r"^evt_[a-z2-7]{26}$")]

_WEEK_SECONDS = 7 * 86400


def _each_once(types: list[EventType]) -> list[EventType]:
    if len(set(types)) != len(types):
        raise ValueError("must not name a type twice")
    return types


class WebhookRequest(Strict):
    """Where events are to be told, and which."""

    url: Annotated[str, StringConstraints(max_length=2000, pattern=r"^[!-~]+$")] = Field(
        description="https, on the operator's list of targets.",
        examples=["https://portal.example/colloque-events"],
    )
    description: Title | None = Field(default=None, examples=["Agenda"])
    event_types: Annotated[list[EventType], Field(min_length=1), AfterValidator(_each_once)] | None = Field(
        default=None, description="null: all, also those that later versions add."
    )
    enabled: bool = True

    def draft(self) -> WebhookDraft:
        """Give the same as a value of the durable part."""
        types = None if self.event_types is None else tuple(self.event_types)
        return WebhookDraft(self.url, self.description, types, self.enabled)


class WebhookBody(BaseModel):
    """A webhook."""

    id: str = Field(examples=["wh_orkuhpvjm3a54ksbeaabdxnlxu"])
    url: str = Field(examples=["https://portal.example/colloque-events"])
    description: str | None = Field(examples=["Agenda"])
    event_types: list[EventType] | None
    enabled: bool
    disabled_reason: DisabledReason | None = Field(description="`gone`: the receiver answered 410.")
    disabled_at: datetime | None
    old_secret_until: datetime | None = Field(
        description="Until then deliveries bear the signatures of two secrets."
    )
    unreachable_since: datetime | None = Field(description="Nobody has answered since then.")
    created_at: datetime

    @classmethod
    def of(cls, webhook: Webhook) -> WebhookBody:
        """Write a webhook."""
        return cls(**_fields(webhook))


class WebhookSecretBody(WebhookBody):
    """A webhook with its new secret, which is shown this once."""

    secret: str = Field(
        description="Verifies deliveries; keep it.", examples=["whsec_ZXhhbXBsZSBvZiBhIHNlY3JldA=="]
    )

    @classmethod
    def with_secret(cls, webhook: Webhook, secret: str) -> WebhookSecretBody:
        """Write a webhook and its secret."""
        return cls(secret=secret, **_fields(webhook))


class WebhookListBody(BaseModel):
    """All webhooks of a tenant."""

    items: list[WebhookBody]


class RotationRequest(Strict):
    """A new secret."""

    overlap_seconds: int = Field(
        default=86400, ge=0, le=_WEEK_SECONDS, description="How long the old one goes on signing beside it."
    )


class RedeliveryRequest(Strict):
    """What is to be told once more: either `after` or `events`."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"after": 1041}]})

    after: int | None = Field(
        default=None, ge=0, lt=2**63, description="Everything after this position, in order."
    )
    events: Annotated[list[EventId], Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="These events, each by itself."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> RedeliveryRequest:
        if (self.after is None) == (self.events is None):
            raise ValueError("give either after or events")
        return self


class RedeliveryBody(BaseModel):
    """What will be told once more."""

    missed: bool = Field(description="Events after the position given were deleted already, for their age.")


class DeadLetterBody(BaseModel):
    """An event that was given up after a day of failures."""

    event: EventBody
    attempts: int
    outcome: OutcomeCode = Field(description="How the last attempt ended.")
    status: int | None = Field(description="The HTTP status of the last answer, if there was one.")
    dead_at: datetime

    @classmethod
    def of(cls, letter: DeadLetter) -> DeadLetterBody:
        """Write a dead letter."""
        return cls(
            event=EventBody.of(letter.event),
            attempts=letter.attempts,
            outcome=letter.reason,
            status=letter.status,
            dead_at=moment(letter.dead_at),
        )


class DeadLetterPage(BaseModel):
    """Some dead letters, in the order of their events."""

    items: list[DeadLetterBody]
    next: str | None = Field(description="Give it as `cursor` to go on; null at the end.", examples=[None])


class WebhookResultBody(BaseModel):
    """How the test of a webhook ended."""

    delivered: bool
    outcome: OutcomeCode
    status: int | None = Field(description="The HTTP status of the answer, if there was one.")
    milliseconds: int
    event: str = Field(
        description="The `webhook-id` that was sent.", examples=["evt_orkuhpvjm3a54ksbeaabdxnlxu"]
    )


class WebhookTestBody(BaseModel):
    """The message that a test sends: signed like an event, of no room."""

    id: str = Field(examples=["evt_orkuhpvjm3a54ksbeaabdxnlxu"])
    type: Literal["webhook.test"] = "webhook.test"
    occurred_at: datetime
    data: dict[str, str]


def _fields(webhook: Webhook) -> dict[str, Any]:
    types = webhook.event_types
    return {
        "id": webhook.id,
        "url": webhook.url,
        "description": webhook.description,
        "event_types": None if types is None else list(types),
        "enabled": webhook.enabled,
        "disabled_reason": webhook.disabled_reason,
        "disabled_at": moment_or_none(webhook.disabled_at),
        "old_secret_until": moment_or_none(webhook.old_secret_until),
        "unreachable_since": moment_or_none(webhook.unreachable_since),
        "created_at": moment(webhook.created_at),
    }

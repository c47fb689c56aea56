"""The bodies of ratings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from control_api.join_schemas import PreviewRequest
from control_api.schema_types import Identity, Strict, moment
from rooms import Rating, Reason

Score = Annotated[int, Field(ge=1, le=5, description="1, bad, to 5, good.")]
Reasons = Annotated[list[Reason], Field(max_length=20)]


class RatingRequest(Strict):
    """What a person thought of the call; giving another rating replaces it."""

    identity: Identity = Field(examples=["patient-1"])
    score: Score
    reasons: Reasons = Field(default=[], description="Why, in words from a closed list.")


class LinkRatingRequest(PreviewRequest):
    """The same from the page, where the link says who it is."""

    key: Annotated[str, StringConstraints(min_length=16, max_length=128)] | None = Field(
        default=None,
        description="The secret with which the browser joined on a guest link.",
        examples=["Zm9yIG9uZSBicm93c2Vy"],
    )
    score: Score
    reasons: Reasons = Field(default=[], description="Why, in words from a closed list.")


class RatingBody(BaseModel):
    """A rating."""

    identity: str = Field(examples=["patient-1"])
    score: int = Field(examples=[5])
    reasons: list[Reason]
    created_at: datetime

    @classmethod
    def of(cls, rating: Rating) -> RatingBody:
        """Write a rating."""
        return cls(
            identity=rating.identity,
            score=rating.score,
            reasons=list(rating.reasons),
            created_at=moment(rating.created_at),
        )


class RatingPage(BaseModel):
    """Some ratings, in the order of the identities."""

    items: list[RatingBody]
    next: str | None = Field(description="Give it as `cursor` to go on; null at the end.", examples=[None])

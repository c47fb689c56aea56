"""What the bodies of the REST interface are made of: texts, times and ids within their bounds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from rooms import LONGEST_ANNOUNCEMENT, Source

WEEK_MINUTES = 7 * 24 * 60


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must not have control characters")
    return text


def _storable(text: str) -> str:
    # PostgreSQL has no text with it; what one database refuses, none takes.
    if "\0" in text:
        raise ValueError("must not have the character U+0000")
    return text


def _unique(sources: list[Source]) -> list[Source]:
    if len(set(sources)) != len(sources):
        raise ValueError("must not name a source twice")
    return sources


def _usable_year(time: datetime) -> datetime:
    # Opening hours are added and taken away without leaving the calendar.
    if not 1971 <= time.year <= 9000:
        raise ValueError("must be between the years 1971 and 9000")
    return time


Title = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_printable)]
ChosenId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128, pattern=r"^[^/]*$"),
    AfterValidator(_printable),
]
Identity = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^/]*$")]
"""Of somebody who need not be known."""
Time = Annotated[AwareDatetime, AfterValidator(_usable_year)]
_WORD = r"^[A-Za-z0-9_.-]{1,64}$"
Word = Annotated[str, StringConstraints(pattern=_WORD)]
Text = Annotated[str, StringConstraints(max_length=500), AfterValidator(_storable)]
Announced = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_ANNOUNCEMENT, pattern=r"\S"),
    AfterValidator(_storable),
]
Words = Annotated[
    dict[Word, Text],
    Field(max_length=50),
    # As generators of clients know it: an object with any names, all of one type.
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"pattern": _WORD},
            "additionalProperties": {"type": "string", "maxLength": 500},
            "maxProperties": 50,
        }
    ),
]
Sources = Annotated[list[Source], AfterValidator(_unique), Field(json_schema_extra={"uniqueItems": True})]


class Strict(BaseModel):
    """A body from outside: unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def moment_or_none(seconds: float | None) -> datetime | None:
    """Write a time that need not be there."""
    return None if seconds is None else moment(seconds)


def moment(seconds: float) -> datetime:
    """Write seconds since the epoch as the interface has times: to the millisecond, in UTC."""
    return datetime.fromtimestamp(round(seconds, 3), tz=UTC)

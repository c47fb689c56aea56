"""The body of an error."""

from __future__ import annotations

from pydantic import BaseModel, Field

from control_api.join_schemas import JoinRoomBody
from control_api.problems import CODES


class FieldErrorBody(BaseModel):
    """What is wrong with one field."""

    pointer: str = Field(
        description="JSON pointer into the body, or `?name` for a query parameter.", examples=["/starts_at"]
    )
    code: str = Field(examples=["timezone-aware"])
    detail: str = Field(examples=["Input should have timezone info"])


class ProblemBody(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(examples=["urn:colloque:problem:invalid-field"])
    title: str = Field(examples=["A field is not valid"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["/starts_at: Input should have timezone info"])
    # Not an enumeration, which clients made from this file would refuse to read a new code by.
    code: str = Field(
        description=f"Stable; for programs. Now one of: {', '.join(sorted(CODES))}.",
        examples=["invalid-field"],
    )
    trace_id: str = Field(
        description="Also in the server's log.", examples=["4bf92f3577b34da6a3ce929d0e0e4736"]
    )
    errors: list[FieldErrorBody] = Field(description="With `invalid-field`: every field that is wrong.")
    state: str | None = Field(
        default=None,
        description="With `invalid-transition`: the present state of the room or participant.",
        examples=[None],
    )
    room: JoinRoomBody | None = Field(
        default=None, description="With `too-early` and `too-late` of a link: the room.", examples=[None]
    )

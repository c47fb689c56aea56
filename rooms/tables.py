"""The tables, in types that SQLite and PostgreSQL share; `rooms/migrations` brings a database to this shape.

Personal data stays out: people are known by the id that the caller chose, which must be a pseudonym. The one
name stored is the display name that the caller gave for a participant, and it goes with the participant.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, MetaData, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class Base(DeclarativeBase):
    """The schema; constraints have names so that a later migration can change them on either database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class RoomRow(Base):
    """One room. `agenda_at`, `opens_at` and `closes_at` follow from its times, stored to be searched by."""

    __tablename__ = "rooms"
    __table_args__ = (
        UniqueConstraint("tenant", "id"),
        Index(None, "tenant", "agenda_at", "uid"),
    )

    uid: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str]
    id: Mapped[str]
    name: Mapped[str | None]
    kind: Mapped[str]
    starts_at: Mapped[float | None]
    ends_at: Mapped[float | None]
    open_before_minutes: Mapped[int]
    close_after_minutes: Mapped[int]
    agenda_at: Mapped[float]
    opens_at: Mapped[float | None]
    closes_at: Mapped[float | None]
    max_participants: Mapped[int | None]
    features: Mapped[dict[str, Any]] = mapped_column(_Json)
    labels: Mapped[dict[str, str]] = mapped_column("metadata", _Json)
    created_at: Mapped[float]
    version: Mapped[int]
    shared_metadata: Mapped[str | None]


class ParticipantRow(Base):
    """One person in one room.

    A forgotten participant keeps its row, emptied: its epoch must go on rising, or old tokens would come to
    life again when the same id is used later.
    """

    __tablename__ = "participants"

    room_uid: Mapped[str] = mapped_column(ForeignKey("rooms.uid", ondelete="CASCADE"), primary_key=True)
    identity: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    name: Mapped[str | None]
    can_publish: Mapped[list[str] | None] = mapped_column(_Json)
    attributes: Mapped[dict[str, str]] = mapped_column(_Json)
    labels: Mapped[dict[str, str]] = mapped_column("metadata", _Json)
    state: Mapped[str]
    forgotten: Mapped[bool]
    epoch: Mapped[int]
    revoked_at: Mapped[float | None]
    created_at: Mapped[float]
    version: Mapped[int]


class LinkRow(Base):
    """One way in through the page; only a hash of its secret is kept."""

    __tablename__ = "links"

    id: Mapped[str] = mapped_column(primary_key=True)
    secret_hash: Mapped[str] = mapped_column(unique=True)
    room_uid: Mapped[str] = mapped_column(ForeignKey("rooms.uid", ondelete="CASCADE"), index=True)
    identity: Mapped[str | None]
    role: Mapped[str]
    created_at: Mapped[float]
    expires_at: Mapped[float | None]


class AnswerRow(Base):
    """The answer to a request that carried an idempotency key, written together with what the request did."""

    __tablename__ = "answers"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    status: Mapped[int]
    headers: Mapped[dict[str, str]] = mapped_column(_Json)
    body: Mapped[str]
    created_at: Mapped[float] = mapped_column(index=True)

"""The tables, in types that SQLite and PostgreSQL share; `rooms/migrations` brings a database to this shape.

Personal data stays out: people are known by the id that the caller chose, which must be a pseudonym. The one
name stored is the display name that the caller gave for a participant, and it goes with the participant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    MetaData,
    TypeDecorator,
    UniqueConstraint,
    event,
    false,
    insert,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

if TYPE_CHECKING:
    from sqlalchemy import Connection, Dialect
    from sqlalchemy.types import TypeEngine


class _Json(TypeDecorator[Any]):
    """JSON, on PostgreSQL in its binary form; no index or operator of it is used."""

    impl = JSON
    cache_ok = True

    def __init__(self) -> None:
        """Have no value at all be NULL, not the JSON value null."""
        super().__init__(none_as_null=True)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Give the type of a database."""
        if dialect.name != "postgresql":
            return dialect.type_descriptor(JSON(none_as_null=True))
        from sqlalchemy.dialects.postgresql import JSONB  # a server on SQLite does not need its memory

        return dialect.type_descriptor(JSONB(none_as_null=True))


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
    """One room. `agenda_at`, `opens_at` and `closes_at` follow from its times, stored to be searched by.

    `due_at` is when the next deadline of the room's state is to be met (`rooms.states`), `last_seq` the
    number of its newest event, `locked_in` who was in the call when it was locked.
    """

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
    state: Mapped[str] = mapped_column(server_default="planned")
    waiting_room: Mapped[bool] = mapped_column(server_default=false())
    due_at: Mapped[float | None] = mapped_column(index=True)
    started_at: Mapped[float | None]
    ended_at: Mapped[float | None]
    last_seq: Mapped[int] = mapped_column(server_default="0")
    shared_metadata: Mapped[str | None]
    restraints: Mapped[dict[str, Any] | None] = mapped_column(_Json)
    locked_at: Mapped[float | None]
    locked_in: Mapped[list[str] | None] = mapped_column(_Json)
    bandwidth: Mapped[dict[str, Any] | None] = mapped_column(_Json)


class ParticipantRow(Base):
    """One person in one room. `admitted_at` is set while an admission holds, `waiting_since` while they wait.

    `waiting_node` is the server at which they knocked last, which gives their place up when they stay away.

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
    waiting_since: Mapped[float | None]
    admitted_at: Mapped[float | None]
    waiting_node: Mapped[str | None]
    restraints: Mapped[dict[str, Any] | None] = mapped_column(_Json)


class ConnectionRow(Base):
    """One leg that is in a call, from its `connection.opened` until its `connection.closed`.

    The role stands here too, because who comes with a token of LiveKit's SDK is not stored as a participant;
    `node` is the server that has the leg. `degraded_at` is set from its `connection.degraded` until its
    `connection.recovered`.
    """

    __tablename__ = "connections"

    id: Mapped[str] = mapped_column(primary_key=True)
    room_uid: Mapped[str] = mapped_column(ForeignKey("rooms.uid", ondelete="CASCADE"), index=True)
    identity: Mapped[str]
    role: Mapped[str]
    opened_at: Mapped[float]
    lost_at: Mapped[float | None]
    had_media: Mapped[bool]
    node: Mapped[str] = mapped_column(index=True)
    degraded_at: Mapped[float | None]


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


class EventRow(Base):
    """One event of the log, written in the transaction of what it tells; it may outlive its room.

    `position` counts all events in the order in which they were committed, `seq` those of one room.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("room_uid", "seq"),
        Index(None, "tenant", "position"),
        Index(None, "tenant", "room_id", "position"),
    )

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(unique=True)
    tenant: Mapped[str]
    room_uid: Mapped[str]
    room_id: Mapped[str]
    seq: Mapped[int]
    occurred_at: Mapped[float]
    type: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(_Json)


class EventHeadRow(Base):
    """The end of the log, in one row: the newest `position`, and the newest that was deleted for its age.

    Writers take turns, so positions become visible in their order and without holes: a reader that goes on
    after the last one it saw misses nothing.
    """

    __tablename__ = "event_heads"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInteger)
    pruned: Mapped[int] = mapped_column(BigInteger)


@event.listens_for(EventHeadRow.__table__, "after_create")
def _first_event_head(_table: object, connection: Connection, **_: object) -> None:
    connection.execute(insert(EventHeadRow).values(id=1, position=0, pruned=0))


class RatingRow(Base):
    """What one person thought of a call; giving another replaces it."""

    __tablename__ = "ratings"
    __table_args__ = (UniqueConstraint("room_uid", "identity"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    room_uid: Mapped[str] = mapped_column(ForeignKey("rooms.uid", ondelete="CASCADE"))
    identity: Mapped[str]
    score: Mapped[int]
    reasons: Mapped[list[str]] = mapped_column(_Json)
    created_at: Mapped[float]


class ConnectionTestRow(Base):
    """One connection test, of a room or of none; only a hash of its secret is kept, where it has one.

    `result` is the newest that came, `results` how many did.
    """

    __tablename__ = "connection_tests"
    __table_args__ = (
        Index(None, "tenant", "created_at", "id"),
        Index(None, "room_uid", "identity", "created_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str]
    secret_hash: Mapped[str | None] = mapped_column(unique=True)
    room_uid: Mapped[str | None] = mapped_column(ForeignKey("rooms.uid", ondelete="CASCADE"))
    identity: Mapped[str | None]
    created_at: Mapped[float] = mapped_column(index=True)
    expires_at: Mapped[float]
    finished_at: Mapped[float | None]
    results: Mapped[int]
    verdict: Mapped[str | None]
    reason: Mapped[str | None]
    advice: Mapped[list[dict[str, Any]] | None] = mapped_column(_Json)
    result: Mapped[dict[str, Any] | None] = mapped_column(_Json)


class GroupRow(Base):
    """A sub-group of a room, open until `closed_at` is set; `closes_at` is its timer."""

    __tablename__ = "groups"

    id: Mapped[str] = mapped_column(primary_key=True)
    room_uid: Mapped[str] = mapped_column(ForeignKey("rooms.uid", ondelete="CASCADE"), index=True)
    name: Mapped[str | None]
    opened_at: Mapped[float]
    closes_at: Mapped[float | None] = mapped_column(index=True)
    closed_at: Mapped[float | None]


class GroupMemberRow(Base):
    """Where a person belongs who is placed in an open group; everybody else belongs to the room itself."""

    __tablename__ = "group_members"

    room_uid: Mapped[str] = mapped_column(ForeignKey("rooms.uid", ondelete="CASCADE"), primary_key=True)
    identity: Mapped[str] = mapped_column(primary_key=True)
    group_id: Mapped[str] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), index=True)


class WebhookRow(Base):
    """Where a tenant wants its events told. Its secrets stand here as they are: they sign every delivery.

    Every event up to `position` is either delivered or stands in a lane or among the letters.
    """

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str] = mapped_column(index=True)
    url: Mapped[str]
    description: Mapped[str | None]
    event_types: Mapped[list[str] | None] = mapped_column(_Json)
    secret: Mapped[str]
    old_secret: Mapped[str | None]
    old_secret_until: Mapped[float | None]
    enabled: Mapped[bool]
    disabled_reason: Mapped[str | None]
    disabled_at: Mapped[float | None]
    position: Mapped[int] = mapped_column(BigInteger)
    unreachable_since: Mapped[float | None]
    held_until: Mapped[float | None]
    created_at: Mapped[float]
    version: Mapped[int]


class WebhookLaneRow(Base):
    """The events of one room that a webhook is still to be told, in order: `position` is that of the first.

    While it is on its way, `claim` names the attempt and `due_at` is when another may be made without word
    of it.
    """

    __tablename__ = "webhook_lanes"

    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"), primary_key=True)
    room_uid: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    occurred_at: Mapped[float]
    due_at: Mapped[float] = mapped_column(index=True)
    claim: Mapped[str | None]
    attempts: Mapped[int]
    failing_since: Mapped[float | None]
    reason: Mapped[str | None]
    status: Mapped[int | None]


class WebhookLetterRow(Base):
    """One event out of the order: a dead letter, or (`dead_at` is null) one that was asked for again."""

    __tablename__ = "webhook_letters"

    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    due_at: Mapped[float | None] = mapped_column(index=True)
    claim: Mapped[str | None]
    attempts: Mapped[int]
    failing_since: Mapped[float | None]
    reason: Mapped[str | None]
    status: Mapped[int | None]
    dead_at: Mapped[float | None]

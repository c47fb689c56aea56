"""States and deadlines of rooms, who is admitted and connected, the event log, ratings, text for everybody."""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns in place: SQLite would copy a table that is altered, and lose what refers to it."""
    op.add_column("rooms", sa.Column("state", sa.String(), nullable=False, server_default="planned"))
    op.add_column("rooms", sa.Column("waiting_room", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name in ("due_at", "started_at", "ended_at"):
        op.add_column("rooms", sa.Column(name, sa.Double(), nullable=True))
    op.add_column("rooms", sa.Column("last_seq", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("rooms", sa.Column("shared_metadata", sa.String(), nullable=True))
    op.create_index("ix_rooms_due_at", "rooms", ["due_at"])
    for name in ("waiting_since", "admitted_at"):
        op.add_column("participants", sa.Column(name, sa.Double(), nullable=True))
    op.add_column("participants", sa.Column("waiting_node", sa.String(), nullable=True))
    op.add_column("rooms", sa.Column("restraints", _json(), nullable=True))
    op.add_column("rooms", sa.Column("locked_at", sa.Double(), nullable=True))
    op.add_column("rooms", sa.Column("locked_in", _json(), nullable=True))
    op.add_column("participants", sa.Column("restraints", _json(), nullable=True))
    _make_connections()
    _make_events()
    _make_ratings()
    _make_groups()
    _make_webhooks()
    _keep_what_was_told()


def downgrade() -> None:
    """Take them away again."""
    for table in ("webhook_letters", "webhook_lanes", "webhooks"):
        op.drop_table(table)
    for table in ("group_members", "groups", "ratings", "event_heads", "events", "connections"):
        op.drop_table(table)
    for name in ("restraints", "waiting_node", "admitted_at", "waiting_since"):
        op.drop_column("participants", name)
    op.drop_index("ix_rooms_due_at", "rooms")
    moderation = ("locked_in", "locked_at", "restraints")
    life = ("shared_metadata", "last_seq", "ended_at", "started_at", "due_at", "waiting_room", "state")
    for name in (*moderation, *life):
        op.drop_column("rooms", name)


def _make_connections() -> None:
    op.create_table(
        "connections",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("room_uid", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("opened_at", sa.Double(), nullable=False),
        sa.Column("lost_at", sa.Double(), nullable=True),
        sa.Column("had_media", sa.Boolean(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_uid"], ["rooms.uid"], name="fk_connections_room_uid", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_connections"),
    )
    op.create_index("ix_connections_room_uid", "connections", ["room_uid"])
    op.create_index("ix_connections_node", "connections", ["node"])


def _make_events() -> None:
    op.create_table(
        "events",
        sa.Column("position", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("room_uid", sa.String(), nullable=False),
        sa.Column("room_id", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("occurred_at", sa.Double(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("data", _json(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_events"),
        sa.UniqueConstraint("id", name="uq_events_id"),
        sa.UniqueConstraint("room_uid", "seq", name="uq_events_room_uid_seq"),
    )
    op.create_index("ix_events_tenant_position", "events", ["tenant", "position"])
    op.create_index("ix_events_tenant_room_id_position", "events", ["tenant", "room_id", "position"])
    heads = op.create_table(
        "event_heads",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("pruned", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event_heads"),
    )
    op.bulk_insert(heads, [{"id": 1, "position": 0, "pruned": 0}])


def _make_ratings() -> None:
    op.create_table(
        "ratings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("room_uid", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("reasons", _json(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["room_uid"], ["rooms.uid"], name="fk_ratings_room_uid", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_ratings"),
        sa.UniqueConstraint("room_uid", "identity", name="uq_ratings_room_uid_identity"),
    )


def _make_groups() -> None:
    op.create_table(
        "groups",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("room_uid", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("opened_at", sa.Double(), nullable=False),
        sa.Column("closes_at", sa.Double(), nullable=True),
        sa.Column("closed_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["room_uid"], ["rooms.uid"], name="fk_groups_room_uid", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_groups"),
    )
    op.create_index("ix_groups_room_uid", "groups", ["room_uid"])
    op.create_index("ix_groups_closes_at", "groups", ["closes_at"])
    op.create_table(
        "group_members",
        sa.Column("room_uid", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_uid"], ["rooms.uid"], name="fk_group_members_room_uid", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name="fk_group_members_group_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("room_uid", "identity", name="pk_group_members"),
    )
    op.create_index("ix_group_members_group_id", "group_members", ["group_id"])


def _make_webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("event_types", _json(), nullable=True),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("old_secret", sa.String(), nullable=True),
        sa.Column("old_secret_until", sa.Double(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.String(), nullable=True),
        sa.Column("disabled_at", sa.Double(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("unreachable_since", sa.Double(), nullable=True),
        sa.Column("held_until", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
    )
    op.create_index("ix_webhooks_tenant", "webhooks", ["tenant"])
    op.create_table(
        "webhook_lanes",
        sa.Column("webhook_id", sa.String(), nullable=False),
        sa.Column("room_uid", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", sa.Double(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("claim", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.Double(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name="fk_webhook_lanes_webhook_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("webhook_id", "room_uid", name="pk_webhook_lanes"),
    )
    op.create_index("ix_webhook_lanes_due_at", "webhook_lanes", ["due_at"])
    op.create_table(
        "webhook_letters",
        sa.Column("webhook_id", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("due_at", sa.Double(), nullable=True),
        sa.Column("claim", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.Double(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("dead_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name="fk_webhook_letters_webhook_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("webhook_id", "position", name="pk_webhook_letters"),
    )
    op.create_index("ix_webhook_letters_due_at", "webhook_letters", ["due_at"])


def _keep_what_was_told() -> None:
    """Give every room the state that was told of it until now: it followed from the opening hours."""
    rooms = sa.table(
        "rooms",
        *(sa.column(name, sa.Double()) for name in ("opens_at", "closes_at", "due_at", "ended_at")),
        sa.column("state", sa.String()),
    )
    now = time.time()
    over = rooms.c.closes_at <= now
    op.execute(rooms.update().values(due_at=rooms.c.closes_at, state="in_progress"))
    op.execute(rooms.update().where(rooms.c.opens_at > now).values(state="planned"))
    op.execute(rooms.update().where(over).values(state="finished", due_at=None, ended_at=rooms.c.closes_at))


def _json() -> sa.JSON:
    return sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")

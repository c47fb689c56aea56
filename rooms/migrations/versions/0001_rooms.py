"""Rooms, participants, links and the answers kept for idempotency keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first tables."""
    json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
    op.create_table(
        "rooms",
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("starts_at", sa.Double(), nullable=True),
        sa.Column("ends_at", sa.Double(), nullable=True),
        sa.Column("open_before_minutes", sa.Integer(), nullable=False),
        sa.Column("close_after_minutes", sa.Integer(), nullable=False),
        sa.Column("agenda_at", sa.Double(), nullable=False),
        sa.Column("opens_at", sa.Double(), nullable=True),
        sa.Column("closes_at", sa.Double(), nullable=True),
        sa.Column("max_participants", sa.Integer(), nullable=True),
        sa.Column("features", json, nullable=False),
        sa.Column("metadata", json, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("uid", name="pk_rooms"),
        sa.UniqueConstraint("tenant", "id", name="uq_rooms_tenant_id"),
    )
    op.create_index("ix_rooms_tenant_agenda_at_uid", "rooms", ["tenant", "agenda_at", "uid"])
    op.create_table(
        "participants",
        sa.Column("room_uid", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("can_publish", json, nullable=True),
        sa.Column("attributes", json, nullable=False),
        sa.Column("metadata", json, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("forgotten", sa.Boolean(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_uid"], ["rooms.uid"], name="fk_participants_room_uid", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("room_uid", "identity", name="pk_participants"),
    )
    op.create_table(
        "links",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("room_uid", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["room_uid"], ["rooms.uid"], name="fk_links_room_uid", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_links"),
        sa.UniqueConstraint("secret_hash", name="uq_links_secret_hash"),
    )
    op.create_index("ix_links_room_uid", "links", ["room_uid"])
    op.create_table(
        "answers",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", json, nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "key", name="pk_answers"),
    )
    op.create_index("ix_answers_created_at", "answers", ["created_at"])


def downgrade() -> None:
    """Drop them all."""
    for table in ("answers", "links", "participants", "rooms"):
        op.drop_table(table)

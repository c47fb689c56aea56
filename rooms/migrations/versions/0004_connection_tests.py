"""Connection tests: what a person's network, browser and devices can do, and with what result."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
    op.create_table(
        "connection_tests",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=True),
        sa.Column("room_uid", sa.String(), nullable=True),
        sa.Column("identity", sa.String(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("results", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("advice", json, nullable=True),
        sa.Column("result", json, nullable=True),
        sa.ForeignKeyConstraint(
            ["room_uid"], ["rooms.uid"], name="fk_connection_tests_room_uid", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_connection_tests"),
        sa.UniqueConstraint("secret_hash", name="uq_connection_tests_secret_hash"),
    )
    for columns in (["tenant", "created_at", "id"], ["room_uid", "identity", "created_at"], ["created_at"]):
        op.create_index("_".join(["ix_connection_tests", *columns]), "connection_tests", columns)


def downgrade() -> None:
    """Drop it."""
    op.drop_table("connection_tests")

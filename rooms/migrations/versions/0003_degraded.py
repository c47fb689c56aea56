"""Which connections are degraded, and what the media of rooms may take."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns in place."""
    json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
    op.add_column("connections", sa.Column("degraded_at", sa.Double(), nullable=True))
    op.add_column("rooms", sa.Column("bandwidth", json, nullable=True))


def downgrade() -> None:
    """Take them away again."""
    op.drop_column("rooms", "bandwidth")
    op.drop_column("connections", "degraded_at")

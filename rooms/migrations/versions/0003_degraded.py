"""Which connections are degraded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column in place."""
    op.add_column("connections", sa.Column("degraded_at", sa.Double(), nullable=True))


def downgrade() -> None:
    """Take it away again."""
    op.drop_column("connections", "degraded_at")

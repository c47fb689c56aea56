"""Text of a room that everybody in its call sees."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; rooms that are there show what they did."""
    op.add_column("rooms", sa.Column("shared_metadata", sa.String(), nullable=True))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("rooms", "shared_metadata")

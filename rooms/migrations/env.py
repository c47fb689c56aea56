"""Runs the steps on the connection that `Store.open` hands over."""

from __future__ import annotations

from alembic import context

from rooms.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite cannot change a column in place; Alembic copies the table instead.
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()

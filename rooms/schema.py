"""Brings a database to the schema of this version: a new one at once, an older one step by step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, String, Table, inspect, select

from rooms.tables import Base

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

NEWEST = "0002"
"""The last step in `rooms/migrations/versions`."""

_steps_taken = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def bring_up_to_date(connection: Connection) -> None:
    """Make or upgrade the tables; the caller commits.

    Alembic is loaded only where there is something to upgrade: a running server never needs its 11 MB again.
    """
    tables = inspect(connection).get_table_names()
    if not tables:
        _make(connection)
    elif _steps_taken.name not in tables or connection.scalar(select(_steps_taken.c.version_num)) != NEWEST:
        upgrade_by_steps(connection)


def upgrade_by_steps(connection: Connection) -> None:
    """Run every migration that the database has not seen; it may be new."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    folder = str(Path(__file__).with_name("migrations"))
    config.set_main_option("script_location", folder.replace("%", "%%"))  # read with interpolation
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _make(connection: Connection) -> None:
    Base.metadata.create_all(connection)
    _steps_taken.create(connection)
    connection.execute(_steps_taken.insert().values(version_num=NEWEST))

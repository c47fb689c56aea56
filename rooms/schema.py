"""Brings a database to the schema of this version: a new one at once, an older one step by step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, String, Table, inspect, select

from rooms.errors import StoreUnavailable
from rooms.tables import Base

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

NEWEST = "0004"
"""The last step in `rooms/migrations/versions`."""

_steps_taken = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def is_up_to_date(connection: Connection) -> bool:
    """Tell whether the tables are those of this version."""
    known = inspect(connection).has_table(_steps_taken.name)
    return known and connection.scalar(select(_steps_taken.c.version_num)) == NEWEST


def bring_up_to_date(connection: Connection) -> None:
    """Make or upgrade the tables; the caller commits.

    Alembic is loaded only where there is something to upgrade: a running server never needs its 11 MB again.
    """
    if not inspect(connection).get_table_names():
        _make(connection)
    elif not is_up_to_date(connection):
        upgrade_by_steps(connection)


def upgrade_by_steps(connection: Connection, *, to: str = "head") -> None:
    """Run every migration up to `to` that the database has not seen; it may be new.

    Raise `StoreUnavailable` for one that has seen more than this version knows.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    folder = str(Path(__file__).with_name("migrations"))
    config.set_main_option("script_location", folder.replace("%", "%%"))  # read with interpolation
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, to)
    except CommandError as error:
        raise StoreUnavailable("its tables are of a newer version of this server") from error


def _make(connection: Connection) -> None:
    Base.metadata.create_all(connection)
    _steps_taken.create(connection)
    connection.execute(_steps_taken.insert().values(version_num=NEWEST))

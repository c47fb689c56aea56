"""The database: there, and with tables that this version can use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from colloque.doctor.finding import Finding, fail, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OLDEST_POSTGRESQL = 13
POOL = 10
"""Connections that a server takes (`rooms.postgresql.POOL_SIZE`)."""


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What the database holds."""

    place: str
    """The file, or the server and name, without user and password."""
    problem: str
    """Why it could not be read; empty where it could."""
    has_tables: bool
    schema: str | None
    """The last step of the schema that it has seen; None where it says of none."""


@dataclass(frozen=True, slots=True)
class PostgresqlFacts:
    """What a PostgreSQL server says of itself."""

    version: int
    """The number before the point."""
    encoding: str
    fsync: bool
    is_standby: bool
    others: int
    """Connections of other programs."""
    most: int
    """Connections that ordinary users may have."""


def judge(facts: TableFacts, steps: Sequence[str]) -> Finding:
    """Say whether the tables fit; `steps` are those of this version's schema, the last being its own."""
    if facts.problem:
        return UNREACHABLE(place=facts.place, problem=facts.problem)
    if not facts.has_tables:
        return EMPTY(place=facts.place)
    if facts.schema == steps[-1]:
        return FITS(place=facts.place)
    if facts.schema is None:
        return FOREIGN(place=facts.place)
    if facts.schema in steps:
        return OLDER(place=facts.place, found=facts.schema, ours=steps[-1])
    return NEWER(place=facts.place, found=facts.schema, ours=steps[-1])


def judge_postgresql(facts: PostgresqlFacts) -> Iterator[Finding]:
    """Say whether the server can be relied on."""
    found = []
    if facts.version < OLDEST_POSTGRESQL:
        found.append(OLD_SERVER(version=facts.version, oldest=OLDEST_POSTGRESQL))
    if facts.encoding != "UTF8":
        found.append(ENCODING(encoding=facts.encoding))
    if not facts.fsync:
        found.append(FORGETS())
    if facts.is_standby:
        found.append(STANDBY())
    if facts.most - facts.others < POOL:
        found.append(FEW_CONNECTIONS(others=facts.others, most=facts.most, pool=POOL))
    yield from found
    if not found:
        yield SERVER(version=facts.version, others=facts.others, most=facts.most)


FITS = ok("database.fits")
EMPTY = ok("database.empty")
OLDER = warn("database.older")
NEWER = fail("database.newer")
FOREIGN = fail("database.foreign")
UNREACHABLE = fail("database.unreachable")
SERVER = ok("database.server")
OLD_SERVER = warn("database.old_server")
ENCODING = fail("database.encoding")
FORGETS = warn("database.forgets")
STANDBY = fail("database.standby")
FEW_CONNECTIONS = warn("database.few_connections")

"""Asking a PostgreSQL server about itself, in a transaction that may only read."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from colloque.doctor.database import PostgresqlFacts, TableFacts
from colloque.doctor.probes.dns import look_up
from colloque.ports import reason

CONNECT_SECONDS, ANSWER_SECONDS = 4.0, 4.0


@dataclass(frozen=True, slots=True)
class Told:
    """What it told; only the tables, with the problem, where it could not be reached."""

    tables: TableFacts
    server: PostgresqlFacts | None = None
    clock_ahead_seconds: float = 0.0


def look(url: str) -> Told:
    """Connect and ask."""
    place = shown(url)
    host = urlsplit(url).hostname
    if host is not None and look_up(host) in {None, ()}:
        # Before asyncio looks it up, in a thread that would be waited for at the end.
        return Told(TableFacts(place, f"{host} leads nowhere in DNS", has_tables=False, schema=None))
    return asyncio.run(_ask(url, place))


def shown(url: str) -> str:
    """Name a database without user and password."""
    parts = urlsplit(url)
    port = "" if parts.port is None else f":{parts.port}"
    return f"{parts.hostname or 'on this host'}{port}{parts.path}"


async def _ask(url: str, place: str) -> Told:
    import asyncpg

    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS, command_timeout=ANSWER_SECONDS)
        try:
            async with asyncio.timeout(ANSWER_SECONDS), connection.transaction(readonly=True):
                return await _told(connection, place)
        finally:
            connection.terminate()
    except TimeoutError:
        problem = f"no answer within {CONNECT_SECONDS:g} s"
    except ValueError:  # its text may hold a piece of the password
        problem = "store.url is not an address that can be read"
    except OSError as error:
        problem = reason(error)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        problem = (str(error) or type(error).__name__).splitlines()[0]
    return Told(TableFacts(place, problem, has_tables=False, schema=None))


async def _told(connection: Any, place: str) -> Told:
    asked = time.time()
    theirs = float(await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())"))
    # The middle of the exchange is when the server looked.
    ahead = theirs - (asked + time.time()) / 2
    tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()")
    schema = None
    if await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL"):
        schema = await connection.fetchval("SELECT version_num FROM alembic_version")
    row = await connection.fetchrow(
        "SELECT current_setting('server_version_num')::int / 10000 AS version,"
        " current_setting('server_encoding') AS encoding, current_setting('fsync') = 'on' AS fsync,"
        " pg_is_in_recovery() AS standby,"
        " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        " AND application_name <> 'colloque' AND pid <> pg_backend_pid()) AS others,"
        " current_setting('max_connections')::int"
        " - current_setting('superuser_reserved_connections')::int AS most"
    )
    server = PostgresqlFacts(
        row["version"], row["encoding"], row["fsync"], row["standby"], row["others"], row["most"]
    )
    return Told(TableFacts(place, "", has_tables=tables > 0, schema=schema), server, ahead)

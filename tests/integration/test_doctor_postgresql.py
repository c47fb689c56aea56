"""`colloque doctor` and PostgreSQL: there, empty, gone, frozen."""

import asyncio
from pathlib import Path

import pytest

from rooms import KeyRing, Rooms
from tests.support.doctor_run import Examined, doctor, settings
from tests.support.postgresql import WRITTEN_PASSWORD, Cluster
from tests.support.server import Ports

pytestmark = pytest.mark.timeout(120)  # several programs start in turn, each slow beside a busy neighbour


def examined(folder: Path, url: str) -> Examined:
    found = doctor(settings(folder, Ports.free(), more=f'[store]\nurl = "{url}"'))
    assert WRITTEN_PASSWORD not in str(found)
    return found


def test_a_new_database_is_well_and_stays_empty(postgresql: Cluster, tmp_path: Path) -> None:
    postgresql.make("doctor_new")
    found = examined(tmp_path, postgresql.loopback_url("doctor_new"))
    assert found.code == 0, str(found)
    told = "\n".join(found.lines)
    assert f"The database 127.0.0.1:{postgresql.port}/doctor_new is empty" in told
    assert "ok    The clock agrees with the database's." in found.lines
    assert "connections, of which others use" in told
    assert postgresql.execute("doctor_new", "SELECT count(*) FROM pg_tables WHERE schemaname='public'") == 0


def test_tables_are_compared_with_this_version(postgresql: Cluster, tmp_path: Path) -> None:
    postgresql.make("doctor_tables")
    asyncio.run(_made(postgresql.loopback_url("doctor_tables")))
    found = examined(tmp_path, postgresql.loopback_url("doctor_tables"))
    assert any("its tables are those of this version" in line for line in found.lines), str(found)
    postgresql.execute("doctor_tables", "UPDATE alembic_version SET version_num = '0001'")
    found = examined(tmp_path, postgresql.loopback_url("doctor_tables"))
    assert found.code == 0, str(found)
    assert "of an older version (0001)" in found.line("database.older")


def test_a_wrong_encoding_is_a_failure(postgresql: Cluster, tmp_path: Path) -> None:
    postgresql.make("doctor_latin", "TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    found = examined(tmp_path, postgresql.loopback_url("doctor_latin"))
    assert (found.code, found.failures) == (1, ["database.encoding"])
    assert "encoded in LATIN1" in found.line("database.encoding")


def test_a_wrong_password_is_a_failure_that_does_not_show_it(postgresql: Cluster, tmp_path: Path) -> None:
    found = examined(tmp_path, postgresql.loopback_url("postgres", "not-the-password"))
    assert found.code == 1
    assert "password authentication failed" in found.line("database.unreachable")
    assert "not-the-password" not in str(found)


def test_a_server_that_is_gone_or_frozen_is_a_failure_in_time(postgresql: Cluster, tmp_path: Path) -> None:
    with postgresql.frozen():
        found = examined(tmp_path, postgresql.loopback_url("postgres"))
    assert found.code == 1
    assert "no answer within 4 s" in found.line("database.unreachable")
    postgresql.stop("fast")
    try:
        found = examined(tmp_path, postgresql.loopback_url("postgres"))
    finally:
        postgresql.start()
    assert found.code == 1
    assert "refused" in found.line("database.unreachable").lower()


async def _made(url: str) -> None:
    await (await Rooms.open(url, keys=KeyRing([]))).close()

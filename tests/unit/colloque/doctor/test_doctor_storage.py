"""Database and disk."""

from dataclasses import replace
from pathlib import Path

import pytest

from colloque.doctor import database, disk
from colloque.doctor.plan import _schema_steps
from colloque.doctor.probes.disk import file_system
from colloque.doctor.probes.postgresql import shown
from rooms.postgresql import POOL_SIZE
from rooms.schema import NEWEST
from tests.support.doctor_words import codes, english

STEPS = ["0001", "0002"]


@pytest.mark.parametrize(
    ("problem", "tables", "schema", "code"),
    [
        ("", True, "0002", "database.fits"),
        ("", False, None, "database.empty"),
        ("", True, "0001", "database.older"),
        ("", True, "0003", "database.newer"),
        ("", True, None, "database.foreign"),
        ("Connection refused", False, None, "database.unreachable"),
    ],
)
def test_the_schema_is_compared_with_ours(problem: str, tables: bool, schema: str | None, code: str) -> None:
    found = database.judge(database.TableFacts("db", problem, has_tables=tables, schema=schema), STEPS)
    assert codes(found) == [code]


def test_the_steps_are_those_that_the_server_knows() -> None:
    assert _schema_steps()[-1] == NEWEST
    assert database.POOL == POOL_SIZE


def test_an_upgrade_asks_for_a_backup_first() -> None:
    found = database.judge(database.TableFacts("db", "", has_tables=True, schema="0001"), STEPS)
    assert "Make a backup before you start" in english(found)


SERVER = database.PostgresqlFacts(15, "UTF8", fsync=True, is_standby=False, others=5, most=97)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, "database.server"),
        ({"version": 13}, "database.server"),
        ({"others": 87}, "database.server"),
        ({"version": 12}, "database.old_server"),
        ({"encoding": "LATIN1"}, "database.encoding"),
        ({"fsync": False}, "database.forgets"),
        ({"is_standby": True}, "database.standby"),
        ({"others": 88}, "database.few_connections"),
    ],
)
def test_each_fault_of_the_server_has_its_line(change: dict[str, object], code: str) -> None:
    found = database.judge_postgresql(replace(SERVER, **change))  # type: ignore[arg-type]
    assert codes(found) == [code]


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://colloque:s%2Fcret@db.example:5433/rooms?sslmode=require", "db.example:5433/rooms"),
        ("postgresql://colloque@/rooms?host=/run/postgresql", "on this host/rooms"),
    ],
)
def test_a_database_is_named_without_its_password(url: str, place: str) -> None:
    assert shown(url) == place


FINE = disk.DiskFacts(
    folder="/var/lib/colloque",
    file_system="ext4",
    is_there=True,
    can_write=True,
    is_file_writable=True,
    free_mib=50_000,
    free_inodes=1_000_000,
    sync_ms=2.0,
    log_mib=4,
)
WELL = ["disk.writable", "disk.room", "disk.quick"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, WELL),
        ({"is_there": False}, ["disk.missing"]),
        ({"file_system": "nfs4"}, ["disk.network", *WELL]),
        ({"file_system": "tmpfs"}, ["disk.volatile", *WELL]),
        ({"can_write": False, "sync_ms": None}, ["disk.read_only", "disk.room"]),
        ({"is_file_writable": False}, ["disk.read_only", "disk.room", "disk.quick"]),
        ({"free_mib": 1024}, WELL),
        ({"free_mib": 100}, ["disk.writable", "disk.little_room", "disk.quick"]),
        ({"free_inodes": 1000}, WELL),
        ({"log_mib": 64}, WELL),
        ({"free_mib": 1023}, ["disk.writable", "disk.little_room", "disk.quick"]),
        ({"free_mib": 99}, ["disk.writable", "disk.full", "disk.quick"]),
        ({"free_inodes": 999}, ["disk.writable", "disk.room", "disk.few_inodes", "disk.quick"]),
        ({"free_inodes": None}, WELL),
        ({"sync_ms": 50.0}, ["disk.writable", "disk.room", "disk.slow"]),
        ({"sync_ms": 500.0}, ["disk.writable", "disk.room", "disk.very_slow"]),
        ({"log_mib": 65}, [*WELL, "disk.large_log"]),
    ],
)
def test_each_fault_of_the_disk_has_its_line(change: dict[str, object], said: list[str]) -> None:
    assert codes(disk.judge(replace(FINE, **change))) == said  # type: ignore[arg-type]


_MOUNTS = """\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:40 / /srv/my\\040data rw shared:1 - nfs4 nas:/export rw
31 22 0:41 / /var/lib rw - xfs /dev/sdb1 rw
32 31 0:42 / /var/lib/colloque rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home", "ext4"),
        ("/srv/my data/rooms", "nfs4"),
        ("/var/lib/other", "xfs"),
        ("/var/lib/colloque/db", "tmpfs"),
        ("/var/library", "ext4"),
    ],
)
def test_the_file_system_of_a_path_is_that_of_the_nearest_mount(path: str, kind: str) -> None:
    assert file_system(_MOUNTS, Path(path)) == kind

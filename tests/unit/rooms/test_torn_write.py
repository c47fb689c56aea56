"""The disk stops in the middle of a write: what was answered before is there, what was being written is not.

With `synchronous=FULL` SQLite answers a commit when all of it is in the log and the log on the disk; what
a power cut can spoil is what was written after the last answer. So the log is taken as before and after
one more request, and made a mixture of the two, or spoilt, at every kind of place in that request's part.
"""

import random
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pytest

from rooms import Answer, KeyRing, NotFound, Once, Room, RoomDraft, Rooms, StoreUnavailable
from tests.support.wal import read_wal
from tests.unit.rooms.conftest import NOW

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
ANSWERED = [f"room-{number}" for number in range(8)]
LAST = Once("key", "fingerprint", lambda room: Answer(201, {}, room.uid))


@dataclass(frozen=True)
class Disk:
    """What lies on the disk before and after the last request, and the part of the log that it wrote."""

    database: bytes
    before: bytes
    after: bytes
    begins: int
    ends: int
    frame_bytes: int

    def put(self, to: Path, wal: bytes) -> str:
        """Write the two files into a new folder and give the URL."""
        to.mkdir()
        file = to / "rooms"
        file.write_bytes(self.database)
        _log_of(file).write_bytes(wal)
        return f"sqlite:///{file}"


@pytest.fixture(params=["at the end of the log", "from the beginning of the log"])
async def disk(request: pytest.FixtureRequest, rooms: Rooms, url: str) -> Disk:
    """The files after eight answered requests and one more, taken while the server runs."""
    file = _file_of(url)
    for name in ANSWERED:
        await rooms.create_room("default", RoomDraft(id=name), now=NOW)
        await rooms.participants.remove("default", name, "p", now=NOW)
    starts_anew = request.param == "from the beginning of the log"
    if starts_anew:
        async with rooms._context.store._engine.connect() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None
            await raw.execute("PRAGMA wal_checkpoint(FULL)")
    before, known = _log_of(file).read_bytes(), read_wal(_log_of(file))
    made = await rooms.create_room("default", RoomDraft(id="last"), now=NOW, once=LAST)
    assert isinstance(made, Room)
    after = read_wal(_log_of(file))
    assert (after.commits[: len(known.commits)] == known.commits) is not starts_anew
    return Disk(
        database=file.read_bytes(),
        before=before,
        after=_log_of(file).read_bytes(),
        begins=0 if starts_anew else known.commits[-1],
        ends=after.commits[-1],
        frame_bytes=after.frame_bytes,
    )


async def test_a_log_that_is_whole_has_everything(disk: Disk, tmp_path: Path) -> None:
    assert await found(disk.put(tmp_path / "whole", disk.after))


async def test_a_write_that_was_cut_short_is_not_there_and_can_be_repeated(
    disk: Disk, tmp_path: Path
) -> None:
    chosen = random.Random(5)
    places = {disk.begins, disk.begins + 1, disk.begins + 24, disk.ends - 1, disk.ends - disk.frame_bytes}
    places |= {chosen.randrange(disk.begins, disk.ends) for _ in range(8)}
    for place in sorted(places):
        new = disk.after[:place]
        assert not await found(disk.put(tmp_path / f"cut-{place}", new)), place
        mixed = new + disk.before[place:]
        same = mixed[: disk.ends] == disk.after[: disk.ends]  # the bytes that are missing may be the old ones
        assert await found(disk.put(tmp_path / f"mixed-{place}", mixed)) is same, place


async def test_a_write_of_which_a_sector_is_not_what_was_written_is_not_there(
    disk: Disk, tmp_path: Path
) -> None:
    chosen = random.Random(6)
    for number in range(8):
        at = chosen.randrange(disk.begins, disk.ends)
        end = min(at + chosen.choice([1, 512, 4096]), disk.ends)
        wrong = bytes(byte ^ 0xA5 for byte in disk.after[at:end])
        spoilt = disk.after[:at] + wrong + disk.after[end:]
        assert not await found(disk.put(tmp_path / f"wrong-{number}", spoilt)), (at, end)


async def test_pages_that_were_torn_on_their_way_out_of_the_log_are_taken_from_it(
    disk: Disk, tmp_path: Path
) -> None:
    url = disk.put(tmp_path / "torn", disk.after)
    _tear_pages(_file_of(url))
    assert await found(url)


async def test_a_database_that_is_full_is_busy_and_keeps_what_it_has(rooms: Rooms) -> None:
    await rooms.create_room("default", RoomDraft(id="kept"), now=NOW)
    large = RoomDraft(id="large", metadata={str(n): "x" * 500 for n in range(50)})
    async with rooms._context.store.write() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("PRAGMA max_page_count=1")  # no more than there are
    with pytest.raises(StoreUnavailable, match="full"):
        await rooms.create_room("default", large, now=NOW)
    await rooms.get_room("default", "kept")
    with pytest.raises(NotFound):
        await rooms.get_room("default", "large")
    async with rooms._context.store.write() as session:
        await (await session.connection()).exec_driver_sql("PRAGMA max_page_count=1000000")
    await rooms.create_room("default", large, now=NOW)


async def found(url: str) -> bool:
    """See that a server starts with all that was answered; say whether the last request is done, wholly."""
    rooms = await Rooms.open(url, keys=KeyRing([]))
    try:
        for name in ANSWERED:
            assert (await rooms.participants.get("default", name, "p")).epoch == 1
        try:
            last = await rooms.get_room("default", "last")
        except NotFound:
            last = None
        again = await rooms.create_room("default", RoomDraft(id="last"), now=NOW, once=LAST)
        # Neither the room without the answer that is kept for its key, nor the answer without the room.
        assert (
            isinstance(again, Room) if last is None else isinstance(again, Answer) and again.body == last.uid
        )
    finally:
        await rooms.close()
    connection = sqlite3.connect(_file_of(url))
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    return last is not None


def _log_of(file: Path) -> Path:
    return file.with_name(file.name + "-wal")


def _file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _tear_pages(file: Path) -> None:
    log, data = _log_of(file).read_bytes(), bytearray(file.read_bytes())
    wal = read_wal(_log_of(file))
    pages = {int.from_bytes(log[at : at + 4], "big") for at in wal.frames} - {
        1
    }  # which is read before the log
    for page in pages:
        begin = (page - 1) * wal.page_bytes
        data[begin : begin + 512] = b"\xa5" * len(data[begin : begin + 512])
    file.write_bytes(data)

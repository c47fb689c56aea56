"""SQLite's write-ahead log as bytes: where transactions end (sqlite.org/fileformat2.html, section 4)."""

import struct
from dataclasses import dataclass
from pathlib import Path

HEADER_BYTES = 32
FRAME_HEADER_BYTES = 24
_MAGIC = 0x377F0682  # with the lowest bit: checksums of big-endian words


@dataclass(frozen=True, slots=True)
class Wal:
    """A log as SQLite will read it; offsets are in bytes from its beginning."""

    page_bytes: int
    frames: tuple[int, ...]
    """Where each frame begins that belongs to the log; what lies behind is of an earlier round."""
    commits: tuple[int, ...]
    """Where each transaction ends."""

    @property
    def frame_bytes(self) -> int:
        """A frame's size."""
        return FRAME_HEADER_BYTES + self.page_bytes


def read_wal(path: Path) -> Wal:
    """Follow the chain of checksums as far as it holds."""
    data = path.read_bytes()
    magic, _, page_bytes, _, *salt_and_sums = struct.unpack_from(">IIIIIIII", data)
    words = ">" if magic & 1 else "<"
    assert magic & ~1 == _MAGIC
    salt = salt_and_sums[:2]
    sums = _summed(data[: HEADER_BYTES - 8], (0, 0), words)
    assert list(sums) == salt_and_sums[2:]
    frames, commits = [], []
    for at in range(
        HEADER_BYTES, len(data) - FRAME_HEADER_BYTES - page_bytes + 1, FRAME_HEADER_BYTES + page_bytes
    ):
        page = at + FRAME_HEADER_BYTES
        _, pages_after_commit, *rest = struct.unpack_from(">IIIIII", data, at)
        sums = _summed(data[page : page + page_bytes], _summed(data[at : at + 8], sums, words), words)
        if rest != [*salt, *sums]:
            break
        frames.append(at)
        if pages_after_commit:
            commits.append(page + page_bytes)
    return Wal(page_bytes, tuple(frames), tuple(commits))


def _summed(data: bytes, sums: tuple[int, int], words: str) -> tuple[int, int]:
    one, two = sums
    for first, second in struct.iter_unpack(f"{words}II", data):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two

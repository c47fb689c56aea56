"""Finding the line of a key in a TOML file, which the standard reader does not tell.

Theory of operation. A beginning of the file that stops at the end of a line can be read exactly when it stops
between two statements: inside a value that goes over several lines it cannot. So the first beginning that can
be read and has the key ends with the statement that makes it, and that statement begins after the last
beginning that could be read, past empty lines and comments. The real reader does all the reading, so quoted
and dotted keys, arrays of tables and text that looks like keys need no rules here.
"""

from __future__ import annotations

import tomllib
from typing import Any

Place = tuple[int | str, ...]


def line_of(text: str, place: Place) -> int:
    """Give the line, from 1, on which the value at `place` begins.

    Where there is none, it is the line of the table that lacks it, and 1 for the file itself.
    """
    values = tomllib.loads(text)
    while place and not _has(values, place):
        place = place[:-1]
    if not place:
        return 1
    lines = text.split("\n")
    begins = 0
    for end in range(1, len(lines) + 1):
        try:
            so_far = tomllib.loads("\n".join(lines[:end]) + "\n")
        except tomllib.TOMLDecodeError:
            continue
        if _has(so_far, place):
            return _first_statement(lines, begins) + 1
        begins = end
    raise AssertionError("the whole text has the place, and is one of its beginnings")


def _first_statement(lines: list[str], begins: int) -> int:
    while not lines[begins].strip() or lines[begins].lstrip().startswith("#"):
        begins += 1
    return begins


def _has(values: Any, place: Place) -> bool:
    for part in place:
        match values:
            case dict() if part in values:
                values = values[part]
            case list() if isinstance(part, int) and part < len(values):
                values = values[part]
            case _:
                return False
    return True

"""The sheet as plain text, for a mail."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from turn_config.firewall.document import Document, Section, Table

WIDTH = 80
"""Columns; only a name or an address that is longer goes beyond."""
_GAP, _INDENT = "  ", "    "


def as_text(document: Document, label: str) -> str:
    """Write it; `label` puts a label before a text."""
    lines = [document.title.upper(), "", *_wrapped(document.lead), ""]
    lines += _labelled(document.facts, label)
    for section in document.sections:
        lines += ["", "", section.title.upper(), "-" * len(section.title), *_section(section, label)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _section(section: Section, label: str) -> Iterator[str]:
    for text in section.before:
        yield from ("", *_wrapped(text))
    if section.items:
        yield ""
    for term, text in section.items:
        yield from _wrapped(label.format(label=term, text=text), hanging=True)
    for table in section.tables:
        yield from ("", *_table(table, label))
    for text in section.after:
        yield from ("", *_wrapped(text))


def _table(table: Table, label: str) -> Iterator[str]:
    yield from _wrapped(table.caption)
    widths = _widths([table.heads, *table.rows])
    if _total(widths) <= WIDTH:
        yield from (_INDENT + _aligned(cells, widths) for cells in (table.heads, *table.rows))
        return
    # The last column is the longest of every table; it goes under each row.
    widths = _widths([row[:-1] for row in table.rows])
    for row in table.rows:
        if _total(widths) <= WIDTH:
            yield _INDENT + _aligned(row[:-1], widths)
        else:
            yield from _hung(row[:-1], widths)
        yield from _wrapped(label.format(label=table.heads[-1], text=row[-1]), indent=_INDENT * 2)


def _hung(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Write short cells in their columns and the long ones below."""
    long = {number for number, width in enumerate(widths) if width > WIDTH // 3}
    short = [number for number in range(len(cells)) if number not in long]
    line = _INDENT + _aligned([cells[one] for one in short], [widths[one] for one in short])
    return [line, *(part for one in sorted(long) for part in _wrapped(cells[one], indent=_INDENT * 2))]


def _aligned(cells: Iterable[str], widths: Iterable[int]) -> str:
    return _GAP.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _total(widths: Sequence[int]) -> int:
    return len(_INDENT) + sum(widths) + len(_GAP) * (len(widths) - 1)


def _labelled(pairs: Sequence[tuple[str, str]], label: str) -> Iterator[str]:
    wide = max(len(one) for one, _ in pairs)
    for one, text in pairs:
        yield from _wrapped(label.format(label=one.ljust(wide), text=text), hanging=True)


def _wrapped(text: str, *, indent: str = "", hanging: bool = False) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + ("  " if hanging else ""),
        break_long_words=False,
        break_on_hyphens=False,
    )

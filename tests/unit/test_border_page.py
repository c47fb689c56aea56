"""docs/border.md names what the border really carries."""

import inspect
import re
from pathlib import Path
from typing import get_args

import pytest

from sfu import _core

PAGE = (Path(__file__).parents[2] / "docs" / "border.md").read_text()
LAYOUT = _core.Core.snapshot_layout()


def table(head: str) -> list[list[str]]:
    """Give the rows of the table whose first column is called so, without their marks."""
    rows = PAGE.split(f"\n| {head} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip(" `") for cell in row.strip("|").split("|")] for row in rows]


def test_every_event_is_described_with_its_fields() -> None:
    events = [
        [kind.__name__, ", ".join(inspect.signature(kind).parameters)] for kind in get_args(_core.Event)
    ]
    assert [row[:2] for row in table("event")] == events


@pytest.mark.parametrize(
    ("head", "names"), [("cell", LAYOUT["cells"]), ("figure", LAYOUT["legs"]), ("reason", LAYOUT["drops"])]
)
def test_every_counter_is_described(head: str, names: list[str]) -> None:
    assert [row[0] for row in table(head)] == names


def test_the_bounds_that_are_named_are_the_bounds() -> None:
    assert int(re.findall(r"at most (\d+) KiB", PAGE)[0]) * 1024 == _core.MAX_SDP_BYTES

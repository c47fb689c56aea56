"""The line of a key is found however the file writes it."""

import pytest

from loadtest.lines import line_of

TEXT = '''# a comment
title = "x"
about = """
people = 3
[video]
"""

"quoted key" = 1
video.codec = "vp8"
sizes = [
  1,
  # two
  [2, 3],
]
inline = { a = 1, b = { c = 2 } }

[objectives]

# of the next
"loss_ratio" = 0.1

[[speakers]]
name = "a"
[[speakers]]
name = "b"
[ audio . more ]
x = 1
'''


@pytest.mark.parametrize(
    ("place", "written"),
    [
        (("title",), 'title = "x"'),
        (("about",), 'about = """'),
        (("quoted key",), '"quoted key" = 1'),
        (("video",), 'video.codec = "vp8"'),
        (("video", "codec"), 'video.codec = "vp8"'),
        (("sizes", 1, 0), "sizes = ["),
        (("inline", "b", "c"), "inline = { a = 1, b = { c = 2 } }"),
        (("objectives", "loss_ratio"), '"loss_ratio" = 0.1'),
        (("audio", "more", "x"), "x = 1"),
        (("audio",), "[ audio . more ]"),
    ],
)
def test_a_key_is_on_the_line_where_its_statement_begins(place: tuple[int | str, ...], written: str) -> None:
    assert TEXT.splitlines()[line_of(TEXT, place) - 1] == written


def test_entries_of_an_array_of_tables_are_told_apart() -> None:
    lines = [line_of(TEXT, ("speakers", n, "name")) for n in (0, 1)]
    assert [TEXT.splitlines()[line - 1] for line in lines] == ['name = "a"', 'name = "b"']


@pytest.mark.parametrize(
    ("place", "written"),
    [
        (("objectives", "join_p95_ms"), "[objectives]"),
        (("speakers", 1, "age"), "[[speakers]]"),
        (("speakers", 7), "[[speakers]]"),
        (("title", "x"), 'title = "x"'),
        (("title", 0), 'title = "x"'),
        (("viewers",), "# a comment"),
        ((), "# a comment"),
    ],
)
def test_what_is_not_there_is_missed_by_the_table_around_it(
    place: tuple[int | str, ...], written: str
) -> None:
    assert TEXT.splitlines()[line_of(TEXT, place) - 1] == written


def test_windows_line_ends_change_nothing() -> None:
    assert line_of(TEXT.replace("\n", "\r\n"), ("objectives", "loss_ratio")) == 20

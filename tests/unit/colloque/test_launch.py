"""How a server asks for its memory in large pages."""

import pytest

from colloque.launch import with_large_pages

AGAIN = {"_COLLOQUE_STARTED_AGAIN": "1"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"PATH": "/bin"}, {"PATH": "/bin", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", **AGAIN}),
        (
            {"GLIBC_TUNABLES": "glibc.malloc.arena_max=2"},
            {"GLIBC_TUNABLES": "glibc.malloc.arena_max=2:glibc.malloc.hugetlb=1", **AGAIN},
        ),
        ({"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}, None),
        ({"GLIBC_TUNABLES": "glibc.malloc.hugetlb=0"}, None),
        # The loader takes the tunables away from a program with capabilities.
        ({"PATH": "/bin", **AGAIN}, None),
    ],
    ids=["unset", "others", "already", "unwanted", "taken away"],
)
def test_large_pages_are_asked_for_unless_the_operator_has_said(
    before: dict[str, str], after: dict[str, str] | None
) -> None:
    assert with_large_pages(before) == after

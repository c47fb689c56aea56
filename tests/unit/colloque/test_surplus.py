"""Who gives when there are too many connections."""

import pytest

from colloque.surplus import Standing, surplus

UPGRADED, BUSY, IDLE, SILENT = Standing.UPGRADED, Standing.BUSY, Standing.IDLE, Standing.SILENT


@pytest.mark.parametrize("most", [4, 5])
def test_nobody_goes_while_there_is_room(most: int) -> None:
    assert surplus([("a", SILENT)] * 4, most=most) == []


def test_whoever_has_the_most_gives_until_others_have_as_many() -> None:
    connections = [("a", IDLE)] * 5 + [("b", SILENT)] * 2 + [("c", SILENT)]
    assert surplus(connections, most=5) == [4, 3, 2]


def test_of_one_address_the_silent_go_first_and_of_these_the_newest() -> None:
    connections = [("a", SILENT), ("a", SILENT), ("a", IDLE), ("a", BUSY), ("a", UPGRADED)]
    assert surplus(connections, most=0) == [1, 0, 2, 3, 4]


def test_of_equals_the_one_that_does_least_goes_and_then_the_newest() -> None:
    connections = [("a", SILENT), ("b", BUSY), ("c", SILENT), ("d", IDLE)]
    assert surplus(connections, most=1) == [2, 0, 3]


def test_who_is_in_a_call_goes_last_however_many_they_are() -> None:
    connections = [("ward", UPGRADED)] * 6 + [("home", BUSY)] + [("ward", IDLE)]
    assert surplus(connections, most=6) == [7, 6]
    assert surplus(connections, most=4)[2:] == [5, 4]

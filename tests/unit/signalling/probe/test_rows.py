"""Every message of a connection test's channel, from whoever could say it: tests/data/messages.toml."""

import pytest

from signalling.probe.messages import CLIENT_SAYS
from tests.support.messages import Row, rows
from tests.support.probe_stage import Client, ProbeStage

ROWS = rows("probe")
OTHER = "CT_other"


def heard(client: Client) -> set[str]:
    closed = set() if client.closed is None else {f"closed {client.closed}"}
    return {one["type"] for one in client.take()} | closed


def test_every_message_has_a_row() -> None:
    assert {row.name for row in ROWS} == set(CLIENT_SAYS), "say in tests/data/messages.toml who may say this"


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_who_may_test_is_answered_and_nobody_of_another_test_notices(row: Row) -> None:
    stage = ProbeStage()
    client, other = stage.tests(), stage.tests(OTHER, "192.0.2.2")
    for one in (client, other):
        stage.offers(one)
        one.take()
    before = vars(stage.legs(OTHER)[0]).copy()
    stage.say(client, type=row.name, **row.says)
    assert heard(client) == set(row.answer)
    assert (other.heard, other.closed) == ([], None)
    assert vars(stage.legs(OTHER)[0]) == before


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_before_hello_it_ends_the_connection(row: Row) -> None:
    stage = ProbeStage()
    client = stage.connect()
    assert stage.say(client, type=row.name, **row.says) is None
    assert heard(client) == {"closed 1008"}
    assert not stage.sfu.calls


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_while_the_token_is_checked_nothing_happens(row: Row) -> None:
    stage = ProbeStage()
    client = stage.connect()
    stage.say(client, type="hello", v=1, token="t")
    stage.say(client, type=row.name, **row.says)
    assert heard(client) == {"error"}
    assert not stage.sfu.calls


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_whose_token_was_refused_says_nothing_more(row: Row) -> None:
    stage = ProbeStage()
    client = stage.connect()
    stage.say(client, type="hello", v=1, token="t")
    assert client.session is not None
    stage.hub.turn_away(client.session, "unauthenticated")
    client.take()
    stage.say(client, type=row.name, **row.says)
    assert heard(client) == {"closed 4010"}
    assert not stage.sfu.calls

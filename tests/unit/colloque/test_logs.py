"""The log: one event a line, nothing personal in it."""

import json
import logging

import pytest
from aiohttp.http_exceptions import BadHttpMessage

from colloque.logs import EventFormatter, PeersMistakes

CANARIES = (
    "Mme Personne",
    "1 84 12 76 451 089 46",
    "06 12 34 56 78",
    "192.0.2.77",
    "eyJhbGciOi.x.y",
    "pwd4ice",
)


def line(record: logging.LogRecord, *, personal: bool = False) -> str:
    return EventFormatter("json", personal=personal).format(record)


def record(
    message: str, *args: object, logger: str = "rooms.service", level: int = logging.INFO, **fields: object
) -> logging.LogRecord:
    made = logging.makeLogRecord(
        {
            "name": logger,
            "levelno": level,
            "levelname": logging.getLevelName(level),
            "msg": message,
            "args": args,
        }
    )
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_an_event_is_one_object_with_its_name_and_fields() -> None:
    entry = json.loads(line(record("room_created", room="RM_1", count=2)))
    assert (entry["event"], entry["level"], entry["logger"]) == ("room_created", "info", "rooms.service")
    assert (entry["room"], entry["count"]) == ("RM_1", 2)
    assert entry["time"].endswith("+00:00")


@pytest.mark.parametrize("canary", CANARIES)
def test_a_field_that_is_not_on_the_list_is_not_written(canary: str) -> None:
    text = line(
        record("joined", identity=canary, name_of_person=canary, token=canary, address=canary, sdp=canary)
    )
    assert canary not in text
    assert "identity" not in text


@pytest.mark.parametrize("canary", CANARIES)
def test_what_libraries_say_is_not_written(canary: str) -> None:
    assert canary not in line(record("Error handling request from %s", canary, logger="aiohttp.server"))
    assert canary not in line(record(f"Error with {canary}", logger="sqlalchemy.pool"))


@pytest.mark.parametrize("canary", CANARIES)
def test_our_own_text_that_is_no_event_name_is_not_written(canary: str) -> None:
    assert canary not in line(record(f"joined {canary}"))
    assert canary not in line(record("joined %s", canary))


def test_what_a_client_sent_wrong_is_no_error_of_ours() -> None:
    mistake = BadHttpMessage("CR LF in a header")
    assert not PeersMistakes().filter(record("Error", exc_info=(type(mistake), mistake, None)))
    assert PeersMistakes().filter(record("Error", exc_info=(ValueError, ValueError(), None)))
    assert PeersMistakes().filter(record("Error"))


def test_an_exception_says_where_but_not_what(caplog: pytest.LogCaptureFixture) -> None:
    try:
        int(CANARIES[0])
    except ValueError:
        logging.getLogger("rooms").exception("observer_failed")
    text = line(caplog.records[0])
    assert CANARIES[0] not in text
    entry = json.loads(text)
    assert entry["exception"] == "ValueError"
    assert "test_logs.py" in entry["where"][0]


def test_at_debug_everything_is_written() -> None:
    text = line(record("Error with %s", "192.0.2.77", logger="aiohttp.server", identity="p1"), personal=True)
    assert "192.0.2.77" in text
    assert "p1" in text


@pytest.mark.parametrize(
    "nasty", ["a\nb", "a\r\nb", "\x1b[31m", '"}{"', "\u2028", "\x85", "\x00", "x" * 100_000]
)
@pytest.mark.parametrize("style", ["json", "text"])
def test_one_event_is_one_short_printable_line(nasty: str, style: str) -> None:
    formatter = EventFormatter(style, personal=True)  # type: ignore[arg-type]
    for made in (record("event", reason=nasty), record(nasty), record(nasty, logger="aiohttp.server")):
        text = formatter.format(made)
        assert len(text.splitlines()) == 1
        assert text.isprintable()
        assert len(text) < 8_000


def test_fields_of_any_type_can_be_written() -> None:
    assert (
        json.loads(line(record("event", reason=object(), count=None, state={"a": object()})))["count"] is None
    )

"""docs/protocol.md says what the code does: its examples are read, its tables compared."""

import re
from pathlib import Path

import pytest
from google.protobuf import json_format
from livekit.protocol import rtc

from signalling.livekit import requests
from signalling.livekit.lifecycle import ENDINGS
from tests.support.stage import Stage

PAGE = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text()
EXAMPLES = re.findall(r"<!-- (\w+) -->\n```json\n(.*?)```", PAGE, re.DOTALL)
KINDS = {"SignalRequest": rtc.SignalRequest, "SignalResponse": rtc.SignalResponse}


@pytest.mark.parametrize(("kind", "text"), EXAMPLES)
def test_every_example_is_a_message(kind: str, text: str) -> None:
    message = KINDS[kind]()
    json_format.Parse(text, message)
    assert message.WhichOneof("message")


def test_there_are_examples_and_each_says_what_it_is() -> None:
    assert len(EXAMPLES) == PAGE.count("```json") >= 8


def test_every_request_that_is_handled_is_on_the_page(stage: Stage) -> None:
    stage.joins("ada")
    call = stage.hub._calls["RM_room"]
    assert isinstance(call.requests, requests.Requests)
    assert _table("### From clients") == set(call.requests._handlers)


def test_every_message_to_clients_is_on_the_page() -> None:
    said = _table("### To clients") | {"join", "reconnect", "answer", "pong", "pong_resp", "request_response"}
    source = "".join(path.read_text() for path in Path(requests.__file__).parent.glob("*.py"))
    sent = set(re.findall(r"SignalResponse\(\s*(\w+)=", source))
    assert sent <= said
    assert said - sent == {"offer", "trickle"}


def test_every_close_code_is_on_the_page() -> None:
    codes = {int(code) for code in re.findall(r"^\| (\d{4}) \|", PAGE, re.MULTILINE)}
    assert {ending.close_code for ending in ENDINGS.values()} <= codes
    assert {1007, 1009, 4000, 4001, 4010} <= codes


def _table(heading: str) -> set[str]:
    """Give every `name` in the first column of the table under a heading."""
    section = PAGE.split(heading)[1].split("\n#")[0]
    rows = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}

"""docs/waiting.md says what the code does: every verb, every word, every bound."""

import json
import re
from pathlib import Path

import pytest

from rooms import LONGEST_ANNOUNCEMENT
from signalling.waiting.board import MOST_IN_CALL
from signalling.waiting.group_verbs import GROUP_VERBS, LONGEST_TIMER, MOST_OPENED, MOST_PLACED
from signalling.waiting.lifecycle import ENDINGS
from signalling.waiting.messages import VERSION
from signalling.waiting.settings import WaitingLimits, WaitingTimes
from signalling.waiting.verbs import LATEST_MINUTES, LONGEST_TEXT, WAITING_VERBS
from signalling.words import Hello, decode, read_body

PAGE = (Path(__file__).parents[4] / "docs" / "waiting.md").read_text(encoding="utf-8")
ROWS = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))


def test_every_verb_and_every_last_word_has_a_row() -> None:
    assert {*WAITING_VERBS, *GROUP_VERBS} <= ROWS
    assert {ending.says for ending in ENDINGS.values() if ending.says} <= ROWS


def test_the_hello_of_the_page_is_understood() -> None:
    (example,) = re.findall(r"```json\n(.*?)\n```", PAGE, re.DOTALL)
    hello = read_body(Hello, decode(example))
    assert (hello.v, hello.token) == (VERSION, json.loads(example)["token"])


@pytest.mark.parametrize(
    "words",
    [
        f"within {WaitingTimes().hello_within:.0f} seconds",
        f"for {WaitingTimes().ping_timeout:.0f} seconds",
        f"for {WaitingTimes().grace / 60:.0f} minutes",
        f"every {WaitingTimes().token_refresh / 60:.0f} minutes",
        f"{LONGEST_TEXT} characters",
        f"0 to {LATEST_MINUTES}",
        f"`groups` ({MOST_OPENED})",
        f"`places` ({MOST_PLACED})",
        f"1 to {LONGEST_TIMER}",
        f"`text` ({LONGEST_ANNOUNCEMENT} characters)",
        f"{MOST_IN_CALL} at most",
        f"{WaitingLimits().frame_bytes // 1024} KiB",
        f"{WaitingLimits().messages_per_second:.0f} messages a second",
        f"after the first {WaitingLimits().messages_burst}",
        f"{WaitingLimits().sockets_per_room} people a room",
        f"{WaitingLimits().sockets_per_person} connections a person",
        f"{WaitingLimits().sockets:,} in all",
    ],
)
def test_the_page_gives_the_bounds_that_are_in_force(words: str) -> None:
    assert words in PAGE

"""docs/connection-test.md says of the channel what the code does: every message and every bound."""

import json
import re
from pathlib import Path

import pytest

from colloque.settings import LimitSettings
from signalling.probe.lifecycle import ENDINGS
from signalling.probe.messages import CLIENT_SAYS, LEG_NAME_MAX, VERSION
from signalling.probe.settings import ProbeLimits, ProbeTimes
from signalling.words import Hello, decode, read_body

WHOLE = (Path(__file__).parents[4] / "docs" / "connection-test.md").read_text(encoding="utf-8")
PAGE = WHOLE[WHOLE.index("## The channel") : WHOLE.index("## How long it is kept")]
ROWS = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
SIGNALLING = Path(__file__).parents[4] / "signalling" / "probe"
LIMITS, TIMES = ProbeLimits(), ProbeTimes()


def test_every_message_has_a_row() -> None:
    source = "".join(file.read_text() for file in SIGNALLING.glob("*.py"))
    said = set(re.findall(r'Word\(\s*"(\w+)"', source))
    assert len(said) > 5
    assert said | {ending.says for ending in ENDINGS.values() if ending.says} <= ROWS
    assert set(CLIENT_SAYS) <= ROWS


def test_every_code_is_named() -> None:
    source = "".join(file.read_text() for file in SIGNALLING.glob("*.py"))
    codes = set(re.findall(r'PeerError\("([a-z-]+)"', source))
    codes |= set(re.findall(r'turn_away\(\w+, "([a-z-]+)"', source))
    assert {"busy", "too-many-legs", "draining"} <= codes
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()


def test_the_hello_of_the_page_is_understood() -> None:
    (example,) = re.findall(r"```json\n(.*?)\n```", PAGE, re.DOTALL)
    hello = read_body(Hello, decode(example))
    assert (hello.v, hello.token) == (VERSION, json.loads(example)["token"])


@pytest.mark.parametrize(
    "words",
    [
        f"within {TIMES.hello_within:.0f} seconds",
        f"{TIMES.whole:.0f} seconds from `ready` on",
        f"{LIMITS.legs_at_once} legs at once and {LIMITS.legs} in all",
        f"within {LIMITS.kbps} kbit/s",
        f"more than {LIMITS.too_many_kbps} over {TIMES.rate_window:.0f} seconds",
        f"{LIMITS.frame_bytes // 1024} KiB at most",
        f"{LIMITS.messages_per_second:.0f} a second after the first {LIMITS.messages_burst}",
        f"together have {LIMITS.offer_bytes_burst // 1024} KiB",
        f"{LIMITS.offer_bytes_per_second / 1024:.0f} KiB a second after those",
        f"{LIMITS.queue_bytes // 1024} KiB may wait",
        f"{LimitSettings().connection_tests} connections test at one time (`limits.connection_tests`)",
        f"{LimitSettings().connection_tests_per_address} of one address",
        f"{LIMITS.connections_per_test} of one test",
        f"come again in {TIMES.busy_retry_after} seconds",
        f"{LIMITS.tests * LIMITS.legs_at_once * LIMITS.kbps // 1000} Mbit/s each way",
        f"`-`; {LEG_NAME_MAX} at most",
    ],
)
def test_the_page_gives_the_bounds_that_are_in_force(words: str) -> None:
    assert words in PAGE

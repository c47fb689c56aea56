"""docs/connection-test.md names every word that a verdict may have, and the thresholds that are in force."""

import re
from pathlib import Path
from typing import get_args

import pytest

from rooms import ADVICE_CODES, VERDICTS, Verdict, VerdictReason
from rooms.verdict import LIMITS, OLDEST_BROWSERS

PAGE = (Path(__file__).parents[3] / "docs/connection-test.md").read_text(encoding="utf-8")


def test_every_word_is_on_the_page() -> None:
    words = set(re.findall(r"`(\w+)`", PAGE))
    assert {*VERDICTS, *get_args(VerdictReason), *ADVICE_CODES} <= words


@pytest.mark.parametrize("verdict", ["video_good", "video_low", "audio_only"])
def test_the_thresholds_on_the_page_are_those_in_force(verdict: Verdict) -> None:
    limits = LIMITS[verdict]
    cells = [f"{limits.kbps:g}", f"{limits.loss:.0%}".replace("%", " %"), f"{limits.rtt_ms:g} ms"]
    cells.append("" if limits.jitter_ms == float("inf") else f"{limits.jitter_ms:g} ms")
    assert f"| `{verdict}` | " + " | ".join(cells).rstrip() in PAGE


def test_the_oldest_browsers_are_on_the_page() -> None:
    for name, version in OLDEST_BROWSERS.items():
        assert f"{name.capitalize()} before {version}" in PAGE

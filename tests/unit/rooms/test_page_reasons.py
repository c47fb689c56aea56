"""The page offers the reasons that the room service takes."""

import re
from pathlib import Path

from rooms import REASONS

SOURCE = Path(__file__).parents[3] / "web" / "src" / "ended" / "reasons.ts"


def test_the_page_offers_every_reason_and_no_other() -> None:
    (listed,) = re.findall(r"REASONS = \[(.*?)\] as const", SOURCE.read_text(encoding="utf-8"), re.DOTALL)
    assert tuple(re.findall(r"'(\w+)'", listed)) == REASONS

"""The settings themselves: the same lines as of `colloque config check`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from colloque.doctor.finding import Finding, fail, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class SettingsFacts:
    """What reading the settings gave."""

    file: str | None
    """None where there is no file, and the defaults hold."""
    problems: tuple[str, ...]
    has_api_key: bool
    left_out: tuple[str, ...]
    """Sections that are wrong, so that nothing of them is looked at."""
    as_root: bool


def judge(facts: SettingsFacts) -> Iterator[Finding]:
    """Say what is wrong with the settings."""
    for line in facts.problems:
        yield WRONG(line=line)
    if facts.left_out:
        yield LEFT_OUT(sections=", ".join(facts.left_out))
    if facts.file is None:
        yield NO_FILE()
    elif not facts.problems:
        yield USABLE(file=facts.file)
    if not facts.problems and not facts.has_api_key:
        yield NO_KEY()
    if facts.as_root:
        yield AS_ROOT()


USABLE = ok("settings.usable")
WRONG = fail("settings.wrong")
LEFT_OUT = warn("settings.left_out")
NO_FILE = warn("settings.no_file")
NO_KEY = fail("settings.no_key")
AS_ROOT = warn("settings.as_root")

"""Reads a `turnserver.conf` as coturn does: `parse_arg_string` and `get_bool_value` of its `mainrelay.c`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from turn_config.coturn.options import Kind, option

if TYPE_CHECKING:
    from turn_config.coturn.version import CoturnVersion

MAX_LINE_CHARS = 1023
"""coturn takes the rest of a longer line for a line of its own."""

_BETWEEN = " =\t"
_YES, _NO = ("1", "y", "Y", "t", "T"), ("0", "n", "N", "f", "F")


@dataclass(frozen=True, slots=True)
class Setting:
    """An option as one line sets it."""

    line: int
    name: str
    value: str = field(repr=False)
    """Empty where nothing follows the name."""

    @property
    def flag(self) -> bool | None:
        """Read it as yes or no; None: neither, and coturn ends with an error."""
        if not self.value or self.value.startswith(_YES) or self.value == "on":
            return True
        return False if self.value.startswith(_NO) or self.value == "off" else None


@dataclass(frozen=True, slots=True)
class ConfFile:
    """The lines of a file that a release of coturn reads, and those that it skips."""

    settings: tuple[Setting, ...]
    skipped: tuple[Setting, ...]
    """Options that this release does not know."""
    too_long: tuple[int, ...]
    """Lines that coturn cuts."""

    def all(self, name: str) -> tuple[Setting, ...]:
        """Give the lines that set this option, in their order."""
        return tuple(one for one in self.settings if one.name == name)

    def last(self, name: str) -> Setting | None:
        """Give the line that counts where only one can."""
        found = self.all(name)
        return found[-1] if found else None

    def on(self, name: str) -> Setting | None:
        """Give the line that switches a flag on, if the last one of it does."""
        found = self.last(name)
        return found if found is not None and found.flag else None


def read(text: str, version: CoturnVersion) -> ConfFile:
    """Read the text as this release of coturn does; nothing in it is an error here."""
    settings, skipped, too_long = [], [], []
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.rstrip("\r").lstrip(" \t")
        if not line or line.startswith("#"):
            continue
        if len(raw) > MAX_LINE_CHARS:
            too_long.append(number)
        name, value = _split(line)
        known = option(name, version)
        if known is None:
            skipped.append(Setting(number, name, value))
        else:
            settings.append(Setting(number, name, value.strip() if known.kind is Kind.FLAG else value))
    return ConfFile(tuple(settings), tuple(skipped), tuple(too_long))


def _split(line: str) -> tuple[str, str]:
    end = next((at for at, char in enumerate(line) if char in _BETWEEN), len(line))
    value = line[end:].lstrip(_BETWEEN)
    if value.startswith('"'):
        value = value[1:].rstrip(" \t").removesuffix('"')
    return line[:end], value

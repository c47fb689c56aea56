"""Releases of coturn, as far as their settings file differs."""

from __future__ import annotations

import re
from typing import NamedTuple, Self

_FORM = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:[-+~].*)?")


class CoturnVersion(NamedTuple):
    """A release, ordered by age."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `4.6.1`, or a package's version like `4.6.1-1`; raise `ValueError` for anything else."""
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is no version of coturn, like 4.6.1")
        return cls(*(int(part) for part in found.groups()))

    def __str__(self) -> str:
        """Give the number as coturn writes it."""
        return f"{self.major}.{self.minor}.{self.patch}"


OLDEST = CoturnVersion(4, 6, 1)
"""The release of Debian 12 and 13 and of Ubuntu 24.04; older ones have holes that no setting closes."""

SAFER_DEFAULTS = CoturnVersion(4, 7, 0)
"""No RFC 5780, no old STUN, no TLS before 1.2 and no SOFTWARE attribute unless asked for; drains on SIGUSR1.

coturn's pull requests 1599, 1688, 1689, 1693 and 1529.
"""

CLI_OFF = CoturnVersion(4, 10, 0)
"""No telnet interface unless asked for: pull request 1830."""

LIMITS_UNAUTHORIZED = CoturnVersion(4, 14, 0)
"""`unauthorized-ratelimit`: pull request 1957."""

DRAINS_TO_A_NUMBER = CoturnVersion(4, 15, 0)
"""`drain-min-allocations`: pull request 1997."""

DTLS_OFF = CoturnVersion(4, 17, 0)
"""No DTLS unless asked for: pull request 2026."""

DROPS_OLD_WORDS = CoturnVersion(4, 17, 2)
"""`no-cli` and `no-dtls` are no longer read: pull request 2079."""

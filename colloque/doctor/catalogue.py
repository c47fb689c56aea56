"""Everything that the examinations can say, by its code."""

from __future__ import annotations

from colloque.doctor import (
    addresses,
    certificate,
    clock,
    database,
    disk,
    examination,
    kernel,
    limits,
    names,
    ports,
    public,
    relays,
    settings,
    webhooks,
)
from colloque.doctor.finding import Verdict

_MODULES = (
    settings, ports, certificate, public, addresses, names, relays, clock, kernel, limits, database, disk,
    webhooks, examination,
)  # fmt: skip

VERDICTS: tuple[Verdict, ...] = tuple(
    value for module in _MODULES for value in vars(module).values() if isinstance(value, Verdict)
)
"""In the order of the lines."""

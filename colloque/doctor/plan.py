"""What is looked at for which settings, in the order of the lines."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from colloque.deployment import deployment
from colloque.doctor import clock, database, disk, kernel, limits, webhooks
from colloque.doctor.examination import Examination, same
from colloque.doctor.plan_names import is_address, name_examinations
from colloque.doctor.plan_relays import relay_examinations, this_host
from colloque.doctor.plan_server import certificate_examination, port_examinations, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from colloque.doctor.finding import Finding
    from colloque.settings import Settings

_STEPS = Path(__file__).parents[2] / "rooms" / "migrations" / "versions"


def plan(settings: Settings, *, now: float) -> list[Examination]:
    """List the examinations for these settings."""
    here = deployment(settings)
    # Several ask; the first answer serves all.
    ours = functools.cache(lambda: running(settings))
    host = this_host(here)
    if host is not None and "calls" not in host.serves:
        return [*relay_examinations(here, host, now=now), *_machine(settings)]
    return [
        *port_examinations(settings, here, ours),
        certificate_examination(settings, here, ours, now=now),
        *name_examinations(settings, here, ours),
        *relay_examinations(here, host, now=now),
        *_machine(settings),
        *_database(settings),
        *_webhooks(settings),
    ]


def _machine(settings: Settings) -> Iterator[Examination]:
    def look_at_clock() -> Iterator[Finding]:
        from colloque.doctor.probes import clock as probe

        yield clock.judge(probe.look())

    def look_at_kernel() -> Iterator[Finding]:
        from colloque.doctor.probes import kernel as probe

        yield from kernel.judge(probe.look(settings))

    def look_at_limits() -> Iterator[Finding]:
        from colloque.doctor.probes import limits as probe

        yield from limits.judge(probe.look(settings))

    yield Examination({"en": "clock", "fr": "horloge"}, frozenset(), look_at_clock)
    yield Examination({"en": "kernel", "fr": "noyau"}, frozenset({"media"}), look_at_kernel)
    yield Examination({"en": "limits", "fr": "limites"}, frozenset({"media", "limits"}), look_at_limits)


def _database(settings: Settings) -> Iterator[Examination]:
    scheme, _, rest = settings.store.url.partition("://")

    def look_at_file() -> Iterator[Finding]:
        from colloque.doctor.probes import sqlite as probe

        yield database.judge(probe.look(_file(rest)), _schema_steps())

    def look_at_disk() -> Iterator[Finding]:
        from colloque.doctor.probes import disk as probe

        yield from disk.judge(probe.look(_file(rest)))

    def look_at_server() -> Iterator[Finding]:
        from colloque.doctor.probes import postgresql as probe

        told = probe.look(settings.store.url)
        yield database.judge(told.tables, _schema_steps())
        if told.server is not None:
            yield from database.judge_postgresql(told.server)
            yield from clock.judge_drift(told.clock_ahead_seconds)

    look = look_at_file if scheme == "sqlite" else look_at_server
    yield Examination({"en": "database", "fr": "base de données"}, frozenset({"store"}), look)
    if scheme == "sqlite":
        yield Examination({"en": "disk", "fr": "disque"}, frozenset({"store"}), look_at_disk)


def _webhooks(settings: Settings) -> Iterator[Examination]:
    from colloque.doctor.probes.dns import look_up
    from colloque.wiring import webhook_targets

    targets = webhook_targets(settings)

    def look(entry: str, host: str) -> Iterator[Finding]:
        found = look_up(host)
        told = None if found is None else tuple(map(str, found))
        refused = tuple(one for one in told or () if not targets.allows_address(one))
        yield webhooks.judge(webhooks.TargetFacts(entry, host, told, refused))

    for entry in settings.webhooks.allowed_targets:
        host = _target_host(entry)
        if host is not None:
            yield Examination(
                same(f"DNS {host}"), frozenset({"webhooks"}), functools.partial(look, entry, host)
            )


def _target_host(entry: str) -> str | None:
    """Give the one name that an entry is for; None for many names, an address or a network."""
    text = entry.rpartition("://")[2].removesuffix(":*")
    if "*" in text or "/" in text:
        return None
    host = urlsplit(f"//{text}").hostname
    return None if host is None or is_address(host) else host


def _schema_steps() -> list[str]:
    return sorted(one.name.partition("_")[0] for one in _STEPS.glob("[0-9]*.py"))


def _file(rest: str) -> Path:
    return Path(rest[1:].partition("?")[0]).absolute()

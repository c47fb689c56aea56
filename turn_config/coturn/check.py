"""Compares an existing `turnserver.conf` with what the settings want, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from turn_config.coturn.dangers import dangers
from turn_config.coturn.differences import differences
from turn_config.coturn.finding import Finding, Severity, in_order
from turn_config.coturn.options import Kind, option
from turn_config.coturn.reader import read
from turn_config.coturn.wanted import wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from turn_config.coturn.reader import ConfFile
    from turn_config.coturn.version import CoturnVersion
    from turn_config.deployment import Deployment
    from turn_config.settings import Host

_HARMLESS = """
    cli-ip cli-max-output-sessions cli-port daemon drain-min-allocations log-min-level lt-cred-mech
    new-log-timestamp new-log-timestamp-format no-cli no-dtls no-rfc5780 no-software-attribute
    no-stdout-log pidfile proc-group proc-user prometheus-address prometheus-path relay-threads
    response-origin-only-with-rfc5780 stateless-nonce syslog syslog-facility unauthorized-ratelimit
    unauthorized-ratelimit-rps
"""
"""May stand beside what the settings want without a word."""


def check(text: str, deployment: Deployment, host: Host, version: CoturnVersion) -> tuple[Finding, ...]:
    """Say what in the file differs from the settings or is dangerous on this host, one of the relays.

    The lines are read as coturn of this release reads them. No secret or password is in what is said.
    """
    file = read(text, version)
    ours = [entry for group in wanted(deployment, host, version) for entry in group.entries]
    dangerous = tuple(dangers(file, version))
    missing = {one.option for one in dangerous if one.line is None}
    found = [
        *_misread(file, version),
        *dangerous,
        *(
            one
            for one in differences(file, deployment, ours, version)
            if one.line is not None or one.severity is Severity.DANGER or one.option not in missing
        ),
    ]
    spoken_of = {one.line for one in found}
    expected = {*_HARMLESS.split(), *(entry.name for entry in ours)}
    found += [
        Finding(one.line, Severity.NOTE, one.name, "the settings do not ask for it")
        for one in file.settings
        if one.name not in expected and one.line not in spoken_of and not _is_off(one.name, file, version)
    ]
    return in_order(found)


def _misread(file: ConfFile, version: CoturnVersion) -> Iterator[Finding]:
    for one in file.skipped:
        yield Finding(
            one.line, Severity.DIFFERS, one.name, f"coturn {version} does not know it and skips the line"
        )
    for number in file.too_long:
        yield Finding(
            number, Severity.DIFFERS, "", "is too long: coturn takes the rest of it for a line of its own"
        )
    seen: dict[str, int] = {}
    for one in file.settings:
        known = option(one.name, version)
        if known is None or known.kind is Kind.LIST:
            continue
        if one.name in seen:
            text = f"line {seen[one.name]} has it already, and this one counts: keep one"
            yield Finding(one.line, Severity.DIFFERS, one.name, text)
        seen[one.name] = one.line
        if known.kind is Kind.FLAG and one.flag is None:
            text = "is neither yes nor no: coturn ends with an error"
            yield Finding(one.line, Severity.DIFFERS, one.name, text)


def _is_off(name: str, file: ConfFile, version: CoturnVersion) -> bool:
    known = option(name, version)
    return known is not None and known.kind is Kind.FLAG and file.on(name) is None

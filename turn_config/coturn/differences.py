"""Where a settings file of coturn is not what the settings want, by meaning and not by spelling."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from turn_config.coturn.finding import Finding, Severity
from turn_config.coturn.options import Kind, option
from turn_config.coturn.peers import EVERYTHING, AddressRange, first_gap, parse_range
from turn_config.coturn.wanted import call_addresses

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from turn_config.coturn.reader import ConfFile, Setting
    from turn_config.coturn.version import CoturnVersion
    from turn_config.coturn.wanted import Entry
    from turn_config.deployment import Deployment

_DENIED, _ALLOWED, _SECRET = "denied-peer-ip", "allowed-peer-ip", "static-auth-secret"
_TEXTS = frozenset({"realm", "cert", "pkey", "userdb", "log-file"})
"""What coturn takes letter by letter."""


def differences(
    file: ConfFile, deployment: Deployment, ours: Iterable[Entry], version: CoturnVersion
) -> Iterator[Finding]:
    """Compare the file with our entries: peers by the addresses that they hold, the rest option by option."""
    yield from _secrets(file, deployment)
    yield from _denied(file)
    yield from _allowed(file, deployment)
    by_name: dict[str, list[Entry]] = {}
    for entry in ours:
        if entry.name not in (_DENIED, _ALLOWED, _SECRET):
            by_name.setdefault(entry.name, []).append(entry)
    for name, entries in by_name.items():
        known = option(name, version)
        if known is not None and known.kind is Kind.LIST:
            yield from _list(file.all(name), entries)
        elif known is not None and known.kind is Kind.FLAG:
            yield from _flag(file.last(name), entries[0])
        else:
            yield from _value(file.last(name), entries[0], known.default if known is not None else None)


def _secrets(file: ConfFile, deployment: Deployment) -> Iterator[Finding]:
    ours = [secret.get_secret_value() for secret in deployment.turn.secrets]
    there: set[str] = set()
    for one in file.all(_SECRET):
        if one.value not in ours:
            yield Finding(one.line, Severity.DIFFERS, _SECRET, "is none of turn.secrets: remove it")
        elif one.value in there:
            yield Finding(one.line, Severity.DIFFERS, _SECRET, "stands further up already: remove it")
        there.add(one.value)
    for number, secret in enumerate(ours):
        if secret not in there:
            who = "everybody gets now" if number == 0 else "some may still have"
            text = f"turn.secrets[{number}] is missing, so credentials that {who} are refused: add it"
            yield Finding(None, Severity.DIFFERS, _SECRET, text)


def _denied(file: ConfFile) -> Iterator[Finding]:
    ranges = []
    for one in file.all(_DENIED):
        try:
            ranges.append(parse_range(one.value))
        except ValueError:
            text = "is no address and no range like 10.0.0.0-10.255.255.255: coturn denies nothing by it"
            yield Finding(one.line, Severity.DANGER, _DENIED, text)
    for everything in EVERYTHING:
        gap = first_gap(ranges, everything)
        if gap is not None:
            text = f"lets the relay reach {gap}, and maybe more, from inside: add {_DENIED}={everything}"
            yield Finding(None, Severity.DANGER, _DENIED, text)


def _allowed(file: ConfFile, deployment: Deployment) -> Iterator[Finding]:
    calls = call_addresses(deployment)
    opened: list[AddressRange] = []
    for one in file.all(_ALLOWED):
        try:
            span = parse_range(one.value)
        except ValueError:
            text = "is no address: coturn allows nothing by it"
            yield Finding(one.line, Severity.DIFFERS, _ALLOWED, text)
            continue
        opened.append(span)
        if span.first != span.last:
            text = f"opens {span}: name the servers of calls one by one"
            yield Finding(one.line, Severity.DANGER, _ALLOWED, text)
        elif span.first not in calls:
            text = f"opens {span}, which is no server of calls, to everybody with credentials: remove it"
            yield Finding(one.line, Severity.DANGER, _ALLOWED, text)
    for address in calls:
        if not any(address in span for span in opened):
            text = f"{address} is missing, so calls there are not reached: add {_ALLOWED}={address}"
            yield Finding(None, Severity.DIFFERS, _ALLOWED, text)


def _list(there: Iterable[Setting], ours: list[Entry]) -> Iterator[Finding]:
    wanted = {_meaning(entry.name, entry.value or ""): entry for entry in ours}
    seen: dict[object, int] = {}
    for one in there:
        meaning = _meaning(one.name, one.value)
        if meaning not in wanted:
            text = f"the settings have no {one.value}: remove it"
            yield Finding(one.line, Severity.DIFFERS, one.name, text)
        elif meaning in seen:
            text = f"line {seen[meaning]} says it already: remove it"
            yield Finding(one.line, Severity.DIFFERS, one.name, text)
        seen.setdefault(meaning, one.line)
    for meaning, entry in wanted.items():
        if meaning not in seen:
            yield Finding(None, Severity.DIFFERS, entry.name, f"{entry.value} is missing: add {entry}")


def _flag(there: Setting | None, ours: Entry) -> Iterator[Finding]:
    if there is None:
        yield Finding(None, Severity.DIFFERS, ours.name, "is missing: add it")
    elif there.flag is False:
        yield Finding(there.line, Severity.DIFFERS, ours.name, "is switched off: switch it on")


def _value(there: Setting | None, ours: Entry, default: str | None) -> Iterator[Finding]:
    if there is None:
        if ours.value != default:
            yield Finding(None, Severity.DIFFERS, ours.name, f"is missing: add {ours}")
    elif _meaning(ours.name, there.value) != _meaning(ours.name, ours.value or ""):
        yield Finding(
            there.line, Severity.DIFFERS, ours.name, f"the settings want {ours.value}: write {ours}"
        )


def _meaning(name: str, value: str) -> object:
    if name in _TEXTS:
        return value
    text = value.strip()
    if text.isascii() and text.isdigit():
        return int(text[:20])
    if name == "aux-server":
        address, _, port = text.rpartition(":")
        return _address(address.strip("[]")), port
    return tuple(_address(part) for part in text.split("/"))


def _address(text: str) -> object:
    try:
        return ip_address(text)
    except ValueError:
        return text

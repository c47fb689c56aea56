"""The commands `colloque turn coturn` and `turn check`: a relay's files, and what is wrong with one."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from colloque.config import ConfigError
from colloque.config_option import ConfigOption
from colloque.output_file import write_output
from colloque.ports import reason
from colloque.turn_command import relaying
from turn_config.coturn import OLDEST, CoturnVersion, Severity, check, drop_in, relay_rules, turnserver_conf

if TYPE_CHECKING:
    from turn_config import Deployment, Host
    from turn_config.coturn import Finding

FOUND_SOMETHING = 1

_MAX_FILE_BYTES = 1 << 20


class What(StrEnum):
    """The files of a relay."""

    CONF = "conf"
    SYSTEMD = "systemd"
    NFTABLES = "nftables"


HostOption = Annotated[
    str | None, typer.Option(help="Which of [[hosts]]; else this server's, or the only one that relays.")
]
VersionOption = Annotated[
    str,
    typer.Option(
        help="Its release, as `turnserver --version` says it; what it does not know is left out.",
    ),
]


def turn_coturn(
    config: ConfigOption = None,
    host: HostOption = None,
    coturn_version: VersionOption = str(OLDEST),
    output: Annotated[
        Path | None,
        typer.Option(help="The file to write; else standard output. The one with secrets is 0600."),
    ] = None,
    what: Annotated[
        What,
        typer.Option(
            help="conf: turnserver.conf; nftables: rules for what coturn may send; systemd: a drop-in that"
            " loads both."
        ),
    ] = What.CONF,
) -> None:
    """Write what coturn needs on a relay: docs/relays.md says where to put it."""
    version = _version(coturn_version)
    found = relaying(config)
    relay = _relay(found, host)
    if what is What.CONF:
        write_output(output, turnserver_conf(found, relay, version), private=True)
    elif what is What.NFTABLES:
        write_output(output, relay_rules(found, relay))
    else:
        write_output(output, drop_in(found))


def turn_check(
    file: Annotated[Path, typer.Argument(help="A turnserver.conf.")],
    config: ConfigOption = None,
    host: HostOption = None,
    coturn_version: VersionOption = str(OLDEST),
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Say line by line what in a turnserver.conf is dangerous or not as the settings want it.

    Exit code 1 when there is anything of either.
    """
    version = _version(coturn_version)
    deployment = relaying(config)
    relay = _relay(deployment, host)
    found = check(_text(file), deployment, relay, version)
    if as_json:
        print(json.dumps(_document(file, relay, version, found), indent=2))
    else:
        for one in found:
            print(f"{file}:{one.line}: {one}" if one.line is not None else f"{file}: {one}")
        print(_summary(relay, version, found))
    if any(one.severity is not Severity.NOTE for one in found):
        raise typer.Exit(FOUND_SOMETHING)


def _version(text: str) -> CoturnVersion:
    try:
        version = CoturnVersion.parse(text)
    except ValueError as error:
        raise ConfigError([f"--coturn-version: {error}"]) from error
    if version < OLDEST:
        raise ConfigError(
            [f"--coturn-version: {version} is older than {OLDEST}, the oldest that is safe here"]
        )
    return version


def _relay(deployment: Deployment, name: str | None) -> Host:
    relays = {host.name: host for host in deployment.relays}
    if name is not None:
        found = relays.get(name.lower())
        if found is None:
            raise ConfigError([f"--host: {name} is none of the hosts that serve relay: {', '.join(relays)}"])
        return found
    here = deployment.here
    if len(relays) == 1 or (here is not None and here.name in relays):
        return deployment.relays[0]
    raise ConfigError([f"--host: say which of {', '.join(relays)}: this server runs no relay"])


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            found = opened.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError([f"{file}: {reason(error)}"]) from error
    if len(found) > _MAX_FILE_BYTES:
        raise ConfigError([f"{file}: is larger than {_MAX_FILE_BYTES} bytes, which no turnserver.conf is"])
    return found.decode(errors="replace")


def _document(
    file: Path, relay: Host, version: CoturnVersion, found: tuple[Finding, ...]
) -> dict[str, object]:
    return {
        "file": str(file),
        "host": relay.name,
        "coturn_version": str(version),
        "findings": [
            {"line": one.line, "severity": one.severity, "option": one.option, "text": one.text}
            for one in found
        ],
    }


def _summary(relay: Host, version: CoturnVersion, found: tuple[Finding, ...]) -> str:
    if not found:
        return f"As the settings want it for coturn {version} on {relay.name}."
    dangerous, different, notes = (sum(one.severity is kind for one in found) for kind in Severity)
    return (
        f"For coturn {version} on {relay.name}:"
        f" {dangerous} dangerous, {different} different, {notes} only noted."
    )

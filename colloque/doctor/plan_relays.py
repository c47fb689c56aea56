"""The examinations of the relay, where this host runs one."""

from __future__ import annotations

import functools
import os
import secrets
from typing import TYPE_CHECKING

from colloque.doctor import certificate, relays
from colloque.doctor.examination import Examination, same
from colloque.doctor.probes import relay as probe
from colloque.doctor.probes.ports import ANY_PORT, bind_error
from turn_config import RANDOM_BYTES, Program, Purpose, issue, listeners

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from colloque.doctor.finding import Finding
    from turn_config import Deployment, Host, Listener

_CREDENTIAL_SECONDS = 300
_SECTIONS = frozenset({"server", "media", "turn", "hosts"})


def this_host(here: Deployment) -> Host | None:
    """Find the host that this runs on: the one of the settings, unless the addresses are another's."""
    own = [
        host
        for host in here.hosts
        if any(bind_error("udp", str(one.own), ANY_PORT) is None for one in host.addresses)
    ]
    return here.here if here.here in own or not own else own[0]


def relay_examinations(here: Deployment, host: Host | None, *, now: float) -> Iterator[Examination]:
    """Look at each port of the relay on this host, and at its certificate."""
    if host is not None and "calls" not in host.serves:
        name = host.name
        yield Examination(same(name), _SECTIONS, lambda: [relays.ONLY_RELAYS(name=name)])
    if here.relays and host not in here.relays:
        names = ", ".join(one.name for one in here.relays)
        yield Examination(same("turn"), _SECTIONS, lambda: [relays.ELSEWHERE(names=names)])
    if host is None or host not in here.relays or not here.turn.secrets:
        return
    for listener in listeners(here, host):
        if listener.program is Program.COTURN:
            for one in host.addresses:
                subject = same(f"{listener.port}/{listener.protocol.upper()} {one.own}")
                look = functools.partial(_relay, here, listener, str(one.own), now=now)
                yield Examination(subject, _SECTIONS, look)
    file, key = here.turn.tls_certificate, here.turn.tls_key
    if here.turn.tls_port and file is not None and key is not None:
        look = functools.partial(_certificate, here, host, file, key, now=now)
        yield Examination({"en": "the relay's certificate", "fr": "certificat du relais"}, _SECTIONS, look)


def _relay(here: Deployment, listener: Listener, address: str, *, now: float) -> Iterator[Finding]:
    keys = [one.get_secret_value() for one in here.turn.secrets]
    facts = probe.look(
        address,
        listener.port,
        protocol=listener.protocol,
        secured=listener.purpose is Purpose.TURN_TLS,
        setting=listener.place,
        credential=issue(keys, _CREDENTIAL_SECONDS, now=now, random=secrets.token_bytes(RANDOM_BYTES)),
        media=[one.public for host in here.hosts if "calls" in host.serves for one in host.addresses],
    )
    yield from relays.judge(facts)


def _certificate(here: Deployment, host: Host, file: Path, key: Path, *, now: float) -> Iterator[Finding]:
    from colloque.doctor.probes import handshake
    from colloque.doctor.probes.ports import shown_certificate

    if file.exists() and key.exists() and not (os.access(file, os.R_OK) and os.access(key, os.R_OK)):
        yield certificate.UNREAD(file=file)
        return
    shown = shown_certificate(str(host.addresses[0].own), here.turn.tls_port)
    facts = handshake.look(file, key, setting="turn.tls_certificate", shown=shown)
    yield from certificate.judge(facts, [host.name], now=now)

"""The examinations of our own server: its ports and its certificate."""

from __future__ import annotations

import functools
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal

from colloque.doctor import certificate, ports
from colloque.doctor.examination import Examination, same
from colloque.doctor.plan_names import is_address
from colloque.doctor.probes import ports as probe
from colloque.doctor.probes.holders import holder_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from colloque.doctor.finding import Finding, Language
    from colloque.settings import Settings
    from turn_config import Deployment


def running(settings: Settings) -> int | None:
    """Find our server: its process, 0 where that cannot be told, None where none answers."""
    address, port = split(settings.server.admin_listen)
    if not probe.is_admin(address, port):
        return None
    holder = holder_of("tcp", address, port)
    return 0 if holder is None else holder.pid


def port_examinations(
    settings: Settings, here: Deployment, ours: Callable[[], int | None]
) -> Iterator[Examination]:
    """Look at each port that the server binds."""
    server, media = settings.server, settings.media
    for setting, listen in (
        ("server.listen", server.listen),
        ("server.admin_listen", server.admin_listen),
    ):
        address, port = split(listen)
        look = functools.partial(_port, "tcp", address, port, setting, setting, ours)
        yield Examination(same(f"{port}/TCP"), frozenset({"server"}), look)
    yield Examination(
        same(server.public_url), frozenset({"server"}), functools.partial(_public_port, settings, here)
    )
    for address in dict.fromkeys(one.bind for one in media.addresses):
        look = functools.partial(
            _port, "udp", address, media.udp_port, "media.udp_port", "media.addresses", ours
        )
        yield Examination(same(f"{media.udp_port}/UDP"), frozenset({"server", "media"}), look)


def certificate_examination(
    settings: Settings, here: Deployment, ours: Callable[[], int | None], *, now: float
) -> Examination:
    """Look at the certificate of the public listener."""
    subject: dict[Language, str] = {"en": "certificate", "fr": "certificat"}
    look = functools.partial(_certificate, settings, here, ours, now=now)
    return Examination(subject, frozenset({"server"}), look)


def split(listen: str) -> tuple[str, int]:
    """Take `ADDRESS:PORT` apart."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


def _port(
    protocol: Literal["tcp", "udp"],
    address: str,
    port: int,
    setting: str,
    address_setting: str,
    ours: Callable[[], int | None],
) -> Iterator[Finding]:
    facts = probe.look(protocol, address, port, setting=setting, address_setting=address_setting, ours=ours())
    yield ports.judge(facts)


def _public_port(settings: Settings, here: Deployment) -> Iterator[Finding]:
    server = settings.server
    address, port = split(server.listen)
    yield from ports.judge_public(
        ports.PublicPortFacts(
            url=server.public_url,
            public_port=here.web_port,
            is_https=server.public_url.startswith("https://"),
            is_here_only=_is_here_only(here.public_name),
            port=port,
            is_loopback=ip_address(address).is_loopback,
            has_certificate=server.tls_certificate is not None,
        )
    )


def _certificate(
    settings: Settings, here: Deployment, ours: Callable[[], int | None], *, now: float
) -> Iterator[Finding]:
    from colloque.doctor.probes import handshake

    server = settings.server
    if server.tls_certificate is None or server.tls_key is None:
        is_here_only = _is_here_only(here.public_name)
        yield certificate.judge_none(certificate.NoCertificateFacts(server.public_url, is_here_only))
        return
    shown = probe.shown_certificate(*split(server.listen)) if ours() is not None else None
    facts = handshake.look(
        server.tls_certificate, server.tls_key, setting="server.tls_certificate", shown=shown
    )
    yield from certificate.judge(facts, [here.public_name], now=now)


def _is_here_only(name: str) -> bool:
    return name == "localhost" or (is_address(name) and ip_address(name).is_loopback)

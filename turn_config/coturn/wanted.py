"""What the settings want of coturn on one host: its options in groups, each group with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from turn_config.coturn.peers import EVERYTHING
from turn_config.coturn.version import (
    CLI_OFF,
    DRAINS_TO_A_NUMBER,
    DTLS_OFF,
    LIMITS_UNAUTHORIZED,
    SAFER_DEFAULTS,
)

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from turn_config.coturn.version import CoturnVersion
    from turn_config.deployment import Deployment
    from turn_config.settings import Host

BYTES_PER_KILOBIT = 125
"""coturn counts bandwidth in bytes a second, whatever its options are called."""

NONCE_SECONDS = 600


class Entry(NamedTuple):
    """One option as it stands in the file."""

    name: str
    value: str | None = None
    """None: a flag."""

    def __str__(self) -> str:
        """Write the line."""
        return self.name if self.value is None else f"{self.name}={self.value}"


@dataclass(frozen=True, slots=True)
class Group:
    """Options that belong together."""

    why: str
    entries: tuple[Entry, ...]


def wanted(deployment: Deployment, host: Host, version: CoturnVersion) -> tuple[Group, ...]:
    """Say what coturn of this release has to be told on this host, which must be one of the relays."""
    groups = (
        _listeners(deployment, host),
        _addresses(host),
        _default_family(deployment, host),
        _tls(deployment, version),
        _credentials(deployment),
        _no_database(),
        _relay_ports(deployment),
        _peers(deployment, host),
        _limits(deployment),
        _answers(version),
        _closed_doors(version),
        _log(),
        _metrics(deployment, version),
        _drain(version),
    )
    return tuple(group for group in groups if group.entries)


def call_addresses(deployment: Deployment) -> tuple[IPv4Address | IPv6Address, ...]:
    """List the addresses by which clients know the servers of calls: the only peers of a relay."""
    return tuple(one.public for host in deployment.hosts if "calls" in host.serves for one in host.addresses)


def _listeners(deployment: Deployment, host: Host) -> Group:
    first, *second = deployment.turn.ports
    entries = [Entry("listening-port", str(first))]
    for port in second:
        for one in host.addresses:
            written = f"[{one.own}]" if one.own.version == 6 else str(one.own)
            entries.append(Entry("aux-server", f"{written}:{port}"))
    why = f"Clients come to port {first}, by UDP and by TCP."
    if second:
        why = (
            f"Clients come to port {first}, and to {second[0]} where a site has that one open already:"
            " the same relay on both, by UDP and by TCP."
        )
    return Group(why, tuple(entries))


def _addresses(host: Host) -> Group:
    entries = [Entry(name, str(one.own)) for name in ("listening-ip", "relay-ip") for one in host.addresses]
    translated = [one for one in host.addresses if one.own != one.public]
    entries += [Entry("external-ip", f"{one.public}/{one.own}") for one in translated]
    why = "Only this host's own addresses, none that it has besides."
    if translated:
        why += " The firewall translates: clients are told the public address."
    return Group(why, tuple(entries))


def _default_family(deployment: Deployment, host: Host) -> Group:
    calls = call_addresses(deployment)
    if host.ipv4 is not None and any(one.version == 4 for one in calls):
        return Group("", ())
    return Group(
        "Browsers do not say which family they want. coturn takes that for IPv4, which is of no use here.",
        (Entry("allocation-default-address-family", "ipv6"),),
    )


def _tls(deployment: Deployment, version: CoturnVersion) -> Group:
    turn = deployment.turn
    no_dtls = [Entry("no-dtls")] if version < DTLS_OFF else []
    if not turn.tls_port:
        return Group(
            "No TLS and no DTLS: nobody is told of it, and media is encrypted from end to server anyway.",
            (Entry("no-tls"), *no_dtls),
        )
    entries = [
        Entry("tls-listening-port", str(turn.tls_port)),
        Entry("cert", str(turn.tls_certificate)),
        Entry("pkey", str(turn.tls_key)),
    ]
    if version < SAFER_DEFAULTS:
        entries += [Entry("no-tlsv1"), Entry("no-tlsv1_1")]
    return Group(
        "TLS 1.2 or newer, for networks that let nothing else out. No DTLS: no browser asks for it, and its"
        " handshake costs the server before it knows who asks.",
        (*entries, *no_dtls),
    )


def _credentials(deployment: Deployment) -> Group:
    secrets = [secret.get_secret_value() for secret in deployment.turn.secrets]
    return Group(
        "Nobody relays without credentials that Colloque made and that run out. Those of every secret here"
        " are taken, so that one can be replaced: docs/relays.md says in which order.",
        (
            Entry("realm", deployment.realm),
            Entry("use-auth-secret"),
            *(Entry("static-auth-secret", secret) for secret in secrets),
        ),
    )


def _no_database() -> Group:
    return Group(
        "No database: one left over from another set-up could add users, secrets and peers to those of this"
        " file.",
        (
            Entry("userdb", ":memory:"),
            Entry("no-dynamic-ip-list"),
            Entry("no-dynamic-realms"),
            Entry("no-auth-pings"),
        ),
    )


def _relay_ports(deployment: Deployment) -> Group:
    ports = deployment.turn.relay_ports
    return Group(
        "UDP ports from which the relay sends to the servers of calls. Only those send here: closed to"
        " clients.",
        (Entry("min-port", str(ports.first)), Entry("max-port", str(ports.last))),
    )


def _peers(deployment: Deployment, host: Host) -> Group:
    port = deployment.media_port
    by_itself = (
        " By itself it allows this host's own address behind external-ip, with all ports."
        if any(one.own != one.public for one in host.addresses)
        else ""
    )
    return Group(
        "A relay reaches what it is allowed to reach, from inside: so nothing but the servers of calls. What"
        " is allowed counts before what is denied. It opens all ports of these addresses, as coturn cannot"
        f" tell ports apart.{by_itself} The rules that `colloque turn coturn --what nftables` writes leave"
        f" only {port}/UDP. Loopback is refused without a line.",
        (
            Entry("no-tcp-relay"),
            Entry("no-multicast-peers"),
            *(Entry("denied-peer-ip", str(one)) for one in EVERYTHING),
            *(Entry("allowed-peer-ip", str(one)) for one in call_addresses(deployment)),
        ),
    )


def _limits(deployment: Deployment) -> Group:
    turn = deployment.turn
    return Group(
        "How much one set of credentials, and all together, may have. max-bps is in bytes a second, each way,"
        f" for one allocation: {turn.max_kbps_per_allocation} kb/s. bps-capacity is left out: of it coturn"
        " sets max-bps aside for every allocation, so that total-quota says the same.",
        (
            Entry("user-quota", str(turn.allocations_per_user)),
            Entry("total-quota", str(turn.allocations)),
            Entry("max-bps", str(turn.max_kbps_per_allocation * BYTES_PER_KILOBIT)),
        ),
    )


def _answers(version: CoturnVersion) -> Group:
    entries = [Entry("stale-nonce", str(NONCE_SECONDS)), Entry("fingerprint")]
    if version < SAFER_DEFAULTS:
        entries += [
            Entry("no-software-attribute"),
            Entry("no-rfc5780"),
            Entry("response-origin-only-with-rfc5780"),
            Entry("no-stun-backward-compatibility"),
        ]
    if version >= LIMITS_UNAUTHORIZED:
        entries.append(Entry("unauthorized-ratelimit"))
    return Group(
        "Answers that tell nothing of the server, can be told from media, and are as small as they can be:"
        " who forges a sender's address should gain nothing by sending here.",
        tuple(entries),
    )


def _closed_doors(version: CoturnVersion) -> Group:
    if version >= CLI_OFF:
        return Group("", ())
    return Group(
        "No telnet interface. (The administrator's pages are off by themselves.)", (Entry("no-cli"),)
    )


def _log() -> Group:
    return Group(
        "To the journal, and not verbose: then no line has anybody's address, and a user name, which is"
        " random, only where credentials were refused.",
        (Entry("log-file", "stdout"), Entry("simple-log")),
    )


def _metrics(deployment: Deployment, version: CoturnVersion) -> Group:
    port = deployment.turn.prometheus_port
    if not port:
        return Group("", ())
    why = (
        f"Figures at port {port} of every address: let only your Prometheus through to it. Without labels"
        " for users, which would be a new row for every call."
    )
    if version < SAFER_DEFAULTS:
        why += ' Debian builds coturn without Prometheus: it says "Bad configuration format" and goes on.'
    return Group(why, (Entry("prometheus"), Entry("prometheus-port", str(port))))


def _drain(version: CoturnVersion) -> Group:
    if version < DRAINS_TO_A_NUMBER:
        return Group("", ())
    return Group(
        "After SIGUSR1 coturn takes nobody new, and ends when the last one has gone.",
        (Entry("drain-min-allocations", "0"),),
    )

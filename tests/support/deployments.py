"""Deployments as the property tests of the generators draw them: any that the settings take."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from hypothesis import strategies as st

from turn_config import Deployment, FirewallSettings, Host, MediaAddress, TurnSettings

SECRET_CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=-_.!$%&'()*,:;<>?@[]^`{|}~\\"

# A domain of each, so that no two drawn addresses are equal and none is of a kind that the settings refuse.
_PUBLIC_V4, _DMZ_V4 = int(IPv4Address("192.0.2.0")), int(IPv4Address("10.20.0.0"))
_PUBLIC_V6, _DMZ_V6 = int(IPv6Address("2001:db8:1::")), int(IPv6Address("fd00:20::"))


@dataclass(frozen=True)
class _Ports:
    turn: list[int]
    tls: int
    prometheus: int
    web: int
    media: int
    relay: tuple[int, int]


@st.composite
def deployments(draw: st.DrawFn, *, relays: bool | None = None) -> Deployment:
    """Draw a deployment in which `problems` finds nothing; `relays`: with some, without any, or either.

    Some name no host, so that this server with the addresses of its media is the only one; the first of the
    named hosts is always this server.
    """
    with_relays = draw(st.booleans()) if relays is None else relays
    ports = draw(_ports())
    families = draw(st.sampled_from([(4,), (6,), (4, 6)]))
    hosts = [_host(draw, number, families) for number in range(1, draw(st.integers(1, 5)) + 1)]
    hosts[0] = hosts[0].model_copy(
        update={"serves": draw(st.sampled_from([["calls", "relay"], ["relay", "calls"], ["calls"]]))}
    )
    if with_relays and not any("relay" in host.serves for host in hosts):
        hosts[-1] = hosts[-1].model_copy(update={"serves": ["calls", "relay"]})
    media = tuple(
        MediaAddress(draw(_bind(one.own, translated=one.dmz is not None)), one.public)
        for one in hosts[0].addresses
    )
    return Deployment(
        public_url=_public_url(draw, hosts[0], ports.web),
        media_port=ports.media,
        media_addresses=media,
        named_hosts=tuple(hosts) if len(hosts) > 1 or draw(st.booleans()) else (),
        turn=draw(_turn_settings(ports, external=with_relays)),
        firewall=draw(_firewall_settings()),
    )


def _host(draw: st.DrawFn, number: int, families: tuple[int, ...]) -> Host:
    # What of the last byte is drawn cannot meet another host's: each has a block of sixteen.
    last = number * 16 + draw(st.integers(0, 15))
    domain = draw(st.sampled_from(["hospital.example", "xn--hpital-fwa.example", "a.b.c"]))
    values: dict[str, object] = {
        "name": f"visio{number}.{domain}",
        "serves": draw(st.sampled_from([["calls", "relay"], ["calls"], ["relay"], ["relay", "calls"]])),
    }
    if 4 in families:
        dmz = IPv4Address(_DMZ_V4 + last) if draw(st.booleans()) else None
        values["ipv4"] = {"public": IPv4Address(_PUBLIC_V4 + last), "dmz": dmz}
    if 6 in families:
        dmz6 = IPv6Address(_DMZ_V6 + last) if draw(st.booleans()) else None
        values["ipv6"] = {"public": IPv6Address(_PUBLIC_V6 + last), "dmz": dmz6}
    return Host.model_validate(values)


def _bind(
    own: IPv4Address | IPv6Address, *, translated: bool
) -> st.SearchStrategy[IPv4Address | IPv6Address]:
    wildcard: IPv4Address | IPv6Address = IPv4Address(0) if own.version == 4 else IPv6Address(0)
    return st.just(own) if translated else st.sampled_from([own, wildcard])


def _public_url(draw: st.DrawFn, here: Host, web_port: int) -> str:
    name = draw(st.sampled_from([here.name, "visio.hospital.example"]))
    return f"https://{name}" if web_port == 443 else f"https://{name}:{web_port}"


@st.composite
def _ports(draw: st.DrawFn) -> _Ports:
    seven = draw(st.lists(st.integers(1, 20_000), min_size=6, max_size=6, unique=True))
    turn = draw(st.sampled_from([[3478, 19302], seven[:2], seven[:1]]))
    free = [port for port in seven[2:] if port not in turn]
    web = draw(st.sampled_from([443, free[0]])) if 443 not in turn else free[0]
    media = draw(st.sampled_from([10_000, free[0]])) if 10_000 not in turn else free[0]
    others = [port for port in free[1:] if port not in (web, media)]
    tls, prometheus = others[0] if len(others) > 0 else 0, others[1] if len(others) > 1 else 0
    first = draw(st.sampled_from([49_152, 20_001, 30_000]))
    last = draw(st.one_of(st.just(65_535), st.integers(first, 65_535)))
    return _Ports(
        turn=turn,
        tls=draw(st.sampled_from([0, tls])),
        prometheus=draw(st.sampled_from([0, prometheus])),
        web=web,
        media=media,
        relay=(first, last),
    )


def _turn_settings(ports: _Ports, *, external: bool) -> st.SearchStrategy[TurnSettings]:
    first, last = ports.relay
    # What varies is short: a property that draws hundreds of characters for each secret is a slow one.
    ends = st.text(SECRET_CHARS, min_size=1, max_size=8).filter(lambda text: text[0] != "=")
    padding = st.sampled_from(["x" * 31, "0123456789+/=-_." * 2, "x" * 248])
    secret = st.builds(lambda start, rest: start + rest, ends, padding)
    secrets = st.lists(secret, min_size=1, max_size=4, unique=True)
    return st.builds(
        lambda **values: TurnSettings.model_validate(values),
        mode=st.just("external" if external else "off"),
        ports=st.just(ports.turn),
        tls_port=st.just(ports.tls),
        tls_certificate=st.just("/etc/coturn/fullchain.pem"),
        tls_key=st.just("/etc/coturn/privkey.pem"),
        realm=st.one_of(st.just(""), st.from_regex(r"[A-Za-z0-9._-]{1,127}", fullmatch=True)),
        secrets=secrets,
        credential_ttl_seconds=st.integers(300, 86_400),
        relay_ports=st.just({"first": first, "last": last}),
        allocations_per_user=st.integers(1, 1000),
        allocations=st.integers(1, last - first + 1),
        max_kbps_per_allocation=st.integers(64, 1_000_000),
        prometheus_port=st.just(ports.prometheus),
    )


def _firewall_settings() -> st.SearchStrategy[FirewallSettings]:
    return st.builds(
        lambda **values: FirewallSettings.model_validate(values),
        seats=st.integers(1, 100_000),
        contact=st.text(max_size=200),
        test_page=st.sampled_from(["", "https://visio.hospital.example/test"]),
    )

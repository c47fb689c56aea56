"""A relay leads to the servers of calls, to their port of media, and nowhere else."""

import re
import socket
from datetime import date
from ipaddress import ip_address

import pytest

from tests.support.namespace import Namespace
from tests.support.relay_stage import Relay, RelayStarter, two_hosts
from tests.support.turn_client import Data, Refused
from turn_config import Deployment, Host, MediaAddress
from turn_config.firewall import Form, firewall_sheet

pytestmark = pytest.mark.integration

FORBIDDEN, OTHER_FAMILY = 403, 443
SECRET_SERVICE = 5432

REFUSED_V4 = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.2.3",
    "203.0.113.9",
    "8.8.8.8",
    "224.0.0.1",
    "239.255.255.255",
    "255.255.255.255",
]
REFUSED_V6 = [
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:0.0.0.0",
    "::ffff:192.0.2.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "fe80::1",
    "fd00::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::3",
    "2001:4860:4860::8888",
]
REFUSED = [*((4, one) for one in REFUSED_V4), *((6, one) for one in REFUSED_V6)]


@pytest.mark.parametrize(("family", "peer"), REFUSED)
def test_nobody_is_let_through_to_others(relay: Relay, family: int, peer: str) -> None:
    client = relay.client()
    client.allocate(family)
    with pytest.raises(Refused) as refused:
        client.permit(peer, 10_000)
    assert refused.value.code == FORBIDDEN
    with pytest.raises(Refused) as refused:
        client.bind_channel(peer, 10_000)
    assert refused.value.code == FORBIDDEN


@pytest.mark.parametrize("peer", REFUSED_V6)
def test_ipv6_is_refused_to_who_has_ipv4(relay: Relay, peer: str) -> None:
    client = relay.client()
    client.allocate()
    with pytest.raises(Refused) as refused:
        client.permit(peer, 10_000)
    assert refused.value.code in (FORBIDDEN, OTHER_FAMILY)


@pytest.mark.parametrize(("family", "peer"), [(4, "127.0.0.1"), (4, "203.0.113.9"), (6, "::1")])
def test_what_is_sent_to_others_unasked_does_not_arrive(relay: Relay, family: int, peer: str) -> None:
    client = relay.client()
    client.allocate(family)
    call = {4: "192.0.2.1", 6: "2001:db8::1"}[family]
    client.permit(call)
    with relay.namespace.udp(peer, 10_000) as trap, relay.namespace.udp(call, 10_000) as server:
        client.send(peer, 10_000, b"out")
        client.send(call, 10_000, b"after it")
        assert server.recvfrom(100)[0] == b"after it"
        assert _is_silent(trap)


@pytest.mark.parametrize("by_channel", [False, True])
@pytest.mark.parametrize(("family", "host"), [(4, "192.0.2.1"), (4, "192.0.2.2"), (6, "2001:db8::1")])
def test_other_ports_of_a_server_of_calls_are_out_of_reach(
    relay: Relay, family: int, host: str, by_channel: bool
) -> None:
    intruder, other = relay.client(), relay.client()
    for client in (intruder, other):
        client.allocate(family)
        client.permit(host)
    with (
        relay.namespace.udp(host, SECRET_SERVICE) as trap,
        relay.namespace.udp(host, 10_000) as server,
    ):
        if by_channel:
            intruder.bind_channel(host, SECRET_SERVICE)
            intruder.send_channel(b"out")
        else:
            intruder.send(host, SECRET_SERVICE, b"out")
        # It is answered after the packet before it was handed to the kernel.
        intruder.refresh(600)
        assert _is_silent(trap)
        other.send(host, 10_000, b"not to be disturbed")
        assert server.recvfrom(100)[0] == b"not to be disturbed"


def test_it_is_the_rules_that_hold_them_shut(start_relay: RelayStarter) -> None:
    """What docs/relays.md warns of: without the rules coturn lets everybody through to every port."""
    bare = start_relay(two_hosts(), rules=False)
    client = bare.client()
    client.allocate()
    with bare.namespace.udp("192.0.2.1", SECRET_SERVICE) as trap:
        client.permit("192.0.2.1")
        client.send("192.0.2.1", SECRET_SERVICE, b"out")
        assert trap.recvfrom(100)[0] == b"out"


def test_no_peer_is_reached_by_tcp(relay: Relay) -> None:
    """RFC 6062: an allocation for TCP is what would let somebody connect."""
    client = relay.client("tcp")
    with pytest.raises(Refused):
        client.allocate_tcp()


def test_behind_a_firewall_that_translates_calls_are_reached_directly(start_relay: RelayStarter) -> None:
    relay = start_relay(translated())
    relay.namespace.run("ip", "route", "add", "default", "dev", "lo")
    for public, own in (("198.51.100.11", "10.20.0.11"), ("198.51.100.12", "10.20.0.12")):
        client = relay.client()
        address, port = client.allocate()
        assert address == "198.51.100.11"
        with relay.namespace.udp(own, 10_000) as server, relay.namespace.udp(own, SECRET_SERVICE) as trap:
            client.permit(public)
            client.send(public, 10_000, b"up")
            assert server.recvfrom(100) == (b"up", ("10.20.0.11", port))
            server.sendto(b"down", ("10.20.0.11", port))
            assert client.receive() == Data((public, 10_000), b"down")
            client.send(public, SECRET_SERVICE, b"out")
            client.refresh(600)
            assert _is_silent(trap)


def test_the_hosts_own_firewall_closed_all_round_lets_calls_through(start_relay: RelayStarter) -> None:
    """The rules of the firewall sheet, with those that it leaves to the operator, beside coturn's own."""
    for made in (translated(), two_hosts()):
        relay = start_relay(made)
        sheet = firewall_sheet(relay.deployment, Form.NFTABLES, "en", today=date(2030, 1, 1))
        closed = re.sub(r"(?m)^(\s*)# (.*counter drop)$", r"\1\2", sheet)
        assert "\n\t\tcounter drop\n" in closed
        relay.namespace.run("ip", "route", "replace", "default", "dev", "lo")
        relay.namespace.run("nft", "-f", "-", text=closed)
        for host in relay.deployment.hosts:
            call = host.addresses[0]
            client = relay.client()
            client.allocate()
            with relay.namespace.udp(str(call.own), 10_000) as server:
                client.permit(str(call.public))
                client.send(str(call.public), 10_000, b"up")
                data, sender = server.recvfrom(100)
                assert data == b"up"
                server.sendto(b"down", sender)
                assert client.receive() == Data((str(call.public), 10_000), b"down")


def test_own_addresses_of_other_hosts_are_refused(start_relay: RelayStarter) -> None:
    client = start_relay(translated()).client()
    client.allocate()
    with pytest.raises(Refused) as refused:
        client.permit("10.20.0.12")
    assert refused.value.code == FORBIDDEN


def test_a_host_that_only_relays_is_not_reached_itself(start_relay: RelayStarter) -> None:
    """coturn allows what stands behind external-ip without being asked."""
    relay = start_relay(translated(serves=["relay"]))
    assert relay.host.name == "visio2.example"
    client = relay.client()
    client.allocate()
    for peer in ("10.20.0.12", "198.51.100.12"):
        with relay.namespace.udp("10.20.0.12", 10_000) as trap:
            client.permit(peer)
            client.send(peer, 10_000, b"out")
            client.refresh(600)
            assert _is_silent(trap)


def test_other_programs_of_the_host_are_left_alone(relay: Relay) -> None:
    network: Namespace = relay.namespace
    with network.udp("192.0.2.1", SECRET_SERVICE) as there, network.udp("192.0.2.2") as here:
        here.sendto(b"a query", ("192.0.2.1", SECRET_SERVICE))
        assert there.recvfrom(100)[0] == b"a query"


def translated(serves: list[str] | None = None) -> Deployment:
    """Make two hosts behind a firewall; `serves`: the second does only this, and the first only calls."""
    tasks = [["calls", "relay"], ["calls", "relay"]] if serves is None else [["calls"], serves]
    hosts = tuple(
        Host.model_validate(
            {
                "name": f"visio{number}.example",
                "ipv4": {"public": f"198.51.100.1{number}", "dmz": f"10.20.0.1{number}"},
                "serves": tasks[number - 1],
            }
        )
        for number in (1, 2)
    )
    plain = two_hosts()
    return Deployment(
        public_url=plain.public_url,
        media_port=plain.media_port,
        media_addresses=(MediaAddress(ip_address("10.20.0.11"), ip_address("198.51.100.11")),),
        named_hosts=hosts,
        turn=plain.turn,
    )


def _is_silent(trap: socket.socket) -> bool:
    """Say whether nothing has come; what was sent before something that has arrived would be here."""
    trap.setblocking(False)
    try:
        return not trap.recvfrom(100)
    except BlockingIOError:
        return True

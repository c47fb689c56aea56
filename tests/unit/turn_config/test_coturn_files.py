"""A relay's files as they stand for the three hosts of a region, and where releases and layouts differ."""

import pytest

from tests.data.relays import FOLDER, files
from tests.unit.turn_config.test_checks import deployment, host
from turn_config import Deployment
from turn_config.coturn import OLDEST, CoturnVersion, drop_in, relay_rules, turnserver_conf


@pytest.mark.parametrize(
    "name", ["turnserver.conf", "turnserver-4.17.1.conf", "relay.nft", "coturn.service.d.conf"]
)
def test_the_files_of_the_region_are_as_stored(name: str) -> None:
    """After a change that is meant: `python -m tests.data.relays`, and look at the difference."""
    assert files()[name] == (FOLDER / name).read_text()


def conf(found: Deployment, version: CoturnVersion = OLDEST) -> list[str]:
    return turnserver_conf(found, found.relays[0], version).splitlines()


def test_every_line_is_an_option_or_a_comment_above_one() -> None:
    blocks = turnserver_conf(deployment(), deployment().relays[0], OLDEST).split("\n\n")
    for block in blocks:
        assert block.startswith("# ")
    for block in blocks[1:]:
        assert [line for line in block.splitlines() if not line.startswith("#")], block


def test_bandwidth_is_in_bytes() -> None:
    assert "max-bps=250000" in conf(deployment(max_kbps_per_allocation=2000))


def test_one_port_needs_no_second_server() -> None:
    assert not [line for line in conf(deployment(ports=[3478])) if line.startswith("aux-server")]


def test_without_a_port_for_tls_there_is_no_tls() -> None:
    assert "no-tls" in conf(deployment())
    with_tls = conf(deployment(tls_port=5349, tls_certificate="/c.pem", tls_key="/k.pem"))
    assert "no-tls" not in with_tls
    assert "tls-listening-port=5349" in with_tls


def test_where_calls_have_ipv6_alone_that_is_what_clients_get() -> None:
    only = host(1, ipv4=None, ipv6={"public": "2001:db8::1"})
    assert "allocation-default-address-family=ipv6" in conf(deployment(only))
    assert not [line for line in conf(deployment()) if line.startswith("allocation-default")]


def test_hosts_that_serve_no_calls_are_no_peers() -> None:
    lines = conf(deployment(host(1), host(2, serves=["relay"])))
    assert [line for line in lines if line.startswith("allowed-peer-ip")] == ["allowed-peer-ip=192.0.2.1"]


def test_a_relay_outside_the_firewall_sends_to_public_addresses() -> None:
    inside = host(1, ipv4={"public": "192.0.2.1", "dmz": "10.0.0.1"}, serves=["calls"])
    outside = host(2, serves=["relay"])
    found = deployment(inside, outside)
    rules = relay_rules(found, outside)
    assert "dnat" not in rules
    assert "ip daddr { 192.0.2.1 } udp sport 49152-65535 udp dport 10000 accept" in rules


def test_a_port_below_1024_is_allowed_to_who_is_not_root() -> None:
    tls = {"tls_certificate": "/c.pem", "tls_key": "/k.pem"}
    assert "\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n" in drop_in(deployment(tls_port=443, **tls))
    assert "\nAmbientCapabilities=\n" in drop_in(deployment(tls_port=5349, **tls))


def test_there_are_files_for_every_allocation() -> None:
    assert "\nLimitNOFILE=24096\n" in drop_in(deployment(allocations=10_000))

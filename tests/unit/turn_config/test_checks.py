"""Ports and addresses that cannot work together are named with the field to change."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from turn_config import Deployment, Host, MediaAddress, TurnSettings, problems

SECRET = "a-relay-secret-of-the-tests-that-is-long"
APART = "choose another, or a host of its own for the relay"


def host(number: int, **more: object) -> Host:
    values = {"name": f"visio{number}.hospital.example", "ipv4": {"public": f"192.0.2.{number}"}}
    return Host.model_validate(values | more)


def deployment(*hosts: Host, **turn: object) -> Deployment:
    return Deployment(
        public_url="https://visio.hospital.example",
        media_port=10000,
        media_addresses=(MediaAddress(ip_address("10.0.0.1"), ip_address("192.0.2.1")),),
        named_hosts=hosts or (host(1), host(2), host(3)),
        turn=TurnSettings.model_validate({"mode": "external", "secrets": [SECRET]} | turn),
    )


def lines(found: Deployment) -> list[str]:
    return [str(one) for one in problems(found)]


def test_the_regional_layout_of_three_hosts_is_well() -> None:
    assert lines(deployment()) == []


def test_so_is_one_server_that_names_no_host() -> None:
    assert lines(replace(deployment(), named_hosts=())) == []


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        ({"secrets": []}, ["turn.secrets: needs one at least: the output of openssl rand -base64 33"]),
        ({"ports": [3478, 3478]}, ["turn.ports[1]: is the same port as turn.ports[0]: name one once"]),
        (
            {"ports": [3478, 443]},
            [f"turn.ports[1]: 443/TCP is server.public_url already: {APART}"],
        ),
        (
            {"ports": [10000, 19302]},
            [f"turn.ports[0]: 10000/UDP is media.udp_port already: {APART}"],
        ),
        (
            {"tls_port": 3478, "tls_certificate": "/c.pem", "tls_key": "/k.pem"},
            [f"turn.tls_port: 3478/TCP is turn.ports[0] already: {APART}"],
        ),
        ({"tls_port": 5349}, ["turn.tls_certificate: is missing, and turn.tls_port needs one"]),
        (
            {"relay_ports": {"first": 9000, "last": 11000}},
            ["turn.relay_ports: 9000-11000 holds 10000, which is media.udp_port: leave it out"],
        ),
        (
            {"relay_ports": {"first": 50000, "last": 50009}},
            ["turn.relay_ports: has 10 ports for turn.allocations = 1200: each takes one"],
        ),
        (
            {"prometheus_port": 3478},
            [f"turn.prometheus_port: 3478/TCP is turn.ports[0] already: {APART}"],
        ),
    ],
)
def test_a_setting_that_cannot_work_is_named_once(turn: dict[str, object], expected: list[str]) -> None:
    assert lines(deployment(**turn)) == expected


def test_turn_over_tls_takes_443_on_a_host_of_its_own() -> None:
    tls = {"tls_port": 443, "tls_certificate": "/c.pem", "tls_key": "/k.pem"}
    apart = (host(1, serves=["calls"]), host(2, serves=["relay"]))
    assert lines(deployment(*apart, **tls)) == []
    assert lines(deployment(**tls)) == [f"turn.tls_port: 443/TCP is server.public_url already: {APART}"]


def test_hosts_that_are_the_same_or_out_of_reach_are_named_together() -> None:
    hosts = (
        host(1, ipv6={"public": "2001:db8::1"}),
        host(1, ipv4={"public": "192.0.2.1"}),
        host(3, ipv4={"public": "0.0.0.0"}, ipv6={"public": "::ffff:192.0.2.3"}),
        host(4, ipv4=None, ipv6={"public": "ff02::1"}),
    )
    assert lines(deployment(*hosts)) == [
        "hosts[1].name: is the name of hosts[0] already",
        "hosts[1].ipv4.public: 192.0.2.1 is hosts[0].ipv4.public already",
        "hosts[2].ipv4.public: 0.0.0.0 is no address that clients can reach",
        "hosts[2].ipv6.public: ::ffff:c000:203 is an IPv4 address: write it as one, under ipv4",
        "hosts[3].ipv6.public: ff02::1 is no address that clients can reach",
        "hosts[1].ipv6: is missing, while hosts[0] has one: who comes by IPv6 could not reach this host",
        "media.addresses: none announces 2001:db8::1, which hosts[0].ipv6.public promises",
    ]


def test_this_server_must_be_one_of_the_hosts() -> None:
    assert lines(deployment(host(7))) == [
        "hosts: none has an address that media.addresses announces (192.0.2.1)"
    ]
    assert lines(deployment(host(1, serves=["relay"]))) == [
        "hosts[0].serves: must name calls: this server runs there"
    ]


def test_external_relays_need_a_host_to_run_on() -> None:
    assert lines(deployment(host(1, serves=["calls"]))) == [
        "hosts: none serves relay, while turn.mode is external"
    ]

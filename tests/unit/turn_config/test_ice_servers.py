"""What clients are told: our own relays, the best way first, never more than browsers like."""

from dataclasses import replace
from ipaddress import ip_address

from turn_config import (
    Deployment,
    Host,
    MediaAddress,
    TurnSettings,
    accepts,
    browser_shape,
    classic_shape,
    ice_servers,
)

SECRET = "a-relay-secret-of-the-tests-that-is-long"
TLS = {"tls_port": 5349, "tls_certificate": "/c.pem", "tls_key": "/k.pem"}


def deployment(hosts: int, **turn: object) -> Deployment:
    return Deployment(
        public_url="https://visio.hospital.example",
        media_port=10000,
        media_addresses=(MediaAddress(ip_address("10.0.0.2"), ip_address("192.0.2.2")),),
        named_hosts=tuple(
            Host.model_validate({"name": f"visio{one}.example", "ipv4": {"public": f"192.0.2.{one}"}})
            for one in range(1, hosts + 1)
        ),
        turn=TurnSettings.model_validate({"mode": "external", "secrets": [SECRET]} | turn),
    )


def test_the_relay_of_this_host_comes_first_and_another_stands_by() -> None:
    (server,) = ice_servers(deployment(3, **TLS), now=0, random=b"r").servers
    assert server.urls == (
        "turn:visio2.example:3478?transport=udp",
        "turn:visio2.example:19302?transport=udp",
        "turn:visio2.example:3478?transport=tcp",
        "turns:visio2.example:5349?transport=tcp",
        "turn:visio1.example:3478?transport=udp",
    )


def test_there_are_never_more_than_five() -> None:
    assert len(ice_servers(deployment(9), now=0, random=b"r").servers[0].urls) == 5


def test_both_shapes_carry_credentials_that_the_relay_takes() -> None:
    told = ice_servers(deployment(2), now=1000, random=b"r")
    (server,) = browser_shape(told)["iceServers"]
    classic = classic_shape(told)
    assert classic["uris"] == server["urls"]
    assert (classic["username"], classic["password"]) == (server["username"], server["credential"])
    assert classic["ttl"] == 14_400
    assert accepts([SECRET], classic["username"], classic["password"], now=1000 + 14_399)


def test_where_relays_are_off_nobody_is_sent_anywhere() -> None:
    off = replace(deployment(2), turn=TurnSettings())
    told = ice_servers(off, now=0, random=b"r")
    assert browser_shape(told) == {"iceServers": []}
    assert classic_shape(told) == {"ttl": 14_400, "uris": []}


def test_an_address_in_place_of_a_name_is_written_as_urls_have_it() -> None:
    alone = replace(deployment(1), public_url="https://[2001:db8::2]", named_hosts=())
    (server,) = ice_servers(alone, now=0, random=b"r").servers
    assert server.urls[0] == "turn:[2001:db8::2]:3478?transport=udp"

"""Whether a port can be had, and what is said to do if not."""

import errno
from dataclasses import replace

import pytest

from colloque.doctor.ports import PortFacts, PublicPortFacts, judge, judge_public
from colloque.doctor.probes.holders import open_ports
from tests.support.doctor_words import codes, english


def facts(error: int | None, address: str = "10.0.0.5", *, ours: bool = False, holder: str = "") -> PortFacts:
    return PortFacts("tcp", 443, address, "server.listen", "server.listen", error, ours=ours, holder=holder)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (facts(None), "port.free"),
        (facts(errno.EADDRINUSE, ours=True), "port.ours"),
        (facts(errno.EADDRINUSE, holder="nginx, pid 812"), "port.taken"),
        (facts(errno.EADDRINUSE), "port.taken_by_somebody"),
        (facts(errno.EACCES), "port.no_right"),
        (facts(errno.EADDRNOTAVAIL), "port.no_address"),
        (facts(errno.EADDRNOTAVAIL, "2001:db8::5"), "port.no_ipv6"),
        (facts(errno.EAFNOSUPPORT, "2001:db8::5"), "port.no_ipv6"),
        (facts(errno.EMFILE), "port.refused"),
    ],
)
def test_each_outcome_of_binding_has_its_line(found: PortFacts, code: str) -> None:
    assert codes(judge(found)) == [code]


def test_who_holds_a_port_is_named_with_the_setting_to_change() -> None:
    said = english(judge(facts(errno.EADDRINUSE, holder="nginx, pid 812")))
    assert "443/TCP on 10.0.0.5 is held by another program (nginx, pid 812)" in said
    assert "change server.listen" in said


def test_a_missing_right_is_given_as_the_line_for_systemd() -> None:
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE" in english(judge(facts(errno.EACCES)))


def public(**changes: object) -> list[str]:
    usual = PublicPortFacts(
        "https://visio.example",
        443,
        is_https=True,
        is_here_only=False,
        port=443,
        is_loopback=False,
        has_certificate=True,
    )
    return codes(judge_public(replace(usual, **changes)))  # type: ignore[arg-type]


def test_the_port_that_people_come_to_is_compared_with_the_listeners() -> None:
    assert public() == []
    assert public(port=8443) == ["port.other_than_public"]
    assert public(is_loopback=True) == ["port.only_here"]
    assert public(is_loopback=True, is_here_only=True) == []


def test_behind_a_proxy_the_listener_may_be_anywhere() -> None:
    assert public(has_certificate=False, is_loopback=True, port=8080) == []
    assert public(has_certificate=False, is_https=False, port=8080) == ["port.other_than_public"]


_TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0500000A:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 101 1 0
   1: 0500000A:01BB 0100000A:D431 01 00000000:00000000 00:00000000 00000000     0        0 102 1 0
"""
_UDP6 = """\
  sl  local_address  remote_address  st tx rx tr tm uid timeout inode
   1: B80D0120000000000000000005000000:2710 00000000000000000000000000000000:0000 07 0:0 00:0 0 0 0 201 2 0
   2: 0000000000000000FFFF00000500000A:2710 00000000000000000000000000000000:0000 07 0:0 00:0 0 0 0 202 2 0
"""


def test_only_listening_sockets_of_tcp_hold_a_port() -> None:
    assert [(str(one.address), one.port, one.inode) for one in open_ports(_TCP, "tcp")] == [
        ("10.0.0.5", 443, 101)
    ]


def test_ipv6_addresses_of_the_kernels_list_are_read() -> None:
    assert [(str(one.address), one.port, one.inode) for one in open_ports(_UDP6, "udp6")] == [
        ("2001:db8::5", 10000, 201),
        ("10.0.0.5", 10000, 202),
    ]

"""What the sheet promises holds, and its fingerprint tells an old sheet from a new one."""

from dataclasses import replace
from datetime import date
from ipaddress import ip_address
from typing import Any

import pytest

from signalling.livekit import LiveKitSettings
from signalling.waiting import WaitingSettings
from tests.support.regional import REGIONAL, SECRET, TODAY
from turn_config import Deployment, FirewallSettings, MediaAddress, TurnSettings
from turn_config.firewall.sheet import PING_SECONDS, TCP_IDLE_SECONDS, WAITING_PING_SECONDS, sheet


def of(deployment: Deployment, today: date = TODAY) -> str:
    return sheet(deployment, today=today).fingerprint


def with_host(**changes: Any) -> Deployment:
    first, *others = REGIONAL.named_hosts
    return replace(REGIONAL, named_hosts=(first.model_copy(update=changes), *others))


def with_turn(**changes: Any) -> Deployment:
    return replace(REGIONAL, turn=REGIONAL.turn.model_copy(update=changes))


def with_firewall(**changes: Any) -> Deployment:
    return replace(REGIONAL, firewall=REGIONAL.firewall.model_copy(update=changes))


def test_the_fingerprint_is_short_and_stays_from_one_version_to_the_next() -> None:
    assert of(REGIONAL) == "2d23-1a4f-f964"


@pytest.mark.parametrize(
    "same",
    [
        with_turn(secrets=TurnSettings.model_validate({"secrets": [SECRET[::-1]]}).secrets),
        with_turn(credential_ttl_seconds=600, realm="other", allocations=7),
        replace(REGIONAL, media_addresses=(MediaAddress(ip_address("10.9.9.9"), ip_address("192.0.2.1")),)),
        with_firewall(test_page="https://visio.region.example"),
        with_firewall(contact="  support@region.example,\n01 02 03 04 05"),
    ],
)
def test_what_no_sheet_shows_leaves_it_as_it_is(same: Deployment) -> None:
    assert same != REGIONAL
    assert of(same) == of(REGIONAL)


def test_another_day_leaves_it_as_it_is() -> None:
    assert of(REGIONAL, date(2027, 1, 1)) == of(REGIONAL)


@pytest.mark.parametrize(
    "other",
    [
        replace(REGIONAL, public_url="https://appels.region.example"),
        replace(REGIONAL, media_port=10001),
        replace(REGIONAL, named_hosts=REGIONAL.named_hosts[:2]),
        replace(REGIONAL, marks=False),
        with_host(name="visio9.region.example"),
        with_host(serves=["calls"]),
        with_host(ipv6=None),
        with_turn(mode="off"),
        with_turn(ports=[3478]),
        with_turn(ports=[3478, 19303]),
        with_turn(tls_port=5349),
        with_firewall(seats=11),
        with_firewall(contact="somebody else"),
        with_firewall(test_page="https://visio.region.example/test"),
    ],
)
def test_whatever_a_sheet_shows_changes_it(other: Deployment) -> None:
    assert of(other) != of(REGIONAL)


def test_the_reserve_is_for_all_seats() -> None:
    many = sheet(replace(REGIONAL, firewall=FirewallSettings(seats=45)), today=TODAY)
    assert [(one.profile, one.kbps_per_seat, one.kbps) for one in many.reserves] == [
        ("usual", 2000, 90_000),
        ("least", 1000, 45_000),
        ("sound_only", 60, 2700),
    ]
    assert many.packets_per_second == 13_500


def test_the_marks_are_those_of_the_server_or_none() -> None:
    marked = sheet(REGIONAL, today=TODAY)
    assert [(one.traffic, one.name, one.dscp, one.tos) for one in marked.marks] == [
        ("sound", "EF", 46, 0xB8),
        ("pictures", "AF41", 34, 0x88),
        ("rest", "CS0", 0, 0),
    ]
    assert sheet(replace(REGIONAL, marks=False), today=TODAY).marks == ()


def test_a_quiet_connection_is_kept_alive_as_often_as_the_sheet_says() -> None:
    assert LiveKitSettings().times.ping_interval == PING_SECONDS
    assert WaitingSettings().times.ping_interval == WAITING_PING_SECONDS
    assert max(PING_SECONDS, WAITING_PING_SECONDS) * 3 < TCP_IDLE_SECONDS


def test_a_host_that_nobody_sends_to_is_not_on_it() -> None:
    idle = replace(with_turn(mode="off"), named_hosts=with_host(serves=["relay"]).named_hosts)
    told = sheet(idle, today=TODAY)
    assert [host.name for host in told.hosts] == ["visio2.region.example", "visio3.region.example"]

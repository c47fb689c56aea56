"""What a site is asked to open is what listens, and no more is said to break than does."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from tests.support.deployments import deployments
from tests.support.regional import REGIONAL, SECRET
from turn_config import Deployment, TurnSettings, ice_servers, listeners
from turn_config.firewall.rows import Direction, IfClosed, Need, Row, rows

TLS = {"tls_port": 5349, "tls_certificate": "/c.pem", "tls_key": "/k.pem"}


def with_turn(**turn: object) -> Deployment:
    return replace(
        REGIONAL, turn=TurnSettings.model_validate({"mode": "external", "secrets": [SECRET]} | turn)
    )


def first_host(deployment: Deployment) -> list[Row]:
    return [row for row in rows(deployment) if row.host == deployment.hosts[0].name]


def test_each_host_of_a_region_has_the_rows_that_regions_ask_for() -> None:
    expected = ["443/TCP", "10000/UDP", "3478/UDP", "3478/TCP", "19302/UDP", "19302/TCP", "10000/UDP"]
    found = rows(REGIONAL)
    assert [row.written for row in found] == expected * 3
    assert [row.direction for row in found] == [*[Direction.OUTBOUND] * 6, Direction.RETURN] * 3
    assert {str(row.ipv4) for row in found} == {"192.0.2.1", "192.0.2.2", "192.0.2.3"}


@given(deployments())
@settings(max_examples=50, deadline=None)
def test_the_rows_are_the_listeners_and_what_media_sends_back(deployment: Deployment) -> None:
    told = [
        (row.host, row.protocol, row.port, row.purpose, row.ipv4, row.ipv6)
        for row in rows(deployment)
        if row.direction is Direction.OUTBOUND
    ]
    assert told == [
        (
            host.name,
            one.protocol,
            one.port,
            one.purpose,
            None if host.ipv4 is None else host.ipv4.public,
            None if host.ipv6 is None else host.ipv6.public,
        )
        for host in deployment.hosts
        for one in listeners(deployment, host)
    ]
    back = [
        (row.host, row.protocol, row.port) for row in rows(deployment) if row.direction is Direction.RETURN
    ]
    calls = [host.name for host in deployment.hosts if "calls" in host.serves]
    assert back == [(name, "udp", deployment.media_port) for name in calls]


@given(deployments())
@settings(max_examples=50, deadline=None)
def test_every_row_has_an_id_of_its_own(deployment: Deployment) -> None:
    ids = [row.id for row in rows(deployment)]
    assert len(set(ids)) == len(ids)


def test_ids_are_what_scripts_have_kept() -> None:
    assert [row.id for row in first_host(REGIONAL)][::6] == [
        "visio1.region.example/tcp/443/outbound",
        "visio1.region.example/udp/10000/return",
    ]


def test_without_relays_media_is_required() -> None:
    web, media, back = first_host(with_turn(mode="off"))
    assert (web.need, web.if_closed) == (Need.REQUIRED, IfClosed.NO_CALL)
    assert (media.need, media.if_closed, media.instead) == (Need.REQUIRED, IfClosed.NO_MEDIA, ())
    assert (back.need, back.if_closed) == (Need.REQUIRED, IfClosed.UNANSWERED)


def test_with_relays_each_port_says_which_one_takes_its_place() -> None:
    found = {row.written: (row.need, row.if_closed, row.instead) for row in first_host(with_turn(**TLS))[:-1]}
    assert found == {
        "443/TCP": (Need.REQUIRED, IfClosed.NO_CALL, ()),
        "10000/UDP": (
            Need.ADVISED,
            IfClosed.RELAYED,
            ("3478/UDP", "19302/UDP", "3478/TCP", "5349/TCP"),
        ),
        "3478/UDP": (Need.ADVISED, IfClosed.NEXT_PORT, ("19302/UDP",)),
        "3478/TCP": (Need.ADVISED, IfClosed.NEXT_PORT, ("5349/TCP",)),
        "19302/UDP": (Need.OPTIONAL, IfClosed.NEXT_PORT, ("3478/TCP",)),
        "19302/TCP": (Need.OPTIONAL, IfClosed.NOTHING, ("3478/TCP",)),
        "5349/TCP": (Need.ADVISED, IfClosed.LAST_RESORT, ()),
    }


@pytest.mark.parametrize("turn", [{}, TLS, {"ports": [3478]}])
def test_what_takes_the_place_of_media_is_what_clients_are_told(turn: dict[str, object]) -> None:
    deployment = with_turn(**turn)
    (media,) = [row for row in first_host(deployment) if row.if_closed is IfClosed.RELAYED]
    (server,) = ice_servers(deployment, now=0, random=b"r").servers
    own = [url for url in server.urls if "visio1" in url]
    assert [
        f"{port}?transport={way.lower()}" for port, _, way in (x.partition("/") for x in media.instead)
    ] == [url.rpartition(":")[2] for url in own]

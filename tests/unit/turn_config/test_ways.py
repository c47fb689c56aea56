"""The ways to the relays one at a time."""

from dataclasses import replace
from itertools import count

from tests.unit.turn_config.test_ice_servers import SECRET, TLS, deployment
from turn_config import Program, TurnSettings, Way, accepts, listeners, ways


def found(hosts: int, **turn: object) -> tuple[Way, ...]:
    numbers = count()
    return ways(deployment(hosts, **turn), now=1000, random=lambda size: next(numbers).to_bytes(size))


def test_every_port_of_this_hosts_relay_is_a_way_of_its_own_and_another_relay_has_one() -> None:
    assert [(one.name, one.port, one.server.urls) for one in found(3, **TLS)] == [
        ("turn_udp", 3478, ("turn:visio2.example:3478?transport=udp",)),
        ("turn_tcp", 3478, ("turn:visio2.example:3478?transport=tcp",)),
        ("turn_udp", 19302, ("turn:visio2.example:19302?transport=udp",)),
        ("turn_tcp", 19302, ("turn:visio2.example:19302?transport=tcp",)),
        ("turn_tls", 5349, ("turns:visio2.example:5349?transport=tcp",)),
        ("turn_udp", 3478, ("turn:visio1.example:3478?transport=udp",)),
        ("turn_udp", 3478, ("turn:visio3.example:3478?transport=udp",)),
    ]


def test_no_port_that_the_firewalls_page_names_for_this_relay_is_left_out() -> None:
    whole = deployment(1, **TLS)
    listed = [one.port for one in listeners(whole, whole.relays[0]) if one.program is Program.COTURN]
    assert [one.port for one in found(1, **TLS)] == listed


def test_there_are_never_more_than_eight() -> None:
    assert len(found(9, **TLS)) == 8


def test_each_way_has_credentials_of_its_own_that_the_relay_takes() -> None:
    users = [one.server for one in found(2, **TLS)]
    assert len({one.username for one in users}) == len(users)
    assert all(accepts([SECRET], one.username, one.credential, now=1000) for one in users)


def test_where_relays_are_off_there_is_no_way() -> None:
    off = replace(deployment(2), turn=TurnSettings())
    assert ways(off, now=0, random=bytes) == ()

"""What holds for every deployment that the settings take."""

from hypothesis import given, settings

from tests.support.deployments import deployments
from turn_config import Deployment, Program, Purpose, ice_servers, listeners, problems


@given(deployments())
@settings(max_examples=50, deadline=None)
def test_the_deployments_that_are_drawn_are_valid(drawn: Deployment) -> None:
    assert problems(drawn) == ()


@given(deployments(relays=True))
@settings(max_examples=50, deadline=None)
def test_those_asked_for_with_relays_have_one(drawn: Deployment) -> None:
    assert drawn.relays


@given(deployments(relays=True))
@settings(max_examples=50, deadline=None)
def test_clients_are_sent_to_listeners_of_its_relays_and_nowhere_else(drawn: Deployment) -> None:
    (server,) = ice_servers(drawn, now=0, random=b"r").servers
    scheme = {Purpose.TURN_TLS: "turns"}
    listening = {
        f"{scheme.get(one.purpose, 'turn')}:{_in_url(host.name)}:{one.port}?transport={one.protocol}"
        for host in drawn.relays
        for one in listeners(drawn, host)
        if one.program is Program.COTURN
    }
    assert 1 <= len(server.urls) <= 5
    assert len(set(server.urls)) == len(server.urls)
    assert set(server.urls) <= listening


def _in_url(name: str) -> str:
    return f"[{name}]" if ":" in name else name

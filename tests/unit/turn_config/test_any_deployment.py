"""What holds for every deployment that the settings take."""

from hypothesis import given, settings

from tests.support.deployments import deployments
from turn_config import Deployment, problems


@given(deployments())
@settings(deadline=None)
def test_the_deployments_that_are_drawn_are_valid(drawn: Deployment) -> None:
    assert problems(drawn) == ()


@given(deployments(relays=True))
@settings(deadline=None)
def test_those_asked_for_with_relays_have_one(drawn: Deployment) -> None:
    assert drawn.relays

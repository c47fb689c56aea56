"""A stage for every test."""

import pytest

from tests.support.stage import Stage


@pytest.fixture
def stage() -> Stage:
    """Give calls in virtual time."""
    return Stage()

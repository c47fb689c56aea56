"""A relay of Debian's coturn from the generated file, in a network of its own."""

from collections.abc import Iterator

import pytest

from tests.support.relay_stage import Relay, RelayStarter, two_hosts


@pytest.fixture(scope="module")
def start_relay() -> Iterator[RelayStarter]:
    """Start relays, which are gone at the end of the module."""
    starter = RelayStarter()
    yield starter
    starter.close()


@pytest.fixture(autouse=True)
def leaving(start_relay: RelayStarter) -> Iterator[None]:
    """Close what a test has opened."""
    yield
    start_relay.leave()


@pytest.fixture(scope="module")
def relay(start_relay: RelayStarter) -> Relay:
    """Give a relay on the first of two hosts that both serve calls, with its rules."""
    return start_relay(two_hosts())

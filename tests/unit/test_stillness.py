"""The fixture that keeps unit tests off the network and off the clock."""

import asyncio
import socket
import time

import pytest


def test_a_unit_test_cannot_open_an_internet_socket() -> None:
    for family in (socket.AF_INET, socket.AF_INET6):
        with pytest.raises(AssertionError, match="opened a socket"):
            socket.socket(family, socket.SOCK_DGRAM)


def test_a_unit_test_cannot_open_a_socket_of_the_default_family() -> None:
    with pytest.raises(AssertionError, match="opened a socket"):
        socket.socket()


def test_a_socket_pair_of_the_event_loop_is_allowed() -> None:
    near, far = socket.socketpair()
    near.close()
    far.close()


def test_a_unit_test_cannot_sleep() -> None:
    with pytest.raises(AssertionError, match="slept"):
        time.sleep(0.001)


async def test_a_unit_test_cannot_await_the_clock() -> None:
    with pytest.raises(AssertionError, match="slept"):
        await asyncio.sleep(0.001)


async def test_a_unit_test_may_let_other_tasks_run() -> None:
    assert await asyncio.sleep(0, "value") == "value"

"""The rule that unit and contract tests need neither network nor time, made to hold."""

import asyncio
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

# The event loop itself wakes up through a socket pair; only what could leave the process is refused.
_REFUSED_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_ADVICE = "pass time or bytes in as arguments, or move the test to tests/integration"
_WITH_A_WORLD = {"integration", "stall", "browser"}


@pytest.fixture(autouse=True)
def stillness(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make internet sockets and every sleep over zero seconds fail in tests that should need neither."""
    if not _WITH_A_WORLD & set(Path(request.path).parts):
        monkeypatch.setattr(socket, "socket", _LocalSocket)
        monkeypatch.setattr(time, "sleep", _refuse_sleep)
        monkeypatch.setattr(asyncio, "sleep", _only_yield(asyncio.sleep))


class _LocalSocket(socket.socket):
    def __init__(
        self,
        family: int = -1,
        type: int = -1,  # noqa: A002 - the name is the standard library's
        proto: int = -1,
        fileno: int | None = None,
    ) -> None:
        if fileno is None and family in (-1, *_REFUSED_FAMILIES):
            raise AssertionError(f"a test below tests/integration opened a socket: {_ADVICE}")
        super().__init__(family, type, proto, fileno)


def _refuse_sleep(seconds: float) -> NoReturn:
    raise AssertionError(f"a test below tests/integration slept {seconds} s: {_ADVICE}")


def _only_yield(sleep: Callable[..., Any]) -> Callable[..., Any]:
    async def yielding(seconds: float, result: object = None) -> object:
        if seconds > 0:
            raise AssertionError(f"a test below tests/integration slept {seconds} s: {_ADVICE}")
        return await sleep(0, result)

    return yielding

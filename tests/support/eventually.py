"""Waiting for something that a real process will do soon, without guessing how long it takes."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Value = TypeVar("Value")
_POLL = 0.02


async def eventually(look: Callable[[], Awaitable[Value]], *, within: float = 5.0, what: str = "") -> Value:
    """Look again and again until the answer is true, and give it back; fail after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        seen = await look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what or look}; last seen: {seen!r}")
        await asyncio.sleep(_POLL)


async def until(look: Callable[[], object]) -> None:
    """Wait until something that can be seen at once holds."""

    async def seen() -> bool:
        return bool(look())

    await eventually(seen)

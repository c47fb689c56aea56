"""How much time on the processor a piece of work takes, on a machine of ordinary speed.

Requirements are written in milliseconds, but machines differ, and neighbours on the same processor slow it
down. So each reading is set against a fixed piece of work that took `_ORDINARY` seconds where the figures of
this project were taken.
"""

import contextlib
import gc
import time
from collections.abc import Callable, Iterator

_ORDINARY = 0.0025
_SLOWEST = 3.0  # times slower than that is no machine for this


def ordinary_seconds(work: Callable[[], object]) -> float:
    """Do the work and return how long it would have held an ordinary processor."""
    slower = slowness()
    return _seconds_of(work) / slower


def slowness() -> float:
    """Return how many times slower than an ordinary one this processor is now; faster ones count as such."""
    fixed = min(_seconds_of(_count_words) for _ in range(5))
    return min(_SLOWEST, max(1.0, fixed / _ORDINARY))


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector out of a reading: its rounds go through all that the other tests made."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _seconds_of(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _count_words() -> None:
    found: dict[str, list[int]] = {}
    for number in range(20_000):
        found.setdefault(f"word {number % 997}", []).append(number)
    sorted(found, key=lambda word: -len(found[word]))

"""Which worker a leg lives on."""

from collections.abc import Sequence


def home_worker(call_worker: int | None, legs: Sequence[int]) -> int:
    """Choose the worker of a new leg; `legs` counts the legs of each worker.

    A call stays on one worker, so that its packets change threads nowhere; a new call goes where there is
    least.
    """
    if call_worker is not None:
        return call_worker
    return min(range(len(legs)), key=lambda worker: legs[worker])

"""Which worker a leg lives on."""

from collections.abc import Sequence

_UNEVEN = 8
"""So many legs more than the emptiest worker has are worth a way between threads for a call's packets."""


def home_worker(of_call: Sequence[int], legs: Sequence[int]) -> int:
    """Choose the worker of a new leg.

    `of_call` counts the legs of its call on each worker, `legs` those of all calls. A call stays where it is,
    so that its packets change threads nowhere, until its workers have much more to do than another one. A new
    call goes where there is least.
    """
    workers = range(len(legs))
    emptiest = min(workers, key=lambda worker: legs[worker])
    used = [worker for worker in workers if of_call[worker]]
    home = min(used, key=lambda worker: legs[worker], default=emptiest)
    return emptiest if legs[home] - legs[emptiest] >= _UNEVEN else home

"""Runs `colloque` as freezable.py does, with the legs of each call spread evenly over the workers.

By itself the server keeps a small call on one worker: what crosses workers would need a call of many.
"""

import runpy
from pathlib import Path

from sfu import Call, Sfu


def _place(sfu: Sfu, call: Call) -> int:
    homes = [leg.transport.worker for leg in call.legs.values()]
    return min(range(len(sfu.snapshot().workers)), key=homes.count)


if __name__ == "__main__":
    Sfu.place = _place  # type: ignore[assignment, method-assign]
    runpy.run_path(str(Path(__file__).with_name("freezable.py")), run_name="__main__")

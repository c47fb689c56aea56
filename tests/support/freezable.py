"""Runs `colloque` in a process whose Python stops for two seconds on SIGUSR2, by holding the GIL.

Nothing in Python runs meanwhile, not even another thread; what goes on is what needs no Python.
"""

import ctypes
import signal

SECONDS = 2.0


def _freeze(*_: object) -> None:
    # PyDLL keeps the GIL during the call, unlike time.sleep and CDLL.
    ctypes.PyDLL(None).usleep(int(SECONDS * 1_000_000))


if __name__ == "__main__":
    from colloque.cli import main

    signal.signal(signal.SIGUSR2, _freeze)
    main()

"""What the kernel says of its clock: adjtimex(2), which only reads when it is asked to change nothing."""

from __future__ import annotations

import ctypes

from colloque.doctor.clock import ClockFacts

_TIME_ERROR = 5  # the answer for a clock that nobody keeps right
_STA_UNSYNC = 0x0040


class _Timex(ctypes.Structure):
    # The beginning of `struct timex` (linux/timex.h), and more room than the rest takes.
    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def look() -> ClockFacts:
    """Ask the kernel."""
    told = _Timex()
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(told))
    if state < 0:
        return ClockFacts(None)
    is_kept = state != _TIME_ERROR and not told.status & _STA_UNSYNC
    return ClockFacts(is_kept, max_error_seconds=told.maxerror / 1e6)

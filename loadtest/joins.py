"""Times of joins: how long one took until media could flow, and how the time splits into stages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from loadtest.results import JoinResult

STAGES = ("signalling", "ICE", "DTLS", "first audio", "first video")


def join_ms(join: JoinResult) -> float | None:
    """Give the time from the start of a join until DTLS was done, when media can flow."""
    return join.dtls_ms if join.ok else None


def first_video_ms(join: JoinResult) -> float | None:
    """Give the time to the first packet of a picture, from the join or, where that was later, its offer."""
    return _between(join.video_offered_ms, join.first_video_ms)


def was_tried(join: JoinResult) -> bool:
    """Say whether somebody came at all; who did not has neither times nor an error."""
    return join.ok or join.error is not None or join.signalling_ms is not None


def stage_ms(join: JoinResult) -> dict[str, float | None]:
    """Give how long each stage took by itself; the two firsts count from when media could flow.

    The first picture counts from when there was one, for who came before it.
    """
    flows = join.dtls_ms
    return {
        "signalling": join.signalling_ms,
        "ICE": _between(join.signalling_ms, join.ice_ms),
        "DTLS": _between(join.ice_ms, join.dtls_ms),
        "first audio": _between(flows, join.first_audio_ms),
        "first video": _between(flows and max(flows, join.video_offered_ms), join.first_video_ms),
    }


def percentile(values: Iterable[float | None], share: float) -> float | None:
    """Give the smallest value that `share` (0 to 1) of the known ones do not exceed."""
    known: Sequence[float] = sorted(value for value in values if value is not None)
    return known[max(0, math.ceil(share * len(known)) - 1)] if known else None


def _between(start: float | None, end: float | None) -> float | None:
    # Never below zero: a first packet may come in the same moment as the last message of the handshake.
    return None if start is None or end is None else max(0.0, end - start)

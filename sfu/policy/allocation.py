"""Which layer each subscription gets, and which encodings a publisher must send for that.

Words: *wanted* is what the subscriber asks for, *target* what is chosen here, *current* what the core sends:
the target, or while that encoding is not coming the nearest lower one that is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sfu.model import EncodingIntent, Wanted

ALL_TEMPORAL = 255
"""No temporal layer is left out."""

# Cameras give 30 pictures a second, and three temporal layers split them 7.5, 15, 30.
_FPS_OF_TEMPORAL = (8, 15)


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """The target of one subscription."""

    encoding: int | None
    """Number of the encoding, 0 the lowest; None sends nothing."""
    temporal: int = ALL_TEMPORAL
    """Highest temporal layer to send."""


def target(wanted: Wanted, encodings: Sequence[EncodingIntent]) -> LayerPlan:
    """Choose a layer of a video track; `encodings` are those negotiated, lowest first, at least one."""
    if wanted.disabled:
        return LayerPlan(None)
    return LayerPlan(_encoding(wanted, encodings), _temporal(wanted.max_fps))


def demanded(plans: Iterable[LayerPlan], encodings: int) -> tuple[bool, ...]:
    """Return for each encoding whether it is the target of any subscription."""
    targets = {plan.encoding for plan in plans}
    return tuple(encoding in targets for encoding in range(encodings))


def widened(announced: Sequence[bool], demand: Sequence[bool]) -> tuple[bool, ...]:
    """Return what the publisher is told at once when demand changes.

    More is told at once, less only after a while: a viewer who scrolls past should not restart an encoder.
    """
    return tuple(before or now for before, now in zip(announced, demand, strict=True))


def _encoding(wanted: Wanted, encodings: Sequence[EncodingIntent]) -> int:
    top = len(encodings) - 1
    if wanted.width <= 0 or wanted.height <= 0 or not all(e.width and e.height for e in encodings):
        return max(0, min(wanted.quality, top))
    covering = (index for index, encoding in enumerate(encodings) if _covers(encoding, wanted))
    return next(covering, top)


def _covers(encoding: EncodingIntent, wanted: Wanted) -> bool:
    """Compare long side with long side: a phone that is turned keeps its encodings and swaps the sides."""
    long, short = max(encoding.width, encoding.height), min(encoding.width, encoding.height)
    return long >= max(wanted.width, wanted.height) and short >= min(wanted.width, wanted.height)


def _temporal(max_fps: int) -> int:
    if max_fps <= 0:
        return ALL_TEMPORAL
    layers = (layer for layer, fps in enumerate(_FPS_OF_TEMPORAL) if max_fps <= fps)
    return next(layers, ALL_TEMPORAL)

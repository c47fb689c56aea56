"""Who speaks, in words that listeners use."""

from collections.abc import Iterable, Mapping

from sfu.model import LegKey, Speaker, TrackKey

_LOUDEST = 127
"""The core's number for 0 dBov (RFC 6464 counts down from it)."""

_MOST = 8
"""So many are named by the core at most."""


def merged(rankings: Iterable[Iterable[tuple[int, int]]]) -> list[tuple[int, int]]:
    """Make one ranking of those of several workers, loudest first."""
    ranked = sorted((speaker for ranking in rankings for speaker in ranking), key=lambda speaker: -speaker[1])
    return ranked[:_MOST]


def speakers(
    ranked: Iterable[tuple[int, int]], tracks: Mapping[int, tuple[LegKey, TrackKey]]
) -> tuple[Speaker, ...]:
    """Name the tracks of a ranking, loudest first; tracks that have ended meanwhile are left out."""
    return tuple(Speaker(*tracks[track], level=loudness(level)) for track, level in ranked if track in tracks)


def loudness(level: int) -> float:
    """Turn a level in dB into an amplitude, 1.0 for the loudest."""
    return float(10 ** (min(level - _LOUDEST, 0) / 20))

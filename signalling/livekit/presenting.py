"""One presenter at a time (`Features.one_presenter`): who presents, and who gives way to whom.

A second sharer is told that somebody presents already, so that nobody pushes the presenter aside by mistake,
and whoever moderates takes over. Products differ: Zoom does this, Meet and Teams let everybody take over.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sfu import TrackSource

SCREEN = frozenset({TrackSource.SCREEN_SHARE, TrackSource.SCREEN_SHARE_AUDIO})


@dataclass(frozen=True, slots=True)
class Presenter:
    """Somebody who shares a screen."""

    identity: str
    since: float
    moderates: bool


def gives_way(present: Presenter, *, newcomer_moderates: bool) -> bool:
    """Whether the one who presents has to stop for somebody who begins to."""
    return newcomer_moderates and not present.moderates


def ones_too_many(presenters: Iterable[Presenter]) -> list[str]:
    """Name those who have to stop where several present: all but the first, moderators before others."""
    ordered = sorted(presenters, key=lambda one: (not one.moderates, one.since, one.identity))
    return [one.identity for one in ordered[1:]]

"""What of a connection's line is worth an event: a pure policy, fed with readings and the time of each.

Theory of operation. The line is judged every five seconds, and at once when it falls silent (after 3 s
without a packet) or is heard again. It counts as degraded once it has been poor for a while, or is silent; as
recovered once it has been good or better for longer, without a poor reading between. Two `Degraded` of one
connection are at least `degraded_every` apart, however it flickers: what still holds is told then. A new path
is told at once if none was told lately, else with a later reading, as what it is by then. So one connection
makes at most `MOST_EVENTS_A_MINUTE`, whatever its client or the network does.
"""

from dataclasses import dataclass, replace

from livekit.protocol.models import ConnectionQuality

from rooms import DegradedReason, IpFamily
from signalling.livekit.quality import Quality

MOST_EVENTS_A_MINUTE = 8
_BAD = frozenset({ConnectionQuality.POOR, ConnectionQuality.LOST})


@dataclass(frozen=True, slots=True)
class LinePolicy:
    """How long things last before they are told, and how often, in seconds."""

    degraded_after: float = 5.0
    """From the first poor reading on, which tells of five seconds before it. Silence has lasted already."""
    recovered_after: float = 10.0
    degraded_every: float = 30.0
    path_after: float = 5.0
    """From the beginning on: until then a client still tries its addresses."""
    path_every: float = 20.0


POLICY = LinePolicy()


@dataclass(frozen=True, slots=True)
class Degraded:
    """The line is bad; `score` as in `Quality`."""

    reason: DegradedReason
    score: float


@dataclass(frozen=True, slots=True)
class Recovered:
    """The line is good again."""


@dataclass(frozen=True, slots=True)
class PathChanged:
    """Media takes another path; no address, only what kind of path it is."""

    path: str
    family: IpFamily


LineEvent = Degraded | Recovered | PathChanged


@dataclass(frozen=True, slots=True)
class Line:
    """What was told of a connection's line, and what has been seen since."""

    up_since: float
    degraded: bool = False
    degraded_at: float | None = None
    """When `Degraded` was told last."""
    otherwise_since: float | None = None
    """Since when every reading has contradicted `degraded`."""
    path_at: float | None = None
    """When `PathChanged` was told last."""
    untold_path: PathChanged | None = None


def judged(
    line: Line, quality: Quality, *, now: float, policy: LinePolicy = POLICY
) -> tuple[Line, list[LineEvent]]:
    """Take a reading."""
    line, events = _tell_path(line, now=now, policy=policy)
    bad = quality.word in _BAD
    if bad == line.degraded:
        return replace(line, otherwise_since=None), events
    since = now if line.otherwise_since is None else line.otherwise_since
    line = replace(line, otherwise_since=since)
    if not bad:
        if now - since < policy.recovered_after:
            return line, events
        return replace(line, degraded=False, otherwise_since=None), [*events, Recovered()]
    lasts = quality.word == ConnectionQuality.LOST or now - since >= policy.degraded_after
    if not lasts or not _passed(line.degraded_at, policy.degraded_every, now=now):
        return line, events
    told = Degraded(quality.worst, round(quality.score, 2))
    return replace(line, degraded=True, degraded_at=now, otherwise_since=None), [*events, told]


def moved(
    line: Line, path: PathChanged, *, now: float, policy: LinePolicy = POLICY
) -> tuple[Line, list[LineEvent]]:
    """Take note of another path."""
    if now - line.up_since < policy.path_after:
        return line, []
    return _tell_path(replace(line, untold_path=path), now=now, policy=policy)


def _tell_path(line: Line, *, now: float, policy: LinePolicy) -> tuple[Line, list[LineEvent]]:
    if line.untold_path is None or not _passed(line.path_at, policy.path_every, now=now):
        return line, []
    return replace(line, path_at=now, untold_path=None), [line.untold_path]


def _passed(last: float | None, seconds: float, *, now: float) -> bool:
    return last is None or now - last >= seconds

"""What happened in a server's rooms, as a file: when people joined, published, muted, left.

Theory of operation. One JSON object a line: first `{"format": 1}`, then events in the order of their time
`at`, in seconds, last `{"at": 63.2, "event": "end"}`. Rooms, people and a person's tracks are numbered from 1
in the order in which they were first seen: no names, no identities, nothing of what was said or shown. Who
was there when recording began joined at 0. A person who comes back has the number from before.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from livekit.protocol import models

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FORMAT = 1
EVENTS_MAX = 200_000
CHARS_MAX = 20_000_000
SECONDS_MAX = 7 * 24 * 3600.0

Kind = Literal["audio", "video"]
What = Literal["join", "publish", "mute", "unmute", "unpublish", "leave"]
_OF_TRACKS = {"publish", "mute", "unmute", "unpublish"}
_NUMBER_MAX = 1_000_000


class RecordingError(ValueError):
    """A file is no recording; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that somebody did."""

    at: float
    """Seconds after recording began."""
    room: int
    person: int
    what: What
    track: int = 0
    """Which of the person's tracks; 0 for what is not about one."""
    kind: Kind = "audio"
    """Of a track that is published."""

    def line(self) -> str:
        """Write it as a line of the file."""
        said: dict[str, Any] = {"at": round(self.at, 3), "room": self.room, "person": self.person}
        said["event"] = self.what
        if self.what in _OF_TRACKS:
            said["track"] = self.track
        if self.what == "publish":
            said["kind"] = self.kind
        return json.dumps(said) + "\n"


@dataclass(frozen=True, slots=True)
class Recording:
    """A file that was read."""

    events: tuple[Event, ...]
    seconds: float
    """How long was recorded."""


def head() -> str:
    """Give the first line of a file."""
    return json.dumps({"format": FORMAT}) + "\n"


def tail(at: float) -> str:
    """Give the last line of a file."""
    return json.dumps({"at": round(at, 3), "event": "end"}) + "\n"


def read_recording(text: str, name: str) -> Recording:
    """Read a file; raise `RecordingError`. One that was cut off ends with its last event."""
    if len(text) > CHARS_MAX:
        raise RecordingError(f"{name}: is longer than {CHARS_MAX:,} characters")
    first, *lines = text.splitlines() or [""]
    if _object(first, name, 1) != {"format": FORMAT}:
        raise RecordingError(f'{name}:1: is no recording: {{"format": {FORMAT}}} must come first')
    if len(lines) > EVENTS_MAX:
        raise RecordingError(f"{name}: has more than {EVENTS_MAX:,} events")
    events: list[Event] = []
    now = 0.0
    for number, line in enumerate(lines, 2):
        said = _object(line, name, number)
        try:
            at = _time(said, not_before=now)
            if said.get("event") == "end":
                return Recording(tuple(events), at)
            events.append(_event(said, at))
        except RecordingError as error:
            raise RecordingError(f"{name}:{number}: {error}") from None
        now = at
    return Recording(tuple(events), now)


class Roster:
    """Turns what a room's server tells of its people into events; who they are stays here."""

    def __init__(self, room: int, people: dict[tuple[int, str], int]) -> None:
        """Take the room's number, and the numbers that people have been given in all rooms."""
        self._room = room
        self._people = people
        self._there: dict[str, dict[str, tuple[int, bool]]] = {}
        self._last_track: dict[int, int] = {}

    def told(self, at: float, infos: Iterable[models.ParticipantInfo]) -> Iterator[Event]:
        """Give what is new in what the server says of some people."""
        for info in infos:
            person = self._people.setdefault((self._room, info.identity), len(self._people) + 1)
            gone = info.state == models.ParticipantInfo.State.DISCONNECTED
            if gone:
                if self._there.pop(info.sid, None) is not None:
                    yield Event(at, self._room, person, "leave")
                continue
            if info.sid not in self._there:
                self._there[info.sid] = {}
                yield Event(at, self._room, person, "join")
            yield from self._tracks(at, person, self._there[info.sid], info.tracks)

    def _tracks(
        self,
        at: float,
        person: int,
        known: dict[str, tuple[int, bool]],
        told: Iterable[models.TrackInfo],
    ) -> Iterator[Event]:
        tracks = {one.sid: one for one in told if one.type in _KINDS}
        for sid in [sid for sid in known if sid not in tracks]:
            yield Event(at, self._room, person, "unpublish", known.pop(sid)[0])
        for sid, track in tracks.items():
            if sid not in known:
                number = self._last_track[person] = self._last_track.get(person, 0) + 1
                known[sid] = (number, False)
                yield Event(at, self._room, person, "publish", number, _KINDS[track.type])
            number, muted = known[sid]
            if track.muted != muted:
                known[sid] = (number, track.muted)
                yield Event(at, self._room, person, "mute" if track.muted else "unmute", number)


_KINDS: dict[int, Kind] = {models.TrackType.AUDIO: "audio", models.TrackType.VIDEO: "video"}


def _object(line: str, name: str, number: int) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise RecordingError(f"{name}:{number}: is no JSON object")
    return said


def _event(said: dict[str, Any], at: float) -> Event:
    what: What = said.get("event")  # type: ignore[assignment]
    if what not in get_args(What):
        raise RecordingError(f"event: must be one of {', '.join(get_args(What))}, end")
    track = _number(said, "track") if what in _OF_TRACKS else 0
    kind: Kind = said.get("kind") if what == "publish" else "audio"  # type: ignore[assignment]
    if kind not in get_args(Kind):
        raise RecordingError("kind: must be audio or video")
    return Event(at, _number(said, "room"), _number(said, "person"), what, track, kind)


def _time(said: dict[str, Any], *, not_before: float) -> float:
    at = said.get("at")
    if isinstance(at, bool) or not isinstance(at, int | float) or not math.isfinite(at):
        raise RecordingError("at: must be a time in seconds")
    if not not_before <= at <= SECONDS_MAX:
        raise RecordingError("at: must not go back, nor beyond a week")
    return float(at)


def _number(said: dict[str, Any], field: str) -> int:
    value = said.get(field)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _NUMBER_MAX:
        raise RecordingError(f"{field}: must be a number from 1")
    return value

"""One waiting room as the channel shows it: what each person is told, decided from values alone."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from rooms import Admission, LateNotice, Scene, Standing
from rooms.states import OVER
from signalling.present import Present
from signalling.waiting.messages import Word
from signalling.waiting.verbs import HOSTS

MOST_IN_CALL = 200
"""People of a call who are named to hosts: more are not shared out among groups by hand."""


class Verdict(StrEnum):
    """What the stored state means to somebody at the door."""

    WAIT = "wait"
    ENTER = "enter"
    KNOCK = "knock"
    """Has to wait and has no place in the queue: takes one."""
    DENIED = "denied"
    REVOKED = "revoked"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Note:
    """What a host wrote."""

    text: str
    at: float


def why_closed(scene: Scene | None) -> str | None:
    """Say why nobody enters this room any more or yet, None if it is open."""
    if scene is None:
        return "deleted"
    return scene.room.state if scene.room.state in OVER else scene.outside


def verdict(scene: Scene | None, admission: Admission) -> Verdict:
    """Judge somebody who waits; whoever was let in, or need not wait any more, enters."""
    if scene is None:
        return Verdict.CLOSED
    person = scene.people.get(admission.identity)
    if _is_dead(person, admission):
        return Verdict.REVOKED
    if why_closed(scene) is not None:
        return Verdict.CLOSED
    if person is None:
        return Verdict.KNOCK if scene.room.waiting_room else Verdict.ENTER
    if person.state == "denied":
        return Verdict.DENIED
    if not person.must_wait:
        return Verdict.ENTER
    return Verdict.WAIT if person.state == "waiting" else Verdict.KNOCK


def host_verdict(scene: Scene | None, admission: Admission) -> Verdict:
    """Judge somebody who attends: `WAIT` is to stay. A call may outlast the hours in which people enter."""
    if scene is None or scene.room.state in OVER:
        return Verdict.CLOSED
    person = scene.people.get(admission.identity)
    if _is_dead(person, admission) or (person is not None and person.role not in HOSTS):
        return Verdict.REVOKED
    return Verdict.WAIT


def queue(scene: Scene) -> list[Standing]:
    """Give those who wait to be let in, in the order in which they came."""
    waiting = [one for one in scene.people.values() if one.state == "waiting" and one.since is not None]
    return sorted(waiting, key=lambda one: (one.since or 0.0, one.identity))


def waiting_words(
    scene: Scene, *, attended: bool, for_all: Note | None, notes: Mapping[str, Note]
) -> dict[str, Word]:
    """Give what each person in the queue is told; nothing in it is about anybody else who waits."""
    words = {}
    for place, one in enumerate(queue(scene), start=1):
        words[one.identity] = Word(
            "waiting",
            position=place,
            since=_moment(one.since),
            attended=attended,
            message=_note(_newest(for_all, notes.get(one.identity))),
            late=_late(scene.late),
        )
    return words


def people_word(
    scene: Scene,
    *,
    names: Mapping[str, str],
    here: Collection[str],
    for_all: Note | None,
    in_call: Mapping[str, Present],
) -> Word:
    """Give what hosts and delegates are told.

    `names` are those of people who wait and whose tokens carry one; `in_call` has who is in the call.
    """
    people: Iterable[dict[str, Any]] = (
        {
            "identity": one.identity,
            "name": one.name or names.get(one.identity, ""),
            "role": one.role,
            "since": _moment(one.since),
            "here": one.identity in here,
        }
        for one in queue(scene)
    )
    restraints = scene.room.restraints
    return Word(
        "people",
        waiting=list(people),
        message=_note(for_all),
        late=_late(scene.late),
        locked=scene.room.locked_at is not None,
        forbidden=list(restraints.forbidden),
        may_unmute=restraints.may_unmute,
        restrained=[
            {"identity": identity, "forbidden": list(one.forbidden), "may_unmute": one.may_unmute}
            for identity, one in sorted(scene.restrained.items())
        ],
        in_call=[
            {"identity": identity, "name": in_call[identity].name, "moderates": in_call[identity].moderates}
            for identity in sorted(in_call)[:MOST_IN_CALL]
        ],
        groups=[
            {
                "id": group.id,
                "name": group.name,
                "members": list(group.members),
                "closes_at": _moment(group.closes_at),
            }
            for group in scene.groups
        ],
    )


def _is_dead(person: Standing | None, admission: Admission) -> bool:
    if person is None:
        return admission.epoch > 0
    return person.state == "removed" or admission.epoch < person.epoch


def _newest(*notes: Note | None) -> Note | None:
    return max((note for note in notes if note is not None), key=lambda note: note.at, default=None)


def _note(note: Note | None) -> dict[str, str | None] | None:
    return None if note is None else {"text": note.text, "at": _moment(note.at)}


def _late(late: LateNotice | None) -> dict[str, Any] | None:
    return None if late is None else {"minutes": late.minutes, "at": _moment(late.at)}


def _moment(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(round(at, 3), tz=UTC).isoformat()

"""What a host or delegate may ask for on this channel, as a table: a row is all that a new verb needs.

A verb is run after the server has checked that the connection is a host's and that the role may use it. It
checks in the transaction of the act that this is still so, and writes down what it does in the room's event
log, with `by`, whose deed it was. What follows from it reaches everybody else through the log and the
observers of `rooms`, not through here.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from rooms import Admission, Moderator, Role, Rooms
from rooms.ids import is_usable_id
from sfu import PeerError
from signalling.words import Body, Nothing

HOSTS: frozenset[Role] = frozenset({"host", "delegate"})
LONGEST_TEXT = 500
LATEST_MINUTES = 240


@dataclass(frozen=True, slots=True)
class Deed:
    """One use of a verb, checked."""

    rooms: Rooms
    tenant: str
    room_id: str
    """As the calling application chose it."""
    room_uid: str
    by: str
    """Identity of the host or delegate."""
    role: Role
    admission: Admission
    """With which the host came; what it allowed then may not hold any more."""
    body: Any
    """An instance of the verb's `body`."""
    now: float
    """Seconds since the Unix epoch."""
    write_to: Callable[[str | None, str], None]
    """Shows a text to one who waits, or to all (`None`)."""

    @property
    def who(self) -> Moderator:
        """Whose rights are checked once more, in the transaction of the act."""
        return Moderator(self.admission)


@dataclass(frozen=True, slots=True)
class Verb:
    """A row of the table."""

    run: Callable[[Deed], Awaitable[Mapping[str, Any] | None]]
    """Do it; what is returned is put into the answer. Raise `RoomsError` or `PeerError`."""
    body: type[Body] = Nothing
    roles: frozenset[Role] = HOSTS


class Whom(Body):
    """Somebody, by identity."""

    identity: str


class Message(Body):
    """A text for somebody who waits, or for all."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT)]
    identity: str | None = None


class LateNotice(Body):
    """How late the host is; 0 takes the notice back."""

    minutes: Annotated[int, Field(ge=0, le=LATEST_MINUTES)]


async def admit(deed: Deed) -> None:
    """Let somebody in."""
    room = deed.rooms.waiting_room
    identity = usable(deed.body.identity)
    await room.admit(deed.tenant, deed.room_id, identity, now=deed.now, who=deed.who)


async def deny(deed: Deed) -> None:
    """Turn somebody away."""
    room = deed.rooms.waiting_room
    identity = usable(deed.body.identity)
    await room.deny(deed.tenant, deed.room_id, identity, now=deed.now, who=deed.who)


async def admit_all(deed: Deed) -> Mapping[str, Any]:
    """Let everybody in who waits now."""
    room = deed.rooms.waiting_room
    admitted = await room.admit_all(deed.tenant, deed.room_id, now=deed.now, who=deed.who)
    return {"admitted": len(admitted)}


async def message(deed: Deed) -> None:
    """Write to somebody who waits, or to all; the words are shown and not kept."""
    identity = None if deed.body.identity is None else usable(deed.body.identity)
    room = deed.rooms.waiting_room
    await room.write_message(deed.tenant, deed.room_id, identity, who=deed.who, now=deed.now)
    deed.write_to(identity, deed.body.text)


async def late_notice(deed: Deed) -> None:
    """Tell everybody who waits or will wait how late the host is."""
    room = deed.rooms.waiting_room
    await room.write_late_notice(deed.tenant, deed.room_id, deed.body.minutes, who=deed.who, now=deed.now)


WAITING_VERBS: Mapping[str, Verb] = {
    "admit": Verb(admit, Whom),
    "deny": Verb(deny, Whom),
    "admit_all": Verb(admit_all),
    "message": Verb(message, Message),
    "late_notice": Verb(late_notice, LateNotice),
}


def usable(identity: str) -> str:
    """Give an identity that somebody could have; raise PeerError `not-found`."""
    if not is_usable_id(identity):
        raise PeerError("not-found", "nobody of that identity is here")
    return identity

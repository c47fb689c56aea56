"""What the hub wants done that takes time, and how it is told back."""

from dataclasses import dataclass

from rooms import Admission
from signalling.waiting.seats import Seat
from signalling.waiting.verbs import Verb
from signalling.words import Body


@dataclass(frozen=True, slots=True)
class Look:
    """Read the scene of a room, for these identities too; then `show` or `look_failed`."""

    key: str
    identities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LetIn:
    """Make a token for somebody who may enter; then `let_in`, or `let_in_later`, or `turn_away`."""

    seat: Seat
    admission: Admission


@dataclass(frozen=True, slots=True)
class Renew:
    """Make a token for somebody who waits on; then `new_token`."""

    seat: Seat
    admission: Admission


@dataclass(frozen=True, slots=True)
class Knock:
    """Take a place in the queue for somebody who lost theirs."""

    admission: Admission


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Take somebody out of the queue unless `here` again; then `touch`, or `keep_absent`."""

    key: str
    identity: str


Wish = Look | LetIn | Renew | Knock | GiveUp


@dataclass(frozen=True, slots=True)
class Check:
    """What a client asks: whether its token opens the waiting room; then `seat` or `turn_away`."""

    token: str


@dataclass(frozen=True, slots=True)
class Order:
    """What a host asks: a verb to be run; then `done` or `failed`."""

    name: str
    verb: Verb
    body: Body
    id: int | None

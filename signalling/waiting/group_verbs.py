"""What a host or delegate may ask for about the sub-groups of a room, as rows of the same table."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from rooms import LONGEST_ANNOUNCEMENT, GroupDraft
from rooms.groups import MEMBERS_AT_MOST
from signalling.waiting.verbs import Deed, Verb, usable
from signalling.words import Body

MOST_OPENED = 20
MOST_PLACED = 100
"""More would not fit into a message."""
LONGEST_TIMER = 1440  # minutes

Identities = Annotated[list[str], Field(max_length=MEMBERS_AT_MOST)]


class NewGroup(Body):
    """A group to be opened, and who is placed there."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] | None = None
    members: Identities = Field(default=[])


class OpenGroups(Body):
    """Groups that open and close together."""

    groups: Annotated[list[NewGroup], Field(min_length=1, max_length=MOST_OPENED)]
    minutes: Annotated[int, Field(ge=1, le=LONGEST_TIMER)] | None = None
    """They close by themselves after so long."""


class Placing(Body):
    """Where one person goes; `None`: back into the room."""

    identity: str
    group: str | None


class Place(Body):
    """Who goes where; everybody else stays."""

    places: Annotated[list[Placing], Field(min_length=1, max_length=MOST_PLACED)]


class CloseGroup(Body):
    """One group, by its id."""

    group: str


class Announce(Body):
    """A sentence for everybody."""

    text: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_ANNOUNCEMENT)
    ]


async def open_groups(deed: Deed) -> Mapping[str, Any]:
    """Open groups and place people there."""
    wanted: OpenGroups = deed.body
    drafts = [GroupDraft(one.name, [usable(member) for member in one.members]) for one in wanted.groups]
    closes_at = None if wanted.minutes is None else deed.now + wanted.minutes * 60.0
    opened = await deed.rooms.groups.open(deed.who, drafts, closes_at=closes_at, now=deed.now)
    return {"groups": [group.id for group in opened]}


async def place(deed: Deed) -> None:
    """Move people into groups or back, each once at most."""
    wanted: Place = deed.body
    places = {usable(one.identity): one.group for one in wanted.places}
    await deed.rooms.groups.arrange(deed.who, places, now=deed.now)


async def close_group(deed: Deed) -> None:
    """Close one group: everybody in it returns to the room."""
    await deed.rooms.groups.close(deed.who, deed.body.group, now=deed.now)


async def close_groups(deed: Deed) -> None:
    """Close every group: everybody is together again."""
    await deed.rooms.groups.close_all(deed.who, now=deed.now)


async def announce(deed: Deed) -> None:
    """Say something to everybody in the room and its groups."""
    await deed.rooms.announcements.make(deed.who, deed.body.text, now=deed.now)


GROUP_VERBS: Mapping[str, Verb] = {
    "open_groups": Verb(open_groups, OpenGroups),
    "place": Verb(place, Place),
    "close_group": Verb(close_group, CloseGroup),
    "close_groups": Verb(close_groups),
    "announce": Verb(announce, Announce),
}

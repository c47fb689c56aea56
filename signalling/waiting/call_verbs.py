"""What a host or delegate may ask for about the call itself, as rows of the same table."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from rooms import Source
from signalling.waiting.verbs import Deed, Verb, Whom, usable
from signalling.words import Body

Sources = Annotated[list[Source], Field(min_length=1, max_length=4)]


class MuteAll(Body):
    """Sources to switch off for everybody who does not moderate; cameras too, to cut all pictures."""

    sources: Sources = Field(default=["microphone"])


class Mute(MuteAll):
    """Sources to switch off for one person."""

    identity: str


class Restrain(Body):
    """What is taken away from one person, or from all; what is not said stays."""

    identity: str | None = None
    forbidden: Annotated[list[Source], Field(max_length=4)] | None = None
    may_unmute: bool | None = None


class MaybeWhom(Body):
    """Somebody, or everybody."""

    identity: str | None = None


async def mute(deed: Deed) -> None:
    """Switch off what one person sends; nobody is switched on."""
    whom = usable(deed.body.identity)
    await deed.rooms.moderation.mute(deed.who, whom, deed.body.sources, now=deed.now)


async def mute_all(deed: Deed) -> None:
    """Switch off what everybody sends who does not moderate."""
    await deed.rooms.moderation.mute(deed.who, None, deed.body.sources, now=deed.now)


async def restrain(deed: Deed) -> None:
    """Forbid or allow sources and unmuting."""
    await deed.rooms.moderation.restrain(
        deed.who,
        _whom(deed),
        forbidden=deed.body.forbidden,
        may_unmute=deed.body.may_unmute,
        now=deed.now,
    )


async def lower_hand(deed: Deed) -> None:
    """Lower one hand, or all."""
    await deed.rooms.moderation.lower_hand(deed.who, _whom(deed), now=deed.now)


async def lock(deed: Deed) -> None:
    """Let nobody new in."""
    await deed.rooms.moderation.lock(deed.who, now=deed.now)


async def unlock(deed: Deed) -> None:
    """Let people in again."""
    await deed.rooms.moderation.unlock(deed.who, now=deed.now)


async def remove(deed: Deed) -> None:
    """Throw somebody out, who stays out."""
    await deed.rooms.moderation.remove(deed.who, usable(deed.body.identity), now=deed.now)


async def end(deed: Deed) -> None:
    """End the call for everybody."""
    await deed.rooms.moderation.end(deed.who, now=deed.now)


CALL_VERBS: Mapping[str, Verb] = {
    "mute": Verb(mute, Mute),
    "mute_all": Verb(mute_all, MuteAll),
    "restrain": Verb(restrain, Restrain),
    "lower_hand": Verb(lower_hand, MaybeWhom),
    "lock": Verb(lock),
    "unlock": Verb(unlock),
    "remove": Verb(remove, Whom),
    "end": Verb(end),
}


def _whom(deed: Deed) -> str | None:
    return None if deed.body.identity is None else usable(deed.body.identity)

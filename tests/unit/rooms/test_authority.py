"""Every act of moderation times everybody who could try it; a new act fails until it is classified here."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from rooms import (
    RULES,
    ApiKey,
    Application,
    Forbidden,
    GroupDraft,
    JoinRefused,
    ModerationAct,
    Moderator,
    NotFound,
    ParticipantDraft,
    Role,
    RoomAct,
    RoomDraft,
    Rooms,
)
from rooms.rights import ROLE_GRANTS
from rooms.tokens import mint_join_token
from tests.unit.rooms.conftest import NOW, Witness

Verdict = Literal["done", "forbidden", "not-found", "no token"]

ACTS: Mapping[ModerationAct, Callable[[Rooms, Any, str], Awaitable[object]]] = {
    ModerationAct.ADMIT: lambda rooms, who, whom: rooms.waiting_room.admit(
        *_door(who), whom, now=NOW, who=_person(who)
    ),
    ModerationAct.DENY: lambda rooms, who, whom: rooms.waiting_room.deny(
        *_door(who), whom, now=NOW, who=_person(who)
    ),
    ModerationAct.WRITE: lambda rooms, who, _: rooms.waiting_room.write_late_notice(
        *_door(who), 10, who=who, now=NOW
    ),
    ModerationAct.MUTE: lambda rooms, who, whom: rooms.moderation.mute(who, whom, ["microphone"], now=NOW),
    ModerationAct.RESTRAIN: lambda rooms, who, whom: rooms.moderation.restrain(
        who, whom, forbidden=["camera"], now=NOW
    ),
    ModerationAct.LOWER_HAND: lambda rooms, who, whom: rooms.moderation.lower_hand(who, whom, now=NOW),
    ModerationAct.LOCK: lambda rooms, who, _: rooms.moderation.lock(who, now=NOW),
    ModerationAct.UNLOCK: lambda rooms, who, _: rooms.moderation.unlock(who, now=NOW),
    ModerationAct.REMOVE: lambda rooms, who, whom: rooms.moderation.remove(who, whom, now=NOW),
    ModerationAct.END: lambda rooms, who, _: rooms.moderation.end(who, now=NOW),
    ModerationAct.GROUP: lambda rooms, who, whom: rooms.groups.open(
        who, [GroupDraft(members=[whom])], now=NOW
    ),
    ModerationAct.ANNOUNCE: lambda rooms, who, _: rooms.announcements.make(who, "Hello", now=NOW),
}
"""How each is done."""
AGAINST_HOSTS: Mapping[ModerationAct, bool] = {
    ModerationAct.ADMIT: True,
    ModerationAct.DENY: False,
    ModerationAct.WRITE: True,
    ModerationAct.MUTE: True,
    ModerationAct.RESTRAIN: False,
    ModerationAct.LOWER_HAND: True,
    ModerationAct.LOCK: True,
    ModerationAct.UNLOCK: True,
    ModerationAct.REMOVE: False,
    ModerationAct.END: True,
    ModerationAct.GROUP: True,
    ModerationAct.ANNOUNCE: True,
}
"""Whether a delegate may do it to a host, where it is done to somebody."""


@dataclass(frozen=True)
class Tried:
    """Somebody who tries, as they came in, and what happens to them before they do."""

    role: Role | None = None
    sdk_admin: bool | None = None
    """Came with a token of LiveKit's SDK, with this `roomAdmin`."""
    room: str = "rdv"
    then: Role | Literal["removed", "forgotten", "removed and put again"] | None = None
    verdict: Verdict = "forbidden"


PEOPLE: Mapping[str, Tried] = {
    "guest": Tried("guest"),
    "patient": Tried("patient"),
    "observer": Tried("observer"),
    "delegate": Tried("delegate", verdict="done"),
    "host": Tried("host", verdict="done"),
    "sdk guest": Tried(sdk_admin=False),
    "sdk admin": Tried(sdk_admin=True, verdict="done"),
    "patient with an sdk token that says admin": Tried("patient", sdk_admin=True),
    "host with an sdk token that says no admin": Tried("host", sdk_admin=False),
    "host who was removed": Tried("host", then="removed"),
    "host who was removed and put again, with the old token": Tried("host", then="removed and put again"),
    "host who was forgotten": Tried("host", then="forgotten"),
    "host who was made a guest": Tried("host", then="guest"),
    "guest who was made a host": Tried("guest", then="host", verdict="done"),
    "sdk admin who was removed": Tried(sdk_admin=True, then="removed"),
}


def test_every_act_is_classified_and_has_a_rule() -> None:
    every = set(ModerationAct)
    assert set(ACTS) == set(AGAINST_HOSTS) == set(RULES) == every


@pytest.mark.parametrize("act", ModerationAct)
@pytest.mark.parametrize("name", PEOPLE)
async def test_what_somebody_in_the_room_may_do(
    rooms: Rooms, key: ApiKey, witness: Witness, act: ModerationAct, name: str
) -> None:
    await _set_up(rooms)
    tried = PEOPLE[name]
    moderator = await _come(rooms, key, tried)
    await _befall(rooms, tried)
    heard, events = len(witness.heard), await _count(rooms)
    assert await _verdict(ACTS[act](rooms, moderator, "target")) == tried.verdict
    if tried.verdict != "done":
        assert (len(witness.heard), await _count(rooms)) == (heard, events), "nothing happened"


@pytest.mark.parametrize("act", ModerationAct)
async def test_a_host_of_another_room_does_nothing_here(
    rooms: Rooms, key: ApiKey, witness: Witness, act: ModerationAct
) -> None:
    """The room is that of the token; there is no way to name another, and its people are nobody here."""
    await _set_up(rooms)
    await rooms.create_room("default", RoomDraft(id="other"), now=NOW)
    moderator = await _come(rooms, key, Tried("host", room="other"))
    await rooms.act("default", "other", RoomAct.START, now=NOW)
    heard = len(witness.heard)
    here = (await rooms.get_room("default", "rdv")).uid
    of_the_room = {
        ModerationAct.LOCK,
        ModerationAct.UNLOCK,
        ModerationAct.END,
        ModerationAct.GROUP,
        ModerationAct.ANNOUNCE,
    }
    expected = "done" if act in of_the_room else "not-found"
    assert await _verdict(ACTS[act](rooms, moderator, "target")) == expected
    assert [one for one in witness.heard[heard:] if here in one] == []


@pytest.mark.parametrize("act", sorted(set(ModerationAct) - {ModerationAct.WRITE}))
@pytest.mark.parametrize("tenant", ["default", "elsewhere"])
async def test_the_application_may_do_everything_in_rooms_of_its_own(
    rooms: Rooms, act: ModerationAct, tenant: str
) -> None:
    await _set_up(rooms)
    verdict = await _verdict(ACTS[act](rooms, Application(tenant, "rdv"), "boss"))
    assert verdict == ("done" if tenant == "default" else "not-found")


@pytest.mark.parametrize("act", ModerationAct)
@pytest.mark.parametrize("role", ["host", "delegate"])
async def test_what_may_be_done_to_a_host(rooms: Rooms, key: ApiKey, act: ModerationAct, role: Role) -> None:
    await _set_up(rooms)
    moderator = await _come(rooms, key, Tried(role))
    may = role == "host" or AGAINST_HOSTS[act]
    assert await _verdict(ACTS[act](rooms, moderator, "boss")) == ("done" if may else "forbidden")


async def test_who_may_not_moderate_does_not_learn_who_is_there(rooms: Rooms, key: ApiKey) -> None:
    await _set_up(rooms)
    moderator = await _come(rooms, key, Tried("guest"))
    for act in (ModerationAct.ADMIT, ModerationAct.DENY, ModerationAct.MUTE, ModerationAct.REMOVE):
        assert await _verdict(ACTS[act](rooms, moderator, "nobody")) == "forbidden"


async def test_who_has_no_token_has_no_way_to_ask(rooms: Rooms, key: ApiKey) -> None:
    await _set_up(rooms)
    for token in ("", "x", _sdk_token(key, "tester", admin=True)[:-2]):
        with pytest.raises(JoinRefused, match="unauthenticated"):
            await rooms.verify_join(token, now=NOW)


@pytest.mark.parametrize("name", ["guest", "delegate", "host who was removed", "host who was made a guest"])
async def test_admitting_all_is_for_those_who_may_admit_one(rooms: Rooms, key: ApiKey, name: str) -> None:
    await _set_up(rooms)
    moderator = await _come(rooms, key, PEOPLE[name])
    await _befall(rooms, PEOPLE[name])
    admitting = rooms.waiting_room.admit_all("default", "rdv", now=NOW, who=moderator)
    assert await _verdict(admitting) == PEOPLE[name].verdict


def _door(who: Application | Moderator) -> tuple[str, str]:
    return (who.tenant, who.room_id) if isinstance(who, Application) else ("default", "rdv")


def _person(who: Application | Moderator) -> Moderator | None:
    return None if isinstance(who, Application) else who


async def _set_up(rooms: Rooms) -> None:
    await rooms.create_room("default", RoomDraft(id="rdv"), now=NOW)
    await rooms.act("default", "rdv", RoomAct.START, now=NOW)
    people: Mapping[str, Role] = {"target": "patient", "boss": "host"}
    for identity, role in people.items():
        await rooms.participants.put("default", "rdv", identity, ParticipantDraft(role=role), now=NOW)


async def _come(rooms: Rooms, key: ApiKey, tried: Tried) -> Moderator:
    token = _sdk_token(key, "tester", admin=bool(tried.sdk_admin))
    if tried.role is not None:
        draft = ParticipantDraft(role=tried.role)
        await rooms.participants.put("default", tried.room, "tester", draft, now=NOW)
        if tried.sdk_admin is None:
            token = (await rooms.participants.mint_token(key, tried.room, "tester", now=NOW)).token
    return Moderator(await rooms.verify_join(token, now=NOW))


async def _befall(rooms: Rooms, tried: Tried) -> None:
    if tried.then in {"removed", "removed and put again"}:
        await rooms.participants.remove("default", "rdv", "tester", now=NOW)
        if tried.then != "removed":
            draft = ParticipantDraft(role="host")
            await rooms.participants.put("default", "rdv", "tester", draft, now=NOW)
    elif tried.then == "forgotten":
        await rooms.participants.forget("default", "rdv", "tester", now=NOW)
    elif tried.then is not None:
        draft = ParticipantDraft(role=tried.then)  # type: ignore[arg-type]
        await rooms.participants.put("default", "rdv", "tester", draft, now=NOW)


async def _verdict(doing: Awaitable[object]) -> Verdict:
    try:
        await doing
    except Forbidden:
        return "forbidden"
    except NotFound:
        return "not-found"
    return "done"


async def _count(rooms: Rooms) -> int:
    return len((await rooms.events.read(after=0, limit=200)).items)


def _sdk_token(key: ApiKey, identity: str, *, admin: bool) -> str:
    grants = ROLE_GRANTS["host" if admin else "guest"]
    return mint_join_token(
        key.key, key.secret, room="rdv", identity=identity, grants=grants, now=NOW, ttl_seconds=60
    )

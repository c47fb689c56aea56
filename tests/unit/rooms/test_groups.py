"""Sub-groups as they are stored: who belongs where, and how they end."""

from typing import Any

import pytest

from rooms import (
    ApiKey,
    Application,
    Full,
    Group,
    GroupDraft,
    InvalidTransition,
    InvalidValue,
    Moderator,
    NotFound,
    ParticipantDraft,
    RoomAct,
    RoomDraft,
    Rooms,
)
from rooms.groups import MEMBERS_AT_MOST, OPEN_AT_ONCE
from tests.unit.rooms.conftest import NOW

APP = Application("default", "rdv")


@pytest.fixture
async def house(rooms: Rooms) -> Rooms:
    await rooms.create_room("default", RoomDraft(id="rdv", kind="group"), now=NOW)
    return rooms


async def opened(rooms: Rooms, *members: str, name: str | None = None, **more: Any) -> Group:
    made: list[Group] = await rooms.groups.open(APP, [GroupDraft(name, members)], **{"now": NOW, **more})
    return made[0]


async def belongs(rooms: Rooms, key: ApiKey, identity: str) -> str | None:
    """Ask the door where somebody belongs."""
    await rooms.participants.put("default", "rdv", identity, ParticipantDraft(), now=NOW)
    token = (await rooms.participants.mint_token(key, "rdv", identity, now=NOW)).token
    admission = await rooms.verify_join(token, now=NOW)
    again, _ = await rooms.place(admission, now=NOW)
    assert again.group == admission.group
    assert again.call_id == (admission.room_id if admission.group is None else admission.group.id)
    return None if admission.group is None else admission.group.id


async def moves(rooms: Rooms) -> list[tuple[str, str | None, str | None]]:
    events = (await rooms.events.read(after=0)).items
    return [
        (one.data["identity"], one.data["from_group"], one.data["to_group"])
        for one in events
        if one.type == "participant.moved"
    ]


async def test_who_is_placed_in_a_group_comes_in_there(house: Rooms, key: ApiKey) -> None:
    group = await opened(house, "a", "b", name="Left")
    assert (group.name, group.members, group.closed_at) == ("Left", ("a", "b"), None)
    assert await belongs(house, key, "a") == group.id
    assert await belongs(house, key, "c") is None


async def test_every_way_to_see_a_person_says_in_which_group_they_belong(house: Rooms) -> None:
    people = house.participants
    for identity in "abc":
        await people.put("default", "rdv", identity, ParticipantDraft(), now=NOW)
    left, right = await opened(house, "a"), await opened(house, "b")
    wanted = {"a": left.id, "b": right.id, "c": None}
    assert {one.identity: one.group for one in await people.list("default", "rdv")} == wanted
    again, _ = await people.put("default", "rdv", "a", ParticipantDraft(name="P. 17"), now=NOW)
    admitted = await house.waiting_room.admit("default", "rdv", "b", now=NOW)
    assert (again.group, admitted.group) == (left.id, right.id)
    assert (await people.remove("default", "rdv", "b", now=NOW)).group == right.id
    await house.groups.close(APP, left.id, now=NOW)
    assert (await people.get("default", "rdv", "a")).group is None


async def test_the_same_name_in_another_room_is_somebody_else(house: Rooms) -> None:
    await house.create_room("default", RoomDraft(id="other", kind="group"), now=NOW)
    for room in ("rdv", "other"):
        await house.participants.put("default", room, "a", ParticipantDraft(), now=NOW)
    await opened(house, "a")
    assert (await house.participants.get("default", "other", "a")).group is None


async def test_a_person_is_in_one_group_at_most_and_returns_when_left_out(house: Rooms, key: ApiKey) -> None:
    one, two = await opened(house, "a", "b"), await opened(house, "b", "c", now=NOW + 1)
    assert [group.members for group in await house.groups.list("default", "rdv")] == [("a",), ("b", "c")]
    await house.groups.place(APP, one.id, ["a", "c"], now=NOW)
    await house.groups.place(APP, one.id, ["c", "c"], now=NOW)
    assert [group.members for group in await house.groups.list("default", "rdv")] == [("c",), ("b",)]
    assert await belongs(house, key, "a") is None
    assert await moves(house) == [
        ("a", None, one.id),
        ("b", None, one.id),
        ("b", one.id, two.id),
        ("c", None, two.id),
        ("c", two.id, one.id),
        ("a", one.id, None),
    ]


async def test_a_closed_group_sends_everybody_back_and_takes_nobody(house: Rooms, key: ApiKey) -> None:
    group = await opened(house, "a")
    for _ in range(2):
        closed = await house.groups.close(APP, group.id, now=NOW + 5)
        assert (closed.members, closed.closed_at) == ((), NOW + 5)
    assert await belongs(house, key, "a") is None
    assert await moves(house) == [("a", None, group.id), ("a", group.id, None)]
    assert await house.groups.list("default", "rdv") == []
    with pytest.raises(InvalidTransition):
        await house.groups.place(APP, group.id, ["a"], now=NOW)


async def test_the_timer_closes_it(house: Rooms) -> None:
    group = await opened(house, "a", closes_at=NOW + 60)
    await opened(house, "b")
    assert await house.groups.meet(now=NOW + 59) == 0
    assert await house.groups.meet(now=NOW + 60) == 1
    assert await house.groups.meet(now=NOW + 60) == 0
    assert [one.members for one in await house.groups.list("default", "rdv")] == [("b",)]
    assert (await moves(house))[-1] == ("a", group.id, None)


async def test_it_ends_with_its_room_and_none_opens_afterwards(house: Rooms, key: ApiKey) -> None:
    await opened(house, "a")
    await house.act("default", "rdv", RoomAct.CANCEL, now=NOW)
    assert await house.groups.list("default", "rdv") == []
    with pytest.raises(InvalidTransition) as caught:
        await opened(house)
    assert caught.value.state == "cancelled"
    await house.act("default", "rdv", RoomAct.REOPEN, now=NOW)
    assert await belongs(house, key, "a") is None
    await house.delete_room("default", "rdv", now=NOW)


async def test_a_group_belongs_to_its_room_and_tenant(house: Rooms) -> None:
    group = await opened(house, "a")
    await house.create_room("default", RoomDraft(id="other"), now=NOW)
    await house.create_room("elsewhere", RoomDraft(id="rdv"), now=NOW)
    for tenant, room in (("default", "other"), ("elsewhere", "rdv"), ("default", "none")):
        with pytest.raises(NotFound):
            await house.groups.place(Application(tenant, room), group.id, [], now=NOW)
        with pytest.raises(NotFound):
            await house.groups.close(Application(tenant, room), group.id, now=NOW)
    assert (await house.groups.list("default", "rdv"))[0].members == ("a",)


@pytest.mark.parametrize(
    ("members", "more", "error"),
    [
        (["a/b"], {}, InvalidValue),
        ([str(n) for n in range(MEMBERS_AT_MOST + 1)], {}, Full),
        ([], {"closes_at": NOW}, InvalidValue),
    ],
)
async def test_what_makes_no_sense_opens_nothing(
    house: Rooms, members: list[str], more: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await opened(house, *members, **more)
    assert await house.groups.list("default", "rdv") == []


async def test_there_is_a_bound_on_open_groups(house: Rooms) -> None:
    first = await opened(house)
    for _ in range(OPEN_AT_ONCE - 1):
        await opened(house)
    with pytest.raises(Full):
        await opened(house)
    await house.groups.close(APP, first.id, now=NOW)
    await opened(house)


async def host(rooms: Rooms, key: ApiKey) -> Moderator:
    await rooms.participants.put("default", "rdv", "doctor", ParticipantDraft(role="host"), now=NOW)
    token = (await rooms.participants.mint_token(key, "rdv", "doctor", now=NOW)).token
    return Moderator(await rooms.verify_join(token, now=NOW))


async def test_several_open_together_and_events_say_who_did_it(house: Rooms, key: ApiKey) -> None:
    doctor = await host(house, key)
    drafts = [GroupDraft("Left", ["a"]), GroupDraft("Right", ["b", "a"])]
    left, right = await house.groups.open(doctor, drafts, closes_at=NOW + 60, now=NOW)
    assert [(one.name, one.members, one.closes_at) for one in (left, right)] == [
        ("Left", (), NOW + 60),
        ("Right", ("a", "b"), NOW + 60),
    ]
    await house.groups.close_all(doctor, now=NOW)
    assert await house.groups.list("default", "rdv") == []
    told = [
        one
        for one in (await house.events.read(after=0)).items
        if one.type.startswith(("group.", "participant.moved"))
    ]
    assert len(told) == 8
    assert {(one.data["cause"], one.data["by"]) for one in told} == {("host", "doctor")}


async def test_people_are_exchanged_between_groups_with_one_move_each(house: Rooms) -> None:
    one, two = await opened(house, "a", "b"), await opened(house, "c")
    before = len(await moves(house))
    places = {"a": two.id, "c": one.id, "b": None, "d": two.id}
    for _ in range(2):
        await house.groups.arrange(APP, places, now=NOW)
    assert (await moves(house))[before:] == [
        ("a", one.id, two.id),
        ("c", two.id, one.id),
        ("b", one.id, None),
        ("d", None, two.id),
    ]


async def test_where_one_place_makes_no_sense_nobody_moves(house: Rooms) -> None:
    one, closed = await opened(house, "a"), await opened(house)
    await house.groups.close(APP, closed.id, now=NOW)
    wrong: list[tuple[dict[str, str | None], type[Exception]]] = [
        ({"a": None, "b": closed.id}, InvalidTransition),
        ({"a": None, "b": "GR_none"}, NotFound),
        ({"a": None, "x/y": one.id}, InvalidValue),
        ({str(number): one.id for number in range(MEMBERS_AT_MOST)}, Full),
    ]
    for places, error in wrong:
        with pytest.raises(error):
            await house.groups.arrange(APP, places, now=NOW)
    assert (await house.groups.list("default", "rdv"))[0].members == ("a",)


async def test_the_door_says_until_when_the_group_is_open(house: Rooms, key: ApiKey) -> None:
    await opened(house, "a", closes_at=NOW + 60)
    await house.participants.put("default", "rdv", "a", ParticipantDraft(), now=NOW)
    token = (await house.participants.mint_token(key, "rdv", "a", now=NOW)).token
    group = (await house.verify_join(token, now=NOW)).group
    assert group is not None
    assert group.closes_at == NOW + 60

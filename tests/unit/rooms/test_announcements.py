"""A sentence to everybody: told at once, bounded, and written down without its words."""

import pytest

from rooms import (
    Announcement,
    ApiKey,
    Application,
    InvalidTransition,
    InvalidValue,
    Moderator,
    NotFound,
    ParticipantDraft,
    RoomAct,
    RoomDraft,
    Rooms,
    TooOften,
)
from rooms.announcements import AT_MOST, LONGEST_ANNOUNCEMENT, WITHIN
from tests.unit.rooms.conftest import NOW, Witness

APP = Application("default", "rdv")


@pytest.fixture
async def house(rooms: Rooms) -> Rooms:
    await rooms.create_room("default", RoomDraft(id="rdv"), now=NOW)
    return rooms


async def host(rooms: Rooms, key: ApiKey) -> Moderator:
    draft = ParticipantDraft(role="host", name="Dr Martin")
    await rooms.participants.put("default", "rdv", "doctor", draft, now=NOW)
    token = (await rooms.participants.mint_token(key, "rdv", "doctor", now=NOW)).token
    return Moderator(await rooms.verify_join(token, now=NOW))


async def test_the_call_is_told_the_words_and_the_log_only_that_there_were_some(
    house: Rooms, key: ApiKey, witness: Witness
) -> None:
    uid = (await house.get_room("default", "rdv")).uid
    await house.announcements.make(await host(house, key), "  Five minutes left.\n", now=NOW)
    await house.announcements.make(APP, "Thank you.", now=NOW)
    assert [one for one in witness.heard if one[0] == "announced"] == [
        ("announced", uid, Announcement("Five minutes left.", "doctor", "Dr Martin", NOW)),
        ("announced", uid, Announcement("Thank you.", None, "", NOW)),
    ]
    events = (await house.events.read(after=0)).items[-2:]
    assert [(one.type, one.data) for one in events] == [
        ("room.announced", {"cause": "host", "by": "doctor"}),
        ("room.announced", {"cause": "api", "by": None}),
    ]


@pytest.mark.parametrize("text", ["", " \n ", "x" * (LONGEST_ANNOUNCEMENT + 1)])
async def test_a_text_has_a_bound_and_says_something(house: Rooms, witness: Witness, text: str) -> None:
    with pytest.raises(InvalidValue):
        await house.announcements.make(APP, text, now=NOW)
    assert witness.heard == []


async def test_there_are_only_so_many_at_once_in_one_room(house: Rooms, witness: Witness) -> None:
    for _ in range(AT_MOST):
        await house.announcements.make(APP, "Hello", now=NOW)
    with pytest.raises(TooOften) as caught:
        await house.announcements.make(APP, "Hello", now=NOW + 10)
    assert caught.value.retry_after == WITHIN - 10
    assert len(witness.heard) == AT_MOST
    await house.create_room("default", RoomDraft(id="other"), now=NOW)
    await house.announcements.make(Application("default", "other"), "Hello", now=NOW)
    await house.announcements.make(APP, "Hello", now=NOW + WITHIN)


async def test_a_clock_that_was_set_back_silences_nobody(house: Rooms) -> None:
    for _ in range(AT_MOST):
        await house.announcements.make(APP, "Hello", now=NOW)
    await house.announcements.make(APP, "Hello", now=NOW - 3600)


async def test_nobody_is_told_anything_in_a_room_that_is_over_or_not_there(
    house: Rooms, witness: Witness
) -> None:
    for where in (Application("elsewhere", "rdv"), Application("default", "other")):
        with pytest.raises(NotFound):
            await house.announcements.make(where, "Hello", now=NOW)
    await house.act("default", "rdv", RoomAct.CANCEL, now=NOW)
    with pytest.raises(InvalidTransition):
        await house.announcements.make(APP, "Hello", now=NOW)
    assert [one for one in witness.heard if one[0] == "announced"] == []

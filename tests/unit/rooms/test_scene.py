"""What the waiting room's channel reads, and what hosts do there as the event log tells it."""

from typing import Any

import pytest

from rooms import (
    ApiKey,
    Application,
    GroupDraft,
    Moderator,
    NotFound,
    ParticipantDraft,
    Role,
    RoomDraft,
    Rooms,
    Scene,
)
from tests.unit.rooms.conftest import NOW

HOUR = 3600.0


async def waiting(
    rooms: Rooms, key: ApiKey, identity: str, *, at: float = NOW, node: str | None = None
) -> str:
    """Put a patient and let them knock; give the room's uid."""
    await rooms.participants.put("default", "rdv", identity, ParticipantDraft("patient", "P."), now=at)
    ticket = await rooms.participants.mint_token(key, "rdv", identity, now=at)
    admission = await rooms.verify_knock(ticket.token, now=at)
    await rooms.waiting_room.knock(admission, now=at, node=node)
    return admission.room_id


async def attends(rooms: Rooms, key: ApiKey, identity: str, role: Role = "host") -> Moderator:
    """Put somebody who moderates."""
    await rooms.participants.put("default", "rdv", identity, ParticipantDraft(role), now=NOW)
    ticket = await rooms.participants.mint_token(key, "rdv", identity, now=NOW)
    return Moderator(await rooms.verify_knock(ticket.token, now=NOW))


async def make(rooms: Rooms, **fields: Any) -> None:
    await rooms.create_room("default", RoomDraft(id="rdv", waiting_room=True, **fields), now=NOW)


async def scene(rooms: Rooms, uid: str, *identities: str, at: float = NOW) -> Scene:
    found = await rooms.waiting_room.scene(uid, identities, now=at)
    assert found is not None
    return found


async def test_a_scene_shows_who_stands_there_and_whom_it_was_asked_for(rooms: Rooms, key: ApiKey) -> None:
    await make(rooms)
    uid = await waiting(rooms, key, "a", at=NOW + 1)
    roles: tuple[Role, ...] = ("patient", "host")
    for identity, role in zip(("b", "doctor"), roles, strict=True):
        await rooms.participants.put("default", "rdv", identity, ParticipantDraft(role), now=NOW)
    found = await scene(rooms, uid)
    assert {one.identity: (one.state, one.since) for one in found.people.values()} == {
        "a": ("waiting", NOW + 1)
    }
    found = await scene(rooms, uid, "b", "doctor", "nobody")
    assert {one.identity: one.must_wait for one in found.people.values()} == {
        "a": True,
        "b": True,
        "doctor": False,
    }


async def test_a_scene_says_when_nobody_may_enter(rooms: Rooms, key: ApiKey) -> None:
    await make(rooms, starts_at=NOW, ends_at=NOW + HOUR)
    uid = await waiting(rooms, key, "a")
    assert [(await scene(rooms, uid, at=at)).outside for at in (NOW - HOUR, NOW, NOW + 2 * HOUR)] == [
        "too-early",
        None,
        "too-late",
    ]
    assert await rooms.waiting_room.scene("RM_other", (), now=NOW) is None


async def test_the_last_late_notice_is_found_again_until_it_is_taken_back(rooms: Rooms, key: ApiKey) -> None:
    await make(rooms)
    uid = await waiting(rooms, key, "a")
    assert (await scene(rooms, uid)).late is None
    doctor = await attends(rooms, key, "doctor")
    for minutes in (10, 20):
        await rooms.waiting_room.write_late_notice("default", "rdv", minutes, who=doctor, now=NOW + minutes)
    late = (await scene(rooms, uid)).late
    assert late is not None
    assert (late.minutes, late.at) == (20, NOW + 20)
    await rooms.waiting_room.write_late_notice("default", "rdv", 0, who=doctor, now=NOW)
    assert (await scene(rooms, uid)).late is None


async def test_events_say_who_did_it_and_never_what_was_written(rooms: Rooms, key: ApiKey) -> None:
    await make(rooms)
    for identity in ("a", "b", "c"):
        await waiting(rooms, key, identity)
    room = rooms.waiting_room
    doctor, assistant = (
        await attends(rooms, key, "doctor"),
        await attends(rooms, key, "assistant", "delegate"),
    )
    await room.write_message("default", "rdv", "a", who=doctor, now=NOW)
    await room.write_message("default", "rdv", None, who=doctor, now=NOW)
    await room.deny("default", "rdv", "a", now=NOW, who=doctor)
    await room.admit("default", "rdv", "b", now=NOW, who=assistant)
    await room.admit_all("default", "rdv", now=NOW, who=doctor)
    await room.admit("default", "rdv", "a", now=NOW)
    told = [
        (one.type, one.data["identity"], one.data.get("by"))
        for one in (await rooms.events.read(after=0)).items
        if one.type.startswith(("waiting_room.", "participant.")) and one.type != "participant.waiting"
    ]
    assert told == [
        ("waiting_room.message", "a", "doctor"),
        ("waiting_room.message", None, "doctor"),
        ("participant.denied", "a", "doctor"),
        ("participant.admitted", "b", "assistant"),
        ("participant.admitted", "c", "doctor"),
        ("participant.admitted", "a", None),
    ]


async def test_a_scene_shows_the_open_groups_and_who_belongs_there(rooms: Rooms, key: ApiKey) -> None:
    await make(rooms)
    uid = await waiting(rooms, key, "a")
    application = Application("default", "rdv")
    left, right = await rooms.groups.open(
        application, [GroupDraft("Left", ["b", "a"]), GroupDraft()], closes_at=NOW + HOUR, now=NOW
    )
    assert list((await scene(rooms, uid)).groups) == [left, right]
    await rooms.groups.close(application, left.id, now=NOW)
    assert list((await scene(rooms, uid)).groups) == [right]


@pytest.mark.parametrize("identity", ["nobody", "expected"])
async def test_nobody_writes_to_somebody_who_does_not_wait(rooms: Rooms, key: ApiKey, identity: str) -> None:
    await make(rooms)
    doctor = await attends(rooms, key, "doctor")
    await rooms.participants.put("default", "rdv", "expected", ParticipantDraft("patient"), now=NOW)
    with pytest.raises(NotFound):
        await rooms.waiting_room.write_message("default", "rdv", identity, who=doctor, now=NOW)


async def test_a_server_gives_up_the_places_of_those_who_wait_at_it(rooms: Rooms, key: ApiKey) -> None:
    await make(rooms)
    uid = await waiting(rooms, key, "a", node="one")
    await waiting(rooms, key, "b", node="two")
    assert await rooms.waiting_room.everybody(node="one") == [(uid, "a")]
    await waiting(rooms, key, "a", at=NOW + 1, node="two")  # the line was lost, and found at another server
    assert await rooms.waiting_room.everybody(node="one") == []
    await rooms.waiting_room.give_up(uid, "a", now=NOW + 2, node="one")
    assert [one.since for one in await rooms.waiting_room.waiters(uid)] == [NOW, NOW]
    await rooms.waiting_room.give_up(uid, "a", now=NOW + 2, node="two")
    assert [one.identity for one in await rooms.waiting_room.waiters(uid)] == ["b"]

"""Two servers on one PostgreSQL: what one does to a room, the call at the other hears of; or it is said."""

from collections.abc import AsyncIterator

import pytest

from rooms import (
    ApiKey,
    Application,
    Bandwidth,
    CallRules,
    GroupDraft,
    KeyRing,
    ParticipantDraft,
    RoomDraft,
    RoomEvent,
    Rooms,
)
from rooms.errors import Elsewhere
from tests.support.postgresql import Cluster, emptied
from tests.unit.rooms.conftest import NOW, Witness

RDV = Application("default", "rdv")


@pytest.fixture
def url(postgresql: Cluster) -> str:
    return emptied(postgresql, "rooms")


@pytest.fixture
async def here(rooms: Rooms) -> Rooms:
    """The server with the call, in which one person is."""
    await rooms.create_room("default", RoomDraft(id="rdv"), now=NOW)
    for name in ("p", "q"):
        await rooms.participants.put("default", "rdv", name, ParticipantDraft(role="patient"), now=NOW)
    journal = rooms.leg_journal(lambda: NOW, node="here")
    journal.leg_opened(await uid(rooms), "leg", "p", "patient")
    await journal.write_some()
    await rooms.neighbours.hear()
    return rooms


@pytest.fixture
async def there(url: str, here: Rooms, key: ApiKey) -> AsyncIterator[Rooms]:
    """Another server."""
    service = await Rooms.open(url, keys=KeyRing([key]))
    service.leg_journal(lambda: NOW, node="there")
    yield service
    await service.close()


async def heard(rooms: Rooms) -> list[tuple[object, ...]]:
    witness = Witness()
    rooms.observe(witness)
    await rooms.neighbours.hear()
    return witness.heard


async def uid(rooms: Rooms) -> str:
    return (await rooms.get_room("default", "rdv")).uid


async def test_a_removal_elsewhere_is_heard(here: Rooms, there: Rooms) -> None:
    await there.participants.remove("default", "rdv", "p", now=NOW)
    assert ("removed", await uid(here), "p") in await heard(here)


async def test_a_denial_and_a_move_elsewhere_are_heard_by_who_follows(here: Rooms, there: Rooms) -> None:
    followed: list[RoomEvent] = []
    here.events.follow(followed.append)
    await there.waiting_room.deny("default", "rdv", "q", now=NOW)
    await there.groups.open(RDV, [GroupDraft(members=["p"])], now=NOW)
    await here.neighbours.hear()
    assert [one.type for one in followed] == ["participant.denied", "group.opened", "participant.moved"]


async def test_muting_elsewhere_is_heard(here: Rooms, there: Rooms) -> None:
    await there.moderation.mute(RDV, "p", ["microphone"], now=NOW)
    await there.moderation.mute(RDV, None, ["camera"], now=NOW)
    room = await uid(here)
    assert await heard(here) == [("muted", room, "p", ("microphone",)), ("muted", room, None, ("camera",))]


async def test_what_lasts_is_told_as_it_is_stored(here: Rooms, there: Rooms) -> None:
    await there.moderation.restrain(RDV, "p", forbidden=["camera"], now=NOW)
    await there.moderation.restrain(RDV, None, may_unmute=False, now=NOW)
    await there.moderation.lock(RDV, now=NOW)
    told = await heard(here)
    assert [one[0] for one in told] == ["restrained", "room", "room"]
    assert told[0][3].forbidden == ("camera",)  # type: ignore[attr-defined]
    rules = told[-1][2]
    assert isinstance(rules, CallRules)
    assert not rules.restraints.may_unmute


async def test_a_room_for_sound_alone_is_one_at_every_server(here: Rooms, there: Rooms) -> None:
    sound = Bandwidth(audio_only=True)
    await there.replace_room("default", "rdv", RoomDraft(bandwidth=sound), now=NOW)
    ((what, room, rules),) = await heard(here)
    assert (what, room) == ("room", await uid(here))
    assert isinstance(rules, CallRules)
    assert rules.bandwidth == sound


async def test_what_is_said_elsewhere_of_a_room_and_its_people_holds_here(here: Rooms, there: Rooms) -> None:
    draft = ParticipantDraft(role="patient", name="Léa", can_publish=("microphone",), attributes={"a": "1"})
    await there.participants.put("default", "rdv", "p", draft, now=NOW)
    await there.replace_room("default", "rdv", RoomDraft(name="Suivi"), now=NOW)
    await there.share_metadata("default", "rdv", "shown", now=NOW)
    person, named, shared = await heard(here)
    assert (*person[:3], *person[4:]) == ("changed", await uid(here), "p", "Léa", {"a": "1"})
    assert person[3].can_publish_sources == ("microphone",)  # type: ignore[attr-defined]
    assert (named[0], shared[2].text) == ("room", "shown")  # type: ignore[attr-defined]


async def test_what_is_said_again_is_no_news(here: Rooms, there: Rooms) -> None:
    for draft in (RoomDraft(name="Suivi"), RoomDraft(name="Suivi")):
        await there.replace_room("default", "rdv", draft, now=NOW)
    await there.participants.put("default", "rdv", "p", ParticipantDraft(role="patient"), now=NOW)
    told = [one.type for one in (await there.events.read(after=0, room_id="rdv")).items]
    assert (told.count("room.updated"), told.count("participant.updated")) == (1, 0)


async def test_an_end_elsewhere_ends_the_call_here(here: Rooms, there: Rooms) -> None:
    await there.act("default", "rdv", "finish", now=NOW)  # type: ignore[arg-type]
    assert await heard(here) == [("closed", await uid(here), "finished")]


async def test_what_a_server_did_itself_it_is_not_told_again(here: Rooms, there: Rooms) -> None:
    remembered = dict(here._context.own_events)
    await here.moderation.mute(RDV, "p", ["microphone"], now=NOW)
    await there.moderation.mute(RDV, "p", ["camera"], now=NOW)
    assert await heard(here) == [("muted", await uid(here), "p", ("camera",))]
    assert await heard(here) == []
    assert here._context.own_events == remembered


async def test_an_act_that_reaches_only_ones_own_calls_says_so(here: Rooms, there: Rooms) -> None:
    with pytest.raises(Elsewhere):
        await there.moderation.lower_hand(RDV, "p", now=NOW)
    with pytest.raises(Elsewhere):
        await there.announcements.make(RDV, "Back to the room, please", now=NOW)
    with pytest.raises(Elsewhere):
        await there.check_here(await uid(there))
    await here.moderation.lower_hand(RDV, "p", now=NOW)
    await here.check_here(await uid(here))


async def test_that_a_server_is_emptied_is_told_in_the_rooms_whose_call_it_has(
    here: Rooms, there: Rooms
) -> None:
    await here.create_room("default", RoomDraft(id="idle"), now=NOW)
    assert (await there.announce_draining(now=NOW), await here.announce_draining(now=NOW)) == (0, 1)
    told = [one for one in (await here.events.read(after=0)).items if one.type == "node.draining"]
    assert [(one.room_id, one.data) for one in told] == [("rdv", {"node": "here"})]

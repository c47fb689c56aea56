"""People who are placed in sub-groups go on there, and come back."""

import json
from dataclasses import replace
from typing import Any

import pytest
from livekit.protocol import models, rtc

from rooms import GroupPlace, Restraints, RoomEvent
from tests.support.stage import EPOCH, ROOM, Client, Stage, admission, rights, rules

LEFT = GroupPlace("GR_left", "Left", EPOCH + 600)


def moved(identity: str, to: str | None) -> RoomEvent:
    data = {"identity": identity, "from_group": None, "to_group": to, "cause": "api"}
    return RoomEvent(1, "evt_x", "default", ROOM, "visit", 1, EPOCH, "participant.moved", data)


def places(stage: Stage, client: Client, group: GroupPlace | None, **changes: Any) -> None:
    """Tell the hub that somebody was placed, and give what the door says then."""
    stage.places_wanted.clear()
    stage.hub.event_written(moved(client.identity, None if group is None else group.id))
    (person,) = stage.places_wanted
    there = admission(client.identity, group=group, **changes)
    stage.hub.place(person, there, "a token", now=stage.now)


def others(client: Client) -> set[str]:
    return {info.identity for info in client.hears("room_moved")[-1].other_participants}


def test_a_person_goes_on_in_the_group_and_those_left_behind_see_it(stage: Stage) -> None:
    ada, bob, cy = (stage.joins(name) for name in ("ada", "bob", "cy"))
    places(stage, ada, LEFT)
    places(stage, bob, LEFT)
    (told,) = ada.hears("room_moved")
    assert (told.room.sid, told.room.name, told.token) == ("GR_left", "visit", "a token")
    assert json.loads(told.room.metadata)["group"] == {
        "id": "GR_left",
        "name": "Left",
        "closes_at": "2027-01-15T08:10:00+00:00",
    }
    assert json.loads(told.room.metadata)["title"] == "A visit"
    assert others(bob) == {"ada"}
    assert cy.updates_of("ada")[-1].state == models.ParticipantInfo.DISCONNECTED
    assert ada.close_code() is None


def test_what_is_said_in_a_group_stays_there(stage: Stage) -> None:
    ada, bob, cy = (stage.joins(name) for name in ("ada", "bob", "cy"))
    for one in (ada, bob):
        places(stage, one, LEFT)
    cy.forgets()
    bob.forgets()
    ada.says(update_metadata=rtc.UpdateParticipantMetadata(name="Ada", metadata="hello"))
    assert bob.updates_of("ada")[-1].metadata == "hello"
    assert cy.updates_of("ada") == []


def test_everybody_is_together_again_when_the_group_is_closed(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    for group in (LEFT, None):
        for one in (ada, bob):
            places(stage, one, group)
    assert others(bob) == {"ada"}
    assert stage.hub.census()["calls"] == 1
    assert json.loads(bob.hears("room_moved")[-1].room.metadata) == {"title": "A visit"}
    ada.says(leave=rtc.LeaveRequest())
    bob.says(leave=rtc.LeaveRequest())
    assert stage.hub.census()["calls"] == stage.hub.census()["timers"] == 0
    assert stage.hub.calls_of(ROOM) == []


def test_a_move_within_the_room_is_no_coming_or_going(stage: Stage) -> None:
    ada = stage.joins("ada")
    places(stage, ada, LEFT)
    ada.loses_signal()
    ada = stage.resumes(ada, group=LEFT)
    ada.says(leave=rtc.LeaveRequest())
    assert [(told[0], told[1]) for told in stage.legs.told] == [
        ("opened", ROOM),
        ("media", ROOM),
        ("lost", ROOM),
        ("back", ROOM),
        ("closed", ROOM),
    ]


def test_who_was_placed_before_coming_comes_into_the_group(stage: Stage) -> None:
    stage.joins("ada")
    bob = stage.joins("bob", group=LEFT)
    assert {one.identity for one in bob.hears("join")[0].other_participants} == set()
    assert stage.legs.told[-1] == ("media", ROOM, bob.sid, "udp", "ipv4")


@pytest.mark.parametrize("away", ["media is not up yet", "signal lost"])
def test_a_client_that_cannot_be_told_joins_afresh_where_it_belongs(stage: Stage, away: str) -> None:
    ada = stage.joins("ada", connected=away == "signal lost")
    if away == "signal lost":
        ada.loses_signal()
    places(stage, ada, LEFT)
    assert stage.hub.find_person(ROOM, "ada") is None
    if away != "signal lost":
        assert ada.hears("leave")[0].action == rtc.LeaveRequest.RECONNECT
    again = stage.joins("ada", group=LEFT)
    assert again.hears("join")[0].room.sid == "GR_left"


def test_a_second_join_ends_the_first_wherever_it_is(stage: Stage) -> None:
    first = stage.joins("ada")
    second = stage.joins("ada", group=LEFT)
    assert first.close_code() == 4003
    assert second.close_code() is None
    assert stage.hub.census()["participants"] == 1


def test_durable_changes_reach_people_in_groups(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    for one in (ada, bob):
        places(stage, one, LEFT)
    stage.hub.participant_changed(ROOM, "bob", rights(can_publish=False), "", {})
    assert not bob.person.grants.can_publish
    stage.hub.room_changed(ROOM, rules('{"title":"Another"}'))
    stage.passes(10)
    assert json.loads(bob.hears("room_update")[-1].room.metadata)["title"] == "Another"
    stage.hub.participant_removed(ROOM, "ada")
    assert ada.close_code() == 4004
    stage.hub.room_closed(ROOM, "finished")
    assert bob.close_code() == 4005


def test_a_group_opens_with_the_rules_that_hold_now(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    stage.hub.room_changed(ROOM, rules(chat=False))
    places(stage, ada, LEFT)
    assert not ada.person.grants.can_publish_data
    places(stage, bob, LEFT)
    places(stage, ada, None)
    assert not ada.person.grants.can_publish_data


def test_the_bound_on_people_is_one_for_room_and_groups(stage: Stage) -> None:
    ada = stage.joins("ada", rules=rules(max_participants=1))
    places(stage, ada, LEFT)
    assert stage.hub.full(admission("bob", rules=rules(max_participants=1)))
    assert not stage.hub.full(admission("ada", rules=rules(max_participants=1)))


def test_who_is_denied_just_after_coming_in_is_out(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    changes = stage.hub.changes
    denied = replace(moved("ada", None), type="participant.denied", data={"identity": "ada"})
    stage.hub.event_written(denied)
    assert (ada.close_code(), bob.close_code()) == (4004, None)
    assert stage.hub.changes > changes  # whoever is on the way in is checked again
    stage.hub.event_written(replace(denied, data={"identity": "nobody"}))


def test_placing_somebody_where_they_are_or_who_is_gone_changes_nothing(stage: Stage) -> None:
    ada = stage.joins("ada")
    places(stage, ada, None)
    assert ada.hears("room_moved") == []
    person = ada.person
    ada.says(leave=rtc.LeaveRequest())
    stage.hub.place(person, admission("ada", group=LEFT), "a token", now=stage.now)
    assert stage.hub.census()["calls"] == 0
    stage.hub.event_written(moved("nobody", "GR_left"))


def test_those_in_groups_are_moderated_with_the_room(stage: Stage) -> None:
    ada, bob, cy = (stage.joins(name) for name in ("ada", "bob", "cy"))
    for one in (ada, bob):
        places(stage, one, LEFT)
    microphone, camera = ada.publishes(), ada.publishes(models.TrackSource.CAMERA)
    stage.everybody_forgets([ada, bob, cy])
    stage.hub.tracks_muted(ROOM, None, ("microphone",))
    assert [one.sid for one in ada.hears("mute")] == [microphone]
    stage.hub.participant_restrained(ROOM, "ada", Restraints(("camera",)))
    assert [one.track_sid for one in ada.hears("track_unpublished")] == [camera]
    assert cy.heard == []


def test_a_hand_is_lowered_by_going_elsewhere_and_each_group_has_a_queue(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    for one in (ada, bob):
        one.says(update_metadata=rtc.UpdateParticipantMetadata(attributes={"hand": "up"}))
    places(stage, ada, LEFT, attributes=ada.person.admission.attributes)
    assert dict(ada.hears("room_moved")[0].participant.attributes) == {}
    ada.says(update_metadata=rtc.UpdateParticipantMetadata(attributes={"hand": "up"}))
    of_hands = [one for one in stage.legs.told if one[0].startswith("hand.")]
    assert [one[:2] for one in of_hands] == [
        ("hand.raised", ROOM),
        ("hand.raised", ROOM),
        ("hand.lowered", ROOM),
        ("hand.raised", ROOM),
    ]
    assert "'position': 1" in of_hands[3][2]
    assert stage.hub.census()["hands"] == 2
    stage.hub.hands_lowered(ROOM, None, "doc")
    assert stage.hub.census()["hands"] == 0

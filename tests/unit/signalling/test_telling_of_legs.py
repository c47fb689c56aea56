"""What the durable part is told of those who come and go."""

import pytest
from livekit.protocol import rtc

from rooms import CallRules
from signalling.livekit.lifecycle import Event
from tests.support.stage import ROOM, Stage, admission


def kinds(stage: Stage) -> list[str]:
    return [told[0] for told in stage.legs.told]


def test_a_stay_is_told_from_the_join_to_the_goodbye(stage: Stage) -> None:
    ada = stage.joins("ada", role="host")
    sid = ada.sid
    ada.says(leave=rtc.LeaveRequest())
    assert stage.legs.told == [
        ("opened", ROOM, sid, "ada", "host"),
        ("media", ROOM, sid),
        ("closed", ROOM, sid, "left"),
    ]


def test_a_lost_line_is_told_and_its_return(stage: Stage) -> None:
    ada = stage.joins("ada")
    ada.loses_signal()
    ada = stage.resumes(ada)
    ada.loses_signal()
    stage.passes(3600)
    assert kinds(stage) == ["opened", "media", "lost", "back", "lost", "closed"]
    assert stage.legs.told[-1][3] == "resume_late"


def test_somebody_who_comes_twice_has_two_stays_of_which_the_first_is_over(stage: Stage) -> None:
    first, second = stage.joins("ada"), stage.joins("ada")
    opened = [told[2] for told in stage.legs.told if told[0] == "opened"]
    closed = [told[2] for told in stage.legs.told if told[0] == "closed"]
    assert len(set(opened)) == 2
    assert closed == opened[:1]
    assert first.close_code() is not None
    assert second.sid == opened[1]


@pytest.mark.parametrize("event", [Event.SHUTDOWN, Event.ROOM_CLOSED, Event.MEDIA_FAILED, Event.ABUSE])
def test_everybody_who_was_there_is_told_to_be_gone_once(stage: Stage, event: Event) -> None:
    for name in ("ada", "bob"):
        stage.joins(name)
    stage.hub.end_all(event, now=stage.now)
    stage.hub.end_all(event, now=stage.now)
    stage.passes(3600)
    assert kinds(stage).count("opened") == kinds(stage).count("closed") == 2
    assert {told[3] for told in stage.legs.told if told[0] == "closed"} == {event.value.replace("-", "_")}


def test_a_join_that_breaks_is_closed_too(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("not today")

    monkeypatch.setattr("signalling.livekit.join.joined", broken)
    with pytest.raises(RuntimeError):
        stage.joins("ada")
    assert kinds(stage) == ["opened", "closed"]


def test_media_that_comes_up_again_is_told_once(stage: Stage) -> None:
    ada = stage.joins("ada")
    ada.connects()
    assert kinds(stage).count("media") == 1


def test_rules_of_a_room_are_no_coming_or_going(stage: Stage) -> None:
    ada = stage.joins("ada")
    stage.hub.room_changed(ROOM, CallRules(ada.person.admission.rules.features, None, ""))
    assert kinds(stage) == ["opened", "media"]


def test_somebody_who_is_moved_leaves_one_room_and_comes_into_the_other(stage: Stage) -> None:
    ada = stage.joins("ada", role="host")
    stage.legs.told.clear()
    there = admission("ada", room_id="RM_other", room_name="other", role="host")
    stage.hub.move(ada.person, there, "a token", now=stage.now)
    said = str({"identity": "ada", "from": "visit", "to": "other"})
    assert stage.legs.told == [
        ("closed", ROOM, ada.sid, "moved"),
        ("participant.moved", ROOM, said),
        ("opened", "RM_other", ada.sid, "ada", "host"),
        ("media", "RM_other", ada.sid),
    ]
    ada.says(leave=rtc.LeaveRequest())
    assert stage.legs.told[-1] == ("closed", "RM_other", ada.sid, "left")

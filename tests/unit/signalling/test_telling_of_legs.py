"""What the durable part is told of those who come and go, and of their lines."""

import pytest
from livekit.protocol import rtc

from rooms import CallRules, GroupPlace
from sfu import LegStats
from signalling.livekit.lifecycle import Event
from tests.support.stage import ROOM, Client, Stage, admission


def kinds(stage: Stage) -> list[str]:
    return [told[0] for told in stage.legs.told]


def test_a_stay_is_told_from_the_join_to_the_goodbye(stage: Stage) -> None:
    ada = stage.joins("ada", role="host")
    sid = ada.sid
    ada.says(leave=rtc.LeaveRequest())
    assert stage.legs.told == [
        ("opened", ROOM, sid, "ada", "host"),
        ("media", ROOM, sid, "udp", "ipv4"),
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
    said = {"identity": "ada", "from_group": None, "to_group": None, "to_room": "other"}
    said |= {"cause": "api", "by": None}
    assert stage.legs.told == [
        ("closed", ROOM, ada.sid, "moved"),
        ("participant.moved", ROOM, str(said)),
        ("opened", "RM_other", ada.sid, "ada", "host"),
        ("media", "RM_other", ada.sid, "udp", "ipv4"),
    ]
    ada.says(leave=rtc.LeaveRequest())
    assert stage.legs.told[-1] == ("closed", "RM_other", ada.sid, "left")


def goes_on(client: Client, seconds: int, *, loses: float = 0.0) -> None:
    """Let time pass for a client that is there, and let its line lose a part of what it sends."""
    for _ in range(seconds // 5):
        stats = client.leg.now_stats
        lost = round(1000 * loses)
        client.leg.now_stats = LegStats(
            packets_up=stats.packets_up + 1000 - lost, lost_up=stats.lost_up + lost
        )
        client.stage.passes(5)
        client.says(ping=1)


def of_line(client: Client) -> list[tuple[str, ...]]:
    told = client.stage.legs.told
    return [(one[0], *one[3:]) for one in told if one[0] in {"degraded", "recovered", "path", "closed"}]


def test_a_line_that_loses_much_is_told_as_degraded_and_then_as_recovered(stage: Stage) -> None:
    ada = stage.joins("ada")
    goes_on(ada, 20)
    assert of_line(ada) == []
    goes_on(ada, 30, loses=0.2)
    ((word, reason, score),) = of_line(ada)
    assert (word, reason) == ("degraded", "loss")
    assert 1.0 <= float(score) < 3.0
    goes_on(ada, 10)
    assert len(of_line(ada)) == 1
    goes_on(ada, 20)
    assert [one[0] for one in of_line(ada)] == ["degraded", "recovered"]


def test_a_silent_line_is_told_at_once(stage: Stage) -> None:
    ada = stage.joins("ada")
    ada.leg.listener.silent()
    assert of_line(ada) == [("degraded", "silence", "0.0")]
    ada.leg.listener.resumed()
    goes_on(ada, 15)
    assert [one[0] for one in of_line(ada)] == ["degraded", "recovered"]


def test_a_degraded_line_that_ends_is_only_closed(stage: Stage) -> None:
    ada = stage.joins("ada")
    ada.leg.listener.silent()
    ada.leg.listener.failed("consent_expired")
    stage.passes(60)
    assert [one[0] for one in of_line(ada)] == ["degraded", "closed"]


def test_a_path_is_told_once_the_client_has_found_its_own(stage: Stage) -> None:
    ada = stage.joins("ada")
    ada.leg.listener.path_changed("udp", ipv6=False)
    goes_on(ada, 10)
    assert of_line(ada) == []
    ada.leg.listener.path_changed("udp", ipv6=True)
    assert of_line(ada) == [("path", "udp", "ipv6")]


def test_another_room_is_told_the_path_that_the_line_has_taken_since(stage: Stage) -> None:
    ada = stage.joins("ada", connected=False)
    ada.connects(ipv6=True)
    assert stage.legs.told[-1] == ("media", ROOM, ada.sid, "udp", "ipv6")
    ada.leg.listener.path_changed("udp", ipv6=False)
    there = admission("ada", room_id="RM_other", room_name="other")
    stage.hub.move(ada.person, there, "a token", now=stage.now)
    assert stage.legs.told[-1] == ("media", "RM_other", ada.sid, "udp", "ipv4")


def test_the_line_is_one_in_room_and_group_and_begins_anew_in_another_room(stage: Stage) -> None:
    ada = stage.joins("ada")
    ada.leg.listener.silent()
    group = GroupPlace("GR_left", "Left")
    stage.hub.place(ada.person, admission("ada", group=group), "a token", now=stage.now)
    goes_on(ada, 10)
    assert [one[0] for one in of_line(ada)] == ["degraded"]
    stage.legs.told.clear()
    there = admission("ada", room_id="RM_other", room_name="other")
    stage.hub.move(ada.person, there, "a token", now=stage.now)
    assert "'from_group': 'GR_left', 'to_group': None, 'to_room': 'other'" in stage.legs.told[1][2]
    goes_on(ada, 5)
    told = [one[:2] for one in stage.legs.told if one[0] in {"closed", "opened", "degraded", "recovered"}]
    assert told == [("closed", ROOM), ("opened", "RM_other"), ("degraded", "RM_other")]

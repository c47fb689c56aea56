"""Bounds of a room and of the server, put into force for everybody in the call."""

from dataclasses import replace

from rooms import Bandwidth
from signalling.livekit import LiveKitSettings
from tests.support.stage import Stage, admission, rules


def test_the_smaller_of_what_room_and_server_say_holds_for_who_comes() -> None:
    stage = Stage(LiveKitSettings(max_kbps=1_000))
    room = replace(rules(), bandwidth=Bandwidth(max_kbps_up=300, max_kbps_down=5_000))
    assert stage.joins("ada", rules=room).leg.caps == (300, 1_000)


def test_without_a_bound_nobody_is_bounded() -> None:
    assert Stage().joins("ada").leg.caps == (None, None)


def test_a_change_reaches_everybody_who_is_in_the_call() -> None:
    stage = Stage()
    ada, bob = stage.joins("ada"), stage.joins("bob")
    stage.hub.room_changed("RM_room", replace(rules(), bandwidth=Bandwidth(max_kbps_down=600)))
    assert (ada.leg.caps, bob.leg.caps) == ((None, 600), (None, 600))
    stage.hub.room_changed("RM_room", rules())
    assert (ada.leg.caps, bob.leg.caps) == ((None, None), (None, None))


def test_who_is_moved_to_another_room_has_the_bounds_of_that_one() -> None:
    stage = Stage()
    ada = stage.joins("ada", rules=replace(rules(), bandwidth=Bandwidth(max_kbps_up=300)))
    there = replace(rules(), bandwidth=Bandwidth(max_kbps_down=600))
    moved = admission("ada", room_id="RM_other", room_name="other", rules=there)
    stage.hub.move(ada.person, moved, "a token", now=stage.now)
    assert ada.leg.caps == (None, 600)

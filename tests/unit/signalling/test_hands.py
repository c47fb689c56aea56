"""The queue of raised hands: ordered by the server, whatever clients and clocks say."""

import pytest
from livekit.protocol import rtc

from signalling.livekit.hands import HandQueue
from signalling.livekit.settings import LiveKitSettings, SignalLimits
from tests.support.stage import ROOM, Client, Stage, rules

SINCE = "colloque.hand"


def raises(client: Client, value: str = "up", **more: str) -> int:
    """Set the attribute as an SDK does; give what the client was answered."""
    before = len(client.hears("request_response"))
    client.says(
        update_metadata=rtc.UpdateParticipantMetadata(request_id=1, attributes={"hand": value, **more})
    )
    return int(client.hears("request_response")[before].reason)


def seen(viewer: Client, identity: str) -> dict[str, str]:
    return dict(viewer.updates_of(identity)[-1].attributes)


def events(stage: Stage) -> list[tuple[str, ...]]:
    return [one[::2] for one in stage.legs.told if one[0].startswith("hand.")]


class TestQueue:
    def test_who_came_first_stands_first_and_keeps_the_place(self) -> None:
        queue = HandQueue()
        assert queue.lift("ada", wall=1000.0)
        assert queue.lift("bob", wall=1001.0)
        assert not queue.lift("ada", wall=1002.0), "a hand that is up stays where it is"
        assert list(queue) == ["ada", "bob"]
        assert [queue.position(one) for one in ("ada", "bob")] == [1, 2]
        assert queue.lower("ada")
        assert not queue.lower("ada")
        assert queue.position("bob") == 1
        assert queue.lift("ada", wall=1003.0)
        assert list(queue) == ["bob", "ada"]

    def test_values_rise_in_the_same_millisecond_and_when_the_clock_steps_back(self) -> None:
        queue = HandQueue()
        for identity, wall in (("d", 1000.0), ("c", 1000.0), ("b", 990.0), ("a", 1000.0004)):
            queue.lift(identity, wall=wall)
        assert list(queue) == ["d", "c", "b", "a"]
        values = [queue.value(one) for one in queue]
        assert values == sorted(set(values))
        assert values[0] == "1970-01-01T00:16:40.000Z"

    def test_the_place_of_an_earlier_connection_is_kept(self) -> None:
        queue = HandQueue()
        queue.lift("ada", wall=1000.0)
        kept = queue.value("ada")
        queue.lift("bob", wall=1001.0)
        queue.lower("ada")
        queue.lift("ada", wall=1005.0, kept=kept)
        assert list(queue) == ["ada", "bob"]
        queue.lift("eve", wall=1006.0, kept=kept)
        assert list(queue) == ["ada", "eve", "bob"], "two never have the same place"

    @pytest.mark.parametrize(
        "kept",
        ["", "x", "2999-01-01T00:00:00.000Z", "1970-01-01", "1970-01-01T00:16:40Z", "9" * 30, "\ud800"],
    )
    def test_what_the_server_cannot_have_said_gives_no_place(self, kept: str) -> None:
        queue = HandQueue()
        queue.lift("bob", wall=2000.0)
        queue.lift("ada", wall=2001.0, kept=kept)
        assert list(queue) == ["bob", "ada"]
        assert queue.value("ada") == "1970-01-01T00:33:21.000Z"


def test_the_client_reads_its_own_value_back_and_everybody_the_servers_time(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    stage.passes(5)
    assert raises(ada, "2001-01-01T00:00:00Z") == rtc.RequestResponse.OK
    stage.passes(1)
    raises(bob, "x")
    for viewer in (ada, bob):
        assert seen(viewer, "ada") == {"hand": "2001-01-01T00:00:00Z", SINCE: "2027-01-15T08:00:05.000Z"}
        assert seen(viewer, "bob") == {"hand": "x", SINCE: "2027-01-15T08:00:06.000Z"}
    assert [one[0] for one in events(stage)] == ["hand.raised", "hand.raised"]
    assert "'position': 2" in events(stage)[1][1]
    assert "'raised_at': '2027-01-15T08:00:06.000Z'" in events(stage)[1][1]
    raises(ada, "")
    assert seen(bob, "ada") == {}
    assert events(stage)[2] == ("hand.lowered", "{'identity': 'ada', 'cause': 'media'}")


def test_nobody_writes_the_servers_word_or_jumps_the_queue(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    raises(ada)
    stage.passes(1)
    raises(bob, "up", **{SINCE: "2001-01-01T00:00:00.000Z", "colloque.may_unmute": "no"})
    assert seen(ada, "bob") == {"hand": "up", SINCE: "2027-01-15T08:00:01.000Z"}
    raises(bob, "another value")
    assert seen(ada, "bob")[SINCE] == "2027-01-15T08:00:01.000Z"


def test_somebody_who_leaves_lowers_the_hand_and_who_comes_back_with_it_has_the_old_place(
    stage: Stage,
) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    raises(ada)
    carried = dict(ada.person.admission.attributes)
    stage.passes(1)
    raises(bob)
    stage.hub.participant_removed(ROOM, "ada")
    assert events(stage)[-1][0] == "hand.lowered"
    again = stage.joins("ada", attributes=carried)
    assert again.hears("join")[0].participant.attributes[SINCE] == "2027-01-15T08:00:00.000Z"
    assert "'position': 1" in events(stage)[-1][1]


def test_the_token_to_come_back_with_says_how_the_hand_is(stage: Stage) -> None:
    ada = stage.joins("ada")
    for value in ("up", ""):
        stage.tokens_wanted.clear()
        raises(ada, value)
        stage.passes(0.1)
        assert stage.tokens_wanted == [ada.person]


def test_a_moderator_lowers_one_or_all(stage: Stage) -> None:
    ada, bob, eve = (stage.joins(one) for one in ("ada", "bob", "eve"))
    for one in (ada, bob, eve):
        raises(one, seat="2")
    stage.hub.hands_lowered(ROOM, "bob", "doc")
    assert seen(ada, "bob") == {"seat": "2"}
    assert events(stage)[-1][1] == "{'identity': 'bob', 'cause': 'host', 'by': 'doc'}"
    stage.hub.hands_lowered(ROOM, "bob", "doc")
    stage.hub.hands_lowered(ROOM, "nobody", "doc")
    assert len(events(stage)) == 4, "a hand that is down is not lowered"
    stage.hub.hands_lowered(ROOM, None, None)
    assert seen(bob, "ada") == seen(bob, "eve") == {"seat": "2"}
    assert {"'cause': 'api'" in one[1] for one in events(stage)[4:]} == {True}
    stage.passes(0.1)
    assert {one.identity for one in stage.tokens_wanted} == {"ada", "bob", "eve"}, "the old one has the hand"


def test_a_room_in_which_hands_are_switched_off_has_none(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    raises(ada)
    stage.hub.room_changed(ROOM, rules(raise_hand=False))
    assert seen(bob, "ada") == {}
    assert raises(ada) == rtc.RequestResponse.NOT_ALLOWED


def test_a_hand_that_goes_up_and_down_all_the_time_has_to_wait() -> None:
    stage = Stage(LiveKitSettings(limits=SignalLimits(hand_raises_per_second=1.0, hand_raises_burst=2)))
    ada = stage.joins("ada")
    for _ in range(2):
        assert raises(ada) == rtc.RequestResponse.OK
        assert raises(ada, "") == rtc.RequestResponse.OK
    assert raises(ada) == rtc.RequestResponse.LIMIT_EXCEEDED
    assert len(events(stage)) == 4
    stage.passes(1)
    assert raises(ada) == rtc.RequestResponse.OK

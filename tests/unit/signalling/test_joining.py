"""What a client hears first, and what the others hear of it."""

import pytest
from livekit.protocol import models, rtc

from sfu import CallKey, CloseReason, PeerError, TrackKey
from tests.support.live_side import FakeLeg
from tests.support.stage import ROOM, Client, Stage, admission, rights, rules


def test_join_is_the_first_message_and_says_who_is_there(stage: Stage) -> None:
    ada = stage.joins("ada")
    bob = stage.joins("bob", connected=False)
    assert bob.kinds()[0] == "join"
    join = bob.hears("join")[0]
    assert (join.room.sid, join.room.name) == (ROOM, "visit")
    assert join.participant.sid == bob.sid
    assert [one.identity for one in join.other_participants] == ["ada"]
    assert join.other_participants[0].sid == ada.sid
    assert join.other_participants[0].state == models.ParticipantInfo.ACTIVE


def test_join_is_the_first_message_where_a_publisher_denies_its_track(stage: Stage) -> None:
    ada = stage.joins("ada")
    ada.says(subscription_permission=rtc.SubscriptionPermission())
    track = ada.publishes()
    bob = stage.joins("bob")
    assert bob.kinds()[0] == "join"
    denied = bob.hears("subscription_permission_update")[0]
    assert (denied.track_sid, denied.allowed) == (track, False)


def test_join_is_the_first_message_where_a_track_cannot_be_delivered(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(leg: FakeLeg, track: TrackKey) -> None:
        raise PeerError("subscription-limit", "too many")

    stage.joins("ada").publishes()
    monkeypatch.setattr(FakeLeg, "subscribe", refuse)
    bob = stage.joins("bob")
    assert bob.kinds()[0] == "join"
    assert len(bob.hears("subscription_response")) == 1


def test_join_asks_for_one_connection_on_which_the_client_offers(stage: Stage) -> None:
    join = stage.joins("ada").hears("join")[0]
    assert not join.subscriber_primary
    assert join.fast_publish
    assert (join.ping_interval, join.ping_timeout) == (5, 15)
    assert "video/VP8" in {codec.mime for codec in join.enabled_publish_codecs}


def test_ids_have_the_prefixes_that_clients_demand(stage: Stage) -> None:
    ada = stage.joins("ada")
    assert ada.sid.startswith("PA_")
    assert ada.publishes().startswith("TR_AM")


def test_the_others_hear_of_a_newcomer_at_once_and_again_when_media_is_up(stage: Stage) -> None:
    ada = stage.joins("ada")
    bob = stage.joins("bob", connected=False)
    assert [one.state for one in ada.updates_of("bob")] == [models.ParticipantInfo.JOINED]
    bob.connects()
    assert ada.updates_of("bob")[-1].state == models.ParticipantInfo.ACTIVE


def test_an_offer_in_the_join_request_is_answered_at_once_with_its_id(stage: Stage) -> None:
    offer = rtc.SessionDescription(type="offer", sdp="first", id=3)
    ada = stage.joins("ada", connected=False, request=rtc.JoinRequest(publisher_offer=offer))
    assert ada.kinds()[0] == "join"
    answer = ada.hears("answer")[0]
    assert (answer.type, answer.sdp, answer.id) == ("answer", "answer to first", 3)


def test_tracks_in_the_join_request_are_published_before_its_offer_is_answered(stage: Stage) -> None:
    request = rtc.JoinRequest(
        publisher_offer=rtc.SessionDescription(type="offer", sdp="first", id=1),
        add_track_requests=[rtc.AddTrackRequest(cid="mic", type=models.TrackType.AUDIO)],
    )
    ada = stage.joins("ada", connected=False, request=request)
    kinds = ada.kinds()
    assert kinds.index("track_published") < kinds.index("answer")
    track = ada.hears("track_published")[0]
    assert track.cid == "mic"
    assert dict(ada.hears("answer")[0].mid_to_track_id) == {"0": track.track.sid}


def test_tracks_that_are_there_already_come_with_the_first_answer(stage: Stage) -> None:
    track = stage.joins("ada").publishes()
    request = rtc.JoinRequest(
        connection_settings=rtc.ConnectionSettings(auto_subscribe=True),
        publisher_offer=rtc.SessionDescription(type="offer", sdp="first", id=1),
    )
    bob = stage.joins("bob", connected=False, request=request)
    assert list(bob.hears("answer")[0].mid_to_track_id.values()) == [track]


def test_a_hidden_person_is_not_seen_but_sees(stage: Stage) -> None:
    ada = stage.joins("ada")
    ghost = stage.joins("ghost", rights(hidden=True))
    assert ada.updates_of("ghost") == []
    assert [one.identity for one in ghost.hears("join")[0].other_participants] == ["ada"]
    assert ghost.hears("join")[0].participant.permission.hidden
    bob = stage.joins("bob")
    assert [one.identity for one in bob.hears("join")[0].other_participants] == ["ada"]
    assert bob.hears("join")[0].room.num_participants == 2
    ghost.says(leave=rtc.LeaveRequest())
    assert ada.updates_of("ghost") == []


def test_the_same_identity_again_replaces_the_older_leg(stage: Stage) -> None:
    bob = stage.joins("bob")
    older = stage.joins("ada")
    bob.forgets()
    newer = stage.joins("ada")
    farewell = older.hears("leave")[0]
    assert farewell.reason == models.DisconnectReason.DUPLICATE_IDENTITY
    assert farewell.action == rtc.LeaveRequest.DISCONNECT
    assert older.closed is not None
    assert older.leg.closed is CloseReason.REPLACED
    seen = [(one.sid, one.state) for one in bob.updates_of("ada")]
    assert seen[:2] == [
        (older.sid, models.ParticipantInfo.DISCONNECTED),
        (newer.sid, models.ParticipantInfo.JOINED),
    ]
    assert newer.leg.closed is None
    older.says(ping=1)
    assert older.hears("pong") == []


def test_a_full_live_side_lets_nobody_in_and_leaves_nothing_behind(stage: Stage) -> None:
    stage.sfu.call(CallKey(ROOM)).full = True
    with pytest.raises(PeerError, match="full"):
        stage.joins("ada")
    assert stage.hub.census()["calls"] == 0
    assert stage.hub.census()["timers"] == 0


def test_a_join_that_breaks_leaves_nothing_behind_and_others_come_in(stage: Stage) -> None:
    ada = stage.joins("ada")
    before = dict(stage.hub.census())
    ada.forgets()
    broken = Client(stage, "mallory")
    with pytest.raises(UnicodeEncodeError):
        stage.hub.join(admission("mallory", metadata="\ud83d"), rtc.JoinRequest(), broken, now=stage.now)
    assert broken.close_code() == 4010
    assert dict(stage.hub.census()) == before
    assert [one.identity for one in stage.joins("bob").hears("join")[0].other_participants] == ["ada"]
    assert [info.identity for update in ada.hears("update") for info in update.participants] == ["bob"] * 2


def test_a_first_join_that_breaks_leaves_no_call_behind(stage: Stage) -> None:
    with pytest.raises(UnicodeEncodeError):
        stage.joins("mallory", metadata="\ud83d")
    assert set(stage.hub.census().values()) == {0}


def test_a_room_is_full_when_its_participants_are_counted_but_not_for_one_of_them(stage: Stage) -> None:
    stage.joins("ada", rules=rules(max_participants=1))
    assert stage.hub.full(admission("bob", rules=rules(max_participants=1)))
    assert not stage.hub.full(admission("ada", rules=rules(max_participants=1)))
    assert not stage.hub.full(admission("bob", rules=rules(max_participants=2)))


def test_an_offer_that_can_never_work_ends_the_leg_and_says_so(stage: Stage) -> None:
    ada = stage.joins("ada")
    ada.leg.refuse_offer = PeerError("sdp-malformed", "not SDP")
    ada.offers()
    assert ada.hears("leave")[0].action == rtc.LeaveRequest.DISCONNECT
    assert ada.closed == (4008, "sdp-malformed")
    assert stage.hub.counters.dropped["sdp-malformed"] == 1


def test_an_offer_that_came_at_a_bad_time_has_the_client_join_afresh(stage: Stage) -> None:
    ada = stage.joins("ada")
    ada.leg.refuse_offer = PeerError("busy", "later")
    ada.offers()
    assert ada.hears("leave")[0].action == rtc.LeaveRequest.RECONNECT


@pytest.mark.parametrize("code", ["sdp-too-large", "sdp-limit"])
def test_a_description_that_outgrew_the_bounds_has_the_client_join_afresh(stage: Stage, code: str) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob", connected=False)
    for client in (ada, bob):
        client.leg.refuse_offer = PeerError(code, "too much")
        client.offers()
    assert ada.hears("leave")[0].action == rtc.LeaveRequest.RECONNECT
    assert bob.hears("leave")[0].action == rtc.LeaveRequest.DISCONNECT


def test_the_room_is_told_how_many_are_there_a_little_later_and_once(stage: Stage) -> None:
    ada = stage.joins("ada")
    stage.joins("bob")
    stage.joins("cleo")
    assert ada.hears("room_update") == []
    stage.passes(1.1)
    assert [one.room.num_participants for one in ada.hears("room_update")] == [3]

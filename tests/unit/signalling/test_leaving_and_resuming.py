"""How a stay ends, and how a client whose signalling was lost gets its place back."""

import pytest
from livekit.protocol import models, rtc

from sfu import CloseReason, PeerError
from signalling.livekit.lifecycle import ENDINGS, TRANSITIONS, Event, Lifecycle, State
from signalling.livekit.settings import LiveKitSettings
from tests.support.stage import ROOM, Stage, rights

GONE = models.ParticipantInfo.DISCONNECTED
Reason = models.DisconnectReason


def test_a_client_that_says_goodbye_is_gone_at_once(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    ada.publishes()
    ada.says(leave=rtc.LeaveRequest(reason=Reason.CLIENT_INITIATED))
    assert ada.closed is not None
    assert ada.closed[0] == 1000
    assert ada.leg.closed is CloseReason.LEFT
    info = bob.updates_of("ada")[-1]
    assert (info.state, info.disconnect_reason) == (GONE, Reason.CLIENT_INITIATED)
    assert list(info.tracks) == []


def test_a_timer_that_goes_wrong_keeps_no_other_waiting(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    ada, bob = stage.joins("ada", connected=False), stage.joins("bob", connected=False)
    ada.person.change(metadata="\ud83d")
    for _ in range(3):
        stage.passes(10.0)
        for client in (ada, bob):
            client.says(ping=1)
    assert (ada.close_code(), bob.close_code()) == (4006, 4006)
    assert "timer_failed" in caplog.messages
    assert set(stage.hub.census().values()) == {0}


def test_when_the_last_one_leaves_nothing_is_left(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    for client in (ada, bob):
        client.publishes()
        client.says(leave=rtc.LeaveRequest())
    assert set(stage.hub.census().values()) == {0}


def test_a_client_that_closes_its_media_has_left_whether_it_says_so_first_or_not(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    ada.leg.listener.failed("closed_by_peer")
    assert bob.updates_of("ada")[-1].disconnect_reason == Reason.CLIENT_INITIATED
    assert ada.close_code() == 1000


@pytest.mark.parametrize(
    ("event", "reason", "action"),
    [
        ("removed", Reason.PARTICIPANT_REMOVED, rtc.LeaveRequest.DISCONNECT),
        ("closed", Reason.ROOM_DELETED, rtc.LeaveRequest.DISCONNECT),
        ("shutdown", Reason.SERVER_SHUTDOWN, rtc.LeaveRequest.RECONNECT),
        ("failed", Reason.MEDIA_FAILURE, rtc.LeaveRequest.RECONNECT),
    ],
)
def test_who_is_sent_away_learns_why_and_what_to_do(
    stage: Stage, event: str, reason: int, action: int
) -> None:
    ada = stage.joins("ada")
    match event:
        case "removed":
            stage.hub.participant_removed(ROOM, "ada")
        case "closed":
            stage.hub.room_closed(ROOM, "deleted")
        case "shutdown":
            stage.hub.end_all(Event.SHUTDOWN, now=stage.now)
        case "failed":
            ada.leg.listener.failed("consent")
    farewell = ada.hears("leave")[0]
    assert (farewell.reason, farewell.action) == (reason, action)
    assert farewell.can_reconnect is (action == rtc.LeaveRequest.RECONNECT)
    assert ada.closed is not None
    assert ada.leg.closed is not None


def test_nothing_that_a_removed_client_says_has_any_effect(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    stage.hub.participant_removed(ROOM, "ada")
    bob.forgets()
    ada.says(add_track=rtc.AddTrackRequest(cid="c", type=models.TrackType.AUDIO))
    ada.offers()
    ada.says(update_metadata=rtc.UpdateParticipantMetadata(name="Back"))
    assert bob.heard == []
    assert ada.hears("answer") == []
    assert stage.resumes(ada).seat is None


def test_a_client_may_come_back_while_its_place_is_kept(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    track = ada.publishes()
    bob.forgets()
    ada.loses_signal()
    for _ in range(3):
        stage.passes(9)
        bob.says(ping=1)
    assert bob.updates_of("ada") == []
    assert ada.leg.closed is None
    again = stage.resumes(ada)
    assert again.kinds()[0] == "reconnect"
    assert again.sid == ada.sid
    assert again.leg is ada.leg
    assert again.leg.resyncs == 1
    for _ in range(3):
        stage.passes(10)
        again.says(ping=1)
        bob.says(ping=1)
    again.says(mute=rtc.MuteTrackRequest(sid=track, muted=True))
    assert bob.updates_of("ada")[-1].tracks[0].muted


def test_a_place_is_not_kept_for_ever(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    ada.loses_signal()
    for _ in range(7):
        stage.passes(5)
        bob.says(ping=1)
    assert ada.leg.closed is not None
    info = bob.updates_of("ada")[-1]
    assert (info.state, info.disconnect_reason) == (GONE, Reason.SIGNAL_CLOSE)
    assert stage.resumes(ada).seat is None


def test_who_comes_back_learns_what_was_missed(stage: Stage) -> None:
    ada, bob, cleo = (stage.joins(name) for name in ("ada", "bob", "cleo"))
    ada.loses_signal()
    bob.says(leave=rtc.LeaveRequest())
    track = cleo.publishes()
    stage.joins("dora")
    again = stage.resumes(ada)
    assert again.updates_of("bob")[0].state == GONE
    assert again.updates_of("cleo")[0].tracks[0].sid == track
    assert again.updates_of("dora")[0].state == models.ParticipantInfo.ACTIVE
    assert again.updates_of("ada")[0].sid == ada.sid
    assert again.hears("room_update")[0].room.num_participants == 3
    assert track in again.leg.subscribed


def test_who_comes_back_learns_which_encodings_are_wanted_now(stage: Stage) -> None:
    ada = stage.joins("ada")
    track = ada.publishes(models.TrackSource.CAMERA)
    ada.leg.listener.wanted_changed(track, [False])
    ada.loses_signal()
    ada.leg.listener.wanted_changed(track, [True])
    (update,) = stage.resumes(ada).hears("subscribed_quality_update")
    assert (update.track_sid, update.subscribed_qualities[0].enabled) == (track, True)


def test_a_resume_whose_offer_is_refused_ends_the_stay(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    ada.loses_signal()
    ada.leg.refuse_offer = PeerError("sdp-malformed", "not SDP")
    offer = rtc.SessionDescription(type="offer", sdp="bad")
    again = stage.resumes(ada, request=rtc.JoinRequest(publisher_offer=offer))
    assert again.close_code() == 4008
    assert bob.updates_of("ada")[-1].state == GONE


def test_who_was_hidden_meanwhile_is_not_seen_any_more(stage: Stage) -> None:
    ada, _bob = stage.joins("ada"), stage.joins("bob")
    ada.loses_signal()
    stage.hub.participant_changed(ROOM, "bob", rights(hidden=True), "", {})
    assert [one.state for one in stage.resumes(ada).updates_of("bob")] == [GONE]


def test_media_that_fails_for_the_last_one_leaves_nothing(stage: Stage) -> None:
    stage.joins("ada").leg.listener.failed("consent")
    assert set(stage.hub.census().values()) == {0}


def test_who_rejoined_meanwhile_is_not_reported_gone_after_they_are_reported_there(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    ada.loses_signal()
    newer = stage.joins("bob")
    again = stage.resumes(ada)
    seen = [(one.sid, one.state) for one in again.updates_of("bob")]
    assert seen == [(bob.sid, GONE), (newer.sid, models.ParticipantInfo.ACTIVE)]


def test_a_client_can_come_back_before_the_loss_was_noticed(stage: Stage) -> None:
    ada = stage.joins("ada")
    again = stage.resumes(ada)
    assert ada.closed is not None
    ada.loses_signal()
    assert again.person.outlet is again
    assert again.person.lifecycle.state is State.ACTIVE


def test_the_number_of_the_last_reliable_message_is_told(stage: Stage) -> None:
    ada = stage.joins("ada")
    packet = models.DataPacket(user=models.UserPacket(payload=b"x"), sequence=41)
    ada.leg.listener.data_received("_reliable", packet.SerializeToString(), binary=True)
    ada.loses_signal()
    assert stage.resumes(ada).hears("reconnect")[0].last_message_seq == 41


def test_nobody_takes_the_place_of_another(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    ada.loses_signal()
    assert stage.resumes(bob, sid=ada.sid).seat is None
    assert stage.resumes(ada, sid="PA_unknown").seat is None
    assert stage.resumes(ada, room_id="RM_other").seat is None
    assert stage.resumes(ada).seat is not None


def test_rights_that_changed_meanwhile_are_in_force(stage: Stage) -> None:
    ada = stage.joins("ada")
    track = ada.publishes()
    ada.loses_signal()
    stage.hub.participant_changed(ROOM, "ada", rights(can_publish=False), "", {})
    again = stage.resumes(ada, grants=rights(can_publish=False))
    assert not again.updates_of("ada")[0].permission.can_publish
    state = rtc.SyncState(publish_tracks=[rtc.TrackPublishedResponse(track=models.TrackInfo(sid=track))])
    again.says(sync_state=state)
    assert [one.track_sid for one in again.hears("track_unpublished")] == [track]


def test_sync_state_brings_both_sides_together(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    kept, ended, unwanted, hidden = ada.publishes(), ada.publishes(), bob.publishes(), bob.publishes()
    ada.says(add_track=rtc.AddTrackRequest(cid="new", type=models.TrackType.AUDIO))
    ada.loses_signal()
    again = stage.resumes(ada)
    again.forgets()
    state = rtc.SyncState(
        subscription=rtc.UpdateSubscription(track_sids=[unwanted], subscribe=False),
        track_sids_disabled=[hidden],
        publish_tracks=[rtc.TrackPublishedResponse(track=models.TrackInfo(sid=kept))],
    )
    again.says(sync_state=state)
    assert again.leg.subscribed == {hidden}
    assert again.leg.wanted[hidden].disabled
    assert again.leg.unpublished == [ended]
    assert [one.cid for one in again.hears("track_published")] == ["new"]
    assert [one.sid for one in bob.updates_of("ada")[-1].tracks] == [kept]


def test_a_silent_client_is_taken_as_disconnected(stage: Stage) -> None:
    ada = stage.joins("ada")
    stage.passes(10)
    ada.says(ping_req=rtc.Ping(timestamp=5))
    stage.passes(14)
    assert ada.close_code() is None
    stage.passes(2)
    assert stage.hub.census()["adrift"] == 1
    assert ada.close_code() == 4002
    assert stage.resumes(ada).seat is not None


def test_media_that_does_not_come_up_ends_the_stay(stage: Stage) -> None:
    ada = stage.joins("ada", connected=False)
    for _ in range(6):
        stage.passes(5.1)
        ada.says(ping=1)
    farewell = ada.hears("leave")[0]
    assert (farewell.reason, farewell.action) == (Reason.CONNECTION_TIMEOUT, rtc.LeaveRequest.DISCONNECT)


def test_media_may_come_up_while_signalling_is_lost(stage: Stage) -> None:
    ada = stage.joins("ada", connected=False)
    ada.loses_signal()
    ada.connects()
    again = stage.resumes(ada)
    assert again.person.lifecycle.state is State.ACTIVE
    stage.passes(14)
    again.says(ping=1)
    stage.passes(14)
    assert again.closed is None


def test_tokens_are_renewed_well_before_they_end_and_after_a_resume(stage: Stage) -> None:
    ada = stage.joins("ada", expires_at=1_800_000_100.0)
    for _ in range(5):
        stage.passes(10.1)
        ada.says(ping=1)
    assert stage.tokens_wanted == [ada.person]
    stage.hub.new_token(ada.person, "fresh", now=stage.now, expires_at=1_800_000_650.0)
    assert ada.hears("refresh_token") == ["fresh"]
    again = stage.resumes(ada)
    stage.passes(0)
    assert stage.tokens_wanted == [ada.person, again.person]


def test_the_next_token_comes_well_before_the_last_one_ends(stage: Stage) -> None:
    ada = stage.joins("ada", expires_at=1_800_000_600.0)
    for _ in range(200):
        stage.passes(10)
        ada.says(ping=1)
        if len(stage.tokens_wanted) > len(ada.hears("refresh_token")):
            lives_until = stage.wall() + 600
            stage.hub.new_token(ada.person, "fresh", now=stage.now, expires_at=lives_until)
    assert len(ada.hears("refresh_token")) == 2000 // 300
    wanted = len(stage.tokens_wanted)
    stage.hub.new_token(ada.person, "short", now=stage.now, expires_at=stage.wall() + 20)
    stage.passes(10.1)
    assert len(stage.tokens_wanted) == wanted + 1


def test_a_token_that_is_refused_is_asked_for_again_only_now_and_then(stage: Stage) -> None:
    ada = stage.joins("ada", expires_at=1_800_000_100.0)
    for _ in range(35):
        stage.passes(10)
        ada.says(ping=1)
    assert len(stage.tokens_wanted) == 1 + (350 - 50) // 30


def test_faults_are_simulated_for_tests_only(stage: Stage) -> None:
    ada = stage.joins("ada")
    ada.says(simulate=rtc.SimulateScenario(server_leave=True))
    assert ada.closed is None
    open_stage = Stage(LiveKitSettings(allow_simulation=True))
    bob = open_stage.joins("bob")
    bob.says(simulate=rtc.SimulateScenario(leave_request_full_reconnect=True))
    assert bob.hears("leave")[0].action == rtc.LeaveRequest.RECONNECT


def test_the_table_leads_from_every_state_to_the_end_and_never_back() -> None:
    for state in State:
        for event in ENDINGS:
            after = TRANSITIONS.get((state, event))
            assert after is (None if state is State.ENDED else State.ENDED)
    assert not any(state is State.ENDED for state, _ in TRANSITIONS)


def test_every_event_is_an_ending_or_somewhere_in_the_table() -> None:
    used = {event for _, event in TRANSITIONS}
    assert used == set(Event)


def test_an_event_without_meaning_changes_nothing() -> None:
    life = Lifecycle()
    assert life.handle(Event.LEFT)
    assert not life.handle(Event.REMOVED)
    assert life.ended_by is Event.LEFT

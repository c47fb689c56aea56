"""Who receives what: automatic, asked for, denied by the publisher, or not within one's rights."""

import pytest
from livekit.protocol import models, rtc

from sfu import PeerError, TrackKey, Wanted
from tests.support.stage import Client, Stage, rights, rules

CAMERA = models.TrackSource.CAMERA
BY_HAND = rtc.JoinRequest(connection_settings=rtc.ConnectionSettings(auto_subscribe=False))


def permissions(client: Client) -> list[tuple[str, bool]]:
    return [(one.track_sid, one.allowed) for one in client.hears("subscription_permission_update")]


def test_everybody_receives_every_track_unless_told_otherwise(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    track = ada.publishes()
    assert bob.leg.subscribed == {track}
    assert ada.leg.subscribed == set()


def test_a_client_that_subscribes_by_hand_gets_what_it_asks_for(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob", request=BY_HAND)
    first, second = ada.publishes(), ada.publishes(CAMERA)
    assert bob.leg.subscribed == set()
    bob.says(subscription=rtc.UpdateSubscription(track_sids=[second], subscribe=True))
    assert bob.leg.subscribed == {second}
    tracks = models.ParticipantTracks(participant_sid=ada.sid, track_sids=[first])
    bob.says(subscription=rtc.UpdateSubscription(participant_tracks=[tracks], subscribe=True))
    assert bob.leg.subscribed == {first, second}


def test_unsubscribing_ends_the_delivery_until_it_is_asked_for_again(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    track = ada.publishes()
    bob.says(subscription=rtc.UpdateSubscription(track_sids=[track], subscribe=False))
    assert bob.leg.subscribed == set()
    ada.publishes(CAMERA)
    assert track not in bob.leg.subscribed
    bob.says(subscription=rtc.UpdateSubscription(track_sids=[track], subscribe=True))
    assert track in bob.leg.subscribed


def test_asking_for_an_unknown_track_is_answered(stage: Stage) -> None:
    bob = stage.joins("bob")
    bob.says(subscription=rtc.UpdateSubscription(track_sids=["TR_none"], subscribe=True))
    answer = bob.hears("subscription_response")[0]
    assert (answer.track_sid, answer.err) == ("TR_none", models.SubscriptionError.SE_TRACK_NOTFOUND)


def test_who_may_not_receive_receives_nothing(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob", rights(can_subscribe=False))
    track = ada.publishes()
    bob.says(subscription=rtc.UpdateSubscription(track_sids=[track], subscribe=True))
    assert bob.leg.subscribed == set()


def test_the_right_to_receive_can_be_taken_and_given_back_during_the_call(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    track = ada.publishes()
    stage.hub.participant_changed("RM_room", "bob", rights(can_subscribe=False), "", {})
    assert bob.leg.subscribed == set()
    assert not bob.updates_of("bob")[-1].permission.can_subscribe
    stage.hub.participant_changed("RM_room", "bob", rights(), "", {})
    assert bob.leg.subscribed == {track}


def test_a_publisher_decides_who_receives_its_tracks(stage: Stage) -> None:
    ada, bob, cleo = (stage.joins(name) for name in ("ada", "bob", "cleo"))
    first, second = ada.publishes(), ada.publishes(CAMERA)
    allowed = [
        rtc.TrackPermission(participant_identity="bob", all_tracks=True),
        rtc.TrackPermission(participant_sid=cleo.sid, track_sids=[second]),
    ]
    ada.says(subscription_permission=rtc.SubscriptionPermission(track_permissions=allowed))
    assert bob.leg.subscribed == {first, second}
    assert cleo.leg.subscribed == {second}
    assert permissions(bob) == []
    assert permissions(cleo) == [(first, False)]
    ada.says(subscription_permission=rtc.SubscriptionPermission(all_participants=True))
    assert cleo.leg.subscribed == {first, second}
    assert permissions(cleo) == [(first, False), (first, True)]


def test_a_publisher_decides_before_there_is_a_track(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    ada.says(subscription_permission=rtc.SubscriptionPermission())
    track = ada.publishes()
    assert bob.leg.subscribed == set()
    assert permissions(bob) == [(track, False)]


def test_settings_reach_the_live_side_and_outlast_a_new_subscription(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    track = ada.publishes(CAMERA)
    bob.says(track_setting=rtc.UpdateTrackSettings(track_sids=[track], width=320, height=180, fps=15))
    assert bob.leg.wanted == {track: Wanted(False, 0, 320, 180, 15)}
    bob.says(subscription=rtc.UpdateSubscription(track_sids=[track], subscribe=False))
    bob.leg.wanted.clear()
    bob.says(subscription=rtc.UpdateSubscription(track_sids=[track], subscribe=True))
    assert bob.leg.wanted == {track: Wanted(False, 0, 320, 180, 15)}


def test_a_setting_may_disable_or_name_a_quality(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    track = ada.publishes(CAMERA)
    low = models.VideoQuality.LOW
    bob.says(track_setting=rtc.UpdateTrackSettings(track_sids=[track], quality=low))
    assert bob.leg.wanted[track] == Wanted(quality=0)
    bob.says(track_setting=rtc.UpdateTrackSettings(track_sids=[track], disabled=True))
    assert bob.leg.wanted[track].disabled
    bob.says(track_setting=rtc.UpdateTrackSettings(track_sids=[track], quality=models.VideoQuality.OFF))
    assert bob.leg.wanted[track].disabled


def test_settings_are_bounded(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    track = ada.publishes(CAMERA)
    most = 2**32 - 1
    setting = rtc.UpdateTrackSettings(track_sids=[track], width=most, height=most, fps=most)
    bob.says(track_setting=setting)
    assert bob.leg.wanted[track] == Wanted(False, 0, 16_384, 16_384, 240)


def test_a_client_is_asked_for_an_offer_when_room_for_tracks_is_needed(stage: Stage) -> None:
    bob = stage.joins("bob")
    bob.leg.listener.sections_needed(1, 2)
    needed = bob.hears("media_sections_requirement")[0]
    assert (needed.num_audios, needed.num_videos) == (1, 2)


def test_a_subscriber_knows_the_publisher_before_it_is_asked_for_an_offer(stage: Stage) -> None:
    bob, ada = stage.joins("bob"), stage.joins("ada")
    ada.publishes()
    bob.leg.listener.sections_needed(0, 0)
    kinds = bob.kinds()
    assert "update" in kinds[: kinds.index("media_sections_requirement")]


def test_a_track_that_cannot_be_delivered_is_told_and_not_tried_again(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    track = ada.publishes()
    bob.leg.listener.subscription_failed(track, "codec-unsupported")
    bob.leg.subscribed.clear()
    answer = bob.hears("subscription_response")[0]
    assert answer.err == models.SubscriptionError.SE_CODEC_UNSUPPORTED
    stage.hub.participant_changed("RM_room", "bob", rights(can_publish_data=False), "", {})
    assert bob.leg.subscribed == set()
    bob.says(subscription=rtc.UpdateSubscription(track_sids=[track], subscribe=True))
    assert bob.leg.subscribed == {track}


def test_too_many_subscriptions_are_told(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")

    def refuse(track: TrackKey) -> None:
        raise PeerError("subscription-limit", "too many")

    bob.leg.subscribe = refuse  # type: ignore[method-assign]
    ada.publishes()
    assert bob.hears("subscription_response")[0].err == models.SubscriptionError.SE_UNKNOWN
    assert stage.hub.counters.dropped["subscription-limit"] == 1


def test_a_paused_stream_is_told_to_its_subscriber(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    track = ada.publishes(CAMERA)
    bob.leg.listener.stream_paused(track, paused=True)
    state = bob.hears("stream_state_update")[0].stream_states[0]
    assert (state.participant_sid, state.track_sid) == (ada.sid, track)
    assert state.state == rtc.StreamState.PAUSED


def test_publishing_rights_that_are_taken_away_end_the_tracks(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    voice, picture = ada.publishes(), ada.publishes(CAMERA)
    stage.hub.participant_changed("RM_room", "ada", rights(can_publish_sources=("microphone",)), "", {})
    assert ada.leg.unpublished == [picture]
    assert [one.track_sid for one in ada.hears("track_unpublished")] == [picture]
    info = bob.updates_of("ada")[-1]
    assert [one.sid for one in info.tracks] == [voice]
    assert list(info.permission.can_publish_sources) == [models.TrackSource.MICROPHONE]


def test_what_a_token_narrows_is_not_given_back_by_what_is_stored(stage: Stage) -> None:
    ada = stage.joins("ada", rights(can_publish=False, hidden=True))
    bob = stage.joins("bob")
    stage.hub.participant_changed("RM_room", "ada", rights(room_admin=True), "", {})
    stage.hub.room_changed("RM_room", rules(chat=True))
    assert bob.updates_of("ada") == []
    grants = ada.person.grants
    assert (grants.can_publish, grants.hidden, grants.room_admin) == (False, True, False)


def test_a_feature_that_is_switched_off_is_off_for_people_who_were_never_stored(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    voice, screen = ada.publishes(), ada.publishes(models.TrackSource.SCREEN_SHARE)
    stage.hub.room_changed("RM_room", rules(screen_share=False, chat=False))
    assert ada.leg.unpublished == [screen]
    assert not bob.updates_of("bob")[-1].permission.can_publish_data
    stage.hub.room_changed("RM_room", rules())
    assert bob.updates_of("bob")[-1].permission.can_publish_data
    assert list(ada.person.tracks) == [voice]
    ada.publishes(models.TrackSource.SCREEN_SHARE)


def test_a_room_for_sound_alone_ends_pictures_of_everybody_and_gives_back_the_right_alone(
    stage: Stage,
) -> None:
    host, ada = stage.joins("host", rights(room_admin=True)), stage.joins("ada")
    voice, camera = ada.publishes(), ada.publishes(models.TrackSource.CAMERA)
    screen = host.publishes(models.TrackSource.SCREEN_SHARE)
    sound = host.publishes(models.TrackSource.SCREEN_SHARE_AUDIO)
    stage.everybody_forgets([host, ada])
    stage.hub.room_changed("RM_room", rules("sound", audio_only=True))
    assert (ada.leg.unpublished, host.leg.unpublished) == ([camera], [screen, sound])
    for person in (host, ada):
        # The room says why before the rights change.
        kinds = person.kinds()
        assert kinds.index("room_update") < min(kinds.index("track_unpublished"), kinds.index("update"))
        assert person.hears("room_update")[0].room.metadata == "sound"
        permission = person.updates_of(person.identity)[-1].permission
        assert list(permission.can_publish_sources) == [models.TrackSource.MICROPHONE]
    stage.hub.room_changed("RM_room", rules())
    assert list(ada.person.tracks) == [voice]
    assert list(ada.updates_of("ada")[-1].permission.can_publish_sources) == []
    ada.publishes(models.TrackSource.CAMERA)


@pytest.mark.parametrize("source", [models.TrackSource.CAMERA, models.TrackSource.MICROPHONE])
def test_no_picture_is_accepted_in_a_room_for_sound_alone_whatever_it_is_called(
    stage: Stage, source: models.TrackSource
) -> None:
    bob = stage.joins("bob", rules=rules(audio_only=True))
    bob.says(add_track=rtc.AddTrackRequest(cid="x", type=models.TrackType.VIDEO, source=source))
    assert bob.hears("track_published") == []
    assert bob.leg.published == {}
    bob.publishes()


def test_a_picture_that_was_given_out_for_sound_ends_too(stage: Stage) -> None:
    bob = stage.joins("bob")
    bob.says(
        add_track=rtc.AddTrackRequest(
            cid="x", type=models.TrackType.VIDEO, source=models.TrackSource.MICROPHONE
        )
    )
    bob.offers()
    assert len(bob.person.tracks) == 1
    stage.hub.room_changed("RM_room", rules(audio_only=True))
    assert bob.person.tracks == {}


def test_somebody_hidden_during_the_call_disappears_and_comes_back(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    ada.publishes()
    stage.hub.participant_changed("RM_room", "ada", rights(hidden=True), "", {})
    assert bob.updates_of("ada")[-1].state == models.ParticipantInfo.DISCONNECTED
    bob.forgets()
    stage.hub.participant_changed("RM_room", "ada", rights(), "", {})
    assert bob.updates_of("ada")[-1].state == models.ParticipantInfo.ACTIVE

"""Publishing: from the announcement to what others are told, and back."""

import pytest
from livekit.protocol import models, rtc

from rooms import Grants
from sfu import EncodingIntent, LegKey, MediaKind, PeerError, TrackKey, TrackSource
from signalling.livekit.settings import LiveKitSettings, SignalLimits
from signalling.livekit.tracks import encodings_enabled, track_from_request
from tests.support.stage import ROOM, Client, Stage, rights, rules

CAMERA, MICROPHONE = models.TrackSource.CAMERA, models.TrackSource.MICROPHONE
SCREEN, UNKNOWN = models.TrackSource.SCREEN_SHARE, models.TrackSource.UNKNOWN


def layer(quality: int, width: int, bitrate: int, rid: str = "") -> models.VideoLayer:
    return models.VideoLayer(
        quality=models.VideoQuality.Name(quality),
        width=width,
        height=width * 9 // 16,
        bitrate=bitrate,
        rid=rid,
    )


SIMULCAST = [layer(0, 320, 160_000, "q"), layer(1, 640, 450_000, "h"), layer(2, 1280, 1_700_000, "f")]


def refusals(client: Client) -> list[int]:
    return [
        one.reason for one in client.hears("request_response") if one.WhichOneof("request") == "add_track"
    ]


def test_a_track_is_answered_with_its_cid_and_everything_the_client_said_of_it(stage: Stage) -> None:
    ada = stage.joins("ada")
    request = rtc.AddTrackRequest(
        cid="c1",
        name="desk",
        type=models.TrackType.AUDIO,
        source=MICROPHONE,
        stereo=True,
        disable_red=True,
        disable_dtx=True,
        encryption=models.Encryption.GCM,
    )
    ada.says(add_track=request)
    answer = ada.hears("track_published")[0]
    assert answer.cid == "c1"
    info = answer.track
    assert (info.name, info.source, info.encryption) == ("desk", MICROPHONE, models.Encryption.GCM)
    assert info.stereo
    assert info.disable_red
    assert models.AudioTrackFeature.TF_NO_DTX in info.audio_features


def test_lists_of_features_are_told_within_a_bound(stage: Stage) -> None:
    ada = stage.joins("ada")
    trailers = [models.PacketTrailerFeature.PTF_USER_TIMESTAMP] * 500
    features = [models.AudioTrackFeature.TF_STEREO] * 500
    ada.publishes(packet_trailer_features=trailers, audio_features=features)
    (info,) = ada.updates_of("ada")[-1].tracks
    assert (len(info.packet_trailer_features), len(info.audio_features)) == (16, 16)


def test_simulcast_layers_become_encodings_lowest_first() -> None:
    request = rtc.AddTrackRequest(
        cid="c1", type=models.TrackType.VIDEO, source=CAMERA, layers=reversed(SIMULCAST)
    )
    intent = track_from_request(request, key=TrackKey("TR_1"), leg=LegKey("PA_1")).intent
    assert intent.encodings == (
        EncodingIntent("q", 320, 180, 160),
        EncodingIntent("h", 640, 360, 450),
        EncodingIntent("f", 1280, 720, 1700),
    )
    assert intent.client_ids == ("c1",)


@pytest.mark.parametrize(
    ("qualities", "rids"), [([2], [""]), ([0, 1], ["q", "h"]), ([0, 1, 2], ["q", "h", "f"]), ([], [""])]
)
def test_layers_without_a_rid_are_named_by_their_order(qualities: list[int], rids: list[str]) -> None:
    layers = [layer(quality, 320, 0) for quality in qualities]
    request = rtc.AddTrackRequest(cid="c", type=models.TrackType.VIDEO, layers=layers)
    intent = track_from_request(request, key=TrackKey("TR_1"), leg=LegKey("PA_1")).intent
    assert [encoding.rid for encoding in intent.encodings] == rids


def test_camera_and_microphone_share_a_stream_and_the_screen_has_its_own() -> None:
    def stream(source: TrackSource, wire: models.TrackSource) -> str:
        request = rtc.AddTrackRequest(cid="c", type=models.TrackType.VIDEO, source=wire)
        intent = track_from_request(request, key=TrackKey("TR_1"), leg=LegKey("PA_1")).intent
        assert intent.source is source
        return intent.stream_id

    assert stream(TrackSource.CAMERA, CAMERA) == stream(TrackSource.MICROPHONE, MICROPHONE) == "PA_1|camera"
    assert stream(TrackSource.SCREEN_SHARE, SCREEN) == "PA_1|screen_share"
    assert stream(TrackSource.UNKNOWN, UNKNOWN) == "PA_1|TR_1"


@pytest.mark.parametrize(
    "request_",
    [
        rtc.AddTrackRequest(cid="c", type=models.TrackType.DATA),
        rtc.AddTrackRequest(type=models.TrackType.AUDIO),
        rtc.AddTrackRequest(cid="c" * 257, type=models.TrackType.AUDIO),
        rtc.AddTrackRequest(cid="c", name="n" * 257, type=models.TrackType.AUDIO),
        rtc.AddTrackRequest(cid="c", sid="TR_1", type=models.TrackType.VIDEO),
    ],
)
def test_an_announcement_that_makes_no_sense_is_refused(request_: rtc.AddTrackRequest) -> None:
    with pytest.raises(PeerError, match="invalid-track"):
        track_from_request(request_, key=TrackKey("TR_1"), leg=LegKey("PA_1"))


def test_others_hear_of_a_track_once_it_is_negotiated(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    bob.forgets()
    ada.says(
        add_track=rtc.AddTrackRequest(cid="c", type=models.TrackType.VIDEO, source=CAMERA, layers=SIMULCAST)
    )
    assert bob.updates_of("ada") == []
    ada.offers()
    track = bob.updates_of("ada")[-1].tracks[0]
    assert (track.mime_type, track.mid, track.simulcast) == ("video/VP8", "0", True)
    assert [one.rid for one in track.codecs[0].layers] == ["q", "h", "f"]
    assert bob.updates_of("ada")[-1].is_publisher


def test_asking_twice_for_the_same_track_gives_the_same_track(stage: Stage) -> None:
    ada = stage.joins("ada")
    for _ in range(2):
        ada.says(add_track=rtc.AddTrackRequest(cid="c", type=models.TrackType.AUDIO))
    first, second = ada.hears("track_published")
    assert first == second
    assert len(ada.leg.published) == 1


@pytest.mark.parametrize(
    ("grants", "source", "allowed"),
    [
        (rights(), CAMERA, True),
        (rights(can_publish=False), CAMERA, False),
        (rights(hidden=True), CAMERA, False),
        (rights(can_publish_sources=("microphone",)), MICROPHONE, True),
        (rights(can_publish_sources=("microphone",)), CAMERA, False),
        (rights(can_publish_sources=("microphone",)), models.TrackSource.UNKNOWN, False),
        (rights(can_publish_sources=("screen_share",)), SCREEN, True),
    ],
)
def test_only_allowed_sources_can_be_published(
    stage: Stage, grants: Grants, source: models.TrackSource, allowed: bool
) -> None:
    ada = stage.joins("ada", grants)
    ada.says(add_track=rtc.AddTrackRequest(cid="c", type=models.TrackType.VIDEO, source=source))
    assert bool(ada.hears("track_published")) is allowed
    assert refusals(ada) == ([] if allowed else [rtc.RequestResponse.NOT_ALLOWED])
    assert bool(ada.leg.published) is allowed


def test_a_room_with_end_to_end_encryption_takes_no_plain_track(stage: Stage) -> None:
    ada = stage.joins("ada", rules=rules(e2ee=True))
    ada.says(add_track=rtc.AddTrackRequest(cid="a", type=models.TrackType.AUDIO))
    assert refusals(ada) == [rtc.RequestResponse.NOT_ALLOWED]
    gcm = models.Encryption.GCM
    ada.says(add_track=rtc.AddTrackRequest(cid="b", type=models.TrackType.AUDIO, encryption=gcm))
    assert [one.cid for one in ada.hears("track_published")] == ["b"]


def test_encryption_that_a_room_demands_from_now_on_ends_plain_tracks_and_takes_no_more(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    plain = ada.publishes()
    encrypted = ada.publishes(encryption=models.Encryption.GCM)
    stage.hub.room_changed(ROOM, rules(e2ee=True))
    assert [one.track_sid for one in ada.hears("track_unpublished")] == [plain]
    assert ada.leg.unpublished == [plain]
    assert [one.sid for one in bob.updates_of("ada")[-1].tracks] == [encrypted]
    ada.says(add_track=rtc.AddTrackRequest(cid="late", type=models.TrackType.AUDIO))
    assert refusals(ada) == [rtc.RequestResponse.NOT_ALLOWED]


def test_a_leg_has_a_bounded_number_of_tracks() -> None:
    stage = Stage(LiveKitSettings(limits=SignalLimits(tracks=2)))
    ada = stage.joins("ada")
    for number in range(3):
        ada.says(add_track=rtc.AddTrackRequest(cid=f"c{number}", type=models.TrackType.AUDIO))
    assert len(ada.hears("track_published")) == 2
    assert refusals(ada) == [rtc.RequestResponse.LIMIT_EXCEEDED]


def test_a_track_that_was_announced_and_never_offered_makes_room_for_another() -> None:
    stage = Stage(LiveKitSettings(limits=SignalLimits(tracks=1)))
    ada = stage.joins("ada")
    ada.says(add_track=rtc.AddTrackRequest(cid="forgotten", type=models.TrackType.AUDIO))
    stage.passes(14)
    ada.says(ping=1)
    stage.passes(7)
    ada.says(add_track=rtc.AddTrackRequest(cid="new", type=models.TrackType.AUDIO))
    assert [one.cid for one in ada.hears("track_published")] == ["forgotten", "new"]
    assert refusals(ada) == []
    assert len(ada.leg.published) == 1


def test_mute_reaches_the_live_side_and_the_others_at_once(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    track = ada.publishes()
    bob.forgets()
    ada.says(mute=rtc.MuteTrackRequest(sid=track, muted=True))
    assert ada.leg.muted == {track: True}
    assert [one.muted for one in bob.updates_of("ada")[-1].tracks] == [True]
    ada.says(mute=rtc.MuteTrackRequest(sid=track, muted=True))
    assert len(bob.updates_of("ada")) == 1


def test_nobody_mutes_another(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    track = ada.publishes()
    bob.says(mute=rtc.MuteTrackRequest(sid=track, muted=True))
    assert ada.leg.muted == {}
    assert bob.hears("request_response")[-1].reason == rtc.RequestResponse.NOT_FOUND


def test_a_track_that_the_client_no_longer_offers_is_over_for_everybody(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    track = ada.publishes()
    bob.forgets()
    ada.leg.listener.track_unpublished(track)
    assert [one.track_sid for one in ada.hears("track_unpublished")] == [track]
    assert list(bob.updates_of("ada")[-1].tracks) == []
    assert not bob.updates_of("ada")[-1].is_publisher


def test_details_of_a_track_can_change(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    voice, picture = ada.publishes(), ada.publishes(CAMERA)
    features = [models.AudioTrackFeature.TF_NOISE_SUPPRESSION]
    ada.says(update_audio_track=rtc.UpdateLocalAudioTrack(track_sid=voice, features=features))
    ada.says(update_video_track=rtc.UpdateLocalVideoTrack(track_sid=picture, width=800, height=600))
    tracks = {one.sid: one for one in bob.updates_of("ada")[-1].tracks}
    assert list(tracks[voice].audio_features) == features
    assert (tracks[picture].width, tracks[picture].height) == (800, 600)


def test_a_publisher_learns_once_that_somebody_receives_its_track(stage: Stage) -> None:
    ada, bob, cleo = (stage.joins(name) for name in ("ada", "bob", "cleo"))
    track = ada.publishes()
    assert ada.hears("track_subscribed") == []
    bob.offers()
    cleo.offers()
    assert [one.track_sid for one in ada.hears("track_subscribed")] == [track]


def test_data_tracks_are_turned_down(stage: Stage) -> None:
    ada = stage.joins("ada")
    ada.says(publish_data_track_request=rtc.PublishDataTrackRequest(pub_handle=5, name="x"))
    answer = ada.hears("request_response")[0]
    assert answer.reason == rtc.RequestResponse.UNSUPPORTED_TYPE
    assert answer.publish_data_track.pub_handle == 5


def qualities(client: Client) -> list[list[bool]]:
    return [
        [one.enabled for one in update.subscribed_codecs[0].qualities]
        for update in client.hears("subscribed_quality_update")
    ]


def test_a_publisher_is_told_at_once_which_encodings_are_wanted(stage: Stage) -> None:
    ada = stage.joins("ada")
    track = ada.publishes(CAMERA, layers=SIMULCAST)
    ada.leg.listener.wanted_changed(track, [True, True, True])
    ada.leg.listener.wanted_changed(track, [True, False, False])
    assert qualities(ada) == [[True, True, True], [True, False, False]]
    update = ada.hears("subscribed_quality_update")[-1]
    assert (update.track_sid, update.subscribed_codecs[0].codec) == (track, "vp8")


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ([True], [True, True, True]),
        ([False], [False, False, False]),
        ([True, False], [True, False, False]),
        ([True, False, True], [True, False, True]),
        ([], [False, False, False]),
    ],
)
def test_a_client_with_fewer_encodings_is_told_of_all_three_qualities(
    wanted: list[bool], told: list[bool]
) -> None:
    assert encodings_enabled(wanted) == told


def test_kinds_are_told_to_the_live_side(stage: Stage) -> None:
    ada = stage.joins("ada")
    voice, picture = ada.publishes(), ada.publishes(CAMERA)
    assert ada.leg.published[voice].kind is MediaKind.AUDIO
    assert ada.leg.published[picture].kind is MediaKind.VIDEO


def test_the_codec_that_a_client_announces_for_its_pictures_is_asked_for() -> None:
    request = rtc.AddTrackRequest(
        cid="c",
        type=models.TrackType.VIDEO,
        source=CAMERA,
        simulcast_codecs=[rtc.SimulcastCodec(codec="h264")],
    )
    assert track_from_request(request, key=TrackKey("TR_1"), leg=LegKey("PA_1")).intent.codec == "video/H264"


def test_stereo_and_unbroken_silence_are_asked_for_when_announced() -> None:
    request = rtc.AddTrackRequest(cid="c", type=models.TrackType.AUDIO, stereo=True, disable_dtx=True)
    intent = track_from_request(request, key=TrackKey("TR_1"), leg=LegKey("PA_1")).intent
    assert (intent.stereo, intent.dtx) == (True, False)

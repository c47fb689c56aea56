"""Frames and join requests: what comes in is a message or a refusal, within bounds, whatever the bytes."""

import base64
import contextlib
import gzip
import json
import time

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import models, rtc

from sfu import MAX_SDP_BYTES, PeerError
from signalling.livekit.messages import decode_join_request, decode_request, encode_response
from signalling.livekit.settings import SignalLimits

BOUND = 128 * 1024
JOIN = rtc.JoinRequest(
    client_info=models.ClientInfo(sdk=models.ClientInfo.JS, version="2.23.0"),
    publisher_offer=rtc.SessionDescription(type="offer", sdp="v=0\r\n" * 1000, id=1),
)


def encode_text(request: rtc.SignalRequest) -> str:
    return json_format.MessageToJson(request, indent=None)


def wrapped(packed: bytes, compression: rtc.WrappedJoinRequest.Compression, *, pad: bool = True) -> str:
    message = rtc.WrappedJoinRequest(compression=compression, join_request=packed).SerializeToString()
    value = base64.urlsafe_b64encode(message).decode()
    return value if pad else value.rstrip("=")


@pytest.mark.parametrize("pad", [True, False])
@pytest.mark.parametrize("compress", [True, False])
def test_a_join_request_is_read_with_and_without_padding_and_gzip(pad: bool, compress: bool) -> None:
    packed = JOIN.SerializeToString()
    kind = rtc.WrappedJoinRequest.GZIP if compress else rtc.WrappedJoinRequest.NONE
    value = wrapped(gzip.compress(packed) if compress else packed, kind, pad=pad)
    assert decode_join_request(value, max_bytes=BOUND) == JOIN


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "malformed-join-request"),
        ("!!!", "malformed-join-request"),
        ("a+b/", "malformed-join-request"),
        ("é", "malformed-join-request"),
        ("_" * 50, "malformed-join-request"),
        (wrapped(b"\xff", rtc.WrappedJoinRequest.NONE), "malformed-join-request"),
        (wrapped(b"not gzip", rtc.WrappedJoinRequest.GZIP), "malformed-join-request"),
        (
            wrapped(gzip.compress(b"x" * 500, mtime=0)[:-9], rtc.WrappedJoinRequest.GZIP),
            "malformed-join-request",
        ),
        (
            wrapped(gzip.compress(b"\0" * 10_000_000, mtime=0), rtc.WrappedJoinRequest.GZIP),
            "join-request-too-large",
        ),
        (wrapped(b"\0" * (BOUND + 1), rtc.WrappedJoinRequest.NONE), "join-request-too-large"),
    ],
)
def test_a_bad_join_request_is_refused(value: str, code: str) -> None:
    if not value:
        assert decode_join_request(value, max_bytes=BOUND) == rtc.JoinRequest()
        return
    with pytest.raises(PeerError) as error:
        decode_join_request(value, max_bytes=BOUND)
    assert error.value.code == code


def test_binary_and_text_frames_carry_the_same() -> None:
    request = rtc.SignalRequest(mute=rtc.MuteTrackRequest(sid="TR_1", muted=True))
    assert decode_request(request.SerializeToString()) == request
    assert decode_request('{"mute": {"sid": "TR_1", "muted": true}}') == request


def test_a_64_bit_number_is_text_in_json_as_the_protobuf_mapping_says() -> None:
    assert decode_request('{"pingReq": {"timestamp": "1800000000000"}}').ping_req.timestamp == 1800000000000
    response = rtc.SignalResponse(pong_resp=rtc.Pong(last_ping_timestamp=1800000000000))
    assert json.loads(encode_response(response, text=True)) == {
        "pongResp": {"lastPingTimestamp": "1800000000000"}
    }


def test_what_a_newer_client_says_beyond_our_words_is_no_error() -> None:
    request = decode_request('{"mute": {"sid": "TR_1", "brandNew": [1]}, "alsoNew": {}}')
    assert request.mute.sid == "TR_1"
    assert decode_request('{"addTrack": {"cid": "c", "source": "HOLOGRAM"}}').add_track.cid == "c"
    assert decode_request(b"\xa2\x06\x03new").WhichOneof("message") is None


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff\xff\xff",
        "",
        "no json",
        "[]",
        "null",
        '"text"',
        '{"mute": 5}',
        '{"mute": {"sid": 5}}',
        '{"ping": "x"}',
        '{"ping": ' + "9" * 5000 + "}",
        '{"ping": 1e999}',
        '{"offer": {"id": -1}}',
        '{"mute": {"sid": "\\ud800"}}',
        '{"mute": {}, "leave": {}}',
    ],
)
def test_a_malformed_frame_is_refused(frame: bytes | str) -> None:
    with pytest.raises(PeerError) as error:
        decode_request(frame)
    assert error.value.code == "malformed-frame"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 250_000,
        '{"a":' * 50_000,
        '"' * 250_000,
        '"' + '\\"' * 125_000,
        '{"mute": ' + "[" * 100 + "]" * 100 + "}",
    ],
)
def test_nesting_and_quoting_without_end_is_refused_quickly(text: str) -> None:
    before = time.process_time()
    with pytest.raises(PeerError):
        decode_request(text)
    assert time.process_time() - before < 0.2


SIDS = rtc.UpdateSubscription(track_sids=[""] * 130_000)
PEOPLE = [rtc.TrackPermission(participant_identity="x")] * 40_000
LISTS = [
    rtc.SignalRequest(subscription=SIDS),
    rtc.SignalRequest(track_setting=rtc.UpdateTrackSettings(track_sids=[""] * 1001)),
    rtc.SignalRequest(subscription_permission=rtc.SubscriptionPermission(track_permissions=PEOPLE)),
    rtc.SignalRequest(sync_state=rtc.SyncState(subscription=SIDS)),
    rtc.SignalRequest(sync_state=rtc.SyncState(publish_tracks=[rtc.TrackPublishedResponse()] * 1001)),
    rtc.SignalRequest(
        add_track=rtc.AddTrackRequest(audio_features=[models.AudioTrackFeature.TF_STEREO] * 1001)
    ),
    rtc.SignalRequest(
        update_metadata=rtc.UpdateParticipantMetadata(attributes={str(n): "" for n in range(1001)})
    ),
    rtc.SignalRequest(
        subscription=rtc.UpdateSubscription(
            participant_tracks=[models.ParticipantTracks(track_sids=["TR"] * 30)] * 40
        )
    ),
]


@pytest.mark.parametrize("request_", LISTS, ids=lambda request: request.WhichOneof("message"))
def test_a_list_longer_than_any_client_needs_is_refused_quickly(request_: rtc.SignalRequest) -> None:
    for frame in (request_.SerializeToString(), str(encode_text(request_))):
        before = time.process_time()
        with pytest.raises(PeerError) as error:
            decode_request(frame)
        assert error.value.code == "too-many-items"
        assert time.process_time() - before < 0.05


@pytest.mark.parametrize(
    "text",
    [
        '{"subscriptionPermission": {"trackPermissions": [' + "{}," * 80_000 + "{}]}}",
        '{"addTrack": {"audioFeatures": [' + "1," * 120_000 + "1]}}",
    ],
)
def test_json_of_many_values_is_refused_before_it_is_read(text: str) -> None:
    before = time.process_time()
    with pytest.raises(PeerError) as error:
        decode_request(text)
    assert error.value.code == "too-many-items"
    assert time.process_time() - before < 0.05


def test_lists_as_long_as_a_full_room_needs_are_read() -> None:
    sids = [f"TR_{n}" for n in range(400)]
    state = rtc.SyncState(
        subscription=rtc.UpdateSubscription(track_sids=sids), track_sids_disabled=sids, publish_tracks=[
            rtc.TrackPublishedResponse(cid=str(n), track=models.TrackInfo(sid=str(n))) for n in range(16)
        ]
    )  # fmt: skip
    request = rtc.SignalRequest(sync_state=state)
    assert decode_request(request.SerializeToString()) == request
    assert decode_request(encode_text(request)) == request


def test_what_a_client_says_that_comes_back_to_a_large_call_is_read() -> None:
    sdp = ("a=rtcp-fb:96 transport-cc\r\n" * 10_000)[:MAX_SDP_BYTES]
    description = rtc.SessionDescription(sdp=sdp)
    state = rtc.SyncState(
        answer=description, offer=description, track_sids_disabled=["TR_12345678901234"] * 300
    )
    request = rtc.SignalRequest(sync_state=state)
    most = SignalLimits().frame_bytes
    assert len(request.SerializeToString()) < most
    assert len(encode_text(request)) < most
    assert decode_request(encode_text(request)) == request


@pytest.mark.parametrize(
    "text",
    [
        '""' * 300_000,
        "{}" * 300_000,
        "," * 600_000,
        " " * 600_000,
        "1" * 600_000,
        '"' + "\\n" * 300_000 + '"',
    ],
    ids=["texts", "objects", "commas", "blanks", "digits", "escapes"],
)
def test_the_largest_json_frame_is_refused_quickly(text: str) -> None:
    before = time.process_time()
    with pytest.raises(PeerError):
        decode_request(text)
    assert time.process_time() - before < 0.05


def test_commas_in_text_are_not_values() -> None:
    sdp = "," * 50_000
    assert decode_request(json.dumps({"offer": {"sdp": sdp}})).offer.sdp == sdp


def test_a_join_request_with_longer_lists_than_any_client_needs_is_refused() -> None:
    request = rtc.JoinRequest(add_track_requests=[rtc.AddTrackRequest()] * 1001)
    with pytest.raises(PeerError) as error:
        decode_join_request(
            wrapped(request.SerializeToString(), rtc.WrappedJoinRequest.NONE), max_bytes=BOUND
        )
    assert error.value.code == "join-request-too-large"


def test_brackets_in_text_are_not_nesting() -> None:
    sdp = "[{" * 500
    request = decode_request(json.dumps({"offer": {"sdp": sdp}}))
    assert request.offer.sdp == sdp


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_any_frame_is_a_message_or_refused_and_nothing_else(frame: bytes | str) -> None:
    try:
        request = decode_request(frame)
    except PeerError:
        return
    assert isinstance(request, rtc.SignalRequest)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.sampled_from(sorted(rtc.SignalRequest.DESCRIPTOR.fields_by_name))


@given(st.dictionaries(_FIELDS, _JSON, max_size=2))
def test_any_json_in_any_field_is_a_message_or_refused(values: dict[str, object]) -> None:
    with contextlib.suppress(PeerError):
        decode_request(json.dumps(values))


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_any_join_request_is_read_or_refused_and_nothing_else(value: str) -> None:
    with contextlib.suppress(PeerError):
        decode_join_request(value, max_bytes=BOUND)

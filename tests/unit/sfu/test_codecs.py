"""Which payload types are forwarded, and how a publisher's appear to a subscriber: tables of rows."""

import pytest

from sfu.negotiation.codecs import (
    MAX_PAYLOADS,
    Payload,
    PayloadMap,
    forwarded,
    parameters,
    payload_maps,
    prefer,
    with_parameters,
)
from sfu.negotiation.offer import OfferedPayload

VIDEO_FEEDBACK = ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")


def audio(pt: int, name: str = "opus", fmtp: str = "", channels: int = 2) -> OfferedPayload:
    return OfferedPayload(pt, name, 48_000, channels, fmtp, ("transport-cc",))


def video(
    pt: int, name: str, fmtp: str = "", *, feedback: tuple[str, ...] = VIDEO_FEEDBACK
) -> OfferedPayload:
    return OfferedPayload(pt, name, 90_000, 1, fmtp, feedback)


def rtx(pt: int, apt: int) -> OfferedPayload:
    return OfferedPayload(pt, "rtx", 90_000, 1, f"apt={apt}", ())


def payload(pt: int, codec: str, fmtp: str = "", *, rtx_pt: int | None = None) -> Payload:
    return Payload(pt, codec, codec, 90_000, 1, fmtp, (), rtx_pt)


@pytest.mark.parametrize(
    ("offered", "kind", "found"),
    [
        ([audio(111)], "audio", [("opus", 111, None)]),
        ([audio(109, "OPUS")], "audio", [("opus", 109, None)]),
        ([audio(111, channels=1)], "audio", []),
        ([OfferedPayload(0, "PCMU", 8000, 1, "", ())], "audio", []),
        ([audio(111), audio(63, "red", "111/111")], "audio", [("opus", 111, None), ("red", 63, None)]),
        ([audio(111), audio(63, "red", "0/0")], "audio", [("opus", 111, None)]),
        ([audio(63, "red", "111/111")], "audio", []),
        ([video(96, "VP8"), rtx(97, 96)], "video", [("vp8", 96, 97)]),
        ([rtx(97, 96), video(96, "VP8")], "video", [("vp8", 96, 97)]),
        ([video(96, "VP8", feedback=()), rtx(97, 96)], "video", [("vp8", 96, None)]),
        ([video(96, "VP8"), rtx(97, 96), rtx(98, 96)], "video", [("vp8", 96, 97)]),
        ([video(118, "red"), video(120, "ulpfec"), video(49, "H265")], "video", []),
        (
            [video(45, "AV1"), video(41, "AV1X"), video(98, "VP9")],
            "video",
            [("av1", 45, None), ("vp9", 98, None)],
        ),
        ([audio(111)], "video", []),
        ([video(96, "VP8"), video(96, "VP9")], "video", [("vp8", 96, None)]),
        ([video(200, "VP8"), video(96, "VP8"), rtx(201, 96)], "video", [("vp8", 96, None)]),
        ([video(96, "VP8"), video(97, "VP9"), rtx(97, 96)], "video", [("vp8", 96, None), ("vp9", 97, None)]),
    ],
)
def test_only_codecs_that_the_core_reads_are_forwarded(
    offered: list[OfferedPayload], kind: str, found: list[tuple[str, int, int | None]]
) -> None:
    assert [(p.codec, p.pt, p.rtx_pt) for p in forwarded(offered, kind)] == found


def test_feedback_is_what_both_sides_know() -> None:
    (vp8,) = forwarded([video(96, "VP8")], "video")
    assert vp8.feedback == ("nack", "nack pli", "ccm fir", "transport-cc")


def test_more_payload_types_than_the_core_has_room_for_are_left_out() -> None:
    assert len(forwarded([video(pt, "VP8") for pt in range(90)], "video")) == MAX_PAYLOADS


@pytest.mark.parametrize(
    ("up", "down", "maps"),
    [
        ([payload(96, "vp8")], [payload(100, "vp8", rtx_pt=101)], [(96, 100, 101)]),
        ([payload(96, "vp8")], [payload(100, "vp9")], []),
        (
            [payload(98, "vp9")],
            [payload(1, "vp9", "profile-id=2"), payload(2, "vp9", "profile-id=0")],
            [(98, 2, None)],
        ),
        ([payload(98, "vp9", "profile-id=2")], [payload(1, "vp9")], []),
        ([payload(45, "av1", "level-idx=5;profile=0;tier=0")], [payload(1, "av1")], [(45, 1, None)]),
        ([payload(45, "av1", "profile=1")], [payload(1, "av1", "profile=0")], []),
        (
            [payload(96, "vp8"), payload(98, "vp9")],
            [payload(120, "vp8"), payload(121, "vp9")],
            [(96, 120, None), (98, 121, None)],
        ),
    ],
)
def test_a_subscriber_gets_what_it_can_decode_under_its_own_numbers(
    up: list[Payload], down: list[Payload], maps: list[tuple[int, int, int | None]]
) -> None:
    assert payload_maps(up, down) == tuple(PayloadMap(*row) for row in maps)


def h264(pt: int, profile_level_id: str, mode: int | None = 1) -> Payload:
    packetization = f";packetization-mode={mode}" if mode is not None else ""
    return payload(
        pt, "h264", f"level-asymmetry-allowed=1;profile-level-id={profile_level_id}{packetization}"
    )


@pytest.mark.parametrize(
    ("sent", "read", "chosen"),
    [
        (h264(1, "42e01f"), [h264(102, "42001f"), h264(108, "42e01f")], 108),
        (h264(1, "42e01f"), [h264(108, "42e034")], 108),
        (h264(1, "42e01f"), [h264(114, "42e01f", 0)], None),
        (h264(1, "42e01f", None), [h264(114, "42e01f", 0)], 114),
        (h264(1, "42e01f"), [h264(102, "42001f")], 102),
        (h264(1, "42001f"), [h264(108, "42e01f")], None),
        (h264(1, "4d001f"), [h264(108, "42e01f")], None),
        (h264(1, "4d001f"), [h264(112, "64001f")], 112),
        (h264(1, "640c1f"), [h264(112, "64001f")], 112),
        (h264(1, "64001f"), [h264(112, "640c1f")], None),
        (h264(1, "4d801f"), [h264(108, "42e01f")], 108),
        (h264(1, "zzzzzz"), [h264(108, "42e01f")], None),
        (payload(1, "h264"), [h264(9, "42000a", 0)], 9),
    ],
)
def test_h264_goes_by_profile_and_packetization_and_not_by_level(
    sent: Payload, read: list[Payload], chosen: int | None
) -> None:
    assert [each.down for each in payload_maps([sent], read)] == ([] if chosen is None else [chosen])


@pytest.mark.parametrize(
    ("down", "maps"),
    [
        # Redundant audio goes through whole where its inner payload type means the same.
        ([payload(111, "opus"), payload(63, "red", "111/111")], [(111, 111, False), (63, 63, False)]),
        ([payload(111, "opus"), payload(70, "red", "111/111")], [(111, 111, False), (63, 70, False)]),
        # Another number for Opus, or no RED: the plain packet is left.
        ([payload(109, "opus"), payload(63, "red", "109/109")], [(111, 109, False), (63, 109, True)]),
        ([payload(111, "opus")], [(111, 111, False), (63, 111, True)]),
    ],
)
def test_redundant_audio_is_passed_on_or_stripped(
    down: list[Payload], maps: list[tuple[int, int, bool]]
) -> None:
    up = [payload(111, "opus"), payload(63, "red", "111/111")]
    assert [(each.up, each.down, each.strip_red) for each in payload_maps(up, down)] == maps


def test_the_preferred_codec_comes_first_and_the_others_keep_their_order() -> None:
    payloads = [payload(96, "vp8"), payload(98, "vp9"), payload(100, "vp9"), payload(45, "av1")]
    assert [p.pt for p in prefer(payloads, "video/vp9")] == [98, 100, 96, 45]
    assert [p.pt for p in prefer(payloads, "video/H264")] == [96, 98, 100, 45]


@pytest.mark.parametrize(
    ("fmtp", "settings", "result"),
    [
        ("minptime=10;useinbandfec=1", {"usedtx": "1"}, "minptime=10;useinbandfec=1;usedtx=1"),
        ("minptime=10;usedtx=1", {"usedtx": ""}, "minptime=10"),
        ("", {"useinbandfec": "1", "stereo": ""}, "useinbandfec=1"),
        ("a; B = c ;;", {}, "a;b=c"),
    ],
)
def test_format_parameters_are_set_and_taken_away(fmtp: str, settings: dict[str, str], result: str) -> None:
    assert with_parameters(Payload(111, "opus", "opus", 48_000, 2, fmtp, ()), **settings).fmtp == result


def test_format_parameters_are_split_leniently() -> None:
    assert parameters("x=1; Y=2=3;;z") == (("x", "1"), ("y", "2=3"), ("z", ""))


@pytest.mark.parametrize(
    ("codec", "mime_type"),
    [("opus", "audio/opus"), ("red", "audio/RED"), ("vp8", "video/VP8"), ("h264", "video/H264")],
)
def test_media_types_are_spelled_as_registered(codec: str, mime_type: str) -> None:
    assert payload(1, codec).mime_type == mime_type

"""What a synthetic person offers and how it reads an answer, against the server's own reader and answers."""

import pytest

from loadtest.engine.answer import AnswerError, read_answer, read_candidates
from loadtest.engine.offer import EXTENSIONS, OPUS_PT, VIDEO_PTS, Ours, Section, Sent, write_offer
from loadtest.plan import LAYERED, Codec
from sfu.model import SfuLimits
from sfu.negotiation.offer import Direction, OfferedSection
from sfu.negotiation.read import read_offer
from tests.unit.sfu.test_read import DATA

OURS = Ours("abcd", "p" * 24, ":".join(["AB"] * 32))
SIMULCAST = Sent("camera-1", ((1, 2), (3, 4), (5, 6)), ("q", "h", "f"))


def offered(*sections: Section) -> tuple[OfferedSection, ...]:
    """What the server understands of these sections."""
    return read_offer(write_offer(OURS, sections, version=1), SfuLimits()).sections


def test_an_offer_is_read_by_the_server_with_data_first_and_then_its_sections_in_order() -> None:
    data, mic, cam, ear, eye = offered(
        Section("mic", "audio", Sent("microphone-1", ((7, 7),))),
        Section("cam", "video", SIMULCAST, ("vp8",)),
        Section("r0", "audio"),
        Section("r1", "video"),
    )
    assert (data.kind, data.sctp_port) == ("application", 5000)
    assert [each.mid for each in (mic, cam, ear, eye)] == ["mic", "cam", "r0", "r1"]
    assert [each.direction for each in (mic, cam)] == [Direction.SENDONLY] * 2
    assert [each.direction for each in (ear, eye)] == [Direction.RECVONLY] * 2
    assert all(each.bundled and each.rtcp_mux for each in (mic, cam, ear, eye))
    assert (mic.track_ids, [stream.ssrc for stream in mic.streams]) == (("microphone-1",), [7])
    assert (cam.track_ids, cam.rids) == (("camera-1",), ("q", "h", "f"))
    assert [payload.pt for payload in mic.payloads] == [OPUS_PT]
    assert [payload.pt for payload in cam.payloads] == list(VIDEO_PTS["vp8"])
    assert [payload.pt for payload in eye.payloads] == [pt for pts in VIDEO_PTS.values() for pt in pts]


@pytest.mark.parametrize("codec", VIDEO_PTS)
def test_what_a_picture_needs_is_told_by_who_sends_layers_to_everybody(codec: Codec) -> None:
    _, cam, eye = offered(Section("cam", "video", Sent("c", ((1, 2),)), (codec,)), Section("r0", "video"))
    assert [payload.name.lower() for payload in cam.payloads] == [codec, "rtx"]
    told = [[uri for _, uri in each.extensions if "dependency-descriptor" in uri] for each in (cam, eye)]
    assert [len(uris) for uris in told] == [codec in LAYERED, True]


def test_an_offer_of_one_encoding_names_its_streams_and_no_rids() -> None:
    _, cam = offered(Section("cam", "video", Sent("camera-1", ((1, 2),))))
    assert cam.rids == ()
    assert [(stream.ssrc, stream.rtx_ssrc) for stream in cam.streams] == [(1, 2)]


def test_only_who_sends_promises_to_act_on_arrival_times() -> None:
    _, cam, eye = offered(Section("cam", "video", SIMULCAST), Section("r0", "video"))
    assert "transport-cc" in cam.payloads[0].feedback
    assert "transport-cc" not in eye.payloads[0].feedback
    assert {"nack", "nack pli"} <= set(eye.payloads[0].feedback)


def test_an_id_of_a_header_extension_means_the_same_in_every_section() -> None:
    sections = offered(Section("mic", "audio", Sent("m", ((7, 7),))), Section("cam", "video", SIMULCAST))
    for section in sections[1:]:
        assert section.extensions
        assert set(section.extensions) <= set(EXTENSIONS)


def test_the_servers_answer_says_where_to_connect_and_what_is_taken() -> None:
    stored = (DATA / "answers" / "chromium-simulcast.sdp").read_text()
    answer = read_answer(stored.replace("AB:CD", OURS.fingerprint))
    assert len(answer.fingerprint) == 32
    assert answer.candidates
    assert answer.taken
    assert not answer.taken & answer.given
    assert ("urn:ietf:params:rtp-hdrext:sdes:mid", 4) in answer.extensions


def test_an_answer_names_what_is_a_resend_of_what() -> None:
    sending = write_offer(OURS, [Section("0", "video", Sent("t", ((1, 2),)))], version=1)
    answer = read_answer(sending)
    assert answer.given == {"0"}
    assert answer.resends == ((2, 1),)


def test_udp_candidates_of_the_first_component_come_in_the_order_of_their_preference() -> None:
    text = "\r\n".join(
        [
            "a=candidate:1 1 udp 100 192.0.2.1 10000 typ host",
            "a=candidate:2 1 tcp 900 192.0.2.2 9 typ host tcptype passive",
            "a=candidate:3 2 udp 800 192.0.2.3 10000 typ host",
            '{"candidate":"candidate:4 1 UDP 200 2001:db8::1 10001 typ host"}',
        ]
    )
    assert read_candidates(text) == (("2001:db8::1", 10001), ("192.0.2.1", 10000))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "cannot be read"),
        ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", "uses no section"),
        (write_offer(OURS, [], version=1).replace("a=fingerprint:sha-256", "a=x:"), "no SHA-256 fingerprint"),
    ],
)
def test_an_answer_that_cannot_be_used_is_said_to_be_so(text: str, said: str) -> None:
    with pytest.raises(AnswerError, match=said):
        read_answer(text)

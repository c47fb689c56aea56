"""Reading session descriptions: whole offers of browsers, single lines, and text that is none."""

from pathlib import Path

import pytest

from sfu import _core

OFFERS = sorted((Path(__file__).parents[1] / "data" / "offers").glob("*.sdp"))
HEAD = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\n"
VIDEO = "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n"
DIGEST = ":".join(f"{n:02X}" for n in range(32))


def section(*lines: str, m: str = VIDEO) -> _core.MediaSection:
    return _core.parse_sdp(HEAD + m + "".join(f"a={line}\r\n" for line in lines)).media[0]


@pytest.mark.parametrize("path", OFFERS, ids=lambda path: path.stem)
def test_offers_of_browsers_are_read_whole(path: Path) -> None:
    text = path.read_bytes().decode()
    description = _core.parse_sdp(text)
    assert len(description.media) == text.count("\nm=")
    assert description.bundle == [[media.mid for media in description.media]]
    for media in description.media:
        assert media.ufrag or description.ufrag
        assert media.fingerprints or description.fingerprints
        if media.kind == "application":
            assert media.sctp_port == 5000
        else:
            assert all(payload.name for payload in media.payloads)
            assert {"opus", "VP8"} & {payload.name for payload in media.payloads}
            assert media.rtcp_mux
            assert media.extensions


def test_what_stands_before_the_sections_is_not_given_to_them() -> None:
    lines = ("ice-ufrag:abcd", "ice-pwd:" + "p" * 22, f"fingerprint:sha-256 {DIGEST}", "setup:actpass")
    options = ("ice-options:trickle renomination", "extmap-allow-mixed", "group:BUNDLE 0 1", "group:LS 0 1")
    description = _core.parse_sdp(HEAD + "".join(f"a={line}\r\n" for line in lines + options) + AUDIO)
    assert (description.ufrag, description.pwd, description.setup) == ("abcd", "p" * 22, "actpass")
    assert description.fingerprints == [("sha-256", bytes(range(32)))]
    assert description.ice_options == ["trickle", "renomination"]
    assert description.bundle == [["0", "1"]]
    assert description.extmap_allow_mixed
    assert description.media[0].ufrag is None
    assert description.media[0].fingerprints == []


def test_payload_types_keep_their_order_names_and_parameters() -> None:
    media = section(
        "rtpmap:96 VP8/90000",
        "rtcp-fb:96 nack",
        "rtcp-fb:96 nack pli",
        "rtcp-fb:* transport-cc",
        "rtpmap:97 rtx/90000",
        "fmtp:97 apt=96;rtx-time=3000",
        "rtpmap:98 gone/90000",
        "fmtp:98 not=listed",
    )
    assert [payload.pt for payload in media.payloads] == [96, 97]
    video, rtx = media.payloads
    assert (video.name, video.clock_rate, video.channels, video.fmtp) == ("VP8", 90000, 1, "")
    assert video.feedback == ["nack", "nack pli", "transport-cc"]
    assert (rtx.name, rtx.fmtp) == ("rtx", "apt=96;rtx-time=3000")
    opus = section("rtpmap:111 opus/48000/2", "rtpmap:63 red/48000/2", "fmtp:63 111/111", m=AUDIO)
    assert [(p.name, p.channels, p.fmtp) for p in opus.payloads] == [("opus", 2, ""), ("red", 2, "111/111")]


def test_streams_are_read_in_every_form() -> None:
    media = section(
        "rid:l send max-fps=29.97;what",
        "rid:h send pt=96;max-width=1280",
        "simulcast:send l,~h;q recv x",
        "ssrc:1 cname:them",
        "ssrc:1 msid:stream track",
        "ssrc:2 cname:them",
        "ssrc-group:FID 1 2",
        "ssrc-group:UNHEARD 1 2",
        "msid:stream track",
        "msid:other track",
    )
    assert media.rids == [("l", "send"), ("h", "send")]
    assert media.simulcast_send == [["l", "~h"], ["q"]]
    assert media.simulcast_recv == [["x"]]
    assert media.ssrcs == [(1, "them", "stream track"), (2, "them", None)]
    assert media.ssrc_groups == [("FID", [1, 2])]
    assert media.msid == ("stream", "track")


def test_the_flags_of_a_section() -> None:
    media = section(
        "mid:3", "recvonly", "rtcp-mux", "bundle-only", "extmap:3/sendonly urn:a", "extmap:4 urn:b b=c"
    )
    assert (media.mid, media.direction, media.rtcp_mux, media.bundle_only) == ("3", "recvonly", True, True)
    assert media.extensions == [(3, "urn:a", "sendonly"), (4, "urn:b", None)]
    plain = section()
    assert (plain.mid, plain.direction, plain.rtcp_mux, plain.bundle_only) == (None, "sendrecv", False, False)
    data = section(
        "sctp-port:5000", "max-message-size:262144", m="m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
    )
    assert (data.kind, data.sctp_port, data.max_message_size, data.payloads) == (
        "application",
        5000,
        262144,
        [],
    )


def test_candidates_are_counted_and_never_looked_at() -> None:
    assert section("candidate:nonsense", "candidate:1 1 udp 1 secret.example 1 typ host").candidates == 2


def test_a_section_of_an_unknown_medium_keeps_its_own_lines() -> None:
    text = HEAD + AUDIO + "a=mid:0\r\nm=text 9 RTP/SAVPF 98\r\na=mid:1\r\nm=image 0 udptl t38\r\na=mid:2\r\n"
    assert [(media.kind, media.mid, media.port) for media in _core.parse_sdp(text).media] == [
        ("audio", "0", 9),
        ("text", "1", 9),
        ("image", "2", 0),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "a=sctp-init:AAAA",
        "a=x-google-flag:conference",
        "a=rtcp:9 IN IP4 0.0.0.0",
        "a=goog-sped",
        "b=AS:x",
        "k=prompt",
    ],
)
def test_lines_that_mean_nothing_to_us_are_ignored(line: str) -> None:
    assert len(_core.parse_sdp(HEAD + AUDIO + line + "\r\n").media) == 1


def test_lines_may_end_without_a_carriage_return() -> None:
    assert _core.parse_sdp((HEAD + AUDIO + "a=mid:7\r\n").replace("\r\n", "\n")).media[0].mid == "7"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("hello", 1),
        ("{}", 1),
        ("v=1\r\n", 1),
        ("\r\nv=0\r\n", 1),
        (HEAD + "m=audio 9\r\n", 5),
        (HEAD + "m=audio 65536 RTP/AVP 0\r\n", 5),
        (HEAD + "m=audio 9 RTP/AVP 128\r\n", 5),
        (HEAD + "m=audio 9 RTP/AVP -1\r\n", 5),
        (HEAD + AUDIO + "a=rtpmap:111 opus/" + "9" * 40 + "\r\n", 6),
        (HEAD + AUDIO + "a=ssrc:4294967296 cname:x\r\n", 6),
        (HEAD + AUDIO + "a=extmap:70000 urn:x\r\n", 6),
        (HEAD + AUDIO + "a=sendonly:yes\r\n", 6),
        (HEAD + AUDIO + "a=sctp-port:70000\r\n", 6),
        (HEAD + f"a=fingerprint:sha-256 {DIGEST}:00\r\n", 5),
        (HEAD + "a=fingerprint:sha-256 é0:00\r\n", 5),
        (HEAD + "a=mid:a\rb\r\n", 5),
        (HEAD + "a=mid:a\0b\r\n", 5),
        (HEAD + "no line of ours\r\n", 5),
        (HEAD + "a=mid:" + "x" * 5000, 5),
        (HEAD + "x=" + "é" * 70_000, 5),
        (HEAD + "x=" + "é" * 150_000, 0),
        (HEAD + "a=x\r\n" * 20_000, 0),
        (HEAD + "m=audio 9 RTP/AVP 0\r\n" * 300, 261),
        ("v=0\r\na=mid:\ud800\r\n", 0),
        ("x" * (_core.MAX_SDP_BYTES + 1), 0),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(_core.SdpError) as refused:
        _core.parse_sdp(text)
    assert refused.value.line == line
    assert len(str(refused.value)) < 200
    assert isinstance(refused.value, ValueError)


def test_no_byte_of_an_offer_can_be_changed_into_something_that_crashes() -> None:
    text = HEAD + f"a=fingerprint:sha-256 {DIGEST}\r\n" + VIDEO + "a=rtpmap:96 VP8/90000\r\na=rid:l send\r\n"
    for place in range(len(text)):
        for other in "\0\r\n =:;/~*é9":
            for changed in (
                text[:place] + other + text[place + 1 :],
                text[:place] + other + text[place:],
                text[:place],
            ):
                try:
                    _core.parse_sdp(changed)
                except _core.SdpError as refused:
                    assert 0 <= refused.line <= changed.count("\n") + 1  # noqa: PT017

"""Our description of a person's connection, as text: only what a browser says that matters to a server."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from loadtest.plan import LAYERED, Codec

Kind = Literal["audio", "video"]

OPUS_PT = 111
VIDEO_PTS: dict[Codec, tuple[int, int]] = {
    "vp8": (96, 97),
    "vp9": (98, 99),
    "h264": (102, 103),
    "av1": (45, 46),
}
"""The payload type of each codec and that of its resends, for all that is sent and received."""

EXTENSIONS = (
    (1, "urn:ietf:params:rtp-hdrext:sdes:mid"),
    (2, "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"),
    (3, "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"),
    (4, "urn:ietf:params:rtp-hdrext:ssrc-audio-level"),
    (5, "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"),
    (6, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"),
    (
        7,
        "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
    ),
)
_OF_AUDIO, _OF_VIDEO = (1, 4, 5, 6), (1, 2, 3, 5, 6)
_OF_LAYERED = (*_OF_VIDEO, 7)
"""Of what is received, and of what is sent in VP9 and AV1, as livekit-client asks for it."""

_OPUS = ("opus/48000/2", "minptime=10;useinbandfec=1")
_VIDEO = {
    "vp8": ("VP8/90000", ""),
    "vp9": ("VP9/90000", "profile-id=0"),
    "h264": ("H264/90000", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
    "av1": ("AV1/90000", "level-idx=5;profile=0;tier=0"),
}
_EOL = "\r\n"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a section sends."""

    cid: str
    """The track's id of our own making, by which the server knows the section."""
    ssrcs: tuple[tuple[int, int], ...]
    """Each encoding's SSRC and that of its resends, the lowest encoding first."""
    rids: tuple[str, ...] = ()
    """Names of the encodings, where there are several."""


@dataclass(frozen=True, slots=True)
class Section:
    """One `m=` section: it sends, or else it receives."""

    mid: str
    kind: Kind
    sent: Sent | None = None
    codecs: tuple[Codec, ...] = tuple(VIDEO_PTS)


@dataclass(frozen=True, slots=True)
class Ours:
    """What is the same in every offer of a person."""

    ufrag: str
    pwd: str = field(repr=False)
    fingerprint: str
    """SHA-256 of the certificate, as in `AB:CD:...`."""


def write_offer(ours: Ours, sections: Sequence[Section], *, version: int) -> str:
    """Write an offer of these sections behind one for data; from offer to offer they only grow."""
    mids = ["data", *(section.mid for section in sections)]
    lines = [
        "v=0",
        f"o=- 1 {version} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE " + " ".join(mids),
        "a=extmap-allow-mixed",
        "a=msid-semantic:WMS *",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        *_transport(ours),
        "a=mid:data",
        "a=sctp-port:5000",
        "a=max-message-size:262144",
    ]
    for section in sections:
        lines += _section(ours, section)
    return _EOL.join(lines) + _EOL


def _section(ours: Ours, section: Section) -> Iterator[str]:
    audio = section.kind == "audio"
    numbers = [OPUS_PT] if audio else [pt for codec in section.codecs for pt in VIDEO_PTS[codec]]
    yield f"m={section.kind} 9 UDP/TLS/RTP/SAVPF " + " ".join(map(str, numbers))
    yield "c=IN IP4 0.0.0.0"
    yield from _transport(ours)
    yield f"a=mid:{section.mid}"
    uris = dict(EXTENSIONS)
    layered = section.sent is None or section.codecs[0] in LAYERED
    for number in _OF_AUDIO if audio else _OF_LAYERED if layered else _OF_VIDEO:
        yield f"a=extmap:{number} {uris[number]}"
    yield "a=recvonly" if section.sent is None else "a=sendonly"
    yield "a=rtcp-mux"
    yield "a=rtcp-rsize"
    # Who receives does not say when packets came, so it must not be promised.
    feedback = ("transport-cc",) if section.sent is not None else ()
    if audio:
        yield from _payload(OPUS_PT, *_OPUS, feedback)
    else:
        for codec in section.codecs:
            pt, rtx_pt = VIDEO_PTS[codec]
            yield from _payload(pt, *_VIDEO[codec], ("nack", "nack pli", "ccm fir", *feedback))
            yield from _payload(rtx_pt, "rtx/90000", f"apt={pt}", ())
    if section.sent is not None:
        yield from _sent(section.kind, section.sent)


def _payload(pt: int, name: str, fmtp: str, feedback: Sequence[str]) -> Iterator[str]:
    yield f"a=rtpmap:{pt} {name}"
    if fmtp:
        yield f"a=fmtp:{pt} {fmtp}"
    for each in feedback:
        yield f"a=rtcp-fb:{pt} {each}"


def _sent(kind: Kind, sent: Sent) -> Iterator[str]:
    yield f"a=msid:- {sent.cid}"
    if sent.rids:
        for rid in sent.rids:
            yield f"a=rid:{rid} send"
        yield "a=simulcast:send " + ";".join(sent.rids)
        return
    ssrc, rtx_ssrc = sent.ssrcs[0]
    used = [ssrc] if kind == "audio" else [ssrc, rtx_ssrc]
    if len(used) > 1:
        yield f"a=ssrc-group:FID {ssrc} {rtx_ssrc}"
    for each in used:
        yield f"a=ssrc:{each} cname:loadtest"
        yield f"a=ssrc:{each} msid:- {sent.cid}"


def _transport(ours: Ours) -> Iterator[str]:
    yield f"a=ice-ufrag:{ours.ufrag}"
    yield f"a=ice-pwd:{ours.pwd}"
    yield "a=ice-options:trickle"
    yield f"a=fingerprint:sha-256 {ours.fingerprint}"
    # Not `actpass`, as RFC 8842 wants it: our side of DTLS can only begin.
    yield "a=setup:active"

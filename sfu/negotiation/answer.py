"""Our description as values, and as text (RFC 8866, RFC 9429)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sfu.negotiation.codecs import Payload
from sfu.negotiation.ice import Credentials
from sfu.negotiation.offer import Direction

# Type preference of a host candidate, local preference falling with each address, component 1 (RFC 8445,
# 5.1.2).
_HOST_PREFERENCE = 126
_EOL = "\r\n"


@dataclass(frozen=True, slots=True)
class Local:
    """What is ours in every answer of a leg."""

    credentials: Credentials
    fingerprint: str
    """SHA-256 of our certificate, as in `AB:CD:...`."""
    candidates: tuple[tuple[str, int], ...]
    """Addresses and UDP ports, the preferred one first; never empty."""
    max_message_size: int
    """Most bytes of a data message that we take."""


@dataclass(frozen=True, slots=True)
class SentStream:
    """What we send in a section."""

    stream_id: str
    track_id: str
    ssrc: int
    rtx_ssrc: int | None


@dataclass(frozen=True, slots=True)
class AnsweredSection:
    """One section of an answer; with neither payloads nor `data` it is rejected."""

    mid: str
    kind: str
    protocol: str
    direction: Direction = Direction.INACTIVE
    payloads: tuple[Payload, ...] = ()
    extensions: tuple[tuple[int, str], ...] = ()
    rids: tuple[str, ...] = ()
    """Simulcast streams that we take, in the order in which they were offered."""
    sent: SentStream | None = None
    data: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the section is in use."""
        return self.data or bool(self.payloads)


def write_answer(
    sections: Sequence[AnsweredSection], local: Local, *, session: int, version: int, extmap_allow_mixed: bool
) -> str:
    """Write an answer; `session` and `version` tell it from the leg's other answers."""
    accepted = [section.mid for section in sections if section.accepted]
    lines = ["v=0", f"o=- {session} {version} IN IP4 127.0.0.1", "s=-", "t=0 0"]
    if accepted:
        lines.append("a=group:BUNDLE " + " ".join(accepted))
    if extmap_allow_mixed:
        lines.append("a=extmap-allow-mixed")
    lines += ["a=ice-lite", "a=msid-semantic:WMS *"]
    for section in sections:
        if section.accepted:
            # Candidates belong to the section that carries the bundle (RFC 9143, section 7.3).
            lines += _accepted(section, local, with_candidates=section.mid == accepted[0])
        else:
            any_format = _ANY_FORMAT.get(section.kind, "webrtc-datachannel")
            lines.append(f"m={section.kind} 0 {section.protocol} {any_format}")
            lines += ["c=IN IP4 0.0.0.0", "a=inactive", f"a=mid:{section.mid}"]
    return _EOL.join(lines) + _EOL


# A rejected section must still name a format, and nobody reads which.
_ANY_FORMAT = {"audio": "0", "video": "0", "text": "0"}


def _accepted(section: AnsweredSection, local: Local, *, with_candidates: bool) -> Iterator[str]:
    address, port = local.candidates[0]
    formats = "webrtc-datachannel" if section.data else " ".join(str(pt) for pt in _numbers(section.payloads))
    yield f"m={section.kind} {port} {section.protocol} {formats}"
    yield f"c=IN {_family(address)} {address}"
    yield f"a=mid:{section.mid}"
    yield f"a=ice-ufrag:{local.credentials.ufrag}"
    yield f"a=ice-pwd:{local.credentials.pwd}"
    yield f"a=fingerprint:sha-256 {local.fingerprint}"
    yield "a=setup:passive"
    if section.data:
        yield "a=sctp-port:5000"
        yield f"a=max-message-size:{local.max_message_size}"
    else:
        yield from _media(section)
    if with_candidates:
        for index, (host, host_port) in enumerate(local.candidates):
            priority = _HOST_PREFERENCE << 24 | 65535 - index << 8 | 255
            yield f"a=candidate:{index + 1} 1 udp {priority} {host} {host_port} typ host"
        yield "a=end-of-candidates"


def _media(section: AnsweredSection) -> Iterator[str]:
    yield f"a={section.direction}"
    yield "a=rtcp-mux"
    yield "a=rtcp-rsize"
    for id_, uri in section.extensions:
        yield f"a=extmap:{id_} {uri}"
    for payload in section.payloads:
        channels = f"/{payload.channels}" if payload.channels > 1 else ""
        yield f"a=rtpmap:{payload.pt} {payload.name}/{payload.clock_rate}{channels}"
        if payload.fmtp:
            yield f"a=fmtp:{payload.pt} {payload.fmtp}"
        for feedback in payload.feedback:
            yield f"a=rtcp-fb:{payload.pt} {feedback}"
        if payload.rtx_pt is not None:
            yield f"a=rtpmap:{payload.rtx_pt} rtx/{payload.clock_rate}"
            yield f"a=fmtp:{payload.rtx_pt} apt={payload.pt}"
    for rid in section.rids:
        yield f"a=rid:{rid} recv"
    if section.rids:
        yield "a=simulcast:recv " + ";".join(section.rids)
    if section.sent is not None:
        yield from _sent(section.sent)


def _sent(sent: SentStream) -> Iterator[str]:
    yield f"a=msid:{sent.stream_id} {sent.track_id}"
    ssrcs = [sent.ssrc] if sent.rtx_ssrc is None else [sent.ssrc, sent.rtx_ssrc]
    if len(ssrcs) > 1:
        yield "a=ssrc-group:FID " + " ".join(map(str, ssrcs))
    for ssrc in ssrcs:
        yield f"a=ssrc:{ssrc} cname:{sent.stream_id}"
        yield f"a=ssrc:{ssrc} msid:{sent.stream_id} {sent.track_id}"


def _numbers(payloads: Sequence[Payload]) -> Iterator[int]:
    """Yield the payload types of an m= line: each codec's, then that of its retransmissions."""
    for payload in payloads:
        yield payload.pt
        if payload.rtx_pt is not None:
            yield payload.rtx_pt


def _family(address: str) -> str:
    return "IP6" if ":" in address else "IP4"

"""Which codecs are forwarded, and which payload type of a publisher is which of a subscriber.

Payload types are numbers that each peer chooses for itself, so a packet's number is translated for every
subscriber. Two payload types are the same codec when a decoder made for the one understands the other: that
depends on the name, the clock rate and, codec by codec, on some format parameters.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sfu.negotiation import h264
from sfu.negotiation.offer import OfferedPayload, Parameters

# Name in lower case, clock rate and channels -> the core's word and the kind of media.
_FORWARDED = {
    ("opus", 48_000, 2): ("opus", "audio"),
    ("red", 48_000, 2): ("red", "audio"),
    ("vp8", 90_000, 1): ("vp8", "video"),
    ("vp9", 90_000, 1): ("vp9", "video"),
    ("h264", 90_000, 1): ("h264", "video"),
    ("av1", 90_000, 1): ("av1", "video"),
}

_MAX_PT = 127
# What the core acts on. REMB is left out on purpose: transport-cc says more, and a peer offers both.
_FEEDBACK = ("nack", "nack pli", "ccm fir", "transport-cc")

MAX_PAYLOADS = 40
"""Most payload types of a section that are answered: what the core has room for."""


Key = tuple[str, ...]
"""Names a codec and what else has to be equal for one peer to read what another sends."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A payload type that is offered and that we forward."""

    pt: int
    codec: str
    """In the core's words: `opus`, `red`, `vp8`, `vp9`, `h264` or `av1`."""
    name: str
    """As the peer wrote it."""
    clock_rate: int
    channels: int
    fmtp: str
    feedback: tuple[str, ...]
    rtx_pt: int | None = None
    """The payload type of its retransmissions (RFC 4588)."""
    key: Key = field(init=False, compare=False, repr=False)
    """Payload types with the same key are the same codec."""

    def __post_init__(self) -> None:
        # Made once: a hostile offer has many payload types, each to be compared with many tracks.
        object.__setattr__(self, "key", _key(self.codec, self.fmtp))

    @property
    def mime_type(self) -> str:
        """The media type, as in `video/VP8`."""
        kind = "audio" if self.codec in ("opus", "red") else "video"
        return f"{kind}/{'opus' if self.codec == 'opus' else self.codec.upper()}"

    def has(self, feedback: str) -> bool:
        """Whether this kind of RTCP feedback is negotiated."""
        return feedback in self.feedback


@dataclass(frozen=True, slots=True)
class PayloadMap:
    """How a publisher's payload type appears to one subscriber."""

    up: int
    down: int
    down_rtx: int | None
    strip_red: bool = False
    """Only the primary block of redundant audio is forwarded."""


def forwarded(offered: Sequence[OfferedPayload], kind: str) -> tuple[Payload, ...]:
    """Return what we forward of a section's payload types, in the offered order."""
    retransmissions = _retransmissions(offered)
    found: list[Payload] = []
    taken = set()
    for each in offered:
        word, of_kind = _FORWARDED.get((each.name.lower(), each.clock_rate, max(each.channels, 1)), ("", ""))
        if of_kind != kind or each.pt in taken or each.pt > _MAX_PT:
            continue
        taken.add(each.pt)
        feedback = tuple(f for f in _FEEDBACK if f in each.feedback)
        rtx = retransmissions.get(each.pt) if "nack" in feedback else None
        found.append(
            Payload(each.pt, word, each.name, each.clock_rate, each.channels, each.fmtp, feedback, rtx)
        )
    found = [replace(p, rtx_pt=None) if p.rtx_pt in taken else p for p in found]
    opus = {payload.pt for payload in found if payload.codec == "opus"}
    usable = [p for p in found if p.codec != "red" or _red_primary(p.fmtp) <= opus]
    return tuple(usable[:MAX_PAYLOADS])


def prefer(payloads: Sequence[Payload], mime_type: str) -> tuple[Payload, ...]:
    """Move the payload types of one media type to the front: a sender uses the first of an answer."""
    wanted = mime_type.lower()
    return tuple(sorted(payloads, key=lambda payload: payload.mime_type.lower() != wanted))


def with_parameters(payload: Payload, **settings: str) -> Payload:
    """Set format parameters; an empty value takes one away. The others keep their text and order."""
    kept = [(name, value) for name, value in parameters(payload.fmtp) if name not in settings]
    kept += [(name, value) for name, value in settings.items() if value]
    return replace(payload, fmtp=";".join(f"{name}={value}" if value else name for name, value in kept))


def payload_maps(up: Sequence[Payload], down: Sequence[Payload]) -> tuple[PayloadMap, ...]:
    """Map each payload type of a publisher to the one of a subscriber that decodes it, where there is one.

    Redundant audio names its inner payload types in every packet, which are the publisher's: it is passed
    whole only to a subscriber that calls Opus by the same number, and reduced to plain Opus for the others.
    """
    by_key: dict[Key, Payload] = {}
    for payload in down:
        by_key.setdefault(payload.key, payload)
    opus = by_key.get(("opus",))
    maps = []
    for payload in up:
        match = next((by_key[key] for key in readers(payload.key) if key in by_key), None)
        if match is None:
            continue
        strip = payload.codec == "red" and (
            match is opus or opus is None or _red_primary(payload.fmtp) != {opus.pt}
        )
        chosen = opus if strip and opus is not None else match
        maps.append(PayloadMap(payload.pt, chosen.pt, chosen.rtx_pt, strip_red=strip))
    return tuple(maps)


def parameters(fmtp: str) -> Parameters:
    """Split format parameters into lower-case names and values; a word without `=` has an empty value."""
    pairs = (item.partition("=") for item in fmtp.split(";"))
    return tuple((name.strip().lower(), value.strip()) for name, _, value in pairs if name.strip())


def _key(codec: str, fmtp: str) -> Key:
    if codec == "h264":
        return h264.key(dict(parameters(fmtp)))
    if codec in _PROFILE:
        name = _PROFILE[codec]
        return (codec, dict(parameters(fmtp)).get(name, "0"))
    return (codec,)


# Codecs whose profile is one number, 0 by default (VP9: RFC 9628; AV1: its RTP specification).
_PROFILE = {"vp9": "profile-id", "av1": "profile"}


def readers(stream: Key) -> tuple[Key, ...]:
    """Return the keys of payload types that read a stream, the best first."""
    if stream[0] == "h264":
        return h264.readers(stream)
    if stream[0] == "red":
        return (stream, ("opus",))
    return (stream,)


def _retransmissions(offered: Sequence[OfferedPayload]) -> dict[int, int]:
    """Map payload types to those of their retransmissions; of several the first counts."""
    found: dict[int, int] = {}
    for each in offered:
        if each.name.lower() == "rtx":
            apt = dict(parameters(each.fmtp)).get("apt", "")
            if apt.isascii() and apt.isdigit() and each.pt <= _MAX_PT:
                found.setdefault(int(apt), each.pt)
    return found


def _red_primary(fmtp: str) -> set[int]:
    """Return the payload types that redundant audio carries (RFC 2198, section 4)."""
    return {int(pt) for pt in fmtp.split("/") if pt.isascii() and pt.isdigit()}

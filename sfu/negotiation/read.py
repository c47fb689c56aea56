"""Text of a peer's description to values, with every bound checked.

The text is read behind the border, in time linear in its length. The bounds come first all the same: they
keep what one description can make us remember small.
"""

import re
from dataclasses import replace

from sfu.bridge import MAX_SDP_BYTES, MediaSection, SdpError, SdpPayload, SessionDescription, parse_sdp
from sfu.errors import PeerError
from sfu.model import SfuLimits
from sfu.negotiation.offer import Direction, Offer, OfferedPayload, OfferedSection, OfferedStream

# Payload types number 128, a third of which RTCP takes (RFC 5761); browsers with every codec offer about 50.
_MAX_PAYLOADS = 96
# Browsers offer up to 20; beyond 14 the two-byte form is needed.
_MAX_EXTENSIONS = 40
# Three simulcast streams are used; some clients list more than they send.
_MAX_RIDS = 16
# A section names at most three streams and their retransmissions; plan B peers put several sources into one.
_MAX_SSRCS = 64
# A peer has one certificate and may be about to change it.
_MAX_FINGERPRINTS = 4
# What the mid and rid header extensions are made for (RFC 8843, RFC 8852) and the core has room for.
_MAX_ID_BYTES = 16

_BYTES_OF_A_SECTION = 6 * 1024

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+")
_ICE = re.compile(r"[A-Za-z0-9+/]+")
_SHA_256_BYTES = 32


def most_bytes(limits: SfuLimits, *, carried: int) -> int:
    """Return how large an offer may be from a peer that carries this many tracks, up and down.

    Chromium writes 4.6 kB for each video section, so a peer that is to see a dozen others cannot keep to what
    is enough for a stranger.
    """
    return min(limits.sdp_bytes + carried * _BYTES_OF_A_SECTION, MAX_SDP_BYTES)


def read_offer(text: str, limits: SfuLimits, *, carried: int = 0) -> Offer:
    """Read the offer of a peer that carries this many tracks, up and down.

    Raises PeerError: `sdp-too-large`, `sdp-malformed`, `sdp-limit` or `sdp-unsupported`.
    """
    most = most_bytes(limits, carried=carried)
    if len(text) > most or len(text.encode(errors="replace")) > most:
        raise PeerError("sdp-too-large", f"the description is larger than {most} bytes")
    if text.count("\nm=") > limits.sections_per_offer:
        raise PeerError("sdp-limit", f"the description has more than {limits.sections_per_offer} sections")
    try:
        description = parse_sdp(text)
    except SdpError as error:
        raise PeerError("sdp-malformed", f"the description cannot be read (line {error.line})") from None
    except ValueError:  # lone surrogates: not a text that could have come as UTF-8
        raise PeerError("sdp-malformed", "the description is not Unicode text") from None
    return _offer(description, text, limits)


def _offer(description: SessionDescription, text: str, limits: SfuLimits) -> Offer:
    if not description.media:
        raise PeerError("sdp-unsupported", "the offer has no media section")
    _limit(len(description.media), limits.sections_per_offer, "media sections")
    bundle = set(description.bundle[0]) if description.bundle else set()
    sections = []
    sizes = [len(part) + len("m=\n") for part in text.split("\nm=")[1:]]
    for index, media in enumerate(description.media):
        # Without a BUNDLE group each section would be a transport of its own; we take the first.
        bundled = media.mid in bundle if bundle else index == 0
        size = sizes[index] if index < len(sizes) else 0
        sections.append(_section(media, bundled=bundled, size=size))
    mids = [section.mid for section in sections]
    if len(set(mids)) != len(mids):
        raise PeerError("sdp-malformed", "two sections have the same a=mid")
    base = next(
        (m for m, s in zip(description.media, sections, strict=True) if s.bundled and not s.closed), None
    )
    return replace(_with_transport(description, base, tuple(sections)), size=len(text))


def _with_transport(
    description: SessionDescription, base: MediaSection | None, sections: tuple[OfferedSection, ...]
) -> Offer:
    """Take the transport from the first section in use, where a bundle's attributes count (RFC 9143)."""
    ufrag = (base.ufrag if base else None) or description.ufrag or ""
    pwd = (base.pwd if base else None) or description.pwd or ""
    if not (
        4 <= len(ufrag) <= 256 and 22 <= len(pwd) <= 256 and _ICE.fullmatch(ufrag) and _ICE.fullmatch(pwd)
    ):
        raise PeerError("sdp-malformed", "a=ice-ufrag or a=ice-pwd is missing or not as RFC 8839 says")
    setup = (base.setup if base else None) or description.setup or "active"
    if setup not in ("actpass", "active"):
        raise PeerError("sdp-unsupported", "a=setup must be actpass or active: the server is passive")
    named = (base.fingerprints if base else None) or description.fingerprints
    digests = [
        digest for function, digest in named if function == "sha-256" and len(digest) == _SHA_256_BYTES
    ]
    if not digests:
        raise PeerError("sdp-unsupported", "an a=fingerprint with sha-256 is needed")
    _limit(len(digests), _MAX_FINGERPRINTS, "fingerprints")
    return Offer(ufrag, pwd, tuple(digests), sections, extmap_allow_mixed=description.extmap_allow_mixed)


def _section(media: MediaSection, *, bundled: bool, size: int) -> OfferedSection:
    mid = media.mid or ""
    if not mid:
        raise PeerError("sdp-unsupported", "every section needs an a=mid")
    if not (_TOKEN.fullmatch(mid) and len(mid) <= _MAX_ID_BYTES):
        raise PeerError("sdp-malformed", f"an a=mid is not a token of at most {_MAX_ID_BYTES} bytes")
    _limit(len(media.payloads), _MAX_PAYLOADS, "payload types in a section")
    _limit(len(media.extensions), _MAX_EXTENSIONS, "header extensions in a section")
    _limit(len(media.rids), _MAX_RIDS, "rids in a section")
    _limit(len(media.ssrcs), _MAX_SSRCS, "ssrcs in a section")
    _limit(len(media.ssrc_groups), _MAX_SSRCS, "ssrc groups in a section")
    payloads = tuple(_payload(each) for each in media.payloads) if media.kind in ("audio", "video") else ()
    return OfferedSection(
        mid=mid,
        kind=media.kind,
        protocol=media.protocol,
        direction=Direction(media.direction),
        closed=media.port == 0 and not media.bundle_only,
        bundled=bundled,
        rtcp_mux=media.rtcp_mux,
        payloads=payloads,
        extensions=tuple((id_, uri) for id_, uri, direction in media.extensions if direction != "inactive"),
        rids=_sent_rids(media),
        streams=_streams(media),
        track_ids=_track_ids(media),
        sctp_port=media.sctp_port,
        max_message_size=media.max_message_size,
        size=size,
    )


def _payload(payload: SdpPayload) -> OfferedPayload:
    return OfferedPayload(
        payload.pt,
        payload.name,
        payload.clock_rate,
        payload.channels,
        payload.fmtp,
        tuple(payload.feedback),
    )


def _sent_rids(media: MediaSection) -> tuple[str, ...]:
    """Take the order of a=simulcast, or else of the a=rid lines. Of alternatives the first counts."""
    declared = [rid for rid, direction in media.rids if direction == "send"]
    listed = [alternatives[0].removeprefix("~") for alternatives in media.simulcast_send if alternatives]
    rids = [rid for rid in listed if rid in declared] or declared
    for rid in rids:
        if not (_TOKEN.fullmatch(rid) and len(rid) <= _MAX_ID_BYTES):
            raise PeerError("sdp-malformed", f"an a=rid is not a token of at most {_MAX_ID_BYTES} bytes")
    return tuple(dict.fromkeys(rids))


def _streams(media: MediaSection) -> tuple[OfferedStream, ...]:
    """Pair streams with their retransmissions (`FID`), in the order of `SIM` if the section has simulcast."""
    rtx = {
        ssrcs[0]: ssrcs[1] for semantics, ssrcs in media.ssrc_groups if semantics == "FID" and len(ssrcs) > 1
    }
    others = {ssrc for _, ssrcs in media.ssrc_groups for ssrc in ssrcs[1:]}
    simulcast = next((ssrcs for semantics, ssrcs in media.ssrc_groups if semantics == "SIM"), None)
    primaries = simulcast or [ssrc for ssrc, _, _ in media.ssrcs if ssrc not in others][:1]
    return tuple(OfferedStream(ssrc, rtx.get(ssrc) or None) for ssrc in dict.fromkeys(primaries) if ssrc)


def _track_ids(media: MediaSection) -> tuple[str, ...]:
    """Collect the track part of every a=msid, of the section or of its ssrcs."""
    ids = [media.msid[1]] if media.msid else []
    ids += [msid.split()[1] for _, _, msid in media.ssrcs if msid and len(msid.split()) > 1]
    return tuple(dict.fromkeys(id_ for id_ in ids if id_))


def _limit(count: int, limit: int, what: str) -> None:
    if count > limit:
        raise PeerError("sdp-limit", f"the description has more than {limit} {what}")

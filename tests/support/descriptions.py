"""Offers as values, for tests of negotiation that need no text."""

from dataclasses import replace
from typing import Any

from sfu.model import EncodingIntent, MediaKind, PublishIntent, TrackKey, TrackSource
from sfu.negotiation.answer import Local
from sfu.negotiation.codecs import Payload, forwarded
from sfu.negotiation.ice import Credentials
from sfu.negotiation.jsep import Outcome, Wish, negotiate
from sfu.negotiation.offer import Direction, Offer, OfferedPayload, OfferedSection
from sfu.negotiation.table import Table

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
EXTENSIONS = (MID, RID)
LOCAL = Local(Credentials("0local", "p" * 24), "AB:CD", (("127.0.0.1", 10_000),), 65_536)

OPUS = OfferedPayload(111, "opus", 48_000, 2, "minptime=10;useinbandfec=1", ("transport-cc",))
RED = OfferedPayload(63, "red", 48_000, 2, "111/111", ())
VP8 = OfferedPayload(96, "VP8", 90_000, 1, "", ("nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"))
VP8_RTX = OfferedPayload(97, "rtx", 90_000, 1, "apt=96", ())
H264 = OfferedPayload(
    108, "H264", 90_000, 1, "packetization-mode=1;profile-level-id=42e01f", ("nack", "nack pli")
)
AUDIO = (OPUS, RED)
VIDEO = (VP8, VP8_RTX, H264)


def section(mid: str, kind: str = "video", direction: str = "recvonly", **changes: Any) -> OfferedSection:
    """One section as a browser would offer it."""
    if kind == "application":
        data = OfferedSection(mid, kind, "UDP/DTLS/SCTP", sctp_port=5000, max_message_size=262_144)
        return replace(data, **changes)
    base = OfferedSection(
        mid,
        kind,
        "UDP/TLS/RTP/SAVPF",
        Direction(direction),
        payloads=AUDIO if kind == "audio" else VIDEO,
        extensions=((4, MID), (10, RID)),
    )
    return replace(base, **changes)


def offer(
    *sections: OfferedSection, ufrag: str = "peer", fingerprint: bytes = b"f" * 32, size: int = 0
) -> Offer:
    """An offer of these sections."""
    return Offer(ufrag, "q" * 22, (fingerprint,), sections, size=size)


def intent(key: str, kind: str = "video", *ids: str, rids: str = "", **changes: Any) -> PublishIntent:
    """An announced track; `rids` are its encodings, lowest first."""
    base = PublishIntent(
        TrackKey(key),
        MediaKind(kind),
        TrackSource.UNKNOWN,
        ids,
        f"stream-{key}",
        tuple(EncodingIntent(rid) for rid in rids) or (EncodingIntent(),),
    )
    return replace(base, **changes)


def wish(
    key: str, kind: str = "video", ssrc: int = 1000, payloads: tuple[Payload, ...] | None = None
) -> Wish:
    """A subscription to a track whose publisher has the codecs of `section`, if not told otherwise."""
    offered = AUDIO if kind == "audio" else VIDEO
    known = forwarded(offered, kind) if payloads is None else payloads
    return Wish(TrackKey(key), MediaKind(kind), f"stream-{key}", known, ssrc, ssrc + 1)


class Peer:
    """One side of a negotiation: keeps the table, the announced tracks and the subscriptions."""

    def __init__(self) -> None:
        self.table = Table(session=7)
        self.announced: dict[TrackKey, PublishIntent] = {}
        self.wanted: dict[TrackKey, Wish] = {}
        self.local = LOCAL

    def publish(self, each: PublishIntent) -> None:
        """Announce a track."""
        self.announced[each.key] = each

    def subscribe(self, each: Wish) -> None:
        """Wish for a track."""
        self.wanted[each.track] = each

    def offer(self, *sections: OfferedSection, **changes: Any) -> Outcome:
        """Make an offer and keep what it comes to."""
        outcome = negotiate(
            self.table,
            offer(*sections, **changes),
            local=self.local,
            extensions=EXTENSIONS,
            announced=self.announced,
            wanted=self.wanted,
        )
        self.table = outcome.table
        return outcome


def lines_of(sdp: str, mid: str) -> list[str]:
    """The lines of one section of a description, from its m= line."""
    parts = ("\r\n" + sdp).split("\r\nm=")[1:]
    sections = [("m=" + part).rstrip("\r\n").split("\r\n") for part in parts]
    return next(lines for lines in sections if f"a=mid:{mid}" in lines)

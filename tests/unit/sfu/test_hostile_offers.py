"""The largest descriptions under the caps, in a call with as many tracks as there may be.

The event loop may be held for 50 ms; what is counted here is the time on the processor, so that a busy
machine does not make the tests fail, with room for a slow one. Comparing every track with every section took
a hundred seconds.
"""

import time
from collections.abc import Callable

import pytest

from sfu import MediaKind, PeerError, PublishIntent, SfuLimits, TrackKey, TrackSource
from sfu.bridge import EXTENSION_URIS, MAX_SDP_BYTES
from sfu.negotiation.codecs import forwarded
from sfu.negotiation.jsep import negotiate
from sfu.negotiation.needs import needed
from sfu.negotiation.offer import OfferedPayload
from sfu.negotiation.read import read_offer
from sfu.negotiation.table import Table
from tests.support.descriptions import LOCAL, wish

LIMITS = SfuLimits()
CPU_SECONDS = 0.15
HEAD = (
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:" + "p" * 22 + "\r\n"
    "a=fingerprint:sha-256 " + ":".join(["AB"] * 32) + "\r\na=setup:actpass\r\n"
)
H264 = [f"packetization-mode=1;profile-level-id=42e0{pt:02x}" for pt in range(40)]


def bundle(sections: int) -> str:
    return HEAD + "a=group:BUNDLE " + " ".join(map(str, range(sections))) + "\r\n"


def section(mid: int, payloads: int, codec: str, fmtp: list[str] | None = None) -> str:
    numbers = range(1, payloads + 1)
    lines = [f"m=video 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, numbers))}", "c=IN IP4 0.0.0.0", f"a=mid:{mid}"]
    lines += ["a=rtcp-mux", "a=sendrecv"] + [f"a=rtpmap:{pt} {codec}/90000" for pt in numbers]
    if fmtp:
        lines += [f"a=fmtp:{pt} {fmtp[pt - 1]}" for pt in numbers]
    return "\r\n".join(lines) + "\r\n"


def filled(head: str, make: Callable[[int], str], count: int = 100_000) -> str:
    """Append pieces until the cap on bytes is reached."""
    text = head
    for number in range(count):
        piece = make(number)
        if len(text) + len(piece) > MAX_SDP_BYTES:
            break
        text += piece
    return text


OFFERS = {
    "many sections": filled(bundle(128), lambda n: section(n, 1, "VP8"), 128),
    "many codecs in each section": filled(bundle(60), lambda n: section(n, 40, "VP9"), 128),
    "many profiles in each section": filled(bundle(30), lambda n: section(n, 40, "H264", H264), 128),
    "one codec again and again": filled(
        bundle(1) + section(0, 90, "VP9"), lambda _: "a=rtpmap:1 VP9/90000\r\n"
    ),
    "long parameters": filled(
        bundle(1) + section(0, 40, "H264", H264), lambda n: f"a=fmtp:{n % 40 + 1} " + "a=b;" * 950 + "\r\n"
    ),
    "feedback for all": filled(bundle(1) + section(0, 40, "VP9"), lambda _: "a=rtcp-fb:* nack\r\n"),
    "candidates": filled(
        bundle(1) + section(0, 1, "VP8"), lambda _: "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
    ),
    "ssrc groups": filled(
        bundle(1) + section(0, 1, "VP8"), lambda _: "a=ssrc-group:FID 1" + " 2" * 1900 + "\r\n"
    ),
    "bundle groups": filled(HEAD, lambda _: "a=group:BUNDLE " + "0 " * 1900 + "\r\n"),
    "names": filled(
        bundle(128),
        lambda n: section(n, 1, "VP8") + "".join(f"a=ssrc:{k} msid:a b{k}\r\n" for k in range(1, 20)),
        128,
    ),
}


@pytest.mark.parametrize("name", OFFERS)
def test_no_description_under_the_caps_holds_the_loop(name: str) -> None:
    published = [OfferedPayload(pt, "H264", 90_000, 1, H264[pt], ("nack",)) for pt in range(40)]
    wishes = [
        wish(f"W{n}", "video", 1000 + 2 * n, forwarded(published, "video"))
        for n in range(LIMITS.subscriptions_per_leg)
    ]
    wanted = {each.track: each for each in wishes}
    announced = {
        key: PublishIntent(key, MediaKind.VIDEO, TrackSource.UNKNOWN, ("x",), "s")
        for key in (TrackKey(f"T{n}") for n in range(LIMITS.tracks_per_leg))
    }
    began = time.process_time()
    try:
        offer = read_offer(OFFERS[name], LIMITS, carried=LIMITS.subscriptions_per_leg)
        outcome = negotiate(
            Table(session=1),
            offer,
            local=LOCAL,
            extensions=EXTENSION_URIS,
            announced=announced,
            wanted=wanted,
        )
        needed(outcome.table, announced, wanted, LIMITS)
    except PeerError:
        pass
    assert time.process_time() - began < CPU_SECONDS

"""The largest descriptions under the caps, in a call with as many tracks as there may be.

The event loop may be held for 50 ms; what is counted here is the time on an ordinary processor, so that a
busy machine does not make the tests fail. Comparing every track with every section took a hundred seconds.
"""

import asyncio
import contextlib
import time
from dataclasses import replace
from functools import partial

import pytest

from sfu import (
    CallKey,
    CloseReason,
    Leg,
    LegKey,
    MediaKind,
    PeerError,
    PublishIntent,
    SfuLimits,
    TrackKey,
    TrackSource,
    TrackView,
)
from sfu.bridge import EXTENSION_URIS
from sfu.negotiation import jsep
from sfu.negotiation.codecs import forwarded
from sfu.negotiation.jsep import negotiate
from sfu.negotiation.needs import needed
from sfu.negotiation.offer import OfferedPayload
from sfu.negotiation.read import read_offer
from sfu.negotiation.table import Table
from tests.support.descriptions import LOCAL, VP8, Peer, wish
from tests.support.descriptions import section as described
from tests.support.hostile_offers import H264, HEAD, bundle, filled, section
from tests.support.listening import Heard
from tests.support.processor import ordinary_seconds, slowness, uncollected
from tests.unit.sfu.conftest import Live

LIMITS = SfuLimits()
LONGEST_HOLD = 0.05  # seconds
TWO_TRACKS = bundle(2) + section(0, 40, "H264", H264) + section(1, 40, "H264", H264)

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

    def answer() -> None:
        with contextlib.suppress(PeerError):
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

    with uncollected():
        assert ordinary_seconds(answer) < LONGEST_HOLD


def test_of_what_peers_offer_little_is_remembered() -> None:
    before = jsep._remembered.cache_info().misses
    for number in range(200):
        for size in (500, 20_000):
            offered = (replace(VP8, fmtp=f"size={size};number={number}"),)
            assert Peer().offer(described("0", payloads=offered, size=size)).sdp
    known = jsep._remembered.cache_info()
    assert (known.misses - before, known.currsize) == (200, 64)  # nothing of the large sections


class Subscriber(Heard):
    """Hears of a publisher's tracks and gives each to everybody, as signalling does."""

    def __init__(self, viewers: list[Leg]) -> None:
        super().__init__()
        self.viewers = viewers

    def track_published(self, track: TrackView) -> None:
        for viewer in self.viewers:
            viewer.subscribe(track.key)


async def test_no_publisher_holds_the_loop_of_a_full_call(live: Live) -> None:
    call = live.sfu.call(CallKey("call"))
    viewers = [call.add_leg(LegKey(f"V{number}"), Heard()) for number in range(LIMITS.legs_per_call - 1)]
    others = LIMITS.subscriptions_per_leg - LIMITS.tracks_per_leg
    for number in range(others):
        viewers[number % len(viewers)].publish(announcement(f"O{number}"))
    for viewer in viewers:
        viewer.negotiate(TWO_TRACKS)
        for number in range(others):
            viewer.subscribe(TrackKey(f"O{number}"))
    for name, text in OFFERS.items():
        mallory = call.add_leg(LegKey("mallory"), Subscriber(viewers))
        for number in range(LIMITS.tracks_per_leg):
            mallory.publish(announcement(f"M{number}"))
        for number in range(others):
            mallory.subscribe(TrackKey(f"O{number}"))
        await _settle()
        with uncollected():
            assert ordinary_seconds(partial(_offer, mallory, text)) < LONGEST_HOLD, name
            assert await _longest_turn() < LONGEST_HOLD, name
        mallory.close(CloseReason.LEFT)
        await _settle()


def _offer(leg: Leg, text: str) -> None:
    with contextlib.suppress(PeerError):
        leg.negotiate(text)


def announcement(key: str) -> PublishIntent:
    return PublishIntent(TrackKey(key), MediaKind.VIDEO, TrackSource.UNKNOWN, (key,), "s")


async def _settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def _longest_turn() -> float:
    """Return how long the longest of the loop's next turns holds a processor."""
    slower = slowness()
    longest = 0.0
    for _ in range(50):
        began = time.process_time()
        await asyncio.sleep(0)
        longest = max(longest, time.process_time() - began)
    return longest / slower

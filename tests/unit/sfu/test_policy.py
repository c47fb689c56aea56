"""Layers, speakers, workers and bounds: functions of values."""

import pytest

from sfu.errors import PeerError
from sfu.model import EncodingIntent, LegKey, SfuLimits, Speaker, TrackKey, Wanted
from sfu.policy.admission import OfferRate
from sfu.policy.allocation import ALL_TEMPORAL, LayerPlan, demanded, target, widened
from sfu.policy.placement import home_worker
from sfu.policy.speakers import loudness, merged, speakers

CAMERA = (EncodingIntent("q", 320, 180), EncodingIntent("h", 640, 360), EncodingIntent("f", 1280, 720))
UNSIZED = (EncodingIntent("q"), EncodingIntent("h"), EncodingIntent("f"))


@pytest.mark.parametrize(
    ("wanted", "encodings", "encoding"),
    [
        (Wanted(), CAMERA, 2),
        (Wanted(disabled=True), CAMERA, None),
        (Wanted(disabled=True, width=320, height=180), CAMERA, None),
        (Wanted(quality=0), CAMERA, 0),
        (Wanted(quality=1), CAMERA, 1),
        (Wanted(quality=9), CAMERA, 2),
        (Wanted(quality=-1), CAMERA, 0),
        (Wanted(quality=1), CAMERA[:1], 0),
        (Wanted(quality=2), CAMERA[:2], 1),
        (Wanted(width=1, height=1), CAMERA, 0),
        (Wanted(width=320, height=180), CAMERA, 0),
        (Wanted(width=321, height=180), CAMERA, 1),
        (Wanted(width=180, height=320), CAMERA, 0),
        (Wanted(width=640, height=361), CAMERA, 2),
        (Wanted(width=4000, height=3000), CAMERA, 2),
        (Wanted(quality=0, width=1280, height=720), CAMERA, 2),
        (Wanted(quality=1, width=320, height=180), UNSIZED, 1),
        (Wanted(quality=0, width=0, height=720), CAMERA, 0),
    ],
)
def test_the_target_is_the_smallest_encoding_that_covers_what_is_wanted(
    wanted: Wanted, encodings: tuple[EncodingIntent, ...], encoding: int | None
) -> None:
    assert target(wanted, encodings).encoding == encoding


def test_a_window_that_grows_pixel_by_pixel_goes_up_the_encodings_once() -> None:
    decisions = [target(Wanted(width=w, height=w * 9 // 16), CAMERA).encoding for w in range(16, 1600, 16)]
    assert decisions == sorted(decisions, key=lambda encoding: encoding or 0)
    assert set(decisions) == {0, 1, 2}


@pytest.mark.parametrize(
    ("fps", "temporal"), [(0, ALL_TEMPORAL), (5, 0), (8, 0), (15, 1), (16, ALL_TEMPORAL), (30, ALL_TEMPORAL)]
)
def test_a_low_rate_of_pictures_leaves_out_temporal_layers(fps: int, temporal: int) -> None:
    assert target(Wanted(max_fps=fps), CAMERA).temporal == temporal


def test_only_encodings_that_somebody_gets_are_demanded() -> None:
    assert demanded([LayerPlan(0), LayerPlan(2), LayerPlan(None)], 3) == (True, False, True)
    assert demanded([], 2) == (False, False)


def test_demand_grows_at_once_and_never_shrinks_at_once() -> None:
    assert widened((True, False, False), (False, False, True)) == (True, False, True)


def test_speakers_are_named_and_those_who_left_are_not() -> None:
    tracks = {1: (LegKey("a"), TrackKey("A")), 2: (LegKey("b"), TrackKey("B"))}
    found = speakers([(2, 127), (9, 100), (1, 107)], tracks)
    assert [(speaker.leg, speaker.track) for speaker in found] == [("b", "B"), ("a", "A")]
    assert found[0] == Speaker(LegKey("b"), TrackKey("B"), 1.0)
    assert found[1].level == pytest.approx(0.1)


def test_loudness_stays_between_silence_and_one() -> None:
    assert 0 < loudness(0) < 1e-6
    assert loudness(200) == 1.0


@pytest.mark.parametrize(
    ("of_call", "legs", "home"),
    [
        ([0, 0], [0, 0], 0),
        ([0, 0, 0], [3, 1, 2], 1),
        ([0, 5, 0], [0, 5, 0], 1),
        ([0, 7, 0], [0, 7, 0], 1),
        ([0, 8, 0], [0, 8, 0], 0),
        ([0, 1, 0], [2, 9, 3], 1),
        ([0, 1, 0], [1, 9, 3], 0),
        ([8, 1], [8, 1], 1),
        ([8, 8], [8, 8], 0),
        ([1, 1, 0], [20, 18, 12], 1),
        ([40], [40], 0),
    ],
)
def test_a_call_stays_on_its_workers_until_another_has_much_less_to_do(
    of_call: list[int], legs: list[int], home: int
) -> None:
    assert home_worker(of_call, legs) == home


def test_speakers_of_all_workers_are_ranked_together() -> None:
    assert merged([[(1, 120), (2, 90)], [], [(3, 100)]]) == [(1, 120), (3, 100), (2, 90)]
    assert len(merged([[(number, 100) for number in range(8)]] * 2)) == 8


def test_offers_are_admitted_up_to_their_rate_and_again_when_time_has_passed() -> None:
    rate = OfferRate(SfuLimits(offers_per_10_seconds=3))
    for now in (0.0, 1.0, 2.0):
        rate.admit(10, most=1000, now=now)
    with pytest.raises(PeerError, match="too-many-offers"):
        rate.admit(10, most=1000, now=9.9)
    rate.admit(10, most=1000, now=10.1)
    with pytest.raises(PeerError, match="too-many-offers"):
        rate.admit(10, most=1000, now=10.2)


def test_large_offers_are_admitted_a_quarter_as_often() -> None:
    rate = OfferRate(SfuLimits(offers_per_10_seconds=20))
    for _ in range(5):
        rate.admit(1000, most=1000, now=0.0)
    with pytest.raises(PeerError, match="too-many-offers"):
        rate.admit(1000, most=1000, now=9.9)
    rate.admit(1000, most=1000, now=10.0)


def test_one_offer_is_always_admitted() -> None:
    OfferRate(SfuLimits(offers_per_10_seconds=1)).admit(1000, most=1000, now=0.0)

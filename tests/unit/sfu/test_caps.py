"""What a bound on a leg does to its pictures, over a fake core that says what they take."""

import re
from dataclasses import replace

import pytest

from sfu import CloseReason, EncodingIntent, TrackKey, UsageError, Wanted, bridge
from tests.unit.sfu.conftest import Live, Timers
from tests.unit.sfu.test_leg import CAMERA as CAMERA_INTENT
from tests.unit.sfu.test_leg import JOIN, OFFERS, Person, publisher, turns

CAMERA = TrackKey("TR_cam")
PLAIN = (OFFERS / "chromium-plain.sdp").read_bytes().decode()
RATES = [(60, 90, 120), (200, 320, 400), (700, 1_000, 1_300)]


async def measured(live: Live, rates: list[tuple[int, int, int]]) -> None:
    """Let the core say what the camera takes."""
    number = next(n for n, track in live.core.tracks.items() if track.kind == "video")
    live.core.emit(bridge.RatesChanged(track=number, rates=rates))
    await turns(6)


async def viewer(live: Live, *, down_kbps: int | None, name: str = "viewer") -> Person:
    person = Person(live, name)
    person.leg.cap(up_kbps=None, down_kbps=down_kbps)
    person.leg.subscribe(CAMERA)
    person.leg.negotiate(JOIN)
    await turns()
    return person


def plans(live: Live) -> list[tuple[int | None, int]]:
    return [
        one.plan for one in live.core.subscriptions.values() if live.core.tracks[one.track].kind == "video"
    ]


async def test_a_capped_viewer_gets_the_layer_that_fits_and_another_one_everything(
    live: Live, timers: Timers
) -> None:
    publisher(live)
    await viewer(live, down_kbps=500)
    await viewer(live, down_kbps=None, name="other")
    await measured(live, RATES)
    assert plans(live) == [(1, 255), (2, 255)]


async def test_a_camera_in_one_encoding_is_seen_at_once_where_both_have_the_same_bound(
    live: Live, timers: Timers
) -> None:
    person = Person(live, "publisher")
    person.leg.cap(up_kbps=2_000, down_kbps=2_000)
    (sent,) = re.findall(r"m=video.*?a=msid:\S+ (\S+)", PLAIN, re.DOTALL)
    camera = replace(CAMERA_INTENT, encodings=(EncodingIntent(max_kbps=4_000),), client_ids=(sent,))
    person.leg.publish(camera)
    person.leg.negotiate(PLAIN)
    await viewer(live, down_kbps=2_000)
    assert plans(live) == [(0, 255)]


async def test_what_fits_is_weighed_again_when_rates_wishes_or_the_bound_change(
    live: Live, timers: Timers
) -> None:
    publisher(live)
    person = await viewer(live, down_kbps=500)
    await measured(live, RATES)
    await measured(live, [(60, 90, 120), (300, 480, 600), (700, 1_000, 1_300)])
    assert plans(live) == [(0, 255)]
    person.leg.set_wanted(CAMERA, Wanted(quality=0, max_fps=8))
    await turns()
    assert plans(live) == [(0, 0)]
    person.leg.set_wanted(CAMERA, Wanted())
    person.leg.cap(up_kbps=None, down_kbps=5_000)
    await turns()
    assert plans(live) == [(2, 255)]
    person.leg.cap(up_kbps=None, down_kbps=None)
    await turns()
    assert plans(live) == [(2, 255)]


async def test_a_picture_that_does_not_fit_is_paused_and_its_viewer_told(live: Live, timers: Timers) -> None:
    publisher(live)
    person = await viewer(live, down_kbps=40)
    await measured(live, RATES)
    assert plans(live) == [(None, 255)]
    assert person.heard.of("stream_paused") == [(CAMERA, True)]
    person.leg.cap(up_kbps=None, down_kbps=80)
    await turns()
    assert plans(live) == [(0, 0)]
    assert person.heard.of("stream_paused") == [(CAMERA, True), (CAMERA, False)]


async def test_a_picture_that_nobody_wants_is_not_told_of_as_paused(live: Live, timers: Timers) -> None:
    publisher(live)
    person = await viewer(live, down_kbps=500)
    person.leg.set_wanted(CAMERA, Wanted(disabled=True))
    await turns()
    assert plans(live) == [(None, 255)]
    assert person.heard.of("stream_paused") == []


async def test_sound_is_sent_however_small_the_bound(live: Live, timers: Timers) -> None:
    publisher(live)
    person = Person(live, "viewer")
    person.leg.cap(up_kbps=None, down_kbps=1)
    person.leg.subscribe(TrackKey("TR_mic"))
    person.leg.negotiate(JOIN)
    await turns()
    assert [one.plan for one in live.core.subscriptions.values()] == [(0, 255)]


async def test_an_encoding_that_is_not_sent_any_more_is_tried_again_after_a_while(
    live: Live, timers: Timers
) -> None:
    publisher(live)
    await viewer(live, down_kbps=500)
    busy = [(60, 90, 120), (400, 600, 800), (0, 0, 0)]
    await measured(live, busy)
    assert plans(live) == [(0, 255)]
    await measured(live, [(60, 90, 120), (0, 0, 0), (0, 0, 0)])
    assert plans(live) == [(0, 255)], "it is believed to take what it took"
    timers.expire(20.0)
    await turns()
    assert plans(live) == [(0, 255)], "four times the lower one is too much as well"
    await measured(live, [(20, 40, 60), (0, 0, 0), (0, 0, 0)])
    assert plans(live) == [(1, 255)]


async def test_a_publisher_is_asked_to_stay_within_its_bound(live: Live, timers: Timers) -> None:
    person = Person(live, "publisher")
    person.leg.cap(up_kbps=600, down_kbps=None)
    person.leg.negotiate(JOIN)
    (transport,) = live.core.transports.values()
    assert transport.up_cap == 600
    person.leg.cap(up_kbps=900, down_kbps=None)
    assert transport.up_cap == 900
    person.leg.cap(up_kbps=None, down_kbps=None)
    assert transport.up_cap is None


async def test_of_a_publisher_that_does_not_follow_only_what_fits_is_passed_on(
    live: Live, timers: Timers
) -> None:
    person = publisher(live)
    person.leg.cap(up_kbps=600, down_kbps=None)
    seen = await viewer(live, down_kbps=None)
    await measured(live, RATES)
    assert plans(live) == [(2, 255)], "it has a while to follow"
    timers.expire(5.0)
    await turns()
    assert plans(live) == [(1, 255)]
    await measured(live, [(2_000,) * 3, (0,) * 3, (0,) * 3])
    assert plans(live) == [(None, 255)]
    assert seen.heard.of("stream_paused") == [(CAMERA, True)]
    timers.expire(20.0)
    await turns()
    await measured(live, [(60, 90, 120), (200, 320, 400), (0,) * 3])
    assert plans(live) == [(2, 255)], "it follows now"
    assert seen.heard.of("stream_paused")[-1] == (CAMERA, False)


async def test_a_publisher_that_follows_in_time_loses_nothing(live: Live, timers: Timers) -> None:
    person = publisher(live)
    person.leg.cap(up_kbps=600, down_kbps=None)
    seen = await viewer(live, down_kbps=None)
    await measured(live, RATES)
    await measured(live, [(60, 90, 120), (200, 320, 400), (60, 90, 120)])
    timers.expire(5.0)
    await turns()
    assert plans(live) == [(2, 255)]
    assert seen.heard.of("stream_paused") == []


async def test_a_leg_that_has_ended_leaves_no_timer(live: Live, timers: Timers) -> None:
    person = publisher(live)
    person.leg.cap(up_kbps=600, down_kbps=None)
    await measured(live, RATES)
    await measured(live, [(60, 90, 120), (200, 320, 400), (0,) * 3])
    assert timers.set
    person.leg.close(CloseReason.LEFT)
    await turns()
    assert timers.set == []


@pytest.mark.parametrize("kbps", [0, -1, 1_000_001])
async def test_a_bound_that_is_none_is_refused(live: Live, kbps: int) -> None:
    person = Person(live, "a")
    with pytest.raises(UsageError, match="1 to 1000000"):
        person.leg.cap(up_kbps=kbps, down_kbps=None)

"""What a scrape shows."""

import asyncio
import re
import time
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from sfu import CallKey, CloseReason, LegKey, PeerError, bridge
from sfu.metrics import Tally
from tests.support.listening import Heard
from tests.unit.sfu.conftest import Live
from tests.unit.sfu.test_leg import CAMERA, JOIN, MICROPHONE, SIMULCAST, Person, publisher, turns

EXPECTED = {
    'colloque_packets_total{dir="up",kind="audio"}',
    'colloque_packets_total{dir="down",kind="video"}',
    'colloque_bytes_total{dir="up"}',
    'colloque_dropped_total{reason="srtp_auth"}',
    'colloque_nack_total{dir="up"}',
    'colloque_pli_total{dir="down"}',
    'colloque_rtx_total{dir="down"}',
    'colloque_layer_switch_total{reason="wanted"}',
    'colloque_worker_busy_ratio{worker="0"}',
    'colloque_overload_step{worker="0"}',
    "colloque_event_loop_lag_seconds_count",
    'colloque_forward_latency_seconds_bucket{le="0.001"}',
    "colloque_segmentation_off",
    "colloque_steered_sockets",
    'colloque_dscp_packets_total{class="EF"}',
    "colloque_handed_over_total",
    'colloque_relayed_total{dir="down"}',
    'colloque_objects{kind="mirror"}',
    "colloque_event_loop_held_seconds_count",
}


def scrape(live: Live) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(live.sfu.metrics_collector())
    lines = generate_latest(registry).decode().splitlines()
    return {
        line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")
    }


def test_a_tally_counts_as_prometheus_histograms_do() -> None:
    values = (0.0, 0.001, 0.0015, 0.02, 7.0)
    registry, theirs = CollectorRegistry(), CollectorRegistry()
    tally = Tally("lag_seconds", "How late.", (0.001, 0.02, 5))
    histogram = Histogram("lag_seconds", "How late.", buckets=(0.001, 0.02, 5), registry=theirs)
    registry.register(tally)
    for value in values:
        tally.observe(value)
        histogram.observe(value)
    expected = [line for line in generate_latest(theirs).decode().splitlines() if "_created" not in line]
    assert generate_latest(registry).decode().splitlines() == expected


async def test_every_promised_metric_is_there_from_the_start(live: Live) -> None:
    found = scrape(live)
    assert set(found) >= EXPECTED
    assert any(name.startswith("colloque_build_info{version=") for name in found)


async def test_objects_are_counted_and_come_back_to_zero(live: Live) -> None:
    person = publisher(live)
    during = scrape(live)
    assert during['colloque_objects{kind="leg"}'] == 1
    assert during['colloque_objects{kind="track"}'] == 2
    assert during['colloque_objects{kind="transport"}'] == 1
    person.leg.close(CloseReason.LEFT)
    after = scrape(live)
    assert {value for name, value in after.items() if name.startswith("colloque_objects")} == {0}
    assert after['colloque_legs_closed_total{reason="left"}'] == 1


async def test_connected_legs_are_told_by_their_path(live: Live) -> None:
    leg = live.sfu.call(CallKey("call")).add_leg(LegKey("a"), Heard())
    leg.negotiate(JOIN)
    (number,) = live.core.transports
    live.core.emit(bridge.TransportConnected(transport=number, path="udp", ipv6=True, srtp_profile="x"))
    await turns()
    found = scrape(live)
    assert found['colloque_legs{family="ipv6",path="udp"}'] == 1
    assert found['colloque_join_seconds_count{stage="transport"}'] == 1
    live.core.emit(bridge.TransportFailed(transport=number, reason="dtls_timeout"))
    await turns()
    found = scrape(live)
    assert 'colloque_legs{family="ipv6",path="udp"}' not in found
    assert found['colloque_ice_failures_total{stage="dtls"}'] == 1


async def test_a_closed_tab_is_not_a_failure(live: Live) -> None:
    publisher(live)
    (number,) = live.core.transports
    live.core.emit(bridge.TransportFailed(transport=number, reason="closed_by_peer"))
    await turns()
    assert not [name for name in scrape(live) if name.startswith("colloque_ice_failures")]


def joined_with_media(live: Live) -> float:
    return scrape(live).get('colloque_join_seconds_count{stage="media"}', 0.0)


def everything_starts(live: Live) -> None:
    for number in live.sfu.directory.tracks:
        live.core.emit(bridge.TrackStarted(track=number, encoding=0, pt=96))


async def test_a_join_lasts_until_the_first_packet_of_what_was_published_from_the_start(live: Live) -> None:
    publisher(live)
    (number,) = live.core.transports
    live.core.emit(bridge.TransportConnected(transport=number, path="udp", ipv6=False, srtp_profile="x"))
    everything_starts(live)
    await turns()
    assert joined_with_media(live) == 1


async def test_a_camera_switched_on_during_the_call_says_nothing_about_the_join(live: Live) -> None:
    person = Person(live, "a")
    person.leg.negotiate(SIMULCAST)
    (number,) = live.core.transports
    live.core.emit(bridge.TransportConnected(transport=number, path="udp", ipv6=False, srtp_profile="x"))
    await turns()
    person.leg.publish(MICROPHONE)
    person.leg.publish(CAMERA)
    person.leg.negotiate(SIMULCAST)
    everything_starts(live)
    await turns()
    assert person.heard.of("track_started")
    assert joined_with_media(live) == 0


async def test_somebody_who_comes_muted_and_speaks_later_says_nothing_about_the_join(live: Live) -> None:
    person = Person(live, "a")
    person.leg.publish(replace(MICROPHONE, muted=True))
    person.leg.publish(CAMERA)
    person.leg.negotiate(SIMULCAST)
    person.leg.set_muted(CAMERA.key, True)
    for key in (MICROPHONE.key, CAMERA.key):
        person.leg.set_muted(key, False)
    everything_starts(live)
    await turns()
    assert joined_with_media(live) == 0


async def test_refused_offers_are_counted_by_code(live: Live) -> None:
    leg = live.sfu.call(CallKey("call")).add_leg(LegKey("a"), Heard())
    for offer in ("", "v=0", "x" * 70_000):
        try:
            leg.negotiate(offer)
        except PeerError:
            continue
    found = scrape(live)
    assert found['colloque_offers_refused_total{code="sdp-malformed"}'] == 1
    assert found['colloque_offers_refused_total{code="sdp-too-large"}'] == 1


async def test_no_label_names_a_room_a_person_or_a_track(live: Live) -> None:
    publisher(live)
    await asyncio.sleep(0)
    labels = set(re.findall(r"(\w+)=", "".join(scrape(live))))
    bounded = {"class", "code", "dir", "family", "kind", "le", "path", "reason", "stage", "version", "worker"}
    assert labels <= bounded


@pytest.mark.parametrize(("worked_seconds", "next_look_seconds"), [(0.002, 0.020), (0.0, 0.100)])
async def test_a_loop_with_work_is_looked_at_often_enough_to_see_whoever_holds_it(
    live: Live, worked_seconds: float, next_look_seconds: float
) -> None:
    before = live.sfu.now()
    live.sfu._probe_lag(since=before - 0.02, due=before, worked=time.thread_time() - worked_seconds)
    looked_at = live.sfu._timers["lag"].when() - next_look_seconds
    assert before <= looked_at <= live.sfu.now()


async def test_a_scrape_before_the_start_shows_what_there_is() -> None:
    live = Live()
    assert "colloque_event_loop_lag_seconds_count" in scrape(live)

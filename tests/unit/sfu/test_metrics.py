"""What a scrape shows."""

import asyncio
import re

from prometheus_client import CollectorRegistry, generate_latest

from sfu import CallKey, CloseReason, LegKey, PeerError, bridge
from tests.support.listening import Heard
from tests.unit.sfu.conftest import Live
from tests.unit.sfu.test_leg import JOIN, publisher, turns

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
    "colloque_event_loop_lag_seconds_count",
    'colloque_forward_latency_seconds_bucket{le="0.001"}',
    "colloque_segmentation_off",
}


def scrape(live: Live) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(live.sfu.metrics_collector())
    lines = generate_latest(registry).decode().splitlines()
    return {
        line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")
    }


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
    assert labels <= {"dir", "kind", "reason", "path", "family", "worker", "stage", "code", "version", "le"}


async def test_a_scrape_before_the_start_shows_what_there_is() -> None:
    live = Live()
    assert "colloque_event_loop_lag_seconds_count" in scrape(live)

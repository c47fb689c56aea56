"""What every core does, real or fake: tests above the border may rely on it with either."""

# ruff: noqa: ARG005 - rows of a table take the same arguments, needed or not

import json
import re
import select
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from sfu import MediaAddress, SfuConfig
from sfu.bridge import EXTENSION_URIS, Bridge, CoreBusy, CoreLike, Payload, make_core
from tests.support.fake_core import FakeCore

CONFIG = SfuConfig(udp_port=0, addresses=(MediaAddress("127.0.0.1", "127.0.0.1"),))
PWD = "p" * 24
OPUS = Payload(111, "opus", 48_000)
VP8 = Payload(96, "vp8", 90_000, rtx_pt=97, nack=True, pli=True, fir=True, transport_cc=True)


CORES = pytest.mark.parametrize("make", [make_core, FakeCore], ids=["real", "fake"])


@pytest.fixture(params=[make_core, FakeCore], ids=["real", "fake"])
def core(request: pytest.FixtureRequest) -> Iterator[CoreLike]:
    made: CoreLike = request.param(CONFIG)
    yield made
    made.stop()


def set_remote(core: CoreLike, transport: int, **changes: Any) -> None:
    values: dict[str, Any] = {
        "ufrag": "peer",
        "pwd": PWD,
        "fingerprints": [b"f" * 32],
        "extensions": [(EXTENSION_URIS[0], 4)],
        "sctp_port": 5000,
        "max_message_size": 65_536,
    }
    core.set_remote(transport, **(values | changes))


def add_track(core: CoreLike, transport: int, **changes: Any) -> int:
    values: dict[str, Any] = {
        "kind": "video",
        "mid": "1",
        "payloads": [VP8],
        "encodings": [("q", None, None), ("h", None, None), ("f", None, None)],
    }
    return core.add_track(transport, **(values | changes))


def subscribe(core: CoreLike, track: int, transport: int, **changes: Any) -> int:
    values: dict[str, Any] = {
        "mid": "2",
        "ssrc": 1000,
        "rtx_ssrc": 1001,
        "payloads": [(96, 100, 101, False)],
        "encoding": 2,
        "temporal": 255,
    }
    return core.subscribe(track, transport, **(values | changes))


# --- before and after it runs ---


def test_there_are_no_candidates_before_the_start(core: CoreLike) -> None:
    assert core.candidates == []


def test_the_fingerprint_is_written_as_in_a_description(core: CoreLike) -> None:
    assert re.fullmatch(r"[0-9A-F]{2}(:[0-9A-F]{2}){31}", core.fingerprint)


def test_a_core_that_has_nothing_to_say_is_not_readable(core: CoreLike) -> None:
    readable, _, _ = select.select([core.fileno()], [], [], 0)
    assert readable == []
    assert core.drain() == []


def test_stopping_what_was_never_started_is_harmless(core: CoreLike) -> None:
    core.stop()
    core.stop()


# --- objects ---


def test_ids_are_never_given_out_twice(core: CoreLike) -> None:
    ids = []
    for number in range(20):
        transport = core.add_transport(0, f"0ufrag{number}", PWD)
        track = add_track(core, transport)
        ids += [("transport", transport), ("track", track), ("sub", subscribe(core, track, transport))]
        core.close_transport(transport)
    assert len(set(ids)) == 60


@CORES
def test_a_track_is_delivered_to_a_transport_of_another_worker(make: Callable[[SfuConfig], CoreLike]) -> None:
    core = make(replace(CONFIG, workers=2))
    one, two = core.add_transport(0, "0aaaa", PWD), core.add_transport(1, "1bbbb", PWD)
    track = add_track(core, one)
    core.unsubscribe(subscribe(core, track, two))
    subscribe(core, track, two)
    core.pause_track(track, True)
    core.close_track(track)
    subscribe(core, track, two)
    core.stop()


def test_every_command_takes_what_negotiation_gives(core: CoreLike) -> None:
    one, two = core.add_transport(0, "0aaaa", PWD), core.add_transport(0, "0bbbb", PWD)
    set_remote(core, one)
    set_remote(core, two, sctp_port=None, extensions=[(uri, n) for n, uri in enumerate(EXTENSION_URIS, 1)])
    core.restart_ice(one, "0cccc", PWD)
    core.set_up_cap(one, 600)
    core.set_up_cap(one, None)
    video = add_track(core, one)
    audio = add_track(core, one, kind="audio", mid="0", payloads=[OPUS], encodings=[(None, 5, None)])
    subscription = subscribe(core, video, two)
    subscribe(core, audio, two, rtx_ssrc=None, payloads=[(111, 111, None, False)], encoding=0)
    core.set_layer_plan(subscription, None)
    core.set_layer_plan(subscription, 0, 1)
    core.pause_track(video, True)
    core.request_keyframe(video)
    core.request_keyframe(video, 1)
    core.set_audio_group(audio, 7)
    core.set_audio_group(audio, None)
    core.send_data(two, 0, True, b"x" * 65_536)
    core.unsubscribe(subscription)
    core.close_track(video)
    core.close_transport(two)
    core.close_transport(one)


@pytest.mark.parametrize(
    "late",
    [
        lambda core, transport, track, sub: set_remote(core, transport),
        lambda core, transport, track, sub: core.restart_ice(transport, "0late", PWD),
        lambda core, transport, track, sub: core.close_transport(transport),
        lambda core, transport, track, sub: core.set_up_cap(transport, 600),
        lambda core, transport, track, sub: add_track(core, transport),
        lambda core, transport, track, sub: subscribe(core, track, transport),
        lambda core, transport, track, sub: core.pause_track(track, True),
        lambda core, transport, track, sub: core.close_track(track),
        lambda core, transport, track, sub: core.request_keyframe(track),
        lambda core, transport, track, sub: core.set_audio_group(track, 1),
        lambda core, transport, track, sub: core.set_layer_plan(sub, 0),
        lambda core, transport, track, sub: core.unsubscribe(sub),
        lambda core, transport, track, sub: core.send_data(transport, 0, True, b""),
    ],
)
def test_commands_about_what_is_gone_do_nothing(
    core: CoreLike, late: Callable[[CoreLike, int, int, int], Any]
) -> None:
    transport = core.add_transport(0, "0aaaa", PWD)
    track = add_track(core, transport)
    sub = subscribe(core, track, transport)
    core.close_transport(transport)
    late(core, transport, track, sub)


# --- arguments ---


@pytest.mark.parametrize(
    "wrong",
    [
        lambda core, t, k: core.add_transport(9, "9aaaa", PWD),
        lambda core, t, k: core.add_transport(0, "1aaaa", PWD),
        lambda core, t, k: core.add_transport(0, "0aa", PWD),
        lambda core, t, k: core.add_transport(0, "0a-aa", PWD),
        lambda core, t, k: core.add_transport(0, "0aaaa", "short"),
        lambda core, t, k: core.restart_ice(t, "0aaaa", "p" * 300),
        lambda core, t, k: set_remote(core, t, ufrag="x"),
        lambda core, t, k: set_remote(core, t, fingerprints=[b"short"]),
        lambda core, t, k: set_remote(core, t, fingerprints=[b"f" * 32] * 5),
        lambda core, t, k: set_remote(core, t, extensions=[("urn:unknown", 1)]),
        lambda core, t, k: set_remote(core, t, extensions=[(EXTENSION_URIS[0], 15)]),
        lambda core, t, k: set_remote(core, t, extensions=[(EXTENSION_URIS[0], 1), (EXTENSION_URIS[1], 1)]),
        lambda core, t, k: add_track(core, t, kind="text"),
        lambda core, t, k: add_track(core, t, mid="m" * 17),
        lambda core, t, k: add_track(core, t, payloads=[]),
        lambda core, t, k: add_track(core, t, payloads=[VP8] * 41),
        lambda core, t, k: add_track(core, t, encodings=[]),
        lambda core, t, k: add_track(core, t, encodings=[("q", None, None)] * 4),
        lambda core, t, k: add_track(core, t, encodings=[("r" * 17, None, None)]),
        lambda core, t, k: add_track(core, t, encodings=[(None, 0, None)]),
        lambda core, t, k: subscribe(core, k, t, ssrc=0),
        lambda core, t, k: subscribe(core, k, t, payloads=[(200, 1, None, False)]),
        lambda core, t, k: subscribe(core, k, t, encoding=3),
        lambda core, t, k: core.send_data(t, 0, True, b"x" * 65_537),
        lambda core, t, k: core.set_up_cap(t, 0),
        lambda core, t, k: core.set_up_cap(t, 1_000_001),
    ],
)
def test_wrong_arguments_are_said_at_once(core: CoreLike, wrong: Callable[[CoreLike, int, int], Any]) -> None:
    transport = core.add_transport(0, "0aaaa", PWD)
    track = add_track(core, transport)
    with pytest.raises(ValueError, match=r"\w"):
        wrong(core, transport, track)


def test_a_table_that_is_full_says_so() -> None:
    fake = FakeCore(CONFIG, max_transports=1)
    fake.add_transport(0, "0aaaa", PWD)
    with pytest.raises(CoreBusy):
        fake.add_transport(0, "0bbbb", PWD)


# --- counters ---


def test_a_snapshot_has_the_counters_of_its_layout(core: CoreLike) -> None:
    snapshot = Bridge(core, lambda event: None).snapshot()
    (worker,) = snapshot.workers
    layout = core.snapshot_layout()
    assert list(worker.cells) == layout["cells"]
    assert list(worker.drops) == layout["drops"]
    assert worker.legs == {}
    assert {"transports", "tracks", "subscriptions", "busy_micros"} <= set(worker.cells)
    assert {"unknown_id", "srtp_auth"} <= set(worker.drops)
    assert {"id", "packets_up", "rtt_micros"} <= set(layout["legs"])


def test_the_debug_state_is_json(core: CoreLike) -> None:
    json.loads(core.debug_state())

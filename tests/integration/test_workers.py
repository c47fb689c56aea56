"""A call whose people live on two workers, with an independent WebRTC stack at both ends."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sfu import Call, CallKey, MediaAddress, Sfu, SfuConfig
from tests.support.aiortc_peer import AiortcPeer, AudioStreamTrack, Colour
from tests.support.eventually import until

pytestmark = pytest.mark.integration

WORKERS = 2
GAUGES = ("mirrors", "tracks", "encodings", "subscriptions", "transports", "paths", "foreign_paths")
MANY = 16  # as many addresses all at home would be seen once in 65,536 runs


@pytest.fixture(params=[False, True], ids=["handed over", "steered"])
async def sfu(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, unused_udp_port: int
) -> AsyncIterator[Sfu]:
    addresses = (MediaAddress("127.0.0.1", "127.0.0.1"),)
    made = Sfu(
        SfuConfig(udp_port=unused_udp_port, addresses=addresses, workers=WORKERS, steering=request.param)
    )
    turn = itertools.cycle(range(WORKERS))
    # Small calls stay on one worker; here each leg goes to another than the one before.
    monkeypatch.setattr(made, "place", lambda _: next(turn))
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def call(sfu: Sfu) -> Call:
    return sfu.call(CallKey("consultation"))


def cells(sfu: Sfu, name: str) -> list[int]:
    """One counter of each worker."""
    return [worker.cells[name] for worker in sfu.snapshot().workers]


async def pictures(sfu: Sfu, worker: int, direction: str = "down", count: int = 10) -> None:
    """Wait until a worker has moved some packets with pictures."""
    enough = cells(sfu, f"video_{direction}")[worker] + count
    await until(lambda: cells(sfu, f"video_{direction}")[worker] >= enough)


async def luma(peer: AiortcPeer, key: Any) -> int:
    """The grey value of the next picture of a subscription."""
    frame: Any = await asyncio.wait_for(peer.receiver(key).recv(), 10)
    return int(bytes(frame.planes[0])[frame.planes[0].line_size * 60 + 80])


async def test_two_peers_on_two_workers_see_and_hear_each_other(sfu: Sfu, call: Call) -> None:
    one, two = AiortcPeer(call, "one"), AiortcPeer(call, "two")
    try:
        keys = {}
        for peer, grey in ((one, 60), (two, 190)):
            keys[peer] = (peer.add(AudioStreamTrack()), peer.add(Colour(grey)))
            await peer.negotiate()
        await until(lambda: one.connected_path and two.connected_path)
        await until(lambda: cells(sfu, "transports") == [1, 1])
        for peer, other in ((one, two), (two, one)):
            for key in keys[other]:
                peer.leg.subscribe(key)
        await until(lambda: sum("subscribed" in word for word in one.heard + two.heard) == 4)

        assert abs(await luma(one, keys[two][1]) - 190) < 20
        assert abs(await luma(two, keys[one][1]) - 60) < 20
        sound: Any = await asyncio.wait_for(one.receiver(keys[two][0]).recv(), 10)
        assert sound.sample_rate == 48_000
        await until(lambda: cells(sfu, "mirrors") == [2, 2])
        # Who sends what comes from the other worker marks it as sound or as pictures.
        await until(lambda: all(cells(sfu, "marked_ef")) and all(cells(sfu, "marked_af41")))

        await pictures(sfu, 0)
        two.leg.set_muted(keys[two][1], True)
        # What was under way is through once its publisher has sent some more.
        await pictures(sfu, 1, direction="up")
        muted = cells(sfu, "video_down")[0]
        await pictures(sfu, 1, direction="up")
        assert cells(sfu, "video_down")[0] == muted
        two.leg.set_muted(keys[two][1], False)
        await pictures(sfu, 0)
        assert one.failures == two.failures == []
        assert cells(sfu, "panics") == [0, 0]
    finally:
        await asyncio.gather(one.close(), two.close())
    await until(lambda: all(cells(sfu, gauge) == [0, 0] for gauge in GAUGES))


async def test_a_late_joiner_on_the_other_worker_has_the_picture_in_its_first_answer(call: Call) -> None:
    one = AiortcPeer(call, "one")
    key = one.add(Colour(60))
    await one.negotiate()
    await until(lambda: one.connected_path)
    two = AiortcPeer(call, "two")
    try:
        two.make_room(0, 1)
        two.leg.subscribe(key)
        await two.negotiate()
        assert abs(await luma(two, key) - 60) < 20
    finally:
        await asyncio.gather(one.close(), two.close())


async def test_whoever_sends_to_the_wrong_worker_is_connected_all_the_same(sfu: Sfu, call: Call) -> None:
    peers = [AiortcPeer(call, f"peer {number}") for number in range(MANY)]
    try:
        for peer in peers:
            await peer.negotiate()
        await until(lambda: all(peer.connected_path for peer in peers))
        await until(lambda: sum(cells(sfu, "taken_over")) > 0)
    finally:
        await asyncio.gather(*(peer.close() for peer in peers))
    await until(lambda: cells(sfu, "foreign_paths") == [0, 0])


async def test_where_the_kernel_steers_only_the_first_checks_are_handed_over(sfu: Sfu, call: Call) -> None:
    steered = min(cells(sfu, "steered_sockets"))
    peers = [AiortcPeer(call, f"peer {number}") for number in range(MANY)]
    try:
        for peer in peers:
            peer.add(AudioStreamTrack())
            await peer.negotiate()
        await until(lambda: all(peer.connected_path for peer in peers))
        await until(lambda: min(cells(sfu, "foreign_paths")) > 0)
        sound, handed = sum(cells(sfu, "audio_up")), sum(cells(sfu, "handed_over"))
        await until(lambda: sum(cells(sfu, "audio_up")) > sound + 50 * MANY)
        after = sum(cells(sfu, "handed_over")) - handed
        if steered:
            assert after < 2 * MANY, "some datagrams may have been under way"
        else:
            assert after > 5 * MANY
    finally:
        await asyncio.gather(*(peer.close() for peer in peers))

"""Two aiortc peers in a call through the live side: an independent WebRTC stack at both ends."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sfu import Call, CallKey, MediaAddress, Sfu, SfuConfig
from tests.support.aiortc_peer import AiortcPeer, AudioStreamTrack, Colour
from tests.support.eventually import eventually, until

pytestmark = pytest.mark.integration


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def sfu() -> AsyncIterator[Sfu]:
    made = Sfu(SfuConfig(udp_port=free_port(), addresses=(MediaAddress("127.0.0.1", "127.0.0.1"),)))
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def call(sfu: Sfu) -> Call:
    return sfu.call(CallKey("consultation"))


async def luma(peer: AiortcPeer, key: Any) -> int:
    """The grey value of the next picture of a subscription."""
    frame: Any = await asyncio.wait_for(peer.receiver(key).recv(), 10)
    return int(bytes(frame.planes[0])[frame.planes[0].line_size * 60 + 80])


async def test_two_peers_see_hear_and_write_to_each_other(sfu: Sfu, call: Call) -> None:
    one, two = AiortcPeer(call, "one"), AiortcPeer(call, "two")
    try:
        keys = {}
        for peer, grey in ((one, 60), (two, 190)):
            keys[peer] = (peer.add(AudioStreamTrack()), peer.add(Colour(grey)))
            await peer.negotiate()
        await until(lambda: one.connected_path and two.connected_path)
        for peer, other in ((one, two), (two, one)):
            for key in keys[other]:
                peer.leg.subscribe(key)
        await until(lambda: sum("subscribed" in word for word in one.heard + two.heard) == 4)

        assert abs(await luma(one, keys[two][1]) - 190) < 20
        assert abs(await luma(two, keys[one][1]) - 60) < 20
        sound: Any = await asyncio.wait_for(one.receiver(keys[two][0]).recv(), 10)
        assert sound.sample_rate == 48_000

        await until(lambda: one.channel.readyState == "open")
        one.channel.send(b"from one")
        assert await asyncio.wait_for(one.sent_up.get(), 5) == ("_reliable", b"from one")
        assert two.leg.send_data("_reliable", b"to two")
        assert await asyncio.wait_for(two.messages.get(), 5) == ("_reliable", b"to two")
        assert one.failures == two.failures == []
    finally:
        await asyncio.gather(one.close(), two.close())


async def connected(call: Call, name: str, grey: int | None = None) -> tuple[AiortcPeer, Any]:
    """A peer whose transport is up; with a picture if it has a grey."""
    peer = AiortcPeer(call, name)
    key = peer.add(Colour(grey)) if grey is not None else None
    await peer.negotiate()
    await until(lambda: peer.connected_path)
    return peer, key


async def test_a_late_joiner_has_the_picture_in_its_first_answer(call: Call) -> None:
    one, key = await connected(call, "one", 60)
    two = AiortcPeer(call, "two")
    try:
        two.make_room(0, 1)
        two.leg.subscribe(key)
        await two.negotiate()
        assert abs(await luma(two, key) - 60) < 20
    finally:
        await asyncio.gather(one.close(), two.close())


async def test_a_section_is_used_again_for_the_next_picture(call: Call) -> None:
    first, first_key = await connected(call, "first", 60)
    second, second_key = await connected(call, "second", 190)
    viewer, _ = await connected(call, "viewer")
    try:
        viewer.leg.subscribe(first_key)
        await until(lambda: f"subscribed {first_key}" in viewer.heard)
        assert abs(await luma(viewer, first_key) - 60) < 20
        sections = len(viewer.pc.getTransceivers())
        viewer.leg.unsubscribe(first_key)
        viewer.leg.subscribe(second_key)
        await until(lambda: f"subscribed {second_key}" in viewer.heard)
        assert len(viewer.pc.getTransceivers()) == sections
    finally:
        await asyncio.gather(first.close(), second.close(), viewer.close())


async def test_everything_is_freed_when_everybody_has_left(sfu: Sfu, call: Call) -> None:
    one, key = await connected(call, "one", 60)
    two, _ = await connected(call, "two")
    two.leg.subscribe(key)
    await until(lambda: f"subscribed {key}" in two.heard)
    await asyncio.gather(one.close(), two.close())

    async def none_left() -> bool:
        state = await sfu.debug_state()
        return not state["calls"] and all(worker["transports"] == 0 for worker in state["core"])

    await eventually(none_left)


async def test_a_certificate_that_the_description_does_not_name_fails_the_transport(call: Call) -> None:
    peer = AiortcPeer(call, "impostor")
    try:
        negotiate = peer.leg.negotiate
        named = re.compile(r"a=fingerprint:sha-256 \S+")
        other = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)
        peer.leg.negotiate = lambda offer: negotiate(named.sub(other, offer))  # type: ignore[method-assign]
        await peer.negotiate()
        await until(lambda: peer.failures)
        assert peer.failures == ["fingerprint_mismatch"]
        assert not peer.connected_path
    finally:
        await peer.close()


async def test_a_port_that_is_taken_is_said_with_its_address(sfu: Sfu) -> None:
    (address, port) = sfu.candidates[0]
    other = Sfu(SfuConfig(udp_port=port, addresses=(MediaAddress(address, address),)))
    with pytest.raises(OSError, match=str(port)):
        await other.start()
    await other.close()

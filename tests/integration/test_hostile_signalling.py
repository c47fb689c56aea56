"""What hostile clients write on the signalling socket: answered or cut off, and nobody else notices."""

import asyncio
import base64
import contextlib
import gzip
import re
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from livekit.protocol import models, rtc

from tests.support.hostile_offers import filled, section
from tests.support.management import Management
from tests.support.rtc_peer import RtcPeer
from tests.support.server import Server

CLOSED_WITHIN = 5.0  # seconds; refusals are to be over in two
LONGEST_LAG = 0.050  # seconds that no hostile text may hold the event loop
LARGEST_SDP = 64 * 1024


@pytest.mark.parametrize(
    "frame",
    [b"\xff\xff\xff\xff", b"\x0a\xff\xff\xff\xff\x0f", bytes(1000), b"\x0a\x05hello" * 1000],
    ids=["not-protobuf", "length-beyond-end", "zeros", "unfinished-offer"],
)
async def test_a_malformed_binary_frame_harms_only_its_sender(server: Server, frame: bytes) -> None:
    async with _watched(server) as (management, room), RtcPeer() as peer:
        await peer.join(server.ws_url, await management.token(room, "mallory"))
        await peer.socket.send_bytes(frame)
        await _closed_or_alive(peer)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[" * 100_000,
        '{"offer":' * 20_000,
        '{"offer": 7}',
        '{"unknown": {}}',
        '"\\ud800"',
        "null",
    ],
    ids=["empty", "words", "deep-array", "deep-object", "wrong-type", "unknown", "lone-surrogate", "null"],
)
async def test_a_malformed_text_frame_harms_only_its_sender(server: Server, text: str) -> None:
    async with _watched(server) as (management, room), RtcPeer() as peer:
        await peer.join(server.ws_url, await management.token(room, "mallory"))
        await peer.socket.send_str(text)
        await _closed_or_alive(peer)


async def test_a_frame_that_is_too_large_ends_its_connection_with_1009(server: Server) -> None:
    async with _watched(server) as (management, room):
        client = await _by_hand(server, management.foreign_token(room, "mallory"))
        try:
            # Only the head of a masked binary frame of 8 MiB (RFC 6455 section 5.2): that must be enough.
            head = b"\x82\xff" + struct.pack("!Q", 8 * 2**20) + bytes(4)
            await asyncio.get_running_loop().sock_sendall(client, head)
            async with asyncio.timeout(CLOSED_WITHIN):
                said = await _rest(client)
        finally:
            client.close()
        assert b"\x88" in said
        assert struct.pack("!H", 1009) in said[said.rindex(b"\x88") :]


@pytest.mark.parametrize(
    "sdp",
    [
        "v=0\r\n" * 20_000,
        "x" * (LARGEST_SDP + 1),
        "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n" + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" * 2000,
        "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
        + "".join(f"a=ssrc:{n} cname:x\r\n" for n in range(3000)),
        "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF"
        + " 111" * 15_000
        + "\r\n",
        "v=0\0\r\n" + "\ufffd" * 1000,
        "",
    ],
    ids=[
        "repeated-version",
        "oversize",
        "2000-sections",
        "3000-ssrcs",
        "15000-payload-types",
        "nul",
        "empty",
    ],
)
async def test_hostile_sdp_does_not_hold_the_event_loop(server: Server, sdp: str) -> None:
    async with _watched(server) as (management, room), RtcPeer() as peer:
        await peer.join(server.ws_url, await management.token(room, "mallory"))
        for number in range(20):
            await _send_quietly(peer, rtc.SessionDescription(type="offer", sdp=sdp, id=100 + number))
        await _closed_or_alive(peer)


@pytest.mark.parametrize("payloads", [1, 40])
async def test_hostile_sdp_that_is_answered_does_not_hold_the_event_loop(
    server: Server, payloads: int
) -> None:
    async with _watched(server) as (management, room), RtcPeer() as peer, RtcPeer() as viewer:
        await viewer.join(server.ws_url, await management.token(room, "viewer"))
        await peer.join(server.ws_url, await management.token(room, "mallory"))
        for number in range(16):
            track = rtc.AddTrackRequest(cid=str(number), type=models.TrackType.VIDEO)
            await peer.send(add_track=track)
        # It has to continue what was agreed: one data section.
        agreed = peer.pc.localDescription.sdp
        mids = " ".join(map(str, range(1, 128)))
        agreed = re.sub(r"(a=group:BUNDLE \S+)", rf"\1 {mids}", agreed)
        sdp = filled(agreed, lambda number: section(number + 1, payloads, "VP9"), 127, most=LARGEST_SDP)
        mark = len(peer.messages)
        for number in range(20):
            await _send_quietly(peer, rtc.SessionDescription(type="offer", sdp=sdp, id=100 + number))
        await _closed_or_alive(peer)
        answers = [told.answer for told in peer.messages[mark:] if told.WhichOneof("message") == "answer"]
        assert [answer.id for answer in answers] == [100 + number for number in range(20)]


async def test_ten_thousand_candidates_attract_no_packet(server: Server) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trap:
        trap.bind(("127.0.0.1", 0))
        trap.setblocking(False)
        port = trap.getsockname()[1]
        async with _watched(server) as (management, room), RtcPeer() as peer:
            await peer.join(server.ws_url, await management.token(room, "mallory"))
            candidate = f"candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host"
            line = f'{{"candidate": "{candidate}", "sdpMid": "0", "sdpMLineIndex": 0}}'
            for _ in range(10_000):
                await _send_trickle_quietly(peer, line)
            await _closed_or_alive(peer)
        with pytest.raises(BlockingIOError):
            trap.recv(2048)


async def test_a_client_that_stops_reading_holds_up_nobody(server: Server) -> None:
    async with Management(server) as management:
        room = await management.room()
        async with RtcPeer() as talker, RtcPeer() as listener:
            await talker.join(server.ws_url, await management.token(room, "talker"))
            await listener.join(server.ws_url, await management.token(room, "listener"))
            deaf = await _by_hand(server, management.foreign_token(room, "deaf"))
            try:
                # Quick changes are told together, so only the last is sure to be told by itself.
                values = [f"{number}{'x' * 4000}" for number in range(400)]
                for value in values:
                    await talker.send(update_metadata=rtc.UpdateParticipantMetadata(metadata=value))
                async with asyncio.timeout(CLOSED_WITHIN):
                    await listener.told("update", _tells("talker", values[-1]))
            finally:
                deaf.close()


@pytest.mark.parametrize(
    "join_request",
    ["", "!!!", "A" * 30_000, base64.urlsafe_b64encode(b"\xff" * 500).decode()],
    ids=["absent", "not-base64", "long", "not-protobuf"],
)
async def test_a_malformed_join_request_is_refused_before_the_upgrade(
    server: Server, join_request: str
) -> None:
    async with Management(server) as management:
        token = await management.token(await management.room(), "mallory")
        status = await _join_status(server, token, join_request)
    assert 400 <= status < 500
    assert status != 404  # would send clients to the older protocol


async def test_a_join_request_that_unpacks_to_a_gigabyte_is_refused(server: Server) -> None:
    packed = gzip.compress(bytes(2**28), 9)[:20_000]
    request = rtc.WrappedJoinRequest(compression=rtc.WrappedJoinRequest.GZIP, join_request=packed)
    encoded = base64.urlsafe_b64encode(request.SerializeToString()).decode()
    async with Management(server) as management:
        token = await management.token(await management.room(), "mallory")
        assert 400 <= await _join_status(server, token, encoded) < 500


async def test_media_of_others_goes_on_when_one_floods_signalling(server: Server) -> None:
    async with _watched(server) as (management, room), RtcPeer() as peer:
        await peer.join(server.ws_url, await management.token(room, "mallory"))
        for _ in range(5000):
            if peer.socket.closed:
                break
            await peer.send(ping_req=rtc.Ping(timestamp=1))
        await _closed_or_alive(peer)


@asynccontextmanager
async def _watched(server: Server) -> AsyncIterator[tuple[Management, str]]:
    """Give a room, and see that the server's loop was never held while the block ran."""
    async with Management(server) as management:
        room = await management.room()
        before = await _holds(management)
        yield management, room
        began = time.monotonic()
        await management.ask("GET", f"/v1/rooms/{room}")
        assert time.monotonic() - began < 1.0
        assert await _holds(management) == before, f"the event loop was held for over {LONGEST_LAG} s"


async def _holds(management: Management) -> float:
    """Count how often the loop was held for longer than the bound, from the histogram in `/metrics`.

    Only its own work counts, not what it waited for a processor: other tests may run beside this one.
    """
    total = within = 0.0
    for line in (await management.metrics()).splitlines():
        if line.startswith("colloque_event_loop_held_seconds_count"):
            total = float(line.rsplit(" ", 1)[1])
        elif line.startswith(f'colloque_event_loop_held_seconds_bucket{{le="{LONGEST_LAG}"}}'):
            within = float(line.rsplit(" ", 1)[1])
    assert total > 0, "no histogram of the event loop's holds with a bucket at the bound"
    return total - within


async def _closed_or_alive(peer: RtcPeer) -> None:
    """See that the sender was either cut off or still gets answers: nothing hangs."""
    mark = len(peer.messages)
    async with asyncio.timeout(CLOSED_WITHIN):
        if not peer.socket.closed:
            try:
                await peer.send(ping_req=rtc.Ping(timestamp=42))
            except (ConnectionError, aiohttp.ClientError):
                return
            await peer.told_or_closed("pong_resp", since=mark)


async def _send_quietly(peer: RtcPeer, offer: rtc.SessionDescription) -> None:
    if not peer.socket.closed:
        await peer.send(offer=offer)


async def _send_trickle_quietly(peer: RtcPeer, line: str) -> None:
    if not peer.socket.closed:
        await peer.send(trickle=rtc.TrickleRequest(candidateInit=line))


async def _by_hand(server: Server, token: str) -> socket.socket:
    """Open a WebSocket by hand, with a tiny receive buffer, to read from it late or never."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    opened.setblocking(False)
    await asyncio.get_running_loop().sock_connect(opened, ("127.0.0.1", server.ports.http))
    request = rtc.JoinRequest(client_info=models.ClientInfo(protocol=16))
    wrapped = rtc.WrappedJoinRequest(join_request=request.SerializeToString()).SerializeToString()
    query = base64.urlsafe_b64encode(wrapped).decode().rstrip("=")
    head = (
        f"GET /rtc/v1?join_request={query} HTTP/1.1",
        f"Host: 127.0.0.1:{server.ports.http}",
        f"Authorization: Bearer {token}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    await asyncio.get_running_loop().sock_sendall(opened, "\r\n".join((*head, "", "")).encode())
    return opened


async def _rest(client: socket.socket) -> bytes:
    """Read until the server ends the connection."""
    loop, blocks = asyncio.get_running_loop(), []
    with contextlib.suppress(ConnectionError):
        while block := await loop.sock_recv(client, 2**16):
            blocks.append(block)
    return b"".join(blocks)


async def _join_status(server: Server, token: str, join_request: str) -> int:
    url = f"{server.url}/rtc/v1"
    headers = {
        "Authorization": f"Bearer {token}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    query = {"join_request": join_request}
    async with aiohttp.ClientSession() as http, http.get(url, params=query, headers=headers) as answer:
        return answer.status


def _tells(identity: str, metadata: str) -> Callable[[rtc.SignalResponse], bool]:
    def match(told: rtc.SignalResponse) -> bool:
        return any(one.identity == identity and one.metadata == metadata for one in told.update.participants)

    return match


pytestmark = pytest.mark.integration

"""What strangers and broken clients send to the media port: dropped, counted, and not noticed in the call."""

import os
import random
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.eventually import eventually
from tests.support.server import Server
from tests.support.tone_call import ToneCall, tone_call

# A DTLS 1.2 ClientHello with no session, one cipher suite and no extension (RFC 6347 section 4.2.2).
_HELLO_BODY = b"\xfe\xfd" + bytes(32) + b"\0" + b"\0" + b"\0\2\xc0\x2b" + b"\1\0"
_LENGTH = struct.pack("!I", len(_HELLO_BODY))[1:]
_HELLO_FRAGMENT = b"\1" + _LENGTH + bytes(5) + _LENGTH + _HELLO_BODY
CLIENT_HELLO = b"\x16\xfe\xfd" + bytes(8) + struct.pack("!H", len(_HELLO_FRAGMENT)) + _HELLO_FRAGMENT


@pytest.fixture(scope="module", params=[1, 2], ids=["one worker", "two workers"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server of this module, with one worker or with strays."""
    running = Server(tmp_path_factory.mktemp("server"))
    running.start("--workers", str(request.param))
    yield running
    assert running.stop() == 0


async def test_datagrams_of_every_first_byte_and_small_length_do_no_harm(server: Server) -> None:
    async with tone_call(server) as call:
        before = await call.dropped()
        with _stranger(server) as stranger:
            for length in range(65):
                for first in range(256) if length else (0,):
                    stranger.send(bytes((first,)) + os.urandom(length - 1) if length else b"")
            await _more_dropped(call, before, 10_000)
            await call.goes_on()
            assert _answers(stranger) == 0
        after = await call.dropped()
        assert {"too_short", "unknown_protocol", "unvalidated"} <= {r for r in after if after[r] > before[r]}
        assert after["panic"] == 0


async def test_random_datagrams_up_to_the_largest_do_no_harm(server: Server) -> None:
    choose = random.Random(7)
    async with tone_call(server) as call:
        before = await call.dropped()
        with _stranger(server) as stranger:
            for _ in range(2000):
                stranger.send(choose.randbytes(choose.randrange(65, 1500)))
            stranger.send(bytes(60_000))
            await _more_dropped(call, before, 1500)
            await call.goes_on()
            assert _answers(stranger) == 0
        assert (await call.dropped())["panic"] == 0


async def test_a_stranger_can_neither_start_dtls_nor_inject_media(server: Server) -> None:
    async with tone_call(server) as call:
        ssrc = call.up.up[-1].ssrc
        heard = set(by_ssrc(call))
        before = await call.dropped()
        with _stranger(server) as stranger:
            for number in range(500):
                stranger.send(CLIENT_HELLO)
                stranger.send(struct.pack("!BBHII", 0x80, 111, number, number * 960, ssrc) + os.urandom(80))
            await _more_dropped(call, before, 900, "unvalidated")
            assert _answers(stranger) == 0
        await call.goes_on()
        assert set(by_ssrc(call)) == heard


async def test_bad_tags_from_the_participants_own_address_end_nothing(server: Server) -> None:
    async with tone_call(server) as call:
        before = await call.dropped()
        last = call.up.up[-1]
        for number in range(1000):
            sequence = (last.seq + number) & 0xFFFF
            header = struct.pack("!BBHII", 0x80, last.payload_type, sequence, 0, last.ssrc)
            call.up.inject(header + os.urandom(60))
        await _more_dropped(call, before, 900, "srtp_auth", "srtp_replay")
        await call.goes_on()


async def test_a_packet_that_is_sent_again_is_delivered_once(server: Server) -> None:
    async with tone_call(server) as call:
        before = await call.dropped()
        call.up.duplicate_up = True
        await call.goes_on(packets=50)
        await _more_dropped(call, before, 40, "srtp_replay")
        numbers = [packet.seq for packet in call.down.down]
        assert len(numbers) == len(set(numbers))


async def test_a_stun_check_with_a_wrong_password_is_not_answered(server: Server) -> None:
    async with tone_call(server) as call:
        before = await call.dropped()
        name = call.check_name().encode()
        username = struct.pack("!HH", 0x0006, len(name)) + name + bytes(-len(name) % 4)
        integrity = struct.pack("!HH", 0x0008, 20) + bytes(20)
        body = username + integrity
        with _stranger(server) as stranger:
            for _ in range(100):
                stranger.send(struct.pack("!HHI", 1, len(body), 0x2112A442) + os.urandom(12) + body)
            await _more_dropped(call, before, 100, "stun_integrity")
            assert _answers(stranger) == 0
        await call.goes_on()


def by_ssrc(call: ToneCall) -> list[int]:
    return [packet.ssrc for packet in call.down.down]


async def _more_dropped(call: ToneCall, before: dict[str, int], count: int, *reasons: str) -> None:
    async def enough() -> bool:
        after = await call.dropped()
        return sum(after[reason] - before.get(reason, 0) for reason in reasons or after) >= count

    await eventually(enough, within=5, what=f"{count} more datagrams are counted as dropped {reasons or ''}")


@contextmanager
def _stranger(server: Server) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.connect(("127.0.0.1", server.ports.udp))
        yield opened


def _answers(stranger: socket.socket) -> int:
    stranger.setblocking(False)
    count = 0
    while True:
        try:
            stranger.recv(2048)
        except BlockingIOError:
            return count
        count += 1


pytestmark = pytest.mark.integration

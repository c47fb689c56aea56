"""A way to one client: in order, at once where the line takes it, and cut off where it does not read."""

import asyncio
from typing import Any, cast

import pytest
from livekit.protocol.rtc import Pong, SignalResponse

from signalling.livekit.connection import DID_NOT_READ, Connection
from signalling.livekit.outbox import Outgoing
from tests.support.virtual_time import sleep

BEHIND = 1_000_000  # bytes


def message(number: int, *, about: str = "") -> Outgoing:
    return Outgoing(SignalResponse(pong_resp=Pong(timestamp=number)), about=about)


class Socket:
    """Both what a connection writes to and the transport below it."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.buffered = 0
        self.drained = asyncio.Event()
        self.drained.set()
        self.aborted = False
        self.gone: Exception | None = None

    async def send_bytes(self, data: bytes) -> None:
        if self.gone is not None:
            raise self.gone
        self.heard.append(SignalResponse.FromString(data).pong_resp.timestamp)
        await self.drained.wait()

    async def close(self, *, code: int, message: bytes) -> None:
        self.heard.append(-code)

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def abort(self) -> None:
        self.aborted = True

    def fall_behind(self) -> None:
        """Do not read: the buffer is full, and whoever sends has to wait."""
        self.buffered = BEHIND
        self.drained.clear()

    def catch_up(self) -> None:
        self.buffered = 0
        self.drained.set()


class Stage:
    def __init__(self, *, max_queue_bytes: int = 1_000) -> None:
        self.socket = Socket()
        both = cast("Any", self.socket)
        self.connection = Connection(both, both, max_queue_bytes=max_queue_bytes, close_within=5.0)
        self.writer = asyncio.create_task(self.connection.run())

    def send(self, *numbers: int, about: str = "") -> None:
        for number in numbers:
            self.connection.send(message(number, about=about))


async def test_a_line_that_reads_is_written_to_at_once() -> None:
    stage = Stage()
    stage.send(1, 2)
    assert stage.socket.heard == [1, 2]
    stage.connection.close(1000, "")
    await stage.writer
    assert stage.socket.heard == [1, 2, -1000]


async def test_what_could_not_be_written_comes_first_when_the_line_reads_again() -> None:
    stage = Stage()
    stage.socket.fall_behind()
    stage.send(1, 2, 3)
    await sleep(0)
    assert stage.socket.heard == [1], "the writer hands over one and waits"
    stage.socket.buffered = 0
    stage.send(4)
    assert stage.socket.heard == [1], "4 waits behind 2 and 3"
    stage.socket.catch_up()
    await sleep(0)
    stage.send(5)
    await sleep(0)
    assert stage.socket.heard == [1, 2, 3, 4, 5]
    stage.connection.close(1000, "")
    await stage.writer


async def test_only_the_newest_word_about_somebody_waits() -> None:
    stage = Stage()
    stage.socket.fall_behind()
    stage.send(1)
    await sleep(0)
    stage.send(2, 3, 4, about="PA_1")
    stage.socket.catch_up()
    await sleep(0)
    assert stage.socket.heard == [1, 4]
    stage.connection.close(1000, "")
    await stage.writer


async def test_news_of_several_people_waits_person_by_person() -> None:
    stage = Stage()
    together = Outgoing(
        SignalResponse(pong_resp=Pong(timestamp=99)),
        parts=[message(2, about="PA_2"), message(3, about="PA_3")],
    )
    stage.connection.send(together)
    assert stage.socket.heard == [99]
    stage.socket.fall_behind()
    stage.send(1)
    await sleep(0)
    stage.connection.send(together)
    stage.send(4, about="PA_2")
    stage.socket.catch_up()
    await sleep(0)
    assert stage.socket.heard == [99, 1, 4, 3]
    stage.connection.close(1000, "")
    await stage.writer


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    stage = Stage(max_queue_bytes=8)
    stage.socket.fall_behind()
    stage.send(*range(1, 9))
    assert stage.socket.aborted
    assert stage.connection.close_code == DID_NOT_READ
    stage.socket.catch_up()
    await stage.writer


@pytest.mark.parametrize("gone", [ConnectionResetError(), RuntimeError("close has been sent")])
async def test_a_line_that_is_gone_fails_nobody_and_ends_the_writer(gone: Exception) -> None:
    stage = Stage()
    stage.socket.gone = gone
    stage.send(1, 2)
    assert stage.socket.aborted
    await stage.writer
    assert stage.socket.heard == []

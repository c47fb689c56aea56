"""The alarm of a shell, on the loop that the server runs on."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest
import uvloop

from signalling.background import Alarm

RUNNERS = {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


@pytest.fixture(params=RUNNERS)
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[None, None, None]], None]:
    def on_loop(work: Coroutine[None, None, None]) -> None:
        with asyncio.Runner(loop_factory=RUNNERS[request.param]) as runner:
            runner.run(work)

    return on_loop


class Bell:
    """Counts how often it rang, and is asked what is due next."""

    def __init__(self) -> None:
        self.rang = 0
        self.alarm = Alarm(self._wake)

    def _wake(self) -> None:
        self.rang += 1


async def turns(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_what_is_due_already_rings_once_however_often_it_is_said(
    run: Callable[[Coroutine[None, None, None]], None],
) -> None:
    async def work() -> None:
        bell, now = Bell(), asyncio.get_running_loop().time()
        for at in (now, now - 1, now + 60, now):
            bell.alarm.set(at)
        await turns()
        assert bell.rang == 1
        bell.alarm.set(now)
        await turns()
        assert bell.rang == 2

    run(work())


def test_an_earlier_time_takes_the_place_of_a_later_one(
    run: Callable[[Coroutine[None, None, None]], None],
) -> None:
    async def work() -> None:
        bell, now = Bell(), asyncio.get_running_loop().time()
        bell.alarm.set(now + 60)
        bell.alarm.set(now)
        await turns()
        assert bell.rang == 1

    run(work())


def test_a_cancelled_alarm_rings_no_more_until_it_is_set_again(
    run: Callable[[Coroutine[None, None, None]], None],
) -> None:
    async def work() -> None:
        bell, now = Bell(), asyncio.get_running_loop().time()
        bell.alarm.set(now)
        bell.alarm.cancel()
        await turns()
        assert bell.rang == 0
        bell.alarm.set(now + 60)
        bell.alarm.set(now)
        await turns()
        assert bell.rang == 1

    run(work())

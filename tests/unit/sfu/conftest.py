"""A live side over a fake core, with a loop whose time only moves when a test says so."""

from collections.abc import AsyncIterator, Callable

import pytest

from sfu import Sfu, SfuConfig
from tests.support.fake_core import FakeCore


class Live:
    """The live side and the core under it."""

    def __init__(self, **config: object) -> None:
        self.sfu = Sfu(SfuConfig(**config), make_core=self._make_core)  # type: ignore[arg-type]

    def _make_core(self, config: SfuConfig) -> FakeCore:
        self.core = FakeCore(config)
        return self.core


@pytest.fixture
async def live() -> AsyncIterator[Live]:
    made = Live()
    await made.sfu.start()
    yield made
    await made.sfu.close()


class Timers:
    """Timers that go off when the test says so."""

    def __init__(self, live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
        self.set: list[Timer] = []
        monkeypatch.setattr(live.sfu, "after", self._after)

    def _after(self, seconds: float, callback: Callable[[], None]) -> "Timer":
        timer = Timer(self, seconds, callback)
        self.set.append(timer)
        return timer

    def expire(self, seconds: float | None = None) -> None:
        """Let every timer of that length go off, or every one."""
        for timer in [one for one in self.set if seconds in {None, one.seconds}]:
            if timer in self.set:
                timer.cancel()
                timer.callback()


class Timer:
    """One of them, which can be taken back."""

    def __init__(self, timers: Timers, seconds: float, callback: Callable[[], None]) -> None:
        self.seconds = seconds
        self.callback = callback
        self._timers = timers

    def cancel(self) -> None:
        """Keep it from going off."""
        if self in self._timers.set:
            self._timers.set.remove(self)


@pytest.fixture
def timers(live: Live, monkeypatch: pytest.MonkeyPatch) -> Timers:
    return Timers(live, monkeypatch)

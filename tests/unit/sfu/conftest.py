"""A live side over a fake core, with a loop whose time only moves when a test says so."""

from collections.abc import AsyncIterator

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

"""What holds for every test: below tests/integration nothing opens a socket and nothing waits for a clock."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# Last, so that an installed wheel is what is tested; `tests.support` is found here either way.
sys.path.append(str(Path(__file__).parents[1]))

from tests.support.stillness import stillness

if TYPE_CHECKING:
    from tests.support.postgresql import Cluster

__all__ = ["stillness"]


@pytest.fixture(scope="session")
def postgresql() -> "Iterator[Cluster]":
    """Give a PostgreSQL server that all tests share; each makes a database of its own or empties one."""
    from tests.support.postgresql import cluster  # only the tests of rooms need its imports

    with cluster() as running:
        yield running

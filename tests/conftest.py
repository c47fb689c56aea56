"""What holds for every test: below tests/integration nothing opens a socket and nothing waits for a clock."""

import sys
from pathlib import Path

# Last, so that an installed wheel is what is tested; `tests.support` is found here either way.
sys.path.append(str(Path(__file__).parents[1]))

from tests.support.stillness import stillness

__all__ = ["stillness"]

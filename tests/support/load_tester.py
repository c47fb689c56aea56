"""The command line with an engine that sends nothing; with `--endless` first, it runs until it is stopped."""

import sys
from types import ModuleType

from colloque.cli import main
from tests.support.load_engine import FakeEngine

if __name__ == "__main__":
    endless = sys.argv[1:2] == ["--endless"]
    if endless:
        del sys.argv[1]
    engine = ModuleType("loadtest.engine")
    engine.run = FakeEngine(endless=endless)  # type: ignore[attr-defined]
    sys.modules["loadtest.engine"] = engine
    main()

"""The command line with an engine that sends nothing: `--endless` until it is stopped, `--deaf` even then."""

import sys
from pathlib import Path
from types import ModuleType

if __name__ == "__main__":
    # Last, so that an installed wheel is what is run.
    sys.path.append(str(Path(__file__).parents[2]))
    from colloque.cli import main
    from tests.support.load_engine import FakeEngine

    how = sys.argv.pop(1)
    engine = ModuleType("loadtest.engine")
    engine.run = FakeEngine(endless=how == "--endless", deaf=how == "--deaf")  # type: ignore[attr-defined]
    sys.modules["loadtest.engine"] = engine
    main()

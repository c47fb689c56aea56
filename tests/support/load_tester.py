"""The command line with an engine that sends nothing: `--endless` until it is stopped, `--deaf` even then.

It leaves a file `running` in its folder when it begins.
"""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

if __name__ == "__main__":
    # Last, so that an installed wheel is what is run.
    sys.path.append(str(Path(__file__).parents[2]))
    from colloque.cli import main
    from tests.support.load_engine import FakeEngine

    how = sys.argv.pop(1)
    fake = FakeEngine(endless=how == "--endless", deaf=how == "--deaf")

    def run(*plan: Any, threads: int, check_every: int, **fields: Any) -> Any:
        Path("running").touch()
        return fake(*plan, **fields)

    engine = ModuleType("loadtest.engine")
    engine.run = run  # type: ignore[attr-defined]
    sys.modules["loadtest.engine"] = engine
    main()

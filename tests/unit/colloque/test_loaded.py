"""A server does not keep in memory what makes pages that nobody has asked for."""

import subprocess
import sys
from pathlib import Path

ASKED_FOR = ["control_api.openapi", "control_api.reference", "turn_config.firewall.writing"]


def test_what_only_some_ask_for_is_not_loaded_with_the_server(tmp_path: Path) -> None:
    program = f"""
import sys, colloque.cli, colloque.run
print([name for name in {ASKED_FOR!r} if name in sys.modules])
for name in {ASKED_FOR!r}:
    __import__(name)
"""
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    ).stdout
    assert said == "[]\n"

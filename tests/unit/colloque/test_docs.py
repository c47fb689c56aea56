"""What the documentation shows can be used as it stands."""

import re
from pathlib import Path

from colloque.config import load
from control_api import OPERATIONS
from control_api.problems import CODES

DOCS = Path(__file__).parents[3] / "docs"


def test_the_settings_file_of_the_documentation_is_accepted(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", (DOCS / "settings.md").read_text(), re.DOTALL)
    file = tmp_path / "colloque.toml"
    file.write_text(block)
    assert load(file, {}).api_keys[0].key == "agenda"


def test_every_error_code_is_in_the_documentation() -> None:
    text = (DOCS / "room-api.md").read_text()
    errors = text[text.index("## Errors") : text.index("## What the page calls")]
    named = set(re.findall(r"`([a-z-]+)`", errors)) - {"code", "trace_id", "traceparent", "errors"}
    # These belong to parts that are not built yet.
    assert CODES.keys() - named == {"draining"}
    assert named <= CODES.keys()


def test_every_scope_that_opens_something_is_in_the_documentation() -> None:
    text = (DOCS / "room-api.md").read_text()
    for scope in {operation.scope for operation in OPERATIONS} - {None}:
        assert f"| `{scope}` |" in text

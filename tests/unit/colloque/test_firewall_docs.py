"""docs/firewall.md names every field and word of the JSON form, and its settings can be used."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from colloque.config import load
from tests.data.firewall_sheets import stored
from turn_config import Purpose
from turn_config.firewall import Form
from turn_config.firewall.rows import Direction, IfClosed, Need
from turn_config.firewall.sheet import Profile, Traffic

TEXT = (Path(__file__).parents[3] / "docs" / "firewall.md").read_text()
FIELDS = TEXT[TEXT.index("## Fields") : TEXT.index("## The hosts'")]


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for one in value.values():
            yield from keys(one)
    elif isinstance(value, list):
        for one in value:
            yield from keys(one)


def test_every_field_of_the_json_form_is_in_the_documentation() -> None:
    told = set(re.findall(r"`(?:rows)?(?:\[\])?\.?(\w+)(?:\[\])?`", FIELDS))
    assert set(keys(json.loads(stored(Form.JSON, "en").read_text()))) - told == set()


@pytest.mark.parametrize("words", [Direction, Need, IfClosed, Purpose, Profile, Traffic])
def test_every_word_of_the_json_form_is_in_the_documentation(words: type[Need]) -> None:
    assert [one for one in words if f"`{one}`" not in FIELDS] == []


def test_every_form_is_in_the_documentation() -> None:
    assert [one for one in Form if f"`{one}`" not in TEXT] == []


def test_the_settings_of_the_documentation_are_accepted(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    file = tmp_path / "colloque.toml"
    file.write_text(block)
    assert load(file, {}).firewall.seats == 25

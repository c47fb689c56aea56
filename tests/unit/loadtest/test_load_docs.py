"""What the pages on load tests and sizing show can be used as it stands."""

import re
from pathlib import Path

import pytest
import typer.main
from pydantic import BaseModel
from typer.testing import CliRunner

from colloque.cli import app
from colloque.load_command import load_app
from loadtest.report.key_figures import key_figures
from loadtest.scenario import KINDS, Layout
from loadtest.scenario_file import parse_scenario, ready_scenarios
from loadtest.scenario_parts import Audio, Encoding, Objectives, Video
from tests.support.load_record import run_record

DOCS = Path(__file__).parents[3] / "docs"
LOADTEST, SIZING = (DOCS / name for name in ("loadtest.md", "sizing.md"))
MODELS: list[type[BaseModel]] = [*KINDS.values(), Audio, Encoding, Layout, Objectives, Video]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


def named(page: Path) -> set[str]:
    return set(re.findall(r"[a-z][a-z_0-9]*", " ".join(re.findall(r"`([^`\n]+)`", page.read_text()))))


@pytest.mark.parametrize("page", [LOADTEST, SIZING], ids=lambda page: page.name)
def test_the_scenarios_of_the_documentation_are_accepted(page: Path) -> None:
    texts = blocks(page, "toml")
    assert texts
    for text in texts:
        parse_scenario(text, page.name)


def test_every_field_of_a_scenario_is_in_the_documentation() -> None:
    fields = {name for model in MODELS for name in model.model_fields}
    assert fields - named(LOADTEST) == set()


def test_every_kind_and_every_ready_scenario_that_is_shown_exists() -> None:
    assert set(KINDS) <= named(LOADTEST)
    shown = set(re.findall(r"\b(?:[a-z]+-)+\d+\b", LOADTEST.read_text() + SIZING.read_text()))
    assert shown
    assert shown <= ready_scenarios().keys()


def test_every_option_is_in_the_documentation_and_nothing_else() -> None:
    command = typer.main.get_command(load_app)
    assert isinstance(command, typer.core.TyperGroup)
    commands = (command.commands["run"], command.commands["record"])
    options = {one for each in commands for parameter in each.params for one in parameter.opts}
    shown = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", LOADTEST.read_text()))
    assert shown == {one for one in options if one.startswith("--")}


def test_the_commands_that_need_no_server_run() -> None:
    block = blocks(LOADTEST, "sh")[0]
    first = block.splitlines()[0].split()
    assert first[0] == "colloque"
    assert CliRunner().invoke(app, first[1:]).exit_code == 0


def test_the_sum_of_the_documentation_comes_out() -> None:
    (block,) = blocks(SIZING, "python")
    exec(compile(block, SIZING.name, "exec"), {})


def test_the_figures_that_machines_are_sized_by_are_in_the_report() -> None:
    section = SIZING.read_text().split("## 2.")[1].split("## 3.")[0]
    told = set(re.findall(r"`([a-z_]+)`", section)) - {"figures"}
    assert told <= {one.name for one in key_figures(run_record().stages[0])}
    assert "packets_per_cpu_second" in told

"""Rules about imports that import-linter cannot see, because the Rust core is not a Python module."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("colloque", "sfu", "signalling", "rooms", "control_api", "turn_config", "loadtest")
PURE = (
    "sfu/policy",
    "sfu/negotiation",
    "sfu/model.py",
    "rooms/authority.py",
    "rooms/model.py",
    "rooms/presence.py",
    "rooms/retries.py",
    "rooms/rights.py",
    "rooms/states.py",
    "rooms/transitions.py",
    "rooms/window.py",
)
CLOCKS = {"time.time", "time.monotonic", "time.perf_counter", "datetime.now", "datetime.utcnow"}


def test_only_the_bridge_and_the_load_engines_door_import_the_rust_core() -> None:
    importers = {str(path) for path in _sources() for name in _imports(path) if name.startswith("sfu._core")}
    assert importers == {"sfu/bridge.py", "loadtest/engine/core.py"}


@pytest.mark.parametrize("text", ["from sfu import _core", "import sfu._core", "from sfu._core import Core"])
def test_every_way_of_importing_the_core_is_seen(text: str) -> None:
    assert any(name.startswith("sfu._core") for name in _imported_names(ast.parse(text), package="x"))


def test_a_relative_import_of_the_core_is_seen() -> None:
    assert "sfu._core" in set(_imported_names(ast.parse("from . import _core"), package="sfu"))
    assert "sfu._core" in set(_imported_names(ast.parse("from .. import _core"), package="sfu.policy"))


def test_pure_parts_are_told_the_time_instead_of_reading_it() -> None:
    readers = [
        f"{path}:{node.lineno}"
        for path in _sources()
        if str(path).startswith(PURE)
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in CLOCKS
    ]
    assert readers == []


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if "target" not in path.parts:
                yield path.relative_to(ROOT)


def _imports(path: Path) -> Iterator[str]:
    package = ".".join(path.parent.parts)
    return _imported_names(ast.parse((ROOT / path).read_text()), package=package)


def _imported_names(tree: ast.AST, *, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{stem}.{alias.name}" for alias in node.names)

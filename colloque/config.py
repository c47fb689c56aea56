"""Reading the settings: a TOML file, then COLLOQUE_SECTION__FIELD variables over it, all errors at once."""

from __future__ import annotations

import copy
import json
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from colloque.deployment import deployment
from colloque.settings import Settings
from turn_config import problems as turn_problems

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PREFIX = "COLLOQUE_"


class ConfigError(Exception):
    """The settings cannot be used; one line for each thing that is wrong, with its place."""

    def __init__(self, problems: list[str]) -> None:
        """Take the lines."""
        super().__init__("\n".join(problems))
        self.problems = problems


def load(path: Path | None, environment: Mapping[str, str]) -> Settings:
    """Read the settings from the file, if any, and the environment; raise `ConfigError`."""
    values = {} if path is None else _read(path)
    problems = _apply_environment(values, environment)
    settings, found = _validated(values)
    problems.extend(found)
    if settings is None or problems:
        raise ConfigError(_placed(problems, path))
    return settings


@dataclass(frozen=True, slots=True)
class Draft:
    """Settings that may be wrong in places."""

    settings: Settings | None
    """What can be used, with the defaults in the place of what is wrong; None where nothing can."""
    problems: tuple[str, ...]
    """The lines of `ConfigError`."""
    wrong_sections: frozenset[str]


def draft(path: Path | None, environment: Mapping[str, str]) -> Draft:
    """Read what can be used of the settings, and say what cannot."""
    try:
        values = {} if path is None else _read(path)
    except ConfigError as error:
        return Draft(None, tuple(error.problems), frozenset())
    problems = _apply_environment(values, environment)
    settings, found = _validated(values)
    wrong = {re.split(r"[.\[:]", line)[0] for line in found}
    if settings is None:
        try:
            Settings.model_validate(values)
        except ValidationError as error:
            settings = _usable(values, [one["loc"] for one in error.errors()])
    return Draft(settings, tuple(_placed([*problems, *found], path)), frozenset(wrong))


def _validated(values: dict[str, Any]) -> tuple[Settings | None, list[str]]:
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        return None, [*lines(error), *_across(values, [one["loc"] for one in error.errors()])]
    return settings, [str(one) for one in turn_problems(deployment(settings))]


def _across(values: dict[str, Any], wrong: list[tuple[int | str, ...]]) -> list[str]:
    """Find what cannot work together besides what is wrong by itself, so that one run names everything."""
    settings = _usable(values, wrong)
    if settings is None:
        return []
    places = [_place(one) for one in wrong]
    found = [str(one) for one in turn_problems(deployment(settings))]
    # A default that stands in for what was left out is nobody's mistake.
    return [line for line in found if not any(place in line for place in places)]


def _usable(values: dict[str, Any], wrong: list[tuple[int | str, ...]]) -> Settings | None:
    left = copy.deepcopy(values)
    for place in reversed(wrong):
        _leave_out(left, place)
    try:
        return Settings.model_validate(left)
    except ValidationError:
        return None


def _leave_out(values: Any, place: tuple[int | str, ...]) -> None:
    for part in place[:-1]:
        if isinstance(values, dict):
            values = values.get(str(part))
        elif isinstance(values, list) and isinstance(part, int) and part < len(values):
            values = values[part]
    if isinstance(values, dict) and place:
        values.pop(str(place[-1]), None)
    elif isinstance(values, list) and not any(isinstance(one, dict) for one in values):
        del values[int(place[-1])]


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: {error}"]) from error


def _apply_environment(values: dict[str, Any], environment: Mapping[str, str]) -> list[str]:
    problems = []
    for name, text in sorted(environment.items()):
        if not name.startswith(PREFIX):
            continue
        place = name.removeprefix(PREFIX).lower().split("__")
        if not _exists(place):
            problems.append(f"{name}: there is no such setting")
            continue
        section = values
        for part in place[:-1]:
            section = section.setdefault(part, {})
        section[place[-1]] = _value(text)
    return problems


def _exists(place: list[str]) -> bool:
    model: Any = Settings
    for part in place:
        if not (isinstance(model, type) and issubclass(model, BaseModel)) or part not in model.model_fields:
            return False
        model = model.model_fields[part].annotation
    return not (isinstance(model, type) and issubclass(model, BaseModel))


def _value(text: str) -> Any:
    # Numbers and booleans are read by the field's own type; only lists need a notation.
    if text.startswith(("[", "{")):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def lines(error: ValidationError) -> list[str]:
    """Say what is wrong with values, each with its place."""
    found = []
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        place = _place(one["loc"])
        text = {"extra_forbidden": "there is no such setting", "missing": "is missing"}.get(
            one["type"], one["msg"].removeprefix("Value error, ")
        )
        found.append(f"{place}: {text}" if place else text)
    return found


def _place(parts: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")


def _placed(problems: list[str], path: Path | None) -> list[str]:
    where = "settings" if path is None else str(path)
    return [line if line.startswith(PREFIX) else f"{where}: {line}" for line in problems]

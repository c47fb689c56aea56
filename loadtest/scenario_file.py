"""Reading a scenario: a TOML file, and every mistake in it at once as `file:line: field: sentence`."""

from __future__ import annotations

import difflib
import tomllib
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ValidationError

from loadtest.errors import ScenarioError
from loadtest.lines import line_of
from loadtest.recording import CHARS_MAX, Recording, RecordingError, read_recording
from loadtest.scenario import KINDS, Filmed, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails

    from loadtest.lines import Place

TEXT_MAX_CHARS = 20_000
_PLAIN = "Input should be "


def read_scenario(name: str) -> tuple[Scenario, str]:
    """Give the scenario in this file, or the ready one of this name, and its text; raise `ScenarioError`."""
    path = Path(name)
    if not path.exists():
        if path.suffix or path.name != name:
            raise ScenarioError([f"{name}: there is no such file"])
        path = _ready(name)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError([f"{name}: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ScenarioError([f"{name}: is not UTF-8 text"]) from error
    return parse_scenario(text, name, folder=path.parent), text


def ready_scenarios() -> dict[str, Scenario]:
    """Give the scenarios that come with the product, by name."""
    return {
        path.stem: parse_scenario(path.read_text(encoding="utf-8"), path.name, folder=path.parent)
        for path in _ready_files()
    }


def parse_scenario(text: str, name: str, *, folder: Path = Path()) -> Scenario:
    """Read a scenario; raise `ScenarioError` with a line for each mistake. `name` is what they begin with.

    Files that it names are looked for from `folder`.
    """
    if len(text) > TEXT_MAX_CHARS:
        raise ScenarioError([f"{name}: is longer than {TEXT_MAX_CHARS:,} characters"])
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError([_syntax(error, name, text)]) from error
    kind = values.get("kind")
    model = KINDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        mistakes = [(("kind",), _about_kind(values)), *_mistakes_without_kind(values)]
    else:
        try:
            return model.model_validate(values, context={"recording": partial(_recording, folder)})
        except ValidationError as error:
            mistakes = [_mistake(one, model) for one in error.errors(include_url=False)]
    placed = sorted((line_of(text, place), _dotted(place), said) for place, said in mistakes)
    raise ScenarioError([f"{name}:{line}: {place}: {said}" for line, place, said in placed])


def _recording(folder: Path, name: str) -> Recording:
    path = folder / name
    try:
        if path.stat().st_size > CHARS_MAX:
            raise RecordingError(f"{name}: is longer than {CHARS_MAX:,} bytes")
        return read_recording(path.read_text(encoding="utf-8"), name)
    except OSError as error:
        raise RecordingError(f"{name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RecordingError(f"{name}: is not UTF-8 text") from error


def _ready(name: str) -> Path:
    found = {path.stem: path for path in _ready_files()}
    if name not in found:
        near = difflib.get_close_matches(name, found, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ScenarioError([f"{name}: is neither a file nor a ready scenario{hint}"])
    return found[name]


def _ready_files() -> list[Path]:
    folder = Path(str(resources.files("loadtest"))) / "scenarios"
    return sorted(folder.glob("*.toml"))


def _syntax(error: tomllib.TOMLDecodeError, name: str, text: str) -> str:
    # The text of the error ends in "(at line 3, column 7)" or "(at end of document)".
    said, _, where = str(error).rpartition(" (at ")
    number = where.removeprefix("line ").partition(",")[0]
    line = int(number) if number.isdigit() else text.rstrip("\n").count("\n") + 1
    return f"{name}:{line}: {said}"


def _about_kind(values: dict[str, Any]) -> str:
    kinds = ", ".join(KINDS)
    return f"must be one of {kinds}" if "kind" in values else f"is missing: one of {kinds}"


def _mistakes_without_kind(values: dict[str, Any]) -> Iterator[tuple[Place, str]]:
    # Which other fields there may be depends on the kind.
    common = {name: value for name, value in values.items() if name in Filmed.model_fields}
    try:
        Filmed.model_validate(common)
    except ValidationError as error:
        yield from (_mistake(one, Filmed) for one in error.errors(include_url=False))


def _mistake(one: ErrorDetails, model: type[BaseModel]) -> tuple[Place, str]:
    place = one["loc"]
    match one["type"]:
        case "missing":
            said = "is missing"
        case "extra_forbidden":
            said = "there is no such field" + _hint(place, model)
        case _:
            said = one["msg"].removeprefix("Value error, ")
            if said.startswith(_PLAIN):
                said = f"must be {said.removeprefix(_PLAIN)}"
    return place, said


def _hint(place: Place, model: type[BaseModel]) -> str:
    fields = _fields_at(place[:-1], model)
    near = difflib.get_close_matches(str(place[-1]), fields, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _fields_at(place: Place, model: type[BaseModel]) -> list[str]:
    for part in place:
        if isinstance(part, int):
            continue
        found = _model_of(model.model_fields[part].annotation)
        if found is None:
            return []
        model = found
    return list(model.model_fields)


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = [_model_of(one) for one in cast("tuple[Any, ...]", getattr(annotation, "__args__", ()))]
    return next((one for one in inner if one is not None), None)


def _dotted(place: Place) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.lstrip(".") or "scenario"

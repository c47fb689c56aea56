"""The schemas of the OpenAPI file: models as they are, models as merge patches, and an example of each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from control_api.problem_schemas import ProblemBody
from control_api.webhook_openapi import TOLD_MODELS
from rooms import (
    AdviceCode,
    ParticipantState,
    PathName,
    Role,
    RoomKind,
    RoomState,
    Source,
    Verdict,
    VerdictReason,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import BaseModel

    from control_api.operations import Operation

_Mode = Literal["validation", "serialization"]
_PLACE = "#/components/schemas/"
_WORDS = {
    "AdviceCode": get_args(AdviceCode),
    "ParticipantState": get_args(ParticipantState),
    "PathName": get_args(PathName),
    "Role": get_args(Role),
    "RoomKind": get_args(RoomKind),
    "RoomState": get_args(RoomState),
    "Source": get_args(Source),
    "Verdict": get_args(Verdict),
    "VerdictReason": get_args(VerdictReason),
}
_STAND_INS = {"string": "text", "integer": 1, "number": 1.0, "boolean": False, "null": None}
_STAND_IN_TIME = "2031-05-06T07:00:00Z"


def schemas(operations: Iterable[Operation]) -> dict[str, Any]:
    """Give the schemas by name, those of merge patches among them, each with an example."""
    rows = tuple(operations)
    found = _of_models(rows)
    for operation in rows:
        if operation.merge_patch and operation.body is not None:
            _add_patch(operation.body.__name__, found)
    for schema in found.values():
        if schema.get("type") == "object":
            schema["examples"] = [_example(schema, found)]
            for field in schema.get("properties", {}).values():
                _tell_default(field)
    words = {name: {"type": "string", "enum": list(known)} for name, known in _WORDS.items()}
    used = {model.__name__ for model, _ in _models(rows)}
    patched = {operation.body.__name__ for operation in rows if operation.body and operation.merge_patch}
    kept = {name: schema for name, schema in found.items() if name in used or name not in patched}
    return {name: with_words(schema) for name, schema in kept.items()} | words


def with_words(value: Any) -> Any:
    """Let lists of the words for one thing point to one place, so that clients have one type for it."""
    if isinstance(value, list):
        return [with_words(one) for one in value]
    if not isinstance(value, dict):
        return value
    for name, known in _WORDS.items():
        if tuple(value.get("enum", ())) == known:
            about = {key: one for key, one in value.items() if key not in ("enum", "type")}
            return {**_to(name), **about}
    return {key: with_words(one) for key, one in value.items()}


def reference(model: type[BaseModel], *, patch: bool = False) -> dict[str, str]:
    """Point to the schema of a model, or of the merge patch of one."""
    return _to(patch_name(model.__name__) if patch else model.__name__)


def patch_name(name: str) -> str:
    """Name the merge patch of a model: `RoomRules` gives `RoomPatch`."""
    for ending in ("Rules", "Request", "Body"):
        name = name.removesuffix(ending)
    return f"{name}Patch"


class _Untitled(GenerateJsonSchema):
    # A title for each field only repeats its name in other letters.
    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


def _of_models(operations: Sequence[Operation]) -> dict[str, Any]:
    patched: list[tuple[type[BaseModel], _Mode]] = [
        (operation.body, "validation") for operation in operations if operation.body and operation.merge_patch
    ]
    # Each once, in a fixed order, so that the file is the same at every start.
    models = list(dict.fromkeys((*_models(operations), *patched)))
    _, described = models_json_schema(models, ref_template=_PLACE + "{model}", schema_generator=_Untitled)
    found: dict[str, Any] = described["$defs"]
    return found


def _models(operations: Sequence[Operation]) -> list[tuple[type[BaseModel], _Mode]]:
    """Give the models that are sent and answered as they are."""
    taken: list[tuple[type[BaseModel], _Mode]] = [
        (operation.body, "validation")
        for operation in operations
        if operation.body is not None and not operation.merge_patch
    ]
    problem: list[tuple[type[BaseModel], _Mode]] = [(ProblemBody, "serialization")]
    given: list[tuple[type[BaseModel], _Mode]] = [
        (operation.answer, "serialization") for operation in operations if operation.answer is not None
    ]
    told: list[tuple[type[BaseModel], _Mode]] = [(model, "serialization") for model in TOLD_MODELS]
    return [*taken, *given, *told, *problem]


def _tell_default(field: dict[str, Any]) -> None:
    """Say a default in words: generated clients send what the keyword says, or demand it of their callers."""
    default = field.pop("default", None)
    if default not in (None, {}) and "$ref" not in field:
        told = f"Without it: `{json.dumps(default)}`."
        field["description"] = " ".join(filter(None, (field.get("description"), told)))


def _add_patch(name: str, found: dict[str, Any]) -> None:
    """Add what a merge patch of an object may hold: any of its fields, and null for what stands without one.

    Without defaults, since a client that sent them would change what nobody meant to change.
    """
    whole = found[name]
    found[patch_name(name)] = {
        "type": "object",
        "additionalProperties": False,
        "description": f"{whole['description']} Only what is to be changed; null for a field's default.",
        "properties": {field: _patched(schema, found) for field, schema in whole["properties"].items()},
    }


def _patched(schema: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    changed = {key: value for key, value in schema.items() if key != "default"}
    about: dict[str, Any] = {key: changed.pop(key) for key in ("description", "examples") if key in changed}
    if "$ref" in changed:
        name = changed["$ref"].removeprefix(_PLACE)
        _add_patch(name, found)
        changed = _to(patch_name(name))
    elif isinstance(changed.get("additionalProperties"), dict):
        # To take away what is not there is no error, so names and number are free.
        nullable = {"anyOf": [changed["additionalProperties"], {"type": "null"}]}
        changed = {"type": "object", "additionalProperties": nullable}
    ways = changed.get("anyOf", [changed])
    return {"anyOf": ways if {"type": "null"} in ways else [*ways, {"type": "null"}], **about}


def _example(schema: dict[str, Any], found: dict[str, Any]) -> Any:
    """Put an example together from those of the fields; where there is none, from defaults and types."""
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return _example(found[schema["$ref"].removeprefix(_PLACE)], found)
    if schema.get("default") is not None:
        return schema["default"]
    if "anyOf" in schema:
        return _example(next(one for one in schema["anyOf"] if one != {"type": "null"}), found)
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object":
        return {name: _example(one, found) for name, one in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [_example(schema["items"], found)]
    if schema.get("format") == "date-time":
        return _STAND_IN_TIME
    return schema.get("minimum", schema.get("const", _STAND_INS[schema["type"]]))


def _to(name: str) -> dict[str, str]:
    return {"$ref": _PLACE + name}

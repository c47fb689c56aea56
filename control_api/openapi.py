"""The OpenAPI 3.1 file, made from the operations that serve the requests and the models that check them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from pydantic.json_schema import models_json_schema

from control_api.problems import CODES, CONTENT_TYPE
from control_api.schemas import ProblemBody
from control_api.webhook_openapi import TOLD_MODELS, describe_webhooks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import BaseModel

    from control_api.operations import Operation, Query

_Mode = Literal["validation", "serialization"]
_REFERENCE = "#/components/schemas/{model}"


def describe(operations: Sequence[Operation], *, version: str, server: str) -> dict[str, Any]:
    """Write the file as a JSON value."""
    schemas = _schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Colloque room API",
            "version": version,
            "description": "Rooms, the people expected in them, and the tokens and links that let them in.",
        },
        "servers": [{"url": server}],
        "security": [{"key": []}, {"token": []}],
        "paths": paths,
        "webhooks": describe_webhooks(),
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "basic", "description": "API key and its secret."},
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "HS256 by the secret; `iss` the key, `exp` needed, `scope` if narrower.",
                },
            },
            "responses": {
                "Problem": {
                    "description": "An error; `code` is one of: " + ", ".join(sorted(CODES)) + ".",
                    "content": {CONTENT_TYPE: {"schema": _reference(ProblemBody)}},
                }
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": (operation.handler.__doc__ or "").strip(),
        "parameters": _parameters(operation),
        "responses": {
            str(operation.status): _answer(operation),
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }
    if operation.scope is None:
        entry["security"] = []
    else:
        entry["description"] += f" Needs the scope `{operation.scope}`."
    if operation.body is not None:
        media = "application/merge-patch+json" if operation.merge_patch else "application/json"
        entry["requestBody"] = {
            "required": not operation.body_optional,
            "content": {media: {"schema": _reference(operation.body)}},
        }
    return entry


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    found.extend(_query(one) for one in operation.query)
    if operation.idempotent_by_key:
        found.append(_header("Idempotency-Key", "A repeated key gets the first answer again, for 24 hours."))
    if operation.versioned:
        found.append(_header("If-Match", "The `ETag` that was read; 412 if the object has changed since."))
    return found


def _query(query: Query) -> dict[str, Any]:
    if not query.name.endswith("*"):
        return {
            "name": query.name,
            "in": "query",
            "description": query.description,
            "schema": {"type": "string"},
        }
    return {
        "name": query.name.removesuffix(".*"),
        "in": "query",
        "description": f"{query.description} Written `{query.name.replace('*', 'NAME')}=VALUE`.",
        "style": "form",
        "explode": True,
        "schema": {"type": "object", "additionalProperties": {"type": "string"}},
    }


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}


def _answer(operation: Operation) -> dict[str, Any]:
    if operation.answer is None:
        return {"description": "Done."}
    content: dict[str, Any] = {"application/json": {"schema": _reference(operation.answer)}}
    if operation.also_csv:
        content["text/csv"] = {"schema": {"type": "string"}}
    return {"description": "Done.", "content": content}


def _schemas(operations: Iterable[Operation]) -> dict[str, Any]:
    taken: list[tuple[type[BaseModel], _Mode]] = [
        (operation.body, "validation") for operation in operations if operation.body is not None
    ]
    told: list[tuple[type[BaseModel], _Mode]] = [(model, "serialization") for model in TOLD_MODELS]
    problem: list[tuple[type[BaseModel], _Mode]] = [(ProblemBody, "serialization")]
    given: list[tuple[type[BaseModel], _Mode]] = [
        (operation.answer, "serialization") for operation in operations if operation.answer is not None
    ]
    # Each once, in a fixed order, so that the file is the same at every start.
    models = list(dict.fromkeys((*taken, *given, *told, *problem)))
    _, described = models_json_schema(models, ref_template=_REFERENCE)
    schemas: dict[str, Any] = described["$defs"]
    return schemas


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(model=model.__name__)}

"""What the OpenAPI file says of parameters and of headers, in requests and answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from control_api.openapi_schemas import with_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control_api.operations import Operation, Query

_TEXT: Mapping[str, Any] = {"type": "string"}
_CHOSEN_ID: Mapping[str, Any] = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[^/]+$"}
_VARIABLES: Mapping[str, Mapping[str, Any]] = {
    "room": {**_CHOSEN_ID, "examples": ["rdv-2031"]},
    "identity": {**_CHOSEN_ID, "examples": ["p-17"]},
}
_HEADERS: Mapping[str, str] = {
    "ETag": "Stands for what can be changed of the object; give it as `If-Match`.",
    "Link": 'The next page, with `rel="next"`.',
    "Location": "Where the new object is.",
    "Retry-After": "Seconds to wait.",
}


def variables(path: str) -> list[str]:
    """Name the variable parts of a path."""
    return re.findall(r"{(\w+)}", path)


def parameters(operation: Operation) -> list[dict[str, Any]]:
    """Describe what an operation takes beside its body."""
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": dict(_VARIABLES.get(name, _TEXT))}
        for name in variables(operation.path)
    ]
    found.extend(_query(one) for one in operation.query)
    if operation.idempotent_by_key:
        schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}
        text = "A repeated key gets the first answer again, for 24 hours."
        found.append(_header("Idempotency-Key", text, schema))
    if operation.versioned:
        text = "The `ETag` that was read; 412 if the object has changed since."
        found.append(_header("If-Match", text, {"type": "string"}))
    return found


def headers(names: tuple[str, ...]) -> dict[str, Any]:
    """Describe the headers of an answer."""
    return {name: {"description": _HEADERS[name], "schema": {"type": "string"}} for name in names}


def _query(query: Query) -> dict[str, Any]:
    if not query.name.endswith("*"):
        return {
            "name": query.name,
            "in": "query",
            "description": query.description,
            "schema": with_words(query.schema),
        }
    prefix = query.name.removesuffix("*")
    # An object whose members become parameters of their own, as every generator writes it.
    return {
        "name": prefix.removesuffix("."),
        "in": "query",
        "description": f"{query.description} Written `{prefix}NAME=VALUE`.",
        "style": "form",
        "explode": True,
        "schema": {
            "type": "object",
            "propertyNames": {"pattern": f"^{re.escape(prefix)}[A-Za-z0-9_.-]{{1,64}}$"},
            "additionalProperties": dict(query.schema),
        },
    }


def _header(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": description, "schema": schema}

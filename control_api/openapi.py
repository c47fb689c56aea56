"""The OpenAPI 3.1 file, made from the operations that serve the requests and the models that check them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_api.openapi_parameters import headers, parameters, variables
from control_api.openapi_schemas import reference, schemas
from control_api.problem_schemas import ProblemBody
from control_api.problems import CODES, CONTENT_TYPE
from control_api.webhook_openapi import describe_webhooks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from control_api.operations import Operation

CHAPTERS: Mapping[str, tuple[str, str]] = {
    "room_operations": ("rooms", "Rooms: when they are open, and what is possible in them."),
    "room_state_operations": ("rooms", ""),
    "participant_operations": ("participants", "The people of a room, and the tokens and links for them."),
    "admission_operations": ("waiting_room", "Who waits is let in or turned away."),
    "moderation_operations": ("moderation", "What an application does about a call, as hosts may."),
    "quality_operations": ("quality", "How the connections of the people in a call are just now."),
    "group_operations": ("groups", "Sub-groups of a room, into which people move without joining again."),
    "event_operations": ("events", "What happened, in order."),
    "rating_operations": ("ratings", "What people thought of the call."),
    "webhook_operations": ("webhooks", "Who is told of events, and what could not be told."),
    "ice_operations": ("relays", "Ways for media through a network that lets little pass."),
    "connection_test_operations": (
        "connection_tests",
        "Whether a person's network, browser and devices can do a call, tried before it.",
    ),
    "join_operations": ("joining", "What a page asks with a link in its hand."),
}
"""By the module that serves them: the tag of operations, and what it says of them where it comes first."""

_ALWAYS = ("malformed", "forbidden", "too-large", "invalid-field", "rate-limited", "failed", "busy")


def describe(operations: Sequence[Operation], *, version: str, server: str) -> dict[str, Any]:
    """Write the file as a JSON value."""
    paths: dict[str, dict[str, Any]] = {}
    problems: dict[str, dict[str, Any]] = {}
    for operation in operations:
        entry = _operation(operation, operations)
        for status, codes in _codes(operation).items():
            name = ".".join(codes)
            problems[name] = _problem(status, codes)
            entry["responses"][str(status)] = {"$ref": f"#/components/responses/{name}"}
        paths.setdefault(operation.path, {})[operation.method.lower()] = entry
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Colloque room API",
            "version": version,
            "description": "Rooms, the people expected in them, and the tokens and links that let them in.",
        },
        "servers": [{"url": server}],
        "security": [{"key": []}, {"token": []}],
        "tags": _tags(operations),
        "paths": paths,
        "webhooks": describe_webhooks(),
        "components": {
            "schemas": schemas(operations),
            "responses": problems,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "basic", "description": "API key and its secret."},
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "HS256 by the secret; `iss` the key, `exp` needed, `scope` if narrower.",
                },
                "join_token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The token with which a participant joins.",
                },
            },
        },
    }


def _operation(operation: Operation, operations: Iterable[Operation]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": (operation.handler.__doc__ or "").strip(),
        "tags": [_tag(operation)],
        "parameters": parameters(operation),
        "responses": _answers(operation, operations),
    }
    if operation.by_join_token:
        entry["security"] = [{"join_token": []}]
    elif operation.scope is None:
        entry["security"] = []
    else:
        entry["description"] += f" Needs the scope `{operation.scope}`."
    if operation.body is not None:
        media = "application/merge-patch+json" if operation.merge_patch else "application/json"
        schema = reference(operation.body, patch=operation.merge_patch)
        entry["requestBody"] = {
            "required": not operation.body_optional,
            "content": {media: {"schema": schema}},
        }
    return entry


def _answers(operation: Operation, operations: Iterable[Operation]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "Done.", "headers": headers(operation.gives)}
    if operation.answer is not None:
        answer["content"] = {"application/json": {"schema": reference(operation.answer)}}
        if operation.also_csv:
            answer["content"]["text/csv"] = {"schema": {"type": "string"}}
    answer = {name: value for name, value in answer.items() if value}
    new = operation.status_if_new or operation.status
    found = {str(operation.status): answer, str(new): dict(answer)}
    if operation.makes:
        found[str(new)] |= {"description": "Made.", "links": _links(operation, operations)}
    return found


def _links(operation: Operation, operations: Iterable[Operation]) -> dict[str, Any]:
    """Lead from what was made to all that can be done with it."""
    known = {name: f"$request.path.{name}" for name in variables(operation.path)}
    known.update(operation.makes)
    found = {}
    for other in operations:
        needed = variables(other.path)
        if operation.makes.keys() <= set(needed) <= known.keys():
            found[other.name] = {
                "operationId": other.name,
                "parameters": {name: known[name] for name in needed},
            }
    return found


def _codes(operation: Operation) -> dict[int, list[str]]:
    """Give the codes of the problems that an operation can have, by status."""
    codes = [*_ALWAYS, *operation.refusals]
    if operation.scope is not None or operation.by_join_token:
        codes.append("unauthenticated")
    if variables(operation.path):
        codes.append("not-found")
    if operation.body is not None:
        codes.append("unsupported-media-type")
    if operation.idempotent_by_key:
        codes.append("idempotency-mismatch")
    if operation.versioned:
        codes.append("stale-version")
    found: dict[int, list[str]] = {}
    for code in sorted(set(codes)):
        found.setdefault(CODES[code][0], []).append(code)
    return dict(sorted(found.items()))


def _problem(status: int, codes: Iterable[str]) -> dict[str, Any]:
    problem: dict[str, Any] = {
        "description": ", ".join(f"`{code}`" for code in codes),
        "content": {CONTENT_TYPE: {"schema": reference(ProblemBody)}},
    }
    if status in (429, 503):
        problem["headers"] = headers(("Retry-After",))
    return problem


def _tag(operation: Operation) -> str:
    module = operation.handler.__module__.rpartition(".")[2]
    return CHAPTERS.get(module, (module, ""))[0]


def _tags(operations: Iterable[Operation]) -> list[dict[str, str]]:
    used = list(dict.fromkeys(_tag(operation) for operation in operations))
    said = {tag: text for tag, text in CHAPTERS.values() if text}
    return [{"name": tag, "description": said.get(tag, "")} for tag in used]

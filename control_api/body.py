"""Request bodies: bounded JSON in, values of our models out, errors that point at the field."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from control_api.problems import FieldError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_core import ErrorDetails

MAX_BYTES = 64 * 1024
MAX_DEPTH = 16
MAX_TOKENS = 12_000  # a request with the longest lists has about 4,000
MAX_ERRORS = 20

# A text that does not end still matches, and nothing is tried twice: the time is linear in the body.
_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]', re.DOTALL)

Model = TypeVar("Model", bound=BaseModel)


def read_json(raw: bytes, *, max_bytes: int = MAX_BYTES) -> Any:
    """Read JSON of bounded size, depth and detail; names that come twice, NaN and infinities are refused."""
    if len(raw) > max_bytes:
        raise Problem("too-large", f"at most {max_bytes} bytes")
    _check_structure(raw)
    try:
        return json.loads(raw, object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Problem("malformed", "the body is not JSON in UTF-8, or a name comes twice") from error


def validated(model: type[Model], value: Any) -> Model:
    """Check a JSON value against a model; raise a `Problem` that names every wrong field."""
    try:
        # As JSON, because there a time is text and a number is not.
        return model.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        raise Problem(
            "invalid-field",
            "; ".join(f"{_pointer(one) or 'body'}: {one['msg']}" for one in details[:3]),
            errors=tuple(_field_error(one) for one in details[:MAX_ERRORS]),
        ) from error


def patched(model: type[Model], current: Any, patch: Mapping[str, Any]) -> Model:
    """Apply a merge patch to an object and check what comes of it; raise `Problem` as `validated` does."""
    if unknown := list(_unknown(model, patch)):
        raise Problem(
            "invalid-field",
            "; ".join(f"{one.pointer}: {one.detail}" for one in unknown[:3]),
            errors=tuple(unknown[:MAX_ERRORS]),
        )
    return validated(model, merge_patch(current, patch))


def merge_patch(target: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def _unknown(model: type[BaseModel], patch: Mapping[str, Any], within: str = "") -> Iterator[FieldError]:
    """Find the names that the object cannot have: one with null would take nothing away, and be no error."""
    for name, value in patch.items():
        pointer = f"{within}/{_escaped(name)}"
        kind = model.model_fields[name].annotation if name in model.model_fields else None
        if kind is None:
            yield FieldError(pointer, "extra-forbidden", "Extra inputs are not permitted")
        elif isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _unknown(kind, value, pointer)


def _check_structure(raw: bytes) -> None:
    """Look before the parser does, which recurses, and whose values take far more time and memory."""
    depth = 0
    for number, token in enumerate(_STRUCTURE.finditer(raw)):
        if number >= MAX_TOKENS:
            raise Problem("malformed", f"more than {MAX_TOKENS} texts, brackets and commas")
        match token.group()[:1]:
            case b"[" | b"{":
                depth += 1
                if depth > MAX_DEPTH:
                    raise Problem("malformed", f"nested deeper than {MAX_DEPTH} levels")
            case b"]" | b"}":
                depth -= 1


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _field_error(detail: ErrorDetails) -> FieldError:
    return FieldError(_pointer(detail), detail["type"].replace("_", "-"), detail["msg"])


def _pointer(detail: ErrorDetails) -> str:
    return "".join("/" + _escaped(part) for part in detail["loc"])


def _escaped(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")

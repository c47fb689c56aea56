"""The OpenAPI file as a page for people: HTML and a style, no script and nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_STYLE = """
:root { color-scheme: light dark;
  --line: light-dark(#c9d1d9, #444c56); --faint: light-dark(#f3f5f7, #22272e); }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem;
  color: light-dark(#1b1f24, #e6edf3); background: light-dark(#fff, #16191d); }
a { color: light-dark(#0b57b7, #79b8ff); }
h1, h2, h3 { line-height: 1.25; margin: 2rem 0 .5rem; }
h3 { border-top: 1px solid var(--line); padding-top: 1.5rem; overflow-wrap: anywhere; }
h4 { margin: 1rem 0 .25rem; }
code, pre { font: .9em/1.45 ui-monospace, monospace; }
pre { background: var(--faint); padding: .75rem; overflow-x: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: start; vertical-align: top; padding: .35rem .75rem .35rem 0;
  border-bottom: 1px solid var(--line); }
tbody th { font-weight: normal; white-space: nowrap; }
nav ul { columns: 18rem; padding-inline-start: 1.25rem; }
"""
_REF = re.compile(r"#/components/(\w+)/(.+)")


def content_policy() -> str:
    """Give the Content-Security-Policy of the page: its own style, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"


def as_page(file: Mapping[str, Any]) -> str:
    """Write the OpenAPI file `file` as one HTML document."""
    info = file["info"]
    title = f"{info['title']} {info['version']}"
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
            '<a href="#main">Skip to the operations</a>',
            f"<header><h1>{escape(title)}</h1><p>{_text(info['description'])} ",
            'For programs: <a href="openapi.json">openapi.json</a>.</p></header>',
            *_navigation(file),
            '<main id="main">',
            *_access(file),
            *_chapters(file),
            *_types(file),
            "</main></body></html>\n",
        )
    )


def _navigation(file: Mapping[str, Any]) -> Iterator[str]:
    yield '<nav aria-label="Operations"><ul>'
    for tag in file["tags"]:
        links = "".join(
            f'<li><a href="#{escape(one["operationId"])}">{escape(one["summary"])}</a></li>'
            for _, _, one in _operations(file, tag["name"])
        )
        yield f'<li><a href="#tag-{escape(tag["name"])}">{_title(tag["name"])}</a><ul>{links}</ul></li>'
    yield '<li><a href="#types">Types</a></li></ul></nav>'


def _access(file: Mapping[str, Any]) -> Iterator[str]:
    yield '<section aria-labelledby="access"><h2 id="access">Access</h2><ul>'
    for scheme in file["components"]["securitySchemes"].values():
        yield f"<li>HTTP {_title(scheme['scheme'])}: {_text(scheme['description'])}</li>"
    yield "</ul></section>"


def _chapters(file: Mapping[str, Any]) -> Iterator[str]:
    for tag in file["tags"]:
        name = escape(tag["name"])
        yield f'<section aria-labelledby="tag-{name}"><h2 id="tag-{name}">{_title(tag["name"])}</h2>'
        yield f"<p>{_text(tag['description'])}</p>"
        for method, path, operation in _operations(file, tag["name"]):
            yield from _operation(file, method, path, operation)
        yield "</section>"


def _operations(file: Mapping[str, Any], tag: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, entry in file["paths"].items():
        for method, operation in entry.items():
            if operation["tags"] == [tag]:
                yield method.upper(), path, operation


def _operation(
    file: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]
) -> Iterator[str]:
    yield f'<h3 id="{escape(operation["operationId"])}"><code>{method} {escape(path)}</code></h3>'
    yield f"<p>{_text(operation['description'])}</p>"
    if operation["parameters"]:
        yield "<h4>Parameters</h4>"
        taken = (
            (one["name"], one["in"], _kind(one["schema"]), _told(one)) for one in operation["parameters"]
        )
        yield _table(("Name", "In", "Type", "Meaning"), taken)
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        needed = "" if operation["requestBody"]["required"] else ", which may be left out"
        yield f"<h4>Body: {_kind(content['schema'])}{needed}</h4><p><code>{escape(media)}</code></p>"
        yield _example(file, content["schema"])
    yield "<h4>Answers</h4>"
    rows = ((status, *_answer(_followed(file, one))) for status, one in operation["responses"].items())
    yield _table(("Status", "Body", "Meaning"), rows)


def _answer(answer: Mapping[str, Any]) -> tuple[str, str]:
    kinds = [_kind(content["schema"]) for content in answer.get("content", {}).values()]
    sent = ", ".join(f"<code>{escape(name)}</code>" for name in answer.get("headers", {}))
    told = _text(answer["description"]) + (f" Headers: {sent}." if sent else "")
    return " or ".join(kinds) or "none", told


def _types(file: Mapping[str, Any]) -> Iterator[str]:
    yield '<section aria-labelledby="types"><h2 id="types">Types</h2>'
    for name, schema in sorted(file["components"]["schemas"].items()):
        yield f'<h3 id="type-{escape(name)}"><code>{escape(name)}</code></h3>'
        if "properties" not in schema:
            yield f"<p>{_kind(schema)}</p>"
            continue
        yield f"<p>{_text(schema['description'])}</p>"
        needed = schema.get("required", ())
        rows = (
            (field, _kind(one), "yes" if field in needed else "no", _told(one))
            for field, one in schema["properties"].items()
        )
        yield _table(("Field", "Type", "Always there", "Meaning"), rows)
    yield "</section>"


def _table(columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    body = "".join(
        f'<tr><th scope="row"><code>{escape(first)}</code></th>'
        + "".join(f"<td>{cell}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    # Wide tables are scrolled, by the keyboard too.
    return f'<div class="scroll" tabindex="0" role="region" aria-label="Table">{table}</div>'


def _kind(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#type-{name}"><code>{name}</code></a>'
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"<code>{escape(one)}</code>" for one in schema["enum"])
    kind = str(schema.get("type", "any value"))
    if kind == "array":
        return f"list of {_kind(schema['items'])}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_kind(schema['additionalProperties'])}"
    return escape(str(schema.get("format", kind))) + _bounds(schema)


def _bounds(schema: Mapping[str, Any]) -> str:
    least = schema.get("minimum", schema.get("minLength"))
    most = schema.get("maximum", schema.get("maxLength"))
    unit = " characters" if schema.get("type") == "string" else ""
    match least, most:
        case None, None:
            return ""
        case None, _:
            return f", at most {most}{unit}"
        case _, None:
            return f", at least {least}{unit}"
    return f", {least} to {most}{unit}"


def _example(file: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    examples = _followed(file, schema).get("examples", ())
    shown = (json.dumps(one, indent=2, ensure_ascii=False) for one in examples)
    return "".join(
        f'<pre tabindex="0" role="region" aria-label="Example"><code>{escape(one)}</code></pre>'
        for one in shown
    )


def _followed(file: Mapping[str, Any], value: Mapping[str, Any]) -> Mapping[str, Any]:
    found = _REF.fullmatch(value.get("$ref", ""))
    return value if found is None else file["components"][found[1]][found[2]]


def _told(value: Mapping[str, Any]) -> str:
    return _text(value.get("description", ""))


def _text(text: str) -> str:
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def _title(name: str) -> str:
    return escape(name.replace("_", " ").capitalize())

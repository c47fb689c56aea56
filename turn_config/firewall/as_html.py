"""The sheet as one HTML page that needs nothing from elsewhere, for screens and for A4 paper."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from turn_config.firewall.document import Document, Section, Table
    from turn_config.firewall.words import Language

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def as_html(document: Document, language: Language, *, footer: str) -> str:
    """Write the page; `footer` stands at the foot of each printed sheet of paper."""
    head = _element(
        "head",
        _element("meta", charset="utf-8"),
        _element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        _element("meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY}),
        _element("title", document.title),
        _element("style", _style(footer)),
    )
    top = _element(
        "header",
        _element("h1", document.title),
        _element("p", document.lead),
        _element("dl", *(_fact(label, text) for label, text in document.facts), class_="facts"),
    )
    main = _element("main", top, *(_section(one) for one in document.sections))
    page = _element("html", head, _element("body", main), lang=language)
    ET.indent(page, " ")
    return f"<!doctype html>\n{ET.tostring(page, encoding='unicode', method='html')}\n"


def _style(footer: str) -> str:
    style = resources.files("turn_config.firewall").joinpath("style.css").read_text(encoding="utf-8")
    # What a style sheet ends a string or an HTML page ends a style at is written by its number.
    quoted = "".join(one if one.isalnum() or one in " -:." else f"\\{ord(one):x} " for one in footer)
    return f'\n{style}@page {{ @bottom-left {{ content: "{quoted}"; }} }}\n'


def _fact(label: str, text: str) -> ET.Element:
    linked = text.startswith(("https://", "http://"))
    return _element(
        "div", _element("dt", label), _element("dd", _element("a", text, href=text) if linked else text)
    )


def _section(section: Section) -> ET.Element:
    heading = f"{section.id}-title"
    return _element("section", *_inside(section, heading), aria_labelledby=heading, class_=section.id)


def _inside(section: Section, heading: str) -> Iterator[ET.Element]:
    yield _element("h2", section.title, id=heading)
    yield from (_element("p", text) for text in section.before)
    if section.items:
        pairs = [_element("div", _element("dt", term), _element("dd", text)) for term, text in section.items]
        yield _element("dl", *pairs, class_="items")
    yield from (_table(one) for one in section.tables)
    yield from (_element("p", text) for text in section.after)


def _table(table: Table) -> ET.Element:
    # The roles keep a table a table for screen readers where a narrow screen lays its rows out as blocks.
    head = _element(
        "tr", *(_element("th", one, scope="col", role="columnheader") for one in table.heads), role="row"
    )
    body = [
        _element(
            "tr",
            _element("th", row[0], scope="row", role="rowheader"),
            *(
                _element("td", cell, role="cell", data_label=label)
                for label, cell in zip(table.heads[1:], row[1:], strict=True)
            ),
            role="row",
        )
        for row in table.rows
    ]
    return _element(
        "table",
        _element("caption", table.caption),
        _element("thead", head, role="rowgroup"),
        _element("tbody", *body, role="rowgroup"),
        role="table",
        class_=table.kind,
    )


def _element(name: str, /, *inside: ET.Element | str | dict[str, str], **attributes: str) -> ET.Element:
    """Make an element; `class_` is written `class`, `data_label` `data-label`."""
    made = ET.Element(name, {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()})
    for one in inside:
        if isinstance(one, ET.Element):
            made.append(one)
        elif isinstance(one, dict):
            made.attrib.update(one)
        else:
            made.text = one
    return made

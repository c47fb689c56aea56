"""Elements of HTML and SVG as text; whatever is not markup already is escaped."""

from __future__ import annotations

from html import escape

_EMPTY = frozenset({"meta", "line", "rect", "polyline", "circle", "path"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def tag(name: str, /, *inside: str, **attributes: str | float | None) -> Markup:
    """Give an element; `class_` is written `class`, `stroke_width` `stroke-width`, `None` not at all."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY:
        return Markup(f"<{name}{written}>" if name == "meta" else f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{joined(*inside)}</{name}>")


def joined(*parts: str) -> Markup:
    """Put parts one after the other."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def _text(value: str | float) -> str:
    # Coordinates to a tenth of a pixel.
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)

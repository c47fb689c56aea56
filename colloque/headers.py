"""What every answer of the public listener tells the browser to allow: next to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterable

_YEAR_SECONDS = 31_536_000


def page_policy(origins: Iterable[str]) -> str:
    """Write the Content-Security-Policy of the page.

    WebSocket addresses are named, since Safari before 15.4 does not count them under 'self'. IPv6 addresses
    are left out: the grammar of policies has no place for them, and browsers complain of each on every page.
    """
    named = (origin for origin in origins if "[" not in origin)
    sockets = " ".join(sorted("ws" + origin.removeprefix("http") for origin in named))
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self'",
            f"connect-src 'self' {sockets}".rstrip(),
            "media-src 'self' blob:",
            "img-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        )
    )


PERMISSIONS = ", ".join(
    (
        "camera=(self)",
        "microphone=(self)",
        "display-capture=(self)",
        "speaker-selection=(self)",
        "fullscreen=(self)",
        "screen-wake-lock=(self)",
        "geolocation=()",
        "payment=()",
        "usb=()",
    )
)


def add_security_headers(app: web.Application, *, over_tls: bool) -> None:
    """Add to every answer what holds for all of them."""
    common = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Server": "colloque",
    }
    if over_tls:
        common["Strict-Transport-Security"] = f"max-age={_YEAR_SECONDS}"

    async def add(_request: web.Request, response: web.StreamResponse) -> None:
        for name, value in common.items():
            response.headers[name] = value
        # What is not the page is data: nothing in it may run or be framed.
        response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")

    app.on_response_prepare.append(add)

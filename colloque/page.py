"""The web page from the wheel: read once into memory, so that no request ever names a file."""

from __future__ import annotations

import gzip
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from colloque.headers import PERMISSIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILT = Path(__file__).with_name("_web")
_COMPRESSED_FROM_BYTES = 1024
# The page's build writes these beside its files: a sixth smaller than gzip, and slow to make.
_BROTLI = ".br"
_TEXT = ("text/", "application/json", "application/manifest+json", "application/javascript", "image/svg+xml")
# The system's table of types differs between machines; these are the ones that matter to a browser.
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".md": "text/plain",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    packed: Mapping[str, bytes]
    """The same by content encoding, the smallest first."""
    content_type: str


class Page:
    """The built page and its assets."""

    def __init__(self, folder: Path, *, policy: str) -> None:
        """Read the files that the page's build left in `folder`; `policy` is its Content-Security-Policy."""
        self._files = {
            path.relative_to(folder).as_posix(): _read(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix != _BROTLI
        }
        self._document_headers = {
            "Content-Security-Policy": policy,
            "Permissions-Policy": PERMISSIONS,
            "Cache-Control": "no-store",
        }

    @property
    def is_built(self) -> bool:
        """Whether there is a page at all."""
        return "index.html" in self._files

    def routes(self) -> list[web.RouteDef]:
        """Give `/`, the links, the connection tests and the assets."""
        return [
            web.get("/", self._document),
            web.get("/r/{link}", self._document),
            web.get("/t/{secret}", self._document),
            web.get("/assets/{name:.+}", self._asset),
        ]

    async def _document(self, request: web.Request) -> web.Response:
        file = self._files.get("index.html")
        if file is None:
            return web.Response(status=503, text="The page is not part of this build; run `make build`.\n")
        return _answer(request, file, self._document_headers)

    async def _asset(self, request: web.Request) -> web.Response:
        file = self._files.get(f"assets/{request.match_info['name']}")
        if file is None:
            raise web.HTTPNotFound
        # The name has a hash of the content in it, so the content never changes.
        return _answer(request, file, {"Cache-Control": "public, max-age=31536000, immutable"})


def _read(path: Path) -> _File:
    content = path.read_bytes()
    packed: dict[str, bytes] = {}
    beside = path.with_name(path.name + _BROTLI)
    if beside.exists():
        packed["br"] = beside.read_bytes()
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    worth_it = len(content) >= _COMPRESSED_FROM_BYTES and kind.startswith(_TEXT)
    if worth_it:
        packed["gzip"] = gzip.compress(content, compresslevel=9, mtime=0)
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    return _File(content, packed, kind)


def _answer(request: web.Request, file: _File, headers: dict[str, str]) -> web.Response:
    headers = {**headers, "Content-Type": file.content_type, "Vary": "Accept-Encoding"}
    readable = {
        part.partition(";")[0].strip() for part in request.headers.get("Accept-Encoding", "").split(",")
    }
    for encoding, body in file.packed.items():
        if encoding in readable:
            return web.Response(body=body, headers={**headers, "Content-Encoding": encoding})
    return web.Response(body=file.content, headers=headers)

"""The page as it is served."""

import gzip
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from colloque.page import Page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>" + " " * 2000)
    (tmp_path / "assets" / "main-abc.js").write_text("1;" * 2000)
    (tmp_path / "assets" / "icon.svg").write_text("<svg/>")
    return tmp_path


async def get(page: Page, path: str, **headers: str) -> web.StreamResponse:
    app = web.Application()
    app.add_routes(page.routes())
    request = make_mocked_request(
        "GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}, app=app
    )
    match = await app.router.resolve(request)
    match.add_app(app)
    request._match_info = match
    return await match.handler(request)


def body_of(response: web.StreamResponse) -> bytes:
    assert isinstance(response, web.Response)
    assert isinstance(response.body, bytes)
    return response.body


@pytest.mark.parametrize("path", ["/", "/r/abcdefgh", "/r/%3Cscript%3E", "/t/abcdefgh"])
async def test_every_link_gets_the_same_document_which_is_never_kept(folder: Path, path: str) -> None:
    response = await get(Page(folder, policy="default-src 'self'"), path)
    assert body_of(response).startswith(b"<!doctype html>")
    assert response.headers["Content-Security-Policy"] == "default-src 'self'"
    assert response.headers["Cache-Control"] == "no-store"
    assert "camera=(self)" in response.headers["Permissions-Policy"]
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"


async def test_assets_are_kept_for_a_year(folder: Path) -> None:
    response = await get(Page(folder, policy=""), "/assets/main-abc.js")
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert (await get(Page(folder, policy=""), "/assets/icon.svg")).headers["Content-Type"] == "image/svg+xml"


async def test_text_is_sent_compressed_to_those_who_can_read_it(folder: Path) -> None:
    page = Page(folder, policy="")
    plain = await get(page, "/assets/main-abc.js")
    packed = await get(page, "/assets/main-abc.js", accept_encoding="gzip, br")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body_of(packed)) == body_of(plain)
    assert len(body_of(packed)) < len(body_of(plain))
    assert "Content-Encoding" not in plain.headers


async def test_a_file_packed_by_the_build_is_sent_as_it_is_and_has_no_address_of_its_own(
    folder: Path,
) -> None:
    (folder / "assets" / "main-abc.js.br").write_bytes(b"brotli")
    page = Page(folder, policy="")
    packed = await get(page, "/assets/main-abc.js", accept_encoding="gzip, deflate, br;q=1.0")
    assert packed.headers["Content-Encoding"] == "br"
    assert body_of(packed) == b"brotli"
    with pytest.raises(web.HTTPNotFound):
        await get(page, "/assets/main-abc.js.br")


@pytest.mark.parametrize(
    "path", ["/assets/absent.js", "/assets/../index.html", "/assets/..%2Findex.html", "/assets//etc/passwd"]
)
async def test_nothing_else_is_served(folder: Path, path: str) -> None:
    with pytest.raises(web.HTTPNotFound):
        await get(Page(folder, policy=""), path)


async def test_a_build_without_a_page_says_so(tmp_path: Path) -> None:
    page = Page(tmp_path / "absent", policy="")
    assert not page.is_built
    assert (await get(page, "/")).status == 503

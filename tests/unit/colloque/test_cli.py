"""The command line: what is written, and the code at the end."""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from colloque.cli import app, main
from colloque.demo import DemoState, save_state
from rooms import ApiKey, KeyRing, RoomDraft, Rooms
from rooms.tokens import read_join_token
from tests.support.rooms_database import empty_database

SECRET = "a-secret-of-the-tests-that-is-long-enough"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("COLLOQUE_")]:
        monkeypatch.delenv(name)
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


def end_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["colloque", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0), capsys.readouterr().err


def settings_file(folder: Path) -> Path:
    file = folder / "colloque.toml"
    file.write_text(
        f'[server]\npublic_url = "https://visio.example"\n[[api_keys]]\nkey = "portal"\nsecret = "{SECRET}"\n'
        f'[store]\nurl = "sqlite:///{folder}/rooms.sqlite3"\n'
    )
    return file


def test_a_token_by_hand_is_signed_with_the_key_of_the_settings(folder: Path) -> None:
    settings_file(folder)
    code, output = run("token", "--room", "R", "--identity", "dr", "--role", "host", "--name", "Dr", "--json")
    made = json.loads(output)
    claims = read_join_token(made["token"], KeyRing([_key()]), now=time.time())
    assert (code, made["ws_url"]) == (0, "wss://visio.example")
    assert (claims.room, claims.identity, claims.name, claims.role) == ("R", "dr", "Dr", "host")
    assert claims.grants.room_admin


def test_without_settings_the_key_of_the_demonstration_is_used(folder: Path) -> None:
    save_state(folder / "var", DemoState("portal", SECRET, port=8081))
    code, output = run("token", "--room", "R", "--identity", "p")
    assert code == 0
    assert read_join_token(output.strip(), KeyRing([_key()]), now=time.time()).room == "R"
    assert json.loads(run("token", "--room", "R", "--identity", "p", "--json")[1])["ws_url"].endswith(":8081")


@pytest.mark.parametrize(
    "arguments",
    [
        ("token",),
        ("token", "--room", "R", "--identity", "p", "--role", "owner"),
        ("token", "--room", "R", "--identity", "p", "--ttl", "0"),
        ("demo", "--port", "70000"),
        ("demo", "--secret", "short"),
        ("demo", "--secret", ""),
        ("demo", "--key", "a b"),
        ("demo", "--key", ""),
        ("link",),
        ("dance",),
    ],
)
def test_wrong_use_is_code_2(folder: Path, arguments: tuple[str, ...]) -> None:
    assert run(*arguments)[0] == 2
    assert not (folder / "var").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("token", "--room", "R", "--identity", "p"), "colloque: no API key: name a file"),
        (
            ("token", "--room", "a/b", "--identity", "p", "--config", "colloque.toml"),
            "colloque: --room: must be",
        ),
        (
            ("token", "--room", "R", "--identity", "p", "--key", "x", "--config", "colloque.toml"),
            "colloque: api_keys: x is",
        ),
        (
            ("token", "--room", "R", "--identity", "p", "--name", "x" * 257, "--config", "colloque.toml"),
            "colloque: --name: must be",
        ),
        (
            ("token", "--room", "R", "--identity", "p", "--name", "\udcff", "--config", "colloque.toml"),
            "colloque: --name: must be",
        ),
        (
            ("link", "--room", "R", "--identity", "p", "--name", "\udcff", "--config", "colloque.toml"),
            "colloque: --name: must be",
        ),
    ],
)
def test_what_cannot_be_done_is_one_line_and_code_1(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    if "--config" in arguments:
        settings_file(folder)
    code, error = end_of(monkeypatch, capsys, *arguments)
    assert code == 1
    assert error.startswith(said)
    assert error.count("\n") == 1


def test_wrong_settings_are_code_2_with_a_line_each(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "colloque.toml").write_text("a = 1\n[media]\nudp_port = 0\n")
    code, error = end_of(monkeypatch, capsys, "config", "check")
    assert code == 2
    assert error.splitlines() == [
        "colloque.toml: media.udp_port: Input should be greater than or equal to 1",
        "colloque.toml: a: there is no such setting",
    ]


def test_a_link_by_hand_is_made_in_the_database(folder: Path) -> None:
    settings_file(folder)
    url = empty_database(folder / "rooms.sqlite3", folder / "template.sqlite3")

    async def prepare() -> None:
        rooms = await Rooms.open(url, keys=KeyRing([]))
        await rooms.create_room("default", RoomDraft(id="rdv"), now=time.time())
        await rooms.close()

    async def opened(secret: str) -> str | None:
        rooms = await Rooms.open(url, keys=KeyRing([]))
        try:
            return (await rooms.links.preview(secret, now=time.time())).identity
        finally:
            await rooms.close()

    asyncio.run(prepare())
    for arguments, identity in (((), None), (("--identity", "p", "--role", "patient"), "p")):
        code, output = run("link", "--room", "rdv", *arguments)
        assert code == 0
        assert output.startswith("https://visio.example/r/")
        assert asyncio.run(opened(output.strip().rpartition("/")[2])) == identity


def _key() -> ApiKey:
    return ApiKey("portal", SECRET)

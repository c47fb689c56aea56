"""`colloque turn firewall`, and the language that the admin listener chooses."""

import json
import os
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from colloque.cli import app, main
from colloque.firewall_page import preferred
from turn_config.firewall import Form

SECRET = "a-relay-secret-of-the-tests-that-is-long"
SETTINGS = f"""
[server]
public_url = "https://visio.example"
[media]
addresses = [{{ bind = "10.0.0.1", announce = "192.0.2.1" }}]
dscp = "off"
[turn]
mode = "external"
secrets = ["{SECRET}"]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("COLLOQUE_")]:
        monkeypatch.delenv(name)
    (tmp_path / "colloque.toml").write_text(SETTINGS)
    return tmp_path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["turn", "firewall", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout_bytes.decode()


def failing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["colloque", "turn", "firewall", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    out, err = capsys.readouterr()
    assert out == ""
    return int(caught.value.code or 0), err


@pytest.mark.parametrize(
    ("form", "beginning"),
    [
        ("text", "FICHE PARE-FEU\n"),
        ("json", '{\n  "format": 1,\n  "language": "fr"'),
        ("csv", "Identifiant,Hôte,"),
        ("html", "<!doctype html>\n<html lang="),
        ("nftables", "# Règles pour les hôtes"),
        ("iptables", "# Règles pour les hôtes"),
    ],
)
def test_the_sheet_is_written_in_french_in_every_form(form: str, beginning: str) -> None:
    assert run("--format", form).startswith(beginning)


def test_every_form_is_tried_above() -> None:
    assert {str(one) for one in Form} == {"text", "json", "csv", "html", "nftables", "iptables"}


def test_it_is_text_unless_it_is_asked_for_otherwise_and_english_on_demand() -> None:
    assert run("--lang", "en").startswith("FIREWALL SHEET\n")


def test_what_it_says_comes_from_the_settings() -> None:
    told = json.loads(run("--format", "json", "--lang", "en"))
    assert told["public_url"] == "https://visio.example"
    assert told["marks"] == []
    assert {(row["ipv4"], row["port"]) for row in told["rows"]} == {
        ("192.0.2.1", port) for port in (443, 10000, 3478, 19302)
    }


def test_a_file_is_written_whole(folder: Path) -> None:
    file = folder / "pare-feu.csv"
    file.write_text("of last year")
    assert run("--format", "csv", "--output", str(file)) == ""
    assert file.read_bytes().decode() == run("--format", "csv")
    assert [one.name for one in folder.iterdir() if one != file] == ["colloque.toml"]


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (
            ("--format", "pdf"),
            2,
            "--format: must be one of text, json, csv, html, nftables, iptables, not 'pdf'\n",
        ),
        (("--format", ""), 2, "--format: must be one of text, json, csv, html, nftables, iptables, not ''\n"),
        (("--lang", "de\nfr"), 2, "--lang: must be one of fr, en, not 'de\\nfr'\n"),
        (("--output", "nowhere/sheet"), 1, "colloque: nowhere/sheet: No such file or directory\n"),
        (("--config", "none.toml"), 2, "none.toml: No such file or directory\n"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    line: str,
) -> None:
    assert failing(monkeypatch, capsys, *arguments) == (code, line)
    assert [one.name for one in folder.iterdir()] == ["colloque.toml"]


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("", "fr"),
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        ("en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("de,en;q=0.5,fr;q=0.4", "en"),
        ("de-CH, EN ; q=0.2", "en"),
        ("de", "fr"),
        ("*", "fr"),
        ("en;q=0", "fr"),
        ("en;q=nonsense", "fr"),
        ("fr;q=0.1, en;q=inf", "en"),
        (";;;,,q=", "fr"),
    ],
)
def test_the_browser_chooses_the_language(accepted: str, chosen: str) -> None:
    assert preferred(accepted) == chosen

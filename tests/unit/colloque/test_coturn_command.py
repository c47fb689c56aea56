"""`colloque turn coturn` and `turn check`: files whole and private, errors in one line, exit codes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from colloque.cli import app, main
from tests.data.relays import FOLDER, files

SETTINGS = FOLDER / "colloque.toml"
SECRET = "the-secret-of-today-that-is-for-tests-alone"


def run(*arguments: str, config: Path = SETTINGS) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["turn", arguments[0], "--config", str(config), *arguments[1:]])
    return result.exit_code, result.output


def failing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["colloque", "turn", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0), capsys.readouterr().err


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Settings of a server that is no relay itself, while two other hosts are."""
    text = SETTINGS.read_text().replace(
        'name = "visio1.region.example"', 'name = "visio1.region.example"\nserves = ["calls"]'
    )
    file = tmp_path / "elsewhere.toml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("what", "name"),
    [("conf", "turnserver.conf"), ("nftables", "relay.nft"), ("systemd", "coturn.service.d.conf")],
)
def test_each_file_is_written_for_this_server(what: str, name: str) -> None:
    assert run("coturn", "--what", what) == (0, files()[name])


def test_a_release_gets_the_options_that_it_knows() -> None:
    assert run("coturn", "--coturn-version", "4.17.1-2") == (0, files()["turnserver-4.17.1.conf"])


def test_another_relay_is_named(tmp_path: Path) -> None:
    _, text = run("coturn", "--host", "VISIO3.region.example")
    assert "\nlistening-ip=10.20.0.13\n" in text


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    secret, public = tmp_path / "turnserver.conf", tmp_path / "relay.nft"
    assert run("coturn", "--output", str(secret)) == (0, "")
    assert run("coturn", "--what", "nftables", "--output", str(public)) == (0, "")
    assert secret.stat().st_mode & 0o777 == 0o600
    assert public.stat().st_mode & 0o777 == 0o644
    assert SECRET in secret.read_text()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["relay.nft", "turnserver.conf"]


def test_what_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "no" / "such" / "folder"
    code, said = failing(monkeypatch, capsys, "coturn", "--config", str(SETTINGS), "--output", str(target))
    assert (code, said.count("\n")) == (1, 1)
    assert str(target) in said
    assert list(tmp_path.iterdir()) == []


def test_which_relay_is_asked_where_it_is_none_of_this_server(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = failing(monkeypatch, capsys, "coturn", "--config", str(elsewhere))
    assert code == 2
    assert said == (
        "--host: say which of visio2.region.example, visio3.region.example: this server runs no relay\n"
    )


def test_a_host_that_is_no_relay_is_refused(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "visio1.region.example"
    code, said = failing(monkeypatch, capsys, "coturn", "--config", str(elsewhere), "--host", name)
    assert (code, said.count("\n")) == (2, 1)
    assert f"{name} is none of the hosts that serve relay" in said


@pytest.mark.parametrize(("version", "reason"), [("new", "is no version"), ("4.5.2", "is older than 4.6.1")])
def test_a_release_that_cannot_be_written_for_is_refused(
    version: str, reason: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = failing(monkeypatch, capsys, "coturn", "--coturn-version", version)
    assert (code, said.count("\n")) == (2, 1)
    assert reason in said


def test_relays_that_are_off_have_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "off.toml"
    file.write_text(SETTINGS.read_text().replace('mode = "external"', 'mode = "off"'))
    code, said = failing(monkeypatch, capsys, "coturn", "--config", str(file))
    assert (code, said.count("\n")) == (2, 1)


def test_a_check_of_what_was_written_is_content(tmp_path: Path) -> None:
    file = tmp_path / "turnserver.conf"
    run("coturn", "--output", str(file))
    assert run("check", str(file)) == (
        0,
        "As the settings want it for coturn 4.6.1 on visio1.region.example.\n",
    )


def test_a_check_names_file_line_and_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "turnserver.conf"
    file.write_text(files()["turnserver.conf"].replace("no-tcp-relay\n", "") + "verbose\ncipher-list=HIGH\n")
    code, said = run("check", str(file))
    end = len(file.read_text().splitlines())
    assert code == 1
    tcp = "is missing, so the relay connects to every TCP port of the servers of calls: add it"
    assert said.splitlines() == [
        f"{file}:{end - 1}: danger: verbose: user names and addresses of people in the log: remove it",
        f"{file}:{end}: note: cipher-list: the settings do not ask for it",
        f"{file}: danger: no-tcp-relay: {tcp}",
        "For coturn 4.6.1 on visio1.region.example: 2 dangerous, 0 different, 1 only noted.",
    ]


def test_what_is_only_noted_is_no_failure(tmp_path: Path) -> None:
    file = tmp_path / "turnserver.conf"
    file.write_text(files()["turnserver.conf"] + "cipher-list=HIGH\n")
    assert run("check", str(file))[0] == 0


def test_a_program_reads_the_check(tmp_path: Path) -> None:
    file = tmp_path / "turnserver.conf"
    file.write_text(files()["turnserver.conf"] + "no-auth\n")
    code, said = run("check", str(file), "--json")
    assert code == 1
    assert json.loads(said) == {
        "file": str(file),
        "host": "visio1.region.example",
        "coturn_version": "4.6.1",
        "findings": [
            {
                "line": len(file.read_text().splitlines()),
                "severity": "danger",
                "option": "no-auth",
                "text": "anybody may relay: remove it",
            }
        ],
    }


def test_a_file_that_is_not_there_is_told_apart_from_a_bad_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = failing(monkeypatch, capsys, "check", "--config", str(SETTINGS), str(tmp_path / "none"))
    assert (code, said.count("\n")) == (2, 1)


def test_neither_is_something_huge_nor_something_binary_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    huge, binary = tmp_path / "huge", tmp_path / "binary"
    huge.write_bytes(b"#" * 2_000_000)
    assert failing(monkeypatch, capsys, "check", "--config", str(SETTINGS), str(huge))[0] == 2
    binary.write_bytes(bytes(range(256)) * 10)
    assert run("check", str(binary))[0] == 1

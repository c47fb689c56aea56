"""The command `loadtest`: what is written where, and the code at the end."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import loadtest.session
from colloque import load_command
from colloque.cli import app, main
from colloque.load_progress import LoadProgress
from loadtest.errors import RunError
from loadtest.results import Progress
from loadtest.run import RunRecord
from loadtest.scenario_file import ready_scenarios
from loadtest.session import Options
from tests.support.load_engine import FakeEngine, result
from tests.support.load_record import SCENARIO, ramp_record, run_record

SERVER = ("--url", "ws://127.0.0.1:8080", "--key", "portal", "--secret", "only-for-tests")


class Carrier:
    """Stands for the run itself: gives a record, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.record: RunRecord | RunError = run_record()
        self.asked: list[Options] = []

    def __call__(self, scenario: Any, options: Options, *_: Any) -> tuple[RunRecord, str | None]:
        self.asked.append(options)
        if isinstance(self.record, RunError):
            raise self.record
        return self.record, "colloque 9.9"


@pytest.fixture
def carrier(monkeypatch: pytest.MonkeyPatch) -> Carrier:
    stand_in = Carrier()
    monkeypatch.setattr(loadtest.session, "carry_out", stand_in)
    monkeypatch.setattr(load_command, "_engine", lambda **_: FakeEngine())
    return stand_in


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    file = tmp_path / "mine.toml"
    file.write_text(SCENARIO)
    return str(file)


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["loadtest", *arguments])
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (run_record(), 0),
        (ramp_record(result(), result(payload_errors=1)), 0),
        (run_record(result(packets_lost=500)), 1),
        (run_record(result(tool_busy=0.9)), 1),
        (run_record(result(aborted=True)), 1),
        (run_record(failure="the server has gone"), 1),
    ],
)
def test_the_exit_code_is_the_verdict(carrier: Carrier, scenario: str, record: RunRecord, code: int) -> None:
    carrier.record = record
    assert run("run", scenario, *SERVER)[0] == code


def test_the_summary_is_written_and_says_where_the_report_is(
    carrier: Carrier, scenario: str, tmp_path: Path
) -> None:
    _, output = run("run", scenario, *SERVER, "--report", str(tmp_path / "out"))
    assert output.startswith("Every objective was met.\n")
    assert output.endswith(f"The report is in {tmp_path / 'out' / 'report.html'}\n")


def test_with_json_nothing_but_the_document_is_written(
    carrier: Carrier, scenario: str, tmp_path: Path
) -> None:
    _, output = run("run", scenario, *SERVER, "--json", "--report", str(tmp_path / "out"))
    assert json.loads(output) == json.loads((tmp_path / "out" / "report.json").read_text())
    assert json.loads(output)["machine"]["server version"] == "colloque 9.9"


def test_neither_key_nor_secret_gets_into_the_report(carrier: Carrier, scenario: str, tmp_path: Path) -> None:
    run("run", scenario, *SERVER, "--report", str(tmp_path / "out"))
    for file in (tmp_path / "out").iterdir():
        assert "only-for-tests" not in file.read_text()
        assert "portal" not in file.read_text()


def test_options_reach_the_run(carrier: Carrier, scenario: str) -> None:
    run("run", scenario, *SERVER, "--seed", "7", "--server-pid", "42", "--admin-url", "http://127.0.0.1:9090")
    assert carrier.asked == [
        Options("ws://127.0.0.1:8080", "portal", "only-for-tests", 7, 42, "http://127.0.0.1:9090")
    ]


def test_server_and_key_may_come_from_the_variables_that_livekits_tools_use(
    carrier: Carrier, scenario: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("URL", "ws://host"), ("API_KEY", "k"), ("API_SECRET", "s")):
        monkeypatch.setenv(f"LIVEKIT_{name}", value)
    assert run("run", scenario)[0] == 0
    assert carrier.asked == [Options("ws://host", "k", "s", 1)]


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("run", "group-8", "--url", "ws://host", "--key", "k"),
        ("run", "group-8", *SERVER, "--seed", "-1"),
        ("run", "group-8", *SERVER, "--server-pid", "0"),
        ("dance",),
    ],
)
def test_wrong_use_is_code_2(carrier: Carrier, arguments: tuple[str, ...]) -> None:
    assert run(*arguments)[0] == 2
    assert carrier.asked == []


def test_objectives_for_the_server_need_a_look_at_it(carrier: Carrier, scenario: str, tmp_path: Path) -> None:
    Path(scenario).write_text(f"{SCENARIO}server_memory_mb = 80\n")
    code, output = run("run", scenario, *SERVER)
    assert code == 2
    assert "--server-pid or --admin-url" in output
    assert run("run", scenario, *SERVER, "--server-pid", "42")[0] == 0


def test_mistakes_in_a_scenario_are_a_line_each_and_code_2(
    carrier: Carrier, scenario: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(scenario).write_text('kind = "broadcast"\ntitle = "x"\nviewers = 0\nsecond = 3\n')
    assert _end(monkeypatch, "run", scenario, *SERVER) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"{scenario}:3: viewers: must be greater than or equal to 1",
        f"{scenario}:4: second: there is no such field; did you mean seconds?",
    ]


def test_a_run_that_cannot_be_done_is_one_line_and_code_1(
    carrier: Carrier, scenario: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    carrier.record = RunError("--url ws://host: cannot be reached: Connection refused")
    assert _end(monkeypatch, "run", scenario, *SERVER) == 1
    error = capsys.readouterr().err
    assert error == "colloque: --url ws://host: cannot be reached: Connection refused\n"


def test_ready_scenarios_are_listed() -> None:
    code, output = run("list")
    assert code == 0
    assert [line.split()[0] for line in output.splitlines()] == list(ready_scenarios())
    assert "Patient group of eight (8 people)" in output
    assert "(20 to 1000 people)" in output


def test_ready_scenarios_are_listed_as_json() -> None:
    rows = json.loads(run("list", "--json")[1])
    assert {row["name"]: row["kind"] for row in rows} == {
        name: one.kind for name, one in ready_scenarios().items()
    }


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_how_far_the_run_is() -> None:
    terminal = Terminal()
    progress = LoadProgress(terminal)
    progress("10 pairs", Progress(15.0, 30.0, 19, 20, 12345.0))
    progress.close()
    seen = terminal.getvalue()
    assert "10 pairs" in seen
    assert "50%" in seen
    assert "19 of 20 in the call, 12,345 packets/s" in seen
    assert seen.endswith("\n")


def test_each_stage_of_a_ramp_has_a_bar() -> None:
    terminal = Terminal()
    progress = LoadProgress(terminal)
    for label in ("2 pairs", "4 pairs"):
        progress(label, Progress(30.0, 30.0, 4, 4, 0.0))
    progress.close()
    assert [label in terminal.getvalue() for label in ("2 pairs", "4 pairs")] == [True, True]
    assert terminal.getvalue().count("\n") == 2


def test_a_pipe_sees_no_bar() -> None:
    pipe = io.StringIO()
    progress = LoadProgress(pipe)
    progress("", Progress(15.0, 30.0, 19, 20, 12345.0))
    progress.close()
    assert pipe.getvalue() == ""


def _end(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["colloque", "loadtest", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)

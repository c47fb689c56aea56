"""The command `colloque loadtest`: synthetic people in a running server, and a verdict."""

from __future__ import annotations

import functools
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from colloque.load_progress import LoadProgress

if TYPE_CHECKING:
    from loadtest.run import Engine, RunRecord
    from loadtest.scenario import Scenario

FAILED = 1

load_app = typer.Typer(
    help="Put synthetic people into a running server and say what it can hold.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON.")]


@load_app.command("run")
def load_run(
    scenario: Annotated[str, typer.Argument(help="A TOML file, or the name of a ready scenario.")],
    url: Annotated[str, typer.Option(envvar="LIVEKIT_URL", help="Where clients connect: ws://… or wss://…")],
    key: Annotated[str, typer.Option(envvar="LIVEKIT_API_KEY", help="Name of an API key of the server.")],
    secret: Annotated[str, typer.Option(envvar="LIVEKIT_API_SECRET", help="Its secret.")],
    report: Annotated[
        Path | None, typer.Option(help="Folder for report.html and report.json; made if need be.")
    ] = None,
    server_pid: Annotated[
        int | None, typer.Option(min=1, help="Process whose CPU and memory are looked at, on this machine.")
    ] = None,
    admin_url: Annotated[
        str | None, typer.Option(help="Where the server has /metrics, for its CPU and memory.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same plan of people.")] = 1,
    threads: Annotated[int, typer.Option(min=1, max=16, help="Threads that send and receive media.")] = 1,
    check_every: Annotated[
        int,
        typer.Option(
            min=1, max=1000, help="Decrypt and read one received packet in so many; count the others."
        ),
    ] = 1,
    as_json: JsonOption = False,
) -> None:
    """Run a scenario. Exit code 0: every objective met; 1: one missed, or failed; 2: wrong use."""
    from loadtest.report import Circumstances, document, prepare_folder, summary, write_report
    from loadtest.report.machine import machine_facts
    from loadtest.scenario_file import read_scenario
    from loadtest.session import Options, carry_out

    planned, text = read_scenario(scenario)
    _check_sources(planned, server_pid, admin_url)
    if report is not None:
        prepare_folder(report)
    machine, began = machine_facts(), datetime.now(UTC)
    progress = LoadProgress()
    try:
        options = Options(url, key, secret, seed, server_pid, admin_url)
        record, version = carry_out(
            planned, options, _engine(threads=threads, check_every=check_every), progress, progress.clip
        )
    finally:
        progress.close()
    around = Circumstances(
        scenario_text=text,
        url=url,
        began=f"{began:%Y-%m-%d %H:%M:%S} UTC",
        machine=machine if version is None else {"server version": version, **machine},
    )
    if report is not None:
        write_report(report, record, around)
    if as_json:
        print(json.dumps(document(record, around), allow_nan=False))
    else:
        sys.stdout.write(summary(record))
        if report is not None:
            print(f"The report is in {report / 'report.html'}")
    raise typer.Exit(_code(record))


@load_app.command("record")
def load_record(
    url: Annotated[str, typer.Option(envvar="LIVEKIT_URL", help="Where clients connect: ws://… or wss://…")],
    key: Annotated[str, typer.Option(envvar="LIVEKIT_API_KEY", help="Name of an API key of the server.")],
    secret: Annotated[str, typer.Option(envvar="LIVEKIT_API_SECRET", help="Its secret.")],
    room: Annotated[list[str], typer.Option(help="Id of a room; give it several times for several rooms.")],
    out: Annotated[Path, typer.Option(help="File that is written, one JSON object a line.")],
    seconds: Annotated[float | None, typer.Option(min=1, help="How long; else until Ctrl-C.")] = None,
) -> None:
    """Record when people join, publish, mute and leave, by numbers, so that a scenario can play it again."""
    from loadtest.record import Options, record

    if seconds is None and sys.stderr.isatty():
        print("Recording until Ctrl-C.", file=sys.stderr)
    done = record(Options(url, key, secret, tuple(room), out, seconds))
    print(f"{out}: {done.events:,} events of {done.people:,} people in {done.seconds:.0f} s")


@load_app.command("list")
def load_list(as_json: JsonOption = False) -> None:
    """Write the ready scenarios."""
    from loadtest.scenario_file import ready_scenarios

    rows = [
        {"name": name, "kind": one.kind, "title": one.title, "people": _people(one), "about": one.about}
        for name, one in ready_scenarios().items()
    ]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    width = max(len(str(row["name"])) for row in rows)
    for row in rows:
        print(f"{row['name']:<{width}}  {row['title']} ({row['people']} people)")


def _check_sources(scenario: Scenario, server_pid: int | None, admin_url: str | None) -> None:
    from loadtest.objectives import needs_server_figures

    if server_pid is None and admin_url is None and needs_server_figures(scenario.objectives):
        raise typer.BadParameter(
            "the scenario has objectives for the server's CPU or memory: give --server-pid or --admin-url"
        )


def _people(scenario: Scenario) -> str:
    from loadtest.planning import most_at_once, plan, stages

    counts: list[Any] = [most_at_once(plan(stage.scenario, seed=1)) for stage in stages(scenario)]
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def _engine(*, threads: int, check_every: int) -> Engine:
    # Here, because start-up time of the other commands matters and it loads the packet core.
    from loadtest.engine import run

    return functools.partial(run, threads=threads, check_every=check_every)


def _code(record: RunRecord) -> int:
    return 0 if record.outcome == "met" else FAILED

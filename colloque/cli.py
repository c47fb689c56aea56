"""The command line: `colloque demo`, `serve`, `config`, `doctor`, `token`, `link`, `turn` and others."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer
from pydantic import ValidationError

from colloque.config import ConfigError, lines
from colloque.config_option import ConfigOption, chosen_file, chosen_settings
from colloque.config_text import example, show
from colloque.coturn_command import turn_check, turn_coturn
from colloque.doctor_command import doctor
from colloque.errors import StartError, UseError
from colloque.firewall_command import turn_firewall
from colloque.load_command import load_app
from colloque.settings import SECRET_MIN_CHARS, Settings
from colloque.turn_command import turn_app
from colloque.version import running_version
from loadtest.errors import RunError, ScenarioError
from rooms import Role

FAILED, WRONG_USE = 1, 2

app = typer.Typer(
    help="Video calls that a hospital runs itself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
config_app = typer.Typer(
    help="Write, check and show the settings.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(config_app, name="config")
bench_app = typer.Typer(
    help="Measure what this machine can do and what the packet core makes of it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(bench_app, name="bench")
app.add_typer(load_app, name="loadtest")
turn_app.command("coturn")(turn_coturn)
turn_app.command("check")(turn_check)
turn_app.command("firewall")(turn_firewall)
app.add_typer(turn_app, name="turn")
app.command()(doctor)


class RoleName(StrEnum):
    """The roles, for the command line."""

    HOST = "host"
    DELEGATE = "delegate"
    PATIENT = "patient"
    GUEST = "guest"
    OBSERVER = "observer"


DataDir = Annotated[Path, typer.Option(help="Folder of the demonstration's database and secret.")]
Port = Annotated[int, typer.Option(min=1, max=65535)]
RoomOption = Annotated[str, typer.Option(help="The room's id.")]
NameOption = Annotated[str | None, typer.Option(help="Display name.")]
RoleOption = Annotated[RoleName, typer.Option()]
KeyOption = Annotated[str | None, typer.Option(help="Which API key signs; else the first one.")]
Destinations = Annotated[int, typer.Option(min=1, max=500, help="Subscribers of the fan-out.")]
Rounds = Annotated[int, typer.Option(min=1, max=100, help="Samples of each row.")]
Seconds = Annotated[float, typer.Option(min=0.01, max=60, help="Processor seconds of each sample.")]
CoreOption = Annotated[int | None, typer.Option(min=0, help="Which core to run on; else the last one.")]
EvenIfBusy = Annotated[bool, typer.Option("--even-if-busy", help="Report although others use the machine.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON.")]


def main() -> None:
    """Run the command; whatever the operator can put right is one line and exit code 1 or 2."""
    try:
        app()
    except (ConfigError, ScenarioError, UseError) as error:
        _fail(str(error), WRONG_USE)
    except (StartError, RunError) as error:
        _fail(f"colloque: {error}", FAILED)


@app.command()
def demo(
    port: Port = 8080,
    udp_port: Port = 10000,
    admin_port: Port = 9090,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Threads that move packets.")] = 1,
    data_dir: DataDir = Path("var"),
    key: Annotated[str | None, typer.Option(help="Name of the API key; else devkey.")] = None,
    secret: Annotated[
        str | None, typer.Option(help="Its secret; else one is made at the first start.")
    ] = None,
) -> None:
    """Serve on this machine only, with a throw-away key and one open room, and print two links."""
    from colloque import demo as demonstration
    from colloque.run import serve as run
    from colloque.server import Server

    try:
        # Before anything is kept, or every later start would fail in the same way.
        demonstration.api_key(
            demonstration.KEY if key is None else key,
            "x" * SECRET_MIN_CHARS if secret is None else secret,
        )
    except ValidationError as error:
        raise typer.BadParameter("; ".join(f"--{line}" for line in lines(error))) from error
    folder = data_dir.absolute()
    state = demonstration.prepare_state(folder, key, secret, port)
    settings = demonstration.demo_settings(
        folder,
        state,
        udp_port=udp_port,
        workers=workers,
        admin_port=admin_port,
        own_address=demonstration.own_address(),
    )

    async def ready(server: Server) -> None:
        if await demonstration.open_room(server.rooms, state):
            demonstration.save_state(folder, state)
        print(demonstration.greeting(settings, state, running_version()), flush=True)

    run(settings, reload=lambda: settings, ready=ready)


@app.command()
def serve(config: ConfigOption = None) -> None:
    """Serve in production. SIGTERM stops, SIGHUP reads settings and certificate again."""
    from colloque.run import serve as run
    from colloque.server import Server

    def read() -> Settings:
        settings = chosen_settings(config)
        _check_certificate(settings)
        if not settings.api_keys:
            raise ConfigError(["api_keys: at least one key is needed, or nobody can make a room"])
        return settings

    async def ready(_server: Server) -> None:
        return

    run(read(), reload=read, ready=ready)


@config_app.command("example")
def config_example() -> None:
    """Write a commented settings file with every default."""
    sys.stdout.write(example())


@config_app.command("check")
def config_check(config: ConfigOption = None) -> None:
    """Check the settings and the certificate; name everything that is wrong."""
    _check_certificate(chosen_settings(config))
    print("The settings can be used.")


@config_app.command("show")
def config_show(config: ConfigOption = None) -> None:
    """Write the settings in force, secrets masked."""
    sys.stdout.write(show(chosen_settings(config)))


@app.command()
def token(
    room: RoomOption,
    identity: Annotated[str, typer.Option(help="The participant's id.")],
    name: NameOption = None,
    role: RoleOption = RoleName.GUEST,
    ttl: Annotated[int, typer.Option(min=10, max=86400, help="Life in seconds.")] = 3600,
    key: KeyOption = None,
    config: ConfigOption = None,
    data_dir: DataDir = Path("var"),
    as_json: JsonOption = False,
) -> None:
    """Sign a join token by hand."""
    from colloque import mint

    settings = mint.find_settings(chosen_file(config), data_dir.absolute(), os.environ)
    person = mint.Person(room, identity, name, _role(role))
    signed = mint.mint_token(mint.choose_key(settings, key), person, ttl_seconds=ttl)
    ws_url = "ws" + settings.server.public_url.removeprefix("http")
    _write(signed, {"token": signed, "ws_url": ws_url}, as_json=as_json)


@app.command()
def link(
    room: RoomOption,
    identity: Annotated[str | None, typer.Option(help="For this participant; else for guests.")] = None,
    name: NameOption = None,
    role: RoleOption = RoleName.GUEST,
    key: KeyOption = None,
    config: ConfigOption = None,
    data_dir: DataDir = Path("var"),
    as_json: JsonOption = False,
) -> None:
    """Make a link to the page by hand, in the database of the settings."""
    from colloque import mint

    settings = mint.find_settings(chosen_file(config), data_dir.absolute(), os.environ)
    person = None if identity is None else mint.Person(room, identity, name, _role(role))
    made = asyncio.run(mint.make_link(settings, mint.choose_key(settings, key), person, room))
    _write(made["url"], made, as_json=as_json)


@bench_app.command("limit")
def bench_limit(
    destinations: Destinations = 64,
    rounds: Rounds = 5,
    seconds: Seconds = 1.0,
    core: CoreOption = None,
    even_if_busy: EvenIfBusy = False,
    as_json: JsonOption = False,
) -> None:
    """Measure encryption, sending, receiving and the ideal fan-out."""
    _bench("limit", destinations, rounds, seconds, core, even_if_busy=even_if_busy, as_json=as_json)


@bench_app.command("forward")
def bench_forward(
    destinations: Destinations = 64,
    rounds: Rounds = 5,
    seconds: Seconds = 1.0,
    core: CoreOption = None,
    even_if_busy: EvenIfBusy = False,
    as_json: JsonOption = False,
) -> None:
    """Measure the ideal fan-out and the real worker side by side."""
    _bench("forward", destinations, rounds, seconds, core, even_if_busy=even_if_busy, as_json=as_json)


def _bench(
    kind: Literal["limit", "forward"],
    destinations: int,
    rounds: int,
    seconds: float,
    core: int | None,
    *,
    even_if_busy: bool,
    as_json: bool,
) -> None:
    from rich.console import Console

    from colloque import bench

    report = bench.measure(
        kind,
        destinations=destinations,
        rounds=rounds,
        seconds=seconds,
        core=core,
        even_if_busy=even_if_busy,
    )
    if as_json:
        print(json.dumps(report.as_json()))
    else:
        bench.write(report, Console(soft_wrap=True).print)


@app.command()
def version() -> None:
    """Write the version."""
    print(running_version())


def _check_certificate(settings: Settings) -> None:
    from colloque import tls

    if settings.server.tls_certificate is not None and settings.server.tls_key is not None:
        tls.server_context(settings.server.tls_certificate, settings.server.tls_key)


def _role(name: RoleName) -> Role:
    role: Role = name.value
    return role


def _write(text: str, value: dict[str, Any], *, as_json: bool) -> None:
    print(json.dumps(value) if as_json else text)


def _fail(text: str, code: int) -> NoReturn:
    sys.stderr.write(f"{text}\n")
    raise SystemExit(code)


if __name__ == "__main__":
    main()

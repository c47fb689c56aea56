"""The command `colloque turn`: what relays, clients and firewalls need, made from the settings."""

from __future__ import annotations

import json
import secrets
import time
from enum import StrEnum
from typing import Annotated

import typer

from colloque.config import ConfigError
from colloque.config_option import ConfigOption, chosen_settings
from colloque.deployment import deployment
from turn_config import RANDOM_BYTES, Deployment, browser_shape, classic_shape, ice_servers

turn_app = typer.Typer(
    help="Write what relays, clients and firewalls need, from the settings.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Shape(StrEnum):
    """How a list of ICE servers is written."""

    BROWSER = "browser"
    CLASSIC = "classic"


@turn_app.command("ice-servers")
def turn_ice_servers(
    config: ConfigOption = None,
    shape: Annotated[
        Shape,
        typer.Option(help="browser: as RTCPeerConnection takes it; classic: as the TURN REST draft has it."),
    ] = Shape.BROWSER,
) -> None:
    """Make fresh credentials and write the relays as JSON, to try one by hand."""
    told = ice_servers(relaying(config), now=time.time(), random=secrets.token_bytes(RANDOM_BYTES))
    write = browser_shape if shape is Shape.BROWSER else classic_shape
    print(json.dumps(write(told), indent=2))


def relaying(config: ConfigOption) -> Deployment:
    """Read the settings of a deployment that has relays; raise `ConfigError`."""
    found = deployment(chosen_settings(config))
    if found.turn.mode == "off":
        raise ConfigError(["turn.mode: is off, so there is no relay: set it to external"])
    return found

"""The option `--config` of commands that read the settings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from colloque.config import load

if TYPE_CHECKING:
    from colloque.settings import Settings

ConfigOption = Annotated[
    Path | None, typer.Option(help="The settings file; else ./colloque.toml if there is one.")
]


def chosen_settings(config: Path | None) -> Settings:
    """Read the settings from the file that was chosen and from the environment; raise `ConfigError`."""
    return load(chosen_file(config), os.environ)


def chosen_file(config: Path | None) -> Path | None:
    """Give the settings file: the one that was chosen, else the usual one if it is there."""
    usual = Path("colloque.toml")
    return usual if config is None and usual.exists() else config

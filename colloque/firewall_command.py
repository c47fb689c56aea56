"""The command `colloque turn firewall`: what sites and the hosts' own firewalls must let through."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from colloque.config_option import ConfigOption, chosen_settings
from colloque.deployment import deployment
from colloque.errors import UseError
from colloque.output_file import write_output
from turn_config.firewall import LANGUAGES, Form, firewall_sheet

if TYPE_CHECKING:
    from collections.abc import Iterable

_Choice = TypeVar("_Choice", bound=str)


def turn_firewall(
    config: ConfigOption = None,
    # Texts and not an enumeration, for which the command line would say more than one line.
    form: Annotated[
        str, typer.Option("--format", metavar="|".join(Form), help="How the sheet is written.")
    ] = Form.TEXT,
    lang: Annotated[str, typer.Option(metavar="|".join(LANGUAGES), help="Its language.")] = "fr",
    output: Annotated[
        Path | None, typer.Option(help="Write this file, whole or not at all; else standard output.")
    ] = None,
) -> None:
    """Write what a site's firewall must let out; nftables, iptables: what the hosts' own must let in."""
    chosen, language = _one_of("--format", form, Form), _one_of("--lang", lang, LANGUAGES)
    found = deployment(chosen_settings(config))
    text = firewall_sheet(found, chosen, language, today=datetime.now().astimezone().date())
    write_output(output, text)


def _one_of(option: str, text: str, choices: Iterable[_Choice]) -> _Choice:
    known = {str(one): one for one in choices}
    if text not in known:
        raise UseError(f"{option}: must be one of {', '.join(known)}, not {text!r}")
    return known[text]

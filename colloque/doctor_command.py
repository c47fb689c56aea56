"""The command `colloque doctor`: what is well on this host, what is not, and what to do about it."""

from __future__ import annotations

import json
import os
import sys
import time
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from colloque.config_option import ConfigOption, chosen_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colloque.doctor.examination import Examination, Examined
    from colloque.doctor.finding import Finding, Language
    from colloque.doctor.report import Paint

FAILED, WRONG_USE = 1, 2
WITHIN_SECONDS = 18.0
"""Examinations run side by side; what has not answered by then is said to hang."""


class Lang(StrEnum):
    """Languages of the lines."""

    EN = "en"
    FR = "fr"


def doctor(
    config: ConfigOption = None,
    lang: Annotated[Lang | None, typer.Option(help="Language; else that of LANG.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Examine this host: ports, addresses, certificate, relay, clock, kernel, limits, database, disk.

    Each line says ok, warn or fail, and what to do. Nothing is changed. Exit code 0: nothing failed; 1:
    something did; 2: wrong use, or settings that cannot be read.
    """
    from colloque.doctor import report
    from colloque.doctor.words import Words

    words = Words.of(chosen_language(lang))
    findings, examined = _findings(config, words.language)
    if as_json:
        from colloque.version import running_version

        print(json.dumps(report.document(findings, words, version=running_version()), ensure_ascii=False))
    else:
        for line in report.lines(findings, words, paint()):
            print(line)
    code = WRONG_USE if examined is None else FAILED if report.worst(findings) == "fail" else 0
    if examined is not None and not examined.is_complete:
        # The interpreter would wait for the resolver that hangs.
        sys.stdout.flush()
        os._exit(code)
    raise typer.Exit(code)


def _findings(config: ConfigOption, language: Language) -> tuple[list[Finding], Examined | None]:
    from colloque.config import draft
    from colloque.doctor import settings as own
    from colloque.doctor.examination import examine
    from colloque.doctor.plan import plan

    file = chosen_file(config)
    read = draft(file, os.environ)
    examinations = [] if read.settings is None else plan(read.settings, now=time.time())
    left = [one for one in examinations if not one.sections & read.wrong_sections]
    facts = own.SettingsFacts(
        file=None if file is None else str(file),
        problems=read.problems,
        has_api_key=read.settings is not None and bool(read.settings.api_keys),
        left_out=tuple(sorted(read.wrong_sections)) if len(left) < len(examinations) else (),
        as_root=os.geteuid() == 0,
    )
    found = list(own.judge(facts))
    if read.settings is None:
        return found, None
    progress = Progress(language)
    examined = examine(left, within_seconds=WITHIN_SECONDS, clock=time.monotonic, progress=progress.show)
    progress.clear()
    return [*found, *examined.findings], examined


def chosen_language(lang: Lang | None) -> Language:
    """Give the language that was asked for, else that of the environment; English if neither is known."""
    # The order of POSIX: the first that is set and not empty.
    told = next((text for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (text := os.environ.get(name))), "")
    return "fr" if lang is Lang.FR or (lang is None and told.lower().startswith("fr")) else "en"


def paint() -> Paint:
    """Give a colour for each level, on a terminal that wants colours."""
    from colloque.doctor.finding import Level

    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return {}
    colours = {Level.OK: typer.colors.GREEN, Level.WARN: typer.colors.YELLOW, Level.FAIL: typer.colors.RED}
    return {level: partial(typer.style, fg=colour) for level, colour in colours.items()}


class Progress:
    """What is still looked at, on a terminal; nothing in a pipe."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._is_shown = sys.stderr.isatty()

    def show(self, done: int, waiting: Sequence[Examination]) -> None:
        """Say how many are done, and the first of those that are not."""
        if self._is_shown:
            subject = waiting[0].subject[self._language]
            sys.stderr.write(f"\r\x1b[K{done}/{done + len(waiting)}  {subject} …")
            sys.stderr.flush()

    def clear(self) -> None:
        """Leave the line to the findings."""
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

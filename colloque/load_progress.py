"""How far a load test is, on a terminal; nothing in a pipe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

import typer

if TYPE_CHECKING:
    from typing import Any

    from loadtest.results import Progress


class LoadProgress:
    """A bar on standard error for each stage of a run, with who is in the call and what goes through."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Draw there if it is a terminal."""
        self._stream = stream or sys.stderr
        self._label: str | None = None
        self._bar: Any = None

    def __call__(self, label: str, progress: Progress) -> None:
        """Take up how far the stage of this label is."""
        if not self._stream.isatty():
            return
        if self._bar is None or label != self._label:
            self.close()
            self._label = label
            self._bar = typer.progressbar(
                length=max(1, round(progress.of_seconds)),
                label=label or "running",
                show_eta=False,
                item_show_func=_said,
                file=self._stream,
            )
            self._bar.__enter__()
        self._bar.current_item = progress
        self._bar.update(max(0, round(progress.seconds) - self._bar.pos))

    def clip(self, done: float) -> None:
        """Take up how much of a clip is made, 0 to 1."""
        if self._stream.isatty():
            end = "\n" if done >= 1 else ""
            self._stream.write(f"\rencoding the clip, once for all runs: {done:4.0%}{end}")
            self._stream.flush()

    def close(self) -> None:
        """Leave the bar as it is and go to the next line."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None


def _said(progress: Progress | None) -> str | None:
    if progress is None:
        return None
    people = f"{progress.connected:,} of {progress.expected:,} in the call"
    return f"{people}, {progress.packets_per_second:,.0f} packets/s"

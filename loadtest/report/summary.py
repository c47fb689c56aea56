"""The verdict as lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loadtest.report import words

if TYPE_CHECKING:
    from loadtest.run import RunRecord


def summary(record: RunRecord) -> str:
    """Write the headline and a line for each objective, in columns."""
    stage = record.stages[-1]
    rows = [(one.says, words.wanted(one), words.measured(one), one.judgement) for one in stage.verdicts]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        f"  {says:<{widths[0]}}  {wanted:<{widths[1]}}  {measured:>{widths[2]}}  {judgement}"
        for says, wanted, measured, judgement in rows
    ]
    head = " ".join(part for part in (f"{words.headline(record)}.", words.explanation(record)) if part)
    label = [f"With {stage.stage.label}:"] if stage.stage.label else []
    return "\n".join([head, *label, *lines]) + "\n"

"""What is left of a run: report.json for programs, report.html for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from loadtest.errors import RunError
from loadtest.report.document import Circumstances, document
from loadtest.report.page import page
from loadtest.report.summary import summary

if TYPE_CHECKING:
    from pathlib import Path

    from loadtest.run import RunRecord

__all__ = ["Circumstances", "document", "prepare_folder", "summary", "write_report"]


def prepare_folder(folder: Path) -> None:
    """See before a run that its report can be written; raise `RunError`."""
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise RunError(f"--report {folder}: {error.strerror}") from error


def write_report(folder: Path, record: RunRecord, around: Circumstances) -> None:
    """Write report.json and report.html; raise `RunError`."""
    data = json.dumps(document(record, around), indent=1, allow_nan=False, ensure_ascii=False)
    try:
        (folder / "report.json").write_text(data + "\n", encoding="utf-8")
        (folder / "report.html").write_text(page(record, around), encoding="utf-8")
    except OSError as error:
        raise RunError(f"--report {folder}: {error.strerror}") from error

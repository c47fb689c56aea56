"""Files that commands write: whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from colloque.errors import StartError
from colloque.ports import reason


def write_output(path: Path | None, text: str, *, private: bool = False) -> None:
    """Write the text to standard output, or put a file in the place of `path` at once; raise `StartError`.

    A reader sees the old file or the new one, never half of either. `private`: only the owner may read it.
    """
    if path is None:
        sys.stdout.write(text)
        return
    try:
        folder = path.absolute().parent
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, delete=False) as file:
            made = Path(file.name)
            try:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
                made.chmod(0o600 if private else 0o644)
                made.replace(path)
            except BaseException:
                made.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise StartError(f"{path}: {reason(error)}") from error

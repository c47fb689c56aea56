"""Logs: one event a line, by name and fields, with nothing personal above DEBUG.

A field is written only if its name is on the list below. What libraries say is free text that may hold
anything, as may the text of an exception; both are written in full at DEBUG only, above it just where they
came from.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, Literal

from aiohttp.http_exceptions import HttpProcessingError

FIELDS = frozenset(
    {
        # ids that we made ourselves and that say nothing about a person
        "room", "webhook", "call", "leg", "track", "worker", "trace_id", "operation",
        # figures and words from closed lists
        "code", "reason", "state", "kind", "source", "path", "count", "bytes", "seconds", "milliseconds",
        "port", "status", "version", "setting", "settings", "mime_type", "level", "event_kind",
    }
)  # fmt: skip
_OURS = ("colloque", "control_api", "rooms", "sfu", "signalling", "turn_config", "loadtest")
_EVENT = re.compile(r"[a-z][a-z0-9_.]{0,79}")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_MAX_TEXT = 500
_as_json = json.JSONEncoder(default=str).encode  # `json.dumps` with a default makes one for each call


def set_up(level: str, format: Literal["json", "text"]) -> None:  # noqa: A002 - the setting's name
    """Write events at `level` and above to standard error, instead of where they went before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(EventFormatter(format, personal=level == "debug"))
    if level != "debug":
        handler.addFilter(PeersMistakes())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # None of it is written, and a join has several lines (Python's "Logging HOWTO", Optimization).
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 - the switch that it names
    # These narrate every statement and request at INFO or DEBUG.
    for chatty in ("aiosqlite", "sqlalchemy", "alembic", "asyncio", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


class PeersMistakes(logging.Filter):
    """Keeps out what a library reports as an error of ours though a client sent something unreadable."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything else through."""
        kind = record.exc_info[0] if record.exc_info else None
        return kind is None or not issubclass(kind, HttpProcessingError)


class EventFormatter(logging.Formatter):
    """Writes a record as one line of JSON, or of text for a terminal."""

    def __init__(self, format: Literal["json", "text"], *, personal: bool) -> None:  # noqa: A002
        """With `personal`, write every field and text, which only DEBUG may."""
        super().__init__()
        self._json = format == "json"
        self._personal = personal

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        entry = self._entry(record)
        if self._json:
            return _as_json(entry)
        fields = " ".join(f"{name}={_as_json(value)}" for name, value in entry.items() if name not in _HEAD)
        event = _as_json(entry["event"])[1:-1]  # free text at DEBUG may hold line ends
        return f"{entry['time'][11:23]} {entry['level']:<7} {event} {fields}".rstrip()

    def _entry(self, record: logging.LogRecord) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": self._event(record),
            "logger": record.name,
        }
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        entry |= {name: _bounded(value) for name, value in extra.items() if self._personal or name in FIELDS}
        if record.exc_info and record.exc_info[0] is not None:
            entry |= self._exception(record.exc_info[0], record.exc_info[1])
        return entry

    def _event(self, record: logging.LogRecord) -> str:
        if _is_ours(record.name) and _EVENT.fullmatch(str(record.msg)):
            return str(record.msg)
        # Text that a library, or the interpreter, put together from who knows what.
        return _bounded(record.getMessage()) if self._personal else "message_of_library"

    def _exception(self, kind: type[BaseException], error: BaseException | None) -> dict[str, Any]:
        frames = traceback.extract_tb(error.__traceback__) if error is not None else []
        where = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames[-8:]]
        found: dict[str, Any] = {"exception": kind.__name__, "where": where}
        if self._personal:
            found["text"] = _bounded(str(error))
        return found


_HEAD = frozenset({"time", "level", "event", "logger"})


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in _OURS


def _bounded(value: Any) -> Any:
    if isinstance(value, str):
        return value[:_MAX_TEXT]
    return value if isinstance(value, int | float | bool | None) else str(value)[:_MAX_TEXT]


def _short(filename: str) -> str:
    return "/".join(filename.split("/")[-2:])

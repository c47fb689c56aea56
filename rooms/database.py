"""What the store needs to know of a database beside its engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.engine import Connection
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.ext.asyncio import AsyncEngine


@dataclass(frozen=True, slots=True)
class Database:
    """One kind of database, ready to be connected to."""

    engine: AsyncEngine
    writer: Mapping[str, Any]
    """Execution options of a transaction that writes; `"upgrades": True` is added where it changes tables."""
    asker: Mapping[str, Any]
    """Execution options of a single statement that reads: it sees one state without a transaction."""
    check: Callable[[Connection], None]
    """Raises `StoreUnavailable` if the database cannot hold what is to be stored."""
    is_passing: Callable[[DBAPIError], bool]
    """Tells whether the transaction that failed may succeed later."""
    is_unstorable: Callable[[DBAPIError], bool]
    """Tells whether a text was given that the database has no way to keep, or to look for."""
    transaction_seconds: float | None
    """Longer ones are given up, waiting included; None where the driver never waits long."""

"""Which version runs."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def running_version() -> str:
    """Give the version of the installed wheel, or `dev` when the sources run in place."""
    try:
        return version("colloque")
    except PackageNotFoundError:
        return "dev"

"""Somebody in a call, as the parts of signalling that do not carry it know them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Present:
    """A person in the call of a room or in one of its groups."""

    name: str
    """Display name or pseudonym, may be empty."""
    moderates: bool


InCall = Callable[[str], Mapping[str, Present]]
"""Tells who is in the call of a room (its uid) now, by identity."""


def nobody(room: str) -> Mapping[str, Present]:  # noqa: ARG001
    """Tell of a server that carries no calls."""
    return {}

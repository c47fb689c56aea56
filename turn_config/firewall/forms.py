"""The forms of the firewall sheet by name."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, get_args

from turn_config.firewall.words import Language

if TYPE_CHECKING:
    from datetime import date

    from turn_config.deployment import Deployment

LANGUAGES: tuple[Language, ...] = get_args(Language)


class Form(StrEnum):
    """What the sheet is written as."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    HTML = "html"
    NFTABLES = "nftables"
    """What the hosts' own firewalls accept; as the next."""
    IPTABLES = "iptables"


def firewall_sheet(deployment: Deployment, form: Form, language: Language, *, today: date) -> str:
    """Write the sheet of a deployment in which `problems` finds nothing; no secret goes into it."""
    # A server writes it when somebody asks, and until then does not need the memory of what does.
    from turn_config.firewall.writing import write

    return write(deployment, form, language, today=today)

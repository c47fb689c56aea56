"""The forms of the firewall sheet by name."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, get_args

from turn_config.firewall.as_data import as_csv, as_json
from turn_config.firewall.as_html import as_html
from turn_config.firewall.as_iptables import as_iptables
from turn_config.firewall.as_nftables import as_nftables
from turn_config.firewall.as_text import as_text
from turn_config.firewall.document import document
from turn_config.firewall.english import ENGLISH
from turn_config.firewall.french import FRENCH
from turn_config.firewall.sheet import sheet
from turn_config.firewall.words import Language, Words

if TYPE_CHECKING:
    from datetime import date

    from turn_config.deployment import Deployment

WORDS: dict[Language, Words] = {"fr": FRENCH, "en": ENGLISH}
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
    words, made = WORDS[language], sheet(deployment, today=today)
    match form:
        case Form.TEXT:
            return as_text(document(made, words), words.label)
        case Form.JSON:
            return as_json(made, words)
        case Form.CSV:
            return as_csv(made, words)
        case Form.HTML:
            return as_html(document(made, words), language, footer=f"{words.title} - {made.fingerprint}")
        case Form.NFTABLES:
            return as_nftables(deployment, words, today=today)
        case Form.IPTABLES:
            return as_iptables(deployment, words, today=today)

"""Writes the firewall sheet in each of its forms and languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from turn_config.firewall.as_data import as_csv, as_json
from turn_config.firewall.as_html import as_html
from turn_config.firewall.as_iptables import as_iptables
from turn_config.firewall.as_nftables import as_nftables
from turn_config.firewall.as_text import as_text
from turn_config.firewall.document import document
from turn_config.firewall.english import ENGLISH
from turn_config.firewall.forms import Form
from turn_config.firewall.french import FRENCH
from turn_config.firewall.sheet import sheet

if TYPE_CHECKING:
    from datetime import date

    from turn_config.deployment import Deployment
    from turn_config.firewall.words import Language, Words

WORDS: dict[Language, Words] = {"fr": FRENCH, "en": ENGLISH}


def write(deployment: Deployment, form: Form, language: Language, *, today: date) -> str:
    """Write one form in one language."""
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

"""The sheet that a site's firewall team gets: every port, what it is for and what else must be seen to."""

from turn_config.firewall.forms import LANGUAGES, WORDS, Form, firewall_sheet
from turn_config.firewall.rows import Direction, IfClosed, Need, Row, rows
from turn_config.firewall.sheet import Sheet, sheet
from turn_config.firewall.words import Language, Words

__all__ = [
    "LANGUAGES",
    "WORDS",
    "Direction",
    "Form",
    "IfClosed",
    "Language",
    "Need",
    "Row",
    "Sheet",
    "Words",
    "firewall_sheet",
    "rows",
    "sheet",
]

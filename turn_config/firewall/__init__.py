"""The sheet that a site's firewall team gets: every port, what it is for and what else must be seen to."""

from turn_config.firewall.forms import LANGUAGES, Form, firewall_sheet
from turn_config.firewall.words import Language

__all__ = ["LANGUAGES", "Form", "Language", "firewall_sheet"]

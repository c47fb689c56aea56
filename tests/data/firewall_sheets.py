"""Writes the stored firewall sheets anew; look at the difference before you commit it."""

from pathlib import Path

from tests.support.regional import REGIONAL, TODAY
from turn_config.firewall import LANGUAGES, Form, Language, firewall_sheet

FOLDER = Path(__file__).parent / "firewall"
SHEETS = [(form, language) for form in Form for language in LANGUAGES]


def stored(form: Form, language: Language) -> Path:
    """Where the sheet of the regional deployment is kept."""
    return FOLDER / f"{language}.{form}"


if __name__ == "__main__":
    for one in SHEETS:
        stored(*one).write_bytes(firewall_sheet(REGIONAL, *one, today=TODAY).encode())

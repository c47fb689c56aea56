"""The sheet in each of its forms: the stored ones of a region, and what holds for any deployment."""

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.firewall_sheets import SHEETS, stored
from tests.support.deployments import deployments
from tests.support.regional import REGIONAL, SECRET, TODAY
from turn_config import Deployment
from turn_config.firewall import LANGUAGES, Form, Language, firewall_sheet

languages = st.sampled_from(LANGUAGES)


def written(deployment: Deployment, form: Form, language: Language = "fr") -> str:
    return firewall_sheet(deployment, form, language, today=TODAY)


def records(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize(("form", "language"), SHEETS, ids=[f"{one}-{language}" for one, language in SHEETS])
def test_the_sheet_of_a_region_is_the_stored_one(form: Form, language: Language) -> None:
    """The stored ones were read line by line; write new ones with `python -m tests.data.firewall_sheets`."""
    assert written(REGIONAL, form, language) == stored(form, language).read_bytes().decode()


@given(deployments(), languages)
@settings(max_examples=30, deadline=None)
def test_the_csv_says_what_the_json_says(deployment: Deployment, language: Language) -> None:
    rows: list[dict[str, Any]] = json.loads(written(deployment, Form.JSON, language))["rows"]
    text = written(deployment, Form.CSV, language)
    assert [list(record.values()) for record in records(text)] == [
        [
            row["id"],
            row["host"],
            row["ipv4"] or "",
            row["ipv6"] or "",
            row["protocol"].upper(),
            str(row["port"]),
            row["words"]["direction"],
            row["words"]["purpose"],
            row["words"]["need"],
            row["words"]["if_closed"],
        ]
        for row in rows
    ]
    assert text.endswith("\r\n")
    assert text.count("\n") == len(rows) + 1


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1"])
def test_no_cell_of_the_csv_is_a_formula(name: str) -> None:
    alone = replace(REGIONAL, public_url=f"https://{name}", named_hosts=())
    for record in records(written(alone, Form.CSV)):
        assert record["Hôte"] == f"'{name}"
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in record.values())


@given(deployments(), languages, st.sampled_from(Form))
@settings(max_examples=30, deadline=None)
def test_no_secret_and_no_inner_address_is_told(
    deployment: Deployment, language: Language, form: Form
) -> None:
    text = written(deployment, form, language)
    assert not any(secret.get_secret_value() in text for secret in deployment.turn.secrets)
    if form not in {Form.NFTABLES, Form.IPTABLES}:
        inner = [one.dmz for host in deployment.hosts for one in host.addresses if one.dmz is not None]
        assert not any(str(address) in text for address in inner)


def test_a_secret_would_be_found() -> None:
    assert [one.get_secret_value() for one in REGIONAL.turn.secrets] == [SECRET]


@given(deployments(), languages)
@settings(max_examples=30, deadline=None)
def test_the_text_fits_a_mail(deployment: Deployment, language: Language) -> None:
    for line in written(deployment, Form.TEXT, language).splitlines():
        # A long word, like the contact that somebody chose, goes beyond rather than be cut.
        assert len(line) <= 80 or len(line.split()) == 1 or max(map(len, line.split())) > 40


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_of_a_region_fits_a_mail(language: Language) -> None:
    assert max(map(len, written(REGIONAL, Form.TEXT, language).splitlines())) <= 80


@pytest.mark.parametrize("form", [Form.TEXT, Form.HTML])
def test_what_does_not_exist_is_not_spoken_of(form: Form) -> None:
    bare = replace(
        REGIONAL,
        public_url="http://visio.region.example",
        turn=REGIONAL.turn.model_copy(update={"mode": "off"}),
        firewall=REGIONAL.firewall.model_copy(update={"contact": ""}),
        marks=False,
    )
    text = written(bare, form)
    assert "80/TCP" in text
    for gone in ("3478", "19302", "TURN dans TLS", "AF41", "Contact", "Facultatif", "Inspection TLS"):
        assert gone in written(REGIONAL, form) or gone == "TURN dans TLS"
        assert gone not in text


def test_seats_are_written_as_the_language_does() -> None:
    many = replace(REGIONAL, firewall=REGIONAL.firewall.model_copy(update={"seats": 1025}))
    french, english = written(many, Form.TEXT, "fr"), written(many, Form.TEXT, "en")
    assert "1\u202f025\u00a0postes simultanés" in french
    assert "2\u202f050\u00a0Mbit/s" in french
    assert "61,5\u00a0Mbit/s" in french
    assert "1,025 seats at once" in english
    assert "61.5\u00a0Mbit/s" in english

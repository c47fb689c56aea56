"""The page stands by itself, is well made, and runs nothing that somebody wrote into the settings."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.deployments import deployments
from tests.support.page_reader import PageReader
from tests.support.regional import REGIONAL, TODAY
from turn_config import Deployment
from turn_config.firewall import LANGUAGES, Form, Language, firewall_sheet
from turn_config.firewall.rows import rows


class Reader(PageReader):
    """Reads a sheet, without its style."""

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data.strip())


def page(deployment: Deployment, language: Language = "fr") -> Reader:
    return Reader(firewall_sheet(deployment, Form.HTML, language, today=TODAY))


@given(deployments(), st.sampled_from(LANGUAGES))
@settings(max_examples=30, deadline=None)
def test_every_page_is_well_made_and_has_a_row_for_each_rule(
    deployment: Deployment, language: Language
) -> None:
    read = page(deployment, language)
    assert read.all("html") == [{"lang": language}]
    assert {one["scope"] for one in read.all("th")} == {"col", "row"}
    ids = [attributes["id"] for _, attributes in read.seen if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert {one["aria-labelledby"] for one in read.all("section")} <= set(ids)
    told = [row.written for row in rows(deployment)]
    assert [word for word in read.words if word in told] == told


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_comes_from_elsewhere(language: Language) -> None:
    read = page(REGIONAL, language)
    tags = {tag for tag, _ in read.seen}
    assert tags.isdisjoint({"script", "link", "img", "iframe", "object", "form"})
    assert {one["href"] for one in read.all("a")} == {"https://visio.region.example"}
    assert not any("src" in attributes or "style" in attributes for _, attributes in read.seen)
    text = firewall_sheet(REGIONAL, Form.HTML, language, today=TODAY)
    assert "url(" not in text
    assert "@import" not in text
    (policy,) = [one["content"] for one in read.all("meta") if one.get("http-equiv")]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style><b>", "&lt;b&gt; & <"]
)
def test_what_the_settings_say_is_text(hostile: str) -> None:
    contact = REGIONAL.firewall.model_copy(update={"contact": hostile})
    read = page(replace(REGIONAL, firewall=contact))
    assert hostile in read.words
    assert [tag for tag, _ in read.seen] == [tag for tag, _ in page(REGIONAL).seen]


def test_a_test_page_with_a_quote_in_it_stays_one_address() -> None:
    odd = 'https://visio.region.example/"onclick="x'
    tested = replace(REGIONAL, firewall=REGIONAL.firewall.model_copy(update={"test_page": odd}))
    links = page(tested).all("a")
    assert links[1] == {"href": odd}

"""Every text is there in every language, with the same things to fill in."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from enum import Enum
from typing import Any

import pytest

from turn_config.firewall import LANGUAGES, Language
from turn_config.firewall.writing import WORDS

# Proper names, units and notations.
THE_SAME = {
    "IPv4", "IPv6", "Port", "Date", "Contact", "Service", "DSCP", "TLS", "Proxy", "—",
    "Mbit/s", "kbit/s",
}  # fmt: skip


def texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield place, value
        case Mapping():
            for key, one in value.items():
                yield from texts(one, f"{place}[{key}]")
        case tuple():
            for number, one in enumerate(value):
                yield from texts(one, f"{place}[{number}]")
        case _:
            for field in fields(value):
                yield from texts(getattr(value, field.name), f"{place}.{field.name}")


def mappings(value: Any, place: str = "") -> Iterator[tuple[str, Mapping[object, object]]]:
    for field in fields(value):
        inside = getattr(value, field.name)
        if isinstance(inside, Mapping):
            yield f"{place}.{field.name}", inside
        elif not isinstance(inside, str | tuple):
            yield from mappings(inside, f"{place}.{field.name}")


FRENCH, ENGLISH = dict(texts(WORDS["fr"])), dict(texts(WORDS["en"]))


def test_there_is_a_table_for_each_language() -> None:
    assert {name: words.language for name, words in WORDS.items()} == {name: name for name in LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_member_of_an_enumeration_has_its_word(language: Language) -> None:
    found = [
        (place, set(one), set(type(member)))
        for place, one in mappings(WORDS[language])
        for member in [next(iter(one))]
        if isinstance(member, Enum)
    ]
    assert len(found) == 7
    assert [place for place, told, members in found if told != members] == []


def test_both_languages_say_the_same_things() -> None:
    assert FRENCH.keys() == ENGLISH.keys()
    assert [place for place, text in (FRENCH | ENGLISH).items() if not text] == []


def test_both_languages_fill_in_the_same() -> None:
    assert {place: filled(text) for place, text in FRENCH.items()} == {
        place: filled(text) for place, text in ENGLISH.items()
    }


def filled(text: str) -> set[str]:
    return set(re.findall(r"{\w*}", text))


def test_no_text_was_left_in_the_other_language() -> None:
    assert {text for place, text in FRENCH.items() if text == ENGLISH[place]} == THE_SAME


def test_french_never_breaks_a_line_before_a_mark_or_a_unit() -> None:
    breaks = re.compile(r" [:;?!»%]|« |[\d}] (?:s|ms|postes)\b")
    assert [text for text in FRENCH.values() if breaks.search(text)] == []

"""What a person reads of findings: every test of a judgement renders both languages."""

from collections.abc import Iterable

from colloque.doctor.finding import Finding
from colloque.doctor.words import Words

ENGLISH, FRENCH = Words.of("en"), Words.of("fr")


def codes(found: Finding | Iterable[Finding]) -> list[str]:
    """Give the codes, after each was said in both languages, with every place filled."""
    findings = [found] if isinstance(found, Finding) else list(found)
    for one in findings:
        for words in (ENGLISH, FRENCH):
            assert words.what(one)
            words.do(one)
    return [one.code for one in findings]


def english(found: Finding | Iterable[Finding]) -> str:
    """Give all sentences in English."""
    findings = [found] if isinstance(found, Finding) else list(found)
    return "\n".join(f"{ENGLISH.what(one)}. {ENGLISH.do(one)}" for one in findings)

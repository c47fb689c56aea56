"""The sentences for each code, one file for each language."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from colloque.doctor.finding import Finding, Language


class Words:
    """One language."""

    def __init__(self, language: Language, sentences: dict[str, dict[str, str]]) -> None:
        """Take the sentences by code."""
        self.language = language
        self.sentences = sentences

    @classmethod
    def of(cls, language: Language) -> Self:
        """Read the file of a language."""
        text = Path(__file__).with_name(f"{language}.toml").read_text(encoding="utf-8")
        return cls(language, tomllib.loads(text))

    def what(self, finding: Finding) -> str:
        """Say what is so."""
        return self._filled("what", finding)

    def do(self, finding: Finding) -> str:
        """Say what to do; nothing where all is well."""
        return self._filled("do", finding)

    def _filled(self, part: str, finding: Finding) -> str:
        values = {
            name: value[self.language] if isinstance(value, dict) else value
            for name, value in finding.values.items()
        }
        return self.sentences[finding.code].get(part, "").format(**values)

"""What is said altogether: the settings' lines, the form of lines and JSON, and examinations that hang."""

import io
import re
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from colloque.doctor import settings
from colloque.doctor.catalogue import VERDICTS
from colloque.doctor.examination import Examination, Examined, examine, same
from colloque.doctor.finding import Finding, Level
from colloque.doctor.ports import FREE, TAKEN
from colloque.doctor.report import document, lines, worst
from colloque.doctor.settings import NO_FILE, SettingsFacts
from colloque.doctor_command import Lang, Progress, chosen_language, paint
from tests.support.doctor_words import ENGLISH, FRENCH, codes

DOCS = Path(__file__).parents[4] / "docs" / "doctor.md"
PLACES = {"place": "443/TCP", "address": "10.0.0.5", "setting": "server.listen"}
FINE = FREE(**PLACES)
BAD = TAKEN(**PLACES, holder="nginx, pid 812")


def test_every_verdict_has_its_sentences_in_both_languages() -> None:
    known = [one.code for one in VERDICTS]
    assert len(set(known)) == len(known)
    for words in (ENGLISH, FRENCH):
        assert list(words.sentences) == known
        for one in VERDICTS:
            assert ("do" in words.sentences[one.code]) is (one.level is not Level.OK), one.code
            # The line puts the full stop.
            assert not any(text.endswith(".") for text in words.sentences[one.code].values()), one.code


def test_both_languages_tell_the_same_facts() -> None:
    for one in VERDICTS:
        told = [
            set(re.findall(r"\{(\w+)\}", " ".join(words.sentences[one.code].values())))
            for words in (ENGLISH, FRENCH)
        ]
        assert told[0] == told[1], one.code


def test_the_table_of_codes_in_the_documentation_says_what_is_said() -> None:
    text = DOCS.read_text(encoding="utf-8").partition("## Every code")[2]
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    expected = []
    for one in VERDICTS:
        said = ENGLISH.sentences[one.code]
        expected.append(f"| `{one.code}` | {one.level} | {said['what']} | {said.get('do', '')} |")
    assert rows == expected


def test_a_line_says_level_fact_advice_and_code() -> None:
    told = lines([FINE, BAD], ENGLISH, {})
    assert told == [
        "ok    443/TCP on 10.0.0.5 is free: the server can take it (server.listen).",
        (
            "fail  443/TCP on 10.0.0.5 is held by another program (nginx, pid 812)."
            " Stop that program, or change server.listen. [port.taken]"
        ),
        "1 ok, 0 to improve (warn), 1 to put right (fail)",
    ]


def test_a_line_in_french_is_french() -> None:
    assert lines([BAD], FRENCH, {})[0].startswith(
        "fail  443/TCP sur 10.0.0.5 est tenu par un autre programme (nginx, pid 812). Arrêtez ce programme"
    )


def test_levels_are_painted_and_nothing_else() -> None:
    told = lines([FINE, BAD], ENGLISH, {Level.FAIL: lambda text: f"<{text}>"})
    assert told[0].startswith("ok    443")
    assert told[1].startswith("<fail>  443")


def test_json_has_the_code_for_programs_and_the_words_for_people() -> None:
    assert document([FINE, BAD], ENGLISH, version="1.2") == {
        "version": "1.2",
        "verdict": "fail",
        "findings": [
            {
                "code": "port.free",
                "level": "ok",
                "what": "443/TCP on 10.0.0.5 is free: the server can take it (server.listen)",
                "do": "",
            },
            {
                "code": "port.taken",
                "level": "fail",
                "what": "443/TCP on 10.0.0.5 is held by another program (nginx, pid 812)",
                "do": "Stop that program, or change server.listen",
            },
        ],
    }


def test_the_worst_level_is_that_of_all() -> None:
    assert worst([]) == worst([FINE]) == Level.OK
    assert worst([FINE, NO_FILE()]) is Level.WARN
    assert worst([BAD, FINE, NO_FILE()]) is Level.FAIL


def test_the_settings_lines_are_those_of_config_check() -> None:
    facts = SettingsFacts(
        "c.toml", ("c.toml: media.udp_prot: there is no such setting",), True, ("media",), False
    )
    found = list(settings.judge(facts))
    assert codes(found) == ["settings.wrong", "settings.left_out"]
    assert ENGLISH.what(found[0]) == "c.toml: media.udp_prot: there is no such setting"
    assert "media" in ENGLISH.what(found[1])


def test_settings_that_can_be_used_are_named_or_missed() -> None:
    assert codes(settings.judge(SettingsFacts("c.toml", (), True, (), False))) == ["settings.usable"]
    assert codes(settings.judge(SettingsFacts(None, (), False, (), True))) == [
        "settings.no_file",
        "settings.no_key",
        "settings.as_root",
    ]


def test_findings_come_in_the_order_of_the_examinations() -> None:
    second_done = threading.Event()

    def first() -> list[Finding]:
        assert second_done.wait(5)
        return [FINE]

    def second() -> list[Finding]:
        second_done.set()
        return [BAD]

    told = _examined(first, second)
    assert [one.code for one in told.findings] == ["port.free", "port.taken"]
    assert told.is_complete


def test_one_that_hangs_costs_a_line_and_not_the_run() -> None:
    released = threading.Event()

    def hangs() -> list[Finding]:
        released.wait(10)
        return []

    told = _examined(hangs, lambda: [FINE], within_seconds=0.1)
    released.set()
    assert codes(told.findings) == ["examination.no_answer", "port.free"]
    assert not told.is_complete
    assert "number 0" in ENGLISH.what(told.findings[0])


def test_one_that_breaks_costs_a_line_and_tells_no_secret() -> None:
    def breaks() -> list[Finding]:
        raise ValueError("postgresql://colloque:secret@db")

    told = _examined(breaks, lambda: [FINE])
    assert codes(told.findings) == ["examination.broken", "port.free"]
    assert "secret" not in ENGLISH.what(told.findings[0])
    assert "ValueError" in ENGLISH.what(told.findings[0])


def _examined(*looks: Callable[[], Iterable[Finding]], within_seconds: float = 5.0) -> Examined:
    examinations = [
        Examination(same(f"number {number}"), frozenset(), look) for number, look in enumerate(looks)
    ]
    return examine(
        examinations, within_seconds=within_seconds, clock=time.monotonic, progress=lambda _done, _left: None
    )


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_and_wiped_away(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    progress = Progress("fr")
    progress.show(1, [Examination({"en": "clock", "fr": "horloge"}, frozenset(), list)])
    assert "1/2  horloge" in terminal.getvalue()
    progress.clear()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_a_pipe_gets_neither_progress_nor_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr("sys.stderr", pipe)
    progress = Progress("en")
    progress.show(0, [Examination(same("clock"), frozenset(), list)])
    progress.clear()
    assert pipe.getvalue() == ""
    monkeypatch.setattr("sys.stdout", pipe)
    assert paint() == {}


def test_colours_are_for_terminals_unless_they_are_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", _Terminal())
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in lines([BAD], ENGLISH, paint())[0]
    monkeypatch.setenv("NO_COLOR", "1")
    assert paint() == {}


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "C.UTF-8", "LC_MESSAGES": "fr_CA"}, "fr"),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": ""}, "fr"),
        ({"LANG": "de_DE"}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_is_what_posix_says(
    variables: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert chosen_language(None) == language
    assert chosen_language(Lang.FR) == "fr"
    assert chosen_language(Lang.EN) == "en"

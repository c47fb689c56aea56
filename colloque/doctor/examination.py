"""Examinations side by side, each with a bound, so that one that hangs costs a line and not the run."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from colloque.doctor.finding import Finding, warn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from colloque.doctor.finding import Language


@dataclass(frozen=True, slots=True)
class Examination:
    """Something to look at."""

    subject: dict[Language, str]
    """What it looks at, for the line of one that gives no answer."""
    sections: frozenset[str]
    """The sections of the settings that it goes by; it is left out where one of them is wrong."""
    look: Callable[[], Iterable[Finding]]


def same(text: str) -> dict[Language, str]:
    """Name what is called the same in every language."""
    return {"en": text, "fr": text}


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of all of them."""

    findings: tuple[Finding, ...]
    is_complete: bool
    """False where one was still looking at the end, in a thread that nothing can stop."""


def examine(
    examinations: Sequence[Examination],
    *,
    within_seconds: float,
    clock: Callable[[], float],
    progress: Callable[[int, Sequence[Examination]], None],
) -> Examined:
    """Make them all at once; give the findings in the order of the examinations.

    `progress` is told how many are done, and which are still looking.
    """
    answers: queue.SimpleQueue[tuple[int, list[Finding]]] = queue.SimpleQueue()
    for number, one in enumerate(examinations):
        # Not of a pool, whose threads would be waited for at the end: a look-up that hangs cannot be stopped.
        threading.Thread(target=_look, args=(number, one, answers), daemon=True).start()
    found: dict[int, list[Finding]] = {}
    until = clock() + within_seconds
    while len(found) < len(examinations):
        progress(len(found), [one for number, one in enumerate(examinations) if number not in found])
        try:
            number, findings = answers.get(timeout=max(until - clock(), 0))
        except queue.Empty:
            break
        found[number] = findings
    for number, one in enumerate(examinations):
        if number not in found:
            found[number] = [NO_ANSWER(subject=one.subject, seconds=f"{within_seconds:g}")]
    told = tuple(each for number in sorted(found) for each in found[number])
    return Examined(told, is_complete=not any(each.verdict is NO_ANSWER for each in told))


def _look(number: int, one: Examination, answers: queue.SimpleQueue[tuple[int, list[Finding]]]) -> None:
    try:
        found = list(one.look())
    except Exception as error:  # whatever it was, the other lines are wanted
        # Only its kind: its text may hold an address with a password in it.
        found = [BROKEN(subject=one.subject, reason=_kind(error))]
    answers.put((number, found))


def _kind(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__


NO_ANSWER = warn("examination.no_answer")
BROKEN = warn("examination.broken")

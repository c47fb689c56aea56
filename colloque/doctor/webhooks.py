"""Where webhooks may go: whether the names exist, and lead where webhooks may connect. Nobody is called."""

from __future__ import annotations

from dataclasses import dataclass

from colloque.doctor.finding import Finding, fail, ok, warn


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """What looking up the host of a target gave."""

    entry: str
    """As the settings write it."""
    name: str
    found: tuple[str, ...] | None
    """None where no answer came in time; empty where the name does not exist."""
    refused: tuple[str, ...]
    """Of those, the ones that a webhook would not connect to."""


def judge(facts: TargetFacts) -> Finding:
    """Say whether webhooks could get there."""
    if facts.found is None:
        return SILENT(entry=facts.entry, name=facts.name)
    if not facts.found:
        return UNKNOWN(entry=facts.entry, name=facts.name)
    if len(facts.refused) == len(facts.found):
        return PRIVATE(entry=facts.entry, addresses=", ".join(facts.refused), first=facts.refused[0])
    return LEADS(entry=facts.entry)


LEADS = ok("webhook.leads")
UNKNOWN = warn("webhook.unknown")
SILENT = warn("webhook.silent")
PRIVATE = fail("webhook.private")

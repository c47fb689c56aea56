"""The waiting room's own channel: see docs/waiting.md."""

from signalling.waiting.call_verbs import CALL_VERBS
from signalling.waiting.group_verbs import GROUP_VERBS
from signalling.waiting.host_verbs import HOST_VERBS
from signalling.waiting.server import WaitingServer
from signalling.waiting.settings import WaitingLimits, WaitingSettings, WaitingTimes
from signalling.waiting.verbs import HOSTS, WAITING_VERBS, Deed, Verb

__all__ = [
    "CALL_VERBS",
    "GROUP_VERBS",
    "HOSTS",
    "HOST_VERBS",
    "WAITING_VERBS",
    "Deed",
    "Verb",
    "WaitingLimits",
    "WaitingServer",
    "WaitingSettings",
    "WaitingTimes",
]

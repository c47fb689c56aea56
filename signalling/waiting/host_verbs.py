"""Everything that a host or delegate may ask for on this channel."""

from collections.abc import Mapping

from signalling.waiting.call_verbs import CALL_VERBS
from signalling.waiting.group_verbs import GROUP_VERBS
from signalling.waiting.verbs import WAITING_VERBS, Verb

HOST_VERBS: Mapping[str, Verb] = {**WAITING_VERBS, **CALL_VERBS, **GROUP_VERBS}

"""Who may do what to whom in a call and at its door: one table, asked for every act of a host or delegate.

The calling application, which owns the room, may do all of it and is not asked. A person may if their
rights say so now (`Grants.room_admin`), whatever they said when the person came in. A delegate acts for the
host, but takes nothing away from a host.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from rooms.presence import MODERATORS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rooms.model import Role


class ModerationAct(StrEnum):
    """What a moderator can do."""

    ADMIT = "admit"
    """Let people in who wait."""
    DENY = "deny"
    """Turn somebody away."""
    WRITE = "write"
    """Tell those who wait something, or how late the host is."""
    MUTE = "mute"
    """Switch off what people send; never on."""
    RESTRAIN = "restrain"
    """Forbid or allow sources, and switching one's own microphone on again."""
    LOWER_HAND = "lower_hand"
    LOCK = "lock"
    UNLOCK = "unlock"
    REMOVE = "remove"
    """Throw somebody out, who stays out."""
    END = "end"
    """End the call for everybody."""
    GROUP = "group"
    """Open and close sub-groups, and place people there."""
    ANNOUNCE = "announce"
    """Say something to everybody in the room and its sub-groups."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Which roles may do it, and whether a delegate may do it to a host."""

    roles: frozenset[Role] = MODERATORS
    to_hosts: bool = True


RULES: Mapping[ModerationAct, Rule] = {
    ModerationAct.ADMIT: Rule(),
    ModerationAct.DENY: Rule(to_hosts=False),
    ModerationAct.WRITE: Rule(),
    ModerationAct.MUTE: Rule(),
    ModerationAct.RESTRAIN: Rule(to_hosts=False),
    ModerationAct.LOWER_HAND: Rule(),
    ModerationAct.LOCK: Rule(),
    ModerationAct.UNLOCK: Rule(),
    ModerationAct.REMOVE: Rule(to_hosts=False),
    ModerationAct.END: Rule(),
    ModerationAct.GROUP: Rule(),
    ModerationAct.ANNOUNCE: Rule(),
}


def may_act(act: ModerationAct, role: Role, target: Role | None = None) -> bool:
    """Whether somebody of this role, whose rights are those of a moderator, may do it to somebody of that."""
    rule = RULES[act]
    return role in rule.roles and (rule.to_hosts or role == "host" or target != "host")

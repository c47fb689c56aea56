"""Who moderates a room now, whatever their token said when they came."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from rooms import rows
from rooms.authority import may_act
from rooms.errors import Forbidden
from rooms.rights import in_force
from rooms.tables import ParticipantRow, RoomRow

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.authority import ModerationAct
    from rooms.model import Admission, Role


@dataclass(frozen=True, slots=True)
class Moderator:
    """A person who came with a join token, in the room that it is for; may turn out to be no moderator."""

    admission: Admission


async def moderating_role(session: AsyncSession, room: RoomRow, who: Moderator, act: ModerationAct) -> Role:
    """Give the role in which somebody does this now, in the transaction of the act; raise `Forbidden`."""
    admission = who.admission
    row = await session.get(ParticipantRow, (room.uid, admission.identity))
    if row is not None and (row.state in {"removed", "denied"} or admission.epoch < row.epoch):
        raise Forbidden("this access was ended")
    warrant, role = admission.warrant, cast("Role", admission.role)
    if row is not None and not row.forgotten:
        warrant, role = replace(warrant, stored=rows.grants_of(row)), cast("Role", row.role)
    if not in_force(warrant, rows.features_of(room)).room_admin:
        raise Forbidden("only hosts and delegates may do that")
    # Before anything is said of other people: who may not moderate learns nothing of who is here.
    if not may_act(act, role):
        raise Forbidden("this role may not do that")
    return role

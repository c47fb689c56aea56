"""Rows of the tables as values, and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import cast

from rooms.model import (
    Bandwidth,
    CallRules,
    Features,
    Grants,
    Link,
    Participant,
    ParticipantDraft,
    ParticipantState,
    Restraints,
    Role,
    Room,
    RoomDraft,
    RoomKind,
    RoomState,
    Source,
)
from rooms.rights import grants_for
from rooms.tables import LinkRow, ParticipantRow, RoomRow
from rooms.window import closes_at, opens_at


def room_of(row: RoomRow) -> Room:
    """Give the room that a row holds."""
    return Room(
        uid=row.uid,
        tenant=row.tenant,
        id=row.id,
        name=row.name,
        kind=cast("RoomKind", row.kind),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        open_before_minutes=row.open_before_minutes,
        close_after_minutes=row.close_after_minutes,
        max_participants=row.max_participants,
        waiting_room=row.waiting_room,
        bandwidth=bandwidth_of(row),
        features=features_of(row),
        metadata=row.labels,
        state=cast("RoomState", row.state),
        started_at=row.started_at,
        ended_at=row.ended_at,
        shared_metadata=row.shared_metadata,
        restraints=restraints_of(row),
        locked_at=row.locked_at,
        created_at=row.created_at,
        version=row.version,
    )


def write_room(row: RoomRow, draft: RoomDraft, *, open_before_minutes: int, close_after_minutes: int) -> None:
    """Put what the caller wants into a row that has its ids and `created_at`."""
    row.name = draft.name
    row.kind = draft.kind
    row.starts_at = draft.starts_at
    row.ends_at = draft.ends_at
    row.open_before_minutes = open_before_minutes
    row.close_after_minutes = close_after_minutes
    row.agenda_at = row.created_at if draft.starts_at is None else draft.starts_at
    row.opens_at = opens_at(row)
    row.closes_at = closes_at(row)
    row.max_participants = draft.max_participants
    row.waiting_room = draft.waiting_room
    row.bandwidth = None if draft.bandwidth == Bandwidth() else asdict(draft.bandwidth)
    row.features = asdict(draft.features)
    row.labels = dict(draft.metadata)


def features_of(row: RoomRow) -> Features:
    """Give what is possible in the room; features added since the row was written have their defaults."""
    known = Features.__dataclass_fields__
    return Features(**{name: value for name, value in row.features.items() if name in known})


def bandwidth_of(row: RoomRow) -> Bandwidth:
    """Give what the media of the room may take; what was added since the row was written has its default."""
    known = Bandwidth.__dataclass_fields__
    return Bandwidth(**{name: value for name, value in (row.bandwidth or {}).items() if name in known})


def rules_of(row: RoomRow) -> CallRules:
    """Give what holds for everybody in the room's call."""
    return _rules(row, features_of(row), restraints_of(row), bandwidth_of(row))


def call_rules(room: Room) -> CallRules:
    """Give what holds for everybody in the room's call; the text is empty if all is as usual."""
    return _rules(room, room.features, room.restraints, room.bandwidth)


_AS_USUAL = (None, Features(), Restraints(), Bandwidth(), False)


def _rules(
    room: Room | RoomRow, features: Features, restraints: Restraints, bandwidth: Bandwidth
) -> CallRules:
    text, locked = room.shared_metadata or "", room.locked_at is not None
    if not text and (room.name, features, restraints, bandwidth, locked) != _AS_USUAL:
        said = {
            "name": room.name,
            "kind": room.kind,
            "bandwidth": asdict(bandwidth),
            "features": asdict(features),
            "restraints": asdict(restraints),
            "locked": locked,
        }
        text = json.dumps(said, ensure_ascii=False)
    return CallRules(features, room.max_participants, text, restraints, bandwidth)


def participant_of(row: ParticipantRow, *, group: str | None) -> Participant:
    """Give the participant that a row holds; `group` is where the person belongs."""
    return Participant(
        room_uid=row.room_uid,
        identity=row.identity,
        role=cast("Role", row.role),
        name=row.name,
        can_publish=sources_of(row),
        attributes=row.attributes,
        metadata=row.labels,
        state=cast("ParticipantState", row.state),
        waiting_since=row.waiting_since,
        restraints=restraints_of(row),
        group=group,
        epoch=row.epoch,
        created_at=row.created_at,
        version=row.version,
    )


def new_participant(room_uid: str, identity: str, *, now: float) -> ParticipantRow:
    """Make an empty row for a person who is expected as a guest."""
    row = ParticipantRow(
        room_uid=room_uid,
        identity=identity,
        state="expected",
        waiting_since=None,
        waiting_node=None,
        admitted_at=None,
        forgotten=False,
        epoch=0,
        revoked_at=None,
        created_at=now,
        version=1,
    )
    write_participant(row, ParticipantDraft())
    return row


def write_participant(row: ParticipantRow, draft: ParticipantDraft) -> None:
    """Put what the caller wants into a row."""
    row.role = draft.role
    row.name = draft.name
    row.can_publish = None if draft.can_publish is None else list(draft.can_publish)
    row.attributes = dict(draft.attributes)
    row.labels = dict(draft.metadata)


def draft_of(row: ParticipantRow) -> ParticipantDraft:
    """Give what the caller last wanted of a participant."""
    return ParticipantDraft(
        role=cast("Role", row.role),
        name=row.name,
        can_publish=sources_of(row),
        attributes=dict(row.attributes),
        metadata=dict(row.labels),
    )


def sources_of(row: ParticipantRow) -> tuple[Source, ...] | None:
    """Give the sources that the caller listed, if any list was given."""
    return None if row.can_publish is None else cast("tuple[Source, ...]", tuple(row.can_publish))


def restraints_of(row: RoomRow | ParticipantRow) -> Restraints:
    """Give what was taken away from a person, or from everybody in a room."""
    if row.restraints is None:
        return Restraints()
    return Restraints(tuple(row.restraints["forbidden"]), row.restraints["may_unmute"])


def write_restraints(row: RoomRow | ParticipantRow, restraints: Restraints) -> None:
    """Put what is taken away into a row; nothing is written as null."""
    row.restraints = None if restraints == Restraints() else asdict(restraints)


def grants_of(row: ParticipantRow) -> Grants:
    """Give what is stored of a participant's rights, whatever the features of the room."""
    return grants_for(cast("Role", row.role), sources_of(row))


def link_of(row: LinkRow) -> Link:
    """Give the link that a row holds."""
    return Link(
        id=row.id,
        room_uid=row.room_uid,
        identity=row.identity,
        role=cast("Role", row.role),
        created_at=row.created_at,
        expires_at=row.expires_at,
    )

"""The life of one participant in a call, from the join to the end, as a table.

Theory of operation. A participant has two ties to the server: signalling (a WebSocket) and media (the leg's
transport). Either may break alone. Signalling that breaks is waited for, while media flows on; media that
fails cannot be mended from here, so the client is told to join afresh. Everything else ends the participant
at once, each event with what the client is told (`ENDINGS`).

    JOINING --media up--> ACTIVE <--signal back / signal lost--> ADRIFT
    JOINING --signal lost--> ADRIFT (media may still come up; the state after the return is then ACTIVE)
    any --an event of ENDINGS--> ENDED

Tables after h11 `_state.py`; the waits after livekit `pkg/rtc/participant.go`.
"""

from dataclasses import dataclass
from enum import StrEnum

from livekit.protocol.models import DisconnectReason
from livekit.protocol.rtc import LeaveRequest

from sfu import CloseReason


class State(StrEnum):
    """Where a participant is in its life."""

    JOINING = "joining"
    """The client has its `join`; no media yet."""
    ACTIVE = "active"
    """Signalling and media are both there."""
    ADRIFT = "adrift"
    """Signalling is lost; the client may come back."""
    ENDED = "ended"


class Event(StrEnum):
    """What can happen to a participant."""

    MEDIA_UP = "media-up"
    SIGNAL_LOST = "signal-lost"
    SIGNAL_BACK = "signal-back"
    LEFT = "left"
    """The client said goodbye."""
    REPLACED = "replaced"
    """The same identity joined again."""
    REMOVED = "removed"
    ROOM_CLOSED = "room-closed"
    SHUTDOWN = "shutdown"
    MEDIA_FAILED = "media-failed"
    MEDIA_LATE = "media-late"
    """Media did not come up in time."""
    RESUME_LATE = "resume-late"
    """Signalling did not come back in time."""
    STATE_LOST = "state-lost"
    """What the client says it is does not fit what we know; it has to join afresh."""
    OFFER_UNUSABLE = "offer-unusable"
    """The client's offer can never lead to a connection."""
    JOIN_BROKEN = "join-broken"
    """Something of ours went wrong before the join was done."""
    ABUSE = "abuse"
    """The client broke the rules of the protocol or its limits."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What the end of a participant means to the client, the live side and the others."""

    reason: DisconnectReason
    """Told to the client and to the others."""
    action: LeaveRequest.Action
    """What the client should do then."""
    close_code: int
    """Of the WebSocket; 4000 and above are ours (RFC 6455, 7.4.2)."""
    leg: CloseReason


_DISCONNECT = LeaveRequest.DISCONNECT
_RECONNECT = LeaveRequest.RECONNECT

ENDINGS: dict[Event, Ending] = {
    Event.LEFT: Ending(DisconnectReason.CLIENT_INITIATED, _DISCONNECT, 1000, CloseReason.LEFT),
    Event.REPLACED: Ending(DisconnectReason.DUPLICATE_IDENTITY, _DISCONNECT, 4003, CloseReason.REPLACED),
    Event.REMOVED: Ending(DisconnectReason.PARTICIPANT_REMOVED, _DISCONNECT, 4004, CloseReason.REMOVED),
    Event.ROOM_CLOSED: Ending(DisconnectReason.ROOM_DELETED, _DISCONNECT, 4005, CloseReason.ROOM_CLOSED),
    # The server will be back, or another will: calls go on.
    Event.SHUTDOWN: Ending(DisconnectReason.SERVER_SHUTDOWN, _RECONNECT, 1001, CloseReason.SHUTDOWN),
    Event.MEDIA_FAILED: Ending(
        DisconnectReason.MEDIA_FAILURE, _RECONNECT, 4006, CloseReason.TRANSPORT_FAILED
    ),
    Event.MEDIA_LATE: Ending(
        DisconnectReason.CONNECTION_TIMEOUT, _DISCONNECT, 4006, CloseReason.TRANSPORT_FAILED
    ),
    Event.RESUME_LATE: Ending(DisconnectReason.SIGNAL_CLOSE, _DISCONNECT, 4002, CloseReason.LEFT),
    Event.STATE_LOST: Ending(DisconnectReason.STATE_MISMATCH, _RECONNECT, 4007, CloseReason.LEFT),
    Event.OFFER_UNUSABLE: Ending(
        DisconnectReason.MEDIA_FAILURE, _DISCONNECT, 4008, CloseReason.TRANSPORT_FAILED
    ),
    Event.JOIN_BROKEN: Ending(DisconnectReason.JOIN_FAILURE, _DISCONNECT, 4010, CloseReason.LEFT),
    Event.ABUSE: Ending(DisconnectReason.STATE_MISMATCH, _DISCONNECT, 1008, CloseReason.REMOVED),
}

TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.JOINING, Event.MEDIA_UP): State.ACTIVE,
    (State.JOINING, Event.SIGNAL_LOST): State.ADRIFT,
    (State.JOINING, Event.SIGNAL_BACK): State.JOINING,
    (State.ACTIVE, Event.SIGNAL_LOST): State.ADRIFT,
    # A client may come back before we notice that it was gone.
    (State.ACTIVE, Event.SIGNAL_BACK): State.ACTIVE,
    (State.ADRIFT, Event.MEDIA_UP): State.ADRIFT,
    (State.ADRIFT, Event.SIGNAL_BACK): State.ACTIVE,
    **{(state, event): State.ENDED for state in State if state is not State.ENDED for event in ENDINGS},
}


class Lifecycle:
    """Where one participant is in its life."""

    def __init__(self) -> None:
        self.state = State.JOINING
        self.media_up = False
        self.ended_by: Event | None = None

    def handle(self, event: Event) -> bool:
        """Go where the table says; False if the event means nothing here and nothing changed."""
        after = TRANSITIONS.get((self.state, event))
        if after is None:
            return False
        if event is Event.MEDIA_UP:
            self.media_up = True
        if after is State.ACTIVE and not self.media_up:
            after = State.JOINING
        if after is State.ENDED:
            self.ended_by = event
        self.state = after
        return True

    @property
    def ending(self) -> Ending | None:
        """What the end means, once there is one."""
        return ENDINGS[self.ended_by] if self.ended_by else None

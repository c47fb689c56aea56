"""What the management interface needs of calls in progress; signalling has it (`colloque/server.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from livekit.protocol.models import ParticipantInfo, TrackInfo
    from livekit.protocol.room import SendDataRequest, UpdateParticipantRequest, UpdateSubscriptionsRequest

    from rooms import LegQuality


class LiveRooms(Protocol):
    """Calls, each by the uid of its room.

    Raises PeerError: `participant-gone`, `track-gone`, `too-large`, and for a move `same-room`, `full` and
    `unreachable`.
    """

    def head_count(self, room: str) -> tuple[int, int]:
        """Return how many people are in the call and how many of them publish."""

    def participants(self, room: str) -> Sequence[ParticipantInfo]:
        """Return everybody in the call."""

    def participant(self, room: str, identity: str) -> ParticipantInfo:
        """Return one person in the call."""

    def hands(self, room: str) -> Sequence[tuple[str, str]]:
        """Return who has a hand up, first come first, each with since when (ISO 8601)."""

    def quality(self, room: str) -> Sequence[LegQuality]:
        """Return how the connection of everybody in the call is whose media is up."""

    def mute(self, room: str, identity: str, track: str) -> TrackInfo:
        """Mute a track of somebody."""

    def update_participant(self, room: str, request: UpdateParticipantRequest) -> ParticipantInfo:
        """Change what everybody sees of a person, and the person's rights, for this stay."""

    def update_subscriptions(self, room: str, request: UpdateSubscriptionsRequest) -> None:
        """Start or stop the delivery of tracks to a person."""

    def send_data(self, room: str, request: SendDataRequest) -> None:
        """Send a message to people in the call; in one where nobody is it reaches nobody."""

    async def move(self, room: str, identity: str, destination: str) -> None:
        """Have a person go on in another room of the tenant, by its id; raise `JoinRefused` at its door."""

"""Hears of every durable change (`rooms.RoomObserver`, and the events): each is a hint to look again."""

from collections.abc import Callable, Mapping

from rooms import Announcement, CallRules, Grants, Restraints, RoomEvent, Source


class Ears:
    """Says in which room something changed; what it was, the scene will tell."""

    def __init__(self, touch: Callable[[str], None]) -> None:
        """Call `touch` with the `uid` of each such room."""
        self._touch = touch

    def follow(self, event: RoomEvent) -> None:
        """Hear of an event."""
        self._touch(event.room_uid)

    def participant_removed(self, room_id: str, identity: str) -> None:  # noqa: ARG002
        """Hear that somebody's tokens are dead."""
        self._touch(room_id)

    def participant_changed(
        self,
        room_id: str,
        identity: str,  # noqa: ARG002
        stored: Grants,  # noqa: ARG002
        name: str,  # noqa: ARG002
        attributes: Mapping[str, str],  # noqa: ARG002
    ) -> None:
        """Hear that what is stored of somebody is another."""
        self._touch(room_id)

    def participant_restrained(
        self,
        room_id: str,
        identity: str,  # noqa: ARG002
        restraints: Restraints,  # noqa: ARG002
    ) -> None:
        """Hear that something was taken away from somebody."""
        self._touch(room_id)

    def tracks_muted(self, room_id: str, identity: str | None, sources: tuple[Source, ...]) -> None:
        """Nothing to see here: the call tells of it."""

    def hands_lowered(self, room_id: str, identity: str | None, by: str | None) -> None:
        """Nothing to see here: the call tells of it."""

    def announced(self, room_id: str, announcement: Announcement) -> None:
        """Nothing to see here: it is for those in the call."""

    def room_changed(self, room_id: str, rules: CallRules) -> None:  # noqa: ARG002
        """Hear that the rules of a room are others."""
        self._touch(room_id)

    def room_closed(self, room_id: str, reason: str) -> None:  # noqa: ARG002
        """Hear that a room is over."""
        self._touch(room_id)

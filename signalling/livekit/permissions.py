"""Who may receive the tracks of a participant, as that participant decided."""

from dataclasses import dataclass, field

from livekit.protocol.rtc import SubscriptionPermission

from sfu import LegKey, TrackKey


@dataclass(frozen=True, slots=True)
class Audience:
    """Everybody, or named people each with all tracks or some.

    A client names people by identity; older ones by sid, which holds for one leg only.
    """

    everybody: bool = True
    all_tracks: frozenset[str] = frozenset()
    """Identities and sids that may receive every track."""
    some_tracks: dict[str, frozenset[str]] = field(default_factory=dict)
    """Identity or sid to track sids."""

    def admits(self, identity: str, leg: LegKey, track: TrackKey) -> bool:
        """Whether this person may receive that track."""
        if self.everybody:
            return True
        return any(
            who in self.all_tracks or track in self.some_tracks.get(who, ()) for who in (identity, str(leg))
        )


def audience_from_wire(permission: SubscriptionPermission) -> Audience:
    """Read a client's decision."""
    all_tracks: set[str] = set()
    some_tracks: dict[str, set[str]] = {}
    for entry in permission.track_permissions:
        who = entry.participant_identity or entry.participant_sid
        if entry.all_tracks:
            all_tracks.add(who)
        else:
            some_tracks.setdefault(who, set()).update(entry.track_sids)
    return Audience(
        permission.all_participants,
        frozenset(all_tracks),
        {who: frozenset(tracks) for who, tracks in some_tracks.items()},
    )

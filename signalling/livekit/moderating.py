"""The order of a call: hands, muting, one presenter at a time.

What a moderator decided was checked and written before it comes here (`rooms.Moderation`); this makes it so
for those in the call. What people do themselves is held to it.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sfu import MediaKind, PeerError, TrackKey, TrackSource
from signalling.livekit.hands import HAND, HAND_SINCE, OF_A_HAND, HandQueue
from signalling.livekit.participant import Participant
from signalling.livekit.presenting import SCREEN, Presenter, gives_way, ones_too_many
from signalling.livekit.tracks import OFFER_WITHIN, PublishedTrack

if TYPE_CHECKING:
    from signalling.livekit.call import Call


class Moderating:
    """The order of one call."""

    def __init__(self, call: "Call") -> None:
        """Keep order in this call."""
        self._call = call
        self.hands = HandQueue()

    # --- hands ---

    def own_attributes(self, person: Participant, wanted: Mapping[str, str]) -> dict[str, str]:
        """Give the attributes that a person has who wants these; a hand goes up or down on the way.

        Raise PeerError `hand-limit` for one that goes up and down all the time.
        """
        raises = bool(wanted.get(HAND)) and not self.hands.value(person.identity)
        if raises and not person.hand_raises.take(now=self._call.around.clocks.now()):
            raise PeerError("hand-limit", "wait a moment before you raise your hand again")
        return self.attributes(person, wanted)

    def attributes(
        self, person: Participant, wanted: Mapping[str, str], *, kept: str = "", cause: str = "media"
    ) -> dict[str, str]:
        """Give these attributes with the server's word on the hand; see `HandQueue.lift` for `kept`."""
        found = {key: value for key, value in wanted.items() if key not in OF_A_HAND}
        if wanted.get(HAND) and self._call.rules.features.raise_hand:
            if self.hands.lift(person.identity, wall=self._call.around.clocks.wall(), kept=kept):
                self._tell(
                    "hand.raised",
                    identity=person.identity,
                    raised_at=self.hands.value(person.identity),
                    position=self.hands.position(person.identity),
                    cause=cause,
                )
                self._renew_token(person)
            found |= {HAND: wanted[HAND], HAND_SINCE: self.hands.value(person.identity)}
        elif self._lower(person.identity, cause=cause):
            self._renew_token(person)
        return found

    def lower_hands(self, identity: str | None, *, by: str | None, now: float) -> None:
        """Take down a hand for a moderator (`by`) or the application; `None`: every hand."""
        for one in list(self.hands) if identity is None else [identity]:
            self._take_down(one, cause="api" if by is None else "host", by=by, now=now)

    def left(self, person: Participant) -> None:
        """Take down the hand of somebody who is gone."""
        self._lower(person.identity, cause="media")

    def _take_down(self, identity: str, *, cause: str, by: str | None = None, now: float) -> None:
        person = self._call.roster.by_identity(identity)
        if person is None or not self._lower(identity, cause=cause, by=by):
            return
        said = person.admission.attributes
        kept = {key: value for key, value in said.items() if key not in OF_A_HAND}
        person.change(attributes=kept)
        self._call.roster.changed(person, now=now)
        self._renew_token(person)

    def _renew_token(self, person: Participant) -> None:
        """Have the client's token say how the hand is: who comes back with it finds the hand as it was."""
        self._call.want_token(person, now=self._call.around.clocks.now())

    def _lower(self, identity: str, *, cause: str, by: str | None = None) -> bool:
        if not self.hands.lower(identity):
            return False
        whose = {} if by is None else {"by": by}
        self._tell("hand.lowered", identity=identity, cause=cause, **whose)
        return True

    # --- microphones and cameras ---

    def mute(self, identity: str | None, sources: Iterable[str], *, now: float) -> None:
        """Mute these sources of a person; `None`: of everybody who does not moderate."""
        wanted = frozenset(sources)
        for person in self._call.roster:
            concerned = not person.grants.room_admin if identity is None else person.identity == identity
            for key, track in list(person.tracks.items()) if concerned else ():
                if not track.info.muted and source_of(track.intent.source, track.intent.kind) in wanted:
                    self._call.silence(person, key, now=now)

    def stays_muted(self, person: Participant, track: PublishedTrack) -> bool:
        """Whether a person may not switch this track on again."""
        source = source_of(track.intent.source, track.intent.kind)
        return source == TrackSource.MICROPHONE and not person.grants.may_unmute

    # --- one presenter ---

    def make_way(self, person: Participant, source: TrackSource, *, now: float) -> None:
        """Let somebody share a screen: raise PeerError `presenter-busy` if it is another one's turn."""
        if source not in SCREEN or not self._call.rules.features.one_presenter:
            return
        for other in list(self._call.roster):
            presenter = self._presenter(other, now=now)
            if other is person or presenter is None:
                continue
            if not gives_way(presenter, newcomer_moderates=person.grants.room_admin):
                raise PeerError("presenter-busy", "somebody else presents already")
            self._end_presentation(other, now=now)

    def rules_changed(self, *, now: float) -> None:
        """Put into force what the rules of the room say of hands and of presenters."""
        features = self._call.rules.features
        if not features.raise_hand:
            for identity in list(self.hands):
                self._take_down(identity, cause="api", now=now)
        if features.one_presenter:
            presenters = [self._presenter(person, now=now) for person in self._call.roster]
            for identity in ones_too_many(one for one in presenters if one is not None):
                person = self._call.roster.by_identity(identity)
                if person is not None:
                    self._end_presentation(person, now=now)

    def _presenter(self, person: Participant, *, now: float) -> Presenter | None:
        began = [
            track.added_at
            for track in person.tracks.values()
            # One that is announced and never offered is a client that changed its mind.
            if track.intent.source in SCREEN and (track.announced or track.added_at + OFFER_WITHIN > now)
        ]
        return Presenter(person.identity, min(began), person.grants.room_admin) if began else None

    def _end_presentation(self, person: Participant, *, now: float) -> None:
        for key, track in list(person.tracks.items()):
            if track.intent.source in SCREEN:
                self._call.end_track(person, TrackKey(key), now=now)

    def _tell(self, type_: str, **data: object) -> None:
        self._call.around.legs.happened(self._call.room_id, type_, data)  # type: ignore[arg-type]


def source_of(source: TrackSource, kind: MediaKind) -> TrackSource:
    """Give what a track is taken for: one of unknown source for a microphone or a camera."""
    if source is not TrackSource.UNKNOWN:
        return source
    return TrackSource.MICROPHONE if kind is MediaKind.AUDIO else TrackSource.CAMERA

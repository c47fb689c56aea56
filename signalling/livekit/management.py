"""What an application does to people in calls: mute, change, move, and messages in nobody's name.

Rooms are named by their uid, as everywhere on the live side. What happens here holds for the stay of the
person; what is to hold longer is stored first (`rooms`), and reaches the call from there.
"""

from collections.abc import Mapping, Sequence

from livekit.protocol import models
from livekit.protocol.models import DataPacket
from livekit.protocol.room import SendDataRequest, UpdateParticipantRequest, UpdateSubscriptionsRequest

from rooms import Gate, Grants, LegQuality, QualityWord
from sfu import PeerError, TrackKey
from signalling.livekit.call import Call
from signalling.livekit.data import LOSSY, RELIABLE
from signalling.livekit.hands import with_hand_down
from signalling.livekit.hub import Hub
from signalling.livekit.media import Clocks
from signalling.livekit.moderating import source_of
from signalling.livekit.participant import Participant
from signalling.livekit.settings import SignalLimits
from signalling.livekit.vocabulary import permission_from_wire
from signalling.present import Present

_WORDS: Mapping[models.ConnectionQuality, QualityWord] = {
    models.ConnectionQuality.EXCELLENT: "excellent",
    models.ConnectionQuality.GOOD: "good",
    models.ConnectionQuality.POOR: "poor",
    models.ConnectionQuality.LOST: "lost",
}


class Management:
    """The calls of a hub as an application may see and change them.

    Raises PeerError: `participant-gone`, `track-gone`, `too-large` (beyond a bound of a client's own
    changes), and for a move what `Hub.move` says.
    """

    def __init__(self, hub: Hub, rooms: Gate, clocks: Clocks, limits: SignalLimits) -> None:
        """Look into this hub; `rooms` says who may be moved where."""
        self._hub = hub
        self._rooms = rooms
        self._clocks = clocks
        self._limits = limits

    def head_count(self, room: str) -> tuple[int, int]:
        """Return how many people are in the call and how many of them publish; hidden ones do not count.

        As everywhere here, those in sub-groups belong to the call of the room.
        """
        told = [call.room_info() for call in self._hub.calls_of(room)]
        return sum(info.num_participants for info in told), sum(info.num_publishers for info in told)

    def participants(self, room: str) -> Sequence[models.ParticipantInfo]:
        """Return everybody in the call, also those who are hidden."""
        return [person.info() for call in self._hub.calls_of(room) for person in call.roster]

    def present(self, room: str) -> Mapping[str, Present]:
        """Return who is in the call, by identity; hidden ones are left out."""
        people = [person for call in self._hub.calls_of(room) for person in call.roster.visible()]
        return {one.identity: Present(one.admission.name, one.grants.room_admin) for one in people}

    def participant(self, room: str, identity: str) -> models.ParticipantInfo:
        """Return one person in the call."""
        return self._find(room, identity)[1].info()

    def hands(self, room: str) -> Sequence[tuple[str, str]]:
        """Return who has a hand up, first come first, each with since when (ISO 8601)."""
        queues = [call.moderating.hands for call in self._hub.calls_of(room)]
        up = [(identity, hands.value(identity)) for hands in queues for identity in hands]
        return sorted(up, key=lambda one: (one[1], one[0]))

    def quality(self, room: str) -> Sequence[LegQuality]:
        """Return how the connection of everybody in the call is whose media is up."""
        return [
            self._quality_of(call, person)
            for call in self._hub.calls_of(room)
            for person in call.roster
            if person.leg is not None and person.lifecycle.media_up
        ]

    def mute(self, room: str, identity: str, track: str) -> models.TrackInfo:
        """Mute a track; its publisher is told, and may unmute it again."""
        call, person = self._find(room, identity)
        muted = call.silence(person, TrackKey(track), now=self._clocks.now())
        source = source_of(muted.intent.source, muted.intent.kind)
        said = {"identity": identity, "sources": [source.value], "cause": "api", "by": None}
        call.around.legs.happened(call.room_id, "participant.muted", said)
        return muted.info

    def update_participant(self, room: str, request: UpdateParticipantRequest) -> models.ParticipantInfo:
        """Change a person; an empty field leaves what there is, an attribute that is empty is removed."""
        call, person = self._find(room, request.identity)
        merged = {**person.admission.attributes, **request.attributes}
        attributes = {key: value for key, value in merged.items() if value}
        self._check_sizes(request, attributes)
        permission = permission_from_wire(request.permission, _present(person))
        call.changes.take_for_stay(
            person,
            permission=permission if request.HasField("permission") else None,
            name=request.name or None,
            metadata=request.metadata or None,
            attributes=attributes,
            now=self._clocks.now(),
        )
        return person.info()

    def update_subscriptions(self, room: str, request: UpdateSubscriptionsRequest) -> None:
        """Start or stop the delivery of tracks to a person; those that are gone are passed over."""
        call, person = self._find(room, request.identity)
        keys = [*request.track_sids, *(key for each in request.participant_tracks for key in each.track_sids)]
        there = [key for key in keys if call.roster.publisher_of(TrackKey(key)) is not None]
        call.subscriptions.desire(person, there, subscribe=request.subscribe)

    def send_data(self, room: str, request: SendDataRequest) -> None:
        """Send a message in nobody's name to everybody in the call, or to those who are named."""
        if len(request.data) > self._limits.data_message_bytes:
            raise PeerError("too-large", f"a message has at most {self._limits.data_message_bytes} bytes")
        named = {*request.destination_identities, *request.destination_sids}
        label = RELIABLE if request.kind == DataPacket.RELIABLE else LOSSY
        payload = _packet(request).SerializeToString()
        for person in (person for call in self._hub.calls_of(room) for person in call.roster):
            if person.leg is None or (named and named.isdisjoint((person.identity, person.key))):
                continue
            if not person.leg.send_data(label, payload):
                self._hub.counters.dropped["data-receiver-slow"] += 1

    async def move(self, room: str, identity: str, destination: str) -> None:
        """Have a person go on in another room of the tenant, by its id; raise `JoinRefused` at its door."""
        while True:
            changes = self._hub.changes
            _, person = self._find(room, identity)
            admission, token = await self._rooms.transfer(
                with_hand_down(person.admission), destination, now=self._clocks.wall()
            )
            if self._hub.changes == changes:
                break  # else something is not what it was when the door was passed
        if self._find(room, identity)[1] is not person:
            raise PeerError("unreachable", "this person has just joined afresh; try again")
        self._hub.move(person, admission, token, now=self._clocks.now())

    def _quality_of(self, call: Call, person: Participant) -> LegQuality:
        judged = person.quality
        age = self._clocks.now() - person.quality_since
        return LegQuality(
            leg=person.key,
            identity=person.identity,
            group=None if call.group is None else call.group.id,
            path=person.path,
            family=person.family,
            figures=person.figures,
            pictures=call.subscriptions.pictures_of(person),
            audio_only=call.rules.bandwidth.audio_only,
            word=None if judged is None else _WORDS[judged.word],
            score=None if judged is None else judged.score,
            since=None if judged is None else self._clocks.wall() - age,
        )

    def _find(self, room: str, identity: str) -> tuple[Call, Participant]:
        found = self._hub.find_person(room, identity)
        if found is None:
            raise PeerError("participant-gone", "this person is not in the call")
        return found

    def _check_sizes(self, request: UpdateParticipantRequest, attributes: Mapping[str, str]) -> None:
        limits = self._limits
        size = sum(len(key.encode()) + len(value.encode()) for key, value in attributes.items())
        for name, found, most in (
            ("name", len(request.name), limits.name_chars),
            ("metadata", len(request.metadata.encode()), limits.metadata_bytes),
            ("attributes", size, limits.attributes_bytes),
        ):
            if found > most:
                raise PeerError("too-large", f"{name}: at most {most}")


def _present(person: Participant) -> Grants:
    warrant = person.admission.warrant
    return warrant.token or warrant.stored or person.grants


def _packet(request: SendDataRequest) -> DataPacket:
    user = models.UserPacket(
        payload=request.data,
        destination_sids=request.destination_sids,
        destination_identities=request.destination_identities,
        nonce=request.nonce,
    )
    if request.HasField("topic"):
        user.topic = request.topic
    return DataPacket(kind=request.kind, user=user, destination_identities=request.destination_identities)

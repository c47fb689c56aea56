"""What clients ask for: one method for each kind of message, in one table."""

# Every handler is called alike, with the time.
# ruff: noqa: ARG002

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from livekit.protocol import models, rtc
from livekit.protocol.rtc import RequestResponse

from sfu import MediaKind, PeerError, TrackKey
from signalling.livekit.hands import OURS
from signalling.livekit.ids import new_track_key
from signalling.livekit.lifecycle import Event
from signalling.livekit.outbox import Outgoing
from signalling.livekit.participant import Participant
from signalling.livekit.permissions import audience_from_wire
from signalling.livekit.tracks import OFFER_WITHIN, PublishedTrack, muted_by_others, track_from_request
from signalling.livekit.vocabulary import kind_from_wire, may_publish, source_from_wire, wanted_from_wire

if TYPE_CHECKING:
    from signalling.livekit.call import Call

# A client whose offer cannot be used now may have a better one after it has joined afresh.
_PASSING = frozenset({"busy", "sdp-mismatch", "too-many-offers"})
# Descriptions only grow; that of a client that joins afresh is small again.
_GROWN = frozenset({"sdp-too-large", "sdp-limit"})
_REASONS = {
    "track-limit": RequestResponse.LIMIT_EXCEEDED,
    "not-allowed": RequestResponse.NOT_ALLOWED,
    "presenter-busy": RequestResponse.NOT_ALLOWED,
    "invalid-track": RequestResponse.INVALID_REQUEST,
}


class Requests:
    """The requests of one call's clients."""

    def __init__(self, call: "Call") -> None:
        self._call = call
        self._handlers: Mapping[str, Callable[..., None]] = {
            "offer": self.offer,
            "answer": self._ignore,  # we make no offers
            "trickle": self._ignore,  # the address of a client is learnt from its own checks
            "add_track": self.add_track,
            "mute": self.mute,
            "subscription": self.subscription,
            "track_setting": self.track_setting,
            "leave": self.leave,
            "update_layers": self._ignore,  # of clients before `add_track` carried the layers
            "subscription_permission": self.subscription_permission,
            "sync_state": self.sync_state,
            "simulate": self.simulate,
            "ping": self.ping,
            "ping_req": self.ping_req,
            "update_metadata": self.update_metadata,
            "update_audio_track": self.update_audio_track,
            "update_video_track": self.update_video_track,
            "publish_data_track_request": self.publish_data_track,
            "unpublish_data_track_request": self._ignore,  # there is none
            "update_data_subscription": self._ignore,
        }

    def handle(self, person: Participant, request: rtc.SignalRequest, *, now: float) -> None:
        """Do what a message asks for; one that we do not know is counted and ignored."""
        person.heard_at = now
        kind = request.WhichOneof("message")
        handler = self._handlers.get(kind or "")
        counters = self._call.around.counters
        if kind is None or handler is None:
            counters.dropped["unknown-message"] += 1
            return
        counters.messages_up[kind] += 1
        handler(person, getattr(request, kind), now=now)

    # --- media ---

    def offer(self, person: Participant, offer: rtc.SessionDescription, *, now: float) -> None:
        """Answer an offer at once, with its id."""
        if person.leg is None:
            return
        try:
            answer = person.leg.negotiate(offer.sdp)
        except PeerError as error:
            self._call.around.counters.dropped[error.code] += 1
            grown = error.code in _GROWN and person.lifecycle.media_up
            event = Event.STATE_LOST if grown or error.code in _PASSING else Event.OFFER_UNUSABLE
            self._call.end(person, event, now=now, detail=error.code)
            return
        description = rtc.SessionDescription(
            type="answer", sdp=answer.sdp, id=offer.id, mid_to_track_id=answer.mid_to_track
        )
        person.send(Outgoing(rtc.SignalResponse(answer=description)))

    def add_track(self, person: Participant, request: rtc.AddTrackRequest, *, now: float) -> None:
        """Take in a track that the client is about to send."""
        for track in person.tracks.values():
            if track.cid == request.cid and not track.announced:
                _tell_published(person, track)  # asked for twice
                return
        try:
            track = self._new_track(person, request, now=now)
        except PeerError as error:
            self._call.around.counters.dropped[error.code] += 1
            reason = _REASONS.get(error.code, RequestResponse.UNCLASSIFIED_ERROR)
            _respond(person, 0, reason, error.text, add_track=request)
            return
        person.tracks[track.intent.key] = track
        _tell_published(person, track)
        if track.silenced:
            person.send(Outgoing(muted_by_others(track)))

    def mute(self, person: Participant, request: rtc.MuteTrackRequest, *, now: float) -> None:
        """Mute or unmute the client's own track; only a moderator's call mutes another's."""
        track = person.tracks.get(TrackKey(request.sid))
        if track is None or person.leg is None:
            self._call.around.counters.dropped["unknown-track"] += 1
            _respond(person, 0, RequestResponse.NOT_FOUND, "not a track of yours", mute=request)
            return
        if not request.muted and self._call.moderating.stays_muted(person, track):
            track.silenced = True
            person.send(Outgoing(muted_by_others(track)))
            text = "a moderator muted you, and only lets you speak when they allow it"
            _respond(person, 0, RequestResponse.NOT_ALLOWED, text, mute=request)
            return
        track.silenced = False
        self._call.set_muted(person, track, request.muted, now=now)

    # --- receiving ---

    def subscription(self, person: Participant, request: rtc.UpdateSubscription, *, now: float) -> None:
        """Start or stop the delivery of tracks."""
        self._call.subscriptions.desire(person, _keys(request), subscribe=request.subscribe)

    def track_setting(self, person: Participant, request: rtc.UpdateTrackSettings, *, now: float) -> None:
        """Note what size or quality the client can use."""
        self._call.subscriptions.want(person, request.track_sids, wanted_from_wire(request))

    def subscription_permission(
        self,
        person: Participant,
        request: rtc.SubscriptionPermission,
        *,
        now: float,
    ) -> None:
        """Note who may receive the client's tracks."""
        person.audience = audience_from_wire(request)
        self._call.subscriptions.audience_changed(person)

    # --- about oneself ---

    def update_metadata(
        self, person: Participant, request: rtc.UpdateParticipantMetadata, *, now: float
    ) -> None:
        """Change the client's own name, metadata and attributes.

        Empty means unchanged; an attribute that is empty is removed.
        """
        own = {key: value for key, value in request.attributes.items() if not key.startswith(OURS)}
        merged = {**person.admission.attributes, **own}
        attributes = {key: value for key, value in merged.items() if value}
        limits = self._call.around.settings.limits
        if not person.grants.can_update_own_metadata:
            reason, text = RequestResponse.NOT_ALLOWED, "not allowed to change one's own metadata"
        elif len(request.name) > limits.name_chars:
            reason, text = (
                RequestResponse.LIMIT_EXCEEDED,
                f"a name has at most {limits.name_chars} characters",
            )
        elif len(request.metadata.encode()) > limits.metadata_bytes:
            reason, text = (
                RequestResponse.LIMIT_EXCEEDED,
                f"metadata has at most {limits.metadata_bytes} bytes",
            )
        elif _size(attributes) > limits.attributes_bytes:
            reason = RequestResponse.LIMIT_EXCEEDED
            text = f"attributes have at most {limits.attributes_bytes} bytes"
        else:
            try:
                attributes = self._call.moderating.own_attributes(person, attributes)
            except PeerError as error:
                _respond(person, request.request_id, RequestResponse.LIMIT_EXCEEDED, error.text)
                return
            reason, text = RequestResponse.OK, ""
            changed = person.change(
                name=request.name or None, metadata=request.metadata or None, attributes=attributes
            )
            if changed:
                self._call.roster.changed(person, now=now)
        _respond(person, request.request_id, reason, text)

    def update_audio_track(
        self, person: Participant, request: rtc.UpdateLocalAudioTrack, *, now: float
    ) -> None:
        """Note how a track of the client is processed."""
        track = person.tracks.get(TrackKey(request.track_sid))
        if track is not None:
            del track.info.audio_features[:]
            track.info.audio_features.extend(request.features[:16])
            self._changed(person, track, now=now)

    def update_video_track(
        self, person: Participant, request: rtc.UpdateLocalVideoTrack, *, now: float
    ) -> None:
        """Note the size of a picture of the client."""
        track = person.tracks.get(TrackKey(request.track_sid))
        if track is not None:
            track.info.width, track.info.height = request.width, request.height
            self._changed(person, track, now=now)

    def publish_data_track(
        self,
        person: Participant,
        request: rtc.PublishDataTrackRequest,
        *,
        now: float,
    ) -> None:
        """Turn down a data track: they are not offered."""
        text = "data tracks are not supported"
        _respond(person, 0, RequestResponse.UNSUPPORTED_TYPE, text, publish_data_track=request)

    # --- the connection ---

    def sync_state(self, person: Participant, state: rtc.SyncState, *, now: float) -> None:
        """Take over what changed at the client while its signalling was lost."""
        self.subscription(person, state.subscription, now=now)
        self._call.subscriptions.disable(person, state.track_sids_disabled)
        published = {published.track.sid for published in state.publish_tracks}
        for key, track in list(person.tracks.items()):
            if key in published:
                continue
            if track.announced:
                # The client ended it meanwhile; the offer that follows says so too.
                self._call.end_track(person, key, now=now)
            else:
                _tell_published(person, track)  # the first time it may have been lost
        for sid in published - person.tracks.keys():
            # It ended here meanwhile: rights were taken away.
            gone = rtc.TrackUnpublishedResponse(track_sid=sid)
            person.send(Outgoing(rtc.SignalResponse(track_unpublished=gone)))

    def leave(self, person: Participant, request: rtc.LeaveRequest, *, now: float) -> None:
        """Let the client go."""
        self._call.end(person, Event.LEFT, now=now)

    def ping(self, person: Participant, timestamp: int, *, now: float) -> None:
        """Answer an old client's ping."""
        person.send(Outgoing(rtc.SignalResponse(pong=self._milliseconds())))

    def ping_req(self, person: Participant, request: rtc.Ping, *, now: float) -> None:
        """Answer a ping; the client measures the round trip by its own timestamp."""
        pong = rtc.Pong(last_ping_timestamp=request.timestamp, timestamp=self._milliseconds())
        person.send(Outgoing(rtc.SignalResponse(pong_resp=pong)))

    def simulate(self, person: Participant, request: rtc.SimulateScenario, *, now: float) -> None:
        """Make a fault that a test asked for."""
        if not self._call.around.settings.allow_simulation:
            self._call.around.counters.dropped["simulation"] += 1
            return
        match request.WhichOneof("scenario"):
            case "server_leave":
                self._call.end(person, Event.REMOVED, now=now)
            case "leave_request_full_reconnect" | "node_failure":
                self._call.end(person, Event.STATE_LOST, now=now)
            case "disconnect_signal_on_resume" | "disconnect_signal_on_resume_no_messages":
                if person.outlet is not None:
                    person.outlet.close(4001, "simulated")

    def _ignore(self, person: Participant, request: Any, *, now: float) -> None:
        """Do nothing; the table says why."""

    def _new_track(self, person: Participant, request: rtc.AddTrackRequest, *, now: float) -> PublishedTrack:
        """Announce a track to the live side; raise PeerError."""
        assert person.leg is not None  # noqa: S101 - a participant whose requests are handled has a leg
        kind, source = kind_from_wire(request.type), source_from_wire(request.source)
        if kind is None:
            raise PeerError("invalid-track", "a track is audio or video")
        if kind is MediaKind.VIDEO and self._call.rules.bandwidth.audio_only:
            raise PeerError("not-allowed", "this room takes no pictures")
        if not may_publish(person.grants, source):
            raise PeerError("not-allowed", f"not allowed to publish {source}")
        if self._call.rules.features.e2ee and request.encryption == models.Encryption.NONE:
            raise PeerError("not-allowed", "this room takes end-to-end encrypted tracks only")
        if len(person.tracks) >= self._call.around.settings.limits.tracks:
            self._drop_forgotten(person, now=now)
        if len(person.tracks) >= self._call.around.settings.limits.tracks:
            raise PeerError("track-limit", "too many tracks")
        self._call.moderating.make_way(person, source, now=now)
        track = track_from_request(request, key=new_track_key(kind, source), leg=person.key)
        track.added_at = now
        if not track.intent.muted and self._call.moderating.stays_muted(person, track):
            track.intent = replace(track.intent, muted=True)
            track.info.muted = track.silenced = True
        person.leg.publish(track.intent)
        return track

    def _drop_forgotten(self, person: Participant, *, now: float) -> None:
        """Make room: a client that changes its mind between announcement and offer does not say so."""
        for key, track in list(person.tracks.items()):
            if not track.announced and track.added_at + OFFER_WITHIN < now:
                self._call.end_track(person, key, now=now)

    def _changed(self, person: Participant, track: PublishedTrack, *, now: float) -> None:
        if track.announced:
            self._call.roster.changed(person, now=now)

    def _milliseconds(self) -> int:
        return int(self._call.around.clocks.wall() * 1000)


def _keys(request: rtc.UpdateSubscription) -> Iterable[str]:
    yield from request.track_sids
    for tracks in request.participant_tracks:
        yield from tracks.track_sids


def _size(attributes: Mapping[str, str]) -> int:
    return sum(len(key.encode()) + len(value.encode()) for key, value in attributes.items())


def _tell_published(person: Participant, track: PublishedTrack) -> None:
    response = rtc.TrackPublishedResponse(cid=track.cid, track=track.info)
    person.send(Outgoing(rtc.SignalResponse(track_published=response)))


def _respond(
    person: Participant, request_id: int, reason: RequestResponse.Reason, text: str, **request: Any
) -> None:
    response = RequestResponse(request_id=request_id, reason=reason, message=text, **request)
    person.send(Outgoing(rtc.SignalResponse(request_response=response)))

"""Who receives which track: what the client desires, what the publisher and the rights allow, what is so.

Theory of operation. For each subscriber and track, delivery is on when the client desires it (by default as
`auto_subscribe` said at the join), the subscriber's rights allow receiving, the publisher's audience admits
the subscriber, and the track is announced. Whatever changes, `_reconcile` compares that with the live side
and makes it so. A subscriber is told of tracks that it desires and the publisher denies.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from livekit.protocol import rtc
from livekit.protocol.models import SubscriptionError

from rooms import LayerNow
from sfu import LegKey, PeerError, TrackKey, Wanted
from signalling.livekit.counters import Counters
from signalling.livekit.outbox import Outgoing
from signalling.livekit.participant import Participant
from signalling.livekit.roster import Roster
from signalling.livekit.tracks import PublishedTrack

_ERRORS = {
    "codec-unsupported": SubscriptionError.SE_CODEC_UNSUPPORTED,
    "track-gone": SubscriptionError.SE_TRACK_NOTFOUND,
}


@dataclass(slots=True)
class _Subscriber:
    desired: dict[TrackKey, bool] = field(default_factory=dict)
    """Where the client decided otherwise than `auto_subscribe`, or the same again."""
    wanted: dict[TrackKey, Wanted] = field(default_factory=dict)
    active: set[TrackKey] = field(default_factory=set)
    """What the live side was told to deliver."""
    denied: set[TrackKey] = field(default_factory=set)
    """What the client was told that it may not receive."""


class Subscriptions:
    """The subscriptions of one call."""

    def __init__(self, roster: Roster, counters: Counters) -> None:
        self._roster = roster
        self._counters = counters
        self._subscribers: dict[LegKey, _Subscriber] = {}

    def joined(self, participant: Participant) -> None:
        """Give a newcomer what there is."""
        self._subscribers[participant.key] = _Subscriber()
        self.rights_changed(participant)

    def left(self, participant: Participant) -> None:
        """Forget a participant; the live side has ended its subscriptions with its leg."""
        self._subscribers.pop(participant.key, None)
        for key in participant.tracks:
            self._forget(key)

    def track_announced(self, publisher: Participant, track: PublishedTrack) -> None:
        """Give a new track to everybody who desires and may have it."""
        for subscriber in self._roster:
            self._reconcile(subscriber, publisher, track)

    def track_gone(self, key: TrackKey) -> None:
        """Forget a track; the live side has ended its subscriptions."""
        self._forget(key)

    def rights_changed(self, subscriber: Participant) -> None:
        """Look at everything that this person receives or could receive."""
        for publisher, track in self._roster.announced_tracks():
            self._reconcile(subscriber, publisher, track)

    def audience_changed(self, publisher: Participant) -> None:
        """Look at everybody who receives or could receive this person's tracks."""
        for track in publisher.tracks.values():
            if track.announced:
                self.track_announced(publisher, track)

    def desire(self, subscriber: Participant, keys: Iterable[str], *, subscribe: bool) -> None:
        """Follow a client that asks for tracks or turns them down."""
        state = self._subscribers[subscriber.key]
        for key in keys:
            found = self._roster.publisher_of(TrackKey(key))
            if found is None:
                self._counters.dropped["unknown-track"] += 1
                if subscribe:
                    _tell_failure(subscriber, key, SubscriptionError.SE_TRACK_NOTFOUND)
                continue
            state.desired[TrackKey(key)] = subscribe
            self._reconcile(subscriber, *found)

    def want(self, subscriber: Participant, keys: Iterable[str], wanted: Wanted) -> None:
        """Follow a client that says what size or quality of tracks it can use."""
        state = self._subscribers[subscriber.key]
        for key in map(TrackKey, keys):
            if self._roster.publisher_of(key) is None:
                self._counters.dropped["unknown-track"] += 1
                continue
            state.wanted[key] = wanted
            if key in state.active and subscriber.leg is not None:
                subscriber.leg.set_wanted(key, wanted)

    def disable(self, subscriber: Participant, keys: Iterable[str]) -> None:
        """Follow a client that came back and lists the tracks that it does not show now."""
        state = self._subscribers[subscriber.key]
        for key in map(TrackKey, keys):
            before = state.wanted.get(key, Wanted())
            after = Wanted(True, before.quality, before.width, before.height, before.max_fps)
            self.want(subscriber, [key], after)

    def failed(self, subscriber: Participant, key: TrackKey, code: str) -> None:
        """Tell a client that it cannot have a track, and do not try again unless it asks."""
        state = self._subscribers[subscriber.key]
        state.active.discard(key)
        state.desired[key] = False
        _tell_failure(subscriber, key, _ERRORS.get(code, SubscriptionError.SE_UNKNOWN))

    def of(self, subscriber: Participant) -> frozenset[TrackKey]:
        """Return what is delivered to a participant."""
        state = self._subscribers.get(subscriber.key)
        return frozenset(state.active) if state else frozenset()

    def pictures_of(self, subscriber: Participant) -> tuple[LayerNow, ...]:
        """Return which layer of each picture goes to a participant now."""
        if subscriber.leg is None:
            return ()
        found = ((self._roster.publisher_of(key), layer) for key, layer in subscriber.leg.layers().items())
        return tuple(
            LayerNow(one[0].identity, one[1].intent.source.value, layer, len(one[1].intent.encodings))
            for one, layer in found
            if one is not None
        )

    def _reconcile(self, subscriber: Participant, publisher: Participant, track: PublishedTrack) -> None:
        if subscriber is publisher or subscriber.leg is None:
            return
        state = self._subscribers[subscriber.key]
        key = track.intent.key
        desired = state.desired.get(key, subscriber.auto_subscribe)
        admitted = publisher.audience.admits(subscriber.identity, subscriber.key, key)
        self._tell_permission(subscriber, publisher, key, denied=desired and not admitted)
        if desired and admitted and subscriber.grants.can_subscribe and not publisher.grants.hidden:
            if key not in state.active:
                self._start(subscriber, state, key)
        elif key in state.active:
            state.active.discard(key)
            subscriber.leg.unsubscribe(key)

    def _start(self, subscriber: Participant, state: _Subscriber, key: TrackKey) -> None:
        assert subscriber.leg is not None  # noqa: S101 - checked by the caller
        try:
            subscriber.leg.subscribe(key)
        except PeerError as error:
            self._counters.dropped[error.code] += 1
            _tell_failure(subscriber, key, SubscriptionError.SE_UNKNOWN)
            return
        state.active.add(key)
        if key in state.wanted:
            subscriber.leg.set_wanted(key, state.wanted[key])

    def _tell_permission(
        self, subscriber: Participant, publisher: Participant, key: TrackKey, *, denied: bool
    ) -> None:
        told = self._subscribers[subscriber.key].denied
        if denied == (key in told):
            return
        if denied:
            told.add(key)
        else:
            told.discard(key)
        update = rtc.SubscriptionPermissionUpdate(
            participant_sid=publisher.key, track_sid=key, allowed=not denied
        )
        subscriber.send(Outgoing(rtc.SignalResponse(subscription_permission_update=update)))

    def _forget(self, key: TrackKey) -> None:
        for state in self._subscribers.values():
            state.active.discard(key)
            state.denied.discard(key)
            state.desired.pop(key, None)
            state.wanted.pop(key, None)


def _tell_failure(subscriber: Participant, key: str, error: SubscriptionError) -> None:
    response = rtc.SubscriptionResponse(track_sid=key, err=error)
    subscriber.send(Outgoing(rtc.SignalResponse(subscription_response=response)))

"""What the live side reports of legs and calls, turned into changes of the call and messages to clients."""

# What is passed to a listener is fixed by the live side.
# ruff: noqa: ARG002

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from livekit.protocol import rtc

from sfu import LegStats, PeerError, Speaker, TrackKey, TrackView
from signalling.livekit.data import LOSSY, RELIABLE, Sender, relay
from signalling.livekit.figures import Reading
from signalling.livekit.lifecycle import Event
from signalling.livekit.line import Line
from signalling.livekit.outbox import Outgoing
from signalling.livekit.participant import Participant
from signalling.livekit.speakers import SpeakerBoard
from signalling.livekit.timers import Timer
from signalling.livekit.tracks import layers_to_send, negotiated

if TYPE_CHECKING:
    from signalling.livekit.call import Call

_CLOSED_BY_PEER = "closed_by_peer"  # as `LegListener.failed` gives it


@dataclass(frozen=True, slots=True)
class Clocks:
    """Time as the shell reads it; reports of the live side carry none."""

    now: Callable[[], float]
    """Seconds that never jump, for timers."""
    wall: Callable[[], float]
    """Seconds since the Unix epoch, for what clients and tokens say."""


class LegEars:
    """Hears of one leg (`sfu.LegListener`)."""

    def __init__(self, call: "Call", person: Participant) -> None:
        self._call = call
        self._person = person

    def connected(self, path: str, *, ipv6: bool) -> None:
        """Tell everybody that the person is there."""
        if self._person.lifecycle.handle(Event.MEDIA_UP):
            self._person.line = Line(up_since=self._now())
            self._person.reading = Reading(self._now(), LegStats())
            self._call.around.timers.cancel(self._person, Timer.MEDIA)
            self._call.lines.began(self._person, path, ipv6=ipv6)
            self._call.roster.arrives(self._person, now=self._now())

    def silent(self) -> None:
        """Show the connection as lost until it is heard again."""
        self._person.silent = True
        self._call.quality.judge_one(self._person, now=self._now())

    def resumed(self) -> None:
        """Judge the connection again."""
        self._person.silent = False
        self._call.quality.judge_one(self._person, now=self._now())

    def path_changed(self, path: str, *, ipv6: bool) -> None:
        """Have the room's log tell of it."""
        self._call.lines.moved(self._person, path, ipv6=ipv6, now=self._now())

    def failed(self, reason: str) -> None:
        """Have the client join afresh, unless it closed the connection itself: then it is on its way out."""
        event = Event.LEFT if reason == _CLOSED_BY_PEER else Event.MEDIA_FAILED
        self._call.end(self._person, event, now=self._now(), detail=f"media: {reason}"[:120])

    def sections_needed(self, audio: int, video: int) -> None:
        """Ask the client for an offer with room for more tracks."""
        needed = rtc.MediaSectionsRequirement(num_audios=audio, num_videos=video)
        self._person.send(Outgoing(rtc.SignalResponse(media_sections_requirement=needed)))

    def track_published(self, track: TrackView) -> None:
        """Announce a track now that its codec is known."""
        published = self._person.tracks.get(track.key)
        if published is None:
            return
        negotiated(published, track)
        first = not published.announced
        self._call.roster.track_announced(self._person, published)
        self._call.roster.changed(self._person, now=self._now())
        if first:
            self._call.subscriptions.track_announced(self._person, published)
            self._call.head_count_changed(now=self._now())

    def track_unpublished(self, track: TrackKey) -> None:
        """Tell that a track is over."""
        self._call.forget_track(self._person, track, now=self._now())

    def track_started(self, track: TrackKey) -> None:
        """Nothing to tell: clients see the first picture themselves."""

    def subscribed(self, track: TrackKey, mid: str) -> None:
        """Tell a publisher once that somebody receives its track."""
        found = self._call.roster.publisher_of(track)
        if found is None or found[1].heard:
            return
        publisher, published = found
        published.heard = True
        heard = rtc.TrackSubscribed(track_sid=track)
        publisher.send(Outgoing(rtc.SignalResponse(track_subscribed=heard)))

    def subscription_failed(self, track: TrackKey, code: str) -> None:
        """Tell the client that it cannot have a track."""
        self._call.subscriptions.failed(self._person, track, code)

    def stream_paused(self, track: TrackKey, *, paused: bool) -> None:
        """Tell the client that the server stopped or resumed a track."""
        found = self._call.roster.publisher_of(track)
        if found is None:
            return
        state = rtc.StreamStateInfo(
            participant_sid=found[0].key,
            track_sid=track,
            state=rtc.StreamState.PAUSED if paused else rtc.StreamState.ACTIVE,
        )
        update = rtc.StreamStateUpdate(stream_states=[state])
        self._person.send(Outgoing(rtc.SignalResponse(stream_state_update=update)))

    def wanted_changed(self, track: TrackKey, enabled: Sequence[bool]) -> None:
        """Have the publisher send what is wanted; the live side waits before it wants less."""
        published = self._person.tracks.get(track)
        if published is not None:
            published.layers_wanted = tuple(enabled)
            self._person.send(Outgoing(layers_to_send(published)))

    def data_channel_opened(self, label: str) -> None:
        """Nothing to do: messages wait in the live side until a channel is open."""

    def data_received(self, label: str, payload: bytes, *, binary: bool) -> None:
        """Pass a message on to those it is for."""
        try:
            self._relay(label, payload)
        except PeerError as error:
            self._call.around.counters.dropped[error.code] += 1

    def _relay(self, label: str, payload: bytes) -> None:
        person, now = self._person, self._now()
        if not person.grants.can_publish_data:
            raise PeerError("data-not-allowed", "this person may not send data messages")
        if len(payload) > self._call.around.settings.limits.data_message_bytes:
            raise PeerError("data-too-large", "this data message is too large")
        if not person.data_messages.take(now=now) or not person.data_bytes.take(len(payload), now=now):
            raise PeerError("data-rate", "too many data messages")
        self._call.roster.introduce(person, now=now)
        message = relay(
            label,
            payload,
            Sender(person.key, person.identity, person.grants.hidden),
            last_sequence=person.last_sequence,
        )
        if message.sequence:
            person.last_sequence = message.sequence
        self._call.around.counters.data_relayed["reliable" if label == RELIABLE else LOSSY.strip("_")] += 1
        for other in self._call.roster:
            if other is person or other.leg is None:
                continue
            if message.to is not None and message.to.isdisjoint((other.identity, other.key)):
                continue
            if not other.leg.send_data(label, message.payload):
                self._call.around.counters.dropped["data-receiver-slow"] += 1

    def _now(self) -> float:
        return self._call.around.clocks.now()


class CallEars:
    """Hears of a call as a whole (`sfu.CallListener`)."""

    def __init__(self, call: "Call") -> None:
        self._call = call
        self._board = SpeakerBoard()

    def speakers_changed(self, speakers: Sequence[Speaker]) -> None:
        """Tell everybody who speaks."""
        visible = [person.key for person in self._call.roster.visible()]
        infos = self._board.update(speakers, visible)
        if infos:
            self._call.roster.send_to_all(
                rtc.SignalResponse(speakers_changed=rtc.SpeakersChanged(speakers=infos))
            )

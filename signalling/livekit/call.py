"""One call: people come, come back and go; what happens to one is told to the others.

This is the place where the parts meet: the roster, the subscriptions, the table of each participant's life,
and the live side. It reads no clock and opens nothing; what clients ask for is in `requests`, what the live
side reports in `media`, and what rights people have meanwhile in `changes`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from livekit.protocol import models, rtc
from livekit.protocol.models import DisconnectReason
from livekit.protocol.rtc import LeaveRequest

from rooms import Admission, LegObserver
from sfu import CallKey, PeerError, TrackKey
from signalling.livekit import join
from signalling.livekit.changes import Changes
from signalling.livekit.counters import Counters
from signalling.livekit.groups import told_of
from signalling.livekit.hands import HAND_SINCE, with_hand_down
from signalling.livekit.ids import new_leg_key
from signalling.livekit.lifecycle import Event, State
from signalling.livekit.line_news import LineNews
from signalling.livekit.live import LiveSide
from signalling.livekit.media import CallEars, Clocks, LegEars
from signalling.livekit.moderating import Moderating
from signalling.livekit.outbox import Outgoing
from signalling.livekit.participant import Outlet, Participant
from signalling.livekit.quality_board import QualityBoard
from signalling.livekit.requests import Requests
from signalling.livekit.roster import Roster
from signalling.livekit.settings import LiveKitSettings, SignalTimes
from signalling.livekit.subscriptions import Subscriptions
from signalling.livekit.timers import Timer, TimerTable
from signalling.livekit.tracks import PublishedTrack, muted_by_others

_SDK_NAMES: Mapping[int, str] = {number: name for name, number in models.ClientInfo.SDK.items()}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all calls of a server share."""

    sfu: LiveSide
    settings: LiveKitSettings
    counters: Counters
    timers: TimerTable[Timer]
    clocks: Clocks
    legs: LegObserver


class Call:
    """The signalling of one live call."""

    def __init__(
        self, admission: Admission, around: Surroundings, *, emptied: Callable[["Call"], None]
    ) -> None:
        """Take what the first participant's token says about the room.

        `emptied` is called when the last participant has left.
        """
        self.key = CallKey(admission.call_id)
        self.room_id = admission.room_id
        self.group = admission.group
        self.room_name = admission.room_name
        self.rules = admission.rules
        self.around = around
        self._emptied = emptied
        self.roster = Roster(around.timers, call=self)
        self.subscriptions = Subscriptions(self.roster, around.counters)
        self.changes = Changes(self)
        self.requests = Requests(self)
        self.moderating = Moderating(self)
        self.ears = CallEars(self)
        self._created_at = around.clocks.wall()
        self.lines = LineNews(self)
        self.quality = QualityBoard(self.roster, self.lines)
        around.timers.set(self, Timer.QUALITY, at=around.clocks.now() + self._times.quality_interval)

    @property
    def _times(self) -> SignalTimes:
        return self.around.settings.times

    @property
    def empty(self) -> bool:
        """Whether nobody is in it."""
        return len(self.roster) == 0

    # --- coming ---

    def join(
        self, admission: Admission, request: rtc.JoinRequest, outlet: Outlet, *, now: float
    ) -> Participant:
        """Let an admitted person in; raise PeerError `full`, or what its offer deserves."""
        older = self.roster.by_identity(admission.identity)
        if older is not None:
            self._end(older, Event.REPLACED, now=now)
        limits = self.around.settings.limits
        person = Participant(
            new_leg_key(),
            admission,
            request,
            limits=limits,
            joined_at=self.around.clocks.wall(),
            now=now,
        )
        person.leg = self.around.sfu.call(self.key, self.ears).add_leg(person.key, LegEars(self, person))
        self.changes.cap(person)
        self.around.legs.leg_opened(self.room_id, person.key, person.identity, admission.role)
        try:
            self._seat(person, request, outlet, now=now)
        except Exception:
            self._end(person, Event.JOIN_BROKEN, now=now)
            raise
        return person

    def resume(
        self,
        person: Participant,
        admission: Admission,
        request: rtc.JoinRequest,
        outlet: Outlet,
        *,
        now: float,
    ) -> None:
        """Give a participant a new connection in place of the one that was lost."""
        if person.outlet is not None:
            person.outlet.close(4001, "resumed")
        person.lifecycle.handle(Event.SIGNAL_BACK)
        self.around.legs.leg_back(self.room_id, person.key)
        person.outlet = outlet
        person.heard_at = now
        self.around.timers.cancel(person, Timer.RESUME)
        self.around.timers.set(person, Timer.PING, at=now + self._times.ping_timeout)
        self.around.timers.set(person, Timer.TOKEN, at=now)
        for message in join.resumed(self, person):
            outlet.send(Outgoing(message))
        person.missed_departures.clear()
        warrant = admission.warrant
        if person.permission is not None:
            warrant = replace(warrant, token=person.permission)
        person.admission = replace(
            person.admission, epoch=admission.epoch, expires_at=admission.expires_at, warrant=warrant
        )
        self.changes.put_in_force(person, now=now)
        self.around.counters.joins["resumed"] += 1
        if request.HasField("sync_state"):
            self.requests.sync_state(person, request.sync_state, now=now)
        if request.HasField("publisher_offer"):
            self.requests.offer(person, request.publisher_offer, now=now)
        if person.leg is not None and person.outlet is outlet:
            person.leg.resync()

    def take_leg(self, person: Participant, *, now: float) -> None:
        """Have the media of somebody in another call go on in this one; raise PeerError `full`."""
        assert person.leg is not None  # noqa: S101 - only somebody whose media is up is moved
        older = self.roster.by_identity(person.identity)
        if older is not None:
            self._end(older, Event.REPLACED, now=now)
        person.leg.move(self.around.sfu.call(self.key, self.ears), LegEars(self, person))

    def take_in(self, person: Participant, admission: Admission, token: str, *, now: float) -> None:
        """Seat somebody whose leg was taken; `admission` and `token` are for this room.

        The client hears of it before anything else from here.
        """
        person.admission, person.permission, person.quality = with_hand_down(admission), None, None
        person.version += 1
        person.send(Outgoing(join.moved(self, person, token)))
        self.roster.add(person)
        self.changes.cap(person)
        self.subscriptions.joined(person)
        for track in person.tracks.values():
            track.heard = False
            if track.announced:
                self.roster.track_announced(person, track)
        self.changes.put_in_force(person, now=now)
        self.moderating.rules_changed(now=now)
        self.subscriptions.audience_changed(person)
        self.roster.changed(person, now=now)
        self.head_count_changed(now=now)
        self.around.timers.set(person, Timer.TOKEN, at=now + token_refresh_after(person, self.around))

    def want_token(self, person: Participant, *, now: float) -> None:
        """Have a client given a token that says what holds now: it brings it when it comes back."""
        if person.outlet is not None:
            self.around.timers.set(person, Timer.TOKEN, at=now)

    # --- going ---

    def let_go(self, person: Participant, *, now: float) -> None:
        """Forget somebody who goes on in another call, and tell the others that they left."""
        self._forget(person, DisconnectReason.MIGRATION, now=now)
        if self.empty:
            self._emptied(self)

    def signal_lost(self, person: Participant, outlet: Outlet, *, now: float) -> None:
        """Wait for a client whose connection is gone; does nothing if that is not its present connection."""
        if person.outlet is not outlet:
            return
        person.outlet = None
        if person.lifecycle.handle(Event.SIGNAL_LOST):
            self.around.legs.leg_lost(self.room_id, person.key)
            self.around.timers.cancel(person, Timer.PING)
            self.around.timers.cancel(person, Timer.TOKEN)
            self.around.timers.set(person, Timer.RESUME, at=now + self._times.resume_window)

    def end(
        self, person: Participant, event: Event, *, now: float, close_code: int = 0, detail: str = ""
    ) -> None:
        """End a participant's stay: the client is told, then the leg closed, then the others told."""
        try:
            self._end(person, event, now=now, close_code=close_code, detail=detail)
        finally:
            if self.empty:
                self._emptied(self)

    def end_all(self, event: Event, *, now: float) -> None:
        """End everybody's stay."""
        for person in self.roster:
            self.end(person, event, now=now)

    # --- tracks ---

    def silence(self, person: Participant, key: TrackKey, *, now: float) -> PublishedTrack:
        """Mute a track of somebody, who may unmute it again; raise PeerError `track-gone`."""
        track = person.tracks.get(key)
        if track is None:
            raise PeerError("track-gone", "this person does not publish a track of that sid")
        track.silenced = True
        # Before the others are told: a client that reads there what it has not done itself puts it right.
        person.send(Outgoing(muted_by_others(track)))
        self.set_muted(person, track, True, now=now)
        return track

    def set_muted(self, person: Participant, track: PublishedTrack, muted: bool, *, now: float) -> None:
        """Stop or resume forwarding a track, and tell everybody."""
        if track.info.muted == muted or person.leg is None:
            return
        track.info.muted = muted
        person.leg.set_muted(track.intent.key, muted)
        if track.announced:
            self.roster.changed(person, now=now)

    def end_track(self, person: Participant, key: TrackKey, *, now: float) -> None:
        """End a track, and tell its publisher and the others."""
        if person.leg is not None:
            person.leg.unpublish(key)
        self.forget_track(person, key, now=now)

    def forget_track(self, person: Participant, key: TrackKey, *, now: float) -> None:
        """Tell the publisher and the others that a track is over."""
        track = person.tracks.pop(key, None)
        if track is None:
            return
        self.roster.track_gone(key)
        self.subscriptions.track_gone(key)
        gone = rtc.TrackUnpublishedResponse(track_sid=key)
        person.send(Outgoing(rtc.SignalResponse(track_unpublished=gone)))
        if track.announced:
            self.roster.changed(person, now=now)
            self.head_count_changed(now=now)

    def tell_room(self) -> None:
        """Tell everybody the head count and what the room says of itself."""
        self.roster.send_to_all(rtc.SignalResponse(room_update=rtc.RoomUpdate(room=self.room_info())))

    def room_info(self) -> models.Room:
        """Return what clients are told about the room."""
        people = list(self.roster.visible())
        return models.Room(
            sid=self.key,
            name=self.room_name,
            metadata=told_of(self.rules, self.group),
            max_participants=self.rules.max_participants or 0,
            num_participants=len(people),
            num_publishers=sum(person.is_publisher for person in people),
            creation_time=int(self._created_at),
            creation_time_ms=int(self._created_at * 1000),
            departure_timeout=int(self._times.resume_window),
        )

    def debug_state(self) -> Mapping[str, Any]:
        """Return the state as JSON values."""
        return {
            "room": self.key,
            "participants": {person.key: self._debug_person(person) for person in self.roster},
        }

    def _seat(self, person: Participant, request: rtc.JoinRequest, outlet: Outlet, *, now: float) -> None:
        person.outlet = outlet
        person.version = 1
        self._take_attributes(person)
        self.roster.add(person)
        self._start_timers(person, now=now)
        outlet.send(Outgoing(join.joined(self, person)))
        self.subscriptions.joined(person)
        self.roster.arrives(person, now=now)
        self.head_count_changed(now=now)
        self.around.counters.joins["joined"] += 1
        for announcement in request.add_track_requests:
            self.requests.add_track(person, announcement, now=now)
        if request.HasField("publisher_offer"):
            self.requests.offer(person, request.publisher_offer, now=now)

    def _end(
        self, person: Participant, event: Event, *, now: float, close_code: int = 0, detail: str = ""
    ) -> None:
        if not person.lifecycle.handle(event) or person.lifecycle.state is not State.ENDED:
            return
        ending = person.lifecycle.ending
        assert ending is not None  # noqa: S101 - the state is ENDED
        self.around.timers.cancel_all(person)
        self.around.counters.ended[event.value] += 1
        self.around.legs.leg_closed(self.room_id, person.key, event.value.replace("-", "_"))
        if person.outlet is not None:
            if event is not Event.LEFT:
                person.outlet.send(Outgoing(leave(ending.reason, ending.action)))
            person.outlet.close(close_code or ending.close_code, detail or event.value)
            person.outlet = None
        if person.leg is not None:
            person.leg.close(ending.leg)
        self._forget(person, ending.reason, now=now)

    def _forget(self, person: Participant, reason: DisconnectReason, *, now: float) -> None:
        self.moderating.left(person)
        self.roster.remove(person)
        self.subscriptions.left(person)
        self.quality.forget(person)
        self.head_count_changed(now=now)
        self.roster.gone(person, reason)

    def _take_attributes(self, person: Participant) -> None:
        """Take over what the token says of a person who comes, the place of a raised hand included."""
        said = person.admission.attributes
        person.change(attributes=self.moderating.attributes(person, said, kept=said.get(HAND_SINCE, "")))

    def _debug_person(self, person: Participant) -> Mapping[str, Any]:
        return {
            "identity": person.identity,
            "state": person.lifecycle.state.value,
            "media_up": person.lifecycle.media_up,
            "signalling": person.outlet is not None,
            "version": person.version,
            "client": f"{_SDK_NAMES.get(person.client.sdk, person.client.sdk)} {person.client.version}",
            "tracks": {
                key: {
                    "source": track.intent.source.value,
                    "codec": track.info.mime_type,
                    "mid": track.info.mid,
                }
                for key, track in person.tracks.items()
            },
            "subscriptions": sorted(self.subscriptions.of(person)),
        }

    def _start_timers(self, person: Participant, *, now: float) -> None:
        timers, times = self.around.timers, self._times
        timers.set(person, Timer.MEDIA, at=now + times.media_within)
        timers.set(person, Timer.PING, at=now + times.ping_timeout)
        timers.set(person, Timer.TOKEN, at=now + token_refresh_after(person, self.around))

    def head_count_changed(self, *, now: float) -> None:
        """Plan to tell everybody how many are there; several changes are told together."""
        if not self.around.timers.pending(self, Timer.ROOM):
            self.around.timers.set(self, Timer.ROOM, at=now + self._times.room_update_interval)


def token_refresh_after(person: Participant, around: Surroundings) -> float:
    """Return in how many seconds the client should get a fresh token: well before the present one ends."""
    left = person.admission.expires_at - around.clocks.wall()
    return float(min(around.settings.times.token_refresh, max(1.0, left / 2)))


def leave(reason: DisconnectReason, action: LeaveRequest.Action) -> rtc.SignalResponse:
    """Return the last words to a client."""
    request = LeaveRequest(reason=reason, action=action, can_reconnect=action != LeaveRequest.DISCONNECT)
    return rtc.SignalResponse(leave=request)

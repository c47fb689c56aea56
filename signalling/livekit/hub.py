"""All calls of a server: finds or makes the one a person belongs to, and wakes what is due.

Also hears of durable changes (`rooms.RoomObserver`), so that a person who was removed is gone at once.
"""

import logging
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from livekit.protocol import rtc

from rooms import Admission, Announcement, CallRules, Grants, LegObserver, Restraints, RoomEvent, Source
from sfu import LegKey, PeerError
from signalling.livekit.announcing import packet_of
from signalling.livekit.call import Call, Surroundings, token_refresh_after
from signalling.livekit.counters import Counters
from signalling.livekit.data import RELIABLE
from signalling.livekit.lifecycle import Event, State
from signalling.livekit.line import Line
from signalling.livekit.live import LiveSide
from signalling.livekit.media import Clocks
from signalling.livekit.messages import items_in
from signalling.livekit.outbox import Outgoing
from signalling.livekit.participant import Outlet, Participant
from signalling.livekit.settings import LiveKitSettings
from signalling.livekit.timers import Timer, TimerTable

log = logging.getLogger(__name__)

_ITEMS_OF_A_MESSAGE = 20


class Hub:
    """Every call and everybody in them."""

    def __init__(
        self,
        sfu: LiveSide,
        settings: LiveKitSettings,
        clocks: Clocks,
        timers: TimerTable[Timer],
        *,
        legs: LegObserver,
        want_token: Callable[["Call", Participant], None],
        want_place: Callable[[Participant], None],
    ) -> None:
        """Take the live side and what needs waiting for.

        `legs` is told who comes and goes; `want_token` is called when a client should get a fresh token (then
        call `new_token`), `want_place` when somebody may belong to another call of the room (then `place`).
        """
        self.counters = Counters()
        self.timers = timers
        self.changes = 0
        """Rises with every durable change: who was checked before it has to be checked again."""
        self._around = Surroundings(sfu, settings, self.counters, self.timers, clocks, legs)
        self._want_token = want_token
        self._want_place = want_place
        self._calls: dict[str, Call] = {}
        self._rooms: dict[str, dict[str, Call]] = {}
        """The same calls by the room that they belong to."""

    def full(self, admission: Admission) -> bool:
        """Whether there is no place for this person; somebody who is replaced makes place."""
        calls = self.calls_of(admission.room_id)
        if any(call.roster.by_identity(admission.identity) is not None for call in calls):
            return False
        most = self._around.settings.limits.legs_per_call
        if admission.rules.max_participants is not None:
            most = min(most, admission.rules.max_participants)
        return sum(len(call.roster) for call in calls) >= most

    def join(self, admission: Admission, request: rtc.JoinRequest, outlet: Outlet, *, now: float) -> "Seat":
        """Let an admitted person in; raise PeerError when the live side has no place."""
        self._end_elsewhere(admission, now=now)
        call = self._call_for(admission)
        try:
            person = call.join(admission, request, outlet, now=now)
        finally:
            if call.empty:
                self._forget(call)
        return Seat(self, person, outlet)

    def resume(
        self, admission: Admission, request: rtc.JoinRequest, outlet: Outlet, *, now: float
    ) -> "Seat | None":
        """Give somebody back the place kept for them; None if there is none and they must join afresh."""
        call = self._calls.get(admission.call_id)
        person = call.roster.get(LegKey(request.participant_sid)) if call is not None else None
        if call is None or person is None or person.identity != admission.identity:
            self.counters.joins["resume-failed"] += 1
            return None
        call.resume(person, admission, request, outlet, now=now)
        return Seat(self, person, outlet)

    def find(self, room_id: str) -> Call | None:
        """Return the call of a room, if anybody is in it."""
        return self._calls.get(room_id)

    def calls_of(self, room_id: str) -> list[Call]:
        """Return the live calls of a room: its own and those of its groups."""
        return list(self._rooms.get(room_id, {}).values())

    def find_person(self, room_id: str, identity: str) -> tuple[Call, Participant] | None:
        """Return somebody in the call of a room or of one of its groups."""
        for call in self.calls_of(room_id):
            person = call.roster.by_identity(identity)
            if person is not None:
                return call, person
        return None

    def place(self, person: Participant, admission: Admission, token: str, *, now: float) -> None:
        """Have somebody be in the call of the room or group where they belong, as `admission` says.

        A client that cannot be told has to join afresh, and is where it belongs when it does.
        """
        call = self._calls.get(person.admission.call_id)
        if call is None or person.lifecycle.state is State.ENDED or admission.call_id == call.key:
            return
        try:
            self.move(person, admission, token, now=now)
        except PeerError:
            call.end(person, Event.STATE_LOST, now=now, detail="belongs elsewhere")

    def move(self, person: Participant, admission: Admission, token: str, *, now: float) -> None:
        """Have somebody go on in another call, where `admission` and `token` are for; raise PeerError.

        Codes: `unreachable` while the client could not be told, `full`, and `same-room`.
        """
        before = self._calls[person.admission.call_id]
        if admission.call_id == before.key:
            raise PeerError("same-room", "this person is in that room already")
        if person.lifecycle.state is not State.ACTIVE:
            raise PeerError("unreachable", "this person's client cannot be reached just now; try again")
        if self.full(admission):
            raise PeerError("full", "there is no place in that room")
        call = self._call_for(admission)
        try:
            call.take_leg(person, now=now)
            before.let_go(person, now=now)
            if call.room_id != before.room_id:
                self._tell_of_move(person, before, call, admission.role, now=now)
            call.take_in(person, admission, token, now=now)
        finally:
            if call.empty:
                self._forget(call)

    def wake(self, *, now: float) -> None:
        """Do everything that is due; what goes wrong with one does not keep the others waiting."""
        while (due := self.timers.pop_due(now)) is not None:
            try:
                self._wake_one(*due, now=now)
            except Exception:
                log.exception("timer_failed", extra={"timer": due[1].value})

    def new_token(self, person: Participant, token: str, *, expires_at: float, now: float) -> None:
        """Send a fresh token and plan the next."""
        if person.outlet is not None and token:
            person.send(Outgoing(rtc.SignalResponse(refresh_token=token)))
            person.change(expires_at=expires_at)
            self.timers.set(person, Timer.TOKEN, at=now + token_refresh_after(person, self._around))

    def end_all(self, event: Event, *, now: float) -> None:
        """End every call."""
        for call in list(self._calls.values()):
            call.end_all(event, now=now)

    # --- durable changes ---

    def participant_removed(self, room_id: str, identity: str) -> None:
        """End the leg of somebody who may not be there any more."""
        self.changes += 1
        found = self.find_person(room_id, identity)
        if found is not None:
            found[0].end(found[1], Event.REMOVED, now=self._around.clocks.now())

    def participant_changed(
        self, room_id: str, identity: str, stored: Grants, name: str, attributes: Mapping[str, str]
    ) -> None:
        """Put into force what is stored of a person now."""
        self.changes += 1
        found = self.find_person(room_id, identity)
        if found is not None:
            found[0].changes.take_stored(found[1], stored, name, attributes, now=self._around.clocks.now())

    def participant_restrained(self, room_id: str, identity: str, restraints: Restraints) -> None:
        """Put into force what is taken away from a person now."""
        self.changes += 1
        found = self.find_person(room_id, identity)
        if found is not None:
            found[0].changes.restrain(found[1], restraints, now=self._around.clocks.now())

    def tracks_muted(self, room_id: str, identity: str | None, sources: tuple[Source, ...]) -> None:
        """Mute what a person publishes, or everybody who does not moderate."""
        for call in self.calls_of(room_id):
            call.moderating.mute(identity, sources, now=self._around.clocks.now())

    def hands_lowered(self, room_id: str, identity: str | None, by: str | None) -> None:
        """Take down the hand of a person, or every hand."""
        for call in self.calls_of(room_id):
            call.moderating.lower_hands(identity, by=by, now=self._around.clocks.now())

    def announced(self, room_id: str, announcement: Announcement) -> None:
        """Show this to everybody in the call and in its groups."""
        payload = packet_of(announcement)
        for person in (person for call in self.calls_of(room_id) for person in call.roster):
            if person.leg is not None and not person.leg.send_data(RELIABLE, payload):
                self.counters.dropped["data-receiver-slow"] += 1

    def room_changed(self, room_id: str, rules: CallRules) -> None:
        """Put the new rules of a room into force."""
        self.changes += 1
        for call in self.calls_of(room_id):
            call.changes.take_rules(rules, now=self._around.clocks.now())

    def room_closed(self, room_id: str, reason: str) -> None:  # noqa: ARG002 - clients know one word for it
        """End everybody's stay in a room that is over."""
        self.changes += 1
        for call in self.calls_of(room_id):
            call.end_all(Event.ROOM_CLOSED, now=self._around.clocks.now())

    def event_written(self, event: RoomEvent) -> None:
        """Have somebody be where they belong, who was placed in a group or denied after having come in."""
        placed = event.type == "participant.moved" and event.data.get("to_room") is None
        if not placed and event.type != "participant.denied":
            return
        self.changes += 1
        found = self.find_person(event.room_uid, event.data["identity"])
        if found is None:
            return
        call, person = found
        if placed:
            self._want_place(person)
        else:
            call.end(person, Event.REMOVED, now=self._around.clocks.now())

    # --- looking in ---

    def census(self) -> Mapping[str, int]:
        """Count what lives, to see leaks."""
        people = [person for call in self._calls.values() for person in call.roster]
        return {
            "calls": len(self._calls),
            "participants": len(people),
            "adrift": sum(person.outlet is None for person in people),
            "tracks": sum(len(person.tracks) for person in people),
            "hands": sum(len(call.moderating.hands) for call in self._calls.values()),
            "timers": len(self.timers),
        }

    def debug_state(self) -> dict[str, Any]:
        """Return the state as JSON values."""
        return {
            "calls": {key: call.debug_state() for key, call in self._calls.items()},
            "objects": dict(self.census()),
            "dropped": dict(self.counters.dropped),
        }

    def _call_for(self, admission: Admission) -> Call:
        call = self._calls.get(admission.call_id)
        if call is None:
            call = self._calls[admission.call_id] = Call(admission, self._around, emptied=self._forget)
            for sibling in self.calls_of(call.room_id):
                call.rules = sibling.rules  # newer than what was read when the person came
            self._rooms.setdefault(call.room_id, {})[call.key] = call
        return call

    def _end_elsewhere(self, admission: Admission, *, now: float) -> None:
        """End the stay of the same person in another call of the room."""
        found = self.find_person(admission.room_id, admission.identity)
        if found is not None and found[0].key != admission.call_id:
            found[0].end(found[1], Event.REPLACED, now=now)

    def _tell_of_move(self, person: Participant, before: Call, call: Call, role: str, *, now: float) -> None:
        legs = self._around.legs
        legs.leg_closed(before.room_id, person.key, "moved")
        said = {
            "identity": person.identity,
            "from_group": before.group and before.group.id,
            "to_group": call.group and call.group.id,
            "to_room": call.room_name,
            "cause": "api",
            "by": None,
        }
        legs.happened(before.room_id, "participant.moved", said)
        person.line = Line(up_since=now)  # the log of the other room begins anew
        legs.leg_opened(call.room_id, person.key, person.identity, role)
        legs.leg_media_ready(call.room_id, person.key, person.path, person.family)

    def _forget(self, call: Call) -> None:
        if self._calls.get(call.key) is call:
            del self._calls[call.key]
            of_room = self._rooms.get(call.room_id, {})
            of_room.pop(call.key, None)
            if not of_room:
                self._rooms.pop(call.room_id, None)
            self.timers.cancel_all(call)

    def _wake_one(self, owner: Hashable, timer: Timer, *, now: float) -> None:
        if isinstance(owner, Call):
            self._wake_call(owner, timer, now=now)
        elif isinstance(owner, Participant):
            call = self._calls[owner.admission.call_id]
            self._wake_person(call, owner, timer, now=now)

    def _wake_call(self, call: Call, timer: Timer, *, now: float) -> None:
        if timer is Timer.QUALITY:
            self.timers.set(call, Timer.QUALITY, at=now + self._around.settings.times.quality_interval)
            call.quality.judge_all(now=now)
        elif timer is Timer.ARRIVALS:
            call.roster.tell_arrivals(now=now)
        elif timer is Timer.ROOM:
            call.tell_room()

    def _wake_person(self, call: Call, person: Participant, timer: Timer, *, now: float) -> None:
        match timer:
            case Timer.MEDIA:
                call.end(person, Event.MEDIA_LATE, now=now)
            case Timer.RESUME:
                call.end(person, Event.RESUME_LATE, now=now)
            case Timer.PING:
                self._check_ping(call, person, now=now)
            case Timer.TOKEN:
                # Once there is a token it is set anew: this is for one that is refused.
                self.timers.set(person, Timer.TOKEN, at=now + self._around.settings.times.token_again)
                self._want_token(call, person)
            case Timer.ROSTER:
                call.roster.tell_now_or_later(person, now=now)

    def _check_ping(self, call: Call, person: Participant, *, now: float) -> None:
        due = person.heard_at + self._around.settings.times.ping_timeout
        if due > now:
            self.timers.set(person, Timer.PING, at=due)
        elif person.outlet is not None:
            outlet = person.outlet
            self.counters.dropped["ping-timeout"] += 1
            call.signal_lost(person, outlet, now=now)
            outlet.close(4002, "nothing heard")


class Seat:
    """One connection's hold on a participant: what its reader calls."""

    def __init__(self, hub: Hub, person: Participant, outlet: Outlet) -> None:
        self._hub = hub
        self._person = person
        self._outlet = outlet

    @property
    def open(self) -> bool:
        """Whether this connection still speaks for the participant."""
        return self._person.outlet is self._outlet

    @property
    def _call(self) -> Call | None:
        """The call that the participant is in, which may change."""
        return self._hub.find(self._person.admission.call_id) if self.open else None

    def handle(self, request: rtc.SignalRequest, *, now: float) -> None:
        """Do what the client asks for."""
        call = self._call
        if call is None:
            return
        # A long list is as much work as many messages.
        if not self._person.messages.take(max(1.0, items_in(request) / _ITEMS_OF_A_MESSAGE), now=now):
            self.abuse("flood", 1008, now=now)
            return
        call.requests.handle(self._person, request, now=now)

    def abuse(self, reason: str, close_code: int, *, now: float) -> None:
        """End the stay of a client that broke the rules."""
        call = self._call
        if call is None:
            return
        self._hub.counters.dropped[reason] += 1
        call.end(self._person, Event.ABUSE, now=now, close_code=close_code, detail=reason)

    def lost(self, *, now: float) -> None:
        """Wait for the client: the connection is gone."""
        call = self._call
        if call is not None:
            call.signal_lost(self._person, self._outlet, now=now)

"""Whatever people do, in whatever order: in the end every client knows the truth about everybody."""

import contextlib
from typing import Any

from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st
from livekit.protocol import models, rtc

from sfu import TrackKey
from tests.support.stage import ROOM, Client, Stage, rights

PEOPLE = ("ada", "bob", "cleo")
IN_CALL = ("leave", "lose", "publish", "mute", "unpublish", "rename", "fail", "deny", "allow", "data")
BY_OTHERS = ("remove", "hide", "mute-rights", "all-rights")
# Each number chooses one of the things that can happen next, so that no step is wasted.
STEPS = st.lists(st.integers(0, 10_000), min_size=40, max_size=60)
# A failing life is told step by step; making it shorter would take longer than a test may run.
LONG = settings(max_examples=200, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


class World:
    """People who act, and what their clients would show."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.clients: dict[str, Client] = {}
        self.lost: dict[str, Client] = {}
        self.views: dict[str, dict[str, models.ParticipantInfo]] = {}

    def live(self, steps: list[int]) -> None:
        """Do one of the possible things for each number."""
        for step in steps:
            possible = [("wait", "")]
            for who in PEOPLE:
                possible += [("join", who)]
                possible += [("resume", who)] * (2 * (who in self.lost))
                possible += [(action, who) for action in IN_CALL if who in self.clients]
                possible += [(action, who) for action in BY_OTHERS if who in {*self.clients, *self.lost}]
            action, who = possible[step % len(possible)]
            note(f"{action} {who}")
            self.act(action, who)

    def act(self, action: str, who: str) -> None:
        client = self.clients.get(who)
        if action == "join":
            self.clients[who] = self.stage.joins(who)
            self.views[who] = {}
            self.lost.pop(who, None)
        elif action == "resume" and who in self.lost:
            again = self.stage.resumes(self.lost.pop(who))
            if again.seat is not None:
                self.clients[who] = again
                again.says(sync_state=_sync_state(again))
        elif action == "wait":
            self.stage.passes(9)
            for one in self.clients.values():
                one.says(ping=1)
        elif action in {"remove", "hide", "mute-rights", "all-rights"}:
            self._rights(action, who)
        elif client is not None:
            self._say(action, client)
        self.read()

    def read(self) -> None:
        """Show what was heard since, as a client does: by identity, newest version wins."""
        for who, client in list(self.clients.items()):
            view = self.views[who]
            for response in client.heard:
                match response.WhichOneof("message"):
                    case "join":
                        view.clear()
                        view.update({one.identity: one for one in response.join.other_participants})
                    case "update":
                        for info in response.update.participants:
                            _show(view, info)
            client.forgets()
            if client.closed is not None:
                del self.clients[who]

    def _rights(self, action: str, who: str) -> None:
        hub = self.stage.hub
        match action:
            case "remove":
                hub.participant_removed(ROOM, who)
                self.lost.pop(who, None)
            case "hide":
                hub.participant_changed(ROOM, who, rights(hidden=True), "", {})
            case "mute-rights":
                hub.participant_changed(ROOM, who, rights(can_publish=False, can_subscribe=False), "", {})
            case "all-rights":
                hub.participant_changed(ROOM, who, rights(), "", {})

    def _say(self, action: str, client: Client) -> None:
        tracks = list(client.person.tracks)
        match action:
            case "leave":
                client.says(leave=rtc.LeaveRequest())
            case "publish" if not client.person.grants.hidden and client.person.grants.can_publish:
                client.publishes()
            case "unpublish" if tracks:
                client.leg.published.pop(tracks[0], None)
                client.leg.listener.track_unpublished(tracks[0])
            case "mute" if tracks:
                muted = client.person.tracks[tracks[0]].info.muted
                client.says(mute=rtc.MuteTrackRequest(sid=tracks[0], muted=not muted))
            case "rename":
                client.says(update_metadata=rtc.UpdateParticipantMetadata(name=f"n{self.stage.count()}"))
            case "lose":
                client.loses_signal()
                self.lost[client.identity] = self.clients.pop(client.identity)
            case "fail":
                client.leg.listener.failed("consent")
            case "deny":
                client.says(subscription_permission=rtc.SubscriptionPermission())
            case "allow":
                client.says(subscription_permission=rtc.SubscriptionPermission(all_participants=True))
            case "data":
                packet = models.DataPacket(user=models.UserPacket(payload=b"x"))
                client.leg.listener.data_received("_reliable", packet.SerializeToString(), binary=True)


def _show(view: dict[str, models.ParticipantInfo], info: models.ParticipantInfo) -> None:
    known = view.get(info.identity)
    if known is not None and known.sid == info.sid and known.version > info.version:
        return
    if info.state == models.ParticipantInfo.DISCONNECTED:
        view.pop(info.identity, None)
    else:
        view[info.identity] = info


def _sync_state(client: Client) -> rtc.SyncState:
    tracks = [track.info for track in client.person.tracks.values()]
    return rtc.SyncState(publish_tracks=[rtc.TrackPublishedResponse(track=one) for one in tracks])


def _essence(info: models.ParticipantInfo) -> Any:
    return (info.sid, info.name, info.state, sorted((one.sid, one.muted) for one in info.tracks))


@LONG
@given(STEPS)
def test_views_agree_with_the_truth_and_so_do_deliveries(steps: list[int]) -> None:
    world = World()
    world.live(steps)
    world.stage.passes(2)
    world.read()
    call = world.stage.hub._calls.get(ROOM)
    truth = {} if call is None else {one.identity: one for one in call.roster}
    for who, client in world.clients.items():
        seen = {name: _essence(info) for name, info in world.views[who].items() if name != who}
        there = {
            name: _essence(person.info())
            for name, person in truth.items()
            if name != who and not person.grants.hidden
        }
        assert seen == there
        assert truth[who] is client.person
    for person in truth.values():
        expected = {
            key
            for other in truth.values()
            for key, track in other.tracks.items()
            if other is not person
            and track.announced
            and other.audience.admits(person.identity, person.key, key)
        }
        leg: Any = person.leg
        assert call is not None
        assert call.subscriptions.of(person) == (expected if person.grants.can_subscribe else set())
        assert call.subscriptions.of(person) <= leg.subscribed


@LONG
@given(STEPS)
def test_when_everybody_has_left_nothing_is_left(steps: list[int]) -> None:
    world = World()
    world.live(steps)
    for client in list(world.clients.values()):
        client.says(leave=rtc.LeaveRequest())
    world.stage.passes(60)
    assert set(world.stage.hub.census().values()) == {0}


_TRACKS = st.sampled_from(["TR_none", ""]).map(TrackKey)
_REQUESTS = st.one_of(
    st.builds(rtc.MuteTrackRequest, sid=_TRACKS, muted=st.booleans()).map(lambda one: {"mute": one}),
    st.builds(rtc.UpdateSubscription, track_sids=st.lists(_TRACKS), subscribe=st.booleans()).map(
        lambda one: {"subscription": one}
    ),
    st.builds(rtc.AddTrackRequest, cid=st.text(max_size=3)).map(lambda one: {"add_track": one}),
    st.binary(max_size=40).map(lambda data: {"sync_state": _parsed(rtc.SyncState, data)}),
    st.binary(max_size=40).map(lambda data: {"track_setting": _parsed(rtc.UpdateTrackSettings, data)}),
    st.binary(max_size=40).map(
        lambda data: {"update_metadata": _parsed(rtc.UpdateParticipantMetadata, data)}
    ),
    st.binary(max_size=40).map(
        lambda data: {"subscription_permission": _parsed(rtc.SubscriptionPermission, data)}
    ),
    st.binary(max_size=40).map(lambda data: {"add_track": _parsed(rtc.AddTrackRequest, data)}),
)


def _parsed(kind: Any, data: bytes) -> Any:
    message = kind()
    with contextlib.suppress(Exception):
        message.ParseFromString(data)
    return message


@settings(max_examples=200, deadline=None)
@given(st.lists(_REQUESTS, max_size=8))
def test_no_request_of_a_client_raises(requests: list[dict[str, Any]]) -> None:
    stage = Stage()
    ada, bob = stage.joins("ada"), stage.joins("bob")
    bob.publishes()
    for request in requests:
        ada.says(**request)
    bob.says(ping=1)
    assert bob.hears("pong")

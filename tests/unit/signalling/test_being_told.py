"""What clients hear of each other during a call, how often, and what they may say of themselves."""

import pytest
from livekit.protocol import models, rtc
from livekit.protocol.models import ConnectionQuality

from sfu import CallKey, LegStats, Speaker, TrackKey
from signalling.livekit.roster import COMPANY_SECONDS, FEW
from signalling.livekit.settings import LiveKitSettings, SignalLimits
from tests.support.stage import ROOM, Client, Stage, rights, rules


def updates(client: Client, **fields: object) -> int:
    request_id = client.stage.count()
    client.says(update_metadata=rtc.UpdateParticipantMetadata(request_id=request_id, **fields))  # type: ignore[arg-type]
    answer = client.hears("request_response")[-1]
    assert answer.request_id == request_id
    return int(answer.reason)


def test_pings_are_answered_with_the_clients_own_timestamp(stage: Stage) -> None:
    ada = stage.joins("ada")
    ada.says(ping_req=rtc.Ping(timestamp=123, rtt=4))
    ada.says(ping=99)
    assert ada.hears("pong_resp")[0].last_ping_timestamp == 123
    assert ada.hears("pong")[0] > 1_700_000_000_000


def test_name_metadata_and_attributes_reach_everybody_and_then_are_confirmed(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    ada.forgets()
    reason = updates(ada, name="Dr Ada", metadata="m", attributes={"hand": "2026-11-23T10:00:00Z"})
    assert reason == rtc.RequestResponse.OK
    for client in (ada, bob):
        info = client.updates_of("ada")[-1]
        assert (info.name, info.metadata) == ("Dr Ada", "m")
        assert info.attributes["hand"] == "2026-11-23T10:00:00Z", "clients wait until they read it back"
    assert ada.kinds() == ["update", "request_response"]


def test_an_empty_attribute_is_removed_and_others_stay(stage: Stage) -> None:
    ada = stage.joins("ada", attributes={"lang": "fr"})
    updates(ada, attributes={"hand": "up"})
    updates(ada, attributes={"hand": ""})
    assert dict(ada.updates_of("ada")[-1].attributes) == {"lang": "fr"}
    assert ada.updates_of("ada")[-1].name == "Ada"


def test_who_may_not_change_what_is_said_of_them_is_told_so(stage: Stage) -> None:
    ada, bob = stage.joins("ada", rights(can_update_own_metadata=False)), stage.joins("bob")
    bob.forgets()
    assert updates(ada, name="Root") == rtc.RequestResponse.NOT_ALLOWED
    assert bob.updates_of("ada") == []


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "n" * 257},
        {"metadata": "é" * 32_769},
        {"attributes": {"a": "x" * 65_536}},
        {"attributes": {f"key-{number}": "x" * 600 for number in range(110)}},
    ],
)
def test_what_a_person_says_of_themselves_is_bounded(stage: Stage, fields: dict[str, object]) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    bob.forgets()
    assert updates(ada, **fields) == rtc.RequestResponse.LIMIT_EXCEEDED
    assert bob.updates_of("ada") == []


def test_attributes_do_not_grow_by_small_steps(stage: Stage) -> None:
    ada = stage.joins("ada")
    reasons = [updates(ada, attributes={f"key-{number}": "x" * 10_000}) for number in range(8)]
    assert reasons == [rtc.RequestResponse.OK] * 6 + [rtc.RequestResponse.LIMIT_EXCEEDED] * 2


def test_versions_rise_with_every_change(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    track = ada.publishes()
    for muted in (True, False):
        ada.says(mute=rtc.MuteTrackRequest(sid=track, muted=muted))
    ada.says(leave=rtc.LeaveRequest())
    versions = [info.version for info in bob.updates_of("ada")]
    assert versions == sorted(set(versions))


def test_somebody_who_changes_all_the_time_is_told_of_less_often_but_to_the_end() -> None:
    limits = SignalLimits(updates_per_second=10, updates_burst=5)
    stage = Stage(LiveKitSettings(limits=limits))
    ada, bob = stage.joins("ada"), stage.joins("bob")
    bob.forgets()
    for number in range(200):
        updates(ada, attributes={"n": str(number)})
        stage.passes(0.01)
    stage.passes(1)
    seen = bob.updates_of("ada")
    assert len(seen) < 40
    assert dict(seen[-1].attributes) == {"n": "199"}


def test_a_person_of_whom_much_is_to_be_told_is_told_of_less_often(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    track = ada.publishes()
    assert updates(ada, metadata="m" * 60_000, attributes={"a": "x" * 60_000}) == rtc.RequestResponse.OK
    stage.passes(5)
    bob.forgets()
    for muted in (True, False, True, False):
        ada.says(mute=rtc.MuteTrackRequest(sid=track, muted=muted))
    assert len(bob.updates_of("ada")) == 1
    stage.passes(5)
    assert [info.tracks[0].muted for info in bob.updates_of("ada")] == [True, False]


def test_more_is_told_of_a_person_than_may_be_told_at_once() -> None:
    stage = Stage(LiveKitSettings(limits=SignalLimits(updates_per_second=1, updates_burst=2)))
    ada, bob = stage.joins("ada"), stage.joins("bob")
    updates(ada, metadata="m" * 60_000)
    stage.passes(3)
    assert len(bob.updates_of("ada")[-1].metadata) == 60_000


def test_what_a_client_can_do_is_told_within_a_bound(stage: Stage) -> None:
    known = models.ClientInfo.Capability.CAP_PACKET_TRAILER
    stage.joins("ada", request=rtc.JoinRequest(client_info=models.ClientInfo(capabilities=[known] * 500)))
    (info,) = stage.joins("bob").hears("join")[0].other_participants
    assert list(info.capabilities) == [known] * 16


def test_a_name_given_by_the_application_replaces_the_old_one(stage: Stage) -> None:
    stage.joins("ada")
    bob = stage.joins("bob")
    stage.hub.participant_changed(ROOM, "ada", rights(), "Visitor", {})
    assert bob.updates_of("ada")[-1].name == "Visitor"
    stage.hub.participant_changed(ROOM, "ada", rights(), "", {})
    assert bob.updates_of("ada")[-1].name == "Visitor"


def test_attributes_that_the_application_changes_are_seen_and_ones_own_stay(stage: Stage) -> None:
    ada = stage.joins("ada", attributes={"seat": "2", "ward": "7"})
    bob = stage.joins("bob")
    updates(ada, attributes={"hand": "up"})
    stage.hub.participant_changed(ROOM, "ada", rights(), "", {"seat": "3", "ward": ""})
    assert dict(bob.updates_of("ada")[-1].attributes) == {
        "seat": "3",
        "hand": "up",
        "colloque.hand": "2027-01-15T08:00:00.000Z",
    }


def test_a_changed_room_is_told_to_everybody_even_when_the_last_who_came_is_out(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    stage.hub.participant_removed(ROOM, "bob")
    stage.passes(2)
    ada.forgets()
    stage.hub.room_changed(ROOM, rules(text="new", max_participants=7))
    stage.passes(1.1)
    assert bob.closed is not None
    assert [(one.room.metadata, one.room.max_participants) for one in ada.hears("room_update")] == [
        ("new", 7)
    ]


def test_who_comes_later_is_told_the_room_as_it_is_now(stage: Stage) -> None:
    stage.joins("ada")
    stage.hub.room_changed(ROOM, rules(text="new"))
    bob = stage.joins("bob", rules=rules(text="new"))
    assert bob.hears("join")[0].room.metadata == "new"


def test_everybody_hears_who_speaks(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    listener = stage.sfu.calls[CallKey(ROOM)].listener
    assert listener is not None
    listener.speakers_changed([Speaker(ada.sid, TrackKey("TR_1"), 0.8)])
    for client in (ada, bob):
        (info,) = client.hears("speakers_changed")[0].speakers
        assert (info.sid, info.active) == (ada.sid, True)
        assert info.level == pytest.approx(0.8)


def words(client: Client) -> list[tuple[str, int]]:
    return [
        (info.participant_sid, info.quality)
        for update in client.hears("connection_quality")
        for info in update.updates
    ]


def test_quality_is_told_at_first_and_when_it_changes(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    for _ in range(3):
        stage.passes(5)
        ada.says(ping=1)
        bob.says(ping=1)
    excellent = ConnectionQuality.EXCELLENT
    assert sorted(words(bob)) == sorted([(ada.sid, excellent), (bob.sid, excellent)])
    ada.leg.now_stats = LegStats(packets_up=800, lost_up=200)
    bob.forgets()
    stage.passes(5)
    assert words(bob) == [(ada.sid, ConnectionQuality.POOR)]


def test_the_quality_of_who_is_hidden_is_theirs_alone_to_hear(stage: Stage) -> None:
    ada, eve = stage.joins("ada"), stage.joins("eve", rights(hidden=True))
    stage.passes(6)
    excellent = ConnectionQuality.EXCELLENT
    assert words(ada) == [(ada.sid, excellent)]
    assert sorted(words(eve)) == sorted([(ada.sid, excellent), (eve.sid, excellent)])
    for client in (ada, eve):
        client.leg.now_stats = LegStats(packets_up=800, lost_up=200)
        client.forgets()
    stage.passes(5)
    poor = ConnectionQuality.POOR
    assert words(ada) == [(ada.sid, poor)]
    assert sorted(words(eve)) == sorted([(ada.sid, poor), (eve.sid, poor)])


def test_a_silent_connection_is_lost_at_once_and_found_at_once(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    ada.leg.listener.silent()
    assert words(bob) == [(ada.sid, ConnectionQuality.LOST)]
    ada.leg.listener.resumed()
    assert words(bob)[-1] == (ada.sid, ConnectionQuality.EXCELLENT)


def test_a_flood_of_messages_ends_the_stay() -> None:
    stage = Stage(LiveKitSettings(limits=SignalLimits(messages_per_second=10, messages_burst=20)))
    ada, bob = stage.joins("ada"), stage.joins("bob")
    for _ in range(25):
        ada.says(ping=1)
    assert ada.closed == (1008, "flood")
    assert ada.hears("leave")[0].action == rtc.LeaveRequest.DISCONNECT
    assert len(ada.hears("pong")) == 20
    assert bob.updates_of("ada")[-1].state == models.ParticipantInfo.DISCONNECTED
    assert stage.hub.counters.dropped["flood"] == 1


def test_a_long_list_counts_as_the_many_messages_that_it_replaces(stage: Stage) -> None:
    ada = stage.joins("ada")
    request = rtc.UpdateSubscription(track_sids=["TR_none"] * 1000, subscribe=True)
    for _ in range(11):
        ada.says(subscription=request)
    assert ada.closed == (1008, "flood")
    assert len(ada.hears("subscription_response")) == 10 * 1000


def test_messages_that_mean_nothing_here_are_counted_and_ignored(stage: Stage) -> None:
    ada = stage.joins("ada")
    ada.forgets()
    ada.says()
    ada.says(
        trickle=rtc.TrickleRequest(candidateInit='{"candidate": "candidate:1 1 udp 1 10.0.0.1 9 typ host"}')
    )
    ada.says(answer=rtc.SessionDescription(type="answer", sdp="v=0"))
    assert ada.heard == []
    assert stage.hub.counters.dropped["unknown-message"] == 1


def test_the_state_can_be_looked_into(stage: Stage) -> None:
    ada = stage.joins("ada")
    ada.publishes()
    state = stage.hub.debug_state()
    person = state["calls"][ROOM]["participants"][ada.sid]
    assert (person["identity"], person["state"], person["signalling"]) == ("ada", "active", True)
    assert person["client"] == "JS 2.23.0"
    assert len(person["tracks"]) == 1
    assert state["objects"]["participants"] == 1


class TestInACallOfMany:
    """That somebody came who publishes nothing, and that their media flows, is told in company."""

    @staticmethod
    def audience(stage: Stage, count: int = FEW) -> Client:
        """Let so many come, and give one of them, who has heard nothing since."""
        first, *_ = [stage.joins(f"guest-{number}") for number in range(count)]
        stage.passes(1)
        first.forgets()
        return first

    def test_that_somebody_came_and_that_media_flows_is_told_once_and_a_moment_later(
        self, stage: Stage
    ) -> None:
        viewer = self.audience(stage)
        ada = stage.joins("ada")
        assert [one.identity for one in ada.hears("join")[0].other_participants] == [
            f"guest-{number}" for number in range(FEW)
        ]
        stage.passes(COMPANY_SECONDS / 2)
        stage.joins("bob")
        assert viewer.kinds() == []
        stage.passes(COMPANY_SECONDS / 2)
        told = [
            [(one.identity, one.state) for one in update.participants] for update in viewer.hears("update")
        ]
        assert told == [[("ada", models.ParticipantInfo.ACTIVE), ("bob", models.ParticipantInfo.ACTIVE)]]

    def test_media_that_comes_up_later_is_told_later(self, stage: Stage) -> None:
        viewer = self.audience(stage)
        ada = stage.joins("ada", connected=False)
        stage.passes(COMPANY_SECONDS)
        ada.connects()
        assert [one.state for one in viewer.updates_of("ada")] == [models.ParticipantInfo.JOINED]
        stage.passes(COMPANY_SECONDS)
        assert [one.state for one in viewer.updates_of("ada")] == [
            models.ParticipantInfo.JOINED,
            models.ParticipantInfo.ACTIVE,
        ]

    def test_it_comes_along_with_whatever_is_told_next(self, stage: Stage) -> None:
        viewer = self.audience(stage)
        stage.joins("ada")
        updates(viewer, name="Guest")
        [told] = viewer.hears("update")
        assert [one.identity for one in told.participants] == ["guest-0", "ada"]
        stage.passes(1)
        assert len(viewer.hears("update")) == 1

    def test_nobody_hears_what_somebody_says_before_they_hear_who_it_is(self, stage: Stage) -> None:
        viewer = self.audience(stage)
        ada, message = stage.joins("ada"), models.DataPacket(user=models.UserPacket(payload=b"hello"))
        knew: list[int] = []
        take = viewer.leg.send_data

        def taking(label: str, payload: bytes) -> bool:
            knew.append(len(viewer.updates_of("ada")))
            return take(label, payload)

        viewer.leg.send_data = taking  # type: ignore[method-assign,assignment]
        ada.leg.listener.data_received("_reliable", message.SerializeToString(), binary=True)
        assert knew == [1]

    def test_nor_how_their_line_is(self, stage: Stage) -> None:
        viewer = self.audience(stage)
        newest = stage.joins("late-0")
        for number in range(1, 100):
            stage.passes(COMPANY_SECONDS / 2)
            if viewer.hears("connection_quality"):
                break
            viewer.forgets()
            newest = stage.joins(f"late-{number}")
        judged = [info.participant_sid for one in viewer.hears("connection_quality") for info in one.updates]
        assert newest.sid in judged
        kinds = viewer.kinds()
        assert kinds.index("update") < kinds.index("connection_quality")

    def test_the_first_word_after_a_change_is_the_newest(self, stage: Stage) -> None:
        viewer = self.audience(stage)
        ada = stage.joins("ada")
        updates(ada, name="Dr Ada")
        stage.passes(1)
        told = [(one.name, one.state, one.version) for one in viewer.updates_of("ada")]
        assert told == [("Dr Ada", models.ParticipantInfo.ACTIVE, ada.person.version)]

    def test_of_somebody_who_left_meanwhile_only_that_is_told(self, stage: Stage) -> None:
        viewer = self.audience(stage)
        stage.joins("ada").says(leave=rtc.LeaveRequest())
        stage.passes(1)
        assert [one.state for one in viewer.updates_of("ada")] == [models.ParticipantInfo.DISCONNECTED]

    def test_nobody_hears_of_the_media_of_who_is_hidden(self, stage: Stage) -> None:
        viewer = self.audience(stage)
        ada = stage.joins("ada", rights(hidden=True))
        stage.passes(1)
        assert viewer.updates_of("ada") == []
        assert ada.updates_of("ada")[-1].state == models.ParticipantInfo.ACTIVE

    def test_a_call_of_few_hears_of_it_at_once(self, stage: Stage) -> None:
        viewer = self.audience(stage, FEW - 1)
        stage.joins("ada")
        assert [one.state for one in viewer.updates_of("ada")] == [
            models.ParticipantInfo.JOINED,
            models.ParticipantInfo.ACTIVE,
        ]

    def test_so_does_everybody_where_there_is_something_to_receive(self, stage: Stage) -> None:
        viewer = self.audience(stage)
        ada = stage.joins("ada", connected=False)
        ada.publishes()
        ada.connects()
        assert viewer.updates_of("ada")[-1].state == models.ParticipantInfo.ACTIVE

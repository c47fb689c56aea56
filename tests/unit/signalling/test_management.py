"""What an application does to people in calls, and what clients hear of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from livekit.protocol import models, rtc
from livekit.protocol.models import DataPacket, DisconnectReason
from livekit.protocol.room import SendDataRequest, UpdateParticipantRequest, UpdateSubscriptionsRequest

from rooms import (
    Admission,
    GroupPlace,
    JoinRefused,
    LayerNow,
    LineFigures,
    RoomObserver,
    Warrant,
)
from sfu import LegStats, PeerError
from signalling.livekit.management import Management
from signalling.livekit.media import Clocks
from signalling.livekit.settings import SignalLimits
from tests.support.stage import ROOM, Client, Stage, admission, rights, rules

THERE = "RM_there"


class Door:
    """The door of other rooms: lets everybody in, unless it was told otherwise."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.refuses: JoinRefused | None = None
        self.happens_meanwhile: list[Any] = []
        self.there: Mapping[str, Any] = {}

    async def verify_join(self, token: str, *, now: float) -> Admission:
        raise NotImplementedError

    async def refresh_token(self, admission: Admission, *, now: float) -> str:
        raise NotImplementedError

    async def transfer(self, admission: Admission, room_id: str, *, now: float) -> tuple[Admission, str]:
        if self.happens_meanwhile:
            self.happens_meanwhile.pop()()
        if self.refuses is not None:
            raise self.refuses
        there: dict[str, Any] = {"room_id": THERE, "room_name": room_id, **self.there}
        return replace(admission, **there), f"a token for {room_id}"

    async def place(self, admission: Admission, *, now: float) -> tuple[Admission, str]:
        raise NotImplementedError

    def observe(self, observer: RoomObserver) -> None:
        raise NotImplementedError


@pytest.fixture
def door(stage: Stage) -> Door:
    return Door(stage)


@pytest.fixture
def management(stage: Stage, door: Door) -> Management:
    return made(stage, door)


def made(stage: Stage, door: Door, limits: SignalLimits | None = None) -> Management:
    clocks = Clocks(now=lambda: stage.now, wall=stage.wall)
    return Management(stage.hub, door, clocks, limits or SignalLimits())


def last_seen(viewer: Client, identity: str) -> models.ParticipantInfo:
    return viewer.updates_of(identity)[-1]


class TestSeeing:
    def test_everybody_in_the_call_is_seen_and_hidden_ones_are_not_counted(
        self, stage: Stage, management: Management
    ) -> None:
        ada = stage.joins("ada")
        ada.publishes()
        stage.joins("spy", rights(hidden=True))
        assert {one.identity for one in management.participants(ROOM)} == {"ada", "spy"}
        assert management.head_count(ROOM) == (1, 1)
        assert management.participant(ROOM, "ada").tracks[0].source == models.TrackSource.MICROPHONE

    def test_how_lines_are_is_of_the_last_interval_and_as_clients_were_told(
        self, stage: Stage, management: Management
    ) -> None:
        ada, bob = stage.joins("ada"), stage.joins("bob")
        stage.joins("cy", connected=False)
        camera = ada.publishes(models.TrackSource.CAMERA)
        before = {one.identity: one for one in management.quality(ROOM)}
        assert set(before) == {"ada", "bob"}
        assert (before["ada"].figures, before["ada"].word, before["ada"].since) == (LineFigures(), None, None)
        ada.leg.now_stats = LegStats(packets_up=850, lost_up=150, bytes_up=62_500, rtt_seconds=0.05)
        bob.leg.now_layers = {camera: 1}
        stage.passes(5)
        lines = {one.identity: one for one in management.quality(ROOM)}
        assert lines["ada"].figures == LineFigures(0.15, None, 100.0, 0.0, 0.05)
        assert (lines["ada"].word, lines["ada"].since) == ("poor", stage.wall())
        told = bob.hears("connection_quality")[-1].updates
        assert [one.score for one in told if one.participant_sid == ada.sid] == [
            pytest.approx(lines["ada"].score)
        ]
        assert lines["bob"].pictures == (LayerNow("ada", "camera", 1, 1),)
        assert (lines["bob"].path, lines["bob"].family, lines["bob"].word) == ("udp", "ipv4", "excellent")
        stage.passes(5)
        after = {one.identity: one for one in management.quality(ROOM)}
        assert after["ada"].figures == LineFigures(None, None, 0.0, 0.0, 0.05)
        assert (after["ada"].word, after["bob"].since) == ("excellent", lines["bob"].since)
        assert after["ada"].since == stage.wall()

    def test_lines_of_groups_are_the_rooms_and_figures_go_along_into_them(
        self, stage: Stage, management: Management
    ) -> None:
        ada = stage.joins("ada")
        ada.leg.now_stats = LegStats(packets_up=500, lost_up=500)
        stage.passes(5)
        group = GroupPlace("GR_left", "Left")
        stage.hub.place(ada.person, admission("ada", group=group), "a token", now=stage.now)
        stage.hub.room_changed(ROOM, rules(audio_only=True))
        ada.leg.now_stats = LegStats(packets_up=1500, lost_up=500)
        stage.passes(5)
        (line,) = management.quality(ROOM)
        assert (line.group, line.audio_only) == ("GR_left", True)
        # What was lost before the move counts neither in the figures nor in the judgement after it.
        assert (line.figures.loss_up, line.word) == (0.0, "excellent")

    def test_where_nobody_is_there_is_nothing(self, management: Management) -> None:
        assert management.quality("RM_other") == []
        assert management.participants("RM_other") == []
        assert management.head_count("RM_other") == (0, 0)
        with pytest.raises(PeerError, match="participant-gone"):
            management.participant("RM_other", "ada")


class TestMuting:
    def test_the_publisher_is_told_first_and_nothing_is_forwarded(
        self, stage: Stage, management: Management
    ) -> None:
        ada, bob = stage.joins("ada"), stage.joins("bob")
        key = ada.publishes()
        stage.everybody_forgets([ada, bob])
        assert management.mute(ROOM, "ada", key).muted
        assert ada.kinds() == ["mute", "update"]
        assert (ada.hears("mute")[0].sid, ada.hears("mute")[0].muted) == (key, True)
        assert last_seen(bob, "ada").tracks[0].muted
        assert ada.leg.muted[key] is True

    def test_it_is_in_the_event_log(self, stage: Stage, management: Management) -> None:
        key = stage.joins("ada").publishes()
        management.mute(ROOM, "ada", key)
        (told,) = [one for one in stage.legs.told if one[0] == "participant.muted"]
        assert told[2] == "{'identity': 'ada', 'sources': ['microphone'], 'cause': 'api', 'by': None}"

    def test_the_person_may_unmute_again(self, stage: Stage, management: Management) -> None:
        ada, bob = stage.joins("ada"), stage.joins("bob")
        key = ada.publishes()
        management.mute(ROOM, "ada", key)
        ada.says(mute=rtc.MuteTrackRequest(sid=key, muted=False))
        assert ada.leg.muted[key] is False
        assert not last_seen(bob, "ada").tracks[0].muted

    def test_a_client_that_was_away_is_told_when_it_comes_back(
        self, stage: Stage, management: Management
    ) -> None:
        ada = stage.joins("ada")
        key = ada.publishes()
        ada.loses_signal()
        management.mute(ROOM, "ada", key)
        again = stage.resumes(ada)
        assert again.kinds()[:3] == ["reconnect", "mute", "update"]
        again.says(mute=rtc.MuteTrackRequest(sid=key, muted=True))
        again.loses_signal()
        assert stage.resumes(again).hears("mute") == [], "it did so itself meanwhile"

    def test_only_a_track_of_that_person_is_muted(self, stage: Stage, management: Management) -> None:
        key = stage.joins("ada").publishes()
        stage.joins("bob")
        with pytest.raises(PeerError, match="track-gone"):
            management.mute(ROOM, "bob", key)


class TestChanging:
    def change(self, management: Management, identity: str = "ada", **fields: Any) -> models.ParticipantInfo:
        return management.update_participant(ROOM, UpdateParticipantRequest(identity=identity, **fields))

    def test_everybody_sees_it_and_empty_fields_change_nothing(
        self, stage: Stage, management: Management
    ) -> None:
        stage.joins("ada", attributes={"hand": "1", "seat": "3"})
        bob = stage.joins("bob")
        info = self.change(management, metadata="m", attributes={"hand": "", "new": "x"})
        for seen in (info, last_seen(bob, "ada")):
            assert (seen.name, seen.metadata) == ("Ada", "m")
            assert dict(seen.attributes) == {"seat": "3", "new": "x"}
        assert self.change(management, name="Ada L.").metadata == "m"

    def test_rights_that_are_taken_away_end_what_they_allowed(
        self, stage: Stage, management: Management
    ) -> None:
        ada, bob = stage.joins("ada"), stage.joins("bob")
        microphone, camera = ada.publishes(), ada.publishes(models.TrackSource.CAMERA)
        only_sound = models.ParticipantPermission(
            can_subscribe=True, can_publish=True, can_publish_sources=[models.TrackSource.MICROPHONE]
        )
        info = self.change(management, permission=only_sound)
        assert [track.sid for track in info.tracks] == [microphone]
        assert ada.leg.unpublished == [camera]
        assert not last_seen(bob, "ada").permission.can_publish_data
        assert info.permission == only_sound

    def test_rights_may_be_given(self, stage: Stage, management: Management) -> None:
        ada = stage.joins("ada", rights(can_publish=False))
        self.change(management, permission=models.ParticipantPermission(can_publish=True))
        assert ada.publishes()

    def test_what_is_stored_bounds_what_is_given(self, stage: Stage, management: Management) -> None:
        silent = rights(can_publish=False)
        stage.joins("ada", silent, warrant=Warrant(stored=silent, token=None))
        everything = models.ParticipantPermission(can_publish=True, can_subscribe=True)
        assert not self.change(management, permission=everything).permission.can_publish

    def test_the_client_gets_a_token_that_says_the_same_and_a_resume_does_not_undo_it(
        self, stage: Stage, management: Management
    ) -> None:
        ada = stage.joins("ada")
        self.change(management, permission=models.ParticipantPermission(can_subscribe=True))
        stage.passes(0.0)
        assert stage.tokens_wanted == [ada.person]
        assert ada.person.admission.warrant.token is not None
        assert not ada.person.admission.warrant.token.can_publish
        ada.loses_signal()
        again = stage.resumes(ada)  # with the token of its join
        assert not again.person.grants.can_publish

    def test_a_moderator_stays_one(self, stage: Stage, management: Management) -> None:
        ada = stage.joins("ada", rights(room_admin=True))
        self.change(management, permission=models.ParticipantPermission(can_publish=True))
        assert ada.person.grants.room_admin

    def test_a_list_of_sources_that_are_not_known_allows_none(
        self, stage: Stage, management: Management
    ) -> None:
        stage.joins("ada")
        odd = models.ParticipantPermission(can_publish=True, can_publish_sources=[99])  # type: ignore[list-item]
        assert not self.change(management, permission=odd).permission.can_publish

    @pytest.mark.parametrize(
        "fields", [{"name": "n" * 5}, {"metadata": "é" * 3}, {"attributes": {"ab": "cde"}}]
    )
    def test_there_are_bounds(self, stage: Stage, door: Door, fields: dict[str, Any]) -> None:
        stage.joins("ada")
        small = made(stage, door, SignalLimits(name_chars=4, metadata_bytes=5, attributes_bytes=4))
        with pytest.raises(PeerError, match="too-large"):
            self.change(small, **fields)
        assert stage.hub.find(ROOM).roster.by_identity("ada").admission.name == "Ada"  # type: ignore[union-attr]


class TestSubscriptions:
    def test_a_delivery_is_ended_and_begun_again(self, stage: Stage, management: Management) -> None:
        key = stage.joins("ada").publishes()
        bob = stage.joins("bob")
        request = UpdateSubscriptionsRequest(identity="bob", track_sids=[key], subscribe=False)
        management.update_subscriptions(ROOM, request)
        assert bob.leg.subscribed == set()
        by_person = models.ParticipantTracks(participant_sid="PA_any", track_sids=[key])
        management.update_subscriptions(
            ROOM,
            UpdateSubscriptionsRequest(identity="bob", participant_tracks=[by_person], subscribe=True),
        )
        assert bob.leg.subscribed == {key}

    def test_a_track_that_is_gone_is_passed_over_and_the_client_hears_nothing(
        self, stage: Stage, management: Management
    ) -> None:
        bob = stage.joins("bob")
        bob.forgets()
        request = UpdateSubscriptionsRequest(identity="bob", track_sids=["TR_gone"], subscribe=True)
        management.update_subscriptions(ROOM, request)
        assert bob.heard == []


class TestData:
    def test_it_reaches_everybody_in_nobodys_name(self, stage: Stage, management: Management) -> None:
        people = [stage.joins("ada"), stage.joins("bob")]
        management.send_data(ROOM, SendDataRequest(data=b"soon over", topic="notice", nonce=b"n" * 16))
        for person in people:
            ((label, payload),) = person.leg.data
            packet = DataPacket.FromString(payload)
            assert (label, packet.participant_identity) == ("_reliable", "")
            assert (packet.user.payload, packet.user.topic) == (b"soon over", "notice")
            assert packet.user.nonce == b"n" * 16

    @pytest.mark.parametrize("by", ["destination_identities", "destination_sids"])
    def test_it_reaches_only_those_who_are_named(self, stage: Stage, management: Management, by: str) -> None:
        ada, bob = stage.joins("ada"), stage.joins("bob")
        name = "bob" if by == "destination_identities" else bob.sid
        request = SendDataRequest(data=b"1", kind=DataPacket.LOSSY, **{by: [name]})  # type: ignore[arg-type]
        management.send_data(ROOM, request)
        assert ada.leg.data == []
        assert [label for label, _ in bob.leg.data] == ["_lossy"]

    def test_one_that_is_too_large_reaches_nobody(self, stage: Stage, door: Door) -> None:
        ada = stage.joins("ada")
        with pytest.raises(PeerError, match="too-large"):
            made(stage, door, SignalLimits(data_message_bytes=3)).send_data(
                ROOM, SendDataRequest(data=b"1234")
            )
        assert ada.leg.data == []


class TestMoving:
    async def test_the_client_goes_on_in_the_other_room_with_what_it_publishes(
        self, stage: Stage, management: Management
    ) -> None:
        ada, bob, eve = stage.joins("ada"), stage.joins("bob"), stage.joins("eve", room_id=THERE)
        sound, of_bob, of_eve = ada.publishes(), bob.publishes(), eve.publishes()
        assert ada.leg.subscribed == {of_bob}
        stage.everybody_forgets([ada, bob, eve])
        await management.move(ROOM, "ada", "there")
        moved = ada.heard[0].room_moved
        assert ada.kinds()[0] == "room_moved"
        assert (moved.room.sid, moved.token) == (THERE, "a token for there")
        assert (moved.participant.sid, moved.participant.tracks[0].sid) == (ada.sid, sound)
        assert [one.identity for one in moved.other_participants] == ["eve"]
        assert (ada.leg.subscribed, eve.leg.subscribed) == ({of_eve}, {sound})
        gone = last_seen(bob, "ada")
        assert (gone.state, gone.disconnect_reason) == (
            models.ParticipantInfo.DISCONNECTED,
            DisconnectReason.MIGRATION,
        )
        assert [track.sid for track in last_seen(eve, "ada").tracks] == [sound]
        assert ada.closed is None

    async def test_what_it_says_is_heard_where_it_is(self, stage: Stage, management: Management) -> None:
        ada, bob, eve = stage.joins("ada"), stage.joins("bob"), stage.joins("eve", room_id=THERE)
        await management.move(ROOM, "ada", "there")
        stage.everybody_forgets([ada, bob, eve])
        key = ada.publishes()
        assert last_seen(eve, "ada").tracks[0].sid == key
        assert bob.updates_of("ada") == []
        ada.leg.listener.data_received(
            "_reliable", DataPacket(user=models.UserPacket(payload=b"hi")).SerializeToString(), binary=True
        )
        assert (len(eve.leg.data), len(bob.leg.data)) == (1, 0)

    async def test_it_comes_back_there_after_its_signal_was_lost(
        self, stage: Stage, management: Management
    ) -> None:
        ada = stage.joins("ada")
        await management.move(ROOM, "ada", "there")
        sid = ada.sid
        ada.loses_signal()
        again = stage.resumes(ada, sid, room_id=THERE)
        assert again.kinds()[0] == "reconnect"
        stage.passes(60.0)
        assert stage.hub.find(THERE) is None, "nothing was heard for a minute"

    async def test_nothing_is_left_of_a_room_from_which_everybody_went(
        self, stage: Stage, management: Management
    ) -> None:
        ada = stage.joins("ada")
        await management.move(ROOM, "ada", "there")
        assert (stage.hub.find(ROOM), stage.hub.census()["calls"]) == (None, 1)
        ada.says(leave=rtc.LeaveRequest())
        assert stage.hub.census() == dict.fromkeys(stage.hub.census(), 0)

    async def test_rights_there_end_tracks_that_they_do_not_allow(
        self, stage: Stage, management: Management, door: Door
    ) -> None:
        ada, eve = stage.joins("ada"), stage.joins("eve", room_id=THERE)
        sound = ada.publishes()
        silent = rights(can_publish=False)
        door.there = {"grants": silent, "warrant": Warrant(stored=None, token=silent)}
        await management.move(ROOM, "ada", "there")
        assert [one.track_sid for one in ada.hears("track_unpublished")] == [sound]
        assert eve.leg.subscribed == set()
        assert not last_seen(eve, "ada").tracks

    async def test_the_rules_there_hold(self, stage: Stage, management: Management) -> None:
        ada = stage.joins("ada")
        stage.joins("eve", room_id=THERE, rules=rules("there", chat=False))
        await management.move(ROOM, "ada", "there")
        assert not ada.person.grants.can_publish_data
        assert ada.hears("room_moved")[0].room.metadata == "there"

    async def test_the_same_identity_there_is_replaced(self, stage: Stage, management: Management) -> None:
        ada, older = stage.joins("ada"), stage.joins("ada", room_id=THERE)
        await management.move(ROOM, "ada", "there")
        assert older.hears("leave")[0].reason == DisconnectReason.DUPLICATE_IDENTITY
        assert [one.sid for one in management.participants(THERE)] == [ada.sid]

    async def test_a_refusal_at_the_door_changes_nothing(
        self, stage: Stage, management: Management, door: Door
    ) -> None:
        ada = stage.joins("ada")
        ada.forgets()
        door.refuses = JoinRefused("too-early")
        with pytest.raises(JoinRefused):
            await management.move(ROOM, "ada", "there")
        assert (ada.heard, stage.hub.find(THERE)) == ([], None)

    async def test_a_full_room_takes_nobody(self, stage: Stage, management: Management, door: Door) -> None:
        stage.joins("ada")
        stage.joins("eve", room_id=THERE)
        door.there = {"rules": rules(max_participants=1)}
        with pytest.raises(PeerError, match="full"):
            await management.move(ROOM, "ada", "there")
        stage.sfu.call(THERE).full = True  # type: ignore[arg-type]
        door.there = {}
        with pytest.raises(PeerError, match="full"):
            await management.move(ROOM, "ada", "there")
        assert management.participant(ROOM, "ada").state == models.ParticipantInfo.ACTIVE

    @pytest.mark.parametrize("away", [True, False])
    async def test_a_client_that_could_not_be_told_is_not_moved(
        self, stage: Stage, management: Management, away: bool
    ) -> None:
        ada = stage.joins("ada", connected=away)
        if away:
            ada.loses_signal()
        with pytest.raises(PeerError, match="unreachable"):
            await management.move(ROOM, "ada", "there")
        assert management.participants(THERE) == []

    async def test_the_room_where_it_is_is_no_other_room(
        self, stage: Stage, management: Management, door: Door
    ) -> None:
        stage.joins("ada")
        door.there = {"room_id": ROOM}
        with pytest.raises(PeerError, match="same-room"):
            await management.move(ROOM, "ada", "there")

    async def test_who_is_removed_meanwhile_is_not_moved(
        self, stage: Stage, management: Management, door: Door
    ) -> None:
        stage.joins("ada")
        door.happens_meanwhile.append(lambda: stage.hub.participant_removed(ROOM, "ada"))
        with pytest.raises(PeerError, match="participant-gone"):
            await management.move(ROOM, "ada", "there")

    async def test_a_change_meanwhile_has_the_door_asked_again(
        self, stage: Stage, management: Management, door: Door
    ) -> None:
        ada = stage.joins("ada")

        def closed() -> None:
            stage.hub.room_changed(THERE, rules())
            door.happens_meanwhile.append(lambda: setattr(door, "refuses", JoinRefused("too-late")))

        door.happens_meanwhile.append(closed)
        with pytest.raises(JoinRefused, match="too-late"):
            await management.move(ROOM, "ada", "there")
        assert ada.person.admission.room_id == ROOM

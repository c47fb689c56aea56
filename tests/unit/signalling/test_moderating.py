"""Muting, forbidding and presenting in a call, and what those concerned hear of it."""

from dataclasses import replace

from livekit.protocol import models, rtc

from rooms import CallRules, Restraints, Warrant
from signalling.livekit.presenting import Presenter, ones_too_many
from tests.support.stage import ROOM, Client, Stage, rights, rules

CAMERA, MICROPHONE = models.TrackSource.CAMERA, models.TrackSource.MICROPHONE
SCREEN, SCREEN_SOUND = models.TrackSource.SCREEN_SHARE, models.TrackSource.SCREEN_SHARE_AUDIO
HOST = rights(room_admin=True)


def taken(*sources: str, may_unmute: bool = True, **features: bool) -> CallRules:
    """Give the rules of a room in which this is taken away from all."""
    return replace(rules(**features), restraints=Restraints(sources, may_unmute))  # type: ignore[arg-type]


def muted(viewer: Client, identity: str) -> dict[int, bool]:
    return {track.source: track.muted for track in viewer.updates_of(identity)[-1].tracks}


def unmutes(client: Client, key: str) -> None:
    client.says(mute=rtc.MuteTrackRequest(sid=key, muted=False))


class TestMuting:
    def test_all_are_muted_but_those_who_moderate_and_only_in_what_was_named(self, stage: Stage) -> None:
        doc, ada, bob = stage.joins("doc", HOST), stage.joins("ada"), stage.joins("bob")
        for one in (doc, ada, bob):
            one.publishes(MICROPHONE)
            one.publishes(CAMERA)
        stage.everybody_forgets([doc, ada, bob])
        stage.hub.tracks_muted(ROOM, None, ("microphone",))
        assert [len(one.hears("mute")) for one in (doc, ada, bob)] == [0, 1, 1]
        assert muted(doc, "ada") == {MICROPHONE: True, CAMERA: False}
        stage.hub.tracks_muted(ROOM, None, ("camera",))
        assert muted(doc, "bob") == {MICROPHONE: True, CAMERA: True}
        assert doc.updates_of("doc") == []

    def test_one_is_muted_also_one_who_moderates(self, stage: Stage) -> None:
        doc, ada = stage.joins("doc", HOST), stage.joins("ada")
        doc.publishes(MICROPHONE)
        ada.publishes(MICROPHONE)
        ada.forgets()
        stage.hub.tracks_muted(ROOM, "doc", ("microphone",))
        assert muted(ada, "doc") == {MICROPHONE: True}
        assert ada.hears("mute") == []

    def test_what_is_muted_already_and_people_who_are_not_there_are_passed_over(self, stage: Stage) -> None:
        ada = stage.joins("ada")
        key = ada.publishes(MICROPHONE)
        ada.says(mute=rtc.MuteTrackRequest(sid=key, muted=True))
        stage.hub.tracks_muted(ROOM, "ada", ("microphone",))
        stage.hub.tracks_muted(ROOM, "nobody", ("microphone",))
        stage.hub.tracks_muted("RM_nowhere", None, ("microphone",))
        assert ada.hears("mute") == []

    def test_a_sound_of_unknown_source_does_not_escape(self, stage: Stage) -> None:
        ada, bob = stage.joins("ada"), stage.joins("bob")
        ada.says(add_track=rtc.AddTrackRequest(cid="x", type=models.TrackType.AUDIO))
        ada.offers()
        stage.hub.tracks_muted(ROOM, None, ("microphone",))
        assert list(muted(bob, "ada").values()) == [True]


class TestMayUnmute:
    def test_who_may_not_is_muted_again_at_once_and_nothing_is_forwarded(self, stage: Stage) -> None:
        ada, bob = stage.joins("ada"), stage.joins("bob")
        key = ada.publishes(MICROPHONE)
        stage.hub.tracks_muted(ROOM, "ada", ("microphone",))
        stage.hub.participant_restrained(ROOM, "ada", Restraints(may_unmute=False))
        assert bob.updates_of("ada")[-1].attributes["colloque.may_unmute"] == "false"
        stage.everybody_forgets([ada, bob])
        unmutes(ada, key)
        assert ada.kinds() == ["mute", "request_response"]
        assert ada.hears("mute")[0].muted
        assert ada.hears("request_response")[0].reason == rtc.RequestResponse.NOT_ALLOWED
        assert ada.leg.muted[key] is True
        assert bob.updates_of("ada") == []

    def test_a_microphone_that_is_published_anew_is_muted_too(self, stage: Stage) -> None:
        ada, bob = stage.joins("ada"), stage.joins("bob")
        stage.hub.participant_restrained(ROOM, "ada", Restraints(may_unmute=False))
        key = ada.publishes(MICROPHONE)
        assert ada.leg.published[key].muted
        assert [one.sid for one in ada.hears("mute")] == [key]
        assert muted(bob, "ada") == {MICROPHONE: True}
        ada.publishes(CAMERA)
        assert muted(bob, "ada")[CAMERA] is False

    def test_who_speaks_goes_on_until_muted_and_may_always_mute(self, stage: Stage) -> None:
        ada, bob = stage.joins("ada"), stage.joins("bob")
        key = ada.publishes(MICROPHONE)
        stage.hub.room_changed(ROOM, taken(may_unmute=False))
        assert muted(bob, "ada") == {MICROPHONE: False}
        ada.says(mute=rtc.MuteTrackRequest(sid=key, muted=True))
        assert muted(bob, "ada") == {MICROPHONE: True}
        unmutes(ada, key)
        assert muted(bob, "ada") == {MICROPHONE: True}

    def test_allowing_it_again_unmutes_nobody(self, stage: Stage) -> None:
        ada, bob = stage.joins("ada"), stage.joins("bob")
        key = ada.publishes(MICROPHONE)
        stage.hub.tracks_muted(ROOM, None, ("microphone",))
        stage.hub.room_changed(ROOM, taken(may_unmute=False))
        stage.hub.room_changed(ROOM, rules())
        assert muted(bob, "ada") == {MICROPHONE: True}
        assert "colloque.may_unmute" not in bob.updates_of("ada")[-1].attributes
        unmutes(ada, key)
        assert muted(bob, "ada") == {MICROPHONE: False}

    def test_what_is_taken_from_all_is_not_taken_from_those_who_moderate(self, stage: Stage) -> None:
        doc, ada = stage.joins("doc", HOST), stage.joins("ada")
        key = doc.publishes(MICROPHONE)
        stage.hub.room_changed(ROOM, taken("camera", may_unmute=False))
        doc.says(mute=rtc.MuteTrackRequest(sid=key, muted=True))
        unmutes(doc, key)
        doc.publishes(CAMERA)
        assert muted(ada, "doc") == {MICROPHONE: False, CAMERA: False}


class TestForbidding:
    def test_a_forbidden_source_ends_at_once_and_is_refused_until_allowed(self, stage: Stage) -> None:
        ada, bob = stage.joins("ada"), stage.joins("bob")
        key = ada.publishes(CAMERA)
        ada.publishes(MICROPHONE)
        stage.hub.participant_restrained(ROOM, "ada", Restraints(("camera",)))
        assert ada.leg.unpublished == [key]
        assert [one.track_sid for one in ada.hears("track_unpublished")] == [key]
        assert list(muted(bob, "ada")) == [MICROPHONE]
        assert CAMERA not in bob.updates_of("ada")[-1].permission.can_publish_sources
        ada.says(add_track=rtc.AddTrackRequest(cid="again", type=models.TrackType.VIDEO, source=CAMERA))
        assert ada.hears("request_response")[-1].reason == rtc.RequestResponse.NOT_ALLOWED
        stage.hub.participant_restrained(ROOM, "ada", Restraints())
        ada.publishes(CAMERA)
        assert CAMERA in muted(bob, "ada")

    def test_what_is_forbidden_to_all_holds_for_those_who_come_later(self, stage: Stage) -> None:
        ada, bob = stage.joins("ada"), stage.joins("bob")
        ada.publishes(CAMERA)
        now = taken("camera")
        stage.hub.room_changed(ROOM, now)
        assert muted(bob, "ada") == {}
        grants = rights(can_publish_sources=("microphone",))
        eve = stage.joins("eve", grants, rules=now)
        eve.says(add_track=rtc.AddTrackRequest(cid="c", type=models.TrackType.VIDEO, source=CAMERA))
        assert eve.hears("track_published") == []

    def test_what_is_forbidden_survives_other_changes_of_the_person(self, stage: Stage) -> None:
        stage.joins("ada")
        bob = stage.joins("bob")
        stage.hub.participant_restrained(ROOM, "ada", Restraints(("camera",)))
        stage.hub.participant_changed(ROOM, "ada", rights(), "", {})
        assert CAMERA not in bob.updates_of("ada")[-1].permission.can_publish_sources


class TestOnePresenter:
    def shares(self, client: Client, source: models.TrackSource = SCREEN) -> str:
        """Announce a screen; give the reason of the refusal, empty if there is none."""
        before = len(client.hears("request_response"))
        kind = models.TrackType.AUDIO if source == SCREEN_SOUND else models.TrackType.VIDEO
        client.says(add_track=rtc.AddTrackRequest(cid=f"s{client.stage.count()}", type=kind, source=source))
        refused = client.hears("request_response")[before:]
        if not refused:
            client.offers()
        return refused[0].message if refused else ""

    def test_a_second_one_is_told_why_not_and_may_when_the_first_has_stopped(self, stage: Stage) -> None:
        ada, bob = (stage.joins(one, rules=rules(one_presenter=True)) for one in ("ada", "bob"))
        assert self.shares(ada) == ""
        assert self.shares(ada, SCREEN_SOUND) == "", "the sound of the same screen"
        assert self.shares(bob) == "somebody else presents already"
        assert bob.hears("request_response")[-1].reason == rtc.RequestResponse.NOT_ALLOWED
        stage.hub.participant_removed(ROOM, "ada")
        assert self.shares(bob) == ""

    def test_who_moderates_takes_over_and_is_not_taken_over(self, stage: Stage) -> None:
        there = rules(one_presenter=True)
        ada, doc, dele = stage.joins("ada", rules=there), stage.joins("doc", HOST), stage.joins("dele", HOST)
        self.shares(ada)
        self.shares(ada, SCREEN_SOUND)
        assert self.shares(doc) == ""
        assert len(ada.hears("track_unpublished")) == 2
        assert muted(doc, "ada") == {}
        assert SCREEN in muted(ada, "doc")
        assert self.shares(ada) == self.shares(dele) == "somebody else presents already"

    def test_without_the_rule_several_present(self, stage: Stage) -> None:
        ada, bob = stage.joins("ada"), stage.joins("bob")
        assert self.shares(ada) == self.shares(bob) == ""

    def test_a_camera_is_no_presentation(self, stage: Stage) -> None:
        ada, bob = (stage.joins(one, rules=rules(one_presenter=True)) for one in ("ada", "bob"))
        self.shares(ada)
        bob.publishes(CAMERA)
        assert CAMERA in muted(ada, "bob")

    def test_one_who_announced_and_changed_their_mind_stands_in_nobodys_way_for_long(
        self, stage: Stage
    ) -> None:
        ada, bob = (stage.joins(one, rules=rules(one_presenter=True)) for one in ("ada", "bob"))
        ada.says(add_track=rtc.AddTrackRequest(cid="s", type=models.TrackType.VIDEO, source=SCREEN))
        assert self.shares(bob) != ""
        for one in (ada, bob):
            one.says(ping=1)
        stage.passes(14)
        for one in (ada, bob):
            one.says(ping=1)
        stage.passes(7)
        assert self.shares(bob) == ""

    def test_where_the_rule_comes_in_while_several_present_the_first_goes_on(self, stage: Stage) -> None:
        ada, bob = stage.joins("ada"), stage.joins("bob")
        self.shares(ada)
        stage.passes(1)
        self.shares(bob)
        stage.hub.room_changed(ROOM, rules(one_presenter=True))
        assert SCREEN in muted(bob, "ada")
        assert muted(ada, "bob") == {}

    def test_one_who_moderates_goes_on_before_the_first(self) -> None:
        presenters = [Presenter("ada", 1, False), Presenter("doc", 3, True), Presenter("bob", 2, False)]
        assert ones_too_many(presenters) == ["ada", "bob"]
        assert ones_too_many([]) == ones_too_many(presenters[:1]) == []


def test_everybody_sees_at_once_who_moderates_now(stage: Stage) -> None:
    ada, bob = stage.joins("ada", warrant=Warrant(rights(), None)), stage.joins("bob")
    for admin in (True, False):
        stage.hub.participant_changed(ROOM, "ada", rights(room_admin=admin), "", {})
        expected = {"colloque.moderates": "true"} if admin else {}
        assert dict(bob.updates_of("ada")[-1].attributes) == expected
        assert dict(ada.updates_of("ada")[-1].attributes) == expected


def test_nobody_says_of_themselves_that_they_moderate(stage: Stage) -> None:
    ada = stage.joins("ada")
    ada.says(update_metadata=rtc.UpdateParticipantMetadata(attributes={"colloque.moderates": "true"}))
    assert dict(ada.person.info().attributes) == {}

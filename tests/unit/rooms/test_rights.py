"""What roles, lists, features and tokens allow together."""

from dataclasses import replace

import pytest

from rooms import ROLES, SOURCES, Bandwidth, Features, Role, Warrant, in_force
from rooms.rights import (
    EVERYTHING,
    grants_for,
    grants_from_claims,
    grants_to_claims,
    narrow,
    within_features,
)


@pytest.mark.parametrize(
    ("role", "publishes", "moderates"),
    [
        ("host", True, True),
        ("delegate", True, True),
        ("patient", True, False),
        ("guest", True, False),
        ("observer", False, False),
    ],
)
def test_a_role_says_who_publishes_and_who_moderates(role: Role, publishes: bool, moderates: bool) -> None:
    grants = grants_for(role, None)
    assert (grants.can_publish, grants.room_admin) == (publishes, moderates)
    assert grants.can_subscribe
    assert not grants.hidden


def test_an_empty_list_of_sources_means_none_and_not_all() -> None:
    assert not grants_for("patient", ()).can_publish


def test_a_list_of_sources_lets_an_observer_speak() -> None:
    grants = grants_for("observer", ("microphone",))
    assert (grants.can_publish, grants.can_publish_sources) == (True, ("microphone",))


@pytest.mark.parametrize("role", ROLES)
def test_a_room_without_screen_sharing_has_it_for_nobody(role: Role) -> None:
    grants = within_features(grants_for(role, None), Features(screen_share=False))
    assert not set(grants.can_publish_sources) & {"screen_share", "screen_share_audio"}
    assert grants.can_publish == bool(grants.can_publish_sources) or role == "observer"


def test_nothing_is_left_of_a_right_to_share_the_screen_alone() -> None:
    assert not within_features(
        grants_for("guest", ("screen_share",)), Features(screen_share=False)
    ).can_publish


def test_a_room_without_chat_has_no_data_messages() -> None:
    assert not within_features(EVERYTHING, Features(chat=False)).can_publish_data


def test_a_room_without_raised_hands_has_no_own_attributes() -> None:
    assert not within_features(EVERYTHING, Features(raise_hand=False)).can_update_own_metadata


def test_narrowing_leaves_the_sources_that_both_allow() -> None:
    one = replace(EVERYTHING, can_publish_sources=("camera", "microphone"))
    other = replace(EVERYTHING, can_publish_sources=("microphone", "screen_share"), room_admin=False)
    both = narrow(one, other)
    assert both.can_publish_sources == ("microphone",)
    assert not both.room_admin


def test_narrowing_to_no_common_source_ends_publishing() -> None:
    one = replace(EVERYTHING, can_publish_sources=("camera",))
    assert not narrow(one, replace(EVERYTHING, can_publish_sources=("microphone",))).can_publish


def test_store_and_token_bound_each_other_and_the_room_bounds_both() -> None:
    stored = grants_for("host", ("camera", "microphone"))
    token = replace(EVERYTHING, room_admin=False, hidden=True)
    both = in_force(Warrant(stored, token), Features(chat=False))
    assert both.can_publish_sources == ("camera", "microphone")
    assert (both.hidden, both.room_admin, both.can_publish_data) == (True, False, False)


@pytest.mark.parametrize("warrant", [Warrant(EVERYTHING, None), Warrant(None, EVERYTHING)])
def test_what_only_one_of_them_says_is_in_force(warrant: Warrant) -> None:
    assert in_force(warrant, Features()) == EVERYTHING
    assert in_force(warrant, Features(chat=False)) == replace(EVERYTHING, can_publish_data=False)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("listed", [None, (), ("microphone",), SOURCES])
def test_rights_survive_being_written_into_a_token(role: Role, listed: tuple[str, ...] | None) -> None:
    grants = within_features(grants_for(role, listed), Features(screen_share=False))
    assert narrow(grants_from_claims(grants_to_claims(grants)), grants) == grants


def test_claims_that_say_nothing_allow_what_livekit_allows() -> None:
    grants = grants_from_claims({})
    assert (grants.can_publish, grants.can_subscribe, grants.can_publish_data) == (True, True, True)
    assert (grants.hidden, grants.room_admin, grants.can_update_own_metadata) == (False, False, False)


def test_data_follows_publishing_where_a_token_is_silent_about_it() -> None:
    assert not grants_from_claims({"canPublish": False}).can_publish_data
    assert grants_from_claims({"canPublish": False, "canPublishData": True}).can_publish_data


def test_sources_that_we_do_not_know_allow_nothing() -> None:
    assert not grants_from_claims({"canPublishSources": ["hologram"]}).can_publish


@pytest.mark.parametrize("claims", [{"canPublish": "yes"}, {"roomAdmin": 1}, {"canPublishSources": "camera"}])
def test_claims_of_a_wrong_type_are_refused(claims: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="is not"):
        grants_from_claims(claims)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("listed", [None, ("camera",), ("microphone", "screen_share")])
def test_a_room_for_sound_alone_leaves_microphones_to_those_who_may_have_one(
    role: Role, listed: tuple[str, ...] | None
) -> None:
    before = in_force(Warrant(grants_for(role, listed), None), Features())
    grants = in_force(
        Warrant(grants_for(role, listed), None), Features(), bandwidth=Bandwidth(audio_only=True)
    )
    speaks = before.can_publish and "microphone" in (before.can_publish_sources or SOURCES)
    assert grants.can_publish is speaks
    assert set(grants.can_publish_sources) <= {"microphone"}
    assert (grants.can_subscribe, grants.room_admin) == (before.can_subscribe, before.room_admin)

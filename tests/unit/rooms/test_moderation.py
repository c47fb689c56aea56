"""Moderation as the durable part sees it: what is stored, told and let in; test_authority.py has who may."""

from typing import Any

import pytest

from rooms import (
    ApiKey,
    Application,
    Features,
    InvalidTransition,
    JoinRefused,
    Moderator,
    NotFound,
    ParticipantDraft,
    Restraints,
    Role,
    RoomAct,
    RoomDraft,
    RoomEvent,
    Rooms,
)
from rooms.rights import ROLE_GRANTS, forbidden_sources
from rooms.tokens import mint_join_token
from tests.unit.rooms.conftest import NOW, Witness

APP = Application("default", "rdv")


async def make(rooms: Rooms, **fields: Any) -> str:
    room = await rooms.create_room("default", RoomDraft(id="rdv", **fields), now=NOW)
    return room.uid  # type: ignore[union-attr]


async def token(rooms: Rooms, key: ApiKey, identity: str, role: Role = "guest") -> str:
    await rooms.participants.put("default", "rdv", identity, ParticipantDraft(role=role), now=NOW)
    return (await rooms.participants.mint_token(key, "rdv", identity, now=NOW)).token


async def person(rooms: Rooms, key: ApiKey, identity: str, role: Role = "guest") -> Moderator:
    return Moderator(await rooms.verify_join(await token(rooms, key, identity, role), now=NOW))


def sdk_token(key: ApiKey, identity: str = "visitor") -> str:
    """Give a token as LiveKit's SDK makes it for somebody who was never put."""
    return mint_join_token(
        key.key, key.secret, room="rdv", identity=identity, grants=ROLE_GRANTS["guest"], now=NOW,
        ttl_seconds=60,
    )  # fmt: skip


async def connect(rooms: Rooms, uid: str, identity: str, role: str = "guest") -> None:
    """Let somebody be in the call."""
    journal = rooms.leg_journal(lambda: NOW)
    journal.leg_opened(uid, f"PA_{identity}", identity, role)
    await journal.write_some()


async def disconnect(rooms: Rooms, uid: str, identity: str) -> None:
    journal = rooms.leg_journal(lambda: NOW)
    journal._open.add(f"PA_{identity}")
    journal.leg_closed(uid, f"PA_{identity}", "left")
    await journal.write_some()


async def last_event(rooms: Rooms) -> RoomEvent:
    return (await rooms.events.read(after=0, limit=200)).items[-1]


async def enters(rooms: Rooms, join_token: str) -> str:
    """Give why somebody does not get in, empty if they do."""
    try:
        await rooms.verify_join(join_token, now=NOW)
    except JoinRefused as refused:
        return refused.code
    return ""


class TestMuting:
    async def test_it_is_written_and_told_with_who_did_it(
        self, rooms: Rooms, key: ApiKey, witness: Witness
    ) -> None:
        uid = await make(rooms)
        doc = await person(rooms, key, "doc", "host")
        await token(rooms, key, "p")
        await rooms.moderation.mute(doc, "p", ["microphone"], now=NOW)
        event = await last_event(rooms)
        assert (event.type, event.data) == (
            "participant.muted",
            {"identity": "p", "sources": ["microphone"], "cause": "host", "by": "doc"},
        )
        assert witness.heard[-1] == ("muted", uid, "p", ("microphone",))
        await rooms.moderation.mute(APP, None, ["camera"], now=NOW)
        event = await last_event(rooms)
        assert (event.type, event.data) == ("room.muted", {"sources": ["camera"], "cause": "api", "by": None})
        assert list(witness.heard[-1]) == ["muted", uid, None, ("camera",)]

    async def test_nobody_and_no_room_are_not_found(self, rooms: Rooms) -> None:
        await make(rooms)
        with pytest.raises(NotFound):
            await rooms.moderation.mute(APP, "nobody", ["camera"], now=NOW)
        for where in (Application("default", "other"), Application("elsewhere", "rdv")):
            with pytest.raises(NotFound):
                await rooms.moderation.mute(where, None, ["camera"], now=NOW)


class TestRestraints:
    async def test_they_are_stored_for_one_and_for_all_and_bound_who_comes(
        self, rooms: Rooms, key: ApiKey, witness: Witness
    ) -> None:
        uid = await make(rooms)
        guest, host = await token(rooms, key, "p"), await token(rooms, key, "doc", "host")
        await rooms.moderation.restrain(APP, "p", forbidden=["screen_share"], now=NOW)
        assert witness.heard[-1][2:] == ("p", Restraints(("screen_share", "screen_share_audio")))
        await rooms.moderation.restrain(APP, None, forbidden=["camera"], may_unmute=False, now=NOW)
        assert witness.heard[-1][:2] == ("room", uid)
        grants = (await rooms.verify_join(guest, now=NOW)).grants
        assert (grants.can_publish_sources, grants.may_unmute) == (("microphone",), False)
        assert (await rooms.verify_join(host, now=NOW)).grants == ROLE_GRANTS["host"]
        stored = await rooms.participants.get("default", "rdv", "p")
        assert stored.restraints == Restraints(("screen_share", "screen_share_audio"))
        room = await rooms.get_room("default", "rdv")
        assert room.restraints == Restraints(("camera",), may_unmute=False)

    async def test_what_is_not_given_stays_and_nothing_new_is_no_event(
        self, rooms: Rooms, key: ApiKey
    ) -> None:
        await make(rooms)
        await token(rooms, key, "p")
        await rooms.moderation.restrain(APP, "p", forbidden=["camera"], now=NOW)
        after = await rooms.moderation.restrain(APP, "p", may_unmute=False, now=NOW)
        assert after == Restraints(("camera",), may_unmute=False)
        event = await last_event(rooms)
        assert event.data == {
            "identity": "p", "forbidden": ["camera"], "may_unmute": False, "cause": "api", "by": None,
        }  # fmt: skip
        version = (await rooms.participants.get("default", "rdv", "p")).version
        await rooms.moderation.restrain(APP, "p", forbidden=["camera"], now=NOW)
        assert (await last_event(rooms)).seq == event.seq
        assert (await rooms.participants.get("default", "rdv", "p")).version == version
        freed = await rooms.moderation.restrain(APP, "p", forbidden=[], may_unmute=True, now=NOW)
        assert freed == Restraints()

    async def test_everything_forbidden_allows_nothing(self, rooms: Rooms, key: ApiKey) -> None:
        await make(rooms)
        guest = await token(rooms, key, "p")
        every = ["camera", "microphone", "screen_share"]
        await rooms.moderation.restrain(APP, "p", forbidden=every, now=NOW)  # type: ignore[arg-type]
        assert not (await rooms.verify_join(guest, now=NOW)).grants.can_publish

    async def test_somebody_who_is_known_by_a_token_alone_is_restrained_while_in_the_call(
        self, rooms: Rooms, key: ApiKey
    ) -> None:
        uid = await make(rooms)
        with pytest.raises(NotFound):
            await rooms.moderation.restrain(APP, "visitor", forbidden=["camera"], now=NOW)
        await connect(rooms, uid, "visitor")
        await rooms.moderation.restrain(APP, "visitor", forbidden=["camera"], now=NOW)
        admission = await rooms.verify_join(sdk_token(key), now=NOW)
        assert "camera" not in admission.grants.can_publish_sources
        with pytest.raises(NotFound):
            await rooms.participants.get("default", "rdv", "visitor")

    async def test_who_is_forgotten_and_comes_anew_is_free(self, rooms: Rooms, key: ApiKey) -> None:
        await make(rooms)
        await token(rooms, key, "p")
        await rooms.moderation.restrain(APP, "p", forbidden=["camera"], now=NOW)
        await rooms.participants.forget("default", "rdv", "p", now=NOW)
        again = await rooms.verify_join(await token(rooms, key, "p"), now=NOW)
        assert again.grants == ROLE_GRANTS["guest"]

    async def test_they_stay_in_the_room_when_the_person_is_moved(self, rooms: Rooms, key: ApiKey) -> None:
        await make(rooms)
        await rooms.create_room("default", RoomDraft(id="group"), now=NOW)
        guest = await token(rooms, key, "p")
        await rooms.moderation.restrain(APP, "p", forbidden=["camera"], now=NOW)
        there, _ = await rooms.transfer(await rooms.verify_join(guest, now=NOW), "group", now=NOW)
        assert there.grants == ROLE_GRANTS["guest"]

    def test_a_screen_goes_with_its_sound(self) -> None:
        assert forbidden_sources(["screen_share", "camera"]) == (
            "camera", "screen_share", "screen_share_audio",
        )  # fmt: skip
        assert forbidden_sources(["screen_share_audio"]) == ("screen_share_audio",)

    async def test_those_in_the_call_are_told_what_holds(
        self, rooms: Rooms, key: ApiKey, witness: Witness
    ) -> None:
        await make(rooms)
        await rooms.moderation.restrain(APP, None, forbidden=["camera"], now=NOW)
        rules: Any = witness.heard[-1][2]
        assert '"restraints": {"forbidden": ["camera"], "may_unmute": true}' in rules.text
        await rooms.moderation.restrain(APP, None, forbidden=[], now=NOW)
        assert witness.heard[-1][2].text == ""  # type: ignore[attr-defined]


class TestLock:
    async def test_nobody_new_enters_and_those_who_come_back_do(self, rooms: Rooms, key: ApiKey) -> None:
        uid = await make(rooms)
        inside, left, new = [await token(rooms, key, one) for one in ("inside", "left", "new")]
        visitor, stranger = sdk_token(key), sdk_token(key, "stranger")
        for one in ("inside", "left", "visitor"):
            await connect(rooms, uid, one)
        await disconnect(rooms, uid, "left")
        room = await rooms.moderation.lock(APP, now=NOW)
        assert room.locked_at == NOW
        await disconnect(rooms, uid, "inside")
        await disconnect(rooms, uid, "visitor")
        assert [await enters(rooms, one) for one in (inside, left, visitor)] == ["", "", ""]
        assert [await enters(rooms, one) for one in (new, stranger)] == ["locked", "locked"]
        for role in ("host", "delegate"):
            assert await enters(rooms, await token(rooms, key, role, role)) == "", role
        unlocked = await rooms.moderation.unlock(APP, now=NOW)
        assert (unlocked.locked_at, await enters(rooms, new), await enters(rooms, stranger)) == (None, "", "")

    async def test_nobody_new_waits_and_who_waits_keeps_the_place_and_may_be_admitted(
        self, rooms: Rooms, key: ApiKey
    ) -> None:
        await make(rooms, waiting_room=True)
        first, second = await token(rooms, key, "first"), await token(rooms, key, "second")
        await rooms.waiting_room.knock(await rooms.verify_knock(first, now=NOW), now=NOW)
        await rooms.moderation.lock(APP, now=NOW)
        assert (await rooms.verify_knock(first, now=NOW)).identity == "first"
        assert await enters(rooms, first) == "not-admitted"
        with pytest.raises(JoinRefused, match="locked"):
            await rooms.verify_knock(second, now=NOW)
        for one in ("first", "second"):
            await rooms.waiting_room.admit("default", "rdv", one, now=NOW)
        assert [await enters(rooms, one) for one in (first, second)] == ["", ""], "a decision is a decision"

    async def test_a_link_lets_nobody_new_in(self, rooms: Rooms, key: ApiKey) -> None:
        await make(rooms)
        _, secret = await rooms.links.create_for_guests("default", "rdv", now=NOW)
        known = await rooms.links.join(secret, now=NOW, guest_key="k" * 16)
        await connect(rooms, (await rooms.get_room("default", "rdv")).uid, known.identity)
        await rooms.moderation.lock(APP, now=NOW)
        assert (await rooms.links.join(secret, now=NOW, guest_key="k" * 16)).identity == known.identity
        before = await rooms.participants.list("default", "rdv")
        with pytest.raises(JoinRefused, match="locked"):
            await rooms.links.join(secret, now=NOW, guest_key="n" * 16)
        assert await rooms.participants.list("default", "rdv") == before, "a refused guest is not stored"

    async def test_each_change_is_told_once(self, rooms: Rooms, witness: Witness) -> None:
        await make(rooms)
        for _ in range(2):
            await rooms.moderation.lock(APP, now=NOW)
        assert (await last_event(rooms)).data == {"cause": "api", "by": None}
        for _ in range(2):
            await rooms.moderation.unlock(APP, now=NOW)
        events = (await rooms.events.read(after=0)).items
        assert [one.type for one in events] == ["room.planned", "room.locked", "room.unlocked"]
        assert '"locked": true' in witness.heard[0][2].text  # type: ignore[attr-defined]

    async def test_it_ends_with_the_call(self, rooms: Rooms, key: ApiKey) -> None:
        await make(rooms)
        new = await token(rooms, key, "new")
        await rooms.act("default", "rdv", RoomAct.START, now=NOW)
        await rooms.moderation.lock(APP, now=NOW)
        await rooms.act("default", "rdv", RoomAct.FINISH, now=NOW)
        await rooms.act("default", "rdv", RoomAct.REOPEN, now=NOW)
        assert await enters(rooms, new) == ""


class TestRemovingAndEnding:
    async def test_a_person_is_removed_by_a_host_and_stays_out(
        self, rooms: Rooms, key: ApiKey, witness: Witness
    ) -> None:
        uid = await make(rooms)
        doc, guest = await person(rooms, key, "doc", "host"), await token(rooms, key, "p")
        removed = await rooms.moderation.remove(doc, "p", now=NOW)
        assert removed.state == "removed"
        assert ("removed", uid, "p") in witness.heard
        assert await enters(rooms, guest) == "revoked"
        event = await last_event(rooms)
        assert (event.type, event.data["cause"], event.data["by"]) == ("participant.removed", "host", "doc")

    async def test_the_call_is_ended_for_everybody_once(
        self, rooms: Rooms, key: ApiKey, witness: Witness
    ) -> None:
        uid = await make(rooms)
        doc = await person(rooms, key, "doc", "host")
        await connect(rooms, uid, "doc", "host")
        assert (await rooms.moderation.end(doc, now=NOW)).state == "finished"
        assert ("closed", uid, "finished") in witness.heard
        assert (await last_event(rooms)).data["cause"] == "host"
        with pytest.raises(InvalidTransition, match="no call to end"):
            await rooms.moderation.end(doc, now=NOW)

    async def test_a_hand_is_lowered_by_the_call(self, rooms: Rooms, key: ApiKey, witness: Witness) -> None:
        uid = await make(rooms)
        doc = await person(rooms, key, "doc", "host")
        await token(rooms, key, "p")
        await rooms.moderation.lower_hand(doc, "p", now=NOW)
        assert witness.heard[-1] == ("hands", uid, "p", "doc")
        await rooms.moderation.lower_hand(APP, None, now=NOW)
        assert list(witness.heard[-1]) == ["hands", uid, None, None]


async def test_one_presenter_is_a_feature_of_the_room(rooms: Rooms, key: ApiKey) -> None:
    await make(rooms, features=Features(one_presenter=True))
    admission = await rooms.verify_join(await token(rooms, key, "p"), now=NOW)
    assert admission.rules.features.one_presenter

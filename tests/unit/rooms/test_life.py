"""The stored life of rooms and people: what moves them, what it tells, and what the time does."""

import itertools
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from rooms import (
    ApiKey,
    InvalidTransition,
    JoinRefused,
    KeyRing,
    NotFound,
    ParticipantDraft,
    Role,
    RoomAct,
    RoomDraft,
    RoomEvent,
    Rooms,
    RoomsSettings,
)
from rooms.deadlines import AT_ONCE
from rooms.rights import ROLE_GRANTS
from rooms.tokens import mint_join_token
from tests.unit.rooms.conftest import NOW, Witness

HOUR = 3600.0


async def log(rooms: Rooms, room_id: str | None = None) -> list[RoomEvent]:
    return (await rooms.events.read(after=0, room_id=room_id)).items


async def told(rooms: Rooms) -> list[str]:
    return [event.type for event in await log(rooms)]


async def make(rooms: Rooms, room_id: str = "rdv", **fields: Any) -> None:
    await rooms.create_room("default", RoomDraft(id=room_id, **fields), now=NOW)


async def expect(rooms: Rooms, key: ApiKey, identity: str, role: Role = "patient") -> str:
    """Put somebody, and give the token."""
    await rooms.participants.put("default", "rdv", identity, ParticipantDraft(role=role), now=NOW)
    return (await rooms.participants.mint_token(key, "rdv", identity, now=NOW)).token


def sdk_token(key: ApiKey) -> str:
    """Give a token as LiveKit's SDK makes it for somebody who was never put."""
    return mint_join_token(
        key.key, key.secret, room="rdv", identity="somebody", grants=ROLE_GRANTS["guest"], now=NOW,
        ttl_seconds=60,
    )  # fmt: skip


async def knock(rooms: Rooms, token: str, *, now: float = NOW) -> str:
    return await rooms.waiting_room.knock(await rooms.verify_knock(token, now=now), now=now)


class TestRooms:
    async def test_every_change_of_state_is_told_once_with_its_cause(self, rooms: Rooms) -> None:
        await make(rooms)
        for act in (RoomAct.START, RoomAct.FINISH, RoomAct.REOPEN, RoomAct.FINISH):
            await rooms.act("default", "rdv", act, now=NOW + 5)
        events = await log(rooms)
        assert [(event.seq, event.type) for event in events] == [
            (1, "room.planned"),
            (2, "room.in_progress"),
            (3, "room.finished"),
            (4, "room.reopened"),
            (5, "room.finished"),
        ]
        assert events[3].data == {"before": "finished", "state": "in_progress", "cause": "api"}
        room = await rooms.get_room("default", "rdv")
        assert (room.state, room.started_at, room.ended_at) == ("finished", NOW + 5, NOW + 5)

    async def test_what_the_state_does_not_allow_changes_nothing(self, rooms: Rooms) -> None:
        await make(rooms)
        before = await rooms.get_room("default", "rdv")
        for act in (RoomAct.FINISH, RoomAct.REOPEN):
            with pytest.raises(InvalidTransition) as caught:
                await rooms.act("default", "rdv", act, now=NOW)
            assert caught.value.state == "planned"
        assert await rooms.get_room("default", "rdv") == before
        assert await told(rooms) == ["room.planned"]

    async def test_a_room_of_another_tenant_is_not_found(self, rooms: Rooms) -> None:
        await make(rooms)
        for wrong in (
            rooms.act("elsewhere", "rdv", RoomAct.START, now=NOW),
            rooms.waiting_room.admit("elsewhere", "rdv", "p", now=NOW),
            rooms.waiting_room.admit_all("elsewhere", "rdv", now=NOW),
        ):
            with pytest.raises(NotFound):
                await wrong

    @pytest.mark.parametrize("act", [RoomAct.FINISH, RoomAct.CANCEL])
    async def test_a_room_that_is_over_lets_nobody_in_and_ends_its_call(
        self, rooms: Rooms, key: ApiKey, witness: Witness, act: RoomAct
    ) -> None:
        await make(rooms)
        token = await expect(rooms, key, "h", "host")
        if act is RoomAct.FINISH:
            await rooms.act("default", "rdv", RoomAct.START, now=NOW)
        room = await rooms.act("default", "rdv", act, now=NOW)
        assert witness.heard[-1] == ("closed", room.uid, room.state)  # type: ignore[union-attr]
        with pytest.raises(JoinRefused, match="too-late"):
            await rooms.verify_join(token, now=NOW)
        await rooms.act("default", "rdv", RoomAct.REOPEN, now=NOW)
        assert (await rooms.verify_join(token, now=NOW)).identity == "h"

    async def test_deleting_a_room_is_the_last_that_is_told_of_it(self, rooms: Rooms) -> None:
        await make(rooms)
        await rooms.delete_room("default", "rdv", now=NOW)
        await make(rooms)
        events = await log(rooms)
        assert [(event.type, event.seq) for event in events] == [
            ("room.planned", 1),
            ("room.deleted", 2),
            ("room.planned", 1),
        ]
        assert events[0].room_uid == events[1].room_uid != events[2].room_uid


class TestDeadlines:
    async def test_a_room_in_which_nothing_began_was_not_held(self, rooms: Rooms) -> None:
        await make(rooms, starts_at=NOW)
        assert await rooms.deadlines.meet(now=NOW + HOUR - 1) == 0
        assert await rooms.deadlines.meet(now=NOW + HOUR) == 1
        assert await rooms.deadlines.meet(now=NOW + HOUR) == 0
        (_, event) = await log(rooms)
        assert (event.type, event.data["cause"], event.occurred_at) == (
            "room.not_held",
            "deadline",
            NOW + HOUR,
        )

    async def test_a_room_in_progress_with_an_empty_call_is_finished(self, rooms: Rooms) -> None:
        await make(rooms, starts_at=NOW)
        await rooms.act("default", "rdv", RoomAct.START, now=NOW)
        await rooms.deadlines.meet(now=NOW + HOUR)
        assert (await rooms.get_room("default", "rdv")).state == "finished"

    async def test_without_times_nothing_is_ever_due(self, rooms: Rooms) -> None:
        await make(rooms)
        assert await rooms.deadlines.meet(now=NOW + 1e9) == 0

    async def test_a_deadline_moves_with_the_times_of_the_room(self, rooms: Rooms) -> None:
        await make(rooms, starts_at=NOW)
        await rooms.replace_room("default", "rdv", RoomDraft(starts_at=NOW + HOUR), now=NOW)
        assert await rooms.deadlines.meet(now=NOW + HOUR) == 0
        assert await rooms.deadlines.meet(now=NOW + 2 * HOUR) == 1

    async def test_a_room_that_is_over_has_no_deadline(self, rooms: Rooms) -> None:
        await make(rooms, starts_at=NOW)
        await rooms.act("default", "rdv", RoomAct.CANCEL, now=NOW)
        await rooms.replace_room("default", "rdv", RoomDraft(starts_at=NOW), now=NOW)
        assert await rooms.deadlines.meet(now=NOW + 2 * HOUR) == 0
        with pytest.raises(InvalidTransition, match="ends_at"):
            await rooms.act("default", "rdv", RoomAct.REOPEN, now=NOW + 2 * HOUR)

    async def test_what_was_due_while_the_server_was_down_is_met_at_once_in_any_number(
        self, rooms: Rooms, url: str
    ) -> None:
        for number in range(AT_ONCE + 3):
            await make(rooms, str(number), starts_at=NOW + number)
        await rooms.close()
        later = await Rooms.open(url, keys=KeyRing([]), settings=RoomsSettings())
        met = [await later.deadlines.meet(now=NOW + 9 * HOUR) for _ in range(3)]
        assert met == [AT_ONCE, 3, 0]
        assert (await later.count_by_state())["not_held"] == AT_ONCE + 3
        await later.close()

    @pytest.mark.parametrize("url", ["sqlite"], indirect=True)
    async def test_people_who_come_and_go_have_it_looked_for_only_where_they_move_the_room(
        self, rooms: Rooms, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await make(rooms, starts_at=NOW)
        uid = (await rooms.get_room("default", "rdv")).uid
        journal = rooms.leg_journal(lambda: NOW)
        read, asked = rooms._context.store.read, []

        def counted() -> AbstractAsyncContextManager[AsyncSession]:
            asked.append("a question")
            return read()

        async def looks() -> int:
            asked.clear()
            assert not await rooms.deadlines.may_be_due(now=NOW)
            return len(asked)

        monkeypatch.setattr(rooms._context.store, "read", counted)

        seen = [await looks()]
        for leg in ("first", "second", "third"):
            journal.leg_opened(uid, leg, leg, "guest")
            await journal.write_some()
            seen.append(await looks())
        assert seen == [1, 1, 1, 0], "planned, waiting, in progress, and as before"
        journal.leg_closed(uid, "first", "left")
        await journal.write_some()
        assert await looks() == 0
        await rooms.act("default", "rdv", RoomAct.FINISH, now=NOW)
        assert await looks() == 1

    async def test_a_clock_set_back_takes_nothing_back(self, rooms: Rooms) -> None:
        await make(rooms, starts_at=NOW)
        await rooms.deadlines.meet(now=NOW + HOUR)
        assert await rooms.deadlines.meet(now=NOW - HOUR) == 0
        assert (await rooms.get_room("default", "rdv")).state == "not_held"


class TestWaitingRoom:
    async def test_who_has_to_wait_gets_in_only_when_admitted(self, rooms: Rooms, key: ApiKey) -> None:
        await make(rooms, waiting_room=True)
        token = await expect(rooms, key, "p")
        with pytest.raises(JoinRefused, match="not-admitted"):
            await rooms.verify_join(token, now=NOW)
        assert await knock(rooms, token) == "waiting"
        with pytest.raises(JoinRefused, match="not-admitted"):
            await rooms.verify_join(token, now=NOW)
        admitted = await rooms.waiting_room.admit("default", "rdv", "p", now=NOW + 1)
        assert admitted.state == "admitted"
        assert (await rooms.verify_join(token, now=NOW)).identity == "p"
        assert await told(rooms) == [
            "room.planned",
            "participant.waiting",
            "room.waiting",
            "participant.admitted",
        ]

    @pytest.mark.parametrize("role", ["host", "delegate"])
    async def test_hosts_and_delegates_never_wait(self, rooms: Rooms, key: ApiKey, role: Role) -> None:
        await make(rooms, waiting_room=True)
        token = await expect(rooms, key, "h", role)
        assert (await rooms.verify_join(token, now=NOW)).role == role
        assert await knock(rooms, token) == "expected"
        assert await rooms.waiting_room.waiters((await rooms.get_room("default", "rdv")).uid) == []

    async def test_without_a_waiting_room_nobody_waits(self, rooms: Rooms, key: ApiKey) -> None:
        await make(rooms)
        token = await expect(rooms, key, "p")
        assert await knock(rooms, token) == "expected"
        assert (await rooms.verify_join(token, now=NOW)).identity == "p"

    async def test_places_are_kept_through_reloads_and_restarts(
        self, rooms: Rooms, key: ApiKey, url: str
    ) -> None:
        await make(rooms, waiting_room=True)
        room = await rooms.get_room("default", "rdv")
        tokens = [await expect(rooms, key, name) for name in "cab"]
        for number, token in enumerate(tokens):
            await knock(rooms, token, now=NOW + number)
        await knock(rooms, tokens[0], now=NOW + 9)
        await rooms.close()
        later = await Rooms.open(url, keys=KeyRing([key]), settings=RoomsSettings())
        await knock(later, tokens[1], now=NOW + 10)
        waiters = await later.waiting_room.waiters(room.uid)
        assert [(one.identity, one.since) for one in waiters] == [("c", NOW), ("a", NOW + 1), ("b", NOW + 2)]
        assert (await told(later)).count("participant.waiting") == 3
        await later.close()

    async def test_somebody_unknown_with_a_token_of_the_sdk_waits_too(
        self, rooms: Rooms, key: ApiKey
    ) -> None:
        await make(rooms, waiting_room=True)
        token = sdk_token(key)
        with pytest.raises(JoinRefused, match="not-admitted"):
            await rooms.verify_join(token, now=NOW)
        assert await knock(rooms, token) == "waiting"
        await rooms.waiting_room.admit("default", "rdv", "somebody", now=NOW)
        assert (await rooms.verify_join(token, now=NOW)).role == "guest"

    async def test_when_the_last_who_waits_goes_the_room_is_planned_again(
        self, rooms: Rooms, key: ApiKey
    ) -> None:
        await make(rooms, waiting_room=True)
        room = await rooms.get_room("default", "rdv")
        for name in "ab":
            await knock(rooms, await expect(rooms, key, name))
        await rooms.waiting_room.give_up(room.uid, "a", now=NOW)
        assert (await rooms.get_room("default", "rdv")).state == "waiting"
        await rooms.waiting_room.give_up(room.uid, "b", now=NOW)
        await rooms.waiting_room.give_up(room.uid, "b", now=NOW)
        assert (await rooms.get_room("default", "rdv")).state == "planned"
        assert (await rooms.participants.get("default", "rdv", "b")).state == "left"
        assert (await told(rooms)).count("room.planned") == 2

    async def test_a_decision_that_is_repeated_is_told_once(self, rooms: Rooms, key: ApiKey) -> None:
        await make(rooms, waiting_room=True)
        token = await expect(rooms, key, "p")
        for _ in range(2):
            assert (await rooms.waiting_room.deny("default", "rdv", "p", now=NOW)).state == "denied"
        assert await knock(rooms, token) == "denied"
        with pytest.raises(JoinRefused, match="not-admitted"):
            await rooms.verify_join(token, now=NOW)
        for _ in range(2):
            assert (await rooms.waiting_room.admit("default", "rdv", "p", now=NOW)).state == "admitted"
        assert (await rooms.verify_join(token, now=NOW)).identity == "p"
        assert (await told(rooms))[1:] == ["participant.denied", "participant.admitted"]

    @pytest.mark.parametrize("role", ["host", "patient"])
    async def test_who_was_denied_stays_out_of_any_room(self, rooms: Rooms, key: ApiKey, role: Role) -> None:
        await make(rooms, waiting_room=False)
        token = await expect(rooms, key, "p", role)
        await rooms.waiting_room.deny("default", "rdv", "p", now=NOW)
        with pytest.raises(JoinRefused, match="not-admitted"):
            await rooms.verify_join(token, now=NOW)
        await expect(rooms, key, "p", role)
        assert (await rooms.verify_join(token, now=NOW)).identity == "p"

    async def test_admitting_all_is_for_those_who_wait_in_their_order(
        self, rooms: Rooms, key: ApiKey
    ) -> None:
        await make(rooms, waiting_room=True)
        for number, name in enumerate("bca"):
            await knock(rooms, await expect(rooms, key, name), now=NOW + number)
        await expect(rooms, key, "later")
        await rooms.waiting_room.deny("default", "rdv", "c", now=NOW)
        admitted = await rooms.waiting_room.admit_all("default", "rdv", now=NOW)
        assert [one.identity for one in admitted] == ["b", "a"]
        events = [event for event in await log(rooms) if event.type == "participant.admitted"]
        assert [event.data for event in events] == [
            {"identity": name, "role": "patient", "cause": "api"} for name in "ba"
        ]
        assert (await rooms.participants.get("default", "rdv", "later")).state == "expected"

    async def test_somebody_removed_is_not_admitted_but_put_again(self, rooms: Rooms, key: ApiKey) -> None:
        await make(rooms, waiting_room=True)
        await knock(rooms, await expect(rooms, key, "p"))
        await rooms.participants.remove("default", "rdv", "p", now=NOW)
        with pytest.raises(InvalidTransition) as caught:
            await rooms.waiting_room.admit("default", "rdv", "p", now=NOW)
        assert caught.value.state == "removed"
        token = await expect(rooms, key, "p")
        with pytest.raises(JoinRefused, match="not-admitted"):
            await rooms.verify_join(token, now=NOW)
        assert (await rooms.get_room("default", "rdv")).state == "planned"

    @pytest.mark.parametrize("ending", ["deny", "remove"])
    async def test_an_admission_ends_with_denial_and_removal(
        self, rooms: Rooms, key: ApiKey, ending: str
    ) -> None:
        await make(rooms, waiting_room=True)
        await expect(rooms, key, "p")
        await rooms.waiting_room.admit("default", "rdv", "p", now=NOW)
        if ending == "deny":
            await rooms.waiting_room.deny("default", "rdv", "p", now=NOW)
        else:
            await rooms.participants.remove("default", "rdv", "p", now=NOW)
        token = await expect(rooms, key, "p")
        assert (await rooms.participants.get("default", "rdv", "p")).state == "expected"
        with pytest.raises(JoinRefused, match="not-admitted"):
            await rooms.verify_join(token, now=NOW)

    async def test_an_admission_does_not_outlive_its_person(self, rooms: Rooms, key: ApiKey) -> None:
        await make(rooms, waiting_room=True)
        await expect(rooms, key, "p")
        await rooms.waiting_room.admit("default", "rdv", "p", now=NOW)
        await rooms.participants.forget("default", "rdv", "p", now=NOW)
        token = await expect(rooms, key, "p")
        with pytest.raises(JoinRefused, match="not-admitted"):
            await rooms.verify_join(token, now=NOW)

    async def test_when_the_room_is_over_nobody_waits_any_more(self, rooms: Rooms, key: ApiKey) -> None:
        await make(rooms, waiting_room=True, starts_at=NOW)
        room = await rooms.get_room("default", "rdv")
        await knock(rooms, await expect(rooms, key, "p"))
        await rooms.deadlines.meet(now=NOW + HOUR)
        assert await rooms.waiting_room.waiters(room.uid) == []
        assert (await told(rooms))[-1] == "room.not_held"
        with pytest.raises(JoinRefused, match="too-late"):
            await rooms.verify_knock(sdk_token(key), now=NOW + 1)


async def test_events_name_nobody(rooms: Rooms, key: ApiKey) -> None:
    await make(rooms, waiting_room=True, name="Suivi de Jeanne", metadata={"file": "4711"})
    draft = ParticipantDraft(role="patient", name="Jeanne", attributes={"a": "4711"})
    await rooms.participants.put("default", "rdv", "p", draft, now=NOW)
    ticket = await rooms.participants.mint_token(key, "rdv", "p", now=NOW)
    await knock(rooms, ticket.token)
    await rooms.participants.remove("default", "rdv", "p", now=NOW)
    await rooms.delete_room("default", "rdv", now=NOW)
    events = await log(rooms)
    assert len(events) == 6
    assert not any(word in str(event) for word, event in itertools.product(("Jeanne", "4711"), events))

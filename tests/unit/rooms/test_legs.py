"""What signalling sees, as it becomes stored truth: in order, in pairs, whatever happens to the database."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms import (
    ApiKey,
    Application,
    KeyRing,
    LegJournal,
    ParticipantDraft,
    Role,
    RoomAct,
    RoomDraft,
    RoomEvent,
    Rooms,
    RoomsSettings,
    StoreUnavailable,
    legs,
)
from rooms import leg_journal as module
from rooms.ids import new_room_id
from rooms.legs import write_fact, write_facts
from rooms.tables import ConnectionRow, RoomRow
from tests.unit.rooms.conftest import NOW

HOUR = 3600.0


class Stage:
    """A room, its people, and a journal whose clock the test turns."""

    def __init__(self, rooms: Rooms, uid: str) -> None:
        self.rooms = rooms
        self.uid = uid
        self.now = NOW
        self.journal = rooms.leg_journal(lambda: self.now)

    async def put(self, identity: str, role: Role = "patient") -> None:
        await self.rooms.participants.put(
            "default", "rdv", identity, ParticipantDraft(role=role), now=self.now
        )

    def opens(self, leg: str, identity: str, role: Role = "patient") -> None:
        self.journal.leg_opened(self.uid, leg, identity, role)

    def closes(self, leg: str, reason: str = "left") -> None:
        self.journal.leg_closed(self.uid, leg, reason)

    async def written(self) -> None:
        while len(self.journal):
            assert await self.journal.write_some()

    async def state(self, identity: str) -> str:
        return (await self.rooms.participants.get("default", "rdv", identity)).state

    async def room_state(self) -> str:
        return (await self.rooms.get_room("default", "rdv")).state

    async def events(self) -> list[RoomEvent]:
        return (await self.rooms.events.read(after=0, limit=1000)).items

    async def told(self, about: str = "connection.") -> list[str]:
        return [event.type for event in await self.events() if event.type.startswith(about)]


@pytest.fixture
async def stage(rooms: Rooms) -> Stage:
    return await staged(rooms)


async def staged(rooms: Rooms, **fields: Any) -> Stage:
    await rooms.create_room("default", RoomDraft(id="rdv", **fields), now=NOW)
    return Stage(rooms, (await rooms.get_room("default", "rdv")).uid)


async def test_who_shows_the_call_hears_at_once_of_those_who_come_and_go(stage: Stage) -> None:
    heard: list[str] = []
    stage.journal.call_changed = heard.append
    stage.opens("a", "p")
    assert (heard, await stage.told()) == ([stage.uid], [])
    stage.closes("a")
    assert (heard, await stage.told()) == ([stage.uid] * 2, [])


async def test_people_come_and_go_also_where_that_cannot_be_told(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(room: str) -> None:
        raise RuntimeError(room)

    stage.journal.call_changed = failing
    stage.opens("a", "p")
    stage.closes("a")
    await stage.written()
    assert await stage.told() == ["connection.opened", "connection.closed"]
    assert [record.message for record in caplog.records] == ["call_change_not_told"] * 2


async def test_connections_that_are_closed_together_are_gone_while_their_room_stays(stage: Stage) -> None:
    stage.opens("a", "p")
    stage.opens("b", "q")
    await stage.written()
    context = stage.rooms._context
    async with context.change() as session:
        room = await session.get_one(RoomRow, stage.uid)
        await legs.close_connections(session, room, "room_deleted", now=NOW)
    async with context.store.read() as session:
        assert list(await session.scalars(select(ConnectionRow.id))) == []
    assert await stage.told() == ["connection.opened"] * 2 + ["connection.closed"] * 2


class TestPeople:
    async def test_a_person_comes_loses_the_line_returns_and_leaves(self, stage: Stage) -> None:
        await stage.put("p")
        stage.opens("a", "p")
        stage.journal.leg_media_ready(stage.uid, "a", "udp", "ipv6")
        seen = []
        steps: tuple[Callable[[], None], ...] = (
            lambda: None,
            lambda: stage.journal.leg_lost(stage.uid, "a"),
            lambda: stage.journal.leg_back(stage.uid, "a"),
            lambda: stage.closes("a", "left"),
        )
        for step in steps:
            stage.now += 1.5
            step()
            await stage.written()
            seen.append(await stage.state("p"))
        assert seen == ["connected", "reconnecting", "connected", "left"]
        (opened, ready, closed) = [one for one in await stage.events() if "connection" in one.type]
        assert opened.data == {"connection": "a", "identity": "p", "role": "patient"}
        assert ready.type == "connection.media_ready"
        assert ready.data == {"connection": "a", "identity": "p", "path": "udp", "family": "ipv6"}
        assert closed.data == {
            "connection": "a",
            "identity": "p",
            "role": "patient",
            "reason": "left",
            "had_media": True,
            "seconds": 6.0,
        }
        assert (opened.occurred_at, closed.occurred_at) == (NOW, NOW + 6)

    async def test_with_two_connections_the_person_is_there_while_one_is(self, stage: Stage) -> None:
        await stage.put("p")
        stage.opens("a", "p")
        stage.opens("b", "p")
        stage.journal.leg_lost(stage.uid, "a")
        await stage.written()
        assert await stage.state("p") == "connected"
        stage.closes("b")
        await stage.written()
        assert await stage.state("p") == "reconnecting"
        stage.closes("a")
        await stage.written()
        assert await stage.state("p") == "left"

    async def test_who_was_removed_stays_removed_while_the_leg_goes(self, stage: Stage) -> None:
        await stage.put("p")
        stage.opens("a", "p")
        await stage.written()
        await stage.rooms.participants.remove("default", "rdv", "p", now=NOW)
        stage.closes("a", "removed")
        await stage.written()
        assert await stage.state("p") == "removed"
        assert await stage.told() == ["connection.opened", "connection.closed"]

    async def test_who_was_in_the_call_does_not_wait_when_coming_back(
        self, rooms: Rooms, key: ApiKey
    ) -> None:
        stage = await staged(rooms)
        await stage.put("p")
        token = (await rooms.participants.mint_token(key, "rdv", "p", now=NOW)).token
        stage.opens("a", "p")
        stage.closes("a")
        await stage.written()
        await rooms.replace_room("default", "rdv", RoomDraft(waiting_room=True), now=NOW)
        assert (await rooms.verify_join(token, now=NOW)).identity == "p"

    async def test_coming_and_going_leaves_the_version_for_callers(self, stage: Stage) -> None:
        await stage.put("p")
        stage.opens("a", "p")
        await stage.written()
        assert (await stage.rooms.participants.get("default", "rdv", "p")).version == 1

    async def test_somebody_who_is_not_stored_is_told_of_and_counted(self, stage: Stage) -> None:
        stage.opens("a", "somebody", "host")
        await stage.written()
        assert await stage.room_state() == "in_progress"
        assert await stage.told() == ["connection.opened"]


class TestLines:
    async def test_a_line_gets_worse_moves_and_recovers(self, stage: Stage) -> None:
        stage.opens("a", "p")
        stage.now += 10
        stage.journal.leg_degraded(stage.uid, "a", "loss", 2.1)
        stage.journal.leg_degraded(stage.uid, "a", "delay", 1.5)
        stage.journal.leg_path_changed(stage.uid, "a", "udp", "ipv6")
        stage.now += 42.5
        stage.journal.leg_recovered(stage.uid, "a")
        stage.journal.leg_recovered(stage.uid, "a")
        await stage.written()
        (_, degraded, moved, recovered) = [one for one in await stage.events() if "connection" in one.type]
        assert (degraded.type, degraded.data, degraded.occurred_at) == (
            "connection.degraded",
            {"connection": "a", "identity": "p", "reason": "loss", "score": 2.1},
            NOW + 10,
        )
        assert (moved.type, moved.data) == (
            "connection.path_changed",
            {"connection": "a", "identity": "p", "path": "udp", "family": "ipv6"},
        )
        assert (recovered.type, recovered.data) == (
            "connection.recovered",
            {"connection": "a", "identity": "p", "seconds": 42.5},
        )

    async def test_each_of_two_connections_of_a_person_has_its_own(self, stage: Stage) -> None:
        await stage.put("p")
        for leg in "ab":
            stage.opens(leg, "p")
            stage.journal.leg_degraded(stage.uid, leg, "silence", 0.0)
        stage.journal.leg_recovered(stage.uid, "b")
        stage.closes("a")
        stage.closes("b")
        await stage.written()
        told = [
            (one.type.removeprefix("connection."), one.data["connection"])
            for one in await stage.events()
            if "connection" in one.type
        ]
        assert told == [
            *[("opened", "a"), ("degraded", "a"), ("opened", "b"), ("degraded", "b")],
            *[("recovered", "b"), ("closed", "a"), ("closed", "b")],
        ]

    async def test_of_a_connection_that_is_not_open_nothing_is_told(self, stage: Stage) -> None:
        stage.opens("a", "p")
        stage.closes("a")
        for leg in ("a", "never"):
            stage.journal.leg_degraded(stage.uid, leg, "loss", 2.0)
            stage.journal.leg_path_changed(stage.uid, leg, "udp", "ipv4")
            stage.journal.leg_recovered(stage.uid, leg)
        assert len(stage.journal) == 2
        await stage.written()
        assert await stage.told() == ["connection.opened", "connection.closed"]

    async def test_a_degraded_one_that_is_moved_is_not_degraded_where_it_goes_on(self, stage: Stage) -> None:
        stage.opens("a", "p")
        stage.journal.leg_degraded(stage.uid, "a", "loss", 2.0)
        stage.closes("a", "moved")
        stage.opens("a", "p")
        stage.journal.leg_degraded(stage.uid, "a", "loss", 2.0)
        await stage.written()
        words = [one.removeprefix("connection.") for one in await stage.told()]
        assert words == ["opened", "degraded", "closed", "opened", "degraded"]

    async def test_a_degraded_that_was_left_out_has_no_recovered_and_one_that_was_taken_has(
        self, stage: Stage
    ) -> None:
        journal = LegJournal(stage.rooms._context, node="node", wall=lambda: NOW, max_waiting=3)
        stage.journal = journal
        stage.opens("a", "p")
        stage.opens("b", "p")
        for leg in "ab":
            journal.leg_degraded(stage.uid, leg, "loss", 2.0)
        for leg in "ab":
            journal.leg_recovered(stage.uid, leg)
        assert (len(journal), journal.dropped) == (4, 1)
        await stage.written()
        words = [one.removeprefix("connection.") for one in await stage.told()]
        assert words == ["opened", "opened", "degraded", "recovered"]

    @pytest.mark.parametrize(
        ("bad", "words"), [("LegDegraded", "opened closed"), ("LegRecovered", "opened degraded closed")]
    )
    async def test_what_cannot_be_written_leaves_no_half_pair(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch, bad: str, words: str
    ) -> None:
        async def failing(*args: Any, **more: Any) -> None:
            if type(args[-1]).__name__ == bad:
                raise RuntimeError("not today")
            await write_fact(*args, **more)

        monkeypatch.setattr(legs, "write_fact", failing)
        stage.opens("a", "p")
        for _ in range(2):
            stage.journal.leg_degraded(stage.uid, "a", "loss", 2.0)
            stage.journal.leg_recovered(stage.uid, "a")
        stage.closes("a")
        await stage.written()
        assert " ".join(one.removeprefix("connection.") for one in await stage.told()) == words
        assert stage.journal.dropped == 2


class TestRooms:
    async def test_one_alone_waits_and_two_are_a_call_that_stays_when_they_leave(self, stage: Stage) -> None:
        seen = []
        steps: tuple[Callable[[], None], ...] = (
            lambda: stage.opens("d", "d", "delegate"),
            lambda: stage.closes("d"),
            lambda: stage.opens("p", "p"),
            lambda: stage.opens("q", "q"),
            lambda: stage.closes("p"),
            lambda: stage.closes("q"),
        )
        for step in steps:
            step()
            await stage.written()
            seen.append(await stage.room_state())
        assert seen == ["waiting", "planned", "waiting", "in_progress", "in_progress", "in_progress"]

    async def test_observers_alone_are_no_call(self, stage: Stage) -> None:
        for leg in "abc":
            stage.opens(leg, leg, "observer")
        await stage.written()
        assert await stage.room_state() == "waiting"

    async def test_a_call_goes_on_after_closing_until_the_last_has_left(self, rooms: Rooms) -> None:
        stage = await staged(rooms, starts_at=NOW)
        stage.opens("h", "h", "host")
        stage.opens("p", "p")
        await stage.written()
        assert await rooms.deadlines.meet(now=NOW + HOUR) == 1
        assert await stage.room_state() == "in_progress"
        assert await rooms.deadlines.meet(now=NOW + HOUR) == 0
        stage.now = NOW + 2 * HOUR
        stage.closes("h")
        await stage.written()
        assert await stage.room_state() == "in_progress"
        stage.closes("p")
        await stage.written()
        assert await stage.room_state() == "finished"

    async def test_a_call_that_overruns_is_ended(self, rooms: Rooms) -> None:
        stage = await staged(rooms, starts_at=NOW)
        stage.opens("h", "h", "host")
        await stage.written()
        await rooms.deadlines.meet(now=NOW + HOUR)
        assert await rooms.deadlines.meet(now=NOW + 5 * HOUR - 1) == 0
        assert await rooms.deadlines.meet(now=NOW + 5 * HOUR) == 1
        assert await stage.room_state() == "finished"

    async def test_a_deleted_room_takes_its_connections_along_in_pairs(self, stage: Stage) -> None:
        stage.opens("a", "p")
        await stage.written()
        await stage.rooms.delete_room("default", "rdv", now=NOW)
        stage.closes("a", "room_closed")
        stage.opens("b", "p")
        stage.closes("b")
        await stage.written()
        events = await stage.events()
        assert [event.type for event in events[-2:]] == ["connection.closed", "room.deleted"]
        assert events[-2].data["reason"] == "room_deleted"
        assert (await stage.told()).count("connection.opened") == 1


class TestCompany:
    """The journal writes at its own time, and before whoever changes something."""

    @pytest.fixture
    async def patient(self, stage: Stage) -> AsyncIterator[Stage]:
        """A journal that would wait for ever for company."""
        stage.journal = LegJournal(
            stage.rooms._context, node="node", wall=lambda: stage.now, company_seconds=3600
        )
        running = asyncio.create_task(stage.journal.run())
        await asyncio.sleep(0)
        yield stage
        running.cancel()
        await asyncio.wait([running])

    async def test_facts_of_a_moment_are_one_transaction(self, stage: Stage) -> None:
        journal = LegJournal(stage.rooms._context, node="node", wall=lambda: NOW, company_seconds=0)
        before = stage.rooms.writers.counters.writes
        stage.journal = journal
        running = asyncio.create_task(journal.run())
        stage.opens("a", "p")
        journal.leg_media_ready(stage.uid, "a", "udp", "ipv4")
        stage.closes("a")
        await _settled(journal)
        running.cancel()
        assert await stage.told() == ["connection.opened", "connection.media_ready", "connection.closed"]
        assert stage.rooms.writers.counters.writes - before == 1

    async def test_enough_for_a_transaction_wait_no_longer(self, patient: Stage) -> None:
        for number in range(module.AT_ONCE):
            assert await patient.told() == []
            patient.opens(f"leg-{number}", f"p{number}")
        await _settled(patient.journal)
        assert len(await patient.told()) == module.AT_ONCE

    async def test_who_left_before_the_room_was_deleted_has_left(self, patient: Stage) -> None:
        patient.opens("a", "p")
        patient.opens("b", "q")
        patient.closes("a", "left")
        await patient.rooms.delete_room("default", "rdv", now=NOW)
        closed = {
            one.data["identity"]: one.data["reason"]
            for one in await patient.events()
            if one.type == "connection.closed"
        }
        assert closed == {"p": "left", "q": "room_deleted"}
        assert (await patient.events())[-1].type == "room.deleted"

    async def test_an_act_finds_who_has_just_come(self, patient: Stage) -> None:
        patient.opens("a", "h", "host")
        await patient.rooms.act("default", "rdv", RoomAct.FINISH, now=NOW)
        assert await patient.room_state() == "finished"
        told = [one.type for one in await patient.events()]
        assert told.index("connection.opened") < told.index("room.finished")

    async def test_the_log_of_a_call_that_has_just_begun_says_that_its_server_is_emptied(
        self, patient: Stage
    ) -> None:
        patient.opens("a", "p")
        assert await patient.rooms.announce_draining(now=NOW) == 1

    async def test_a_hand_of_somebody_who_has_just_come_can_be_lowered(self, patient: Stage) -> None:
        patient.opens("a", "p")
        await patient.rooms.moderation.lower_hand(Application("default", "rdv"), "p", now=NOW)

    async def test_a_change_does_not_wait_for_facts_that_cannot_be_written(
        self, patient: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def failing(*_args: Any, **_more: Any) -> None:
            raise StoreUnavailable("locked")

        monkeypatch.setattr(module, "write_facts", failing)
        patient.opens("a", "p")
        for _ in range(3):  # the first finds out, the others know
            await patient.rooms.share_metadata("default", "rdv", "hello", now=NOW)
        assert len(patient.journal) == 1

    async def test_after_the_end_nobody_waits_for_it(self, stage: Stage) -> None:
        running = asyncio.create_task(stage.journal.run())
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])
        stage.opens("a", "p")
        await stage.rooms.share_metadata("default", "rdv", "hello", now=NOW)
        assert len(stage.journal) == 1


async def _settled(journal: LegJournal) -> None:
    async with asyncio.timeout(10):
        await journal._settled.wait()


class TestFailures:
    async def test_what_a_crash_left_open_is_closed_at_the_next_start(self, stage: Stage, url: str) -> None:
        await stage.put("p")
        for number in range(module.AT_ONCE * 2 + 5):
            stage.opens(str(number), "p")
        await stage.written()
        await stage.rooms.close()
        later = await Rooms.open(url, keys=KeyRing([]), settings=RoomsSettings())
        again = Stage(later, stage.uid)
        again.now = NOW + 60
        await again.journal.close_left_open()
        told = Counter(await again.told())
        assert told["connection.opened"] == told["connection.closed"] == module.AT_ONCE * 2 + 5
        assert [event.type for event in (await again.events())[-2:]] == ["connection.closed", "room.planned"]
        assert (await again.events())[-2].data["reason"] == "server_restart"
        assert await again.state("p") == "left"
        await later.close()

    async def test_what_another_server_has_open_is_left_alone(self, stage: Stage) -> None:
        stage.opens("a", "p")
        await stage.written()
        await stage.rooms.leg_journal(lambda: NOW, node="another").close_left_open()
        assert await stage.told() == ["connection.opened"]
        await stage.rooms.leg_journal(lambda: NOW).close_left_open()
        assert await stage.told() == ["connection.opened", "connection.closed"]

    async def test_while_the_database_is_gone_facts_wait_in_their_order(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        gone = True

        async def failing(*args: Any, **more: Any) -> None:
            if gone:
                raise StoreUnavailable("gone")
            await write_facts(*args, **more)

        monkeypatch.setattr(module, "write_facts", failing)
        stage.opens("a", "p")
        stage.closes("a")
        stage.now += 30
        stage.opens("b", "p")
        for _ in range(3):
            assert not await stage.journal.write_some()
        assert caplog.messages.count("legs_wait_for_the_database") == 1
        gone = False
        await stage.written()
        events = [event for event in await stage.events() if event.type.startswith("connection.")]
        assert [(event.data["connection"], event.occurred_at) for event in events] == [
            ("a", NOW),
            ("a", NOW),
            ("b", NOW + 30),
        ]

    async def test_what_was_written_without_our_knowing_is_not_written_twice(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        note = stage.rooms._context.note
        unsure = True

        @asynccontextmanager
        async def breaks_after_the_commit(_: object) -> AsyncIterator[AsyncSession]:
            async with note() as session:
                yield session
            if unsure:
                raise StoreUnavailable("the connection broke")

        stage.opens("a", "p")
        stage.closes("a")
        monkeypatch.setattr(type(stage.rooms._context), "note", breaks_after_the_commit)
        assert not await stage.journal.write_some()
        unsure = False
        await stage.written()
        assert await stage.told() == ["connection.opened", "connection.closed"]
        assert stage.journal.dropped == 0

    async def test_a_fact_that_cannot_be_written_costs_no_other(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def failing(*args: Any, **more: Any) -> None:
            if getattr(args[-1], "identity", "") == "bad":
                raise RuntimeError("not today")
            await write_fact(*args, **more)

        monkeypatch.setattr(legs, "write_fact", failing)
        stage.opens("a", "good")
        stage.opens("b", "bad")
        stage.closes("b")
        stage.closes("a")
        await stage.written()
        assert await stage.told() == ["connection.opened", "connection.closed"]
        assert stage.journal.dropped == 1
        assert "leg_fact_failed" in caplog.messages

    async def test_what_was_half_written_when_the_database_went_is_completed(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        errors: list[Exception] = [RuntimeError("a defect"), StoreUnavailable("and now it is gone")]

        async def failing(*args: Any, **more: Any) -> None:
            if type(args[-1]).__name__ == "LegMediaReady" and errors:
                raise errors.pop(0)
            await write_fact(*args, **more)

        monkeypatch.setattr(legs, "write_fact", failing)
        stage.opens("a", "p")
        stage.journal.leg_media_ready(stage.uid, "a", "udp", "ipv4")
        stage.closes("a")
        assert not await stage.journal.write_some()
        assert await stage.told() == ["connection.opened"]
        await stage.written()
        assert await stage.told() == ["connection.opened", "connection.media_ready", "connection.closed"]

    async def test_too_many_facts_are_left_out_and_what_is_opened_is_closed(self, stage: Stage) -> None:
        journal = LegJournal(stage.rooms._context, node="node", wall=lambda: NOW, max_waiting=3)
        stage.journal = journal
        for leg in "abcde":
            stage.opens(leg, leg)
        for leg in "abcde":
            journal.leg_lost(stage.uid, leg)
            stage.closes(leg)
        journal.happened(stage.uid, "hand.raised", {})
        assert (len(journal), journal.dropped) == (6, 2 + 3 + 1)
        await stage.written()
        told = Counter(await stage.told())
        assert told == {"connection.opened": 3, "connection.closed": 3}

    async def test_it_writes_by_itself_and_settles(self, stage: Stage) -> None:
        running = asyncio.create_task(stage.journal.run())
        stage.opens("a", "p")
        stage.journal.happened(stage.uid, "hand.raised", {"identity": "p"})
        await stage.journal.settle(within_seconds=5)
        assert [event.type for event in await stage.events()][-1] == "hand.raised"
        assert len(stage.journal) == 0
        running.cancel()

    async def test_a_database_that_stays_away_does_not_hold_up_the_end(
        self, stage: Stage, caplog: pytest.LogCaptureFixture
    ) -> None:
        stage.opens("a", "p")
        await stage.journal.settle(within_seconds=0)
        assert "legs_not_written" in caplog.messages


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
async def test_whatever_comes_in_whatever_order_pairs_are_whole_and_states_are_true(
    rooms: Rooms, seed: int
) -> None:
    chance = random.Random(seed)
    room_id = new_room_id()
    await rooms.create_room("default", RoomDraft(id=room_id, waiting_room=True), now=NOW)
    uid = (await rooms.get_room("default", room_id)).uid
    people: dict[str, Role] = {"h": "host", "p": "patient", "q": "patient"}
    for identity, role in people.items():
        await rooms.participants.put("default", room_id, identity, ParticipantDraft(role=role), now=NOW)
    journal = rooms.leg_journal(lambda: NOW)
    open_legs: dict[str, str] = {}
    for number in range(40):
        identity = chance.choice(list(people))
        participant = await rooms.participants.get("default", room_id, identity)
        match chance.choice(["open", "close", "lose", "back", "admit", "remove", "put", "write", "stray"]):
            case "open" if participant.state != "removed" and (
                identity == "h" or participant.state in {"admitted", "connected", "left", "reconnecting"}
            ):
                open_legs[f"{uid}-{number}"] = identity
                journal.leg_opened(uid, f"{uid}-{number}", identity, people[identity])
            case "close" if open_legs:
                leg = chance.choice(list(open_legs))
                del open_legs[leg]
                journal.leg_closed(uid, leg, "left")
                journal.leg_closed(uid, leg, "left")
            case "lose" if open_legs:
                journal.leg_lost(uid, chance.choice(list(open_legs)))
            case "back" if open_legs:
                journal.leg_back(uid, chance.choice(list(open_legs)))
            case "stray":
                journal.leg_closed(uid, "never-opened", "left")
            case "admit" if participant.state in {"expected", "left", "denied"}:
                await rooms.waiting_room.admit("default", room_id, identity, now=NOW)
            case "remove":
                await rooms.participants.remove("default", room_id, identity, now=NOW)
                for leg in [leg for leg, whose in open_legs.items() if whose == identity]:
                    del open_legs[leg]
                    journal.leg_closed(uid, leg, "removed")
            case "put" if participant.state == "removed":
                await rooms.participants.put(
                    "default", room_id, identity, ParticipantDraft(role=people[identity]), now=NOW
                )
            case "write":
                while len(journal):
                    assert await journal.write_some()
    while len(journal):
        assert await journal.write_some()
    events = (await rooms.events.read(after=0, room_id=room_id, limit=1000)).items
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    opened = Counter(one.data["connection"] for one in events if one.type == "connection.opened")
    closed = Counter(one.data["connection"] for one in events if one.type == "connection.closed")
    assert set(opened.values()) | set(closed.values()) <= {1}
    assert set(opened) - set(closed) == set(open_legs)
    for identity in people:
        state = (await rooms.participants.get("default", room_id, identity)).state
        there = identity in open_legs.values()
        assert (state in {"connected", "reconnecting"}) <= there, (state, open_legs)
    room = await rooms.get_room("default", room_id)
    assert room.state in {"planned", "waiting", "in_progress"}
    if any(people[identity] == "host" for identity in open_legs.values()):
        assert room.state == "in_progress"
    if room.state == "in_progress":
        await rooms.act("default", room_id, RoomAct.FINISH, now=NOW)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
async def test_what_is_written_together_comes_to_the_same_as_one_by_one(
    rooms: Rooms, key: ApiKey, seed: int
) -> None:
    """Also in a room that closes meanwhile, before which people stand who need not wait any more."""
    together, one_by_one = [await _a_call(rooms, key, seed, at_once=at_once) for at_once in (True, False)]
    assert together == one_by_one


async def _a_call(rooms: Rooms, key: ApiKey, seed: int, *, at_once: bool) -> tuple[object, ...]:
    chance, room_id = random.Random(seed), new_room_id()
    draft = RoomDraft(
        id=room_id, waiting_room=True, starts_at=NOW, ends_at=NOW + HOUR / 2, close_after_minutes=30
    )
    await rooms.create_room("default", draft, now=NOW)
    uid = (await rooms.get_room("default", room_id)).uid
    people: dict[str, Role] = {"h": "host", "p": "patient", "q": "guest", "o": "observer"}
    for identity, role in people.items():
        await rooms.participants.put("default", room_id, identity, ParticipantDraft(role=role), now=NOW)
    for identity in chance.sample("pqo", 2):
        ticket = await rooms.participants.mint_token(key, room_id, identity, now=NOW)
        await rooms.waiting_room.knock(await rooms.verify_knock(ticket.token, now=NOW), now=NOW)
        if chance.random() < 0.5:
            await rooms.waiting_room.admit("default", room_id, identity, now=NOW)
    if chance.random() < 0.7:
        await rooms.replace_room("default", room_id, replace(draft, waiting_room=False), now=NOW)
    now = NOW
    journal = rooms.leg_journal(lambda: now)
    legs: list[str] = []
    for number in range(30):
        now += chance.choice([0.0, HOUR / 12])
        match chance.choice(["open", "open", "stranger", "close", "close", "lose", "back"]):
            case "open" | "stranger" as which if len(legs) < 4:
                identity = chance.choice(sorted(people)) if which == "open" else "stranger"
                legs.append(f"{uid}-{number}")
                journal.leg_opened(uid, legs[-1], identity, people.get(identity, "guest"))
            case "close" if legs:
                journal.leg_closed(uid, legs.pop(chance.randrange(len(legs))), "left")
            case "lose" if legs:
                journal.leg_lost(uid, chance.choice(legs))
            case "back" if legs:
                journal.leg_back(uid, chance.choice(legs))
        while len(journal) and not at_once:
            assert await journal.write_some()
    while len(journal):
        assert await journal.write_some()
    events = (await rooms.events.read(after=0, room_id=room_id, limit=1000)).items
    told = [(one.seq, one.type, one.occurred_at, dict(one.data, connection="")) for one in events]
    stored = [await rooms.participants.get("default", room_id, identity) for identity in people]
    states = [(one.state, one.waiting_since, one.version) for one in stored]
    room = await rooms.get_room("default", room_id)
    await rooms.delete_room("default", room_id, now=now)
    return told, states, room.state, room.version


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
async def test_whatever_becomes_of_lines_and_of_the_server_their_events_alternate(
    rooms: Rooms, seed: int
) -> None:
    chance = random.Random(seed)
    room_id = new_room_id()
    await rooms.create_room("default", RoomDraft(id=room_id), now=NOW)
    uid = (await rooms.get_room("default", room_id)).uid
    journal = rooms.leg_journal(lambda: NOW)
    names = [f"{uid}-{number}" for number in range(4)]
    people = dict(zip(names, "ppqq", strict=True))  # two connections of each
    for _ in range(100):
        leg = chance.choice(names)
        match chance.choices(
            ["open", "worse", "better", "path", "close", "write", "crash"], [4, 8, 6, 2, 2, 1, 0.3]
        )[0]:
            case "open" if leg not in journal._open:
                journal.leg_opened(uid, leg, people[leg], "patient")
            case "worse":
                journal.leg_degraded(uid, leg, "loss", 2.0)
            case "better":
                journal.leg_recovered(uid, leg)
            case "path":
                journal.leg_path_changed(uid, leg, "udp", "ipv4")
            case "close":
                journal.leg_closed(uid, leg, "left")
            case "write":
                assert await journal.write_some()
            case "crash":
                journal = rooms.leg_journal(lambda: NOW)  # what was not on disk yet is gone
                await journal.close_left_open()
    await rooms.leg_journal(lambda: NOW).close_left_open()
    events = (await rooms.events.read(after=0, room_id=room_id, limit=1000)).items
    for leg in names:
        own = (one.type for one in events if one.data.get("connection") == leg)
        words = "".join(word.removeprefix("connection.")[0] for word in own)
        assert re.fullmatch("(o(dr)*d?c)*", words.replace("p", "")), words
        assert re.fullmatch("(o[^oc]*c)*", words), words

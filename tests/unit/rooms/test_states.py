"""The state tables: what they allow, what they never do, and that the pictures in docs/ show them."""

import itertools
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.model import ParticipantState, Role, RoomState
from rooms.presence import (
    PRESENCE_TABLE,
    PresenceAct,
    PresenceFacts,
    must_wait,
    participant_after,
)
from rooms.states import (
    OVER,
    ROOM_TABLE,
    Attendance,
    RoomAct,
    RoomFacts,
    attended,
    due,
    next_deadline,
    room_after,
)
from rooms.transitions import Cause, Transition, diagram

PAGE = Path(__file__).parents[3] / "docs" / "room-life.md"
CAUSES: tuple[Cause, ...] = get_args(Cause)
CALLERS = ("api", "host")
OPEN = RoomFacts(past_closing=False, people=2)


@pytest.mark.parametrize("table", [ROOM_TABLE, PRESENCE_TABLE])
def test_no_two_rows_answer_the_same_question(table: tuple[Transition[Any, Any, Any], ...]) -> None:
    # Rows of one state and act are told apart by their causes, so the order of the rows means nothing.
    asked = [
        (before, row.act, cause)
        for row in table
        for before, cause in itertools.product(row.before, row.causes)
    ]
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize(
    ("table", "states"),
    [(ROOM_TABLE, get_args(RoomState)), (PRESENCE_TABLE, get_args(ParticipantState))],
)
def test_every_state_can_be_reached_and_left(table: Any, states: tuple[str, ...]) -> None:
    assert {row.after for row in table} == set(states)
    assert {before for row in table for before in row.before} == set(states)


@pytest.mark.parametrize(
    ("heading", "picture"),
    [
        ("Rooms", diagram(ROOM_TABLE, "planned")),
        ("Participants", diagram(PRESENCE_TABLE, "expected")),
    ],
)
def test_the_pictures_in_the_docs_are_drawn_from_the_tables(heading: str, picture: str) -> None:
    section = PAGE.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    assert f"```mermaid\n{picture}\n```" in section, picture


class TestRooms:
    @pytest.mark.parametrize(
        ("act", "allowed"),
        [
            (RoomAct.START, {"planned": "in_progress", "waiting": "in_progress"}),
            (RoomAct.FINISH, {"waiting": "finished", "in_progress": "finished"}),
            (RoomAct.CANCEL, {"planned": "cancelled", "waiting": "cancelled"}),
            (RoomAct.REOPEN, {"finished": "in_progress", "cancelled": "planned", "not_held": "planned"}),
        ],
    )
    def test_what_a_caller_may_do_in_which_state(self, act: RoomAct, allowed: dict[str, str]) -> None:
        for state in get_args(RoomState):
            assert room_after(state, act, "api", OPEN) == allowed.get(state)
            assert room_after(state, act, "host", OPEN) == allowed.get(state)
            assert room_after(state, act, "media", OPEN) is None
            assert room_after(state, act, "deadline", OPEN) is None

    def test_a_room_whose_time_is_over_is_not_reopened(self) -> None:
        assert room_after("finished", RoomAct.REOPEN, "api", RoomFacts(past_closing=True, people=0)) is None

    @pytest.mark.parametrize(
        ("attendance", "act"),
        [
            (Attendance(), RoomAct.EMPTY),
            (Attendance(waiting=2), RoomAct.ARRIVE),
            (Attendance(others=1), RoomAct.ARRIVE),
            (Attendance(observers=3, others=1), RoomAct.ARRIVE),
            (Attendance(hosts=1), RoomAct.MEET),
            (Attendance(others=2), RoomAct.MEET),
        ],
    )
    def test_a_call_begins_with_a_host_or_with_two(self, attendance: Attendance, act: RoomAct) -> None:
        assert attended(attendance) is act

    @given(
        st.lists(
            st.tuples(st.sampled_from(RoomAct), st.sampled_from(CAUSES), st.booleans(), st.integers(0, 2))
        )
    )
    def test_whatever_happens_the_truth_about_the_call_is_kept(
        self, happenings: list[tuple[RoomAct, Cause, bool, int]]
    ) -> None:
        state: RoomState = "planned"
        began = False
        for act, cause, past, people in happenings:
            after = room_after(state, act, cause, RoomFacts(past_closing=past, people=people))
            if after is None:
                continue
            assert after != state
            if state in OVER:
                assert act is RoomAct.REOPEN
                assert cause in CALLERS
            if after == "cancelled":
                assert cause in CALLERS
            if act is RoomAct.CLOSING:
                assert people == 0 or after == "not_held"  # a call is not cut off when the door shuts
            began = began or after == "in_progress"
            if began:
                assert after in {"in_progress", "finished"}  # a call that began is never said not to have
            state = after

    @given(st.floats(0, 100), st.floats(0, 100), st.integers(0, 100))
    def test_deadlines_follow_from_stored_times_and_come_to_an_end(
        self, closes_at: float, now: float, overrun: int
    ) -> None:
        first = next_deadline("in_progress", closes_at, overrun_seconds=overrun)
        assert first == closes_at
        assert due(first, closes_at, now=now) == (RoomAct.CLOSING if now >= closes_at else None)
        second = next_deadline("in_progress", closes_at, overrun_seconds=overrun, closing_met=True)
        assert second == closes_at + overrun
        for state in OVER:
            assert next_deadline(state, closes_at, overrun_seconds=overrun) is None

    def test_without_times_there_are_no_deadlines(self) -> None:
        assert next_deadline("in_progress", None, overrun_seconds=60) is None
        assert due(None, None, now=1e12) is None


class TestParticipants:
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(PresenceAct), st.sampled_from(CAUSES), st.integers(0, 2), st.integers(0, 2)
            )
        ),
        st.booleans(),
        st.sampled_from(get_args(Role)),
    )
    def test_nobody_who_has_to_wait_gets_in_unadmitted_and_nobody_comes_back_from_being_removed(
        self, happenings: list[tuple[PresenceAct, Cause, int, int]], waiting_room: bool, role: Role
    ) -> None:
        state: ParticipantState = "expected"
        admitted = False
        for act, cause, up, open_ in happenings:
            waits = must_wait(role, waiting_room=waiting_room, admitted=admitted)
            after = participant_after(state, act, cause, PresenceFacts(waits, up, up + open_))
            if after is None:
                continue
            if after == "connected":
                assert not waits
            if state in {"removed", "denied"}:
                assert cause in CALLERS
            if state == "removed":
                assert (act, cause, after) == (PresenceAct.PUT_BACK, "api", "expected")
            if after == "waiting":
                assert waits
                assert role not in {"host", "delegate"}
            admitted = (admitted or after in {"admitted", "connected"}) and after not in {
                "denied",
                "removed",
                "expected",
            }
            state = after

    def test_of_two_connections_only_the_last_counts(self) -> None:
        assert participant_after("connected", PresenceAct.LOSE, "media", PresenceFacts(False, 1, 1)) is None
        assert participant_after("connected", PresenceAct.LEAVE, "media", PresenceFacts(False, 0, 1)) is None
        assert (
            participant_after("connected", PresenceAct.LEAVE, "media", PresenceFacts(False, 0, 0)) == "left"
        )

"""Whatever bytes come: a value or a problem with a code, never another error."""

import base64
import json
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from control_api.auth import authenticate
from control_api.body import MAX_DEPTH, merge_patch, read_json, validated
from control_api.join_schemas import JoinRequest
from control_api.paging import read_agenda_cursor, read_limit, read_name_cursor
from control_api.participant_schemas import ParticipantRequest
from control_api.problems import Problem
from control_api.room_schemas import RoomRequest
from rooms import ApiKey, KeyRing
from rooms.tokens import InvalidTokenError, read_join_token

KEYS = KeyRing([ApiKey("portal", "a-secret-of-the-tests-that-is-long-enough")])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
PARTS = (st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode())).map(
    lambda raw: base64.urlsafe_b64encode(raw).decode()
)
MODELS = st.sampled_from([RoomRequest, ParticipantRequest, JoinRequest])
FIELDS = [*RoomRequest.model_fields, *ParticipantRequest.model_fields, *JoinRequest.model_fields]
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(st.binary(max_size=200) | st.text(alphabet='[]{}",:\\0 nult1e', max_size=200).map(str.encode))
@unhurried
def test_reading_json_gives_a_value_or_a_problem(raw: bytes) -> None:
    problem = refusal(lambda: read_json(raw))
    assert problem is None or problem.code in {"malformed", "too-large"}


@given(JSON)
@unhurried
def test_json_that_is_not_deep_is_read_as_it_was_written(value: object) -> None:
    assert read_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1])
def test_the_depth_that_is_counted_is_the_depth_that_is_there(depth: int) -> None:
    raw = b"[" * depth + b"]" * depth
    if depth <= MAX_DEPTH:
        read_json(raw)
    else:
        with pytest.raises(Problem, match="malformed"):
            read_json(raw)


@given(MODELS, st.dictionaries(st.sampled_from(FIELDS), JSON))
@unhurried
def test_checking_a_body_gives_a_model_or_a_problem_that_points(model: type, value: object) -> None:
    problem = refusal(lambda: validated(model, value))
    if problem is not None:
        assert problem.code == "invalid-field"
        assert problem.errors
        assert json.dumps(problem.body("t"))


@given(JSON, JSON)
@unhurried
def test_a_merge_patch_applied_twice_is_the_same_as_once(target: object, patch: object) -> None:
    once = merge_patch(target, patch)
    assert merge_patch(once, patch) == once


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
@unhurried
def test_any_cursor_and_limit_is_read_or_refused(text: str) -> None:
    readers: tuple[Callable[[str], object], ...] = (read_agenda_cursor, read_name_cursor, read_limit)
    for read in readers:
        problem = refusal(partial(read, text))
        assert problem is None or problem.status == 422


@given(st.sampled_from(["Basic ", "Bearer ", "basic", ""]), st.text() | PARTS)
@unhurried
def test_any_authorization_is_refused_in_the_same_way(scheme: str, rest: str) -> None:
    with pytest.raises(Problem) as caught:
        authenticate(scheme + rest, KEYS, now=1e9)
    assert (caught.value.code, caught.value.detail) == ("unauthenticated", "")


@given(st.text() | st.lists(PARTS, min_size=3, max_size=3).map(".".join))
@unhurried
def test_any_token_is_refused_by_the_one_error(token: str) -> None:
    with pytest.raises(InvalidTokenError):
        read_join_token(token, KEYS, now=1e9)


def refusal(attempt: Callable[[], object]) -> Problem | None:
    try:
        attempt()
    except Problem as problem:
        return problem
    return None

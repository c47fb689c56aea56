"""Connection tests in the store: who gets a token for one, and what that token opens."""

import jwt
import pytest

from rooms import (
    ApiKey,
    Bandwidth,
    ConnectionTestFilter,
    InvalidValue,
    JoinRefused,
    MediaFound,
    MediaStep,
    NotFound,
    ParticipantDraft,
    ProbeResult,
    RoomDraft,
    Rooms,
    RoomsSettings,
    StoreUnavailable,
    TooOften,
    connection_test_places,
    connection_tests,
)
from rooms.connection_test_places import MOST_A_DAY
from rooms.states import RoomAct

TENANT = "default"
HOUR = 3600.0
DAY = 24 * HOUR


async def refusal(doing: object) -> str:
    with pytest.raises(JoinRefused) as refused:
        await doing  # type: ignore[misc]
    return refused.value.code


async def with_patient(rooms: Rooms, now: float, **times: float) -> str:
    await rooms.create_room(TENANT, RoomDraft(id="rdv", **times), now=now)  # type: ignore[arg-type]
    await rooms.participants.put(TENANT, "rdv", "patient", ParticipantDraft(role="patient"), now=now)
    _, secret = await rooms.links.create_for_participant(TENANT, "rdv", "patient", now=now)
    return secret


async def test_the_secret_of_a_test_gives_tokens_that_open_it_until_it_expires(
    rooms: Rooms, now: float
) -> None:
    test, secret = await rooms.connection_tests.create(TENANT, now=now, valid_minutes=60)
    assert (test.state, test.room_id, test.expires_at) == ("open", None, now + HOUR)
    ticket = await rooms.connection_tests.open(secret, now=now + 1)
    found = await rooms.connection_tests.admitted(ticket.token, now=now + 2)
    assert (found.test_id, found.tenant, found.expires_at) == (test.id, TENANT, now + 901)
    late = await rooms.connection_tests.open(secret, now=now + HOUR - 10)
    assert late.expires_at == now + HOUR
    assert await refusal(rooms.connection_tests.open(secret, now=now + HOUR)) == "too-late"
    # Clocks may differ, so the token still passes; the test does not.
    assert await refusal(rooms.connection_tests.admitted(late.token, now=now + HOUR + 1)) == "too-late"


async def test_a_token_of_a_test_opens_no_other_door(rooms: Rooms, now: float) -> None:
    await with_patient(rooms, now)
    _, secret = await rooms.connection_tests.create(TENANT, room_id="rdv", identity="patient", now=now)
    token = (await rooms.connection_tests.open(secret, now=now)).token
    assert await refusal(rooms.verify_join(token, now=now)) == "test-only"
    assert await refusal(rooms.verify_knock(token, now=now)) == "test-only"


async def test_a_join_token_that_says_it_is_for_a_test_joins_nothing(
    rooms: Rooms, key: ApiKey, now: float
) -> None:
    await with_patient(rooms, now)
    claims = {
        "iss": key.key, "sub": "patient", "exp": int(now) + 60, "colloque": {"role": "probe"},
        "video": {"room": "rdv", "roomJoin": True},
    }  # fmt: skip
    token = jwt.encode(claims, key.secret, algorithm="HS256")
    assert await refusal(rooms.verify_join(token, now=now)) == "test-only"


async def test_only_a_token_of_a_test_of_the_same_tenant_opens_it(
    rooms: Rooms, key: ApiKey, other_key: ApiKey, now: float
) -> None:
    link = await with_patient(rooms, now)
    test, secret = await rooms.connection_tests.create(TENANT, now=now)
    ticket = await rooms.connection_tests.open(secret, now=now)
    join = (await rooms.links.join(link, now=now)).token
    claims = jwt.decode(ticket.token, options={"verify_signature": False})
    forged = jwt.encode(claims, "x" * 40, algorithm="HS256")
    foreign = jwt.encode({**claims, "iss": other_key.key}, other_key.secret, algorithm="HS256")
    unnamed = jwt.encode({**claims, "sub": 7}, key.secret, algorithm="HS256")
    unknown = jwt.encode({**claims, "sub": test.id + "x"}, key.secret, algorithm="HS256")
    for token, code in (
        ("", "unauthenticated"),
        (join, "unauthenticated"),
        (forged, "unauthenticated"),
        (unnamed, "unauthenticated"),
        (foreign, "not-found"),
        (unknown, "not-found"),
    ):
        assert await refusal(rooms.connection_tests.admitted(token, now=now)) == code
    expired = rooms.connection_tests.admitted(ticket.token, now=now + 1000)
    assert await refusal(expired) == "unauthenticated"


async def test_a_link_makes_a_test_of_its_room_and_person_also_before_the_room_opens(
    rooms: Rooms, now: float
) -> None:
    link = await with_patient(rooms, now, starts_at=now + 5 * HOUR)
    assert await refusal(rooms.links.join(link, now=now)) == "too-early"
    ticket = await rooms.connection_tests.open_by_link(link, now=now)
    assert (await rooms.connection_tests.admitted(ticket.token, now=now)).test_id == ticket.test_id
    over = rooms.connection_tests.open_by_link(link, now=now + 7 * HOUR)
    assert await refusal(over) == "too-late"


@pytest.mark.parametrize("act", [RoomAct.CANCEL, RoomAct.FINISH])
async def test_a_link_to_a_room_that_is_over_makes_no_test(rooms: Rooms, now: float, act: RoomAct) -> None:
    link = await with_patient(rooms, now)
    if act is RoomAct.FINISH:
        await rooms.act(TENANT, "rdv", RoomAct.START, now=now)
    await rooms.act(TENANT, "rdv", act, now=now)
    assert await refusal(rooms.connection_tests.open_by_link(link, now=now)) == "too-late"


async def test_a_removed_person_and_a_dead_link_make_no_test(rooms: Rooms, now: float) -> None:
    link = await with_patient(rooms, now)
    await rooms.participants.remove(TENANT, "rdv", "patient", now=now)
    assert await refusal(rooms.connection_tests.open_by_link(link, now=now)) == "revoked"
    assert await refusal(rooms.connection_tests.open_by_link("x" * 26, now=now)) == "not-found"
    assert await refusal(rooms.connection_tests.open("x" * 26, now=now)) == "not-found"


async def test_unknown_rooms_and_people_and_those_of_others_are_not_found(rooms: Rooms, now: float) -> None:
    await with_patient(rooms, now)
    tests = rooms.connection_tests
    with pytest.raises(NotFound):
        await tests.create(TENANT, room_id="none", now=now)
    with pytest.raises(NotFound):
        await tests.create("elsewhere", room_id="rdv", now=now)
    with pytest.raises(NotFound):
        await tests.create(TENANT, room_id="rdv", identity="nobody", now=now)
    with pytest.raises(InvalidValue):
        await tests.create(TENANT, identity="patient", now=now)


async def test_beyond_a_days_tests_of_a_person_the_oldest_without_a_result_goes(
    rooms: Rooms, now: float
) -> None:
    link = await with_patient(rooms, now)
    made = [await rooms.connection_tests.open_by_link(link, now=now + one) for one in range(MOST_A_DAY)]
    later = now + MOST_A_DAY
    await rooms.connection_tests.open_by_link(link, now=later)
    assert await refusal(rooms.connection_tests.admitted(made[0].token, now=later)) == "not-found"
    assert (await rooms.connection_tests.admitted(made[1].token, now=later)).test_id == made[1].test_id


async def test_guests_of_a_room_are_counted_together_and_apart_from_people(
    rooms: Rooms, now: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_test_places, "MOST_A_DAY_OF_GUESTS", 2)
    link = await with_patient(rooms, now)
    _, guests = await rooms.links.create_for_guests(TENANT, "rdv", now=now)
    for _ in range(2):
        ticket = await rooms.connection_tests.open_by_link(guests, now=now)
        await rooms.connection_tests.finish(ticket.token, ProbeResult(), now=now)
    with pytest.raises(TooOften):
        await rooms.connection_tests.open_by_link(guests, now=now)
    assert (await rooms.connection_tests.open_by_link(link, now=now)).token


async def test_a_tenant_has_so_many_tests_and_one_without_a_result_goes_before_one_with(
    rooms: Rooms, now: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_test_places, "MOST_OF_TENANT", 2)
    foreign, _ = await rooms.connection_tests.create("elsewhere", now=now - 1)
    done, secret = await rooms.connection_tests.create(TENANT, now=now)
    ticket = await rooms.connection_tests.open(secret, now=now)
    await rooms.connection_tests.finish(ticket.token, ProbeResult(), now=now)
    await rooms.connection_tests.create(TENANT, now=now + 1)
    newest, _ = await rooms.connection_tests.create(TENANT, now=now + 2)
    found, _ = await rooms.connection_tests.list(TENANT, ConnectionTestFilter(), now=now + 2)
    assert [one.id for one in found] == [newest.id, done.id]
    assert (await rooms.connection_tests.get("elsewhere", foreign.id, now=now)).id == foreign.id


async def test_tests_are_deleted_so_many_days_after_they_were_made(
    rooms: Rooms, now: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_tests, "PRUNED_AT_ONCE", 2)
    old = [(await rooms.connection_tests.create(TENANT, now=now))[0] for _ in range(3)]
    young, _ = await rooms.connection_tests.create(TENANT, now=now + 1)
    assert not await rooms.connection_tests.prune(now=now + 30 * DAY)
    assert len((await rooms.connection_tests.list(TENANT, ConnectionTestFilter(), now=now))[0]) == 4
    later = now + 30 * DAY + 0.5
    assert await rooms.connection_tests.prune(now=later)
    assert not await rooms.connection_tests.prune(now=later)
    found, _ = await rooms.connection_tests.list(TENANT, ConnectionTestFilter(), now=later)
    assert [one.id for one in found] == [young.id]
    with pytest.raises(NotFound):
        await rooms.connection_tests.get(TENANT, old[0].id, now=later)


async def test_a_result_and_its_event_are_written_together_or_not_at_all(
    rooms: Rooms, now: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = await rooms.connection_tests.open_by_link(await with_patient(rooms, now), now=now)
    before = await rooms.events.newest()

    async def broken(*_: object, **__: object) -> None:
        raise StoreUnavailable("not today")

    with monkeypatch.context() as patched:
        patched.setattr(connection_tests, "append_event", broken)
        with pytest.raises(StoreUnavailable):
            await rooms.connection_tests.finish(ticket.token, ProbeResult(), now=now)
    test = await rooms.connection_tests.get(TENANT, ticket.test_id, now=now)
    assert (test.state, await rooms.events.newest()) == ("open", before)
    assert sum(rooms.connection_tests.verdicts.values()) == 0
    await rooms.connection_tests.finish(ticket.token, ProbeResult(), now=now)
    assert await rooms.events.newest() == before + 1


async def test_a_result_counts_as_newest_and_the_events_follow_in_order(rooms: Rooms, now: float) -> None:
    heard: list[tuple[int, str]] = []
    rooms.events.follow(lambda event: heard.append((event.seq, event.type)))
    ticket = await rooms.connection_tests.open_by_link(await with_patient(rooms, now), now=now)
    for later in range(3):
        await rooms.connection_tests.finish(ticket.token, ProbeResult(), now=now + later)
    assert heard == [(1, "room.planned"), *((seq, "connection_test.finished") for seq in (2, 3, 4))]
    test = await rooms.connection_tests.get(TENANT, ticket.test_id, now=now + HOUR)
    assert (test.finished_at, test.verdict) == (now + 2, "phone")


@pytest.mark.parametrize(
    ("of_server", "of_room", "verdict"),
    [
        (2000, None, "video_low"),
        (800, None, "video_good"),
        (2000, 800, "video_good"),
        (None, None, "video_low"),
    ],
)
async def test_a_line_is_held_against_what_calls_of_the_room_take(
    rooms: Rooms, now: float, of_server: int | None, of_room: int | None, verdict: str
) -> None:
    rooms.reconfigure(keys=rooms.keys, settings=RoomsSettings(max_kbps=of_server))
    draft = RoomDraft(id="rdv", bandwidth=Bandwidth(max_kbps_down=of_room))
    await rooms.create_room(TENANT, draft, now=now)
    _, secret = await rooms.connection_tests.create(TENANT, room_id="rdv", now=now)
    ticket = await rooms.connection_tests.open(secret, now=now)
    line = MediaStep(2000, 700, 700, 0.0, 0.0, 40.0, 5.0)
    result = ProbeResult(media=MediaFound("udp", 10000, 400.0, (line,)))
    assert (await rooms.connection_tests.finish(ticket.token, result, now=now)).verdict == verdict


@pytest.mark.parametrize(
    ("of_server", "of_room", "most"),
    [(2000, None, 2000), (2000, 800, 800), (None, 800, 800), (None, None, None)],
)
async def test_who_tests_is_told_what_calls_of_the_room_take(
    rooms: Rooms, now: float, of_server: int | None, of_room: int | None, most: int | None
) -> None:
    rooms.reconfigure(keys=rooms.keys, settings=RoomsSettings(max_kbps=of_server))
    draft = RoomDraft(id="rdv", bandwidth=Bandwidth(max_kbps_up=of_room))
    await rooms.create_room(TENANT, draft, now=now)
    _, secret = await rooms.connection_tests.create(TENANT, room_id="rdv", now=now)
    ticket = await rooms.connection_tests.open(secret, now=now)
    assert (await rooms.connection_tests.admitted(ticket.token, now=now)).max_kbps == most


async def test_a_person_who_is_forgotten_takes_their_tests_along(rooms: Rooms, now: float) -> None:
    ticket = await rooms.connection_tests.open_by_link(await with_patient(rooms, now), now=now)
    other, _ = await rooms.connection_tests.create(TENANT, room_id="rdv", now=now)
    await rooms.participants.forget(TENANT, "rdv", "patient", now=now)
    assert await refusal(rooms.connection_tests.admitted(ticket.token, now=now)) == "not-found"
    found, _ = await rooms.connection_tests.list(TENANT, ConnectionTestFilter(), now=now)
    assert [one.id for one in found] == [other.id]


async def test_a_deleted_room_takes_its_tests_along(rooms: Rooms, now: float) -> None:
    ticket = await rooms.connection_tests.open_by_link(await with_patient(rooms, now), now=now)
    await rooms.delete_room(TENANT, "rdv", now=now)
    assert await refusal(rooms.connection_tests.admitted(ticket.token, now=now)) == "not-found"

"""Deliveries in virtual time: in order for each room, at least once, and nobody waits for somebody else."""

from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from rooms import InvalidTransition, InvalidValue, KeyRing, Outcome, Parcel, RoomDraft, Rooms, WebhookDraft
from rooms.retries import CLAIM_SECONDS, GIVE_UP_SECONDS
from rooms.webhooks import MAX_PER_TENANT
from tests.support.rooms_database import empty_database
from tests.unit.rooms.conftest import NOW

DAY = 86400.0
CLAIMS = 10
DELIVERED = Outcome("delivered", 200)
FAILED = Outcome("failed", 500)
SILENCE = Outcome("timed_out")
Receiver = Callable[[Parcel], Outcome]
TENANT = "default"


class Post:
    """Carries parcels in virtual time, and keeps what every receiver saw."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.now = NOW
        self.random = Random(1)
        self.seen: dict[str, list[Parcel]] = defaultdict(list)
        self.wake_at: float | None = None
        self.dead = 0

    async def webhook(self, **wanted: object) -> str:
        draft = WebhookDraft(url="https://portal.example/events", **wanted)  # type: ignore[arg-type]
        return (await self.rooms.webhooks.create(TENANT, draft, now=self.now))[0].id

    async def room(self, room_id: str, *acts: str) -> None:
        """Make a room, which is one event, and let more happen in it."""
        await self.rooms.create_room(TENANT, RoomDraft(id=room_id), now=self.now)
        await self.act(room_id, *acts)

    async def act(self, room_id: str, *acts: str) -> None:
        for act in acts:
            await self.rooms.act(TENANT, room_id, act, now=self.now)  # type: ignore[arg-type]

    async def turn(self, *outcomes: tuple[Parcel, Outcome | None]) -> list[Parcel]:
        turn = await self.rooms.outbox.turn(outcomes, now=self.now, random=self.random)
        self.wake_at, self.dead = turn.wake_at, self.dead + turn.dead
        for parcel in turn.parcels:
            self.seen[parcel.webhook_id].append(parcel)
        return turn.parcels

    def run(self, parcel: Parcel, receiver: Receiver) -> tuple[Parcel, Outcome]:
        """Send the events of a run as long as each is delivered."""
        outcome = receiver(parcel)
        while parcel.following and outcome.code == "delivered":
            parcel = parcel.next()
            self.seen[parcel.webhook_id].append(parcel)
            outcome = receiver(parcel)
        return parcel, outcome

    async def carry(self, receiver: Receiver, *, until: float | None = None) -> None:
        """Send what is due, and wait for what is due later, up to a time."""
        parcels = await self.turn()
        while True:
            if parcels or (self.wake_at is not None and self.wake_at <= self.now):
                parcels = await self.turn(*(self.run(one, receiver) for one in parcels))
            elif self.wake_at is not None and until is not None and self.wake_at <= until:
                self.now = self.wake_at
                parcels = await self.turn()
            else:
                break

    def told(self, webhook: str, room: str | None = None) -> list[int]:
        """The numbers of what was sent, in order."""
        return [one.event.seq for one in self.seen[webhook] if room in (None, one.event.room_id)]


@pytest.fixture(autouse=True)
def few_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rooms.retries.CLAIMS_PER_WEBHOOK", CLAIMS)


def always(outcome: Outcome) -> Receiver:
    return lambda _: outcome


@pytest.fixture
async def post(rooms: Rooms) -> Post:
    return Post(rooms)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_without_webhooks_the_database_is_not_asked_at_every_event(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    read = post.rooms._context.store.read

    def counted() -> AbstractAsyncContextManager[AsyncSession]:
        nonlocal asked
        asked += 1
        return read()

    monkeypatch.setattr(post.rooms._context.store, "read", counted)
    for _ in range(10):
        assert await post.turn() == []
    assert asked == 1
    post.now += 5
    await post.turn()
    assert asked == 2, "somebody may have written to the file"
    webhook = await post.webhook()
    await post.room("one")
    await post.carry(always(DELIVERED))
    assert [one.event.room_id for one in post.seen[webhook]] == ["one"]


async def test_what_happens_after_a_webhook_was_made_is_told_once_and_in_order(post: Post) -> None:
    await post.room("before")
    webhook = await post.webhook()
    await post.room("one", "start", "finish")
    await post.carry(always(DELIVERED))
    assert [(one.event.room_id, one.event.type) for one in post.seen[webhook]] == [
        ("one", "room.planned"),
        ("one", "room.in_progress"),
        ("one", "room.finished"),
    ]
    assert await post.turn() == []
    assert post.wake_at is None


async def test_only_the_first_event_of_a_room_is_on_its_way(post: Post) -> None:
    webhook = await post.webhook()
    await post.room("one", "start")
    await post.room("two")
    first = await post.turn()
    assert [(one.event.room_id, one.event.seq) for one in first] == [("one", 1), ("two", 1)]
    assert await post.turn() == []
    (second,) = await post.turn((first[0], DELIVERED))
    assert (second.event.room_id, second.event.seq) == ("one", 2)
    assert post.told(webhook) == [1, 1, 2]


async def test_what_follows_in_a_room_is_claimed_with_it_and_settled_as_far_as_it_came(post: Post) -> None:
    webhook = await post.webhook()
    await post.room("one", "start", "finish", "reopen")
    await post.room("two")
    one, two = await post.turn()
    assert ([event.seq for event in one.following], two.following) == ([2, 3, 4], ())
    third = one.next().next()
    await post.turn((third, FAILED), (two, DELIVERED))
    assert post.wake_at is not None
    post.now = post.wake_at
    (again,) = await post.turn()
    assert (again.event, [event.seq for event in again.following]) == (third.event, [4])
    await post.turn(post.run(again, always(DELIVERED)))
    assert await post.turn() == []
    assert post.told(webhook, "one") == [1, 3, 4]


async def test_a_run_that_stopped_in_its_middle_is_told_from_where_it_began(post: Post) -> None:
    await post.webhook()
    await post.room("one", "start", "finish")
    (run,) = await post.turn()
    post.now += CLAIM_SECONDS
    (again,) = await post.turn()
    assert (again.event, again.following) == (run.event, run.following)


async def test_what_came_before_a_failure_in_a_run_is_no_reason_to_give_up(post: Post) -> None:
    webhook = await post.webhook()
    await post.room("one", "start")
    await post.carry(always(FAILED), until=NOW + GIVE_UP_SECONDS - 1)
    assert post.wake_at is not None
    post.now = post.wake_at
    (run,) = await post.turn()
    await post.turn((run.next(), FAILED))
    await post.carry(always(DELIVERED), until=post.now + DAY)
    assert post.told(webhook)[-1] == 2
    assert (await post.rooms.webhooks.dead_letters(TENANT, webhook), post.dead) == ([], 0)


async def test_runs_are_bounded_and_have_no_holes(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rooms.outbox_picking.RUN_MOST", 3)
    monkeypatch.setattr("rooms.outbox_picking.RUNS_MOST", 5)
    webhook = await post.webhook(event_types=frozenset({"room.in_progress", "room.finished"}))
    for room in ("one", "two", "three"):
        await post.room(room, *("start", "finish", *["reopen", "finish"] * 4))
    claimed = await post.turn()
    lengths = [1 + len(one.following) for one in claimed]
    assert max(lengths) == 3
    assert sum(lengths) <= 3 + 5
    while claimed:
        claimed = await post.turn(*(post.run(one, always(DELIVERED)) for one in claimed))
    for room in ("one", "two", "three"):
        assert post.told(webhook, room) == list(range(2, 12))


async def test_a_room_whose_deliveries_fail_waits_and_the_others_go_on(post: Post) -> None:
    webhook = await post.webhook()
    await post.room("poor", "start")
    await post.room("good", "start")
    await post.carry(lambda one: FAILED if one.event.room_id == "poor" else DELIVERED)
    assert post.told(webhook, "good") == [1, 2]
    assert post.told(webhook, "poor") == [1]
    await post.carry(always(DELIVERED), until=NOW + 6)
    assert post.told(webhook, "poor") == [1, 1, 2]


async def test_after_a_day_of_failures_an_event_is_a_dead_letter_and_the_next_is_tried(post: Post) -> None:
    webhook = await post.webhook()
    await post.room("one", "start")
    poison: Receiver = lambda one: FAILED if one.event.seq == 1 else DELIVERED  # noqa: E731
    await post.carry(poison, until=NOW + GIVE_UP_SECONDS - 1)
    assert set(post.told(webhook)) == {1}
    await post.carry(poison, until=NOW + 2 * DAY)
    assert post.told(webhook)[-1] == 2
    (letter,) = await post.rooms.webhooks.dead_letters(TENANT, webhook)
    assert (letter.event.seq, letter.reason, letter.status) == (1, "failed", 500)
    assert letter.attempts == post.told(webhook).count(1)
    assert post.dead == 1


async def test_a_receiver_that_stays_away_costs_one_attempt_at_a_time(post: Post) -> None:
    webhook = await post.webhook()
    for number in range(2 * CLAIMS):
        await post.room(str(number))
    parcels = await post.turn()
    assert len(parcels) == CLAIMS
    for _ in range(3):
        parcels = await post.turn(*((one, SILENCE) for one in parcels))
        assert len(parcels) == 1
    assert (await post.rooms.webhooks.get(TENANT, webhook)).unreachable_since == NOW


async def test_when_a_receiver_is_back_nothing_waits_for_its_pause_to_end(post: Post) -> None:
    webhook = await post.webhook()
    for number in range(4):
        await post.room(str(number))
    await post.carry(always(SILENCE), until=NOW + 3600)
    post.seen.clear()
    times: list[float] = []

    def back(_: Parcel) -> Outcome:
        times.append(post.now)
        return DELIVERED

    await post.carry(back, until=NOW + 2 * 3600)
    assert len(post.told(webhook)) == 4
    assert len(set(times)) == 1
    assert (await post.rooms.webhooks.get(TENANT, webhook)).unreachable_since is None


async def test_a_dead_receiver_holds_nobody_else_up(post: Post) -> None:
    dead, good = await post.webhook(), await post.webhook()
    for number in range(50):
        await post.room(str(number))
    parcels = await post.turn()
    while answered := [one for one in parcels if one.webhook_id == good]:
        parcels = await post.turn(*((one, DELIVERED) for one in answered))
    assert len(post.told(dead)) == CLAIMS
    assert len(post.told(good)) == 50


async def test_a_pause_that_a_receiver_asks_for_is_kept_for_all_of_its_rooms(post: Post) -> None:
    webhook = await post.webhook()
    await post.room("one")
    (parcel,) = await post.turn()
    await post.turn((parcel, Outcome("refused", 429, retry_after_seconds=120)))
    await post.room("two")
    assert await post.turn() == []
    assert post.wake_at == NOW + 120
    await post.carry(always(DELIVERED), until=NOW + 120)
    assert sorted(one.event.room_id for one in post.seen[webhook]) == ["one", "one", "two"]


async def test_gone_disables_a_webhook_which_goes_on_where_it_stopped(post: Post) -> None:
    webhook = await post.webhook()
    await post.room("one", "start")
    (parcel,) = await post.turn()
    turn = await post.rooms.outbox.turn([(parcel, Outcome("gone", 410))], now=post.now, random=post.random)
    assert turn.disabled == (webhook,)
    stored = await post.rooms.webhooks.get(TENANT, webhook)
    assert (stored.enabled, stored.disabled_reason, stored.disabled_at) == (False, "gone", NOW)
    await post.act("one", "finish")
    await post.carry(always(DELIVERED), until=NOW + 2 * DAY)
    assert post.told(webhook) == [1]
    post.now = NOW + 3 * DAY
    draft = WebhookDraft(url=stored.url)
    assert (await post.rooms.webhooks.replace(TENANT, webhook, draft, now=post.now)).disabled_reason is None
    await post.carry(lambda _: FAILED if post.now < NOW + 3 * DAY + 60 else DELIVERED, until=NOW + 4 * DAY)
    assert list(dict.fromkeys(post.told(webhook))) == [1, 2, 3]
    assert await post.rooms.webhooks.dead_letters(TENANT, webhook) == []


async def test_an_attempt_of_a_server_that_died_is_made_again(post: Post) -> None:
    webhook = await post.webhook()
    await post.room("one")
    await post.turn()
    assert await post.turn() == []
    post.now += CLAIM_SECONDS
    await post.carry(always(DELIVERED))
    assert post.told(webhook) == [1, 1]


async def test_a_server_that_starts_anew_goes_on_at_once_where_the_database_is_its_own(
    post: Post, url: str
) -> None:
    webhook = await post.webhook()
    await post.room("one")
    await post.turn()
    await post.rooms.outbox.start(now=post.now)
    await post.carry(always(DELIVERED), until=NOW + CLAIM_SECONDS)
    assert post.told(webhook) == [1, 1]
    assert post.now == (NOW if url.startswith("sqlite") else NOW + CLAIM_SECONDS)


async def test_servers_that_share_a_database_share_the_deliveries(post: Post, url: str) -> None:
    webhook = await post.webhook()
    for number in range(CLAIMS + 2):
        await post.room(str(number), "start")
    other = Post(await Rooms.open(url, keys=KeyRing([])))
    mine = (await post.turn())[: CLAIMS // 2]
    await other.turn(*((one, DELIVERED) for one in mine))
    assert len(other.told(webhook)) == len(mine)
    assert not {one.event.id for one in other.seen[webhook]} & {one.event.id for one in post.seen[webhook]}
    await other.rooms.close()


async def test_what_ends_after_its_claim_was_given_to_another_attempt_counts_for_nothing(post: Post) -> None:
    webhook = await post.webhook()
    await post.room("one", "start")
    (slow,) = await post.turn()
    post.now += CLAIM_SECONDS
    (again,) = await post.turn()
    assert await post.turn((slow, DELIVERED)) == []
    (following,) = await post.turn((again, DELIVERED))
    assert following.event.seq == 2
    assert post.told(webhook) == [1, 1, 2]


async def test_a_claim_that_is_given_back_is_no_failure(post: Post) -> None:
    webhook = await post.webhook()
    await post.room("one")
    (parcel,) = await post.turn()
    (again,) = await post.turn((parcel, None))
    assert again.event == parcel.event
    await post.rooms.webhooks.redeliver_events(TENANT, webhook, [parcel.event.id], now=post.now)
    (letter,) = await post.turn((again, DELIVERED))
    (letter,) = await post.turn((letter, None))
    assert letter.alone
    assert await post.turn((letter, DELIVERED)) == []
    assert post.wake_at is None


async def test_a_clock_that_was_set_back_delays_nothing_for_long(post: Post) -> None:
    webhook = await post.webhook()
    await post.room("one")
    await post.carry(always(FAILED), until=NOW + 3600)
    post.now -= 2 * DAY
    post.seen.clear()
    await post.carry(always(Outcome("failed", 503, retry_after_seconds=3600)))
    assert post.told(webhook) == [1]
    post.now -= 2 * DAY
    await post.carry(always(DELIVERED))
    assert post.told(webhook) == [1, 1]


async def test_only_the_wanted_types_of_the_own_tenant_are_told(post: Post) -> None:
    webhook = await post.webhook(event_types=("room.in_progress", "room.deleted"))
    await post.room("one", "start", "finish")
    await post.rooms.delete_room(TENANT, "one", now=post.now)
    await post.rooms.create_room("elsewhere", RoomDraft(id="two"), now=post.now)
    await post.rooms.act("elsewhere", "two", "start", now=post.now)  # type: ignore[arg-type]
    await post.carry(always(DELIVERED))
    assert [one.event.type for one in post.seen[webhook]] == ["room.in_progress", "room.deleted"]


async def test_everything_after_a_position_can_be_told_again_in_order(post: Post) -> None:
    webhook = await post.webhook()
    await post.room("one", "start")
    await post.room("two")
    await post.carry(always(DELIVERED))
    post.seen.clear()
    assert await post.rooms.webhooks.redeliver_after(TENANT, webhook, 1, now=post.now)
    await post.act("one", "finish")
    await post.carry(always(DELIVERED))
    assert post.told(webhook, "one") == [2, 3]
    assert post.told(webhook, "two") == [1]


async def test_a_redelivery_reaches_behind_what_still_waits_and_breaks_no_order(post: Post) -> None:
    webhook = await post.webhook()
    await post.room("one", "start")
    await post.carry(lambda one: FAILED if one.event.seq == 2 else DELIVERED)
    await post.rooms.webhooks.redeliver_after(TENANT, webhook, 0, now=post.now)
    post.seen.clear()
    await post.carry(always(DELIVERED))
    assert post.told(webhook) == [1, 2]
    await post.rooms.webhooks.redeliver_after(TENANT, webhook, 10**9, now=post.now)
    await post.act("one", "finish")
    await post.carry(always(DELIVERED))
    assert post.told(webhook) == [1, 2, 3]


async def test_a_redelivery_says_when_some_of_it_is_too_old(post: Post) -> None:
    webhook = await post.webhook()
    await post.room("one")
    await post.carry(always(DELIVERED))
    await post.rooms.events.prune(now=NOW + 31 * DAY)
    assert not await post.rooms.webhooks.redeliver_after(TENANT, webhook, 0, now=post.now)
    assert await post.rooms.webhooks.redeliver_after(TENANT, webhook, 1, now=post.now)


async def test_single_events_are_told_again_dead_or_not(post: Post) -> None:
    webhook = await post.webhook()
    await post.room("one", "start")
    await post.carry(lambda one: FAILED if one.event.seq == 1 else DELIVERED, until=NOW + 2 * DAY)
    ids = [one.event.id for one in post.seen[webhook]]
    post.seen.clear()
    await post.rooms.webhooks.redeliver_events(TENANT, webhook, [ids[0], ids[-1]], now=post.now)
    assert await post.rooms.webhooks.dead_letters(TENANT, webhook) == []
    await post.carry(always(DELIVERED))
    assert post.told(webhook) == [1, 2]
    assert await post.turn() == []
    with pytest.raises(InvalidValue, match="evt_nothing"):
        await post.rooms.webhooks.redeliver_events(TENANT, webhook, [ids[0], "evt_nothing"], now=post.now)


async def test_a_letter_that_fails_for_a_day_is_dead_again(post: Post) -> None:
    webhook = await post.webhook()
    await post.room("one")
    await post.carry(always(DELIVERED))
    event = post.seen[webhook][0].event.id
    await post.rooms.webhooks.redeliver_events(TENANT, webhook, [event], now=post.now)
    await post.carry(always(FAILED), until=NOW + 2 * DAY)
    (letter,) = await post.rooms.webhooks.dead_letters(TENANT, webhook)
    assert letter.event.id == event
    assert letter.attempts > 40


async def test_a_disabled_webhook_redelivers_nothing_until_it_is_enabled(post: Post) -> None:
    webhook = await post.webhook(enabled=False)
    with pytest.raises(InvalidTransition):
        await post.rooms.webhooks.redeliver_after(TENANT, webhook, 0, now=post.now)


async def test_dead_letters_go_with_their_events(post: Post) -> None:
    webhook = await post.webhook()
    await post.room("one")
    await post.carry(always(FAILED), until=NOW + 2 * DAY)
    assert len(await post.rooms.webhooks.dead_letters(TENANT, webhook)) == 1
    await post.rooms.events.prune(now=NOW + 31 * DAY)
    assert await post.rooms.webhooks.dead_letters(TENANT, webhook) == []


async def test_events_that_went_while_a_webhook_was_disabled_are_passed_over(post: Post) -> None:
    webhook = await post.webhook()
    await post.room("one")
    (parcel,) = await post.turn()
    await post.turn((parcel, Outcome("gone", 410)))
    await post.rooms.events.prune(now=NOW + 31 * DAY)
    await post.act("one", "start")
    await post.rooms.webhooks.replace(TENANT, webhook, WebhookDraft(url="https://b.example/"), now=post.now)
    post.seen.clear()
    await post.carry(always(DELIVERED))
    assert post.told(webhook) == [2]


async def test_two_secrets_sign_until_the_old_one_ends(post: Post) -> None:
    webhook, first = await post.rooms.webhooks.create(
        TENANT, WebhookDraft(url="https://portal.example/"), now=NOW
    )
    _, second = await post.rooms.webhooks.rotate_secret(TENANT, webhook.id, now=NOW, overlap_seconds=60)
    assert first != second
    assert (await post.rooms.webhooks.signing(TENANT, webhook.id, now=NOW + 59)).secrets == (second, first)
    assert (await post.rooms.webhooks.signing(TENANT, webhook.id, now=NOW + 60)).secrets == (second,)


async def test_a_tenant_has_a_bounded_number_of_webhooks(post: Post) -> None:
    for _ in range(MAX_PER_TENANT):
        await post.webhook()
    with pytest.raises(Exception, match="webhooks"):
        await post.webhook()


async def test_a_thousand_rooms_that_wait_are_no_heavier_turn_than_ten(post: Post) -> None:
    webhook = await post.webhook()
    for number in range(60):
        await post.room(str(number))
    most = 0
    parcels = await post.turn()
    while parcels:
        most = max(most, len(parcels))
        parcels = await post.turn(*((one, DELIVERED) for one in parcels))
    assert most == CLAIMS
    assert len(post.told(webhook)) == 60


async def test_a_long_log_is_read_in_pieces_and_nothing_is_told_twice(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rooms.outbox_picking.SPREAD_AT_ONCE", 2)
    webhook = await post.webhook()
    await post.room("early")
    for number in range(9):
        await post.room(str(number))
    await post.act("early", "start")
    await post.carry(always(DELIVERED))
    assert post.told(webhook, "early") == [1, 2]
    assert len(post.told(webhook)) == 11


async def test_what_an_old_address_answers_says_nothing_of_the_new_one(post: Post) -> None:
    webhook = await post.webhook()
    await post.room("one")
    (parcel,) = await post.turn()
    draft = WebhookDraft(url="https://new.example/")
    await post.rooms.webhooks.replace(TENANT, webhook, draft, now=post.now)
    (again,) = await post.turn((parcel, Outcome("gone", 410)))
    assert again.signing.url == "https://new.example/"
    assert (await post.rooms.webhooks.get(TENANT, webhook)).enabled


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("happens"), st.integers(0, 2)),
        st.tuples(st.just("ends"), st.sampled_from([DELIVERED, FAILED, SILENCE, Outcome("refused", 400)])),
        st.tuples(st.just("goes on"), st.none()),
        st.tuples(st.just("waits"), st.sampled_from([0.0, 1.0, 10.0, CLAIM_SECONDS, 4000.0])),
        st.tuples(st.just("crashes"), st.none()),
    ),
    max_size=40,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
@pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # a new one for each example
async def test_whatever_fails_a_receiver_sees_every_room_in_order_and_misses_nothing(
    url: str, steps: list[tuple[str, object]]
) -> None:
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "rooms.sqlite3"
        rooms = await Rooms.open(empty_database(copy, Path(url.removeprefix("sqlite:///"))), keys=KeyRing([]))
        try:
            await _live_through(Post(rooms), steps)
        finally:
            await rooms.close()


async def _live_through(post: Post, steps: list[tuple[str, object]]) -> None:
    webhook = await post.webhook()
    count = dict.fromkeys(range(3), 0)
    on_the_way: list[Parcel] = []
    begun: dict[str, float] = {}
    received: dict[str, list[int]] = defaultdict(list)
    for step, what in steps:
        if step == "happens":
            room = f"room-{what}"
            number = count[what]  # type: ignore[index]
            await (post.room(room) if number == 0 else post.act(room, _act(number)))
            count[what] += 1  # type: ignore[index]
        elif step == "ends" and on_the_way:
            parcel = on_the_way.pop(0)
            if what == DELIVERED:
                received[parcel.event.room_id].append(parcel.event.seq)
            following = await post.turn((parcel, what))  # type: ignore[arg-type]
            on_the_way += following
            begun |= {one.claim: post.now for one in following}
        elif step == "goes on" and on_the_way and on_the_way[0].following:
            received[on_the_way[0].event.room_id].append(on_the_way[0].event.seq)
            on_the_way[0] = on_the_way[0].next()
        elif step == "waits":
            post.now += what  # type: ignore[operator]
        elif step == "crashes":
            on_the_way = []
            await post.rooms.outbox.start(now=post.now)
        parcels = await post.turn()
        taken = {one.event.room_uid for one in parcels}
        # An attempt whose claim is given away has ended long before.
        assert all(
            post.now - begun[one.claim] >= CLAIM_SECONDS for one in on_the_way if one.event.room_uid in taken
        )
        begun |= {one.claim: post.now for one in parcels}
        on_the_way = [one for one in on_the_way if one.event.room_uid not in taken] + parcels
        rooms_on_the_way = [one.event.room_uid for one in on_the_way]
        assert len(set(rooms_on_the_way)) == len(rooms_on_the_way)
    for parcel in on_the_way:
        received[parcel.event.room_id].append(parcel.event.seq)
        await post.turn((parcel, DELIVERED))
    post.seen.clear()
    await post.rooms.outbox.start(now=post.now)
    await post.carry(always(DELIVERED), until=post.now + DAY)
    for number, events in count.items():
        room = f"room-{number}"
        seen = received[room] + post.told(webhook, room)
        assert list(dict.fromkeys(seen)) == list(range(1, events + 1)), (room, seen)


def _act(number: int) -> str:
    return "start" if number == 1 else ("finish", "reopen")[number % 2]

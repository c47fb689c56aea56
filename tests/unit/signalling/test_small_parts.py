"""The parts that hold one idea each: buckets, timers, queues, scores, speakers, the door."""

import itertools
import time

import jwt
import pytest
from livekit.protocol import models, rtc
from livekit.protocol.models import ConnectionQuality

from rooms import LineFigures
from sfu import LegKey, LegStats, Speaker, TrackKey
from signalling.livekit.entrance import Refusal, check_origin, end_of, read_join_request, token_of
from signalling.livekit.figures import Reading, figures_between
from signalling.livekit.outbox import Outbox, Outgoing
from signalling.livekit.permissions import audience_from_wire
from signalling.livekit.quality import Quality, judge
from signalling.livekit.rate import TokenBucket
from signalling.livekit.speakers import SpeakerBoard
from signalling.livekit.throttle import RefusalThrottle
from signalling.livekit.timers import Timer, TimerTable

ADA, BOB = LegKey("PA_ada"), LegKey("PA_bob")


def test_a_bucket_allows_its_burst_then_its_rate() -> None:
    bucket = TokenBucket(2.0, 3, now=0.0)
    assert [bucket.take(now=0.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.ready_at(now=0.0) == 0.5
    assert bucket.take(now=0.5)
    assert not bucket.take(now=0.5)
    assert [bucket.take(now=100.0) for _ in range(4)] == [True, True, True, False]


def test_naming_somebody_often_in_one_decision_takes_no_longer_than_naming_many() -> None:
    keys = [f"TR_{number}" for number in range(20_000)]
    entries = [rtc.TrackPermission(participant_identity="bob", track_sids=[key]) for key in keys]
    permission = rtc.SubscriptionPermission(track_permissions=entries)
    before = time.process_time()
    audience = audience_from_wire(permission)
    assert time.process_time() - before < 0.5
    assert audience.admits("bob", BOB, TrackKey("TR_19999"))


def test_a_token_says_until_when_it_is_valid() -> None:
    token = jwt.encode({"exp": 1_800_000_000}, "secret" * 8, algorithm="HS256")
    assert end_of(token) == 1_800_000_000
    for other in ("", "fresh", "a.b.c", f"a.{'x' * 7}.c", jwt.encode({}, "secret" * 8, algorithm="HS256")):
        assert end_of(other) is None


def test_an_address_that_is_refused_too_often_has_to_wait_and_others_do_not() -> None:
    throttle = RefusalThrottle(2)
    for _ in range(2):
        assert throttle.wait("a", now=0.0) is None
        throttle.refused("a", now=0.0)
    assert throttle.wait("a", now=0.0) == 30
    assert throttle.wait("b", now=0.0) is None
    assert throttle.wait("a", now=31.0) is None


def test_addresses_do_not_pile_up_and_no_bound_means_none() -> None:
    throttle = RefusalThrottle(2)
    for number in range(10_100):
        throttle.refused(str(number), now=0.0)
    assert len(throttle) == 10_000
    free = RefusalThrottle(0)
    for _ in range(100):
        free.refused("a", now=0.0)
    assert free.wait("a", now=0.0) is None


def test_timers_come_in_order_and_once() -> None:
    timers: TimerTable[Timer] = TimerTable()
    timers.set("a", Timer.PING, at=3)
    timers.set("b", Timer.PING, at=1)
    timers.set("a", Timer.MEDIA, at=2)
    assert timers.next() == 1
    assert timers.pop_due(0.5) is None
    assert [timers.pop_due(2.5) for _ in range(3)] == [("b", Timer.PING), ("a", Timer.MEDIA), None]
    assert timers.next() == 3


def test_a_timer_that_is_set_again_or_cancelled_does_not_come_at_its_old_time() -> None:
    timers: TimerTable[Timer] = TimerTable()
    timers.set("a", Timer.PING, at=1)
    timers.set("a", Timer.PING, at=5)
    timers.set("b", Timer.PING, at=2)
    timers.cancel_all("b")
    assert timers.pop_due(4) is None
    assert timers.pop_due(5) == ("a", Timer.PING)
    assert len(timers) == 0
    assert timers.next() is None


def test_the_next_deadline_is_announced_when_it_moves_forward() -> None:
    announced: list[float] = []
    timers: TimerTable[Timer] = TimerTable(announced.append)
    for at in (5, 9, 2):
        timers.set(str(at), Timer.PING, at=at)
    assert announced == [5, 2]


def test_timers_that_are_set_again_for_ever_do_not_pile_up() -> None:
    timers: TimerTable[Timer] = TimerTable()
    for at in range(10_000):
        timers.set("a", Timer.PING, at=at)
    assert len(timers) == 1
    assert len(timers._heap) < 200


def test_an_outbox_keeps_the_order_and_its_bound() -> None:
    box = Outbox(10)
    assert box.put(b"12345")
    assert box.put("67890")
    assert box.waiting_bytes == 10
    assert not box.put(b"x")
    assert box.overfull
    assert box.take() == b"12345"
    assert not box.put(b"x"), "a client that missed a message gets none of the later ones"
    assert [box.take(), box.take()] == ["67890", None]


def test_one_large_message_may_wait_alone() -> None:
    box = Outbox(10)
    assert box.put(b"x" * 100)
    assert not box.put(b"y")


def test_newer_news_of_a_person_take_the_place_of_what_still_waits() -> None:
    box = Outbox(10)
    assert box.put(b"ada 1", about="ada")
    assert box.put(b"bob", about="bob")
    assert box.put(b"ada 22", about="ada")
    assert box.waiting_bytes == 9
    assert box.take() == b"ada 22"
    assert box.put(b"ada 3", about="ada"), "what was sent is not replaced"
    assert [box.take(), box.take(), box.take()] == [b"bob", b"ada 3", None]
    assert box.waiting_bytes == 0


def test_news_that_grew_beyond_the_bound_have_no_room() -> None:
    box = Outbox(10)
    assert box.put(b"x", about="ada")
    assert box.put(b"y" * 100, about="ada"), "alone"
    assert not box.put(b"z")
    box = Outbox(10)
    assert box.put(b"x", about="ada")
    assert box.put(b"y")
    assert not box.put(b"x" * 10, about="ada")
    assert box.overfull


def test_a_message_for_many_is_encoded_once() -> None:
    message = Outgoing(rtc.SignalResponse(pong=5))
    assert message.frame(text=False) is message.frame(text=False)
    assert message.frame(text=True) is message.frame(text=True)


def sent(lost: int, *, rtt: float | None = None, jitter: float | None = None) -> LegStats:
    return LegStats(
        packets_up=1000 - lost, lost_up=lost, packets_down=1000, rtt_seconds=rtt, jitter_down_seconds=jitter
    )


@pytest.mark.parametrize(
    ("stats", "word"),
    [
        (sent(0), ConnectionQuality.EXCELLENT),
        (sent(10, rtt=0.05), ConnectionQuality.EXCELLENT),
        (sent(60), ConnectionQuality.GOOD),
        (sent(0, rtt=0.6), ConnectionQuality.GOOD),
        (sent(150), ConnectionQuality.POOR),
        (sent(0, rtt=1.2), ConnectionQuality.POOR),
        (sent(40, rtt=0.5, jitter=0.05), ConnectionQuality.POOR),
        (LegStats(), ConnectionQuality.EXCELLENT),
        (LegStats(packets_up=1, lost_up=1), ConnectionQuality.EXCELLENT),
    ],
)
def test_quality_follows_loss_and_delay(stats: LegStats, word: ConnectionQuality) -> None:
    assert judge(LegStats(), stats).word == word


@pytest.mark.parametrize(
    ("stats", "worst"), [(sent(150), "loss"), (sent(0, rtt=1.2), "delay"), (sent(40, jitter=0.3), "delay")]
)
def test_a_judgement_says_what_disturbs_most(stats: LegStats, worst: str) -> None:
    assert judge(LegStats(), stats).worst == worst


def test_quality_never_rises_with_loss_or_delay() -> None:
    by_loss = [judge(LegStats(), sent(lost)).score for lost in range(0, 500, 5)]
    by_delay = [judge(LegStats(), sent(0, rtt=rtt / 50)).score for rtt in range(100)]
    for scores in (by_loss, by_delay):
        assert all(1.0 <= worse <= better <= 5.0 for better, worse in itertools.pairwise(scores))


def test_only_the_time_between_two_readings_counts() -> None:
    bad_start = LegStats(packets_up=500, lost_up=500)
    later = LegStats(packets_up=1500, lost_up=500)
    assert judge(bad_start, later).word == ConnectionQuality.EXCELLENT


def test_a_quality_at_a_border_does_not_flicker() -> None:
    words = {ConnectionQuality.EXCELLENT: 0, ConnectionQuality.GOOD: 0}
    for lost in range(30, 70):
        above = judge(LegStats(), sent(lost), last=Quality(ConnectionQuality.EXCELLENT, 4.2)).word
        below = judge(LegStats(), sent(lost), last=Quality(ConnectionQuality.GOOD, 4.0)).word
        words[above] += 1
        words[below] -= 1
    assert words[ConnectionQuality.EXCELLENT] > 0


def speaker(leg: LegKey, level: float) -> Speaker:
    return Speaker(leg, TrackKey("TR_1"), level)


def said(infos: list[models.SpeakerInfo]) -> list[tuple[str, bool]]:
    return [(info.sid, info.active) for info in infos]


def test_speakers_are_told_with_those_who_stopped() -> None:
    board = SpeakerBoard()
    both = [ADA, BOB]
    assert said(board.update([speaker(ADA, 0.9)], both)) == [(ADA, True)]
    assert said(board.update([speaker(BOB, 0.5)], both)) == [(BOB, True), (ADA, False)]
    assert said(board.update([], both)) == [(BOB, False)]
    assert board.update([], both) == []


def test_a_difference_that_no_meter_shows_is_not_told() -> None:
    board = SpeakerBoard()
    board.update([speaker(ADA, 0.50)], [ADA])
    assert board.update([speaker(ADA, 0.52)], [ADA]) == []
    assert said(board.update([speaker(ADA, 0.8)], [ADA])) == [(ADA, True)]


def test_hidden_people_are_not_told_to_speak_and_the_loudest_track_counts() -> None:
    board = SpeakerBoard()
    assert board.update([speaker(BOB, 0.9)], [ADA]) == []
    infos = board.update([speaker(ADA, 0.25), speaker(ADA, 0.75)], [ADA])
    assert [info.level for info in infos] == [0.75]


@pytest.mark.parametrize(
    ("query", "headers", "token"),
    [
        ({"access_token": "q"}, {}, "q"),
        ({}, {"Authorization": "Bearer h"}, "h"),
        ({}, {"Authorization": "bearer h"}, "h"),
        ({"access_token": "q"}, {"Authorization": "Bearer h"}, "h"),
        ({"access_token": "q"}, {"Authorization": "Basic abc"}, "q"),
        ({}, {"Cookie": "access_token=c"}, ""),
        ({}, {}, ""),
    ],
)
def test_the_token_is_in_the_query_or_the_header_and_never_in_a_cookie(
    query: dict[str, str], headers: dict[str, str], token: str
) -> None:
    assert token_of(query, headers) == token


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("https://visit.example", True),
        ("https://visit.example:8443", False),
        ("http://visit.example", False),
        ("https://visit.example.evil.example", False),
        ("https://sub.visit.example", False),
        ("https://evil.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_only_listed_origins_may_connect_when_there_is_a_list(origin: str | None, allowed: bool) -> None:
    headers = {} if origin is None else {"Origin": origin}
    check_origin(headers, None)
    if allowed:
        check_origin(headers, ("https://visit.example",))
    else:
        with pytest.raises(Refusal):
            check_origin(headers, ("https://visit.example",))


def test_a_missing_join_request_is_told_as_such_and_never_as_not_found() -> None:
    with pytest.raises(Refusal) as refused:
        read_join_request({}, max_bytes=10)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("seconds", "after", "wanted"),
    [
        (0.9, LegStats(packets_up=100), None),
        (5.0, LegStats(), LineFigures(None, None, 0.0, 0.0, None)),
        (2.0, LegStats(packets_up=3, lost_up=1, bytes_up=250), LineFigures(0.25, None, 1.0, 0.0, None)),
        (2.0, LegStats(packets_down=9, lost_down=-4), LineFigures(None, 0.0, 0.0, 0.0, None)),
    ],
)
def test_figures_are_of_the_time_between_two_readings(
    seconds: float, after: LegStats, wanted: LineFigures | None
) -> None:
    assert figures_between(Reading(10.0, LegStats()), Reading(10.0 + seconds, after)) == wanted

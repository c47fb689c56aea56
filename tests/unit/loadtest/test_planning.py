"""A scenario and a seed make the same people come and go, every time."""

import math
from collections import Counter
from itertools import pairwise

import pytest

from loadtest.plan import RunPlan
from loadtest.planning import addressed, most_at_once, plan, room_labels, stages
from loadtest.scenario import Plannable, Ramp
from loadtest.scenario_file import parse_scenario, ready_scenarios


def scenario(text: str) -> Plannable:
    read = parse_scenario(f'title = "x"\n{text}', "s.toml")
    assert not isinstance(read, Ramp)
    return read


def planned(text: str, seed: int = 1) -> RunPlan:
    return plan(scenario(text), seed)


CHURN = 'kind = "churn"\nrooms = 5\njoins_per_second = 2\nstay_seconds = 10\nseconds = 40\n'
RECONNECT = 'kind = "reconnect"\nrooms = 5\nshare = 0.5\nevery_seconds = 10\nseconds = 30\n'


@pytest.mark.parametrize("name", sorted(ready_scenarios()))
def test_a_seed_makes_a_plan_repeatable(name: str) -> None:
    first = next(stages(ready_scenarios()[name])).scenario
    assert plan(first, 7) == plan(first, 7)
    assert plan(first, 7) != plan(first, 8)


@pytest.mark.parametrize("name", sorted(ready_scenarios()))
def test_everybody_comes_before_they_go_and_the_run_ends(name: str) -> None:
    for stage in stages(ready_scenarios()[name]):
        run = plan(stage.scenario, 3)
        end = run.warm_up_seconds + run.seconds
        for one in run.people:
            assert 0 <= one.joins_at < (end if one.leaves_at is None else one.leaves_at) <= end


def test_a_broadcast_has_one_sender_who_takes_nothing_and_viewers_who_send_nothing() -> None:
    sender, *viewers = planned('kind = "broadcast"\nviewers = 3\nsends = ["video"]').people
    assert (sender.subscribes, sender.audio) == (False, None)
    assert sender.video is not None
    assert sender.video.encodings[-1] == (1280, 720, 1700)
    assert [(one.audio, one.video, one.subscribes) for one in viewers] == [(None, None, True)] * 3
    assert len({one.room for one in (sender, *viewers)}) == 1


def test_people_join_at_the_pace_that_was_asked_for_and_figures_wait_for_the_last() -> None:
    run = planned('kind = "broadcast"\nviewers = 99\nfill_per_second = 20\nsettle_seconds = 2')
    times = [one.joins_at for one in run.people]
    assert times == sorted(times)
    assert all(n / 20 <= at < (n + 1) / 20 for n, at in enumerate(times))
    assert run.warm_up_seconds == 100 / 20 + 2


def test_the_measured_part_begins_at_a_whole_second() -> None:
    assert planned('kind = "broadcast"\nviewers = 3\nsettle_seconds = 2.5').warm_up_seconds == 3


def test_identities_are_told_apart_across_rooms() -> None:
    people = planned('kind = "consultations"\npairs = 4').people
    assert len({one.identity for one in people}) == 8
    assert Counter(one.room for one in people) == {f"room-{n}": 2 for n in range(1, 5)}


def test_the_fixed_frames_of_a_benchmark_reach_the_plan() -> None:
    run = planned('kind = "group"\n[video]\npackets_per_frame = 10\npacket_bytes = 1160\ncodec = "h264"')
    video = run.people[0].video
    assert video is not None
    assert (video.packets_per_frame, video.packet_bytes, video.codec) == (10, 1160, "h264")


def test_a_size_that_is_wanted_holds_for_all() -> None:
    assert {one.wanted for one in planned('kind = "group"\nwanted = [320, 180]').people} == {(320, 180)}


def test_a_layout_makes_as_many_large_pictures_as_it_says() -> None:
    people = planned('kind = "meeting"\npeople = 21\nrooms = 2\n[layout]\nlarge = 5').people
    assert Counter(one.wanted for one in people) == {(1280, 720): round(42 * 5 / 20), (320, 180): 32}


def test_in_an_audio_room_nobody_has_a_camera_and_listeners_no_microphone() -> None:
    people = planned('kind = "audio_room"\nspeakers = 2\nlisteners = 3\nspeakers_listen = false').people
    assert {one.video for one in people} == {None}
    assert [one.audio is not None for one in people] == [True, True, False, False, False]
    assert [one.subscribes for one in people] == [False, False, True, True, True]


def test_churn_keeps_about_as_many_people_as_come_while_one_stays() -> None:
    run = planned(CHURN)
    assert len(run.people) == 20 + 2 * 38  # there at first, then two a second until five from the end
    assert 20 <= most_at_once(run) <= 30
    middle = run.warm_up_seconds + 20
    there = [one for one in run.people if one.joins_at < middle < (one.leaves_at or 1e9)]
    assert 14 <= len(there) <= 26


def test_whoever_comes_has_time_to_join() -> None:
    for text in (CHURN, CHURN.replace("stay_seconds = 10", "stay_seconds = 2"), RECONNECT):
        run = planned(text)
        end = run.warm_up_seconds + run.seconds
        assert all((one.leaves_at or end) - one.joins_at > 0.999 for one in run.people)
        assert max(one.joins_at for one in run.people) <= end - 5


def test_in_churn_whoever_comes_goes_to_the_emptiest_room() -> None:
    run = planned(CHURN)
    end = run.warm_up_seconds + run.seconds
    for one in run.people:
        there = Counter(
            other.room for other in run.people if other.joins_at < one.joins_at < (other.leaves_at or end)
        )
        assert there[one.room] == min(there[f"room-{n}"] for n in range(1, 6))


def test_who_loses_the_line_comes_back_as_the_same_person_while_the_others_stay() -> None:
    run = planned(RECONNECT)
    stays = Counter(one.identity for one in run.people)
    assert len(stays) == 10
    assert sum(stays.values()) == 10 + 2 * 5  # two losses of half of them
    losses = Counter(one.leaves_at for one in run.people if one.leaves_at is not None)
    assert losses == {run.warm_up_seconds + after: 5 for after in (5, 15)}
    returns = Counter(one.joins_at for one in run.people if one.joins_at > run.warm_up_seconds)
    assert returns == {at + 1: 5 for at in losses}


def test_each_time_others_lose_the_line() -> None:
    run = planned(RECONNECT)
    lost = {
        at: {one.identity for one in run.people if one.leaves_at == at}
        for at in {one.leaves_at for one in run.people} - {None}
    }
    assert len({frozenset(people) for people in lost.values()}) > 1


def test_one_persons_stays_do_not_overlap() -> None:
    run = planned(RECONNECT)
    for identity in {one.identity for one in run.people}:
        mine = sorted((one.joins_at, one.leaves_at) for one in run.people if one.identity == identity)
        assert all(gone is not None and gone < back for (_, gone), (back, _) in pairwise(mine))


def test_a_group_parts_into_sub_rooms_and_comes_back() -> None:
    run = planned('kind = "group"\npeople = 7\nsub_rooms = 3\nseconds = 30')
    begins = run.warm_up_seconds
    for at, rooms in ((5, {"room-1": 7}), (15, {"1": 3, "2": 2, "3": 2}), (25, {"room-1": 7})):
        there = Counter(
            one.room.removeprefix("room-1-sub-")
            for one in run.people
            if one.joins_at <= begins + at < (one.leaves_at or math.inf)
        )
        assert there == rooms, at
    for identity in {one.identity for one in run.people}:
        mine = sorted((one.joins_at, one.leaves_at) for one in run.people if one.identity == identity)
        assert all(gone is not None and gone < back for (_, gone), (back, _) in pairwise(mine))


def test_a_ramp_is_one_scenario_after_the_other_with_more_people() -> None:
    ramp = parse_scenario(
        'title = "x"\nkind = "ramp"\nof = "meeting"\nstart = 3\nstep = 2\nmost = 8\nseconds = 5', "s.toml"
    )
    found = list(stages(ramp))
    assert [one.label for one in found] == ["3 people", "5 people", "7 people"]
    assert [len(plan(one.scenario, 1).people) for one in found] == [3, 5, 7]
    assert {one.scenario.seconds for one in found} == {5}


@pytest.mark.parametrize(("of", "counts"), [("broadcast", [3, 4]), ("consultations", [4, 6])])
def test_what_grows_in_a_ramp_is_what_it_names(of: str, counts: list[int]) -> None:
    ramp = parse_scenario(f'title = "x"\nkind = "ramp"\nof = "{of}"\nstart = 2\nstep = 1\nmost = 3', "s.toml")
    assert [len(plan(one.scenario, 1).people) for one in stages(ramp)] == counts


def test_a_plan_is_addressed_to_a_server() -> None:
    run = planned('kind = "consultations"\npairs = 2')
    assert room_labels(run) == ["room-1", "room-2"]
    sent = addressed(run, "ws://host", ["a", "b"], lambda room, identity: f"{room}/{identity}")
    assert sent.url == "ws://host"
    assert [(one.room, one.token) for one in sent.people] == [
        ("a", "a/room-1-1"),
        ("a", "a/room-1-2"),
        ("b", "b/room-2-1"),
        ("b", "b/room-2-2"),
    ]


def test_people_at_one_time_are_counted_without_those_who_have_gone() -> None:
    assert most_at_once(planned(RECONNECT)) == 10
    assert most_at_once(planned('kind = "broadcast"\nviewers = 3')) == 4


def test_faithful_participants_have_seats_and_tokens_in_the_first_room() -> None:
    run = planned('kind = "consultations"\npairs = 3\nfaithful = 2\n')
    assert [one.identity for one in run.faithful] == ["faithful-camera", "faithful-1", "faithful-2"]
    sent = addressed(run, "ws://x", ["a", "b", "c"], lambda room, who: f"{room}/{who}")
    assert [one.token for one in sent.faithful] == ["a/faithful-camera", "a/faithful-1", "a/faithful-2"]
    assert len(sent.people) == 6
    assert planned('kind = "consultations"\npairs = 3\n').faithful == ()

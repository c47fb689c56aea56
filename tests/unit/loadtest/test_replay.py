"""A recording played again: who was there joins first, everything else comes at its time."""

from pathlib import Path

import pytest

from loadtest.errors import ScenarioError
from loadtest.plan import Change, PersonPlan, RunPlan
from loadtest.planning import most_at_once, plan
from loadtest.recording import Event, head, tail
from loadtest.scenario import Ramp
from loadtest.scenario_file import parse_scenario

EVENTS = (
    Event(0.0, 1, 1, "join"),
    Event(0.0, 1, 1, "publish", 1, "audio"),
    Event(0.0, 1, 2, "join"),
    Event(4.0, 1, 1, "publish", 2, "video"),
    Event(6.0, 2, 3, "join"),
    Event(6.5, 2, 3, "publish", 1, "video"),
    Event(8.0, 1, 1, "mute", 1),
    Event(10.0, 1, 1, "unmute", 1),
    Event(12.0, 1, 2, "leave"),
    Event(12.1, 1, 2, "join"),
    Event(20.0, 1, 1, "unpublish", 2),
    Event(22.0, 2, 3, "leave"),
    Event(22.0, 2, 9, "mute", 1),
    Event(39.0, 1, 4, "join"),
)


def planned(folder: Path, fields: str = "", events: tuple[Event, ...] = EVENTS, seed: int = 1) -> RunPlan:
    text = head() + "".join(event.line() for event in events) + tail(40.0)
    (folder / "r.jsonl").write_text(text)
    scenario = parse_scenario(
        f'kind = "replay"\ntitle = "x"\nrecording = "r.jsonl"\n{fields}', "s.toml", folder=folder
    )
    assert not isinstance(scenario, Ramp)
    return plan(scenario, seed)


def stays(run: RunPlan, identity: str) -> list[PersonPlan]:
    return [one for one in run.people if one.identity == identity]


def test_people_come_and_go_as_they_were_recorded(tmp_path: Path) -> None:
    run = planned(tmp_path)
    begins = run.warm_up_seconds
    assert (begins, run.seconds) == (4.0, 40.0)
    (first,) = stays(run, "person-1")
    assert first.joins_at < 1
    assert [(one.at, one.track, one.what) for one in first.later] == [
        (0.0, 1, "publish"),
        (begins + 4, 2, "publish"),
        (begins + 8, 1, "mute"),
        (begins + 10, 1, "unmute"),
        (begins + 20, 2, "mute"),
    ]
    assert [type(one.source).__name__ for one in first.later[:2]] == ["AudioPlan", "VideoPlan"]
    (third,) = stays(run, "person-3")
    assert (third.room, third.joins_at, third.leaves_at) == ("room-2", begins + 6, begins + 22)
    assert (first.audio, first.video) == (None, None)


def test_who_comes_back_is_the_same_person_and_was_gone_before(tmp_path: Path) -> None:
    gone, back = stays(planned(tmp_path), "person-2")
    assert gone.leaves_at is not None
    assert gone.leaves_at < back.joins_at
    assert back.leaves_at is None


def test_nobody_comes_at_the_very_end(tmp_path: Path) -> None:
    assert stays(planned(tmp_path), "person-4") == []


def test_speed_makes_the_time_shorter_and_nobody_leaves_before_they_are_in(tmp_path: Path) -> None:
    run = planned(tmp_path, "speed = 20\n")
    assert run.seconds == 2.0
    for one in run.people:
        assert one.leaves_at is None or one.leaves_at >= one.joins_at + 0.8
    for person in ("person-2", "person-3"):
        times = [at for one in stays(run, person) for at in (one.joins_at, one.leaves_at or 1e9)]
        assert times == sorted(times)


def test_only_a_part_is_played_where_seconds_are_set(tmp_path: Path) -> None:
    run = planned(tmp_path, "seconds = 9\n")
    assert run.seconds == 9.0
    assert {one.identity for one in run.people} == {"person-1", "person-2", "person-3"}


def test_tracks_of_a_kind_that_is_not_sent_are_left_out(tmp_path: Path) -> None:
    (first,) = stays(planned(tmp_path, 'sends = ["audio"]\n'), "person-1")
    assert {one.track for one in first.later} == {1}


def test_a_seed_makes_another_order_of_those_who_are_there_at_first(tmp_path: Path) -> None:
    many = tuple(Event(0.0, 1, n, "join") for n in range(1, 9))
    runs = [planned(tmp_path, events=many, seed=seed) for seed in (1, 1, 2)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    assert most_at_once(runs[0]) == 8


def test_a_change_says_by_itself_what_it_is() -> None:
    assert Change(1.0, 2, "mute").source is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("", "1: recording: is missing"),
        ("recording = 7", "3: recording: must be the name of a file"),
        ('recording = "none.jsonl"', "3: recording: none.jsonl: No such file or directory"),
        ('recording = "wrong.jsonl"', "3: recording: wrong.jsonl:1: is no"),
        ('recording = "empty.jsonl"', "3: recording: empty.jsonl: nobody joins in it"),
        ('recording = "short.jsonl"', "1: speed: makes the recording shorter than a second"),
    ],
)
def test_what_is_wrong_with_the_file_is_said_at_its_field(tmp_path: Path, fields: str, said: str) -> None:
    (tmp_path / "wrong.jsonl").write_text("[]\n")
    (tmp_path / "empty.jsonl").write_text(head() + tail(40.0))
    (tmp_path / "short.jsonl").write_text(head() + Event(0.0, 1, 1, "join").line() + tail(0.5))
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(f'kind = "replay"\ntitle = "x"\n{fields}\n', "s.toml", folder=tmp_path)
    assert str(caught.value).startswith(f"s.toml:{said}")

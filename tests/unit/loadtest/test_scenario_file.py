"""Scenarios are read, and every mistake is named at once with its line and field."""

from pathlib import Path

import pytest

from loadtest.errors import ScenarioError
from loadtest.scenario import Broadcast
from loadtest.scenario_file import parse_scenario, read_scenario, ready_scenarios


def problems(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "s.toml")
    return caught.value.problems


def test_what_is_left_out_has_defaults() -> None:
    scenario = parse_scenario('kind = "broadcast"\ntitle = "One to three"\nviewers = 3\n', "s.toml")
    assert isinstance(scenario, Broadcast)
    assert (scenario.seconds, scenario.sends, scenario.video.codec) == (30, ["audio", "video"], "vp8")
    assert scenario.objectives.join_success_ratio == 1


def test_every_mistake_is_named_with_line_and_field() -> None:
    assert problems(
        """title = ""
kind = "meeting"
peple = 3
people = "many"
sends = ["audio", "audio"]

[video]
packets_per_frame = 3
encodings = [
  { width = 640, height = 360, kilobits_per_second = 500 },
  { width = 320, height = 180, kilobits_per_second = 5, fps = 30 },
]

[layout]

[objectives]
loss_ratio = 2
"""
    ) == [
        "s.toml:1: title: String should have at least 1 character",
        "s.toml:3: peple: there is no such field; did you mean people?",
        "s.toml:4: people: must be a valid integer",
        "s.toml:5: sends: names something twice",
        "s.toml:7: video.packet_bytes: belongs together with packets_per_frame",
        "s.toml:9: video.encodings[1].fps: there is no such field",
        "s.toml:9: video.encodings[1].kilobits_per_second: must be greater than or equal to 10",
        "s.toml:14: layout.large: is missing",
        "s.toml:17: objectives.loss_ratio: must be less than or equal to 1",
    ]


def test_with_an_unknown_kind_the_fields_of_all_kinds_are_checked_too() -> None:
    (kind, seconds) = problems('kind = "metting"\ntitle = "x"\nviewers = 0\nseconds = -1\n')
    assert kind.startswith("s.toml:1: kind: must be one of broadcast, meeting")
    assert seconds == "s.toml:4: seconds: must be greater than 0"


def test_without_a_kind_the_kinds_are_told() -> None:
    assert problems('title = "x"\n')[0].startswith("s.toml:1: kind: is missing: one of broadcast")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nb = [\n1", "s.toml:3: Unclosed array"),
        ("a = 1\na = 2\n", "s.toml:2: Cannot overwrite a value"),
        ("= 1", "s.toml:1: Invalid statement"),
        ("a" * 20_001, "s.toml: is longer than 20,000 characters"),
    ],
)
def test_a_file_that_is_not_toml_is_one_line(text: str, said: str) -> None:
    assert problems(text) == [said]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ('kind = "meeting"\npeople = 200\nrooms = 51', "4: rooms: makes 10,200 people"),
        ('kind = "meeting"\npeople = 3\n[layout]\nlarge = 3', "4: layout: large must be less than people"),
        (
            'kind = "meeting"\npeople = 3\nwanted = [320, 180]\n[layout]\nlarge = 1',
            "5: layout: layout and wa",
        ),
        ('kind = "group"\npeople = 200\ngroups = 51', "4: groups: makes 10,200 people"),
        ('kind = "group"\npeople = 5\nsub_rooms = 3', "4: sub_rooms: must be 0, or 2 at least"),
        ('kind = "group"\nsub_rooms = 2\nseconds = 9', "3: sub_rooms: takes 12 seconds at least"),
        ('kind = "audio_room"\nspeakers = 9000\nlisteners = 1001', "4: listeners: makes 10,001 people"),
        (
            'kind = "audio_room"\nspeakers = 1\nlisteners = 1\n[objectives]\nfirst_video_p95_ms = 1',
            "5: objectives: first_video_p95_ms cannot be met",
        ),
        (
            'kind = "group"\n[objectives]\nfreeze_ratio = 0.01',
            "3: objectives: freeze_ratio cannot be measured without faithful viewers",
        ),
        (
            'kind = "group"\nvideo = { source = "clip", packets_per_frame = 2, packet_bytes = 100 }',
            "3: video.source: a clip has frames of its own",
        ),
        (
            (
                'kind = "group"\n[video]\nsource = "clip"\n'
                "encodings = [{ width = 321, height = 180, kilobits_per_second = 100 }]"
            ),
            "4: video.source: a clip has even sizes up to 1,920",
        ),
        (
            (
                'kind = "group"\n[video]\ncodec = "av1"\nencodings = ['
                "{ width = 320, height = 180, kilobits_per_second = 100 }, "
                "{ width = 640, height = 360, kilobits_per_second = 500 }]"
            ),
            "5: video.encodings: must be one, which has three temporal layers",
        ),
        (
            (
                'kind = "group"\n[video]\ncodec = "vp9"\nencodings = ['
                "{ width = 320, height = 180, kilobits_per_second = 100 }, "
                "{ width = 640, height = 362, kilobits_per_second = 500 }]"
            ),
            "5: video.encodings: must each be twice as wide and high as the one before",
        ),
        (
            (
                'kind = "group"\n[video]\ncodec = "av1"\nsource = "clip"\n'
                "encodings = [{ width = 320, height = 62, kilobits_per_second = 100 }]"
            ),
            "5: video.source: a clip in av1 has sizes from 64",
        ),
        ('kind = "group"\nfaithful = 5', "3: faithful: must be less than or equal to 4"),
        (
            'kind = "churn"\njoins_per_second = 100\nstay_seconds = 101',
            "4: stay_seconds: makes 10,100 people",
        ),
        ('kind = "reconnect"\nevery_seconds = 2\naway_seconds = 1.5', "4: away_seconds: must be less"),
        ('kind = "churn"\njoins_per_second = 1\nstay_seconds = 1', "4: stay_seconds: must be greater"),
        ('kind = "reconnect"\npeople = 200\nrooms = 51', "4: rooms: makes 10,200 people"),
        (
            'kind = "ramp"\nof = "meeting"\nstart = 5\nstep = 1\nmost = 4',
            "6: most: must not be less than start",
        ),
        ('kind = "ramp"\nof = "meeting"\nstart = 5\nstep = 1\nmost = 1001', "6: most: must be at most 1,000"),
    ],
)
def test_fields_that_do_not_go_together_are_named(fields: str, said: str) -> None:
    (problem,) = problems(f'title = "x"\n{fields}\n')
    assert problem.startswith(f"s.toml:{said}")


def test_values_of_another_type_are_not_made_to_fit() -> None:
    assert problems('kind = "broadcast"\ntitle = "x"\nviewers = "3"\nseconds = true\n') == [
        "s.toml:3: viewers: must be a valid integer",
        "s.toml:4: seconds: must be a valid number",
    ]


def test_a_file_is_read_with_its_text(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('kind = "consultations"\ntitle = "Pairs"\npairs = 2\n')
    scenario, text = read_scenario(str(file))
    assert (scenario.kind, text) == ("consultations", file.read_text())


def test_a_ready_scenario_is_read_by_name() -> None:
    name = next(iter(ready_scenarios()))
    assert read_scenario(name)[0] == ready_scenarios()[name]


def test_there_is_a_ready_scenario_of_every_kind() -> None:
    kinds = {scenario.kind for scenario in ready_scenarios().values()}
    assert kinds == {
        "broadcast", "meeting", "consultations", "group", "audio_room", "churn", "reconnect", "replay",
        "ramp",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere/s.toml", "nowhere/s.toml: there is no such file"),
        ("brodcast-100", "brodcast-100: is neither a file nor a ready scenario; did you mean broadcast-100?"),
    ],
)
def test_a_name_that_leads_nowhere_is_said(name: str, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_scenario(name)
    assert caught.value.problems == [said]


@pytest.mark.parametrize("content", [b"\xff", None])
def test_a_file_that_cannot_be_read_is_said(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "s.toml"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    with pytest.raises(ScenarioError) as caught:
        read_scenario(str(file))
    assert caught.value.problems[0].startswith(f"{file}: ")

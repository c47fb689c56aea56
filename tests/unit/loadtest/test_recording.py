"""Recordings: what servers tell becomes events by numbers, and files are read or refused with a reason."""

import pytest
from livekit.protocol import models

from loadtest.recording import Event, Recording, RecordingError, Roster, head, read_recording, tail

State = models.ParticipantInfo.State


def info(sid: str, identity: str, *tracks: models.TrackInfo, gone: bool = False) -> models.ParticipantInfo:
    state = State.DISCONNECTED if gone else State.ACTIVE
    return models.ParticipantInfo(sid=sid, identity=identity, state=state, tracks=tracks)


def track(sid: str, *, video: bool = False, muted: bool = False) -> models.TrackInfo:
    kind = models.TrackType.VIDEO if video else models.TrackType.AUDIO
    return models.TrackInfo(sid=sid, type=kind, muted=muted)


def test_what_a_server_tells_becomes_events_with_numbers_alone() -> None:
    roster = Roster(2, {})
    told: list[Event] = []
    for at, one in enumerate(
        (
            info("PA_1", "Dr. Grey", track("TR_1")),
            info("PA_1", "Dr. Grey", track("TR_1"), track("TR_2", video=True, muted=True)),
            info("PA_1", "Dr. Grey", track("TR_1", muted=True), track("TR_2", video=True)),
            info("PA_2", "Mr. White"),
            info("PA_1", "Dr. Grey", track("TR_1", muted=True)),
            info("PA_1", "Dr. Grey", gone=True),
            info("PA_1", "Dr. Grey", gone=True),
            info("PA_3", "Dr. Grey", track("TR_9")),
        )
    ):
        told += roster.told(float(at), [one])
    assert [(event.at, event.person, event.what, event.track) for event in told] == [
        (0, 1, "join", 0), (0, 1, "publish", 1),
        (1, 1, "publish", 2), (1, 1, "mute", 2),
        (2, 1, "mute", 1), (2, 1, "unmute", 2),
        (3, 2, "join", 0),
        (4, 1, "unpublish", 2),
        (5, 1, "leave", 0),
        (7, 1, "join", 0), (7, 1, "publish", 3),
    ]  # fmt: skip
    assert {event.room for event in told} == {2}
    text = head() + "".join(event.line() for event in told) + tail(8.0)
    assert "Grey" not in text
    assert "PA_" not in text
    assert read_recording(text, "x") == Recording(tuple(told), 8.0)


def test_a_file_that_was_cut_off_ends_with_its_last_event() -> None:
    text = head() + Event(1.5, 1, 1, "join").line()
    assert read_recording(text, "x").seconds == 1.5


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[]", "x:2: is no JSON object"),
        ("{" * 100_000, "x:2: is no JSON object"),
        ('{"at": -1, "event": "end"}', "x:2: at: must not go back"),
        ('{"at": NaN, "event": "end"}', "x:2: at: must be a time"),
        ('{"at": true, "event": "end"}', "x:2: at: must be a time"),
        ('{"at": 1e9, "event": "end"}', "x:2: at: must not go back, nor beyond a week"),
        ('{"at": 1, "event": "dance"}', "x:2: event: must be one of join, "),
        ('{"at": 1, "event": "join", "room": 0, "person": 1}', "x:2: room: must be a number from 1"),
        ('{"at": 1, "event": "join", "room": 1, "person": "me"}', "x:2: person: must be a number"),
        ('{"at": 1, "event": "mute", "room": 1, "person": 1}', "x:2: track: must be a number"),
        (
            '{"at": 1, "event": "publish", "room": 1, "person": 1, "track": 1, "kind": "smell"}',
            "x:2: kind: must be audio or video",
        ),
    ],
)
def test_a_file_that_is_no_recording_is_refused_with_its_line(line: str, said: str) -> None:
    with pytest.raises(RecordingError) as caught:
        read_recording(f"{head()}{line}\n", "x")
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("text", ["", "hello", '{"format": 2}\n', '{"at": 0, "event": "end"}\n'])
def test_a_file_without_its_first_line_is_refused(text: str) -> None:
    with pytest.raises(RecordingError, match=r"^x:1: "):
        read_recording(text, "x")

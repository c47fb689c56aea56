"""A clip of VP9 in three sizes, of which the larger build on the smaller in key frames only (L3T3_KEY)."""

from collections.abc import Callable, Sequence

import av
import pytest
from av.video.codeccontext import VideoCodecContext

from loadtest.clips import libvpx
from loadtest.clips.layered import LAYERS
from loadtest.clips.store import clip_of
from loadtest.errors import RunError
from loadtest.plan import VideoPlan

pytestmark = pytest.mark.slow

SIZES = ((160, 90, 60), (320, 180, 150), (640, 360, 500))
STRUCTURE = 1 + 3 * 4 + 9  # bytes in front of a key frame
INDEX = 2 + 3 * 4  # bytes behind the largest frame
STAMP = b"s" * 16
FPS = 10

Clip = list[list[bytes]]
"""The frames of each picture, the smallest first; the last ends with the index."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    plan = VideoPlan(codec="vp9", frames_per_second=FPS, encodings=SIZES, source="clip")
    layers = clip_of(plan, folder=tmp_path_factory.mktemp("clips"))
    assert [[key for key, _ in pictures] for pictures in layers] == [[True] + [False] * 79] * 3
    frames = [[b"".join(payloads) for _, payloads in pictures] for pictures in layers]
    frames[0][0] = frames[0][0][STRUCTURE:]
    return [list(picture) for picture in zip(*frames, strict=True)]


def decoded(pictures: Sequence[bytes]) -> list[av.VideoFrame]:
    decoder = av.CodecContext.create("libvpx-vp9", "r")
    assert isinstance(decoder, VideoCodecContext)
    return [frame for picture in pictures for frame in decoder.decode(av.Packet(picture))]


def luma(frame: av.VideoFrame) -> bytes:
    plane = frame.planes[0]
    lines = bytes(plane)
    return b"".join(lines[at : at + plane.width] for at in range(0, len(lines), plane.line_size))


def looks(pictures: Sequence[bytes]) -> list[bytes]:
    return [luma(frame) for frame in decoded(pictures)]


def whole(frames: list[bytes]) -> bytes:
    return b"".join(frames)


def without_index(frames: list[bytes]) -> list[bytes]:
    return [*frames[:-1], frames[-1][:-INDEX]]


def test_a_libvpx_of_another_interface_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(libvpx, "_ABI", 37)  # of 1.15
    with pytest.raises(RunError, match=r"need libvpx 1\.16 or 1\.17, not v.*pip install"):
        libvpx.Vp9Encoder(SIZES, FPS)


def test_all_sizes_together_show_the_largest_and_each_keeps_its_rate(clip: Clip) -> None:
    assert {frame.width for frame in decoded([whole(frames) for frames in clip])} == {640}
    for layer, (_, _, kilobits) in enumerate(SIZES):
        kilobytes = sum(len(frames[layer]) for frames in clip) / 1000
        assert kilobytes == pytest.approx(kilobits, rel=0.3)  # of eight seconds


def test_a_stamp_in_front_of_the_index_does_not_change_what_is_shown(clip: Clip) -> None:
    stamped = [whole(frames)[:-INDEX] + STAMP + whole(frames)[-INDEX:] for frames in clip]
    assert looks(stamped) == looks([whole(frames) for frames in clip])


@pytest.mark.parametrize("sizes", [1, 2])
def test_larger_sizes_can_be_left_out(clip: Clip, sizes: int) -> None:
    shown = decoded([whole(frames[:sizes]) for frames in clip])
    assert [frame.width for frame in shown] == [SIZES[sizes - 1][0]] * len(clip)


def test_a_size_needs_the_smaller_ones_in_key_frames_only(clip: Clip) -> None:
    all_of_key, *others = [without_index(frames) for frames in clip]
    largest = [frames[-1] for frames in others]
    assert looks([whole(all_of_key), *largest]) == looks([whole(frames) for frames in clip])
    with pytest.raises(av.InvalidDataError):
        decoded([all_of_key[-1], *largest])


@pytest.mark.parametrize("stays", [lambda layer: layer < 2, lambda layer: layer == 0], ids=["two", "one"])
def test_temporal_layers_of_all_sizes_can_be_left_out_and_added_again(
    clip: Clip, stays: Callable[[int], bool]
) -> None:
    kept = [n for n in range(len(clip)) if n >= 42 or stays(LAYERS[n % 4])]
    shown, expected = looks([whole(clip[n]) for n in kept]), looks([whole(frames) for frames in clip])
    assert shown == [expected[n] for n in kept]

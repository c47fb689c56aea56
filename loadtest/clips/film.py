"""Encoding a clip: a moving test picture with noise, in every size and bit rate of a camera."""

from __future__ import annotations

import os
from contextlib import closing
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import av.filter
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from loadtest.clips.layered import LAYERS, av1_payloads, vp9_payloads
from loadtest.clips.libvpx import Vp9Encoder
from loadtest.clips.packets import h264_payloads, vp8_payloads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from loadtest.clips.store import Picture
    from loadtest.plan import VideoPlan

SECONDS = 8
_NOISE_SEED = 1
_NOISE = 6  # of 255: what a webcam in a room has
_NEVER = 100_000  # pictures
_ENCODERS = {"vp8": "libvpx", "h264": "libx264", "av1": "libsvtav1"}


def film(plan: VideoPlan, tell: Callable[[float], None]) -> list[list[Picture]]:
    """Give the pictures of each encoding, or frames of each spatial layer, lowest first; raise `RunError`.

    `tell` hears how much is done, 0 to 1. The encoders are set as for a call: one pass, nothing looked at
    ahead, a key frame only at the beginning.
    """
    pictures = _in_layers(plan, tell) if plan.codec == "vp9" else _each_by_itself(plan, tell)
    count = SECONDS * plan.frames_per_second
    assert {len(made) for made in pictures} == {count}, "no picture is left out"  # noqa: S101
    return pictures


def _in_layers(plan: VideoPlan, tell: Callable[[float], None]) -> list[list[Picture]]:
    pictures: list[list[Picture]] = [[] for _ in plan.encodings]
    sizes = [(width, height) for width, height, _ in plan.encodings]
    count = SECONDS * plan.frames_per_second
    with closing(Vp9Encoder(plan.encodings, plan.frames_per_second)) as encoder:
        for number, frame in enumerate(_frames(plan, count)):
            key = number == 0
            cut = vp9_payloads(encoder.encode(frame), key=key, sizes=sizes)
            for payloads, made in zip(cut, pictures, strict=True):
                made.append((key, payloads))
            tell((number + 1) / count)
    return pictures


def _each_by_itself(plan: VideoPlan, tell: Callable[[float], None]) -> list[list[Picture]]:
    encoders = [_encoder(plan, *encoding) for encoding in plan.encodings]
    pictures: list[list[Picture]] = [[] for _ in encoders]
    count = SECONDS * plan.frames_per_second
    for number, frame in enumerate(_frames(plan, count)):
        for encoder, made in zip(encoders, pictures, strict=True):
            smaller = frame.reformat(encoder.width, encoder.height, "yuv420p")
            smaller.pts = number
            smaller.pict_type = PictureType.NONE  # the encoder decides
            coded = encoder.encode(smaller)
            if number == count - 1:
                coded += encoder.encode(None)
            for packet in coded:
                key = bool(packet.is_keyframe)
                made.append((key, _cut(plan, bytes(packet), key=key, number=len(made))))
        tell((number + 1) / count)
    return pictures


def _cut(plan: VideoPlan, picture: bytes, *, key: bool, number: int) -> list[bytes]:
    match plan.codec:
        case "vp8":
            return vp8_payloads(picture)
        case "h264":
            return h264_payloads(picture)
        case _:
            return av1_payloads(picture, key=key, layer=LAYERS[number % len(LAYERS)])


def _frames(plan: VideoPlan, count: int) -> Iterator[av.VideoFrame]:
    width, height, _ = plan.encodings[-1]
    graph = av.filter.Graph()
    source = graph.add("testsrc2", f"size={width}x{height}:rate={plan.frames_per_second}")
    noise = graph.add("noise", f"alls={_NOISE}:allf=t:all_seed={_NOISE_SEED}")
    to_420 = graph.add("format", "yuv420p")
    sink = graph.add("buffersink")
    source.link_to(noise)
    noise.link_to(to_420)
    to_420.link_to(sink)
    graph.configure()
    for _ in range(count):
        frame = graph.pull()
        assert isinstance(frame, av.VideoFrame), "a graph of pictures"  # noqa: S101
        yield frame


def _encoder(plan: VideoPlan, width: int, height: int, kilobits: int) -> VideoCodecContext:
    encoder = av.CodecContext.create(_ENCODERS[plan.codec], "w")
    assert isinstance(encoder, VideoCodecContext), "of a codec for pictures"  # noqa: S101
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.bit_rate = kilobits * 1000
    encoder.framerate = Fraction(plan.frames_per_second)
    encoder.time_base = Fraction(1, plan.frames_per_second)
    encoder.gop_size = _NEVER
    encoder.thread_count = 1
    rate = {"minrate": str(kilobits * 1000), "maxrate": str(kilobits * 1000), "bufsize": str(kilobits * 1000)}
    match plan.codec:
        case "vp8":
            # What libwebrtc asks of libvpx.
            encoder.qmin, encoder.qmax = 2, 56
            encoder.options = rate | {
                "deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0", "error-resilient": "0",
                "undershoot-pct": "100", "overshoot-pct": "15", "max-intra-rate": "900",
            }  # fmt: skip
        case "h264":
            encoder.options = rate | {
                "preset": "veryfast", "tune": "zerolatency", "profile": "baseline",
                "x264-params": "scenecut=0:sliced-threads=0:keyint=infinite",
            }  # fmt: skip
        case "av1":
            # av has no libaom, which browsers use. The low-delay structure of two levels is L1T3 in SVT-AV1,
            # but not with `rtc=1`: then pictures of layer 1 need others of their own layer.
            os.environ.setdefault("SVT_LOG", "1")  # errors only: it would write what it does
            encoder.options = {
                "preset": "10",
                "svtav1-params": "pred-struct=1:hierarchical-levels=2:rc=2:keyint=-1:scd=0:enable-tf=0:lp=1",
            }
    return encoder

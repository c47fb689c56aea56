"""Encoding a clip with av: a moving test picture with noise, in every size and bit rate of a camera."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import av.filter
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from loadtest.clips.packets import h264_payloads, vp8_payloads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from loadtest.clips.store import Picture
    from loadtest.plan import VideoPlan

SECONDS = 8
_NOISE_SEED = 1
_NOISE = 6  # of 255: what a webcam in a room has
_NEVER = 100_000  # pictures
_ENCODERS = {"vp8": "libvpx", "h264": "libx264"}


def film(plan: VideoPlan, tell: Callable[[float], None]) -> list[list[Picture]]:
    """Give the pictures of each encoding, lowest first; `tell` hears how much is done, 0 to 1.

    The encoders are set as for a call: one pass, nothing looked at ahead, a key frame only at the beginning.
    """
    encoders = [_encoder(plan, *encoding) for encoding in plan.encodings]
    pictures: list[list[Picture]] = [[] for _ in encoders]
    count = SECONDS * plan.frames_per_second
    payloads = vp8_payloads if plan.codec == "vp8" else h264_payloads
    for number, frame in enumerate(_frames(plan, count)):
        for encoder, made in zip(encoders, pictures, strict=True):
            smaller = frame.reformat(encoder.width, encoder.height, "yuv420p")
            smaller.pts = number
            smaller.pict_type = PictureType.NONE  # the encoder decides
            for packet in encoder.encode(smaller):
                made.append((bool(packet.is_keyframe), payloads(bytes(packet))))
        tell((number + 1) / count)
    return pictures


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
    if plan.codec == "vp8":
        # What libwebrtc asks of libvpx.
        encoder.qmin, encoder.qmax = 2, 56
        encoder.options = rate | {
            "deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0", "error-resilient": "0",
            "undershoot-pct": "100", "overshoot-pct": "15", "max-intra-rate": "900",
        }  # fmt: skip
    else:
        encoder.options = rate | {
            "preset": "veryfast", "tune": "zerolatency", "profile": "baseline",
            "x264-params": "scenecut=0:sliced-threads=0:keyint=infinite",
        }  # fmt: skip
    return encoder

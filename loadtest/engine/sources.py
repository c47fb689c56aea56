"""What a person sends: the announcement, the section and the source of each planned camera and microphone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from livekit.protocol import models, rtc

from loadtest.engine.offer import OPUS_PT, VIDEO_PTS, Section, Sent

if TYPE_CHECKING:
    from random import Random

    from loadtest.engine.core import Swarm
    from loadtest.plan import AudioPlan, VideoPlan

_RIDS = ("q", "h", "f")
_QUALITIES = (models.VideoQuality.LOW, models.VideoQuality.MEDIUM, models.VideoQuality.HIGH)


@dataclass(frozen=True, slots=True)
class Microphone:
    """A planned microphone with its numbers."""

    plan: AudioPlan
    section: Section
    ssrc: int
    phase: float
    """Share of a packet's interval by which it is behind others."""
    seed: int

    @classmethod
    def make(cls, plan: AudioPlan, mid: str, rng: Random) -> Microphone:
        """Draw what is random."""
        ssrc = _ssrc(rng)
        section = Section(mid, "audio", Sent(f"mic-{ssrc:x}", ((ssrc, ssrc),)))
        return cls(plan, section, ssrc, rng.random(), rng.getrandbits(63))

    @property
    def cid(self) -> str:
        """The id of our own making that the track is announced with."""
        assert self.section.sent is not None  # noqa: S101 - made above
        return self.section.sent.cid

    def announcement(self) -> rtc.AddTrackRequest:
        """Return what the server is told before the offer."""
        assert self.section.sent is not None  # noqa: S101 - made above
        return rtc.AddTrackRequest(
            cid=self.section.sent.cid,
            type=models.TrackType.AUDIO,
            source=models.TrackSource.MICROPHONE,
            name="microphone",
            disable_red=True,
        )

    def start(self, swarm: Swarm, participant: int) -> None:
        """Let the participant speak."""
        swarm.add_audio(
            participant,
            mid=self.section.mid,
            pt=OPUS_PT,
            ssrc=self.ssrc,
            packets_per_second=self.plan.packets_per_second,
            packet_bytes=self.plan.packet_bytes,
            spurts=self.plan.talk == "spurts",
            phase_ms=self.phase * 1000 / self.plan.packets_per_second,
            seed=self.seed,
        )


@dataclass(frozen=True, slots=True)
class Camera:
    """A planned camera with its numbers."""

    plan: VideoPlan
    section: Section
    phase: float
    """Share of a picture's interval by which it is behind others."""

    @classmethod
    def make(cls, plan: VideoPlan, mid: str, rng: Random) -> Camera:
        """Draw what is random."""
        ssrcs = tuple((_ssrc(rng), _ssrc(rng)) for _ in plan.streams)
        rids = _RIDS[: len(ssrcs)] if len(ssrcs) > 1 else ()
        sent = Sent(f"cam-{ssrcs[0][0]:x}", ssrcs, rids)
        return cls(plan, Section(mid, "video", sent, (plan.codec,)), rng.random())

    @property
    def cid(self) -> str:
        """The id of our own making that the track is announced with."""
        assert self.section.sent is not None  # noqa: S101 - made above
        return self.section.sent.cid

    def announcement(self) -> rtc.AddTrackRequest:
        """Return what the server is told before the offer."""
        sent, encodings = self.section.sent, self.plan.encodings
        assert sent is not None  # noqa: S101 - made above
        # A camera of one encoding calls it the best, as browsers do.
        qualities = _QUALITIES if len(encodings) > 1 else _QUALITIES[-1:]
        rids = sent.rids or ("",) * len(encodings)
        layers = [
            models.VideoLayer(
                quality=quality,
                width=width,
                height=height,
                bitrate=kilobits * 1000,
                rid=rid,
                spatial_layer=0 if rid else number,
            )
            for number, (quality, (width, height, kilobits), rid) in enumerate(
                zip(qualities, encodings, rids, strict=False)
            )
        ]
        width, height, _ = encodings[-1]
        return rtc.AddTrackRequest(
            cid=sent.cid,
            type=models.TrackType.VIDEO,
            source=models.TrackSource.CAMERA,
            name="camera",
            width=width,
            height=height,
            layers=layers,
            simulcast_codecs=[rtc.SimulcastCodec(codec=self.plan.codec, cid=sent.cid, layers=layers)],
        )

    def start(self, swarm: Swarm, participant: int) -> None:
        """Let the participant show pictures."""
        sent, plan = self.section.sent, self.plan
        assert sent is not None  # noqa: S101 - made above
        pt, rtx_pt = VIDEO_PTS[plan.codec]
        packets = None
        if plan.packets_per_frame is not None and plan.packet_bytes is not None:
            packets = (plan.packets_per_frame, plan.packet_bytes)
        swarm.add_video(
            participant,
            mid=self.section.mid,
            codec=plan.codec,
            pt=pt,
            rtx_pt=rtx_pt,
            frames_per_second=plan.frames_per_second,
            encodings=[
                (sent.rids[at] if sent.rids else None, ssrc, rtx_ssrc, plan.streams[at])
                for at, (ssrc, rtx_ssrc) in enumerate(sent.ssrcs)
            ],
            packets=packets,
            filmed=plan.source == "clip",
            phase_ms=self.phase * 1000 / plan.frames_per_second,
        )

    def active(self, update: rtc.SubscribedQualityUpdate) -> int:
        """Return the mask of encodings or spatial layers that somebody wants; bit 0 is the lowest."""
        named = [each.qualities for each in update.subscribed_codecs] or [update.subscribed_qualities]
        mask = 0
        for each in (quality for qualities in named for quality in qualities):
            if each.enabled and each.quality in _QUALITIES:
                mask |= 1 << min(each.quality, len(self.plan.encodings) - 1)
        return mask


def _ssrc(rng: Random) -> int:
    return rng.randrange(1, 2**32)

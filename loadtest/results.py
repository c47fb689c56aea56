"""What the engine measured; all times in milliseconds unless a name says seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    seconds: float
    of_seconds: float
    connected: int
    expected: int
    packets_per_second: float


@dataclass(frozen=True, slots=True)
class JoinResult:
    """One person's way in: when each stage was done, counted from the start of the join."""

    identity: str
    ok: bool
    error: str | None
    signalling_ms: float | None
    ice_ms: float | None
    dtls_ms: float | None
    first_audio_ms: float | None
    first_video_ms: float | None
    video_offered_ms: float = 0.0
    """When the server first told of a picture to see; 0 where somebody sent one already."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many values lie up to each bound; the last count is beyond the last bound."""

    bounds_ms: tuple[float, ...]
    counts: tuple[int, ...]

    def percentile(self, share: float) -> float | None:
        """Give the upper bound of the value that `share` (0 to 1) of all do not exceed; none without values.

        What lies beyond the last bound is told as infinite.
        """
        rank, seen = share * sum(self.counts), 0
        for bound, count in zip((*self.bounds_ms, float("inf")), self.counts, strict=True):
            seen += count
            if count and seen >= rank:
                return bound
        return None


@dataclass(frozen=True, slots=True)
class Second:
    """What all people together sent and received in one second."""

    at: float
    """Seconds after the start of the run."""
    sent: int
    expected: int
    received: int
    lost: int
    bytes_received: int
    latency_p50_ms: float | None
    latency_p99_ms: float | None


@dataclass(frozen=True, slots=True)
class FaithfulViewer:
    """What one viewer who really decodes saw in the measured part."""

    identity: str
    error: str | None
    """Why they could not see the camera to the end."""
    frames_per_second: float
    """Pictures decoded."""
    freezes: int
    freeze_ratio: float
    """Share of the time in which the picture stood still, 0 to 1."""
    pictures: int
    pictures_read_ratio: float | None
    """Share of the pictures whose watermark could be read; none without pictures."""
    end_to_end_p50_ms: float | None
    """From the camera to the decoded picture."""
    end_to_end_p99_ms: float | None


@dataclass(frozen=True, slots=True)
class EngineResult:
    """Everything that was measured; totals are of the measured part."""

    joins: tuple[JoinResult, ...]
    latency: Histogram
    seconds: tuple[Second, ...]
    packets_sent: int
    packets_expected: int
    packets_received: int
    packets_lost: int
    duplicates: int
    payload_errors: int
    payloads_checked: int
    layer_seconds: dict[str, float]
    tool_busy: float
    """The busiest thread's share of its core, 0 to 1: of the engine, or the loop of the faithful."""
    aborted: bool
    error: str | None
    faithful: tuple[FaithfulViewer, ...] = ()

"""The result of a connection test, as the page sends it and applications read it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from control_api.schema_types import Strict
from rooms import (
    BrowserFound,
    BrowserName,
    CameraOutcome,
    DevicesFound,
    MediaFound,
    MediaStep,
    MicrophoneOutcome,
    OsName,
    PathFound,
    PathName,
    PathOutcome,
    ProbeResult,
    SignallingFound,
    SpeakerOutcome,
)

Milliseconds = Annotated[float, Field(ge=0, le=120_000)]
Kbps = Annotated[float, Field(ge=0, le=1_000_000)]
Share = Annotated[float, Field(ge=0, le=1)]
Port = Annotated[int, Field(ge=1, le=65535)]


class BrowserFoundBody(Strict):
    """The browser, by its kind and main version; no user agent."""

    name: BrowserName
    version: int = Field(ge=0, le=10_000, examples=[131])
    os: OsName = Field(examples=["windows"])
    webrtc: bool = Field(description="It can do calls at all.", examples=[True])

    def value(self) -> BrowserFound:
        """Give it as a value."""
        return BrowserFound(self.name, self.version, self.os, self.webrtc)


class SignallingFoundBody(Strict):
    """How requests and WebSockets reach the server."""

    https_rtt_ms: Milliseconds | None = Field(default=None, examples=[21.5])
    wss: bool = Field(description="A WebSocket was opened.", examples=[True])
    wss_rtt_ms: Milliseconds | None = Field(default=None, examples=[19.8])
    proxied: bool | None = Field(
        default=None, description="Something on the way reads what is sent.", examples=[False]
    )

    def value(self) -> SignallingFound:
        """Give it as a value."""
        return SignallingFound(self.https_rtt_ms, self.wss, self.wss_rtt_ms, self.proxied)


class PathFoundBody(Strict):
    """One way for media, tried by itself: to the media port, or by a relay reached over UDP, TCP or TLS."""

    name: PathName
    port: Port = Field(examples=[10000])
    outcome: PathOutcome
    connect_ms: Milliseconds | None = Field(
        default=None, description="Until the first packet was back.", examples=[310.0]
    )
    ipv6: bool | None = Field(default=None, examples=[False])

    def value(self) -> PathFound:
        """Give it as a value."""
        return PathFound(self.name, self.port, self.outcome, self.connect_ms, self.ipv6)


class MediaStepBody(Strict):
    """What came through at one rate; null where the browser does not tell."""

    target_kbps: Kbps = Field(examples=[1200.0])
    kbps_up: Kbps = Field(examples=[1148.0])
    kbps_down: Kbps = Field(examples=[1139.0])
    loss_up: Share | None = Field(
        default=None, description="Share of the packets that did not arrive.", examples=[0.004]
    )
    loss_down: Share | None = Field(default=None, examples=[0.002])
    rtt_ms: Milliseconds | None = Field(default=None, examples=[38.0])
    jitter_ms: Milliseconds | None = Field(default=None, examples=[4.0])

    def value(self) -> MediaStep:
        """Give it as a value."""
        return MediaStep(
            self.target_kbps,
            self.kbps_up,
            self.kbps_down,
            self.loss_up,
            self.loss_down,
            self.rtt_ms,
            self.jitter_ms,
        )


class MediaFoundBody(Strict):
    """Sound and pictures, sent to the server and back over one path."""

    path: PathName
    port: Port = Field(examples=[10000])
    first_frame_ms: Milliseconds | None = Field(
        default=None, description="Until the first picture was back; null if none came.", examples=[420.0]
    )
    steps: list[MediaStepBody] = Field(default=[], max_length=8)

    def value(self) -> MediaFound:
        """Give it as a value."""
        steps = tuple(one.value() for one in self.steps)
        return MediaFound(self.path, self.port, self.first_frame_ms, steps)


class DevicesFoundBody(Strict):
    """Microphone, camera and loudspeaker."""

    microphone: MicrophoneOutcome = "skipped"
    camera: CameraOutcome = "skipped"
    speaker: SpeakerOutcome = "skipped"

    def value(self) -> DevicesFound:
        """Give it as a value."""
        return DevicesFound(self.microphone, self.camera, self.speaker)


class ProbeResultBody(Strict):
    """All that a connection test found; parts that it did not reach are absent. Nothing about the person."""

    browser: BrowserFoundBody | None = None
    signalling: SignallingFoundBody | None = None
    paths: list[PathFoundBody] = Field(default=[], max_length=16)
    media: MediaFoundBody | None = None
    devices: DevicesFoundBody | None = None

    def value(self) -> ProbeResult:
        """Give it as a value."""
        return ProbeResult(
            browser=None if self.browser is None else self.browser.value(),
            signalling=None if self.signalling is None else self.signalling.value(),
            paths=tuple(one.value() for one in self.paths),
            media=None if self.media is None else self.media.value(),
            devices=None if self.devices is None else self.devices.value(),
        )

"""What a connection test found, part by part; a part that is `None` was not reached.

Only frozen values. Nothing in them tells who the person is: no address, no name, no whole user agent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BrowserName = Literal["chrome", "firefox", "safari", "edge", "other"]
OsName = Literal["android", "ios", "windows", "macos", "linux", "other"]
PathName = Literal["udp", "turn_udp", "turn_tcp", "turn_tls"]
"""How media may come through: to the media port, or by a relay that is reached over UDP, TCP or TLS."""
PathOutcome = Literal["ok", "slow", "blocked", "skipped"]
MicrophoneOutcome = Literal["ok", "silent", "denied", "missing", "skipped"]
CameraOutcome = Literal["ok", "black", "frozen", "denied", "missing", "skipped"]
SpeakerOutcome = Literal["heard", "not_heard", "skipped"]


@dataclass(frozen=True, slots=True)
class BrowserFound:
    """The browser, by its kind and main version."""

    name: BrowserName
    version: int
    os: OsName
    webrtc: bool
    """It can do calls at all."""


@dataclass(frozen=True, slots=True)
class SignallingFound:
    """How requests and WebSockets reach the server."""

    https_rtt_ms: float | None
    wss: bool
    """A WebSocket was opened."""
    wss_rtt_ms: float | None
    proxied: bool | None
    """Something on the way reads and changes what is sent; `None` if the server could not say."""


@dataclass(frozen=True, slots=True)
class PathFound:
    """One way for media, tried by itself."""

    name: PathName
    port: int
    outcome: PathOutcome
    connect_ms: float | None
    """Until the first packet was back."""
    ipv6: bool | None


@dataclass(frozen=True, slots=True)
class MediaStep:
    """What came through at one rate; `None` where the browser does not tell."""

    target_kbps: float
    kbps_up: float
    kbps_down: float
    loss_up: float | None
    """Share of the packets that did not arrive, 0 to 1."""
    loss_down: float | None
    rtt_ms: float | None
    jitter_ms: float | None


@dataclass(frozen=True, slots=True)
class MediaFound:
    """Sound and pictures, sent to the server and back over one path."""

    path: PathName
    port: int
    first_frame_ms: float | None
    """Until the first picture was back; `None` if none came."""
    steps: tuple[MediaStep, ...]


@dataclass(frozen=True, slots=True)
class DevicesFound:
    """Microphone, camera and loudspeaker."""

    microphone: MicrophoneOutcome
    camera: CameraOutcome
    speaker: SpeakerOutcome


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """All that one connection test found."""

    browser: BrowserFound | None = None
    signalling: SignallingFound | None = None
    paths: tuple[PathFound, ...] = ()
    media: MediaFound | None = None
    devices: DevicesFound | None = None

"""The one door to the Rust core: synthetic participants, and the reader of descriptions."""

from sfu._core import (
    SdpError,
    SessionDescription,
    Swarm,
    SwarmClosed,
    SwarmConnected,
    SwarmMediaStarted,
    parse_sdp,
)

__all__ = [
    "SdpError",
    "SessionDescription",
    "Swarm",
    "SwarmClosed",
    "SwarmConnected",
    "SwarmMediaStarted",
    "parse_sdp",
]

"""The LiveKit client protocol v1, spoken natively: see docs/protocol.md."""

from signalling.livekit.server import LiveKitServer
from signalling.livekit.settings import LiveKitSettings, SignalLimits, SignalTimes

__all__ = ["LiveKitServer", "LiveKitSettings", "SignalLimits", "SignalTimes"]

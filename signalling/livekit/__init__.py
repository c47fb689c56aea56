"""The LiveKit client protocol v1, spoken natively: see docs/protocol.md."""

from signalling.livekit.server import LiveKitServer
from signalling.livekit.settings import IceServer, LiveKitSettings, SignalLimits, SignalTimes

__all__ = ["IceServer", "LiveKitServer", "LiveKitSettings", "SignalLimits", "SignalTimes"]

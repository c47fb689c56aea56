"""LiveKit's management interface (`livekit.RoomService` over Twirp), for those who use its server SDKs."""

from control_api.live import LiveRooms
from control_api.twirp.http import twirp_routes
from control_api.twirp.service import TwirpApi

__all__ = ["LiveRooms", "TwirpApi", "twirp_routes"]

"""The REST interface by which an application makes rooms and lets people in, and LiveKit's beside it."""

from control_api.http import middleware, routes
from control_api.operations import Addresses
from control_api.service import OPERATIONS, ApiSettings, ControlApi, Request
from control_api.twirp import LiveRooms, TwirpApi, twirp_routes
from control_api.webhooks import Courier, Sender, Targets

__all__ = [
    "OPERATIONS",
    "Addresses",
    "ApiSettings",
    "ControlApi",
    "Courier",
    "LiveRooms",
    "Request",
    "Sender",
    "Targets",
    "TwirpApi",
    "middleware",
    "routes",
    "twirp_routes",
]

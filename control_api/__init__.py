"""The REST interface by which an application makes rooms and lets people in."""

from control_api.http import middleware, routes
from control_api.operations import Addresses
from control_api.service import OPERATIONS, ApiSettings, ControlApi, Request

__all__ = [
    "OPERATIONS",
    "Addresses",
    "ApiSettings",
    "ControlApi",
    "Request",
    "middleware",
    "routes",
]

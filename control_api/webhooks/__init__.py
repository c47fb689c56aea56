"""Telling other servers what happened: signed, in order for each room, and only to targets on a list."""

from control_api.webhooks.courier import Courier
from control_api.webhooks.sender import Sender
from control_api.webhooks.targets import Targets, checked_entry

__all__ = ["Courier", "Sender", "Targets", "checked_entry"]

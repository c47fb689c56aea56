"""A room as most are: a clinician who invites, and guests who hold a link."""

from dataclasses import dataclass
from typing import Self

from tests.support.management import Management


@dataclass(slots=True)
class Consultation:
    """A room with a link for the clinician and one for guests."""

    room: str
    clinician_url: str
    guest_url: str

    @classmethod
    async def open(cls, room_api: Management) -> Self:
        """Create one that can be entered now."""
        room = await room_api.room(name="Consultation du Dr Martin")
        clinician = f"/v1/rooms/{room}/participants/clinician"
        await room_api.ask("PUT", clinician, {"name": "Dr Martin", "role": "host"})
        bound = await room_api.ask("POST", f"{clinician}/link", {})
        guests = await room_api.ask("POST", f"/v1/rooms/{room}/links", {})
        return cls(room, bound["url"], guests["url"])

"""A room that somebody runs from the page, and those in it."""

import re
from dataclasses import dataclass

from playwright.async_api import Locator, expect

from tests.support.management import Management
from tests.support.visitor import Arrive, Screen, Visitor

HOST = re.compile("^Animer")
COUNT_CHIMES = """
window.chimes = 0;
const make = AudioContext.prototype.createMediaStreamDestination;
AudioContext.prototype.createMediaStreamDestination = function () {
  window.chimes += 1;
  return make.call(this);
};
"""


@dataclass
class Ward:
    """A room with a waiting room: the clinician's link, and one for whoever holds it."""

    room: str
    clinician_url: str
    delegate_url: str
    guest_url: str


async def open_ward(api: Management, **fields: object) -> Ward:
    """Make the room, with links for a clinician, a delegate and guests."""
    room = await api.room(name="Consultation du Dr Martin", **fields)
    urls = []
    for identity, name, role in (("clinician", "Dr Martin", "host"), ("assistant", "Mme Petit", "delegate")):
        path = f"/v1/rooms/{room}/participants/{identity}"
        await api.ask("PUT", path, {"name": name, "role": role})
        urls.append((await api.ask("POST", f"{path}/link", {}))["url"])
    guests = await api.ask("POST", f"/v1/rooms/{room}/links", {})
    return Ward(room, urls[0], urls[1], guests["url"])


async def hosting(arrive: Arrive, url: str, screen: Screen | None = None) -> Visitor:
    """Bring a host in, who opens the panel."""
    clinician = await arrive(url, screen, script=COUNT_CHIMES)
    await clinician.enter()
    await clinician.press(HOST)
    await expect(panel(clinician)).to_be_visible()
    return clinician


async def guest(arrive: Arrive, ward: Ward, name: str) -> Visitor:
    """Bring a guest in."""
    visitor = await arrive(ward.guest_url)
    await visitor.enter(name)
    return visitor


def panel(clinician: Visitor) -> Locator:
    """Give the panel of those who run the call."""
    return clinician.page.get_by_role("complementary", name=HOST)

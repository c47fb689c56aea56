"""How connections are, as the management interface tells it of a call of two unmodified Python clients."""

import asyncio
from typing import Any

import pytest

from tests.support.eventually import eventually
from tests.support.management import Management, room_name
from tests.support.sdk_person import Person
from tests.support.server import Server

pytestmark = pytest.mark.integration


async def test_each_connection_is_told_with_its_rates_layers_and_score(
    server: Server, management: Management
) -> None:
    room = await management.room(id=room_name())
    assert await _lines(management, room) == {}
    ada, bob = Person("ada"), Person("bob")
    try:
        for person in (ada, bob):
            await person.room.connect(server.ws_url, await management.token(room, person.identity))
        camera = await ada.prepares()
        await ada.speaks()
        camera()
        await asyncio.gather(bob.sees("ada"), bob.hears("ada"))

        async def measured() -> bool:
            lines = await _lines(management, room)
            return all((lines[name]["kbps_up"] or 0) + (lines[name]["kbps_down"] or 0) > 20 for name in lines)

        await eventually(measured, within=20, what="figures of a whole interval")
        lines = await _lines(management, room)
        assert set(lines) == {"ada", "bob"}
        sender, viewer = lines["ada"], lines["bob"]
        assert sender["kbps_up"] > 20 > sender["kbps_down"]
        assert viewer["kbps_down"] > 20 > viewer["kbps_up"]
        assert sender["loss_up"] == pytest.approx(0.0, abs=0.2)
        (picture,) = viewer["pictures"]
        assert (picture["identity"], picture["source"]) == ("ada", "camera")
        assert picture["layer"] in range(picture["layers"])
        assert sender["pictures"] == []
        for line in lines.values():
            assert (line["path"], line["family"], line["audio_only"]) == ("udp", "ipv4", False)
            assert line["quality"] in {"excellent", "good", "poor"}
            assert "127.0.0.1" not in str(line)
    finally:
        for person in (ada, bob):
            await person.leaves()


async def _lines(management: Management, room: str) -> dict[str, dict[str, Any]]:
    items = (await management.ask("GET", f"/v1/rooms/{room}/quality"))["items"]
    return {one["identity"]: one for one in items}

"""A room on the real server with people in real browsers in it."""

import asyncio
from typing import Any

from tests.support.browsers import Browsers
from tests.support.management import Management
from tests.support.participant import Participant
from tests.support.server import Server


class Meeting:
    """One room and the pages opened for it; `close` closes them."""

    def __init__(
        self,
        server: Server,
        management: Management,
        room: str,
        page_url: str,
        browsers: Browsers,
    ) -> None:
        """Bring people into this room."""
        self.server = server
        self.management = management
        self.room = room
        self._page_url = page_url
        self._browsers = browsers
        self._people: list[Participant] = []

    async def open(self, identity: str, browser: str = "chromium") -> Participant:
        """Open a page for someone who is not in the call yet."""
        person = Participant(identity, await (await self._browsers.get(browser)).open(self._page_url))
        self._people.append(person)
        return person

    async def token(self, identity: str, **fields: Any) -> str:
        """Get a join token by the room API."""
        return await self.management.token(self.room, identity, **fields)

    async def join(
        self,
        identity: str,
        browser: str = "chromium",
        *,
        url: str | None = None,
        token: str | None = None,
        **options: Any,
    ) -> Participant:
        """Open a page and connect; `options` go to the client's room."""
        person = await self.open(identity, browser)
        await person.join(url or self.server.ws_url, token or await self.token(identity), **options)
        return person

    async def close_page(self, person: Participant) -> None:
        """Close one person's tab."""
        self._people.remove(person)
        await person.page.close()

    async def crash(self, person: Participant) -> None:
        """Kill one person's page: it says goodbye to nobody."""
        self._people.remove(person)
        await person.page.crash()

    async def close(self) -> list[str]:
        """Close every page; give the errors that nobody caught in them."""
        found = await asyncio.gather(*(_close(person) for person in self._people))
        return [error for errors in found for error in errors]


async def _close(person: Participant) -> list[str]:
    errors = [f"{person}: {error}" for error in await person.page.errors()]
    await person.page.close()
    return errors

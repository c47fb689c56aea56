"""The room API as an application developer uses it: HTTP, an API key and its secret."""

import base64
import secrets
from datetime import timedelta
from typing import Any, Self

import aiohttp
from livekit import api

from tests.support.server import Server


class Refused(Exception):
    """The server answered with a problem."""

    def __init__(self, status: int, body: Any) -> None:
        """Keep the status and the problem+json document."""
        super().__init__(f"{status}: {body}")
        self.status = status
        self.code = body.get("code") if isinstance(body, dict) else None


class Management:
    """A client of the REST interface. Use as an async context manager."""

    def __init__(self, server: Server) -> None:
        """Talk to this server with its key."""
        self.server = server
        credentials = base64.b64encode(f"{server.key}:{server.secret}".encode()).decode()
        self._http = aiohttp.ClientSession(
            base_url=server.url, headers={"Authorization": f"Basic {credentials}"}, raise_for_status=False
        )

    async def __aenter__(self) -> Self:
        """Nothing is opened before the first request."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._http.close()

    async def ask(self, verb: str, path: str, body: object = None) -> Any:
        """Send one request and give back the JSON of its answer; a problem is raised."""
        async with self._http.request(verb, path, json=body) as answer:
            content = await answer.json(content_type=None) if answer.content_type.endswith("json") else None
            if answer.status >= 400:
                raise Refused(answer.status, content)
            return content

    async def room(self, **fields: object) -> str:
        """Create a room that is open now and give back its id."""
        created = await self.ask("POST", "/v1/rooms", {"kind": "group", "name": "A test", **fields})
        return str(created["id"])

    async def token(self, room: str, identity: str, *, role: str = "guest", **fields: object) -> str:
        """Expect a participant and give back a token to join with."""
        path = f"/v1/rooms/{room}/participants/{identity}"
        await self.ask("PUT", path, {"role": role, "name": identity.capitalize(), **fields})
        return str((await self.ask("POST", f"{path}/token"))["token"])

    async def remove(self, room: str, identity: str) -> None:
        """Remove a participant; the tokens given so far are dead."""
        await self.ask("POST", f"/v1/rooms/{room}/participants/{identity}/remove")

    def foreign_token(self, room: str, identity: str, **grants: Any) -> str:
        """Mint a token with LiveKit's own server SDK, as an application that already uses it would."""
        return (
            api.AccessToken(self.server.key, self.server.secret)
            .with_identity(identity)
            .with_name(identity.capitalize())
            .with_ttl(timedelta(minutes=10))
            .with_grants(api.VideoGrants(room_join=True, room=room, **grants))
            .to_jwt()
        )

    async def metrics(self) -> str:
        """Give the text that Prometheus scrapes."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.server.admin_url}/metrics") as answer:
            return await answer.text()

    async def debug_state(self) -> Any:
        """Give what the server says about its live objects."""
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{self.server.admin_url}/debug/state") as answer,
        ):
            return await answer.json()


def room_name() -> str:
    """Give a name that no other test uses."""
    return f"room-{secrets.token_hex(4)}"

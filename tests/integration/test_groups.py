"""Sub-groups with the unmodified SDK: people move and return with the connection that they have."""

import json
from collections.abc import Awaitable, Callable

import pytest

from tests.support.eventually import eventually
from tests.support.management import Management
from tests.support.sdk import SdkParticipant
from tests.support.server import Server

pytestmark = pytest.mark.integration


async def test_people_go_into_a_group_and_return_without_joining_again(own_server: Server) -> None:
    async with Management(own_server) as client:
        room = await client.room()
        tokens = {name: await client.token(room, name, role="host") for name in ("ada", "bob", "cy")}
        async with SdkParticipant() as ada, SdkParticipant() as bob, SdkParticipant() as cy:
            people = {"ada": ada, "bob": bob, "cy": cy}
            for name, person in people.items():
                await person.join(own_server.ws_url, tokens[name])
            await bob.publish()
            await _see(people, ada={"bob", "cy"}, bob={"ada", "cy"}, cy={"ada", "bob"})
            body = {"name": "Left", "members": ["ada", "bob"]}
            group = (await client.ask("POST", f"/v1/rooms/{room}/groups", body))["id"]
            await _see(people, ada={"bob"}, bob={"ada"}, cy=set())
            await eventually(_true(lambda: len(_tracks(ada)) == 2), what="bob's tracks in the group")
            assert json.loads(ada.room.metadata)["group"] == {"id": group, "name": "Left", "closes_at": None}
            members = f"/v1/rooms/{room}/groups/{group}/members"
            await client.ask("PUT", members, {"identities": ["ada", "bob", "cy"]})
            await _see(people, ada={"bob", "cy"}, bob={"ada", "cy"}, cy={"ada", "bob"})
            await client.ask("PUT", members, {"identities": ["bob"]})
            await _see(people, ada={"cy"}, bob=set(), cy={"ada"})
            await client.ask("POST", f"/v1/rooms/{room}/groups/{group}/close")
            await _see(people, ada={"bob", "cy"}, bob={"ada", "cy"}, cy={"ada", "bob"})
            await eventually(_true(lambda: len(_tracks(cy)) == 2), what="bob's tracks for all")
            assert "group" not in json.loads(bob.room.metadata)
        told = [
            one["type"] for one in (await client.ask("GET", f"/v1/events?room={room}&limit=200"))["items"]
        ]
        assert told.count("connection.opened") == 3


async def test_who_loses_the_line_comes_back_into_the_group(own_server: Server) -> None:
    async with Management(own_server) as client:
        room = await client.room()
        tokens = [await client.token(room, name) for name in ("ada", "bob")]
        async with SdkParticipant() as bob:
            await bob.join(own_server.ws_url, tokens[1])
            await client.ask("POST", f"/v1/rooms/{room}/groups", {"members": ["ada", "bob"]})
            own_server.kill()
            own_server.start()
            async with SdkParticipant() as ada:
                await ada.join(own_server.ws_url, tokens[0])
                await _see({"ada": ada}, ada={"bob"})
                assert "group" in json.loads(ada.room.metadata)


async def _see(people: dict[str, SdkParticipant], **wanted: set[str]) -> None:
    def seen() -> dict[str, set[str]]:
        return {name: set(person.room.remote_participants) for name, person in people.items()}

    await eventually(_true(lambda: seen() == wanted), within=10, what=f"{wanted}")


def _tracks(person: SdkParticipant) -> list[str]:
    others = person.room.remote_participants.values()
    return [sid for one in others for sid, track in one.track_publications.items() if track.subscribed]


def _true(look: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def asked() -> bool:
        return look()

    return asked

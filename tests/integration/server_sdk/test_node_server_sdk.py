"""Rooms managed by the unmodified server SDK for Node, which speaks JSON; the one for Python does not."""

import asyncio
import json
import shutil
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from livekit import rtc

from tests.support.management import Management, room_name
from tests.support.sdk_person import Person
from tests.support.server import Server

pytestmark = pytest.mark.integration

_SCRIPT = Path(__file__).with_name("client.mjs")
_WITHIN = 15.0  # seconds; the SDK's own time-out is 10


class Refused(Exception):
    """The SDK threw an error, with the status and the code that it read."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code


class NodeSdk:
    """A process that calls the SDK's methods."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def ask(self, method: str, *values: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = json.dumps({"method": method, "values": values})
        self._process.stdin.write(f"{line}\n".encode())
        answer = json.loads(await asyncio.wait_for(self._process.stdout.readline(), _WITHIN))
        if "answer" not in answer:
            raise Refused(answer["status"], answer["code"], answer["message"])
        return answer["answer"]


@pytest.fixture
async def node(server: Server) -> AsyncIterator[NodeSdk]:
    program = shutil.which("node")
    assert program is not None, "Node.js is needed: see .ci/toolchain"
    process = await asyncio.create_subprocess_exec(
        program, str(_SCRIPT), server.url, server.key, server.secret, stdin=PIPE, stdout=PIPE
    )
    yield NodeSdk(process)
    assert process.stdin is not None
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), _WITHIN) == 0


class Lobby:
    """Two rooms and who is in them."""

    def __init__(self, management: Management) -> None:
        self.management = management
        self.people: list[Person] = []

    async def joins(self, room: str, identity: str) -> Person:
        person = Person(identity)
        self.people.append(person)
        token = self.management.foreign_token(room, identity)
        await person.room.connect(self.management.server.ws_url, token)
        return person


@pytest.fixture
async def lobby(management: Management) -> AsyncIterator[Lobby]:
    one = Lobby(management)
    yield one
    for person in one.people:
        await person.leaves()


async def test_rooms_are_made_listed_changed_and_deleted(node: NodeSdk) -> None:
    name = room_name()
    made = await node.ask("createRoom", {"name": name, "maxParticipants": 4, "metadata": "hello"})
    assert (made["name"], made["maxParticipants"], made["metadata"]) == (name, 4, "hello")
    assert (await node.ask("updateRoomMetadata", name, "news"))["metadata"] == "news"
    (listed,) = await node.ask("listRooms", [name])
    assert (listed["sid"], listed["metadata"]) == (made["sid"], "news")
    assert listed["creationTime"] == made["creationTime"]
    await node.ask("deleteRoom", name)
    assert await node.ask("listRooms", [name]) == []
    with pytest.raises(Refused) as caught:
        await node.ask("deleteRoom", name)
    assert (caught.value.status, caught.value.code) == (404, "not_found")
    assert "requested room does not exist" in str(caught.value)


async def test_people_are_listed_muted_changed_written_to_and_removed(node: NodeSdk, lobby: Lobby) -> None:
    name = (await node.ask("createRoom", {"name": room_name()}))["name"]
    ada, bob = await lobby.joins(name, "ada"), await lobby.joins(name, "bob")
    track = await ada.speaks()
    await bob.hears("ada")
    people = {one["identity"]: one for one in await node.ask("listParticipants", name)}
    assert people.keys() == {"ada", "bob"}
    assert people["ada"]["tracks"][0]["sid"] == track.sid
    assert (await node.ask("getParticipant", name, "ada"))["sid"] == ada.me.sid

    assert (await node.ask("mutePublishedTrack", name, "ada", track.sid, True))["muted"] is True
    await bob.happened("track_muted")
    with pytest.raises(Refused) as caught:
        await node.ask("mutePublishedTrack", name, "ada", track.sid, False)
    assert caught.value.code == "failed_precondition"

    options = {"name": "Dr Ada", "attributes": {"seat": "3"}, "permission": {"canSubscribe": True}}
    changed = await node.ask("updateParticipant", name, "ada", options)
    assert (changed["name"], changed["attributes"]) == ("Dr Ada", {"seat": "3"})
    allowed = {name for name, value in changed["permission"].items() if value}
    assert allowed == {"canSubscribe"}
    await bob.happened("participant_name_changed")
    await bob.happened("track_unpublished")

    mine = await bob.speaks()
    await ada.hears("bob")
    await node.ask("updateSubscriptions", name, "ada", [mine.sid], False)
    await node.ask(
        "sendData", name, {"text": "soon over"}, 0, {"topic": "t", "destinationIdentities": ["bob"]}
    )
    _, (packet,) = await bob.happened("data_received")
    assert (packet.data, packet.topic) == (b"soon over", "t")

    await node.ask("removeParticipant", name, "ada")
    _, (reason,) = await ada.happened("disconnected")
    assert reason == rtc.DisconnectReason.PARTICIPANT_REMOVED


async def test_a_person_is_moved(node: NodeSdk, lobby: Lobby) -> None:
    here, there = [(await node.ask("createRoom", {"name": room_name()}))["name"] for _ in range(2)]
    ada, eve = await lobby.joins(here, "ada"), await lobby.joins(there, "eve")
    await ada.speaks()
    await node.ask("moveParticipant", here, "ada", there)
    await ada.happened("moved")
    await eve.hears("ada")
    with pytest.raises(Refused) as caught:
        await node.ask("forwardParticipant", there, "ada", here)
    assert (caught.value.status, caught.value.code) == (501, "unimplemented")

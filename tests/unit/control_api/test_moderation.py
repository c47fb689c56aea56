"""Moderation by REST, with calls on a stage."""

import pytest
from livekit.protocol import rtc

from control_api import Addresses, ApiSettings, ControlApi
from rooms import Admission
from rooms.announcements import AT_MOST
from sfu import LegStats
from signalling.livekit.management import Management
from signalling.livekit.media import Clocks
from signalling.livekit.settings import SignalLimits
from tests.support.stage import Client as Person
from tests.support.stage import Stage
from tests.unit.control_api.conftest import NOW, READER, STRANGER, Client

P = "/v1/rooms/rdv/participants/p"


@pytest.fixture
async def stage(client: Client) -> Stage:
    """Give the calls of the rooms that the client manages."""
    stage = Stage()
    clocks = Clocks(now=lambda: stage.now, wall=lambda: NOW)
    management = Management(stage.hub, client.rooms, clocks, SignalLimits())
    client.rooms.observe(stage.hub)
    settings = ApiSettings(Addresses("https://visio.example"))
    client.api = ControlApi(client.rooms, settings, version="1", live=management)
    await client.ask("POST", "/v1/rooms", {"id": "rdv"})
    return stage


async def come(client: Client, stage: Stage, identity: str = "p", role: str = "patient") -> Person:
    """Let somebody into the call as the door would."""
    path = f"/v1/rooms/rdv/participants/{identity}"
    await client.ask("PUT", path, {"role": role})
    token = (await client.ask("POST", f"{path}/token")).body["token"]
    admitted: Admission = await client.rooms.verify_join(token, now=NOW)
    return stage.joins(
        identity,
        admitted.grants,
        room_id=admitted.room_id,
        room_name="rdv",
        warrant=admitted.warrant,
        rules=admitted.rules,
        epoch=admitted.epoch,
    )


async def test_one_is_muted_and_all_and_the_microphone_is_meant_unless_said_otherwise(
    client: Client, stage: Stage
) -> None:
    person = await come(client, stage)
    person.publishes()
    assert (await client.ask("POST", f"{P}/mute")).status == 204
    assert len(person.hears("mute")) == 1
    assert (await client.ask("POST", "/v1/rooms/rdv/mute-all", {"sources": ["camera"]})).status == 204
    events = (await client.ask("GET", "/v1/events?room=rdv")).body["items"]
    assert [one["data"]["sources"] for one in events if one["type"].endswith("muted")] == [
        ["microphone"],
        ["camera"],
    ]


@pytest.mark.parametrize("sources", [[], ["face"], ["camera", "camera"], "camera"])
async def test_what_is_no_list_of_sources_is_refused(client: Client, stage: Stage, sources: object) -> None:
    await come(client, stage)
    refused = await client.ask("POST", f"{P}/mute", {"sources": sources})
    assert (refused.status, refused.body["code"]) == (422, "invalid-field")


async def test_restraints_are_put_in_force_and_shown(client: Client, stage: Stage) -> None:
    person = await come(client, stage)
    person.publishes()
    taken = {"forbidden": ["microphone"], "may_unmute": False}
    assert (await client.ask("PUT", f"{P}/restraints", taken)).body == taken
    assert len(person.hears("track_unpublished")) == 1
    assert (await client.ask("GET", P)).body["restraints"] == taken
    assert (await client.ask("PUT", f"{P}/restraints", {})).body == {"forbidden": [], "may_unmute": True}
    await client.ask("PUT", "/v1/rooms/rdv/restraints", {"forbidden": ["screen_share"]})
    room = (await client.ask("GET", "/v1/rooms/rdv")).body
    assert room["restraints"]["forbidden"] == ["screen_share", "screen_share_audio"]


async def test_how_lines_are_is_told_without_addresses_and_only_of_the_own_tenant(
    client: Client, stage: Stage
) -> None:
    assert (await client.ask("GET", "/v1/rooms/rdv/quality")).body == {"items": []}
    person = await come(client, stage)
    (line,) = (await client.ask("GET", "/v1/rooms/rdv/quality", key=READER)).body["items"]
    assert (line["connection"], line["identity"], line["kbps_up"]) == (person.sid, "p", None)
    person.leg.now_stats = LegStats(packets_up=990, lost_up=10, bytes_up=62_500, rtt_seconds=0.05)
    stage.passes(5)
    (line,) = (await client.ask("GET", "/v1/rooms/rdv/quality")).body["items"]
    assert line == {
        "connection": person.sid,
        "identity": "p",
        "group": None,
        "path": "udp",
        "family": "ipv4",
        "loss_up": 0.01,
        "loss_down": None,
        "rtt_seconds": 0.05,
        "kbps_up": 100.0,
        "kbps_down": 0.0,
        "pictures": [],
        "audio_only": False,
        "quality": "excellent",
        "score": line["score"],
        "since": "2030-03-17T17:46:40Z",
    }
    assert 4.1 < line["score"] < 4.5
    assert (await client.ask("GET", "/v1/rooms/rdv/quality", key=STRANGER)).status == 404


async def test_a_room_is_locked_and_unlocked(client: Client, stage: Stage) -> None:
    link = (await client.ask("POST", "/v1/rooms/rdv/links")).body["url"].rpartition("/")[2]
    locked = await client.ask("POST", "/v1/rooms/rdv/lock")
    assert locked.body["locked_at"] == "2030-03-17T17:46:40Z"
    assert (await client.ask("GET", "/v1/rooms/rdv")).headers["ETag"] == locked.headers["ETag"]
    refused = await client.ask("POST", "/v1/join", {"link": link, "key": "k" * 16}, key=None)
    assert (refused.status, refused.body["code"]) == (403, "locked")
    assert (await client.ask("POST", "/v1/rooms/rdv/unlock")).body["locked_at"] is None
    assert (await client.ask("POST", "/v1/join", {"link": link, "key": "k" * 16}, key=None)).status == 200


async def test_hands_are_listed_in_order_and_lowered(client: Client, stage: Stage) -> None:
    for identity in ("b", "a"):
        person = await come(client, stage, identity)
        stage.passes(1)
        person.says(update_metadata=rtc.UpdateParticipantMetadata(attributes={"hand": "up"}))
    hands = (await client.ask("GET", "/v1/rooms/rdv/hands")).body["items"]
    assert [(one["identity"], one["position"]) for one in hands] == [("b", 1), ("a", 2)]
    assert hands[0]["raised_at"] == "2027-01-15T08:00:01Z"
    assert (await client.ask("POST", "/v1/rooms/rdv/participants/b/lower-hand")).status == 204
    hands = (await client.ask("GET", "/v1/rooms/rdv/hands")).body["items"]
    assert [(one["identity"], one["position"]) for one in hands] == [("a", 1)]
    assert (await client.ask("POST", "/v1/rooms/rdv/lower-hands")).status == 204
    assert (await client.ask("GET", "/v1/rooms/rdv/hands")).body == {"items": []}


class TestMoving:
    async def test_a_person_goes_on_in_another_room(self, client: Client, stage: Stage) -> None:
        person = await come(client, stage)
        await client.ask("POST", "/v1/rooms", {"id": "there"})
        assert (await client.ask("POST", f"{P}/move", {"room": "there"})).status == 204
        assert person.hears("room_moved")[0].room.name == "there"

    async def test_what_is_in_the_way_is_said(self, client: Client, stage: Stage) -> None:
        await client.ask("POST", "/v1/rooms", {"id": "there"})
        await client.ask("PUT", P, {"role": "patient"})
        assert (await client.ask("POST", f"{P}/move", {"room": "there"})).status == 404, "not in the call"
        person = await come(client, stage)
        for room, status, code in (("nowhere", 404, "not-found"), ("rdv", 422, "invalid-field")):
            refused = await client.ask("POST", f"{P}/move", {"room": room})
            assert (refused.status, refused.body["code"]) == (status, code)
        await client.ask("POST", "/v1/rooms/there/participants/p/remove")
        refused = await client.ask("POST", f"{P}/move", {"room": "there"})
        assert (refused.status, refused.body["code"]) == (409, "invalid-transition")
        await client.ask("POST", "/v1/rooms", {"id": "third"})
        person.loses_signal()
        refused = await client.ask("POST", f"{P}/move", {"room": "third"})
        assert (refused.status, refused.headers["Retry-After"]) == (503, "2")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "mute"), ("POST", "lower-hand"), ("PUT", "restraints")],
)
async def test_nobody_is_not_found(client: Client, stage: Stage, method: str, path: str) -> None:
    body: object = {} if method == "PUT" else None
    answer = await client.ask(method, f"/v1/rooms/rdv/participants/nobody/{path}", body)
    assert (answer.status, answer.body["code"]) == (404, "not-found")


async def test_everybody_is_told_something_and_too_much_of_it_is_refused(
    client: Client, stage: Stage
) -> None:
    person = await come(client, stage)
    for _ in range(AT_MOST):
        assert (await client.ask("POST", "/v1/rooms/rdv/announce", {"text": "Bonjour"})).status == 204
    assert len(person.leg.data) == AT_MOST
    refused = await client.ask("POST", "/v1/rooms/rdv/announce", {"text": "Bonjour"})
    assert (refused.status, refused.body["code"], refused.headers["Retry-After"]) == (
        429,
        "rate-limited",
        "60",
    )
    assert len(person.leg.data) == AT_MOST
    events = (await client.ask("GET", "/v1/events?room=rdv")).body["items"]
    assert "Bonjour" not in str(events)
    await client.ask("POST", "/v1/rooms/rdv/cancel")
    refused = await client.ask("POST", "/v1/rooms/rdv/announce", {"text": "Bonjour"})
    assert (refused.status, refused.body["code"]) == (409, "invalid-transition")


@pytest.mark.parametrize("text", ["", " \n ", "x" * 501, 7, None])
async def test_an_announcement_says_something_and_not_too_much(
    client: Client, stage: Stage, text: object
) -> None:
    person = await come(client, stage)
    refused = await client.ask("POST", "/v1/rooms/rdv/announce", {"text": text})
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/text")
    assert person.leg.data == []

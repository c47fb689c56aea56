"""The whole protocol as the unmodified Python client SDK speaks it, against the real server."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import pytest
from livekit import rtc

from tests.support.line import Line
from tests.support.management import Management, room_name
from tests.support.sdk_person import WITHIN, Person
from tests.support.server import Server

pytestmark = pytest.mark.integration


class Visit:
    """One room of the server and the people in it."""

    def __init__(self, server: Server, management: Management) -> None:
        self.server = server
        self.management = management
        self.name = room_name()
        self.people: list[Person] = []

    async def joins(
        self, identity: str, *, url: str | None = None, options: rtc.RoomOptions | None = None
    ) -> Person:
        person = Person(identity)
        self.people.append(person)
        token = await self.management.token(self.name, identity)
        await person.room.connect(url or self.server.ws_url, token, options or rtc.RoomOptions())
        return person


@pytest.fixture
async def visit(server: Server, management: Management) -> AsyncIterator[Visit]:
    """Give an open room of its own to each test; everybody leaves after it."""
    one = Visit(server, management)
    await management.room(id=one.name)
    yield one
    for person in one.people:
        await person.leaves()


async def test_two_people_see_and_hear_each_other(visit: Visit) -> None:
    ada, bob = await visit.joins("ada"), await visit.joins("bob")
    cameras = [await person.prepares() for person in (ada, bob)]
    for person, film in zip((ada, bob), cameras, strict=True):
        await person.speaks()
        film()
    await asyncio.gather(ada.sees("bob"), ada.hears("bob"), bob.sees("ada"), bob.hears("ada"))


async def test_the_first_answer_brings_a_late_joiner_everything(visit: Visit) -> None:
    ada = await visit.joins("ada")
    await ada.shows()
    await ada.speaks()
    bob = await visit.joins("bob")
    await asyncio.gather(bob.sees("ada"), bob.hears("ada"))
    assert set(bob.room.remote_participants) == {"ada"}


async def test_a_publisher_learns_that_it_is_received(visit: Visit) -> None:
    ada = await visit.joins("ada")
    await visit.joins("bob")
    await ada.speaks()
    await ada.happened("local_track_subscribed")


async def test_mute_is_seen_by_the_others(visit: Visit) -> None:
    ada, bob = await visit.joins("ada"), await visit.joins("bob")
    publication = await ada.speaks()
    await bob.hears("ada")
    assert publication.track is not None
    publication.track.mute()
    await bob.happened("track_muted", lambda who, _: who.identity == "ada")
    publication.track.unmute()
    await bob.happened("track_unmuted", lambda who, _: who.identity == "ada")
    await bob.hears("ada")


async def test_a_track_that_is_taken_away_is_gone_and_another_can_follow(visit: Visit) -> None:
    ada, bob = await visit.joins("ada"), await visit.joins("bob")
    first = await ada.shows("first")
    await bob.sees("ada")
    await ada.me.unpublish_track(first.sid)
    await bob.happened("track_unpublished", lambda one, _: one.name == "first")
    await ada.shows("second")
    await bob.happened("track_subscribed", lambda _t, one, _w: one.name == "second")


async def test_a_subscriber_stops_and_starts_receiving(visit: Visit) -> None:
    ada, bob = await visit.joins("ada"), await visit.joins("bob")
    await ada.shows()
    await bob.sees("ada")
    (publication,) = bob.room.remote_participants["ada"].track_publications.values()
    publication.set_subscribed(False)
    await bob.happened("track_unsubscribed")
    since = len(bob.journal)
    publication.set_subscribed(True)
    await bob.happened("track_subscribed", since=since)


async def test_who_subscribes_by_hand_gets_nothing_unasked(visit: Visit) -> None:
    ada = await visit.joins("ada")
    await ada.shows()
    bob = await visit.joins("bob", options=rtc.RoomOptions(auto_subscribe=False))
    (publication,) = bob.room.remote_participants["ada"].track_publications.values()
    assert not publication.subscribed
    publication.set_subscribed(True)
    await bob.sees("ada")


async def test_a_publisher_decides_who_receives(visit: Visit) -> None:
    ada, bob, cleo = [await visit.joins(name) for name in ("ada", "bob", "cleo")]
    allowed = rtc.ParticipantTrackPermission(participant_identity="bob", allow_all=True)
    ada.me.set_track_subscription_permissions(allow_all_participants=False, participant_permissions=[allowed])
    await ada.speaks()
    await bob.hears("ada")
    assert not [one for one in cleo.journal if one[1] == "track_subscribed"]
    ada.me.set_track_subscription_permissions(allow_all_participants=True)
    await cleo.hears("ada")


@pytest.mark.parametrize("reliable", [True, False])
async def test_data_arrives_with_its_sender_and_topic(visit: Visit, reliable: bool) -> None:
    ada, bob = await visit.joins("ada"), await visit.joins("bob")
    await ada.me.publish_data(b"hello", reliable=reliable, topic="greeting")
    _, (packet,) = await bob.happened("data_received")
    assert (packet.data, packet.topic, packet.participant.identity) == (b"hello", "greeting", "ada")


async def test_reliable_data_stays_in_order(visit: Visit) -> None:
    ada, bob = await visit.joins("ada"), await visit.joins("bob")
    for number in range(200):
        await ada.me.publish_data(str(number), reliable=True)
    await bob.happened("data_received", lambda packet: packet.data == b"199")
    got = [int(values[0].data) for _, event, values in bob.journal if event == "data_received"]
    assert got == list(range(200))


async def test_data_for_one_reaches_nobody_else(visit: Visit) -> None:
    ada, bob, cleo = [await visit.joins(name) for name in ("ada", "bob", "cleo")]
    await ada.me.publish_data("for bob", reliable=True, destination_identities=["bob"])
    await ada.me.publish_data("for all", reliable=True)
    await cleo.happened("data_received", lambda packet: packet.data == b"for all")
    await bob.happened("data_received", lambda packet: packet.data == b"for bob")
    assert [values[0].data for _, event, values in cleo.journal if event == "data_received"] == [b"for all"]


async def test_a_text_stream_larger_than_many_packets_arrives_whole(visit: Visit) -> None:
    ada, bob = await visit.joins("ada"), await visit.joins("bob")
    whole: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()
    readers: set[asyncio.Task[None]] = set()

    async def read(reader: rtc.TextStreamReader, identity: str) -> None:
        whole.set_result((identity, await reader.read_all()))

    bob.room.register_text_stream_handler(
        "notes", lambda reader, identity: readers.add(asyncio.ensure_future(read(reader, identity)))
    )
    text = "Grüße aus der Ambulanz. " * 20_000
    await ada.me.send_text(text, topic="notes")
    async with asyncio.timeout(WITHIN):
        assert await whole == ("ada", text)


async def test_a_remote_call_is_answered(visit: Visit) -> None:
    ada, bob = await visit.joins("ada"), await visit.joins("bob")

    async def double(call: rtc.RpcInvocationData) -> str:
        return f"{call.caller_identity}:{call.payload * 2}"

    bob.me.register_rpc_method("double", double)
    answer = await ada.me.perform_rpc(destination_identity="bob", method="double", payload="ab")
    assert answer == "ada:abab"


async def test_name_metadata_and_attributes_reach_the_others(visit: Visit) -> None:
    ada, bob = await visit.joins("ada"), await visit.joins("bob")
    await ada.me.set_attributes({"hand": "2026-11-23T10:00:00Z"})
    await ada.me.set_name("Dr Ada")
    await ada.me.set_metadata("ward 4")
    await bob.happened("participant_attributes_changed", lambda changed, _: "hand" in changed)
    await bob.happened("participant_name_changed", lambda _who, _old, new: new == "Dr Ada")
    await bob.happened("participant_metadata_changed", lambda _who, _old, new: new == "ward 4")
    await ada.me.set_attributes({"hand": ""})
    await bob.happened("participant_attributes_changed", lambda changed, _: changed.get("hand") == "")


async def test_the_one_who_speaks_is_named(visit: Visit) -> None:
    ada, bob = await visit.joins("ada"), await visit.joins("bob")
    await ada.speaks()
    await bob.happened("active_speakers_changed", lambda who: [one.identity for one in who] == ["ada"])


async def test_the_quality_of_a_good_line_is_told_as_excellent(visit: Visit) -> None:
    ada, bob = await visit.joins("ada"), await visit.joins("bob")
    await ada.speaks()
    excellent = rtc.ConnectionQuality.QUALITY_EXCELLENT
    await bob.happened(
        "connection_quality_changed", lambda who, word: who.identity == "ada" and word == excellent
    )


async def test_who_is_removed_is_told_and_gone_for_the_others(visit: Visit) -> None:
    ada, bob = await visit.joins("ada"), await visit.joins("bob")
    before = time.perf_counter()
    await visit.management.remove(visit.name, "ada")
    at, (reason,) = await ada.happened("disconnected")
    assert reason == rtc.DisconnectReason.PARTICIPANT_REMOVED
    assert at - before < 1.0
    at, _ = await bob.happened("participant_disconnected", lambda who: who.identity == "ada")
    assert at - before < 1.0


async def test_the_same_identity_again_replaces_the_older(visit: Visit) -> None:
    bob, older = await visit.joins("bob"), await visit.joins("ada")
    newer = await visit.joins("ada")
    _, (reason,) = await older.happened("disconnected")
    assert reason == rtc.DisconnectReason.DUPLICATE_IDENTITY
    await newer.speaks()
    await bob.hears("ada")
    assert newer.room.isconnected()


async def test_rights_that_are_taken_away_end_the_track(visit: Visit) -> None:
    ada, bob = await visit.joins("ada"), await visit.joins("bob")
    await ada.shows()
    await bob.sees("ada")
    path = f"/v1/rooms/{visit.name}/participants/ada"
    await visit.management.ask("PUT", path, {"role": "guest", "name": "Ada", "can_publish": ["microphone"]})
    await bob.happened("track_unpublished", lambda _, who: who.identity == "ada")
    await ada.speaks("still allowed")
    await bob.hears("ada")


async def test_changes_of_the_room_and_its_people_reach_somebody_who_was_never_put(visit: Visit) -> None:
    await visit.joins("ada")
    robot = Person("robot")
    visit.people.append(robot)
    await robot.room.connect(
        visit.server.ws_url, visit.management.foreign_token(visit.name, "robot"), rtc.RoomOptions()
    )
    await visit.management.ask("PATCH", f"/v1/rooms/{visit.name}", {"name": "Later"})
    await robot.happened("room_updated", lambda *_: json.loads(robot.room.metadata)["name"] == "Later")
    path = f"/v1/rooms/{visit.name}/participants/ada"
    await visit.management.ask("PUT", path, {"attributes": {"seat": "3"}})
    await robot.happened("participant_attributes_changed", lambda changed, _: changed == {"seat": "3"})


async def test_media_goes_on_while_signalling_is_lost_and_resumed(visit: Visit) -> None:
    async with Line(visit.server.ports.http) as line:
        bob = await visit.joins("bob")
        ada = await visit.joins("ada", url=line.ws_url)
        await ada.speaks()
        await bob.hears("ada")
        since = len(bob.journal)
        line.cut()
        line.mend()
        cut_at = time.perf_counter()
        await bob.hears("ada")
        back_at, _ = await ada.happened("reconnected")
        await ada.me.set_attributes({"back": "yes"})
        await bob.happened("participant_attributes_changed", lambda changed, _: "back" in changed)
        assert back_at - cut_at < 4.0  # the SDK itself waits 3 s before it trusts the connection again
        unwanted = {"participant_disconnected", "track_unpublished", "track_unsubscribed"}
        assert not unwanted & {event for _, event, _ in bob.journal[since:]}


async def test_a_full_reconnect_brings_everything_back(visit: Visit) -> None:
    ada, bob = await visit.joins("ada"), await visit.joins("bob")
    await ada.speaks()
    await bob.hears("ada")
    since = len(bob.journal)
    await ada.room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT)
    await bob.happened("track_subscribed", since=since)
    await bob.hears("ada")


async def test_who_leaves_is_gone_at_once(visit: Visit) -> None:
    ada, bob = await visit.joins("ada"), await visit.joins("bob")
    before = time.perf_counter()
    await ada.room.disconnect()
    at, (who,) = await bob.happened("participant_disconnected", lambda who: who.identity == "ada")
    assert at - before < 1.0
    assert who.disconnect_reason == rtc.DisconnectReason.CLIENT_INITIATED

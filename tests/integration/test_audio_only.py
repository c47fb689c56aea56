"""A room that becomes one for sound alone during a call, with the unmodified Python client SDK."""

import asyncio

import pytest
from livekit import rtc
from livekit.rtc.participant import PublishTrackError

from tests.support.eventually import eventually
from tests.support.management import Management, room_name
from tests.support.sdk_person import Person
from tests.support.server import Server

pytestmark = pytest.mark.integration


async def test_pictures_end_for_everybody_at_once_and_may_be_sent_again_afterwards(
    server: Server, management: Management
) -> None:
    room = await management.room(id=room_name())
    ada, bob = Person("ada"), Person("bob")
    try:
        for person in (ada, bob):
            await person.room.connect(server.ws_url, await management.token(room, person.identity))
        camera = await ada.prepares()
        await ada.speaks()
        camera()
        await asyncio.gather(bob.sees("ada"), bob.hears("ada"))
        await management.ask("PATCH", f"/v1/rooms/{room}", {"bandwidth": {"audio_only": True}})
        _, (_, publication, _) = await bob.happened("track_unsubscribed")
        assert publication.kind == rtc.TrackKind.KIND_VIDEO
        with pytest.raises(PublishTrackError):
            await ada.shows("again")
        await ada.speaks("second voice")
        assert _kinds(bob, "ada") == {rtc.TrackKind.KIND_AUDIO}
        since = len(bob.journal)
        await management.ask("PATCH", f"/v1/rooms/{room}", {"bandwidth": {"audio_only": False}})
        await asyncio.sleep(0.5)
        assert _kinds(bob, "ada") == {rtc.TrackKind.KIND_AUDIO}
        await ada.shows("anew")

        async def seen() -> bool:
            return any(name == "track_subscribed" for _, name, _ in bob.journal[since:])

        await eventually(seen, within=10, what="the camera that was switched on again")
        events = (await management.ask("GET", f"/v1/events?room={room}&limit=200"))["items"]
        told = [(one["type"], one["data"]) for one in events if one["type"].startswith("audio_only.")]
        assert told == [("audio_only.on", {"cause": "api"}), ("audio_only.off", {"cause": "api"})]
    finally:
        for person in (ada, bob):
            await person.leaves()


def _kinds(viewer: Person, identity: str) -> set[int]:
    others = viewer.room.remote_participants[identity].track_publications
    return {int(one.kind) for one in others.values()}

"""A handful of rows of tests/data/messages.toml over real sockets: the shells do as the sessions decide."""

from collections.abc import Mapping

import pytest
from aiortc.mediastreams import AudioStreamTrack
from livekit.protocol import models, rtc

from tests.support.management import Management
from tests.support.messages import rows
from tests.support.rtc_peer import RtcPeer
from tests.support.waiting_client import WaitingClient

pytestmark = pytest.mark.integration


async def test_who_waits_can_do_nothing_that_hosts_can(management: Management) -> None:
    room = await management.room(waiting_room=True)
    tokens = {name: await management.token(room, name, role="patient") for name in ("tester", "target")}
    doctor = await management.token(room, "doctor", role="host")
    async with (
        WaitingClient(management.server, tokens["target"]) as target,
        WaitingClient(management.server, tokens["tester"]) as tester,
        WaitingClient(management.server, doctor) as attending,
    ):
        await target.hears("waiting", attended=True)
        await tester.hears("waiting", attended=True)
        await attending.hears("people")
        before = await _events(management, room)
        for row in rows("waiting"):
            answer = await tester.ask(row.name, **row.says)
            assert (answer["type"], answer["code"]) == ("error", row.refusal), row
        assert await _events(management, room) == before
        heard = len(target.heard)
        assert (await attending.ask("late_notice", minutes=5))["type"] == "done"
        await target.hears("waiting")
        assert len(target.heard) == heard + 1, "nothing came before it"


async def test_a_token_that_is_dead_opens_no_channel(management: Management) -> None:
    room = await management.room(waiting_room=True)
    token = await management.token(room, "patient", role="patient")
    await management.remove(room, "patient")
    for dead, code in ((token, "revoked"), (token[:-4], "unauthenticated")):
        async with WaitingClient(management.server, dead) as waiting:
            assert (await waiting.hears("refused"))["code"] == code
            assert await waiting.ends() == 4010


async def test_in_a_call_nobody_reaches_what_is_not_theirs(management: Management) -> None:
    server = management.server
    rooms = {name: await management.room() for name in ("here", "there")}
    names = {"bob": "here", "mallory": "here", "away": "there"}
    tokens = {name: await management.token(rooms[where], name) for name, where in names.items()}
    async with RtcPeer() as bob, RtcPeer() as mallory, RtcPeer() as away:
        people: Mapping[str, RtcPeer] = {"bob": bob, "mallory": mallory, "away": away}
        for name, peer in people.items():
            await peer.join(server.ws_url, tokens[name])
        theirs, elsewhere = await bob.publish(AudioStreamTrack()), await away.publish(AudioStreamTrack())
        await mallory.told("update", lambda told: bool(told.update.participants[0].tracks))
        before = len(bob.messages), len(away.messages)
        await mallory.send(mute=rtc.MuteTrackRequest(sid=theirs, muted=True))
        refused = (await mallory.told("request_response")).request_response
        assert refused.reason == rtc.RequestResponse.NOT_FOUND
        for sid in (elsewhere, "TR_nothing"):
            heard = len(mallory.messages)
            await mallory.send(subscription=rtc.UpdateSubscription(track_sids=[sid], subscribe=True))
            answer = await mallory.told("subscription_response", since=heard)
            assert answer.subscription_response.track_sid == sid
            assert answer.subscription_response.err == models.SubscriptionError.SE_TRACK_NOTFOUND
        # Whatever this brought to the others would have come before the answer to what they ask next.
        for peer, since in zip((bob, away), before, strict=True):
            await peer.send(ping_req=rtc.Ping(timestamp=1))
            await peer.told("pong_resp", since=since)
            kinds = {message.WhichOneof("message") for message in peer.messages[since:]}
            assert not kinds & {"mute", "track_unpublished", "media_sections_requirement"}


async def _events(management: Management, room: str) -> list[str]:
    return [one["id"] for one in (await management.ask("GET", f"/v1/events?room={room}&limit=200"))["items"]]

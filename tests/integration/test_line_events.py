"""What becomes of people's lines is told as it happens, in the log and by webhook."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from control_api.event_data import DATA_MODELS
from tests.support.eventually import eventually
from tests.support.receiver import Receiver
from tests.support.server import Server
from tests.support.tone_call import ToneCall, tone_call

pytestmark = pytest.mark.integration

OF_LINES = ["connection.degraded", "connection.recovered", "connection.path_changed"]
_SETTLED = 300  # packets of sound, 6 s: then a client has found its path, and a move of it is news


@pytest.fixture
async def call(own_server: Server) -> AsyncIterator[ToneCall]:
    async with tone_call(own_server) as call:
        yield call


async def told(call: ToneCall, identity: str) -> list[dict[str, Any]]:
    """Give what the log says of somebody's line, after a look at its form."""
    events = (await call.management.ask("GET", f"/v1/events?room={call.room}&limit=200"))["items"]
    found = [one for one in events if one["type"] in OF_LINES and one["data"]["identity"] == identity]
    for one in found:
        model = DATA_MODELS[one["type"]]
        assert one["data"].keys() == model.model_fields.keys()
        model.model_validate(one["data"])
    return found


async def come(call: ToneCall, identity: str, *types: str, within: float) -> list[dict[str, Any]]:
    async def so() -> bool:
        return len(await told(call, identity)) >= len(types)

    await eventually(so, within=within, what=f"{identity}: {types}")
    events = await told(call, identity)
    assert [one["type"] for one in events] == list(types)
    return events


async def hears(call: ToneCall, packets: int) -> None:
    """Wait until so many more packets have come to the receiver."""
    wanted = len(call.down.down) + packets

    async def enough() -> bool:
        return len(call.down.down) >= wanted

    await eventually(enough, within=30, what="the receiver gets sound")


@pytest.mark.timeout(60)  # 20 to 26 s in a quiet hour
async def test_a_line_that_loses_much_is_degraded_and_recovers_and_everybody_is_told(call: ToneCall) -> None:
    async with Receiver() as receiver:
        hook = {"url": receiver.url, "event_types": OF_LINES}
        webhook = await call.management.ask("POST", "/v1/webhooks", hook)
        call.down.faults.loss = 0.3
        (degraded,) = await come(call, "receiver", "connection.degraded", within=30)
        assert degraded["data"]["reason"] == "loss"
        assert 1 <= degraded["data"]["score"] < 3.3
        call.down.faults.loss = 0.0
        events = await come(call, "receiver", "connection.degraded", "connection.recovered", within=40)
        assert 10 < events[1]["data"]["seconds"] < 40
        assert events[0]["data"]["connection"] == events[1]["data"]["connection"]
        assert await told(call, "sender") == []

        async def delivered() -> bool:
            return len(receiver.deliveries) >= 2

        await eventually(delivered, within=5, what="both by webhook")
        assert [one.event for one in receiver.deliveries] == events
        for one in receiver.deliveries:
            one.verify(webhook["secret"])


async def test_a_client_that_comes_from_another_port_is_told_once_without_an_address(call: ToneCall) -> None:
    await hears(call, _SETTLED)
    call.up.rebind()

    async def moved() -> list[dict[str, Any]]:
        return [one for one in await told(call, "sender") if one["type"] == "connection.path_changed"]

    async def once() -> bool:
        return len(await moved()) == 1

    await eventually(once, within=20, what="the sender's path")
    await hears(call, 25)
    (event,) = await moved()
    assert (event["data"]["path"], event["data"]["family"]) == ("udp", "ipv4")
    assert "127.0.0.1" not in str(event)
    assert await told(call, "receiver") == []


async def test_a_silent_line_is_degraded_at_once_and_closed_though_the_server_is_killed(
    call: ToneCall,
) -> None:
    call.up.cut = True
    (degraded,) = await come(call, "sender", "connection.degraded", within=10)
    assert (degraded["data"]["reason"], degraded["data"]["score"]) == ("silence", 0.0)
    call.server.kill()
    await asyncio.to_thread(call.server.start)
    events = (await call.management.ask("GET", f"/v1/events?room={call.room}&limit=200"))["items"]
    own = [one for one in events if one["data"].get("connection") == degraded["data"]["connection"]]
    assert [one["type"].removeprefix("connection.") for one in own] == [
        *["opened", "media_ready", "degraded", "closed"],
    ]
    assert own[-1]["data"]["reason"] == "server_restart"

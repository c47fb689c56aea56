"""Webhooks as a receiver lives with them: real HTTP, real signatures, a server that is killed."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import WebhookVerificationError

from tests.support.eventually import eventually
from tests.support.management import Management, Refused, room_name
from tests.support.receiver import Delivery, Receiver, never
from tests.support.server import Server

pytestmark = pytest.mark.integration


@pytest.fixture
async def own(own_server: Server) -> AsyncIterator[Management]:
    async with Management(own_server) as client:
        yield client


async def hook(client: Management, url: str, **fields: object) -> Any:
    return await client.ask("POST", "/v1/webhooks", {"url": url, **fields})


async def live(client: Management, room: str) -> None:
    """Make a room and let three more things happen in it."""
    await client.room(id=room)
    for act in ("start", "finish", "reopen"):
        await client.ask("POST", f"/v1/rooms/{room}/{act}")


async def came(receiver: Receiver, room: str, *numbers: int) -> None:
    async def all_there() -> bool:
        return list(dict.fromkeys(receiver.told(room))) == list(numbers)

    await eventually(all_there, within=20, what=f"{room}: {numbers}, not {receiver.told(room)}")


async def deleted(client: Management, webhook: Any) -> None:
    await client.ask("DELETE", f"/v1/webhooks/{webhook['id']}")


async def test_events_come_signed_in_order_and_soon(management: Management) -> None:
    async with Receiver() as receiver:
        webhook = await hook(management, receiver.url)
        room = room_name()
        began = asyncio.get_running_loop().time()
        await live(management, room)
        await came(receiver, room, 1, 2, 3, 4)
        assert asyncio.get_running_loop().time() - began < 5
        own = [one for one in receiver.deliveries if one.event["room"] == room]
        logged = await management.ask("GET", f"/v1/events?room={room}")
        assert [one.event for one in own] == logged["items"]
        for one in own:
            one.verify(webhook["secret"])
            assert one.headers["webhook-id"] == one.event["id"]
            assert one.headers["Content-Type"] == "application/json"
        with pytest.raises(WebhookVerificationError):
            Delivery(own[0].headers, own[0].body + " ").verify(webhook["secret"])
        await deleted(management, webhook)


async def test_a_room_whose_events_are_refused_waits_and_others_go_on(management: Management) -> None:
    poor, good = room_name(), room_name()
    refusals = 2

    def answer(delivery: Delivery) -> int:
        return 500 if delivery.event["room"] == poor and receiver.told(poor).count(1) <= refusals else 204

    async with Receiver(answer) as receiver:
        webhook = await hook(management, receiver.url)
        await live(management, poor)
        await live(management, good)
        await came(receiver, good, 1, 2, 3, 4)
        assert set(receiver.told(poor)) == {1}
        await came(receiver, poor, 1, 2, 3, 4)
        assert receiver.told(poor) == [1, 1, 1, 2, 3, 4]
        await deleted(management, webhook)


async def test_a_receiver_that_never_answers_holds_nobody_up(management: Management) -> None:
    async with Receiver(never) as dead, Receiver() as good:
        webhooks = [await hook(management, one.url) for one in (dead, good)]
        rooms = [room_name() for _ in range(12)]
        for room in rooms:
            await management.room(id=room)
        for room in rooms:
            await came(good, room, 1)
        await management.ask("GET", "/v1/rooms")
        for webhook in webhooks:
            await deleted(management, webhook)


async def test_every_event_arrives_though_the_server_is_killed_again_and_again(
    own: Management, own_server: Server
) -> None:
    rooms = [room_name() for _ in range(6)]
    answers = [204, 500, 204]

    def now_and_then(_: Delivery) -> int:
        answers.append(answers.pop(0))
        return answers[-1]

    async with Receiver(now_and_then) as receiver:
        webhook = await hook(own, receiver.url)
        for pair in (rooms[:2], rooms[2:4], rooms[4:]):
            for room in pair:
                await live(own, room)
            own_server.kill()
            await asyncio.to_thread(own_server.start)
        receiver.answering = lambda _: 204
        for room in rooms:
            await came(receiver, room, 1, 2, 3, 4)
        ids: dict[tuple[str, int], set[str]] = {}
        for one in receiver.deliveries:
            one.verify(webhook["secret"])
            ids.setdefault((one.event["room"], one.event["seq"]), set()).add(one.headers["webhook-id"])
        assert all(len(same) == 1 for same in ids.values())


async def test_what_happens_while_the_receiver_is_down_comes_when_it_is_back(management: Management) -> None:
    async with Receiver() as receiver:
        webhook = await hook(management, receiver.url)
    room = room_name()
    await live(management, room)

    async def noticed() -> bool:
        read = await management.ask("GET", f"/v1/webhooks/{webhook['id']}")
        return read["unreachable_since"] is not None

    await eventually(noticed)
    async with Receiver(port=receiver.port) as back:
        await came(back, room, 1, 2, 3, 4)
    await deleted(management, webhook)


async def test_both_secrets_verify_during_a_rotation(management: Management) -> None:
    async with Receiver() as receiver:
        webhook = await hook(management, receiver.url)
        path = f"/v1/webhooks/{webhook['id']}"
        rotated = await management.ask("POST", f"{path}/rotate-secret", {"overlap_seconds": 3600})
        room = room_name()
        await management.room(id=room)
        await came(receiver, room, 1)
        (delivery,) = [one for one in receiver.deliveries if one.event["room"] == room]
        delivery.verify(webhook["secret"])
        delivery.verify(rotated["secret"])
        await management.ask("POST", f"{path}/rotate-secret", {"overlap_seconds": 0})
        assert (await management.ask("POST", f"{path}/test"))["delivered"]
        with pytest.raises(WebhookVerificationError):
            receiver.deliveries[-1].verify(rotated["secret"])
        await deleted(management, webhook)


async def test_a_redirect_is_not_followed(management: Management) -> None:
    async with Receiver() as elsewhere:
        moved = web.HTTPFound(elsewhere.url)
        async with Receiver(lambda _: web.Response(status=302, headers=moved.headers)) as receiver:
            webhook = await hook(management, receiver.url)
            result = await management.ask("POST", f"/v1/webhooks/{webhook['id']}/test")
            assert (result["delivered"], result["outcome"], result["status"]) == (False, "redirected", 302)
            await deleted(management, webhook)
        assert len(receiver.deliveries) == 1
        assert elsewhere.deliveries == []


@pytest.mark.parametrize(
    "url",
    ["https://10.0.0.1/", "https://169.254.169.254/", "https://[::ffff:10.0.0.1]/", "http://example.com/"],
)
async def test_a_private_address_is_refused_when_a_webhook_is_made(management: Management, url: str) -> None:
    with pytest.raises(Refused) as caught:
        await hook(management, url)
    assert caught.value.code == "invalid-field"


async def test_410_disables_a_webhook_which_goes_on_when_it_is_enabled(management: Management) -> None:
    async with Receiver(lambda _: 410) as receiver:
        webhook = await hook(management, receiver.url)
        path = f"/v1/webhooks/{webhook['id']}"
        room = room_name()
        await live(management, room)

        async def disabled() -> bool:
            read = await management.ask("GET", path)
            return (read["enabled"], read["disabled_reason"]) == (False, "gone")

        await eventually(disabled)
        assert set(receiver.told(room)) == {1}
        receiver.answering = lambda _: 204
        await management.ask("PATCH", path, {"enabled": True})
        await came(receiver, room, 1, 2, 3, 4)
        await deleted(management, webhook)


async def test_events_can_be_told_again_from_a_position_or_one_by_one(management: Management) -> None:
    room = room_name()
    await live(management, room)
    async with Receiver() as receiver:
        webhook = await hook(management, receiver.url)
        path = f"/v1/webhooks/{webhook['id']}/redeliver"
        events = (await management.ask("GET", f"/v1/events?room={room}"))["items"]
        answer = await management.ask("POST", path, {"after": events[0]["position"] - 1})
        assert answer == {"missed": False}
        await came(receiver, room, 1, 2, 3, 4)
        receiver.deliveries.clear()
        await management.ask("POST", path, {"events": [events[2]["id"]]})
        await came(receiver, room, 3)
        await deleted(management, webhook)


async def test_a_long_or_endless_answer_costs_nothing(management: Management) -> None:
    async def endless(_: Delivery) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(requests[-1])
        while True:
            await response.write(b"x" * 65536)

    requests: list[web.Request] = []

    class Remembering(Receiver):
        async def _take(self, request: web.Request) -> web.StreamResponse:
            requests.append(request)
            return await super()._take(request)

    async with Remembering(endless) as receiver:
        webhook = await hook(management, receiver.url)
        result = await management.ask("POST", f"/v1/webhooks/{webhook['id']}/test")
        assert result["delivered"]
        assert result["milliseconds"] < 3000
        await deleted(management, webhook)


async def test_a_receiver_that_is_not_there_is_said_so(management: Management) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        webhook = await hook(management, f"http://127.0.0.1:{probe.getsockname()[1]}/")
        result = await management.ask("POST", f"/v1/webhooks/{webhook['id']}/test")
    assert (result["outcome"], result["status"]) == ("unreachable", None)
    await deleted(management, webhook)


async def test_metrics_tell_how_late_and_logs_tell_no_address(own: Management, own_server: Server) -> None:
    async with Receiver(lambda _: 500) as receiver:
        webhook = await hook(own, receiver.url)
        room = room_name()
        await own.room(id=room)
        await came(receiver, room, 1)

        async def counted() -> bool:
            return 'colloque_webhook_attempts_total{outcome="failed"} 1.0' in await own.metrics()

        await eventually(counted)

        async def late() -> bool:
            lines = (await own.metrics()).splitlines()
            (lag,) = [line for line in lines if line.startswith("colloque_webhook_lag_seconds ")]
            return 0 < float(lag.split()[1]) < 10

        await eventually(late)
        await deleted(own, webhook)
    assert "hidden-word" not in own_server.read_log()
    assert room not in own_server.read_log()
    assert webhook["secret"] not in own_server.read_log()

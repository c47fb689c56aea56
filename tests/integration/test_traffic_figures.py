"""What operations read about traffic is what went over the line."""

import re

import pytest

from tests.support.eventually import eventually
from tests.support.server import Server
from tests.support.tone_call import ToneCall, tone_call

_DOWN = re.compile(r'^colloque_(datagrams|bytes)_total\{dir="down"\} (\S+)$', re.MULTILINE)


async def test_every_datagram_sent_is_counted_once(own_server: Server) -> None:
    async with tone_call(own_server) as call:

        async def agree() -> bool:
            # Traffic goes on while we look: what is counted lies between what came before and after.
            earlier = _seen(call)
            counted = await _counted(call)
            later = _seen(call)
            return all(earlier[name] <= counted[name] <= later[name] for name in counted)

        await eventually(agree, within=5, what="the counters agree with what the peers were sent")


async def test_the_time_that_forwarding_took_is_known_of_every_packet(own_server: Server) -> None:
    async with tone_call(own_server) as call:

        async def agree() -> bool:
            text = await call.management.metrics()
            count = re.search(r"^colloque_forward_latency_seconds_count (\S+)$", text, re.MULTILINE)
            sent = re.search(r'^colloque_packets_total\{dir="down",kind="audio"\} (\S+)$', text, re.MULTILINE)
            assert count is not None
            assert sent is not None
            return float(count[1]) == float(sent[1]) > 0

        await eventually(agree, within=5, what="as many times as packets")


async def _counted(call: ToneCall) -> dict[str, int]:
    return {name: int(float(count)) for name, count in _DOWN.findall(await call.management.metrics())}


def _seen(call: ToneCall) -> dict[str, int]:
    ways = call.up, call.down
    return {
        "datagrams": sum(way.datagrams_down for way in ways),
        "bytes": sum(way.bytes_down for way in ways),
    }


pytestmark = pytest.mark.integration

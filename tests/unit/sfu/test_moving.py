"""A leg that goes over to another call without a new connection."""

import pytest

from sfu import CallKey, CloseReason, Leg, LegKey, PeerError, SfuLimits, TrackKey
from tests.support.listening import Heard
from tests.unit.sfu.conftest import Live
from tests.unit.sfu.test_leg import CAMERA, JOIN, MICROPHONE, SIMULCAST, turns

MIC, CAM = TrackKey("TR_mic"), TrackKey("TR_cam")


def enter(live: Live, call: str, name: str) -> tuple[Leg, Heard]:
    heard = Heard()
    return live.sfu.call(CallKey(call)).add_leg(LegKey(name), heard), heard


def publisher(live: Live, call: str) -> Leg:
    leg, _ = enter(live, call, "publisher")
    leg.publish(MICROPHONE)
    leg.publish(CAMERA)
    leg.negotiate(SIMULCAST)
    return leg


async def test_what_it_publishes_goes_along_and_the_connection_stays(live: Live) -> None:
    mover, there = publisher(live, "a"), live.sfu.call(CallKey("b"))
    left, _ = enter(live, "a", "left")
    left.negotiate(JOIN)
    left.subscribe(MIC)
    connections = list(live.core.transports)
    mover.move(there, Heard())
    assert list(live.core.transports) == connections
    assert (tuple(mover.tracks), left.subscriptions) == ((MIC, CAM), ())
    left.subscribe(MIC)
    met, _ = enter(live, "b", "met")
    met.negotiate(JOIN)
    met.subscribe(MIC)
    met.subscribe(CAM)
    met.negotiate(JOIN)
    await turns()
    assert set(met.subscriptions) == {MIC, CAM}
    assert left.subscriptions == (), "the call left behind still finds its tracks"
    assert len(live.core.subscriptions) == 2


async def test_what_it_received_ends_and_what_is_there_comes(live: Live) -> None:
    publisher(live, "a")
    mover, _ = enter(live, "a", "mover")
    mover.subscribe(CAM)
    mover.negotiate(JOIN)
    assert len(live.core.subscriptions) == 1
    heard = Heard()
    mover.move(live.sfu.call(CallKey("b")), heard)
    assert (mover.subscriptions, live.core.subscriptions) == ((), {})
    other, _ = enter(live, "b", "other")
    other.publish(CAMERA)
    other.negotiate(SIMULCAST)
    mover.subscribe(CAM)
    await turns()
    assert heard.of("sections_needed") == [(0, 0)], "the new listener is told what is needed"
    assert tuple(mover.negotiate(JOIN).mid_to_track.values()) == ("TR_cam",)


async def test_its_voice_competes_where_it_is(live: Live) -> None:
    mover = publisher(live, "a")
    here, there = live.sfu.call(CallKey("a")), live.sfu.call(CallKey("b"))
    (voice,) = (track for track in live.core.tracks.values() if track.kind == "audio")
    assert voice.group == here.group
    mover.move(there, Heard())
    assert voice.group == there.group != here.group


async def test_a_call_that_everybody_has_left_is_freed(live: Live) -> None:
    mover = publisher(live, "a")
    here = live.sfu.call(CallKey("a"))
    mover.move(live.sfu.call(CallKey("b")), Heard())
    assert live.sfu.call(CallKey("a")) is not here
    mover.close(CloseReason.LEFT)
    assert live.core.transports == {}


async def test_a_full_call_takes_nobody_and_nothing_has_changed() -> None:
    live = Live(limits=SfuLimits(legs_per_call=1))
    await live.sfu.start()
    mover = publisher(live, "a")
    enter(live, "b", "other")
    with pytest.raises(PeerError, match="full"):
        mover.move(live.sfu.call(CallKey("b")), Heard())
    assert live.sfu.call(CallKey("a")).legs == {"publisher": mover}
    assert live.sfu.call(CallKey("a")).track(MIC) is not None
    await live.sfu.close()

"""Which encodings a publisher is told to send, as viewers come, go and change their minds."""

from livekit.protocol import models, rtc

from sfu import CloseReason, TrackKey, Wanted
from signalling.livekit.vocabulary import QUALITIES
from tests.support.stage import Client, Stage
from tests.unit.sfu.conftest import Live, Timers
from tests.unit.sfu.test_leg import CAMERA as CAMERA_INTENT
from tests.unit.sfu.test_leg import JOIN, SIMULCAST, Person, publisher, turns

CAMERA = TrackKey("TR_cam")


def viewer(live: Live, name: str, wanted: Wanted | None = None) -> Person:
    person = Person(live, name)
    person.leg.subscribe(CAMERA)
    if wanted is not None:
        person.leg.set_wanted(CAMERA, wanted)
    person.leg.negotiate(JOIN)
    return person


async def told(person: Person) -> list[tuple[bool, ...]]:
    await turns()
    return [enabled for _, enabled in person.heard.of("wanted_changed")]


async def test_a_track_that_nobody_watches_is_told_so_after_a_while(live: Live, timers: Timers) -> None:
    person = publisher(live)
    assert await told(person) == []
    (timer,) = timers.set
    assert timer.seconds == 5.0
    timers.expire()
    assert await told(person) == [(False, False, False)]


async def test_more_is_told_at_once_and_less_later(live: Live, timers: Timers) -> None:
    person = publisher(live)
    await turns()
    timers.expire()
    small = viewer(live, "small", Wanted(width=320, height=180))
    assert (await told(person))[-1] == (True, False, False)
    small.leg.set_wanted(CAMERA, Wanted(width=1280, height=720))
    assert (await told(person))[-1] == (True, False, True)
    timers.expire()
    assert (await told(person))[-1] == (False, False, True)


async def test_a_change_of_mind_within_the_while_costs_nothing(live: Live, timers: Timers) -> None:
    person = publisher(live)
    big = viewer(live, "big")
    await turns()
    timers.expire()
    before = await told(person)
    big.leg.set_wanted(CAMERA, Wanted(disabled=True))
    await turns()
    assert timers.set
    big.leg.set_wanted(CAMERA, Wanted())
    await turns()
    assert timers.set == []
    assert await told(person) == before


async def test_the_wishes_of_all_viewers_add_up_until_they_leave(live: Live, timers: Timers) -> None:
    person = publisher(live)
    one, two = viewer(live, "one", Wanted(quality=0)), viewer(live, "two", Wanted(quality=1))
    await turns()
    timers.expire()
    assert (await told(person))[-1] == (True, True, False)
    two.leg.close(CloseReason.LEFT)
    one.leg.unsubscribe(CAMERA)
    await turns()
    timers.expire()
    assert (await told(person))[-1] == (False, False, False)


async def test_sound_is_never_turned_off(live: Live, timers: Timers) -> None:
    person = publisher(live)
    await turns()
    timers.expire()
    await turns()
    assert {track for track, _ in person.heard.of("wanted_changed")} == {"TR_cam"}


async def test_an_ended_track_leaves_no_timer(live: Live, timers: Timers) -> None:
    person = publisher(live)
    await turns()
    assert timers.set
    person.leg.unpublish(CAMERA)
    assert timers.set == []


async def test_a_client_is_told_to_stop_an_encoding_five_seconds_after_nobody_wants_it(
    live: Live, timers: Timers
) -> None:
    stage = Stage(sfu=live.sfu)
    ada, bob = stage.joins("ada", connected=False), stage.joins("bob", connected=False)
    layers = [
        models.VideoLayer(quality=quality, width=320 << number, height=180 << number, rid="qhf"[number])
        for number, quality in enumerate(QUALITIES)
    ]
    cid = CAMERA_INTENT.client_ids[0]
    ada.says(add_track=rtc.AddTrackRequest(cid=cid, type=models.TrackType.VIDEO, layers=layers))
    ada.says(offer=rtc.SessionDescription(type="offer", sdp=SIMULCAST))
    await turns()
    bob.says(offer=rtc.SessionDescription(type="offer", sdp=JOIN))
    await turns()
    track = ada.hears("track_published")[0].track.sid
    timers.expire()
    bob.says(track_setting=rtc.UpdateTrackSettings(track_sids=[track], width=1280, height=720))
    await turns()
    assert _told_to_send(ada)[-1][2]
    ada.forgets()
    bob.says(track_setting=rtc.UpdateTrackSettings(track_sids=[track], width=320, height=180))
    await turns()
    assert [True, False, False] not in _told_to_send(ada)
    assert [timer.seconds for timer in timers.set] == [5.0]
    timers.expire()
    await turns()
    assert _told_to_send(ada)[-1] == [True, False, False]


def _told_to_send(client: Client) -> list[list[bool]]:
    updates = client.hears("subscribed_quality_update")
    return [[one.enabled for one in update.subscribed_qualities] for update in updates]

"""A leg from its first offer to its end, over a fake core and real browsers' offers."""

import asyncio
from pathlib import Path

import pytest

from sfu import (
    CallKey,
    CloseReason,
    EncodingIntent,
    Leg,
    LegKey,
    LegStats,
    MediaKind,
    PeerError,
    PublishIntent,
    TrackKey,
    TrackSource,
    TrackView,
    UsageError,
    Wanted,
    bridge,
)
from sfu.model import SfuLimits
from tests.support.listening import Heard, HeardSpeakers
from tests.unit.sfu.conftest import Live

OFFERS = Path(__file__).parents[2] / "data/offers"
JOIN = (OFFERS / "chromium-join.sdp").read_bytes().decode()
SIMULCAST = (OFFERS / "chromium-simulcast.sdp").read_bytes().decode()
FIREFOX = (OFFERS / "firefox-join.sdp").read_bytes().decode()

MICROPHONE = PublishIntent(
    TrackKey("TR_mic"),
    MediaKind.AUDIO,
    TrackSource.MICROPHONE,
    ("b4148b94-c2f2-4f8c-a8a0-0b532bf3c731",),
    "PA_a",
)
CAMERA = PublishIntent(
    TrackKey("TR_cam"),
    MediaKind.VIDEO,
    TrackSource.CAMERA,
    ("401f996c-e572-49d6-865a-382bd6ea2af9",),
    "PA_a",
    (EncodingIntent("q", 320, 180), EncodingIntent("h", 640, 360), EncodingIntent("f", 1280, 720)),
)


class Person:
    """A leg with its listener."""

    def __init__(self, live: Live, name: str) -> None:
        self.heard = Heard()
        self.leg: Leg = live.sfu.call(CallKey("call")).add_leg(LegKey(name), self.heard)


def publisher(live: Live) -> Person:
    person = Person(live, "publisher")
    person.leg.publish(MICROPHONE)
    person.leg.publish(CAMERA)
    person.leg.negotiate(SIMULCAST)
    return person


async def turns(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_the_first_offer_makes_the_transport_and_describes_both_ends(live: Live) -> None:
    person = Person(live, "a")
    answer = person.leg.negotiate(JOIN)
    (transport,) = live.core.transports.values()
    ((ufrag, pwd),) = transport.credentials
    assert ufrag.startswith("0")
    assert f"a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}" in answer.sdp
    assert transport.remote["sctp_port"] == 5000
    assert "urn:ietf:params:rtp-hdrext:sdes:mid" in str(transport.remote["extensions"])


async def test_published_tracks_reach_the_core_and_the_call(live: Live) -> None:
    person = publisher(live)
    kinds = sorted((track.kind, len(track.encodings)) for track in live.core.tracks.values())
    assert kinds == [("audio", 1), ("video", 3)]
    assert [
        rid for rid, _, _ in next(t for t in live.core.tracks.values() if t.kind == "video").encodings
    ] == ["q", "h", "f"]
    views = live.sfu.call(CallKey("call")).tracks()
    assert [(view.key, view.mime_type, view.simulcast) for view in views] == [
        ("TR_mic", "audio/opus", False),
        ("TR_cam", "video/VP8", True),
    ]
    assert [view.key for (view,) in person.heard.of("track_published")] == ["TR_mic", "TR_cam"]


async def test_only_sound_that_may_be_speech_is_ranked(live: Live) -> None:
    person = Person(live, "a")
    person.leg.publish(
        PublishIntent(
            TrackKey("TR"), MediaKind.AUDIO, TrackSource.SCREEN_SHARE_AUDIO, MICROPHONE.client_ids, "s"
        )
    )
    person.leg.publish(CAMERA)
    person.leg.negotiate(SIMULCAST)
    assert [track.group for track in live.core.tracks.values()] == [None, None]
    other = Person(live, "b")
    other.leg.publish(MICROPHONE)
    other.leg.negotiate(SIMULCAST)
    assert [track.group is not None for track in live.core.tracks.values()] == [False, False, True]


async def test_subscriptions_made_together_are_one_question(live: Live) -> None:
    publisher(live)
    viewer = Person(live, "viewer")
    viewer.leg.negotiate(JOIN)
    viewer.leg.subscribe(TrackKey("TR_mic"))
    viewer.leg.subscribe(TrackKey("TR_cam"))
    assert viewer.heard.calls == []
    await turns()
    assert viewer.heard.calls == [("sections_needed", 0, 0)]
    answer = viewer.leg.negotiate(JOIN)
    assert sorted(answer.mid_to_track.values()) == ["TR_cam", "TR_mic"]
    assert sorted(viewer.heard.of("subscribed")) == [("TR_cam", "3"), ("TR_mic", "0")]
    assert len(live.core.subscriptions) == 2
    await turns()
    assert len(viewer.heard.of("sections_needed")) == 1


async def test_subscriptions_before_the_first_offer_are_in_its_answer(live: Live) -> None:
    publisher(live)
    viewer = Person(live, "viewer")
    viewer.leg.subscribe(TrackKey("TR_cam"))
    answer = viewer.leg.negotiate(FIREFOX)
    assert answer.mid_to_track == {"3": "TR_cam"}
    (subscription,) = live.core.subscriptions.values()
    assert (96, 120, 124, False) in subscription.payloads
    await turns()
    assert viewer.heard.of("sections_needed") == []


async def test_a_subscription_waits_for_the_publishers_offer(live: Live) -> None:
    person = Person(live, "publisher")
    person.leg.publish(CAMERA)
    viewer = Person(live, "viewer")
    viewer.leg.negotiate(JOIN)
    viewer.leg.subscribe(TrackKey("TR_cam"))
    await turns()
    assert viewer.heard.calls == []
    person.leg.negotiate(SIMULCAST)
    await turns()
    assert viewer.heard.calls == [("sections_needed", 0, 0)]


async def test_a_track_that_nobody_has_announced_fails_at_once(live: Live) -> None:
    viewer = Person(live, "viewer")
    viewer.leg.subscribe(TrackKey("TR_none"))
    await turns()
    assert viewer.heard.calls == [("subscription_failed", "TR_none", "track-gone")]
    assert viewer.leg.subscriptions == ()


async def test_an_ended_track_leaves_its_section_to_the_next(live: Live) -> None:
    person = publisher(live)
    viewer = Person(live, "viewer")
    viewer.leg.subscribe(TrackKey("TR_cam"))
    viewer.leg.negotiate(JOIN)
    person.leg.unpublish(TrackKey("TR_cam"))
    assert len(live.core.tracks) == 1
    assert live.core.subscriptions == {}
    await turns()
    assert viewer.heard.of("sections_needed") == [(0, 0)]
    assert viewer.leg.negotiate(JOIN).mid_to_track == {}
    assert live.core.unknown_ids == 0


async def test_a_peer_that_stops_sending_unpublishes(live: Live) -> None:
    person = publisher(live)
    person.leg.negotiate(SIMULCAST.replace("a=sendonly", "a=inactive"))
    await turns()
    assert person.heard.of("track_unpublished") == [("TR_mic",), ("TR_cam",)]
    assert person.leg.tracks == {}
    assert live.core.tracks == {}


async def test_muting_pauses_forwarding_and_keeps_the_sections(live: Live) -> None:
    person = publisher(live)
    viewer = Person(live, "viewer")
    viewer.leg.subscribe(TrackKey("TR_mic"))
    viewer.leg.negotiate(JOIN)
    person.leg.set_muted(TrackKey("TR_mic"), True)
    track = next(t for t in live.core.tracks.values() if t.kind == "audio")
    assert track.paused
    await turns()
    assert viewer.heard.of("sections_needed") == []
    person.leg.set_muted(TrackKey("TR_mic"), False)
    assert not track.paused


async def test_a_wanted_size_becomes_a_target(live: Live) -> None:
    publisher(live)
    viewer = Person(live, "viewer")
    viewer.leg.subscribe(TrackKey("TR_cam"))
    viewer.leg.negotiate(JOIN)
    (subscription,) = live.core.subscriptions.values()
    assert subscription.plan == (2, 255)
    viewer.leg.set_wanted(TrackKey("TR_cam"), Wanted(width=320, height=180, max_fps=15))
    assert subscription.plan == (0, 1)
    viewer.leg.set_wanted(TrackKey("TR_cam"), Wanted(disabled=True))
    assert subscription.plan[0] is None


async def test_the_layer_of_a_picture_is_what_is_sent_and_nothing_while_it_is_not(live: Live) -> None:
    publisher(live)
    viewer = Person(live, "viewer")
    for key in ("TR_cam", "TR_mic"):
        viewer.leg.subscribe(TrackKey(key))
    assert viewer.leg.layers() == {"TR_cam": None}
    viewer.leg.negotiate(JOIN)
    number = next(n for n, one in live.core.subscriptions.items() if one.plan == (2, 255))
    live.core.emit(bridge.LayerSwitched(subscription=number, encoding=1))
    await turns()
    assert viewer.leg.layers() == {"TR_cam": 1}
    viewer.leg.set_wanted(TrackKey("TR_cam"), Wanted(disabled=True))
    assert viewer.leg.layers() == {"TR_cam": None}
    viewer.leg.unsubscribe(TrackKey("TR_cam"))
    assert viewer.leg.layers() == {}


async def test_a_wanted_layer_set_before_the_delivery_holds(live: Live) -> None:
    publisher(live)
    viewer = Person(live, "viewer")
    viewer.leg.subscribe(TrackKey("TR_cam"))
    viewer.leg.set_wanted(TrackKey("TR_cam"), Wanted(quality=1))
    viewer.leg.negotiate(JOIN)
    (subscription,) = live.core.subscriptions.values()
    assert subscription.plan[0] == 1


async def test_an_ice_restart_makes_new_credentials_and_keeps_the_old(live: Live) -> None:
    person = Person(live, "a")
    person.leg.negotiate(JOIN)
    (transport,) = live.core.transports.values()
    old = transport.remote["ufrag"]
    answer = person.leg.negotiate(JOIN.replace(f"a=ice-ufrag:{old}", "a=ice-ufrag:fresh"))
    assert len(transport.credentials) == 2
    assert transport.remote["ufrag"] == "fresh"
    assert f"a=ice-ufrag:{transport.credentials[1][0]}" in answer.sdp


async def test_a_refused_offer_changes_nothing_and_is_counted(live: Live) -> None:
    person = publisher(live)
    before = dict(live.core.tracks)
    for bad in (
        "",
        "v=0",
        "x" * 70_000,
        SIMULCAST.replace("sha-256", "sha-1"),
        JOIN.replace("m=audio", "m=video"),
    ):
        with pytest.raises(PeerError):
            person.leg.negotiate(bad)
    assert live.core.tracks == before
    assert sum(live.sfu.occurrences.refused_offers.values()) == 5
    person.leg.negotiate(SIMULCAST)


async def test_a_full_core_refuses_the_offer_and_the_next_one_may_work(live: Live) -> None:
    person = Person(live, "a")
    person.leg.publish(CAMERA)
    live.core.full = True
    with pytest.raises(PeerError, match="busy"):
        person.leg.negotiate(SIMULCAST)
    assert live.core.transports == {}
    live.core.full = False
    answer = person.leg.negotiate(SIMULCAST)
    assert answer.mid_to_track == {"7": "TR_cam"}
    assert len(live.core.tracks) == 1


async def test_too_many_offers_are_refused() -> None:
    live = Live(limits=SfuLimits(offers_per_10_seconds=2))
    await live.sfu.start()
    person = Person(live, "a")
    person.leg.negotiate(JOIN)
    person.leg.negotiate(JOIN)
    with pytest.raises(PeerError, match="too-many-offers"):
        person.leg.negotiate(JOIN)
    await live.sfu.close()


async def test_bounds_on_legs_tracks_subscriptions_and_calls() -> None:
    live = Live(limits=SfuLimits(tracks_per_leg=1, subscriptions_per_leg=1, legs_per_call=2, calls=1))
    await live.sfu.start()
    person = Person(live, "a")
    other = Person(live, "b")
    person.leg.publish(CAMERA)
    other.leg.publish(MICROPHONE)
    with pytest.raises(PeerError, match="track-limit"):
        person.leg.publish(MICROPHONE)
    person.leg.subscribe(TrackKey("TR_mic"))
    with pytest.raises(PeerError, match="subscription-limit"):
        person.leg.subscribe(TrackKey("TR_cam"))
    with pytest.raises(PeerError, match="full"):
        Person(live, "c")
    with pytest.raises(PeerError, match="full"):
        live.sfu.call(CallKey("another"))
    await live.sfu.close()


async def test_keys_in_use_are_our_own_mistake(live: Live) -> None:
    person = publisher(live)
    with pytest.raises(UsageError):
        person.leg.publish(CAMERA)
    with pytest.raises(UsageError):
        Person(live, "publisher")


async def test_events_of_the_transport_reach_the_listener(live: Live) -> None:
    person = Person(live, "a")
    person.leg.negotiate(JOIN)
    (number,) = live.core.transports
    live.core.emit(
        bridge.TransportConnected(transport=number, path="udp", ipv6=False, srtp_profile="AEAD_AES_128_GCM"),
        bridge.PathChanged(transport=number, path="udp", ipv6=True),
        bridge.TransportSilent(transport=number),
        bridge.TransportResumed(transport=number),
        bridge.TransportFailed(transport=number, reason="consent_expired"),
        bridge.TransportFailed(transport=999, reason="about nobody"),
    )
    await turns()
    assert person.heard.calls == [
        ("connected", "udp", False),
        ("path_changed", "udp", True),
        ("silent",),
        ("resumed",),
        ("failed", "consent_expired"),
    ]


async def test_speakers_are_told_to_the_call(live: Live) -> None:
    heard = HeardSpeakers()
    live.sfu.call(CallKey("call"), heard)
    publisher(live)
    number = next(n for n, track in live.core.tracks.items() if track.kind == "audio")
    group = live.core.tracks[number].group
    assert group is not None
    live.core.emit(bridge.SpeakersChanged(worker=0, group=group, speakers=[(number, 127)]))
    await turns()
    assert [(speaker.leg, speaker.track, speaker.level) for speaker in heard.speakers] == [
        ("publisher", "TR_mic", 1.0)
    ]


async def test_speakers_of_two_workers_are_told_as_one_list(live: Live) -> None:
    heard = HeardSpeakers()
    live.sfu.call(CallKey("call"), heard)
    publisher(live)
    (microphone, camera) = sorted(live.core.tracks, key=lambda n: live.core.tracks[n].kind)
    group = live.core.tracks[microphone].group
    assert group is not None
    live.core.emit(
        bridge.SpeakersChanged(worker=0, group=group, speakers=[(microphone, 90)]),
        bridge.SpeakersChanged(worker=1, group=group, speakers=[(camera, 127)]),
    )
    await turns()
    assert [speaker.level for speaker in heard.speakers] == sorted(
        (speaker.level for speaker in heard.speakers), reverse=True
    )
    assert len(heard.speakers) == 2
    live.core.emit(bridge.SpeakersChanged(worker=0, group=group, speakers=[]))
    await turns()
    assert [speaker.level for speaker in heard.speakers] == [1.0]


async def test_data_waits_for_its_channel_and_then_flows_both_ways(live: Live) -> None:
    person = Person(live, "a")
    assert person.leg.send_data("_reliable", b"early")
    person.leg.negotiate(JOIN)
    (number,) = live.core.transports
    assert person.leg.send_data("_reliable", b"second", binary=False)
    live.core.emit(bridge.DataChannelOpened(transport=number, channel=4, label="_lossy"))
    live.core.emit(bridge.DataChannelOpened(transport=number, channel=2, label="_reliable"))
    live.core.emit(bridge.DataReceived(transport=number, channel=2, binary=True, payload=b"up"))
    await turns()
    assert live.core.transports[number].sent == [(2, True, b"early"), (2, False, b"second")]
    assert person.heard.of("data_received") == [("_reliable", b"up", True)]
    assert person.leg.send_data("_lossy", b"x")
    assert live.core.transports[number].sent[-1] == (4, True, b"x")


async def test_data_that_cannot_be_kept_is_reported_lost(live: Live) -> None:
    person = Person(live, "a")
    assert not person.leg.send_data("_reliable", b"x" * 70_000)
    kept = [person.leg.send_data("_reliable", b"x" * 1000) for _ in range(400)]
    assert kept == [True] * 256 + [False] * 144


async def test_a_defect_of_one_listener_does_not_reach_the_others(live: Live) -> None:
    class Broken(Heard):
        def connected(self, path: str, *, ipv6: bool) -> None:
            raise RuntimeError(path, ipv6)

    call = live.sfu.call(CallKey("call"))
    legs = [call.add_leg(LegKey("broken"), Broken())]
    person = Person(live, "fine")
    legs.append(person.leg)
    for leg in legs:
        leg.negotiate(JOIN)
    for number in live.core.transports:
        live.core.emit(bridge.TransportConnected(transport=number, path="udp", ipv6=True, srtp_profile="x"))
    await turns()
    assert person.heard.calls == [("connected", "udp", True)]


async def test_a_closed_leg_takes_everything_with_it_and_hears_no_more(live: Live) -> None:
    person = publisher(live)
    viewer = Person(live, "viewer")
    viewer.leg.subscribe(TrackKey("TR_cam"))
    viewer.leg.negotiate(JOIN)
    person.leg.close(CloseReason.LEFT)
    person.leg.close(CloseReason.LEFT)
    assert list(live.sfu.call(CallKey("call")).legs) == ["viewer"]
    assert len(live.core.transports) == 1
    assert (live.core.tracks, live.core.subscriptions) == ({}, {})
    viewer.leg.close(CloseReason.REMOVED)
    heard = len(viewer.heard.calls)
    await turns()
    assert len(viewer.heard.calls) == heard
    state = await live.sfu.debug_state()
    assert state["calls"] == []
    assert live.core.unknown_ids == 0
    with pytest.raises(UsageError):
        viewer.leg.negotiate(JOIN)


async def test_a_call_that_nobody_joins_is_freed(live: Live) -> None:
    live.sfu.call(CallKey("empty"))
    await turns()
    assert (await live.sfu.debug_state())["calls"] == []


async def test_stats_are_empty_before_there_is_a_transport(live: Live) -> None:
    person = Person(live, "a")
    assert person.leg.stats() == LegStats()
    person.leg.negotiate(JOIN)
    assert person.leg.stats() == LegStats()


async def test_resync_repeats_the_question(live: Live) -> None:
    publisher(live)
    viewer = Person(live, "viewer")
    viewer.leg.negotiate(JOIN)
    viewer.leg.subscribe(TrackKey("TR_cam"))
    await turns()
    viewer.leg.resync()
    await turns()
    assert viewer.heard.of("sections_needed") == [(0, 0), (0, 0)]


async def test_the_debug_state_holds_no_secret_and_no_address(live: Live) -> None:
    publisher(live)
    state = str(await live.sfu.debug_state())
    (transport,) = live.core.transports.values()
    assert transport.credentials[0][1] not in state
    assert "127.0.0.1" not in state


async def test_a_leg_that_watches_itself_may_stop_sending(live: Live) -> None:
    person = publisher(live)
    person.leg.subscribe(TrackKey("TR_cam"))
    stopped = SIMULCAST.replace("a=sendonly", "a=inactive")
    person.leg.negotiate(stopped)
    await turns()
    assert person.leg.subscriptions == ()
    assert live.core.subscriptions == {}
    assert person.leg.negotiate(stopped).mid_to_track == {}


async def test_a_listener_may_close_the_leg_while_it_hears(live: Live) -> None:
    class Closing(Heard):
        leg: Leg

        def track_published(self, track: TrackView) -> None:
            self.leg.close(CloseReason.REMOVED)

    heard = Closing()
    heard.leg = live.sfu.call(CallKey("call")).add_leg(LegKey("a"), heard)
    heard.leg.publish(MICROPHONE)
    heard.leg.publish(CAMERA)
    heard.leg.negotiate(SIMULCAST)
    await turns()
    assert (live.core.transports, live.core.tracks) == ({}, {})
    assert heard.calls == []


async def test_numbers_of_streams_that_are_over_are_forgotten(live: Live) -> None:
    publisher(live)
    viewer = Person(live, "viewer")
    before = len(viewer.leg._ssrcs)
    for _ in range(3):
        viewer.leg.subscribe(TrackKey("TR_cam"))
        viewer.leg.negotiate(JOIN)
        viewer.leg.negotiate(JOIN.replace("a=recvonly", "a=inactive"))
        assert len(viewer.leg._ssrcs) == before + 2
        viewer.leg.unsubscribe(TrackKey("TR_cam"))
        viewer.leg.negotiate(JOIN)
    assert len(viewer.leg._ssrcs) == before


async def test_a_question_that_goes_wrong_keeps_no_other_leg_waiting(
    live: Live, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    publisher(live)
    broken, other = Person(live, "broken"), Person(live, "other")
    for viewer in (broken, other):
        viewer.leg.negotiate(JOIN)
        viewer.leg.subscribe(TrackKey("TR_cam"))
    monkeypatch.setattr(broken.leg, "_wishes", None)
    await turns()
    assert other.heard.of("sections_needed") == [(0, 0)]
    assert "turn_failed" in caplog.messages

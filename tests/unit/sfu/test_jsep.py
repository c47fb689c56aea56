"""Offers and answers of one leg, through the table of sections."""

from dataclasses import replace
from typing import Any

import pytest

from sfu.errors import PeerError
from sfu.model import TrackKey
from sfu.negotiation import effects
from sfu.negotiation.codecs import Payload
from sfu.negotiation.ice import Credentials
from sfu.negotiation.jsep import is_restart
from sfu.negotiation.offer import OfferedPayload, OfferedSection, OfferedStream
from sfu.negotiation.table import Encoding, Use
from tests.support.descriptions import OPUS, RID, Peer, intent, lines_of, offer, section, wish


def of_type(outcome_effects: tuple[effects.Effect, ...], kind: type) -> list[effects.Effect]:
    return [effect for effect in outcome_effects if isinstance(effect, kind)]


def direction(sdp: str, mid: str) -> str:
    words = {"a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive"}
    (found,) = [line for line in lines_of(sdp, mid) if line in words]
    return found.removeprefix("a=")


# --- the shape of an answer ---


def test_the_answer_has_the_sections_of_the_offer_in_order() -> None:
    outcome = Peer().offer(section("2", "audio"), section("0"), section("d", "application"))
    assert [line for line in outcome.sdp.split("\r\n") if line.startswith("a=mid:")] == [
        "a=mid:2",
        "a=mid:0",
        "a=mid:d",
    ]
    assert "a=group:BUNDLE 2 0 d\r\n" in outcome.sdp
    assert "a=ice-lite\r\n" in outcome.sdp


def test_free_sections_are_answered_inactive() -> None:
    outcome = Peer().offer(section("0", "audio"), section("1"))
    assert [direction(outcome.sdp, mid) for mid in ("0", "1")] == ["inactive", "inactive"]
    assert outcome.mid_to_track == {}


def test_candidates_stand_in_the_first_section_in_use_only() -> None:
    outcome = Peer().offer(section("x", "text"), section("0"), section("1"))
    assert lines_of(outcome.sdp, "x")[0] == "m=text 0 UDP/TLS/RTP/SAVPF 0"
    assert "a=candidate:1 1 udp 2130706431 127.0.0.1 10000 typ host" in lines_of(outcome.sdp, "0")
    assert "a=end-of-candidates" in lines_of(outcome.sdp, "0")
    assert not any("candidate" in line for line in lines_of(outcome.sdp, "1"))


def test_a_data_section_is_accepted_once() -> None:
    peer = Peer()
    outcome = peer.offer(section("0", "application"), section("1", "application"))
    assert lines_of(outcome.sdp, "0")[0] == "m=application 10000 UDP/DTLS/SCTP webrtc-datachannel"
    assert "a=max-message-size:65536" in lines_of(outcome.sdp, "0")
    assert lines_of(outcome.sdp, "1")[0].startswith("m=application 0 ")
    assert peer.table.remote is not None
    assert peer.table.remote.sctp_port == 5000
    assert peer.table.remote.max_message_size == 262_144


@pytest.mark.parametrize(
    "changes",
    [
        {"protocol": "RTP/AVP"},
        {"rtcp_mux": False},
        {"bundled": False},
        {"closed": True},
        {"payloads": (OfferedPayload(0, "PCMU", 8000, 1, "", ()),)},
        {"protocol": "TCP/MSRP"},
    ],
)
def test_a_section_that_cannot_be_used_is_rejected_and_the_others_live(
    changes: dict[str, Any],
) -> None:
    peer = Peer()
    outcome = peer.offer(section("0", "audio"), section("1", "video", **changes))
    assert lines_of(outcome.sdp, "1")[0].split()[1] == "0"
    assert "a=group:BUNDLE 0\r\n" in outcome.sdp
    assert [slot.use for slot in peer.table.slots] == [Use.MEDIA, Use.NOTHING]


def test_each_answer_has_a_higher_version() -> None:
    peer = Peer()
    assert peer.offer(section("0")).sdp.split("\r\n")[1].split()[1:3] == ["7", "1"]
    assert peer.offer(section("0")).sdp.split("\r\n")[1].split()[1:3] == ["7", "2"]


# --- up ---


def test_a_section_is_matched_to_the_track_that_it_names() -> None:
    peer = Peer()
    peer.publish(intent("T1", "video", "cam"))
    peer.publish(intent("T2", "video", "screen"))
    outcome = peer.offer(
        section("0", direction="sendonly", track_ids=("screen",)),
        section("1", direction="sendonly", track_ids=("cam",)),
    )
    assert outcome.mid_to_track == {"0": "T2", "1": "T1"}
    assert direction(outcome.sdp, "0") == "recvonly"


def test_a_section_can_be_named_by_its_mid() -> None:
    peer = Peer()
    peer.publish(intent("T1", "video", "1"))
    outcome = peer.offer(section("0", direction="sendonly"), section("1", direction="sendonly"))
    assert outcome.mid_to_track == {"1": "T1"}


def test_unnamed_sections_take_tracks_of_their_kind_in_the_order_of_announcement() -> None:
    peer = Peer()
    for each in (intent("A", "audio", "x"), intent("V1", "video", "y"), intent("V2", "video", "z")):
        peer.publish(each)
    outcome = peer.offer(
        section("0", direction="sendonly", track_ids=("?",)),
        section("1", "audio", "sendonly", track_ids=("??",)),
        section("2", direction="sendonly", track_ids=("z",)),
    )
    assert outcome.mid_to_track == {"0": "V1", "1": "A", "2": "V2"}


def test_a_section_that_nobody_announced_stays_inactive() -> None:
    outcome = Peer().offer(section("0", direction="sendonly", track_ids=("cam",)))
    assert direction(outcome.sdp, "0") == "inactive"
    assert not of_type(outcome.effects, effects.TrackAdded)


def test_a_track_is_added_to_the_core_once() -> None:
    peer = Peer()
    peer.publish(intent("T", "video", "cam"))
    cam = section("0", direction="sendonly", track_ids=("cam",), streams=(OfferedStream(5, 6),))
    (added,) = of_type(peer.offer(cam).effects, effects.TrackAdded)
    assert isinstance(added, effects.TrackAdded)
    assert (added.mid, added.encodings) == ("0", (Encoding(None, 5, 6),))
    assert [payload.pt for payload in added.payloads] == [96, 108]
    assert peer.offer(cam, section("1", "audio")).effects == ()


def test_a_section_that_stops_sending_ends_its_track() -> None:
    peer = Peer()
    peer.publish(intent("T", "video", "cam"))
    peer.offer(section("0", direction="sendonly", track_ids=("cam",)))
    outcome = peer.offer(section("0", direction="inactive", track_ids=("cam",)))
    assert outcome.effects == (effects.TrackEnded(TrackKey("T")),)
    assert direction(outcome.sdp, "0") == "inactive"


def test_a_section_of_a_track_that_we_ended_is_not_taken_for_the_next_one() -> None:
    peer = Peer()
    peer.publish(intent("T1", "video", "cam"))
    peer.offer(section("0", direction="sendonly", track_ids=("other",)))
    del peer.announced[TrackKey("T1")]
    peer.publish(intent("T2", "video", "screen"))
    assert peer.offer(section("0", direction="sendonly", track_ids=("other",))).mid_to_track == {}
    # Until it names the new one, or stops and begins again.
    named = peer.offer(section("0", direction="sendonly", track_ids=("screen",)))
    assert named.mid_to_track == {"0": "T2"}


def test_a_section_that_names_another_track_changes_to_it() -> None:
    peer = Peer()
    peer.publish(intent("T1", "video", "cam"))
    peer.offer(section("0", direction="sendonly", track_ids=("cam",)))
    peer.publish(intent("T2", "video", "cam2"))
    outcome = peer.offer(section("0", direction="sendonly", track_ids=("cam2",)))
    assert [type(effect) for effect in outcome.effects] == [effects.TrackEnded, effects.TrackAdded]
    assert outcome.mid_to_track == {"0": "T2"}


@pytest.mark.parametrize(
    ("offered", "announced", "lowest_first"),
    [
        (("q", "h", "f"), "qhf", "qhf"),
        (("f", "h", "q"), "qhf", "qhf"),
        (("f", "h", "q"), "", "qhf"),
        (("h", "q"), "", "qh"),
        (("2", "1", "0"), "012", "012"),
        (("a", "b", "c"), "", "abc"),
        (("a", "b", "c", "d"), "", "abc"),
    ],
)
def test_simulcast_encodings_are_ordered_by_quality(
    offered: tuple[str, ...], announced: str, lowest_first: str
) -> None:
    peer = Peer()
    peer.publish(intent("T", "video", "cam", rids=announced))
    outcome = peer.offer(section("0", direction="sendonly", track_ids=("cam",), rids=offered))
    (added,) = of_type(outcome.effects, effects.TrackAdded)
    assert isinstance(added, effects.TrackAdded)
    assert "".join(encoding.rid or "" for encoding in added.encodings) == lowest_first
    kept = [rid for rid in offered if rid in lowest_first]
    assert f"a=simulcast:recv {';'.join(kept)}" in lines_of(outcome.sdp, "0")
    assert f"a=rid:{kept[0]} recv" in lines_of(outcome.sdp, "0")


def test_simulcast_by_ssrc_is_taken_in_its_order() -> None:
    peer = Peer()
    peer.publish(intent("T", "video", "cam"))
    streams = (OfferedStream(1, 11), OfferedStream(2, 12), OfferedStream(3, None))
    outcome = peer.offer(section("0", direction="sendonly", track_ids=("cam",), streams=streams))
    (added,) = of_type(outcome.effects, effects.TrackAdded)
    assert isinstance(added, effects.TrackAdded)
    assert [(e.ssrc, e.rtx_ssrc) for e in added.encodings] == [(1, 11), (2, 12), (3, None)]


def test_the_preferred_codec_leads_the_answer() -> None:
    peer = Peer()
    peer.publish(intent("V", "video", "cam", codec="video/h264"))
    peer.publish(intent("A", "audio", "mic", codec="audio/red", dtx=False, stereo=True))
    outcome = peer.offer(
        section("0", direction="sendonly", track_ids=("cam",)),
        section("1", "audio", "sendonly", track_ids=("mic",)),
    )
    assert lines_of(outcome.sdp, "0")[0].endswith(" 108 96 97")
    assert lines_of(outcome.sdp, "1")[0].endswith(" 63 111")
    assert "a=fmtp:111 minptime=10;useinbandfec=1;stereo=1" in lines_of(outcome.sdp, "1")


def test_known_extensions_are_answered_with_the_peers_ids_and_others_are_not() -> None:
    other = (3, "urn:example:other")
    outcome = Peer().offer(section("0", extensions=((10, RID), other)), section("1", extensions=((12, RID),)))
    assert [line for line in lines_of(outcome.sdp, "0") if "extmap" in line] == [f"a=extmap:10 {RID}"]
    # In a bundle an id means the same everywhere, so a second id is not taken.
    assert [line for line in lines_of(outcome.sdp, "1") if "extmap" in line] == []


def test_a_track_keeps_to_the_codecs_that_were_agreed_first() -> None:
    peer = Peer()
    peer.publish(intent("T", "audio", "mic"))
    mic = section("0", "audio", "sendonly", track_ids=("mic",), payloads=(OPUS,))
    peer.offer(mic)
    outcome = peer.offer(section("0", "audio", "sendonly", track_ids=("mic",)))
    assert outcome.effects == ()
    assert lines_of(outcome.sdp, "0")[0].endswith(" 111")


# --- down ---


def test_a_subscription_gets_a_free_section() -> None:
    peer = Peer()
    peer.subscribe(wish("T", ssrc=500))
    outcome = peer.offer(section("0", "audio"), section("1"))
    (delivered,) = of_type(outcome.effects, effects.Delivered)
    assert isinstance(delivered, effects.Delivered)
    assert (delivered.mid, delivered.ssrc, delivered.rtx_ssrc) == ("1", 500, 501)
    assert [(m.up, m.down, m.down_rtx) for m in delivered.maps] == [(96, 96, 97), (108, 108, None)]
    lines = lines_of(outcome.sdp, "1")
    assert lines[0] == "m=video 10000 UDP/TLS/RTP/SAVPF 96 97 108"
    assert "a=sendonly" in lines
    assert "a=msid:stream-T T" in lines
    assert "a=ssrc-group:FID 500 501" in lines
    assert outcome.mid_to_track == {"1": "T"}


def test_without_retransmission_only_one_ssrc_is_named() -> None:
    peer = Peer()
    peer.subscribe(wish("T", "audio", 500))
    lines = lines_of(peer.offer(section("0", "audio")).sdp, "0")
    assert "a=ssrc:500 cname:stream-T" in lines
    assert not any("FID" in line or "a=ssrc:501" in line for line in lines)


def test_a_waiting_subscription_waits_until_its_codecs_are_known() -> None:
    peer = Peer()
    peer.subscribe(wish("T", payloads=()))
    assert peer.offer(section("0")).mid_to_track == {}
    peer.subscribe(wish("T"))
    assert peer.offer(section("0")).mid_to_track == {"0": "T"}


def test_a_section_rests_for_one_answer_between_two_tracks() -> None:
    peer = Peer()
    peer.subscribe(wish("T1", ssrc=1))
    peer.offer(section("0"))
    del peer.wanted[TrackKey("T1")]
    peer.subscribe(wish("T2", ssrc=3))
    resting = peer.offer(section("0"))
    assert resting.effects == (effects.Undelivered(TrackKey("T1"), 1),)
    assert direction(resting.sdp, "0") == "inactive"
    assert peer.offer(section("0")).mid_to_track == {"0": "T2"}


def test_a_track_that_is_subscribed_to_again_is_another_stream() -> None:
    peer = Peer()
    peer.subscribe(wish("T", ssrc=1))
    peer.offer(section("0"), section("1"))
    peer.subscribe(wish("T", ssrc=3))
    outcome = peer.offer(section("0"), section("1"))
    assert [type(effect) for effect in outcome.effects] == [effects.Undelivered, effects.Delivered]
    assert outcome.mid_to_track == {"1": "T"}


def test_a_delivery_survives_offers_about_other_things() -> None:
    peer = Peer()
    peer.subscribe(wish("T"))
    first = peer.offer(section("0"))
    outcome = peer.offer(section("0"), section("1", "audio"), section("2"))
    assert outcome.effects == ()
    assert lines_of(outcome.sdp, "0") == lines_of(first.sdp, "0")


def test_a_peer_that_stops_receiving_gets_the_track_elsewhere_as_another_stream() -> None:
    peer = Peer()
    peer.subscribe(wish("T"))
    peer.offer(section("0"), section("1"))
    outcome = peer.offer(section("0", direction="inactive"), section("1"))
    assert outcome.effects == (effects.Undelivered(TrackKey("T"), 1000),)
    assert outcome.mid_to_track == {}
    peer.subscribe(wish("T", ssrc=2000))
    assert peer.offer(section("0", direction="inactive"), section("1")).mid_to_track == {"1": "T"}


def test_sections_that_only_receive_are_filled_first() -> None:
    peer = Peer()
    peer.publish(intent("mine", "video", "cam"))
    peer.subscribe(wish("T1", ssrc=1))
    peer.subscribe(wish("T2", ssrc=3))
    both = section("0", direction="sendrecv", track_ids=("cam",))
    outcome = peer.offer(both, section("1"))
    assert outcome.mid_to_track == {"0": "T2", "1": "T1"}
    assert direction(outcome.sdp, "0") == "sendrecv"
    assert peer.table.slots[0].up is not None


def test_a_codec_that_the_peer_does_not_have_is_refused() -> None:
    peer = Peer()
    peer.subscribe(wish("T", payloads=(Payload(45, "av1", "AV1", 90_000, 1, "", ()),)))
    assert peer.offer(section("0")).refused == ("T",)
    assert peer.offer(section("0"), section("1", "audio")).mid_to_track == {}


# --- continuity ---


@pytest.mark.parametrize(
    "second",
    [
        (section("0"),),
        (section("1"), section("0")),
        (section("0"), section("9")),
        (section("0", "audio"), section("1")),
    ],
)
def test_an_offer_that_does_not_continue_the_last_one_changes_nothing(
    second: tuple[OfferedSection, ...],
) -> None:
    peer = Peer()
    peer.offer(section("0"), section("1"))
    before = peer.table
    with pytest.raises(PeerError) as caught:
        peer.offer(*second)
    assert caught.value.code == "sdp-mismatch"
    assert peer.table is before


def test_the_place_of_a_closed_section_may_be_taken_by_another() -> None:
    peer = Peer()
    peer.subscribe(wish("T"))
    peer.offer(section("0"), section("1", "audio"))
    closed = peer.offer(section("0", closed=True), section("1", "audio"))
    assert closed.effects == (effects.Undelivered(TrackKey("T"), 1000),)
    recycled = peer.offer(section("5"), section("1", "audio"))
    assert recycled.mid_to_track == {"5": "T"}


def test_new_credentials_are_an_ice_restart_that_keeps_everything_else() -> None:
    peer = Peer()
    peer.subscribe(wish("T"))
    peer.offer(section("0"))
    again = offer(section("0"), ufrag="other")
    assert is_restart(peer.table, again)
    assert not is_restart(peer.table, offer(section("0")))
    peer.local = replace(peer.local, credentials=Credentials("0fresh", "r" * 24))
    outcome = peer.offer(section("0"), ufrag="other")
    assert [type(effect) for effect in outcome.effects] == [effects.IceRestarted, effects.RemoteSet]
    assert "a=ice-ufrag:0fresh" in lines_of(outcome.sdp, "0")
    assert outcome.mid_to_track == {"0": "T"}


@pytest.mark.parametrize("ufrag", ["peer", "other"])
def test_another_certificate_is_refused_even_with_new_credentials(ufrag: str) -> None:
    peer = Peer()
    peer.offer(section("0"))
    with pytest.raises(PeerError, match="sdp-mismatch"):
        peer.offer(section("0"), ufrag=ufrag, fingerprint=b"g" * 32)


def test_a_data_section_that_comes_later_renews_the_remote_side() -> None:
    peer = Peer()
    first = peer.offer(section("0"))
    assert [type(effect) for effect in first.effects] == [effects.RemoteSet]
    later = peer.offer(section("0"), section("1", "application"))
    (remote,) = later.effects
    assert isinstance(remote, effects.RemoteSet)
    assert remote.remote.sctp_port == 5000

"""Descriptions as text: real browsers' offers, the bounds, and anything at all."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfu import MediaKind, PeerError, SfuLimits, TrackKey
from sfu.bridge import EXTENSION_URIS
from sfu.model import PublishIntent, TrackSource
from sfu.negotiation.jsep import negotiate
from sfu.negotiation.offer import Direction
from sfu.negotiation.read import most_bytes, read_offer
from sfu.negotiation.table import Table
from tests.support.descriptions import LOCAL, wish

DATA = Path(__file__).parents[2] / "data"
OFFERS = sorted((DATA / "offers").glob("*.sdp"))
LIMITS = SfuLimits()


def text_of(name: str) -> str:
    return (DATA / "offers" / f"{name}.sdp").read_bytes().decode()


def announced(*kinds: str) -> dict[TrackKey, PublishIntent]:
    return {
        TrackKey(f"TR_{kind}"): PublishIntent(
            TrackKey(f"TR_{kind}"), MediaKind(kind), TrackSource.UNKNOWN, (), "PA"
        )
        for kind in kinds
    }


# --- the corpus ---


@pytest.mark.parametrize("path", OFFERS, ids=lambda path: path.stem)
def test_a_browsers_offer_has_its_stored_answer(path: Path) -> None:
    """The stored answers were read line by line; write new ones with `python -m tests.data.answers`."""
    stored = (DATA / "answers" / path.name).read_bytes().decode()
    assert answer_to(path) == stored


def answer_to(path: Path) -> str:
    """Answer as to a peer that publishes one track of each kind and is subscribed to one of each."""
    wishes = (wish("TR_x", "audio", 1000), wish("TR_y", "video", 2000))
    return negotiate(
        Table(session=1),
        read_offer(path.read_bytes().decode(), LIMITS),
        local=LOCAL,
        extensions=EXTENSION_URIS,
        announced=announced("audio", "video"),
        wanted={each.track: each for each in wishes},
    ).sdp


@pytest.mark.parametrize(
    ("name", "rids", "rtx"),
    [("chromium-simulcast", ("q", "h", "f"), True), ("firefox-simulcast", ("q", "h", "f"), True)],
)
def test_simulcast_is_read_from_both_browsers(name: str, rids: tuple[str, ...], rtx: bool) -> None:
    offer = read_offer(text_of(name), LIMITS)
    (sending,) = [s for s in offer.sections if s.kind == "video" and s.direction is Direction.SENDONLY]
    assert sending.rids == rids
    assert any(payload.name == "rtx" for payload in sending.payloads) == rtx


def test_a_track_is_named_without_and_with_streams() -> None:
    plain = read_offer(text_of("aiortc-plain"), LIMITS)
    assert all(len(s.track_ids) == 1 for s in plain.sections if s.kind != "application")
    edited = re.sub(r"a=msid:\S+ ", "a=msid:- ", text_of("chromium-plain"))
    assert read_offer(edited, LIMITS).sections[0].track_ids


def test_rids_without_simulcast_come_in_the_order_of_their_lines() -> None:
    text = re.sub(r"a=simulcast:.*\r\n", "", text_of("firefox-simulcast"))
    (sending,) = [s for s in read_offer(text, LIMITS).sections if s.rids]
    assert sending.rids == ("q", "h", "f")


def test_paused_and_alternative_streams_are_taken_by_name() -> None:
    text = text_of("chromium-simulcast").replace("a=simulcast:send q;h;f", "a=simulcast:send ~f;h,q")
    (sending,) = [s for s in read_offer(text, LIMITS).sections if s.rids]
    assert sending.rids == ("f", "h")


def test_simulcast_by_ssrc_groups_is_read_in_order() -> None:
    lines = ["a=ssrc-group:SIM 3 1 2", "a=ssrc-group:FID 3 30", "a=ssrc-group:FID 1 10"]
    lines += [f"a=ssrc:{ssrc} cname:x" for ssrc in (1, 2, 3, 10, 30)]
    head = text_of("chromium-plain").split("a=ssrc-group:FID")[0]
    video = read_offer(head + "\r\n".join(lines) + "\r\n", LIMITS).sections[1]
    assert [(stream.ssrc, stream.rtx_ssrc) for stream in video.streams] == [(3, 30), (1, 10), (2, None)]


# --- the bounds ---


def changed(pattern: str, replacement: str, name: str = "chromium-plain", count: int = 0) -> str:
    text, hits = re.subn(pattern, replacement, text_of(name), count=count)
    assert hits
    return text


SECTION = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:{}\r\na=rtpmap:111 opus/48000/2\r\n"
PLAIN = text_of("chromium-plain")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "sdp-malformed"),
        ("v=0\r\n", "sdp-unsupported"),
        (PLAIN.split("m=audio")[0], "sdp-unsupported"),
        ("x" * 65_537, "sdp-too-large"),
        ("\u20ac" * 30_000, "sdp-too-large"),
        ("\ud800", "sdp-malformed"),
        ("v=0\r\n" + "\0", "sdp-malformed"),
        (PLAIN + "".join(SECTION.format(f"x{n}") for n in range(140)), "sdp-limit"),
        (changed(r"a=mid:1", "a=mid:0"), "sdp-malformed"),
        (changed(r"a=mid:1\r\n", ""), "sdp-unsupported"),
        (changed(r"a=mid:1", "a=mid:" + "m" * 17), "sdp-malformed"),
        (changed(r"a=mid:1", "a=mid:a b"), "sdp-malformed"),
        (changed(r"a=ice-ufrag:.*", "a=ice-ufrag:abc"), "sdp-malformed"),
        (changed(r"a=ice-pwd:.*", "a=ice-pwd:short"), "sdp-malformed"),
        (changed(r"a=ice-pwd:.*", "a=ice-pwd:" + "\u00e9" * 22), "sdp-malformed"),
        (changed(r"a=ice-(ufrag|pwd):.*\r\n", ""), "sdp-malformed"),
        (changed(r"a=fingerprint:.*\r\n", ""), "sdp-unsupported"),
        (
            changed(r"a=fingerprint:sha-256.*", "a=fingerprint:sha-1 " + ":".join(["AB"] * 20)),
            "sdp-unsupported",
        ),
        (changed(r"a=setup:actpass", "a=setup:passive"), "sdp-unsupported"),
        (PLAIN + "".join(f"a=rid:{n} send\r\n" for n in range(40)), "sdp-limit"),
        (PLAIN + "a=rid:" + "r" * 20 + " send\r\n", "sdp-malformed"),
        (PLAIN + "".join(f"a=ssrc:{n} cname:x\r\n" for n in range(1, 900)), "sdp-limit"),
        (PLAIN + "".join(f"a=ssrc-group:FID {n} 2\r\n" for n in range(1, 900)), "sdp-limit"),
        (PLAIN + "".join(f"a=extmap:{n} urn:x:{n}\r\n" for n in range(1, 200)), "sdp-limit"),
    ],
)
def test_a_description_that_cannot_be_used_has_a_code(text: str, code: str) -> None:
    with pytest.raises(PeerError) as caught:
        read_offer(text, LIMITS)
    assert caught.value.code == code
    assert len(caught.value.text) < 200


@pytest.mark.parametrize(("carried", "most"), [(0, 65_536), (1, 71_680), (31, 256_000), (500, 262_144)])
def test_a_peer_that_carries_more_may_write_more(carried: int, most: int) -> None:
    assert most_bytes(LIMITS, carried=carried) == most
    padding = "a=unheard-of:" + "x" * 100 + "\r\n"
    text = PLAIN + padding * ((most - len(PLAIN)) // len(padding))
    assert len(read_offer(text, LIMITS, carried=carried).sections) == 2
    with pytest.raises(PeerError, match="sdp-too-large"):
        read_offer(text + padding, LIMITS, carried=carried)


def test_ten_thousand_candidates_cost_nothing_and_are_not_kept() -> None:
    line = "a=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n"
    offer = read_offer(PLAIN + line * 1200, LIMITS)
    assert "10.0.0.1" not in repr(offer)


def test_unknown_lines_are_ignored() -> None:
    text = PLAIN + "a=goog-sped-v1:1\r\na=unheard-of\r\nz=0 0\r\n"
    assert len(read_offer(text, LIMITS).sections) == 2


# --- anything ---


def lines_of_offers() -> list[str]:
    return sorted({line for path in OFFERS for line in path.read_bytes().decode().split("\r\n") if line})


@given(st.lists(st.sampled_from(lines_of_offers()) | st.text(max_size=40), max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_lines_are_answered_or_refused(lines: list[str]) -> None:
    answer_or_refuse("v=0\r\n" + "\r\n".join(lines) + "\r\n")


@given(st.text(max_size=400))
@settings(max_examples=100, deadline=None)
def test_any_text_is_answered_or_refused(text: str) -> None:
    answer_or_refuse(text)


@given(
    st.sampled_from(OFFERS),
    st.lists(
        st.tuples(st.integers(0, 30_000), st.text(max_size=6), st.integers(0, 12)), min_size=1, max_size=6
    ),
)
@settings(max_examples=200, deadline=None)
def test_any_damage_to_a_browsers_offer_is_answered_or_refused(
    path: Path, damages: list[tuple[int, str, int]]
) -> None:
    text = path.read_bytes().decode()
    for where, inserted, removed in damages:
        at = where % (len(text) + 1)
        text = text[:at] + inserted + text[at + removed :]
    answer_or_refuse(text)


def answer_or_refuse(text: str) -> None:
    wishes = (wish("TR_x", "audio", 1000), wish("TR_y", "video", 2000))
    try:
        outcome = negotiate(
            Table(session=1),
            read_offer(text, LIMITS),
            local=LOCAL,
            extensions=EXTENSION_URIS,
            announced=announced("audio", "video"),
            wanted={each.track: each for each in wishes},
        )
    except PeerError:
        return
    assert outcome.sdp.count("\nm=") == len(outcome.table.slots)
    assert "\r" not in outcome.sdp.replace("\r\n", "")

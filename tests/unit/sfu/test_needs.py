"""What is asked of a peer who alone may offer."""

from sfu.model import SfuLimits, TrackKey
from sfu.negotiation.asking import Asking
from sfu.negotiation.codecs import Payload
from sfu.negotiation.needs import Need, needed
from tests.support.descriptions import Peer, intent, section, wish


def need_of(peer: Peer, limits: SfuLimits | None = None) -> Need:
    return needed(peer.table, peer.announced, peer.wanted, limits or SfuLimits())


def test_nothing_wanted_needs_nothing() -> None:
    peer = Peer()
    peer.offer(section("0"), section("1", "audio"))
    assert need_of(peer) == Need()


def test_a_free_section_needs_only_an_offer() -> None:
    peer = Peer()
    peer.offer(section("0"), section("1", "audio"))
    peer.subscribe(wish("T"))
    assert need_of(peer) == Need(offer=True)


def test_missing_sections_are_counted_by_kind() -> None:
    peer = Peer()
    peer.offer(section("0"))
    for number in range(3):
        peer.subscribe(wish(f"V{number}", ssrc=10 + 2 * number))
    peer.subscribe(wish("A", "audio", 30))
    assert need_of(peer) == Need(offer=True, audio=1, video=2)


def test_a_section_that_sends_only_is_not_free() -> None:
    peer = Peer()
    peer.offer(section("0", direction="sendonly"))
    peer.subscribe(wish("T"))
    assert need_of(peer) == Need(offer=True, video=1)


def test_a_track_without_known_codecs_needs_nothing_yet() -> None:
    peer = Peer()
    peer.offer(section("0"))
    peer.subscribe(wish("T", payloads=()))
    assert need_of(peer) == Need()


def test_an_ended_delivery_needs_an_offer_to_free_its_section() -> None:
    peer = Peer()
    peer.subscribe(wish("T"))
    peer.offer(section("0"))
    del peer.wanted[TrackKey("T")]
    assert need_of(peer) == Need(offer=True)
    peer.offer(section("0"))
    assert need_of(peer) == Need()


def test_a_section_about_to_be_free_is_reused_rather_than_another_asked_for() -> None:
    peer = Peer()
    peer.subscribe(wish("T1", ssrc=1))
    peer.offer(section("0"))
    del peer.wanted[TrackKey("T1")]
    peer.subscribe(wish("T2", ssrc=3))
    assert need_of(peer) == Need(offer=True)
    peer.offer(section("0"))
    assert need_of(peer) == Need(offer=True)
    peer.offer(section("0"))
    assert need_of(peer) == Need()


def test_a_codec_that_no_section_has_is_refused_instead_of_asked_for() -> None:
    peer = Peer()
    peer.offer(section("0"))
    peer.subscribe(wish("T", payloads=(Payload(45, "av1", "AV1", 90_000, 1, "", ()),)))
    assert need_of(peer) == Need(refused=(TrackKey("T"),))


def test_a_track_announced_after_its_section_came_needs_an_offer() -> None:
    peer = Peer()
    peer.offer(section("0", direction="sendonly", track_ids=("cam",)))
    peer.publish(intent("T", "video", "cam"))
    assert need_of(peer) == Need(offer=True)
    peer.offer(section("0", direction="sendonly", track_ids=("cam",)))
    assert need_of(peer) == Need()


def test_no_more_sections_are_asked_for_than_are_read() -> None:
    peer = Peer()
    peer.offer(section("0"))
    for number in range(40):
        peer.subscribe(wish(f"V{number}", ssrc=10 + 2 * number))
        peer.subscribe(wish(f"A{number}", "audio", 500 + 2 * number))
    need = need_of(peer, SfuLimits(sections_per_offer=32))
    # One is there and four are for the peer's own tracks; there is no room for a picture, for sound is first.
    assert (need.audio, need.video) == (27, 0)
    assert len(need.crowded_out) == 80 - 1 - 27
    assert need.crowded_out[0] == "A27"


def test_pictures_leave_room_for_voices() -> None:
    peer = Peer()
    peer.offer(section("0"))
    for number in range(40):
        peer.subscribe(wish(f"V{number}", ssrc=10 + 2 * number))
    need = need_of(peer, SfuLimits(sections_per_offer=32))
    assert (need.audio, need.video) == (0, 23)


def test_the_peers_own_sections_tell_how_large_those_will_be_that_it_adds() -> None:
    peer = Peer()
    peer.offer(section("0", size=20_000), size=21_000)
    for number in range(40):
        peer.subscribe(wish(f"V{number}", ssrc=10 + 2 * number))
    need = need_of(peer)
    # Of 256 KiB, less an eighth, the one that is there and two for the peer's own pictures.
    assert need.video == (262_144 * 7 // 8 - 21_000 - 2 * 20_000 - 2 * 1024) // 20_000


def test_what_has_no_room_needs_no_offer() -> None:
    peer = Peer()
    peer.offer(*(section(str(number), direction="sendonly") for number in range(8)))
    peer.subscribe(wish("T"))
    assert need_of(peer, SfuLimits(sections_per_offer=8)) == Need(crowded_out=(TrackKey("T"),))


# --- asking: each thing once ---


def test_what_was_asked_is_not_asked_again() -> None:
    asking, question = Asking().ask(Need(offer=True, video=2))
    assert question == (0, 2)
    asking, question = asking.ask(Need(offer=True, video=2))
    assert question is None
    asking, question = asking.ask(Need(offer=True, audio=1, video=3))
    assert question == (1, 1)


def test_an_offer_alone_is_asked_for_once() -> None:
    asking, question = Asking().ask(Need(offer=True))
    assert question == (0, 0)
    assert asking.ask(Need(offer=True))[1] is None
    assert Asking().ask(Need())[1] is None


def test_an_offer_that_crossed_the_question_does_not_repeat_it() -> None:
    peer = Peer()
    peer.offer(section("0"))
    asking, _ = Asking().ask(Need(offer=True, video=1))
    before = peer.table
    peer.offer(section("0"))
    asking = asking.offer_came(before, peer.table)
    assert asking.ask(Need(offer=True, video=1))[1] is None
    before = peer.table
    peer.offer(section("0"), section("1"))
    assert asking.offer_came(before, peer.table) == Asking()


def test_a_question_that_two_offers_ignore_is_asked_again() -> None:
    peer = Peer()
    peer.offer(section("0"))
    asking, _ = Asking().ask(Need(offer=True, video=1))
    for _ in range(2):
        asking = asking.offer_came(peer.table, peer.table)
    assert asking.ask(Need(offer=True, video=1))[1] == (0, 1)

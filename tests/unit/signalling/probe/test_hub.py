"""One connection of a test after another: what is heard, and what is left."""

from typing import Any

import pytest

from sfu import CloseReason, LegStats, MediaKind, PeerError
from signalling.probe import ProbeLimits, ProbeSettings
from tests.support.live_side import FakeSfu
from tests.support.probe_stage import Client, ProbeStage


@pytest.fixture
def stage() -> ProbeStage:
    return ProbeStage()


def types(client: Client) -> list[str]:
    return [one["type"] for one in client.take()]


def errors(client: Client) -> list[str]:
    heard = client.take()
    assert {one["type"] for one in heard} <= {"error"}
    return [one["code"] for one in heard]


def nothing_is_left(stage: ProbeStage) -> bool:
    return not any(stage.hub.census().values()) and not stage.living()


# --- hello ---


def test_who_has_a_good_token_is_told_what_is_seen_what_is_allowed_and_what_to_try(stage: ProbeStage) -> None:
    client = stage.connect("2001:db8::/64", proxied=True, tls=True)
    assert stage.hello(client, "CT_1")
    (ready,) = client.take()
    assert ready == {
        "type": "ready",
        "seen": {"proxied": True, "tls": True, "ipv6": True},
        "limits": {"seconds": 60, "legs": 2, "kbps": 2500},
        "paths": [
            {"name": "udp", "port": 10000, "policy": "all", "ice_servers": []},
            {
                "name": "turn_udp",
                "port": 3478,
                "policy": "relay",
                "ice_servers": [
                    {
                        "urls": ["turn:visio.example:3478?transport=udp"],
                        "username": "a user",
                        "credential": "a password",
                    }
                ],
            },
        ],
    }


def test_a_refusal_says_why_and_when_to_come_again(stage: ProbeStage) -> None:
    client = stage.connect()
    assert stage.say(client, type="hello", v=1, token="bad") == "bad"
    assert client.session is not None
    stage.hub.turn_away(client.session, "unauthenticated")
    assert client.take() == [{"type": "refused", "code": "unauthenticated", "retry_after": None}]
    assert client.closed == 4010
    stage.drop(client)
    assert nothing_is_left(stage)


def test_another_version_is_refused_before_its_token_is_looked_at(stage: ProbeStage) -> None:
    client = stage.connect()
    assert stage.say(client, type="hello", v=2, token="any") is None
    assert client.take()[0]["code"] == "unsupported-version"


def test_who_says_nothing_is_sent_away_after_five_seconds(stage: ProbeStage) -> None:
    client = stage.connect()
    stage.advance(4.9)
    assert client.is_open
    stage.advance(0.2)
    assert (client.closed, client.heard) == (1008, [])


def test_who_was_gone_before_the_token_was_found_good_leaves_nothing(stage: ProbeStage) -> None:
    client = stage.connect()
    session = client.session
    assert stage.say(client, type="hello", v=1, token="t") == "t"
    stage.drop(client)
    assert session is not None
    stage.hub.admit(session, "CT_1", now=stage.now)
    assert nothing_is_left(stage)


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "[]",
        "null",
        '{"v": 1}',
        '{"type": 3}',
        '{"type": ""}',
        b"\x00\xff",
        "[" * 50_000,
        '{"type": "ping"}',
        '{"type": "hello"}',
        '{"type": "hello", "v": "1", "token": "t"}',
        '{"type": "hello", "v": 1, "token": 5}',
        '{"type": "hello", "v": 1, "token": "t", "more": 1}',
    ],
)
def test_garbage_in_place_of_a_hello_ends_the_connection(stage: ProbeStage, frame: str | bytes) -> None:
    client = stage.connect()
    assert stage.say_frame(client, frame) is None
    assert (client.closed, client.heard) == (1008, [])
    stage.drop(client)
    assert nothing_is_left(stage)


# --- a test ---


def test_what_a_leg_sends_comes_back_to_it(stage: ProbeStage) -> None:
    client = stage.tests()
    stage.offers(client, audio="0", video="1")
    assert client.take() == [{"type": "answer", "leg": "a", "sdp": "answer to offer"}]
    (leg,) = stage.legs()
    assert leg.caps == (2500, None)
    sent = {intent.kind: intent for intent in leg.published.values()}
    assert (sent[MediaKind.AUDIO].client_ids, sent[MediaKind.VIDEO].client_ids) == (("0",), ("1",))
    assert not sent[MediaKind.AUDIO].dtx, "silence has packets to measure, too"
    assert leg.subscribed == set(leg.published)
    leg.listener.sections_needed(1, 1)
    assert client.take() == [{"type": "offer_wanted", "leg": "a", "audio": 1, "video": 1}]
    stage.offers(client, sdp="with room")
    assert client.take() == [{"type": "answer", "leg": "a", "sdp": "answer to with room"}]
    assert leg.offers == ["offer", "with room"]
    leg.listener.connected("udp", ipv6=True)
    assert client.take() == [{"type": "connected", "leg": "a", "path": "udp", "ipv6": True}]


@pytest.mark.parametrize(("of_calls", "told"), [(None, 2500), (5000, 2500), (500, 500)])
def test_a_test_takes_no_more_of_a_line_than_a_call(
    stage: ProbeStage, of_calls: int | None, told: int
) -> None:
    client = stage.connect()
    assert stage.say(client, type="hello", v=1, token="t") == "t"
    assert client.session is not None
    stage.hub.admit(client.session, "CT_1", now=stage.now, call_kbps=of_calls)
    assert client.take()[0]["limits"]["kbps"] == told
    stage.offers(client)
    assert stage.legs()[0].caps == (told, None)


def test_figures_are_those_of_the_leg(stage: ProbeStage) -> None:
    client = stage.tests()
    stage.offers(client)
    client.take()
    (leg,) = stage.legs()
    leg.now_stats = LegStats(10, 1, 1000, 20, 2, 2000, rtt_seconds=0.0304, jitter_up_seconds=0.00215)
    stage.say(client, type="figures", leg="a")
    assert client.take() == [
        {
            "type": "figures",
            "leg": "a",
            "packets_up": 10,
            "lost_up": 1,
            "bytes_up": 1000,
            "packets_down": 20,
            "lost_down": 2,
            "bytes_down": 2000,
            "rtt_ms": 30.4,
            "jitter_up_ms": 2.1,
        }
    ]
    leg.now_stats = LegStats()
    stage.say(client, type="figures", leg="a")
    (unknown,) = client.take()
    assert (unknown["rtt_ms"], unknown["jitter_up_ms"]) == (None, None)


def test_a_pong_has_the_pings_number(stage: ProbeStage) -> None:
    client = stage.tests()
    stage.say(client, type="ping", id=7)
    assert client.take() == [{"type": "pong", "id": 7}]


def test_bye_ends_everything(stage: ProbeStage) -> None:
    client = stage.tests()
    stage.offers(client)
    stage.say(client, type="bye")
    assert client.closed == 1000
    assert stage.legs()[0].closed is CloseReason.LEFT
    stage.drop(client)
    assert nothing_is_left(stage)


def test_who_goes_without_a_word_frees_everything(stage: ProbeStage) -> None:
    client = stage.tests()
    for name in "ab":
        stage.offers(client, name)
    assert len(stage.living()) == 2
    stage.drop(client)
    assert nothing_is_left(stage)


def test_the_line_of_a_leg_that_is_over_is_told_and_its_place_is_free(stage: ProbeStage) -> None:
    client = stage.tests()
    stage.offers(client)
    client.take()
    (leg,) = stage.legs()
    leg.listener.failed("ice_timeout")
    assert client.take() == [{"type": "failed", "leg": "a", "reason": "ice_timeout"}]
    assert leg.closed is CloseReason.TRANSPORT_FAILED
    stage.say(client, type="figures", leg="a")
    assert errors(client) == ["not-found"]
    stage.offers(client)
    assert types(client) == ["answer"]


def test_a_line_that_the_client_closed_itself_is_no_news(stage: ProbeStage) -> None:
    client = stage.tests()
    stage.offers(client)
    client.take()
    (leg,) = stage.legs()
    leg.listener.failed("closed_by_peer")
    stage.say(client, type="hang_up", leg="a")
    assert client.take() == []
    assert leg.closed is CloseReason.LEFT


def test_an_offer_that_cannot_be_used_leaves_no_leg(stage: ProbeStage) -> None:
    stage.sfu = RefusingSfu()
    stage.hub._live = stage.sfu
    client = stage.tests()
    stage.offers(client)
    (error,) = client.take()
    assert (error["type"], error["code"], error["leg"]) == ("error", "sdp-malformed", "a")
    assert not stage.living()
    assert stage.hub.census()["legs"] == 0


def test_a_later_offer_that_cannot_be_used_changes_nothing(stage: ProbeStage) -> None:
    client = stage.tests()
    stage.offers(client)
    client.take()
    (leg,) = stage.legs()
    leg.refuse_offer = PeerError("sdp-mismatch", "it does not continue the last one")
    stage.offers(client)
    assert errors(client) == ["sdp-mismatch"]
    assert leg.closed is None


def test_a_server_without_room_says_so(stage: ProbeStage) -> None:
    client = stage.tests()
    stage.offers(client)
    stage.say(client, type="hang_up", leg="a")
    client.take()
    next(iter(stage.sfu.calls.values())).full = True
    stage.offers(client)
    assert errors(client) == ["full"]
    assert not stage.living()


def test_a_leg_keeps_the_sections_that_it_began_with(stage: ProbeStage) -> None:
    client = stage.tests()
    stage.offers(client, audio="0")
    stage.offers(client, video="1")  # a kind may come later, and what is not named stays
    stage.offers(client, audio="2")
    heard = client.take()
    assert [one["type"] for one in heard] == ["answer", "answer", "error"]
    assert heard[-1]["code"] == "invalid-field"
    assert len(stage.legs()[0].published) == 2


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "offer", "leg": "a"}, "invalid-field"),
        ({"type": "offer", "leg": "", "sdp": "x"}, "invalid-field"),
        ({"type": "offer", "leg": "x" * 17, "sdp": "x"}, "invalid-field"),
        ({"type": "offer", "leg": 1, "sdp": "x"}, "invalid-field"),
        ({"type": "offer", "leg": "a", "sdp": "x", "audio": ""}, "invalid-field"),
        ({"type": "offer", "leg": "a", "sdp": "x", "audio": "0\n"}, "invalid-field"),
        ({"type": "offer", "leg": "a\n", "sdp": "x"}, "invalid-field"),
        ({"type": "offer", "leg": "a", "sdp": "x", "room": "other"}, "invalid-field"),
        ({"type": "figures"}, "invalid-field"),
        ({"type": "figures", "leg": "b"}, "not-found"),
        ({"type": "ping", "more": 1}, "invalid-field"),
        ({"type": "hello", "v": 1, "token": "again"}, "unknown-type"),
        ({"type": "subscribe", "track": "TR_other"}, "unknown-type"),
    ],
)
def test_a_message_that_makes_no_sense_is_answered_and_nothing_is_lost(
    stage: ProbeStage, message: dict[str, Any], code: str
) -> None:
    client = stage.tests()
    stage.offers(client)
    client.take()
    stage.say(client, **message)
    assert errors(client) == [code]
    assert len(stage.living()) == 1
    assert stage.hub.counters.dropped == {code: 1}


# --- bounds ---


def test_a_third_leg_waits_until_another_is_hung_up(stage: ProbeStage) -> None:
    client = stage.tests()
    for name in "ab":
        stage.offers(client, name)
    assert types(client) == ["answer", "answer"]
    stage.offers(client, "c")
    assert errors(client) == ["too-many-legs"]
    stage.say(client, type="hang_up", leg="a")
    stage.offers(client, "c")
    assert types(client) == ["answer"]


def test_a_connection_has_twenty_legs_in_its_life(stage: ProbeStage) -> None:
    client = stage.tests()
    for _ in range(21):
        stage.offers(client)
        stage.say(client, type="hang_up", leg="a")
        stage.advance(1)
    heard = client.take()
    assert [one["type"] for one in heard] == ["answer"] * 20 + ["error"]
    assert len(stage.legs()) == 20


def test_a_connection_has_a_minute(stage: ProbeStage) -> None:
    client = stage.tests()
    stage.offers(client)
    client.take()
    stage.advance(59.9)
    assert client.is_open
    stage.advance(1.1)
    assert client.take() == [{"type": "over"}]
    assert client.closed == 4005
    stage.drop(client)
    assert nothing_is_left(stage)


def test_what_is_said_after_the_end_does_nothing(stage: ProbeStage) -> None:
    client = stage.tests()
    stage.say(client, type="bye")
    for message in ({"type": "hello", "v": 1, "token": "t"}, {"type": "offer", "leg": "a", "sdp": "x"}):
        assert stage.say(client, **message) is None
    assert stage.legs() == []


def test_the_fifty_first_test_is_refused_until_another_has_ended(stage: ProbeStage) -> None:
    clients = [stage.tests(f"CT_{n}", f"192.0.2.{n}") for n in range(50)]
    late = stage.connect("198.51.100.1")
    assert not stage.hello(late, "CT_late")
    assert late.take() == [{"type": "refused", "code": "busy", "retry_after": 10}]
    assert late.closed == 4010
    stage.say(clients[7], type="bye")
    stage.tests("CT_late", "198.51.100.1")


def test_an_address_has_four_tests_and_leaves_room_for_others(stage: ProbeStage) -> None:
    for number in range(4):
        stage.tests(f"CT_{number}")
    fifth = stage.connect()
    assert not stage.hello(fifth, "CT_5")
    assert fifth.take()[0]["code"] == "busy"
    stage.tests("CT_5", "192.0.2.2")


def test_a_token_that_is_used_three_times_at_once_is_busy_the_third_time(stage: ProbeStage) -> None:
    first = stage.tests(address="192.0.2.1")
    stage.tests(address="192.0.2.2")
    third = stage.connect("192.0.2.3")
    assert stage.hello(third, "CT_1")
    assert third.take()[0]["code"] == "busy"
    stage.drop(first)
    stage.tests(address="192.0.2.3")


def test_two_connections_of_a_test_have_legs_of_their_own(stage: ProbeStage) -> None:
    one, two = stage.tests(), stage.tests()
    for client in (one, two):
        stage.offers(client)
        assert types(client) == ["answer"]
    assert len(stage.living()) == 2
    first, second = stage.legs()
    assert not set(first.subscribed) & set(second.published)
    stage.say(one, type="hang_up", leg="a")
    assert (first.closed, second.closed) == (CloseReason.LEFT, None)


def test_connections_that_say_nothing_are_bounded_by_address_and_in_all() -> None:
    stage = ProbeStage(ProbeSettings(limits=ProbeLimits(sockets=3, sockets_per_address=2)))
    kept = [stage.connect(), stage.connect()]
    with pytest.raises(PeerError, match="busy"):
        stage.connect()
    stage.connect("192.0.2.2")
    with pytest.raises(PeerError, match="busy"):
        stage.connect("192.0.2.3")
    stage.drop(kept[0])
    stage.connect()


def test_a_flood_ends_the_connection(stage: ProbeStage) -> None:
    client = stage.tests()
    for number in range(39):
        stage.say(client, type="ping", id=number)
    assert client.is_open
    stage.advance(1)
    for number in range(21):
        stage.say(client, type="ping", id=number)
    assert client.closed == 1008
    assert stage.hub.counters.dropped == {"flood": 1}


def test_descriptions_are_bounded_for_all_legs_together(stage: ProbeStage) -> None:
    client = stage.tests()
    large = "x" * 64 * 1024
    for number in range(7):
        stage.offers(client, "ab"[number % 2], large)
        stage.say(client, type="hang_up", leg="ab"[number % 2])
    assert types(client) == ["answer"] * 6 + ["error"]
    assert stage.hub.counters.dropped == {"too-many-offers": 1}
    assert not stage.living()
    stage.advance(2)
    stage.offers(client, "a", large)
    assert types(client) == ["answer"]


def test_every_way_can_be_tried_at_once_with_what_a_browser_offers(stage: ProbeStage) -> None:
    client = stage.tests()
    for _ in range(9):
        for _ in range(2):
            stage.offers(client, "a", "x" * 11_000)
        stage.say(client, type="hang_up", leg="a")
        stage.advance(0.15)
    assert types(client) == ["answer"] * 18


def test_a_leg_that_sends_more_than_is_asked_for_is_closed(stage: ProbeStage) -> None:
    client = stage.tests()
    stage.offers(client)
    stage.offers(client, "b")
    client.take()
    fast, slow = stage.legs()
    for _ in range(8):  # half a second each
        fast.now_stats = LegStats(bytes_up=fast.now_stats.bytes_up + 4200 * 125 // 2)
        slow.now_stats = LegStats(bytes_up=slow.now_stats.bytes_up + 3900 * 125 // 2)
        stage.advance(0.5)
    assert client.take() == [{"type": "failed", "leg": "a", "reason": "too-fast"}]
    assert (fast.closed, slow.closed) == (CloseReason.REMOVED, None)


def test_a_burst_at_the_beginning_is_no_reason_to_close(stage: ProbeStage) -> None:
    client = stage.tests()
    stage.offers(client)
    client.take()
    (leg,) = stage.legs()
    stage.advance(0.5)
    leg.now_stats = LegStats(bytes_up=900_000)  # 7,200 kbit, within half a second
    stage.advance(0.5)
    for _ in range(10):
        leg.now_stats = LegStats(bytes_up=leg.now_stats.bytes_up + 1000)
        stage.advance(0.5)
    assert client.take() == []


# --- the end of the server ---


def test_a_server_that_stops_says_when_to_come_again(stage: ProbeStage) -> None:
    testing, greeting = stage.tests(), stage.connect()
    stage.offers(testing)
    testing.take()
    stage.hub.end_all(retry_after=5)
    assert (testing.take(), testing.closed) == ([{"type": "again", "retry_after": 5}], 1001)
    assert greeting.take() == [{"type": "refused", "code": "draining", "retry_after": 5}]
    assert stage.legs()[0].closed is CloseReason.SHUTDOWN
    for client in (testing, greeting):
        stage.drop(client)
    assert nothing_is_left(stage)


class RefusingSfu(FakeSfu):
    """A live side in which no offer can be used."""

    def call(self, key: Any, listener: Any = None) -> Any:
        call = super().call(key, listener)
        add_leg = call.add_leg

        def add(key: Any, listener: Any) -> Any:
            leg = add_leg(key, listener)
            leg.refuse_offer = PeerError("sdp-malformed", "not a description")
            return leg

        call.add_leg = add  # type: ignore[method-assign]
        return call

"""The waiting room in virtual time: what people are told, and how long their places are kept."""

import dataclasses
import json
from typing import Any

import pytest

from rooms import Group
from rooms.presence import PresenceAct
from sfu import PeerError
from signalling.present import Present
from signalling.waiting.board import MOST_IN_CALL
from signalling.waiting.settings import WaitingLimits, WaitingSettings, WaitingTimes
from signalling.waiting.wishes import Order
from tests.support.waiting_stage import EPOCH, ROOM, Client, WaitingStage

GRACE = WaitingTimes().grace


@pytest.fixture
def stage() -> WaitingStage:
    return WaitingStage()


def place(client: Client) -> int:
    assert client.last is not None
    assert client.last["type"] == "waiting"
    return int(client.last["position"])


def people(host: Client) -> list[tuple[str, bool]]:
    assert host.last is not None
    return [(one["identity"], one["here"]) for one in host.last["waiting"]]


def test_people_stand_in_the_order_in_which_they_came(stage: WaitingStage) -> None:
    first = stage.arrive("zoe")
    stage.advance(1)
    second = stage.arrive("adam")
    stage.settle()
    assert (place(first), place(second)) == (1, 2)
    stage.decide("zoe", PresenceAct.ADMIT)
    stage.hub.touch(ROOM)
    stage.settle()
    assert first.last == {"type": "admitted", "token": "token-of-zoe"}
    assert (first.closed, place(second)) == (1000, 1)


def test_nothing_about_others_is_told_to_those_who_wait(stage: WaitingStage) -> None:
    one = stage.arrive("zoe")
    for number in range(5):
        stage.arrive(f"other-{number}", name=f"Secret {number}")
    stage.arrive("doctor", role="host", name="Secret doctor")
    stage.settle()
    assert "other" not in json.dumps(one.heard)
    assert "ecret" not in json.dumps(one.heard)
    assert "doctor" not in json.dumps(one.heard)


def test_nobody_hears_of_tokens_before_they_are_let_in(stage: WaitingStage) -> None:
    client = stage.arrive("zoe")
    stage.settle()
    stage.advance(290)
    assert all("token" not in word for word in client.heard)


def test_two_connections_are_one_person(stage: WaitingStage) -> None:
    host = stage.arrive("doctor", role="host")
    first, second = stage.arrive("zoe"), stage.arrive("zoe")
    stage.settle()
    assert people(host) == [("zoe", True)]
    assert place(first) == place(second) == 1
    stage.drop(first)
    stage.advance(GRACE * 2 - 1)
    stage.settle()
    assert stage.store.queue == []  # the second fell silent, and was taken as gone


def test_a_person_keeps_the_place_while_one_of_two_connections_is_there(stage: WaitingStage) -> None:
    first, second = stage.arrive("zoe"), stage.arrive("zoe")
    stage.settle()
    stage.drop(first)
    for _ in range(20):
        stage.advance(15)
        stage.say(second, type="pong")
        stage.settle()
    assert stage.store.queue == ["zoe"]


def test_the_oldest_of_too_many_connections_goes(stage: WaitingStage) -> None:
    clients = [stage.arrive("zoe") for _ in range(5)]
    stage.settle()
    assert [client.closed for client in clients] == [4003, None, None, None, None]
    assert clients[0].last == {"type": "replaced"}


@pytest.mark.parametrize("away", [0.0, 1.0, GRACE - 1])
def test_a_place_is_kept_for_who_comes_back_in_time(stage: WaitingStage, away: float) -> None:
    client = stage.arrive("zoe")
    stage.settle()
    since = stage.store.people["zoe"].since
    stage.drop(client)
    stage.advance(away)
    stage.settle()
    again = stage.arrive("zoe")
    stage.advance(1)
    stage.settle()
    assert (place(again), stage.store.people["zoe"].since) == (1, since)


def test_a_place_is_lost_by_who_stays_away(stage: WaitingStage) -> None:
    host = stage.arrive("doctor", role="host")
    client = stage.arrive("zoe")
    stage.settle()
    stage.drop(client)
    stage.settle()
    assert people(host) == [("zoe", False)]
    for _ in range(9):
        stage.advance(14)
        stage.say(host, type="pong")
        stage.settle()
    assert (stage.store.queue, people(host)) == ([], [])


def test_who_leaves_loses_the_place_at_once_unless_another_window_waits(stage: WaitingStage) -> None:
    first, second = stage.arrive("zoe"), stage.arrive("zoe")
    stage.settle()
    stage.say(first, type="leave")
    stage.settle()
    assert (first.closed, stage.store.queue) == (1000, ["zoe"])
    stage.say(second, type="leave")
    stage.settle()
    assert stage.store.queue == []


def test_after_a_restart_places_are_kept_as_long_as_after_a_lost_line(stage: WaitingStage) -> None:
    stage.arrive("zoe")
    stage.arrive("adam")
    stage.settle()
    stage.restart()
    stage.advance(GRACE - 1)
    stage.settle()
    again = stage.arrive("zoe")
    stage.settle()
    stage.advance(5)
    stage.settle()
    assert stage.store.queue == ["zoe"]
    assert place(again) == 1


def test_a_knock_that_failed_does_not_cost_the_place_that_was_kept(stage: WaitingStage) -> None:
    client = stage.arrive("zoe")
    stage.settle()
    stage.drop(client)
    stage.advance(GRACE - 1)
    again = stage.connect("zoe")
    stage.say(again, type="hello", v=1, token="zoe")
    assert again.seat is not None
    stage.hub.expect(again.seat, stage.admission("zoe"))
    stage.hub.turn_away(again.seat, "busy", now=stage.now, retry_after=2)
    stage.drop(again)
    stage.advance(GRACE - 1)
    stage.settle()
    assert stage.store.queue == ["zoe"]
    stage.advance(2)
    stage.settle()
    assert stage.store.queue == []


def test_the_database_that_does_not_answer_is_asked_again(stage: WaitingStage) -> None:
    client = stage.arrive("zoe")
    for _ in range(3):
        assert len(stage.wishes) == 1
        stage.wishes.clear()
        stage.hub.look_failed(ROOM, now=stage.now)
        stage.advance(1.9)
        assert stage.wishes == []
        stage.advance(0.2)
    stage.settle()
    assert place(client) == 1


def test_a_crowd_costs_few_reads(stage: WaitingStage) -> None:
    reads = 0
    for number in range(200):
        stage.arrive(f"p{number}")
        while stage.wishes:
            stage.grant()
            reads += 1
            stage.show()
    stage.advance(1)
    assert reads + len(stage.wishes) <= 3


def test_who_was_denied_again_before_the_token_came_is_not_let_in(stage: WaitingStage) -> None:
    client = stage.arrive("zoe")
    stage.settle()
    stage.decide("zoe", PresenceAct.ADMIT)
    stage.hub.touch(ROOM)
    stage.advance(0.1)
    stage.grant()
    stage.show()
    (let_in,) = stage.wishes
    stage.wishes.clear()
    stage.decide("zoe", PresenceAct.DENY)
    stage.hub.touch(ROOM)
    stage.advance(0.2)
    stage.grant()
    stage.show()
    stage.wishes.append(let_in)
    stage.settle()
    assert [word["type"] for word in client.heard[-1:]] == ["denied"]


def test_who_has_to_wait_again_before_the_token_came_is_not_let_in(stage: WaitingStage) -> None:
    client = stage.arrive("zoe")
    stage.settle()
    waiting = stage.store.people["zoe"]
    stage.store.people["zoe"] = dataclasses.replace(waiting, must_wait=False)  # the room needs no admission
    stage.hub.touch(ROOM)
    stage.advance(0.1)
    stage.grant()
    stage.show()
    stage.store.people["zoe"] = waiting
    stage.hub.touch(ROOM)
    stage.advance(0.2)
    stage.grant(1)
    stage.show()
    stage.settle()
    assert (place(client), client.closed) == (1, None)
    stage.decide("zoe", PresenceAct.ADMIT)
    stage.hub.touch(ROOM)
    stage.advance(1)
    stage.settle()
    assert client.closed == 1000


def test_a_scene_that_was_read_before_somebody_came_does_not_judge_them(stage: WaitingStage) -> None:
    first = stage.arrive("zoe")
    stage.settle()
    stage.advance(1)
    stage.decide("zoe", PresenceAct.DENY)
    stage.hub.touch(ROOM)
    stage.grant()
    stage.decide("zoe", PresenceAct.PUT_BACK)
    second = stage.arrive("zoe")
    stage.settle()
    stage.advance(1)
    stage.settle()
    assert (first.closed, second.closed, place(second)) == (4004, None, 1)


@pytest.mark.parametrize("role", ["guest", "host"])
def test_a_removed_person_is_gone_and_so_is_a_host(stage: WaitingStage, role: str) -> None:
    client = stage.arrive("zoe", role=role)
    stage.settle()
    stage.decide("zoe", PresenceAct.REMOVE)
    stage.hub.touch(ROOM)
    stage.advance(1)
    stage.settle()
    assert (client.heard[-1], client.closed) == ({"type": "refused", "code": "revoked"}, 4004)


def test_what_is_told_once_is_not_told_again(stage: WaitingStage) -> None:
    client = stage.arrive("zoe")
    stage.settle()
    count = len(client.heard)
    for _ in range(10):
        stage.hub.touch(ROOM)
        stage.advance(1)
        stage.settle()
    assert len(client.heard) == count


def test_words_of_the_host_are_shown_and_the_newest_counts(stage: WaitingStage) -> None:
    client, other = stage.arrive("zoe"), stage.arrive("adam")
    stage.settle()
    for wall, identity, text in ((1.0, None, "to all"), (2.0, "zoe", "to you")):
        stage.hub.write_to(ROOM, identity, text, now=stage.now, wall=wall)
        stage.advance(1)
        stage.settle()
    assert (client.last or {})["message"]["text"] == "to you"
    assert (other.last or {})["message"]["text"] == "to all"
    late = stage.arrive("late")
    stage.settle()
    assert (late.last or {})["message"]["text"] == "to all"


# --- the rules of the protocol ---


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "x",
        "[]",
        "null",
        "7",
        '{"type":7}',
        '{"type":""}',
        '{"type":"pong","id":-1}',
        "[" * 5000,
        '"\\ud800"',
    ],
)
def test_a_malformed_frame_ends_its_connection_only(stage: WaitingStage, frame: str) -> None:
    other = stage.arrive("adam")
    client = stage.arrive("zoe")
    stage.settle()
    assert client.seat is not None
    stage.hub.receive(client.seat, frame, now=stage.now)
    assert (client.closed, other.closed) == (1008, None)


@pytest.mark.parametrize(
    "hello",
    [
        {"type": "pong"},
        {"type": "admit", "identity": "zoe"},
        {"type": "hello"},
        {"type": "hello", "v": "1", "token": "t"},
        {"type": "hello", "v": 1, "token": "t", "role": "host"},
        {"type": "hello", "v": 1, "token": "t" * 9000},
    ],
)
def test_nothing_but_a_hello_comes_first(stage: WaitingStage, hello: dict[str, Any]) -> None:
    client = stage.connect()
    assert stage.say(client, **hello) is None
    assert client.closed == 1008
    assert client.heard == []


def test_a_hello_has_to_come_in_time(stage: WaitingStage) -> None:
    client = stage.connect()
    stage.advance(4.9)
    assert client.closed is None
    stage.advance(0.2)
    assert client.closed == 1008


def test_a_client_that_floods_is_closed(stage: WaitingStage) -> None:
    client = stage.arrive("zoe")
    for _ in range(40):
        stage.say(client, type="pong")
    assert client.closed == 1008
    assert stage.hub.counters.dropped["flood"] == 1


def test_a_silent_client_is_taken_as_gone(stage: WaitingStage) -> None:
    client = stage.arrive("zoe")
    stage.settle()
    stage.advance(44)
    assert client.closed is None
    stage.advance(2)
    assert client.closed == 4002


def test_a_token_to_come_back_with_is_given_in_time(stage: WaitingStage) -> None:
    client = stage.arrive("zoe")
    for _ in range(21):
        stage.settle()
        stage.advance(15)
        stage.say(client, type="pong")
    stage.settle()
    assert client.heard[-1] == {"type": "token", "token": "renewed-zoe"} or any(
        word == {"type": "token", "token": "renewed-zoe"} for word in client.heard
    )


def test_connections_are_bounded(stage: WaitingStage) -> None:
    limits = WaitingLimits(sockets=6, sockets_per_room=2, sockets_per_address=3)
    stage = WaitingStage(WaitingSettings(limits=limits))
    for name in ("a", "b"):
        stage.arrive(name)
    refused = stage.arrive("c")
    assert refused.heard == [{"type": "refused", "code": "full"}]
    with pytest.raises(PeerError, match="rate-limited"):
        stage.connect(address="192.0.2.1")
    for _ in range(3):
        stage.connect(address="192.0.2.2")
    with pytest.raises(PeerError, match="full"):
        stage.connect(address="192.0.2.3")


def test_only_a_host_may_order_and_only_what_is_in_the_table(stage: WaitingStage) -> None:
    patient, host = stage.arrive("zoe"), stage.arrive("doctor", role="delegate")
    stage.settle()
    assert stage.say(patient, type="admit", id=1, identity="zoe") is None
    assert (patient.heard[-1]["code"], patient.heard[-1]["id"]) == ("forbidden", 1)
    assert stage.say(host, type="dance", id=2) is None
    assert host.heard[-1]["code"] == "unknown-verb"
    assert stage.say(host, type="admit", id=3, identity="zoe", force=True) is None
    assert host.heard[-1]["code"] == "invalid-field"
    assert stage.say(host, type="late_notice", id=4, minutes=241) is None
    assert host.heard[-1]["code"] == "invalid-field"
    order = stage.say(host, type="admit", id=5, identity="zoe")
    assert isinstance(order, Order)
    assert (order.name, order.id) == ("admit", 5)


def test_when_everybody_is_gone_nothing_is_left(stage: WaitingStage) -> None:
    clients = [stage.arrive(name) for name in ("a", "b", "b", "c")]
    clients.append(stage.arrive("doctor", role="host"))
    stage.settle()
    stage.hub.write_to(ROOM, "a", "hello", now=stage.now, wall=1.0)
    stage.advance(1)
    stage.settle()
    for client in clients:
        stage.drop(client)
    stage.settle()
    stage.advance(GRACE + 1)
    stage.settle()
    assert set(stage.hub.census().values()) == {0}


def test_a_room_that_is_gone_ends_every_connection(stage: WaitingStage) -> None:
    clients = [stage.arrive("zoe"), stage.arrive("doctor", role="host")]
    stage.settle()
    stage.store.room = None
    stage.hub.touch(ROOM)
    stage.advance(1)
    stage.settle()
    assert [client.heard[-1] for client in clients] == [{"type": "closed", "reason": "deleted"}] * 2
    assert [client.closed for client in clients] == [4005, 4005]
    stage.advance(GRACE + 1)
    for client in clients:
        stage.drop(client)
    assert set(stage.hub.census().values()) == {0}


def test_hosts_see_who_is_in_the_call_and_in_which_group(stage: WaitingStage) -> None:
    host, patient = stage.arrive("doctor", role="host"), stage.arrive("zoe")
    stage.settle()
    assert host.last is not None
    assert (host.last["in_call"], host.last["groups"]) == ([], [])
    stage.store.in_call = {"bob": Present("Bob", moderates=False), "ann": Present("", moderates=True)}
    stage.store.groups = [Group("GR_1", "Left", ("bob",), EPOCH, EPOCH + 600, None)]
    stage.hub.touch(ROOM)
    stage.settle()
    assert host.last["in_call"] == [
        {"identity": "ann", "name": "", "moderates": True},
        {"identity": "bob", "name": "Bob", "moderates": False},
    ]
    assert host.last["groups"] == [
        {"id": "GR_1", "name": "Left", "members": ["bob"], "closes_at": "2027-01-15T08:10:00+00:00"}
    ]
    assert "bob" not in json.dumps(patient.heard).lower()


def test_hosts_see_at_once_who_comes_into_the_call_though_nothing_is_written_of_it_yet(
    stage: WaitingStage,
) -> None:
    host = stage.arrive("doctor", role="host")
    stage.settle()
    assert host.last is not None
    stage.hub.call_changed(ROOM)  # hears of it before the call has seated them
    stage.store.in_call = {"bob": Present("Bob", moderates=False)}
    stage.advance(0)
    assert [one["identity"] for one in host.last["in_call"]] == ["bob"]
    assert stage.wishes == []  # nothing had to be read for it


def test_a_crowd_that_comes_at_once_is_told_to_hosts_ten_times_a_second_at_most(stage: WaitingStage) -> None:
    host = stage.arrive("doctor", role="host")
    stage.settle()
    before = len(host.heard)
    for number in range(100):
        stage.store.in_call[f"p{number}"] = Present("P", moderates=False)
        stage.hub.call_changed(ROOM)
        stage.advance(0.01)
    stage.advance(0.1)
    assert host.last is not None
    assert len(host.last["in_call"]) == 100
    assert len(host.heard) - before <= 11


def test_a_large_call_is_not_named_to_hosts_without_end(stage: WaitingStage) -> None:
    stage.store.in_call = {f"p{number}": Present("P", moderates=False) for number in range(500)}
    host = stage.arrive("doctor", role="host")
    stage.settle()
    assert host.last is not None
    assert len(host.last["in_call"]) == MOST_IN_CALL

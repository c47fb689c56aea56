"""Every message of the client protocol, from everybody who could send it: what they hear, and who notices.

tests/data/messages.toml says it; what it does not classify fails here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from google.protobuf import json_format
from livekit.protocol import models, rtc

from rooms import GroupPlace
from sfu import LegKey, TrackKey, TrackSource
from signalling.livekit.vocabulary import may_publish
from tests.support.messages import Row, callers, rights_of, rows
from tests.support.stage import Client, Stage

CALLERS = callers()
SIGNAL, DATA = rows("signal"), rows("data")
GONE = ("removed", "replaced", "left", "adrift")
AWAY: Mapping[str, Mapping[str, Any]] = {
    "in a sub-room": {"group": GroupPlace("GR_away", "Away")},
    "in another room": {"room_id": "RM_other", "room_name": "other"},
}
NOTHING = {
    "theirs": "TR_nothing",
    "denied": "TR_nothing",
    "mine": "TR_nothing",
    "in_group": "TR_nothing",
    "elsewhere": "TR_nothing",
    "them": "PA_nothing",
}
LABELS = ("_reliable", "_lossy")


class World:
    """A call with people in it, a sub-room and another room; everybody publishes who may."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.people: dict[str, Client] = {}
        self.tracks: dict[TrackKey, Client] = {}
        self.enters("peer")
        self.enters("doctor", "host")
        self.enters("denying")
        self.people["denying"].says(subscription_permission=rtc.SubscriptionPermission())
        for name, where in AWAY.items():
            self.enters(name, "host", **where)

    def enters(self, name: str, caller: str = "guest", **where: Any) -> Client:
        """Let somebody in, who publishes a microphone and receives what there is."""
        role, warrant = CALLERS[caller]
        grants = rights_of(warrant)
        client = self.stage.joins(name, grants, role=role, warrant=warrant, **where)
        self.people[name] = client
        if may_publish(grants, TrackSource.MICROPHONE):
            self.tracks[client.publishes()] = client
        else:
            client.offers()
        return client

    def track_of(self, name: str) -> str:
        """Give the track of somebody."""
        return next((key for key, owner in self.tracks.items() if owner is self.people[name]), "TR_none")

    def names(self, caller: str) -> dict[str, str]:
        """Give what the words of a message name."""
        return {
            "mine": self.track_of(caller),
            "theirs": self.track_of("peer"),
            "denied": self.track_of("denying"),
            "in_group": self.track_of("in a sub-room"),
            "elsewhere": self.track_of("in another room"),
            "them": self.people["peer"].sid,
        }

    def watch(self) -> dict[str, "Glimpse"]:
        """Give what everybody has noticed so far."""
        return {name: self._glimpse(client) for name, client in self.people.items()}

    def _glimpse(self, client: Client) -> "Glimpse":
        leg = client.leg
        received = {key for key in leg.subscribed if self._flows(key)}
        muted = {key for key in received if self._is_muted(key)}
        return Glimpse(len(client.heard), len(leg.data), received, muted, str(leg.wanted), client.closed)

    def _flows(self, key: TrackKey) -> bool:
        return any(one.leg.closed is None and key in one.leg.published for one in self.people.values())

    def _is_muted(self, key: TrackKey) -> bool:
        publisher = next(one.leg for one in self.people.values() if key in one.leg.published)
        return publisher.muted.get(key, publisher.published[key].muted)

    def noticed(self, before: Mapping[str, "Glimpse"]) -> dict[str, set[str]]:
        """Give what each noticed since, in the words of the table."""
        after = self.watch()
        return {
            name: self._said(client, before[name]) | after[name].since(before[name])
            for name, client in self.people.items()
            if name in before
        }

    @staticmethod
    def _said(client: Client, before: "Glimpse") -> set[str]:
        return {_word(one) for one in client.heard[before.heard :]}


@dataclass
class Glimpse:
    """What a client has noticed at one moment."""

    heard: int
    data: int
    received: set[TrackKey] = field(default_factory=set)
    muted: set[TrackKey] = field(default_factory=set)
    wanted: str = ""
    closed: tuple[int, str] | None = None

    def since(self, before: "Glimpse") -> set[str]:
        """Give what is another than before, beside what was heard."""
        return {
            word
            for word, so in (
                ("data", self.data > before.data),
                ("media on", self.received > before.received),
                ("media off", self.received < before.received),
                ("muted", bool((self.muted - before.muted) & before.received)),
                ("unmuted", bool((before.muted - self.muted) & self.received)),
                ("wanted", self.wanted != before.wanted),
                (f"closed {self.closed[0] if self.closed else 0}", self.closed != before.closed),
            )
            if so
        }


def _word(response: rtc.SignalResponse) -> str:
    kind = response.WhichOneof("message") or ""
    match kind:
        case "request_response":
            return f"{kind} {rtc.RequestResponse.Reason.Name(response.request_response.reason)}"
        case "subscription_response":
            return f"{kind} {models.SubscriptionError.Name(response.subscription_response.err)}"
    return kind


def says(client: Client, row: Row, names: Mapping[str, str]) -> None:
    """Let a client send the message of a row."""
    assert client.seat is not None
    request = json_format.ParseDict(row.filled(names), rtc.SignalRequest())
    client.seat.handle(request, now=client.stage.now)
    if row.offers and client.seat.open:
        client.offers()


def prepare(client: Client, row: Row, names: Mapping[str, str]) -> None:
    """Let a client do what was done before."""
    if row.first == "mute" and names["mine"] != "TR_none":
        client.says(mute=rtc.MuteTrackRequest(sid=names["mine"], muted=True))
    elif row.first == "unsubscribe":
        client.says(subscription=rtc.UpdateSubscription(track_sids=[names["theirs"]], subscribe=False))


# --- nothing is missing ---


def test_every_kind_of_message_is_classified() -> None:
    (oneof,) = rtc.SignalRequest.DESCRIPTOR.oneofs
    assert {row.kind for row in SIGNAL} == {kind.name for kind in oneof.fields}, "say who may say this"


def test_every_row_says_what_its_name_says() -> None:
    names = dict.fromkeys(NOTHING, "x")
    for row in SIGNAL:
        request = json_format.ParseDict(row.filled(names), rtc.SignalRequest())
        assert request.WhichOneof("message") == row.kind
    for row in DATA:
        packet = json_format.ParseDict(row.filled(names), models.DataPacket())
        assert packet.WhichOneof("value") == row.name


def test_every_source_of_a_track_is_classified() -> None:
    listed = {row.name.split()[1] for row in SIGNAL if row.kind == "add_track"} - {"another's"}
    assert listed == set(models.TrackSource.keys())


def test_every_kind_of_data_is_classified() -> None:
    (oneof,) = models.DataPacket.DESCRIPTOR.oneofs
    assert {row.name for row in DATA} == {kind.name for kind in oneof.fields}, "say who may send this"


# --- what people say by signalling ---


@pytest.mark.parametrize("row", SIGNAL, ids=str)
def test_who_may_say_it_and_who_notices(row: Row) -> None:
    for caller in CALLERS:
        world = World()
        client = world.enters("caller", caller)
        names = world.names("caller")
        prepare(client, row, names)
        before = world.watch()
        says(client, row, names)
        noticed = world.noticed(before)
        assert noticed.pop("caller") == row.heard_by(caller), caller
        others = set(row.others) if row.may(caller) and caller != "hidden" else set()
        if names["mine"] == "TR_none" and row.kind == "leave":
            others -= {"media off"}
        for name, words in noticed.items():
            assert words == (others if name in {"peer", "doctor", "denying"} else set()), (caller, name)


@pytest.mark.parametrize("way", GONE)
def test_who_is_gone_says_nothing(way: str) -> None:
    world = World()
    client = world.enters("caller", "host")
    names = world.names("caller")
    goes(world, client, way)
    for row in SIGNAL:
        before = world.watch()
        says(client, row, names)
        assert not any(world.noticed(before).values()), row


@pytest.mark.parametrize("row", SIGNAL, ids=str)
@pytest.mark.parametrize("where", AWAY)
def test_from_elsewhere_nobody_is_reached_and_nothing_learnt(row: Row, where: str) -> None:
    heard = []
    for made_up in (False, True):
        world = World()
        client = world.people[where]
        names = world.names(where)
        before = world.watch()
        if made_up:
            names = {**NOTHING, "mine": names["mine"]}
        says(client, row, names)
        noticed = world.noticed(before)
        heard.append([_without_ids(one) for one in client.heard[before[where].heard :]])
        for name, words in noticed.items():
            assert name == where or not words, name
    if row.names & {"theirs", "denied", "them"}:
        assert heard[0] == heard[1]


def _without_ids(response: rtc.SignalResponse) -> str:
    return re.sub(r"\b(TR|PA)_\w+", r"\1", str(response))


def goes(world: World, client: Client, way: str) -> None:
    """Let somebody be gone whose old connection still speaks."""
    match way:
        case "removed":
            world.stage.hub.participant_removed("RM_room", client.identity)
        case "replaced":
            world.enters("again", "host")
            world.stage.joins(client.identity)
        case "left":
            client.says(leave=rtc.LeaveRequest())
        case "adrift":
            client.loses_signal()


# --- what people say by data channels ---


def sends(client: Client, row: Row, world: World, *, label: str, to: list[str]) -> None:
    packet = models.DataPacket(destination_identities=to)
    json_format.ParseDict(row.filled(world.names("caller")), packet)
    client.leg.listener.data_received(label, packet.SerializeToString(), binary=True)


@pytest.mark.parametrize("row", DATA, ids=str)
@pytest.mark.parametrize("label", LABELS)
def test_who_may_send_data_and_whom_it_reaches(row: Row, label: str) -> None:
    for caller in CALLERS:
        world = World()
        client = world.enters("caller", caller)
        for named, reached in (
            ([], {"peer", "doctor", "denying"}),
            (["peer"], {"peer"}),
            (["in a sub-room", "in another room", "nobody"], set()),
        ):
            before = world.watch()
            sends(client, row, world, label=label, to=named)
            noticed = {name for name, words in world.noticed(before).items() if words == {"data"}}
            assert noticed == (reached if row.may(caller) else set()), (caller, named)
            assert all(words in (set(), {"data"}) for words in world.noticed(before).values())
        for _, payload in world.people["peer"].leg.data:
            packet = models.DataPacket.FromString(payload)
            sender = ("", "") if caller == "hidden" else ("caller", client.sid)
            assert (packet.participant_identity, LegKey(packet.participant_sid)) == sender


@pytest.mark.parametrize("row", DATA, ids=str)
@pytest.mark.parametrize("where", AWAY)
def test_data_stays_in_its_call(row: Row, where: str) -> None:
    world = World()
    world.enters("caller", "guest")
    before = world.watch()
    for named in ([], ["peer"], [str(world.people["peer"].sid)]):
        sends(world.people[where], row, world, label="_reliable", to=named)
    assert not any(world.noticed(before).values())

"""A sentence to everybody reaches the call and its groups, and nobody else can say one."""

import json

import pytest
from livekit.protocol.models import DataPacket, DataStream, UserPacket

from rooms import Announcement, GroupPlace
from sfu import LegKey, PeerError
from signalling.livekit.announcing import TOPIC
from signalling.livekit.data import RELIABLE, Sender, relay
from tests.support.stage import EPOCH, ROOM, Client, Stage

WORDS = Announcement("Five minutes left.", "doctor", "Dr Martin", EPOCH)


def read(client: Client) -> list[DataPacket]:
    """Give what a client got by data channel."""
    return [DataPacket.FromString(payload) for label, payload in client.leg.data if label == RELIABLE]


def test_everybody_in_the_room_and_its_groups_is_told_at_once(stage: Stage) -> None:
    people = [stage.joins("ada"), stage.joins("bob", group=GroupPlace("GR_left", "Left"))]
    elsewhere = stage.joins("cy", room_id="RM_other", room_name="other")
    stage.hub.announced(ROOM, WORDS)
    for one in people:
        (packet,) = read(one)
        assert (packet.user.topic, packet.participant_identity) == (TOPIC, "")
        assert json.loads(packet.user.payload) == {
            "text": "Five minutes left.",
            "by": "doctor",
            "name": "Dr Martin",
            "at": "2027-01-15T08:00:00+00:00",
        }
    assert read(elsewhere) == []
    stage.hub.announced("RM_nobody", WORDS)


def test_one_who_reads_slowly_keeps_nobody_else_waiting(stage: Stage) -> None:
    slow, other = stage.joins("slow"), stage.joins("other")
    slow.leg.takes_data = False
    stage.hub.announced(ROOM, WORDS)
    assert len(read(other)) == 1
    assert stage.hub.counters.dropped["data-receiver-slow"] == 1


@pytest.mark.parametrize(
    "packet",
    [
        DataPacket(user=UserPacket(payload=b"{}", topic=TOPIC)),
        DataPacket(stream_header=DataStream.Header(topic="colloque.other")),
    ],
)
def test_clients_cannot_say_what_is_for_the_server_to_say(packet: DataPacket) -> None:
    hidden = Sender(LegKey("PA_x"), "spy", hidden=True)
    with pytest.raises(PeerError) as caught:
        relay(RELIABLE, packet.SerializeToString(), hidden)
    assert caught.value.code == "data-kind"

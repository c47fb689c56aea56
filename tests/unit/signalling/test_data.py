"""Data messages: who may send, who is said to have sent, who gets them."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import models

from sfu import LegKey, PeerError
from signalling.livekit.data import Relay, Sender, relay
from signalling.livekit.settings import LiveKitSettings, SignalLimits
from tests.support.stage import Client, Stage, rights

SENDER = Sender(LegKey("PA_ada"), "ada")
USER = models.UserPacket(payload=b"hello", topic="chat")


def sends(client: Client, packet: models.DataPacket, label: str = "_reliable") -> None:
    client.leg.listener.data_received(label, packet.SerializeToString(), binary=True)


def got(client: Client) -> list[models.DataPacket]:
    return [models.DataPacket.FromString(payload) for _, payload in client.leg.data]


def test_a_message_without_destination_goes_to_everybody_else(stage: Stage) -> None:
    ada, bob, cleo = (stage.joins(name) for name in ("ada", "bob", "cleo"))
    sends(ada, models.DataPacket(user=USER))
    assert [one.user.payload for one in got(bob)] == [b"hello"]
    assert got(cleo) == got(bob)
    assert got(ada) == []
    assert bob.leg.data[0][0] == "_reliable"


@pytest.mark.parametrize(
    "packet",
    [
        models.DataPacket(destination_identities=["bob"], user=USER),
        models.DataPacket(user=models.UserPacket(payload=b"hello", destination_identities=["bob"])),
    ],
)
def test_a_message_with_a_destination_goes_nowhere_else(stage: Stage, packet: models.DataPacket) -> None:
    ada, bob, cleo = (stage.joins(name) for name in ("ada", "bob", "cleo"))
    sends(ada, packet)
    assert len(got(bob)) == 1
    assert got(cleo) == []


def test_a_destination_that_is_not_there_gets_nothing_and_nobody_else_does(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    sends(ada, models.DataPacket(destination_identities=["nobody"], user=USER))
    assert got(bob) == []


def test_old_clients_name_destinations_by_sid(stage: Stage) -> None:
    ada, bob, cleo = (stage.joins(name) for name in ("ada", "bob", "cleo"))
    sends(ada, models.DataPacket(user=models.UserPacket(payload=b"x", destination_sids=[bob.sid])))
    assert (len(got(bob)), len(got(cleo))) == (1, 0)


def test_the_sender_is_who_sent_it_whatever_the_message_says(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    forged = models.UserPacket(payload=b"x", participant_identity="bob", participant_sid=bob.sid)
    sends(ada, models.DataPacket(participant_identity="bob", participant_sid=bob.sid, user=forged))
    packet = got(bob)[0]
    assert (packet.participant_identity, packet.participant_sid) == ("ada", ada.sid)
    assert (packet.user.participant_identity, packet.user.participant_sid) == ("ada", ada.sid)


def test_a_hidden_sender_stays_hidden(stage: Stage) -> None:
    ghost, bob = stage.joins("ghost", rights(hidden=True)), stage.joins("bob")
    sends(ghost, models.DataPacket(user=USER))
    packet = got(bob)[0]
    assert (packet.participant_identity, packet.user.participant_sid) == ("", "")


def test_the_channel_says_whether_a_message_is_reliable() -> None:
    packet = models.DataPacket(kind=models.DataPacket.RELIABLE, user=USER).SerializeToString()
    assert (
        models.DataPacket.FromString(relay("_lossy", packet, SENDER).payload).kind == models.DataPacket.LOSSY
    )
    assert models.DataPacket.FromString(relay("_reliable", packet, SENDER).payload).kind == 0


KINDS: Mapping[str, models.DataPacket] = {
    "chat": models.DataPacket(chat_message=models.ChatMessage(id="1", message="hi")),
    "header": models.DataPacket(stream_header=models.DataStream.Header(stream_id="s", topic="lk.chat")),
    "chunk": models.DataPacket(stream_chunk=models.DataStream.Chunk(stream_id="s", content=b"part")),
    "trailer": models.DataPacket(stream_trailer=models.DataStream.Trailer(stream_id="s")),
    "call": models.DataPacket(rpc_request=models.RpcRequest(id="r", method="m", payload="p")),
    "ack": models.DataPacket(rpc_ack=models.RpcAck(request_id="r")),
    "result": models.DataPacket(rpc_response=models.RpcResponse(request_id="r", payload="p")),
    "caption": models.DataPacket(transcription=models.Transcription(track_id="TR_1")),
    "tone": models.DataPacket(sip_dtmf=models.SipDTMF(code=1, digit="1")),
    "encrypted": models.DataPacket(
        encrypted_packet=models.EncryptedPacket(iv=b"i", key_index=1, encrypted_value=b"\x00\xff")
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_message_passes_unchanged_but_for_the_sender(kind: str) -> None:
    passed = models.DataPacket.FromString(relay("_reliable", KINDS[kind].SerializeToString(), SENDER).payload)
    assert (passed.participant_identity, passed.participant_sid) == ("ada", "PA_ada")
    passed.participant_identity = passed.participant_sid = ""
    assert passed == KINDS[kind]


def test_fields_that_we_do_not_know_pass_too() -> None:
    unknown = b"\xa2\x06\x03new"  # field 100
    packet = models.DataPacket(user=USER).SerializeToString() + unknown
    assert unknown in relay("_reliable", packet, SENDER).payload


@pytest.mark.parametrize(
    ("label", "payload", "code"),
    [
        ("_reliable", b"\xff\xff", "data-malformed"),
        ("_reliable", b"", "data-kind"),
        (
            "_reliable",
            models.DataPacket(speaker=models.ActiveSpeakerUpdate()).SerializeToString(),
            "data-kind",
        ),
        ("_data_track", b"anything", "data-channel"),
        ("mine", models.DataPacket(user=USER).SerializeToString(), "data-channel"),
    ],
)
def test_what_is_not_for_clients_to_send_is_dropped(label: str, payload: bytes, code: str) -> None:
    with pytest.raises(PeerError) as error:
        relay(label, payload, SENDER)
    assert error.value.code == code


def test_a_reliable_message_sent_again_after_a_resume_is_not_heard_twice(stage: Stage) -> None:
    ada, bob = stage.joins("ada"), stage.joins("bob")
    for sequence in (1, 2, 3, 2, 3, 4):
        sends(ada, models.DataPacket(user=USER, sequence=sequence))
    assert [one.sequence for one in got(bob)] == [1, 2, 3, 4]
    assert stage.hub.counters.dropped["data-repeated"] == 2


def test_who_may_not_send_data_is_not_heard(stage: Stage) -> None:
    mute, bob = stage.joins("mute", rights(can_publish_data=False)), stage.joins("bob")
    sends(mute, models.DataPacket(user=USER))
    assert got(bob) == []
    assert stage.hub.counters.dropped["data-not-allowed"] == 1


def test_messages_are_bounded_in_size_number_and_bytes() -> None:
    limits = SignalLimits(
        data_message_bytes=100,
        data_messages_per_second=1,
        data_messages_burst=4,
        data_bytes_per_second=50,
        data_bytes_burst=200,
    )
    stage = Stage(LiveKitSettings(limits=limits))
    ada, bob = stage.joins("ada"), stage.joins("bob")
    big = models.DataPacket(user=models.UserPacket(payload=b"x" * 80))
    sends(ada, models.DataPacket(user=models.UserPacket(payload=b"x" * 101)))
    for _ in range(3):
        sends(ada, big)
    assert len(got(bob)) == 2
    stage.passes(2)
    sends(ada, big)
    assert len(got(bob)) == 3
    assert stage.hub.counters.dropped["data-too-large"] == 1
    assert stage.hub.counters.dropped["data-rate"] == 1


def test_a_receiver_that_takes_nothing_costs_the_others_nothing(stage: Stage) -> None:
    ada, bob, cleo = (stage.joins(name) for name in ("ada", "bob", "cleo"))
    bob.leg.takes_data = False
    sends(ada, models.DataPacket(user=USER))
    assert len(got(cleo)) == 1
    assert stage.hub.counters.dropped["data-receiver-slow"] == 1


@given(st.binary(max_size=200))
def test_any_bytes_are_relayed_or_refused_and_nothing_else(payload: bytes) -> None:
    try:
        outcome = relay("_reliable", payload, SENDER)
    except PeerError:
        return
    assert isinstance(outcome, Relay)
    assert models.DataPacket.FromString(outcome.payload).participant_identity == "ada"

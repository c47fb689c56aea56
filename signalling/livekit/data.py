"""Data messages between clients: what may pass, from whom it is said to come, and to whom it goes.

The server stamps the sender, whatever the client wrote, and passes on everything else untouched: chat,
streams, remote calls, and payloads that only the receivers can decrypt. Clients number reliable messages so
that one sent again after a resume is not heard twice (client-sdk-js `RTCEngine.handleDataMessage`); here it
is not even relayed.
"""

from dataclasses import dataclass

from google.protobuf.message import DecodeError
from livekit.protocol.models import DataPacket

from sfu import LegKey, PeerError
from signalling.livekit.hands import OURS

RELIABLE = "_reliable"
LOSSY = "_lossy"

# What clients say to each other. Not `speaker`: who speaks is the server's word.
_RELAYED = frozenset(
    {
        "user",
        "chat_message",
        "transcription",
        "sip_dtmf",
        "metrics",
        "rpc_request",
        "rpc_ack",
        "rpc_response",
        "stream_header",
        "stream_chunk",
        "stream_trailer",
        "encrypted_packet",
    }
)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a message comes from, as others are to see it."""

    key: LegKey
    identity: str
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Relay:
    """A message to be passed on."""

    payload: bytes
    to: frozenset[str] | None
    """Identities or sids that get it; None for everybody else in the call."""
    sequence: int
    """The sender's number of a reliable message, 0 if it has none."""


def relay(label: str, payload: bytes, sender: Sender, *, last_sequence: int = 0) -> Relay:
    """Read a client's message and make it ready to pass on.

    Raise PeerError: `data-channel` (not one whose messages are relayed), `data-malformed`, `data-kind`,
    `data-repeated`.
    """
    if label not in {RELIABLE, LOSSY}:
        raise PeerError("data-channel", "messages of this data channel are not relayed")
    try:
        packet = DataPacket.FromString(payload)
    except DecodeError as error:
        raise PeerError("data-malformed", "not a DataPacket") from error
    if packet.WhichOneof("value") not in _RELAYED or _topic(packet).startswith(OURS):
        raise PeerError("data-kind", "this kind of data message is not for clients to send")
    if label == RELIABLE and 0 < packet.sequence <= last_sequence:
        raise PeerError("data-repeated", "this message was relayed before")
    packet.kind = DataPacket.RELIABLE if label == RELIABLE else DataPacket.LOSSY
    to = _destinations(packet)
    _stamp(packet, sender)
    return Relay(packet.SerializeToString(), to, packet.sequence if label == RELIABLE else 0)


def _topic(packet: DataPacket) -> str:
    match packet.WhichOneof("value"):
        case "user":
            return packet.user.topic
        case "stream_header":
            return packet.stream_header.topic
        case _:
            return ""


def _destinations(packet: DataPacket) -> frozenset[str] | None:
    """Return everybody named in any of the places where clients name receivers; None if nobody is named.

    Old clients name sids. To miss one of these places would tell everybody what was meant for one.
    """
    named = {*packet.destination_identities}
    if packet.WhichOneof("value") == "user":
        named.update(packet.user.destination_identities, packet.user.destination_sids)
    return frozenset(named) if named else None


def _stamp(packet: DataPacket, sender: Sender) -> None:
    identity = "" if sender.hidden else sender.identity
    key = "" if sender.hidden else str(sender.key)
    packet.participant_identity = identity
    packet.participant_sid = key
    if packet.WhichOneof("value") == "user":
        packet.user.participant_identity = identity
        packet.user.participant_sid = key

"""The first words to a client: all that it needs to know of the call, at a join and after a resume."""

from functools import lru_cache
from typing import TYPE_CHECKING

from livekit.protocol import models, rtc

from signalling.livekit.participant import Participant
from signalling.livekit.settings import LiveKitSettings, SignalTimes
from signalling.livekit.tracks import layers_to_send, muted_by_others
from signalling.livekit.vocabulary import PUBLISH_CODECS

if TYPE_CHECKING:
    from signalling.livekit.call import Call

PROTOCOL = 17
"""The generation of the LiveKit client protocol that is spoken here."""
COMPATIBLE_VERSION = "1.9.0"
"""The LiveKit server whose behaviour clients may expect.

They ask for at least 1.8.0 before they use remote calls (livekit-client `RpcClientManager`), and for 1.13.6
before they send several layers of one SVC codec as separate streams, which is not supported here.
"""


def joined(call: "Call", person: Participant) -> rtc.SignalResponse:
    """Return the `join`, always a client's first message."""
    settings = call.around.settings
    response = rtc.SignalResponse()
    response.CopyFrom(_same_for_all(settings.region, settings.node_id, settings.times))
    response.join.room.CopyFrom(call.room_info())
    response.join.participant.CopyFrom(person.info())
    response.join.other_participants.extend(call.roster.seen_by(person))
    response.join.ice_servers.extend(ice_servers(settings))
    return response


@lru_cache(maxsize=8)
def _same_for_all(region: str, node_id: str, times: SignalTimes) -> rtc.SignalResponse:
    """Return what the `join` of every client has in common, for reading."""
    info = server_info(region, node_id)
    return rtc.SignalResponse(
        join=rtc.JoinResponse(
            server_info=info,
            server_version=info.version,
            server_region=info.region,
            # One connection, on which the client makes every offer.
            subscriber_primary=False,
            fast_publish=True,
            enabled_publish_codecs=[models.Codec(mime=mime) for mime in PUBLISH_CODECS],
            ping_interval=times.ping_interval,
            ping_timeout=times.ping_timeout,
            client_configuration=models.ClientConfiguration(
                resume_connection=models.ClientConfigSetting.ENABLED
            ),
        )
    )


def resumed(call: "Call", person: Participant) -> list[rtc.SignalResponse]:
    """Return what a client needs after its signalling was lost: `reconnect` first, then what it missed."""
    settings = call.around.settings
    reconnect = rtc.ReconnectResponse(
        ice_servers=ice_servers(settings),
        server_info=server_info(settings.region, settings.node_id),
        client_configuration=models.ClientConfiguration(resume_connection=models.ClientConfigSetting.ENABLED),
        last_message_seq=person.last_sequence,
    )
    roster = [*person.missed_departures.values(), *call.roster.seen_by(person), person.info()]
    return [
        rtc.SignalResponse(reconnect=reconnect),
        *(muted_by_others(track) for track in person.tracks.values() if track.silenced),
        rtc.SignalResponse(update=rtc.ParticipantUpdate(participants=roster)),
        rtc.SignalResponse(room_update=rtc.RoomUpdate(room=call.room_info())),
        *(layers_to_send(track) for track in person.tracks.values() if track.layers_wanted),
    ]


def moved(call: "Call", person: Participant, token: str) -> rtc.SignalResponse:
    """Return what a client needs that is in this call from now on, with the connection that it has."""
    response = rtc.RoomMovedResponse(
        room=call.room_info(),
        token=token,
        participant=person.info(),
        other_participants=call.roster.seen_by(person),
    )
    return rtc.SignalResponse(room_moved=response)


def server_info(region: str, node_id: str) -> models.ServerInfo:
    """Return what we say of ourselves."""
    return models.ServerInfo(
        edition=models.ServerInfo.Standard,
        version=COMPATIBLE_VERSION,
        protocol=PROTOCOL,
        region=region,
        node_id=node_id,
        debug_info="colloque",
    )


def ice_servers(settings: LiveKitSettings) -> list[rtc.ICEServer]:
    """Return the relays a client may use."""
    return [
        rtc.ICEServer(urls=server.urls, username=server.username, credential=server.credential)
        for server in settings.ice_servers()
    ]

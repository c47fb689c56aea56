"""The tracks of one participant: from a client's announcement to what the live side and the others are told.

Clients order simulcast layers by quality and name them q, h, f (livekit-client `src/room/participant/
publishUtils.ts`); the live side wants encodings lowest first. A client may announce a second codec of a track
that it has published (a backup codec): that is a new section with no track of its own, and is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from livekit.protocol import models
from livekit.protocol.rtc import (
    AddTrackRequest,
    MuteTrackRequest,
    SignalResponse,
    SubscribedCodec,
    SubscribedQuality,
    SubscribedQualityUpdate,
)

from sfu import EncodingIntent, LegKey, MediaKind, PeerError, PublishIntent, TrackKey, TrackSource, TrackView
from signalling.livekit.vocabulary import QUALITIES, SOURCE_TO_WIRE, kind_from_wire, source_from_wire

OFFER_WITHIN = 20.0
"""Seconds after which a track that was announced and never offered is given up; clients wait for 10."""
_RIDS = ("q", "h", "f")  # by quality: low, medium, high
_MAX_LAYERS = 3
_MAX_TEXT = 256  # characters of an id or a name
_MAX_FEATURES = 16
_MAX_PIXELS = 16_384
_MAX_KBPS = 50_000
_STREAMS = {
    TrackSource.CAMERA: "camera",
    TrackSource.MICROPHONE: "camera",
    TrackSource.SCREEN_SHARE: "screen_share",
    TrackSource.SCREEN_SHARE_AUDIO: "screen_share",
}


@dataclass(slots=True)
class PublishedTrack:
    """A track as its publisher announced it and as it was negotiated since."""

    intent: PublishIntent
    info: models.TrackInfo
    """What others are told; its muted flag, codec and section follow events."""
    cid: str
    """The client's own name for it."""
    added_at: float = 0.0
    announced: bool = False
    """Negotiated, so that others know it."""
    heard: bool = False
    """Somebody has been given it, which its publisher is told once."""
    silenced: bool = False
    """Muted by somebody else, and not touched by its publisher since."""
    layers_wanted: tuple[bool, ...] = ()
    """Which encodings the publisher is to send; empty until the live side says so."""


def track_from_request(request: AddTrackRequest, *, key: TrackKey, leg: LegKey) -> PublishedTrack:
    """Read a client's announcement; raise PeerError `invalid-track`."""
    kind = kind_from_wire(request.type)
    if kind is None:
        raise PeerError("invalid-track", "a track is audio or video")
    if not request.cid or any(len(text) > _MAX_TEXT for text in _texts(request)):
        raise PeerError("invalid-track", f"cid is needed; no id or name is longer than {_MAX_TEXT}")
    if request.sid:
        raise PeerError("invalid-track", "a further codec of a published track is not supported")
    source = source_from_wire(request.source)
    layers = _layers(request) if kind is MediaKind.VIDEO else []
    simulcast = len(layers) > 1
    intent = PublishIntent(
        key=key,
        kind=kind,
        source=source,
        client_ids=_client_ids(request),
        # Tracks of one stream are played in step; camera and microphone belong together.
        stream_id=f"{leg}|{request.stream or _STREAMS.get(source, key)}",
        encodings=_encodings(layers),
        muted=request.muted,
        # A browser sends the codec that our answer puts first, whichever its own offer named first.
        codec=_first_codec(request, kind) if kind is MediaKind.VIDEO else "",
        dtx=not request.disable_dtx,
        stereo=request.stereo,
    )
    info = models.TrackInfo(
        sid=key,
        type=request.type,
        name=request.name,
        muted=request.muted,
        width=min(request.width, _MAX_PIXELS),
        height=min(request.height, _MAX_PIXELS),
        simulcast=simulcast,
        disable_dtx=request.disable_dtx,
        source=SOURCE_TO_WIRE[source],
        layers=layers,
        mime_type=_first_codec(request, kind),
        stereo=request.stereo,
        disable_red=request.disable_red,
        encryption=request.encryption,
        stream=request.stream,
        audio_features=_audio_features(request),
        backup_codec_policy=request.backup_codec_policy,
        packet_trailer_features=request.packet_trailer_features[:_MAX_FEATURES],
    )
    track = PublishedTrack(intent, info, request.cid)
    _describe_codec(track)
    return track


def negotiated(track: PublishedTrack, view: TrackView) -> None:
    """Take over what the live side knows since the track has a section."""
    track.info.mime_type = view.mime_type
    track.info.mid = view.mid
    track.info.muted = view.muted
    _describe_codec(track)


def muted_by_others(track: PublishedTrack) -> SignalResponse:
    """Return what tells a publisher that somebody muted a track of theirs."""
    return SignalResponse(mute=MuteTrackRequest(sid=track.intent.key, muted=True))


def encodings_enabled(wanted: Sequence[bool]) -> list[bool]:
    """Return for low, medium and high whether it is wanted, of encodings given lowest first.

    A client with fewer encodings than qualities looks its own up by name, so the missing ones follow the
    last.
    """
    return [wanted[min(index, len(wanted) - 1)] if wanted else False for index in range(len(_RIDS))]


def layers_to_send(track: PublishedTrack) -> SignalResponse:
    """Return what tells a publisher which encodings of a track to send."""
    qualities = [
        SubscribedQuality(quality=quality, enabled=on)
        for quality, on in zip(QUALITIES, encodings_enabled(track.layers_wanted), strict=True)
    ]
    codec = track.info.mime_type.rpartition("/")[2].lower()
    update = SubscribedQualityUpdate(
        track_sid=track.intent.key,
        subscribed_qualities=qualities,
        subscribed_codecs=[SubscribedCodec(codec=codec, qualities=qualities)],
    )
    return SignalResponse(subscribed_quality_update=update)


def _texts(request: AddTrackRequest) -> Sequence[str]:
    return [
        request.cid,
        request.name,
        request.stream,
        request.sid,
        *(text for codec in request.simulcast_codecs for text in (codec.codec, codec.cid)),
        *(layer.rid for layer in request.layers),
    ]


def _client_ids(request: AddTrackRequest) -> tuple[str, ...]:
    ids = [request.cid, *(codec.cid for codec in request.simulcast_codecs[:4])]
    return tuple(dict.fromkeys(text for text in ids if text))


def _layers(request: AddTrackRequest) -> list[models.VideoLayer]:
    """Return the announced layers lowest first, each with a rid; none if there are none."""
    announced = request.layers
    if request.simulcast_codecs and request.simulcast_codecs[0].layers:
        announced = request.simulcast_codecs[0].layers
    by_quality: Mapping[int, models.VideoLayer] = {
        layer.quality: layer for layer in announced if layer.quality < _MAX_LAYERS
    }
    layers: list[models.VideoLayer] = []
    for quality in sorted(by_quality):
        layer = by_quality[quality]
        layers.append(
            models.VideoLayer(
                quality=layer.quality,
                width=min(layer.width, _MAX_PIXELS),
                height=min(layer.height, _MAX_PIXELS),
                bitrate=min(layer.bitrate, _MAX_KBPS * 1000),
                ssrc=layer.ssrc,
                spatial_layer=layer.spatial_layer,
                rid=layer.rid or _RIDS[len(layers)],
            )
        )
    return layers


def _encodings(layers: Sequence[models.VideoLayer]) -> tuple[EncodingIntent, ...]:
    if len(layers) < 2:
        only = layers[0] if layers else models.VideoLayer()
        return (EncodingIntent("", only.width, only.height, only.bitrate // 1000),)
    return tuple(
        EncodingIntent(layer.rid, layer.width, layer.height, layer.bitrate // 1000) for layer in layers
    )


def _first_codec(request: AddTrackRequest, kind: MediaKind) -> str:
    """Return the codec that the client says it will use, as a MIME type; empty if it does not say."""
    if not request.simulcast_codecs:
        return ""
    name = request.simulcast_codecs[0].codec
    return name if "/" in name or not name else f"{kind}/{name.upper() if kind is MediaKind.VIDEO else name}"


def _audio_features(request: AddTrackRequest) -> list[models.AudioTrackFeature]:
    features = list(request.audio_features[:_MAX_FEATURES])
    for feature, set_by in (
        (models.AudioTrackFeature.TF_STEREO, request.stereo),
        (models.AudioTrackFeature.TF_NO_DTX, request.disable_dtx),
    ):
        if set_by and feature not in features:
            features.append(feature)
    return features


def _describe_codec(track: PublishedTrack) -> None:
    """Write the codec entry by which newer clients read the layers."""
    info = track.info
    del info.codecs[:]
    if info.mime_type:
        info.codecs.append(
            models.SimulcastCodecInfo(
                mime_type=info.mime_type, mid=info.mid, cid=track.cid, layers=info.layers
            )
        )

"""Our words in the words of the LiveKit protocol, and back."""

from dataclasses import replace
from functools import lru_cache

from livekit.protocol import models, rtc

from rooms import SOURCES, Grants
from sfu import MediaKind, TrackSource, Wanted

SOURCE_TO_WIRE: dict[TrackSource, models.TrackSource] = {
    TrackSource.UNKNOWN: models.TrackSource.UNKNOWN,
    TrackSource.CAMERA: models.TrackSource.CAMERA,
    TrackSource.MICROPHONE: models.TrackSource.MICROPHONE,
    TrackSource.SCREEN_SHARE: models.TrackSource.SCREEN_SHARE,
    TrackSource.SCREEN_SHARE_AUDIO: models.TrackSource.SCREEN_SHARE_AUDIO,
}
KIND_TO_WIRE: dict[MediaKind, models.TrackType] = {
    MediaKind.AUDIO: models.TrackType.AUDIO,
    MediaKind.VIDEO: models.TrackType.VIDEO,
}
QUALITIES: tuple[models.VideoQuality, ...] = (
    models.VideoQuality.LOW,
    models.VideoQuality.MEDIUM,
    models.VideoQuality.HIGH,
)
PUBLISH_CODECS = ("audio/opus", "audio/red", "video/VP8", "video/H264", "video/VP9", "video/AV1")
"""What every client may publish; named at the join, so that clients offer a track while they announce it."""

# Enumerations arrive as plain integers, also with values that we have never heard of.
_SOURCE_FROM_WIRE: dict[int, TrackSource] = {wire: source for source, wire in SOURCE_TO_WIRE.items()}
_KIND_FROM_WIRE: dict[int, MediaKind] = {wire: kind for kind, wire in KIND_TO_WIRE.items()}
_SOURCE_BY_NAME = {source.value: source for source in TrackSource}
_LARGEST_PICTURE = 16_384  # pixels, of either side
_HIGHEST_RATE = 240  # pictures a second


def source_from_wire(source: int) -> TrackSource:
    """Return our source; one that we do not know is `unknown`."""
    return _SOURCE_FROM_WIRE.get(source, TrackSource.UNKNOWN)


def kind_from_wire(kind: int) -> MediaKind | None:
    """Return audio or video; None for what a call does not carry as a track."""
    return _KIND_FROM_WIRE.get(kind)


@lru_cache(maxsize=256)
def permission_to_wire(grants: Grants) -> models.ParticipantPermission:
    """Return rights as clients see them; not to be changed, for others get the same."""
    sources = (_SOURCE_BY_NAME.get(name) for name in grants.can_publish_sources)
    return models.ParticipantPermission(
        can_subscribe=grants.can_subscribe,
        can_publish=grants.can_publish,
        can_publish_data=grants.can_publish_data,
        can_publish_sources=[SOURCE_TO_WIRE[source] for source in sources if source is not None],
        hidden=grants.hidden,
        can_update_metadata=grants.can_update_own_metadata,
    )


def permission_from_wire(permission: models.ParticipantPermission, before: Grants) -> Grants:
    """Return rights as an application sets them; what a permission does not speak of stays as before.

    A list of sources that we do not know allows none.
    """
    wanted = {source_from_wire(source).value for source in permission.can_publish_sources}
    sources = tuple(source for source in SOURCES if source in wanted)
    return replace(
        before,
        can_subscribe=permission.can_subscribe,
        can_publish=permission.can_publish and bool(sources or not wanted),
        can_publish_data=permission.can_publish_data,
        can_publish_sources=sources,
        hidden=permission.hidden,
        can_update_own_metadata=permission.can_update_metadata,
    )


def may_publish(grants: Grants, source: TrackSource) -> bool:
    """Whether these rights allow a track of this source.

    A track of unknown source is for those who may publish everything. Nobody could receive a track of a
    hidden person without seeing them, so there is none.
    """
    if not grants.can_publish or grants.hidden:
        return False
    return not grants.can_publish_sources or source.value in grants.can_publish_sources


def wanted_from_wire(setting: rtc.UpdateTrackSettings) -> Wanted:
    """Return what a subscriber asks for; quality `OFF` is the same as disabled."""
    return Wanted(
        disabled=setting.disabled or setting.quality == models.VideoQuality.OFF,
        quality=min(int(setting.quality), int(models.VideoQuality.HIGH)),
        width=min(setting.width, _LARGEST_PICTURE),
        height=min(setting.height, _LARGEST_PICTURE),
        max_fps=min(setting.fps, _HIGHEST_RATE),
    )

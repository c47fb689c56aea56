"""What each role may do, and how rights narrow each other: pure functions of values."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING

from rooms.model import SOURCES, Bandwidth, Features, Grants, Restraints, Role, Source, Warrant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EVERYTHING = Grants(
    can_publish=True,
    can_subscribe=True,
    can_publish_data=True,
    can_publish_sources=(),
    hidden=False,
    room_admin=True,
    can_update_own_metadata=True,
)
_TAKES_PART = replace(EVERYTHING, room_admin=False)
_WATCHES = replace(_TAKES_PART, can_publish=False, can_publish_data=False, can_update_own_metadata=False)

ROLE_GRANTS: dict[Role, Grants] = {
    "host": EVERYTHING,
    "delegate": EVERYTHING,  # prepares, admits and starts on behalf of the host
    "patient": _TAKES_PART,
    "guest": _TAKES_PART,
    "observer": _WATCHES,  # seen by all: nobody watches a consultation unseen
}
_SCREEN = frozenset({"screen_share", "screen_share_audio"})
_SOUND = frozenset({"microphone"})
_FREE = Restraints()
_UNBOUNDED = Bandwidth()


def grants_for(role: Role, can_publish: tuple[str, ...] | None) -> Grants:
    """Give what a participant may do by role and listed sources."""
    grants = ROLE_GRANTS[role]
    if can_publish is not None:
        grants = replace(grants, can_publish=bool(can_publish), can_publish_sources=can_publish)
    return grants


def in_force(
    warrant: Warrant,
    features: Features,
    for_all: Restraints = _FREE,
    *,
    bandwidth: Bandwidth = _UNBOUNDED,
) -> Grants:
    """Give what a person may do now: what store and token both allow, within what is possible in the room.

    From that comes off what was taken away from the person, and from everybody unless the person moderates.
    """
    given = [grants for grants in (warrant.stored, warrant.token) if grants is not None]
    possible = within_bandwidth(within_features(reduce(narrow, given), features), bandwidth)
    grants = restrained(possible, warrant.restraints)
    return grants if grants.room_admin else restrained(grants, for_all)


def restrained(grants: Grants, restraints: Restraints) -> Grants:
    """Take away what a moderator forbade."""
    grants = _keep_sources(grants, frozenset(SOURCES) - frozenset(restraints.forbidden))
    return replace(grants, may_unmute=grants.may_unmute and restraints.may_unmute)


def forbidden_sources(named: Iterable[str]) -> tuple[Source, ...]:
    """Give what is forbidden where these sources are named: a screen goes with its sound."""
    wanted = frozenset(named)
    return tuple(
        source
        for source in SOURCES
        if source in wanted or (source == "screen_share_audio" and "screen_share" in wanted)
    )


def within_features(grants: Grants, features: Features) -> Grants:
    """Take away what is switched off in the room for everybody."""
    if not features.screen_share:
        grants = _keep_sources(grants, frozenset(SOURCES) - _SCREEN)
    if not features.chat:
        grants = replace(grants, can_publish_data=False)
    if not features.raise_hand:
        # A raised hand is an attribute that a participant sets on itself.
        grants = replace(grants, can_update_own_metadata=False)
    return grants


def within_bandwidth(grants: Grants, bandwidth: Bandwidth) -> Grants:
    """Take away what the media of the room may not take, also from those who moderate."""
    return _keep_sources(grants, _SOUND) if bandwidth.audio_only else grants


def narrow(grants: Grants, other: Grants) -> Grants:
    """Give the rights that both allow."""
    both = replace(
        grants,
        can_publish=grants.can_publish and other.can_publish,
        can_subscribe=grants.can_subscribe and other.can_subscribe,
        can_publish_data=grants.can_publish_data and other.can_publish_data,
        hidden=grants.hidden or other.hidden,
        room_admin=grants.room_admin and other.room_admin,
        can_update_own_metadata=grants.can_update_own_metadata and other.can_update_own_metadata,
        may_unmute=grants.may_unmute and other.may_unmute,
    )
    return _keep_sources(both, frozenset(other.can_publish_sources or SOURCES))


def grants_to_claims(grants: Grants) -> dict[str, object]:
    """Write rights as the `video` claims of a LiveKit token (livekit/protocol `auth/grants.go`)."""
    claims: dict[str, object] = {
        "canPublish": grants.can_publish,
        "canSubscribe": grants.can_subscribe,
        "canPublishData": grants.can_publish_data,
        "canUpdateOwnMetadata": grants.can_update_own_metadata,
    }
    if grants.can_publish_sources:
        claims["canPublishSources"] = list(grants.can_publish_sources)
    if grants.room_admin:
        claims["roomAdmin"] = True
    if grants.hidden:
        claims["hidden"] = True
    return claims


def grants_from_claims(video: Mapping[str, object]) -> Grants:
    """Read rights from LiveKit `video` claims; raise `ValueError` if one has the wrong type.

    What is not said follows LiveKit (livekit/protocol `auth/grants.go`): publishing and subscribing are
    allowed, data follows publishing, the rest is not allowed. Sources that we do not know allow nothing.
    """
    can_publish = _flag(video, "canPublish", absent=True)
    sources: tuple[str, ...] = ()
    listed = video.get("canPublishSources")
    if isinstance(listed, list) and listed:
        sources = tuple(source for source in SOURCES if source in {str(one).lower() for one in listed})
        can_publish = can_publish and bool(sources)
    elif listed is not None and not isinstance(listed, list):
        raise ValueError("canPublishSources is not a list")
    return Grants(
        can_publish=can_publish,
        can_subscribe=_flag(video, "canSubscribe", absent=True),
        can_publish_data=_flag(video, "canPublishData", absent=can_publish),
        can_publish_sources=sources,
        hidden=_flag(video, "hidden", absent=False),
        room_admin=_flag(video, "roomAdmin", absent=False),
        can_update_own_metadata=_flag(video, "canUpdateOwnMetadata", absent=False),
    )


def _keep_sources(grants: Grants, kept: frozenset[str]) -> Grants:
    if kept >= frozenset(SOURCES):
        return grants
    sources = tuple(source for source in grants.can_publish_sources or SOURCES if source in kept)
    return replace(grants, can_publish=grants.can_publish and bool(sources), can_publish_sources=sources)


def _flag(video: Mapping[str, object], name: str, *, absent: bool) -> bool:
    value = video.get(name)
    if value is None:
        return absent
    if not isinstance(value, bool):
        raise ValueError(f"{name} is not a boolean")  # noqa: TRY004 - one error for every bad claim
    return value

"""Settings turned into what each part wants of them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from colloque.deployment import deployment
from colloque.origins import own_origins
from control_api import Addresses, ApiSettings, Targets
from rooms import ApiKey, KeyRing, RoomsSettings
from sfu import MediaAddress, SfuConfig, SfuLimits
from signalling.livekit import LiveKitSettings, SignalLimits
from signalling.probe import Path, ProbeLimits, ProbeSettings
from signalling.waiting import WaitingLimits, WaitingSettings
from turn_config import RANDOM_BYTES, ice_servers, ways

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from colloque.settings import Settings
    from turn_config import Deployment, IceServers


def key_ring(settings: Settings) -> KeyRing:
    """Give the API keys."""
    return KeyRing(
        ApiKey(one.key, one.secret.get_secret_value(), one.tenant, frozenset(one.scopes))
        for one in settings.api_keys
    )


def rooms_settings(settings: Settings) -> RoomsSettings:
    """Give what the durable part wants."""
    return RoomsSettings(
        open_before_minutes=settings.rooms.open_before_minutes,
        close_after_minutes=settings.rooms.close_after_minutes,
        overrun_minutes=settings.rooms.overrun_minutes,
        events_kept_days=settings.rooms.events_kept_days,
        connection_tests_kept_days=settings.rooms.connection_tests_kept_days,
        max_kbps=settings.bandwidth.max_kbps or None,
        create_on_join=settings.rooms.create_on_join,
        token_ttl_seconds=settings.rooms.token_ttl_seconds,
        max_participants_per_room=settings.limits.participants_per_room,
        max_links_per_room=settings.limits.links_per_room,
    )


def api_settings(settings: Settings) -> ApiSettings:
    """Give what the REST interface wants."""
    return ApiSettings(
        addresses=Addresses(settings.server.public_url),
        own_origins=own_origins(settings.server.public_url),
        allowed_origins=frozenset(settings.server.allowed_origins),
        requests_per_minute_per_key=settings.limits.api_requests_per_minute_per_key,
        requests_per_minute_per_address=settings.limits.api_requests_per_minute_per_address,
        failures_per_minute_per_address=settings.limits.failures_per_minute_per_address,
    )


def webhook_targets(settings: Settings) -> Targets:
    """Give where events may be told."""
    return Targets(settings.webhooks.allowed_targets)


def relays(settings: Callable[[], Settings], clock: Callable[[], float]) -> Callable[[], IceServers]:
    """Give what makes the list of relays for one client, from the settings in force."""

    seen: tuple[Settings, Deployment] | None = None

    def make() -> IceServers:
        nonlocal seen
        now_in_force = settings()
        if seen is None or seen[0] is not now_in_force:  # read again after SIGHUP
            seen = now_in_force, deployment(now_in_force)
        return ice_servers(seen[1], now=clock(), random=secrets.token_bytes(RANDOM_BYTES))

    return make


def livekit_settings(settings: Settings, relays: Callable[[], IceServers]) -> LiveKitSettings:
    """Give what the signalling wants."""
    limits = settings.limits
    return LiveKitSettings(
        allowed_origins=_allowed_origins(settings),
        ice_servers=lambda: relays().servers,
        max_kbps=settings.bandwidth.max_kbps or None,
        limits=SignalLimits(
            data_message_bytes=limits.data_message_bytes,
            tracks=limits.tracks_per_leg,
            legs_per_call=limits.legs_per_call,
            refusals_per_minute_per_address=limits.failures_per_minute_per_address,
        ),
    )


def waiting_settings(settings: Settings) -> WaitingSettings:
    """Give what the waiting room's channel wants."""
    return WaitingSettings(
        allowed_origins=_allowed_origins(settings),
        limits=WaitingLimits(refusals_per_minute_per_address=settings.limits.failures_per_minute_per_address),
    )


def probe_settings(settings: Settings) -> ProbeSettings:
    """Give what the live part of connection tests wants."""
    limits = settings.limits
    return ProbeSettings(
        allowed_origins=_allowed_origins(settings),
        limits=ProbeLimits(
            tests=limits.connection_tests,
            tests_per_address=limits.connection_tests_per_address,
            refusals_per_minute_per_address=limits.failures_per_minute_per_address,
        ),
    )


def probe_paths(
    settings: Callable[[], Settings], clock: Callable[[], float], *, media_port: int
) -> Callable[[], Sequence[Path]]:
    """Give what lists the ways to try for one client, from the settings in force."""

    def make() -> Sequence[Path]:
        found = ways(deployment(settings()), now=clock(), random=secrets.token_bytes)
        return [Path("udp", media_port), *(Path(one.name, one.port, one.server) for one in found)]

    return make


def sfu_config(settings: Settings) -> SfuConfig:
    """Give what the live side wants."""
    limits = settings.limits
    return SfuConfig(
        udp_port=settings.media.udp_port,
        addresses=tuple(MediaAddress(one.bind, one.announce) for one in settings.media.addresses),
        workers=settings.media.workers,
        marks=settings.media.dscp == "rfc8837",
        busy_poll_us=settings.media.busy_poll_us,
        audio_gather_ms=settings.media.audio_gather_ms,
        steering=settings.media.steering,
        limits=SfuLimits(
            sdp_bytes=limits.sdp_bytes,
            sections_per_offer=limits.sections_per_offer,
            tracks_per_leg=limits.tracks_per_leg,
            subscriptions_per_leg=limits.subscriptions_per_leg,
            legs_per_call=limits.legs_per_call,
            calls=limits.calls,
            offers_per_10_seconds=limits.offers_per_10_seconds,
            data_message_bytes=limits.data_message_bytes,
        ),
    )


def _allowed_origins(settings: Settings) -> tuple[str, ...] | None:
    if not settings.server.allowed_origins:
        return None
    return tuple(sorted(own_origins(settings.server.public_url) | frozenset(settings.server.allowed_origins)))

"""The settings as the generators of files and pages for relays and firewalls see them."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from turn_config import Deployment, MediaAddress

if TYPE_CHECKING:
    from colloque.settings import Settings


def deployment(settings: Settings) -> Deployment:
    """Give hosts, ports and relays."""
    return Deployment(
        public_url=settings.server.public_url,
        media_port=settings.media.udp_port,
        media_addresses=tuple(
            MediaAddress(ip_address(one.bind), ip_address(one.announce)) for one in settings.media.addresses
        ),
        named_hosts=tuple(settings.hosts),
        turn=settings.turn,
        firewall=settings.firewall,
        marks=settings.media.dscp == "rfc8837",
    )

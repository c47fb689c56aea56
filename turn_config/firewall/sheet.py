"""All that the firewall sheet says, as values without a language."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from turn_config.firewall.rows import Row, relay_ports, rows
from turn_config.listeners import Purpose, listeners

if TYPE_CHECKING:
    from datetime import date

    from turn_config.deployment import Deployment
    from turn_config.settings import Host

FORMAT = 1
"""Rises when a field of the JSON form changes its meaning or goes."""

UDP_STATE_SECONDS = 30
"""How long a firewall must remember a UDP flow: a few of the checks that keep it alive."""
CONSENT_SECONDS = 5
"""How often a browser asks whether it may go on sending (RFC 7675), silent or not."""
TCP_IDLE_SECONDS = 60
"""How long a quiet connection must be let be: several of the longest silence on a WebSocket."""
PING_SECONDS, WAITING_PING_SECONDS = 5, 15
"""The silence on a WebSocket at most, in a call and in the waiting room."""
ROUND_TRIP_MS = 200
LOSS_PERCENT = 3
TLS_MIN = "1.2"
PACKETS_PER_SEAT = 300
"""A second and each way: 2 Mb/s of pictures in packets of 1,100 bytes, and the voices."""


class Profile(StrEnum):
    """How much of a call a line is to carry."""

    USUAL = "usual"
    LEAST = "least"
    SOUND_ONLY = "sound_only"


KBPS_PER_SEAT = {Profile.USUAL: 2000, Profile.LEAST: 1000, Profile.SOUND_ONLY: 60}
"""Each way; of both the server and the page make the best, and below the least they cut pictures."""


class Traffic(StrEnum):
    """What is marked alike."""

    SOUND = "sound"
    PICTURES = "pictures"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class Reserve:
    """What to keep free on the site's line, each way."""

    profile: Profile
    kbps_per_seat: int
    kbps: int
    """For all seats."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The DSCP that the server sends with (RFC 8837)."""

    traffic: Traffic
    name: str
    dscp: int

    @property
    def tos(self) -> int:
        """The same as the whole octet that some devices ask for."""
        return self.dscp << 2


_MARKS = (
    Mark(Traffic.SOUND, "EF", 46),
    Mark(Traffic.PICTURES, "AF41", 34),
    Mark(Traffic.REST, "CS0", 0),
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a site needs to know to let its people into calls."""

    public_url: str
    public_name: str
    hosts: tuple[Host, ...]
    """Those that clients send anything to."""
    rows: tuple[Row, ...]
    relay_ports: tuple[str, ...]
    """Those that clients are told of, the best first; none where there are no relays."""
    seats: int
    reserves: tuple[Reserve, ...]
    marks: tuple[Mark, ...]
    """None where the server leaves them out."""
    contact: str
    """May be empty."""
    test_page: str
    date: date
    """When it was written; the fingerprint does not depend on it."""
    fingerprint: str
    """Changes when anything above does: a printed sheet is old when the server says another."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names that a site's people and devices look up."""
        return tuple(dict.fromkeys((self.public_name, *(host.name for host in self.hosts))))

    @property
    def packets_per_second(self) -> int:
        """What a protection against floods sees of all seats, each way."""
        return self.seats * PACKETS_PER_SEAT

    def ports_for(self, purpose: Purpose) -> tuple[str, ...]:
        """List the ports of one purpose, each once, like `10000/UDP`."""
        return tuple(dict.fromkeys(row.written for row in self.rows if row.purpose is purpose))


def sheet(deployment: Deployment, *, today: date) -> Sheet:
    """Make the sheet of a deployment in which `problems` finds nothing."""
    firewall = deployment.firewall
    values: dict[str, Any] = {
        "public_url": deployment.public_url,
        "public_name": deployment.public_name,
        "hosts": tuple(host for host in deployment.hosts if listeners(deployment, host)),
        "rows": rows(deployment),
        "relay_ports": relay_ports(deployment),
        "seats": firewall.seats,
        "reserves": tuple(
            Reserve(profile, kbps, kbps * firewall.seats) for profile, kbps in KBPS_PER_SEAT.items()
        ),
        "marks": _MARKS if deployment.marks else (),
        "contact": one_line(firewall.contact),
        "test_page": firewall.test_page or deployment.public_url,
    }
    return Sheet(**values, date=today, fingerprint=_fingerprint(values))


def fingerprint(told: Any) -> str:
    """Give twelve digits that change when anything of this JSON value does."""
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return "-".join(digest[start : start + 4] for start in (0, 4, 8))


def _fingerprint(values: dict[str, Any]) -> str:
    # Written out field by field: what a sheet says decides, and no later field or order of classes.
    return fingerprint(
        {
            "format": FORMAT,
            "url": values["public_url"],
            "rows": [
                [row.id, str(row.ipv4), str(row.ipv6), row.purpose, row.need, row.if_closed, *row.instead]
                for row in values["rows"]
            ],
            "seats": values["seats"],
            "reserves": [[one.profile, one.kbps_per_seat] for one in values["reserves"]],
            "marks": [[one.traffic, one.dscp] for one in values["marks"]],
            "contact": values["contact"],
            "test_page": values["test_page"],
        }
    )


def one_line(text: str) -> str:
    """Give what is printable of a text, as one line."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())

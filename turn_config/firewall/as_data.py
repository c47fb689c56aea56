"""The sheet for programs: JSON, and the rules alone as CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from turn_config.firewall.document import closed, document, purpose_of
from turn_config.firewall.sheet import (
    FORMAT,
    LOSS_PERCENT,
    ROUND_TRIP_MS,
    TCP_IDLE_SECONDS,
    TLS_MIN,
    UDP_STATE_SECONDS,
)

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from turn_config.firewall.rows import Row
    from turn_config.firewall.sheet import Sheet
    from turn_config.firewall.words import Words

_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula."""


def as_json(sheet: Sheet, words: Words) -> str:
    """Write all of it; docs/firewall.md tells the fields."""
    advice = next(one for one in document(sheet, words).sections if one.id == "advice")
    told: dict[str, Any] = {
        "format": FORMAT,
        "language": words.language,
        "date": sheet.date.isoformat(),
        "fingerprint": sheet.fingerprint,
        "public_url": sheet.public_url,
        "test_page": sheet.test_page,
        "contact": sheet.contact or None,
        "hosts": [
            {
                "name": host.name,
                "ipv4": None if host.ipv4 is None else str(host.ipv4.public),
                "ipv6": None if host.ipv6 is None else str(host.ipv6.public),
            }
            for host in sheet.hosts
        ],
        "rows": [_row(one, words) for one in sheet.rows],
        "relay_ports": list(sheet.relay_ports),
        "seats": sheet.seats,
        "packets_per_second": sheet.packets_per_second,
        "bandwidth": [
            {"profile": one.profile, "kbps_per_seat": one.kbps_per_seat, "kbps": one.kbps}
            for one in sheet.reserves
        ],
        "marks": [{"traffic": one.traffic, "name": one.name, "dscp": one.dscp} for one in sheet.marks],
        "limits": {
            "udp_state_seconds_min": UDP_STATE_SECONDS,
            "tcp_idle_seconds_min": TCP_IDLE_SECONDS,
            "round_trip_ms_max": ROUND_TRIP_MS,
            "loss_percent_max": LOSS_PERCENT,
            "tls_min": TLS_MIN,
        },
        "advice": [{"title": title, "text": text} for title, text in advice.items],
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def as_csv(sheet: Sheet, words: Words) -> str:
    """Write one record for each rule, under a header (RFC 4180); no cell is a formula to a spreadsheet."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(words.flows.columns)
    for row in sheet.rows:
        writer.writerow([_harmless(cell) for cell in _cells(row, words)])
    return file.getvalue()


def _row(row: Row, words: Words) -> dict[str, Any]:
    return {
        "id": row.id,
        "host": row.host,
        "ipv4": _address(row.ipv4),
        "ipv6": _address(row.ipv6),
        "protocol": row.protocol,
        "port": row.port,
        "direction": row.direction,
        "purpose": row.purpose,
        "need": row.need,
        "if_closed": row.if_closed,
        "instead": list(row.instead),
        "words": {
            "direction": words.flows.direction[row.direction],
            "purpose": purpose_of(row, words),
            "need": words.flows.need[row.need],
            "if_closed": closed(row, words),
        },
    }


def _cells(row: Row, words: Words) -> list[str]:
    return [
        row.id,
        row.host,
        _address(row.ipv4) or "",
        _address(row.ipv6) or "",
        row.protocol.upper(),
        str(row.port),
        words.flows.direction[row.direction],
        purpose_of(row, words),
        words.flows.need[row.need],
        closed(row, words),
    ]


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULAS) else cell


def _address(address: IPv4Address | IPv6Address | None) -> str | None:
    return None if address is None else str(address)

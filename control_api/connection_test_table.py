"""A connection test as a table, for whoever opens ports: a row for each thing that was looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_api.table import as_csv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_api.connection_test_schemas import ConnectionTestBody
    from control_api.probe_result_schemas import ProbeResultBody

    _Row = dict[str, object]

COLUMNS = (
    "check",
    "name",
    "port",
    "outcome",
    "milliseconds",
    "target_kbps",
    "kbps_up",
    "kbps_down",
    "loss_up",
    "loss_down",
    "rtt_ms",
    "jitter_ms",
)
_PROTOCOLS = {"udp": "udp", "turn_udp": "udp", "turn_tcp": "tcp", "turn_tls": "tcp"}


def connection_test_as_csv(test: ConnectionTestBody) -> str:
    """Write a test as CSV (RFC 4180): the verdict, what to do, then what was found."""
    rows = list(_rows(test))
    return as_csv(COLUMNS, ([row.get(column) for column in COLUMNS] for row in rows))


def _rows(test: ConnectionTestBody) -> Iterator[_Row]:
    yield {"check": "test", "name": test.id, "outcome": test.state}
    if test.finished_at is not None:
        yield {"check": "finished_at", "name": test.finished_at.isoformat(timespec="seconds")}
    if test.verdict is not None:
        yield {"check": "verdict", "name": test.reason, "outcome": test.verdict}
    for advice in test.advice or ():
        yield {"check": "advice", "name": advice.code, "port": " ".join(advice.ports)}
    if test.result is not None:
        yield from _found(test.result)


def _found(result: ProbeResultBody) -> Iterator[_Row]:
    if (browser := result.browser) is not None:
        name = f"{browser.name} {browser.version} {browser.os}"
        yield {"check": "browser", "name": name, "outcome": "ok" if browser.webrtc else "no_webrtc"}
    if (signalling := result.signalling) is not None:
        yield {"check": "signalling", "name": "https", "milliseconds": signalling.https_rtt_ms}
        outcome = "ok" if signalling.wss else "blocked"
        yield {
            "check": "signalling",
            "name": "websocket",
            "outcome": outcome,
            "milliseconds": signalling.wss_rtt_ms,
        }
        if signalling.proxied is not None:
            yield {
                "check": "signalling",
                "name": "proxy",
                "outcome": "found" if signalling.proxied else "none",
            }
    for path in result.paths:
        yield {
            "check": "path",
            "name": path.name,
            "port": f"{path.port}/{_PROTOCOLS[path.name]}",
            "outcome": path.outcome,
            "milliseconds": path.connect_ms,
        }
    if (media := result.media) is not None:
        port = f"{media.port}/{_PROTOCOLS[media.path]}"
        outcome = "blocked" if media.first_frame_ms is None else "ok"
        at = {"name": media.path, "port": port}
        yield {"check": "first_picture", **at, "outcome": outcome, "milliseconds": media.first_frame_ms}
        for step in media.steps:
            yield {"check": "media", **at, **step.model_dump()}
    if (devices := result.devices) is not None:
        for name, outcome in devices.model_dump().items():
            yield {"check": "device", "name": name, "outcome": outcome}

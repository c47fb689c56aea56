"""The only way to the Rust core: commands go over, events and counters come back.

Commands are checked when they are made and cannot fail afterwards. Events wait behind an eventfd, and are
handed out one by one on the event loop. docs/border.md lists both.
"""

# ruff: noqa: D102 - the commands are described in _core.pyi

import asyncio
import json
import logging
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from sfu._core import (
    BUILD_COMMIT,
    EXTENSION_URIS,
    MAX_DATA_MESSAGE,
    MAX_SDP_BYTES,
    Core,
    CoreBusy,
    DataChannelOpened,
    DataReceived,
    EventsDropped,
    LayersChanged,
    LayerSwitched,
    MediaSection,
    PathChanged,
    Payload,
    RatesChanged,
    SdpError,
    SdpPayload,
    SessionDescription,
    SpeakersChanged,
    TrackStarted,
    TransportConnected,
    TransportFailed,
    TransportResumed,
    TransportSilent,
    bench_forward,
    bench_limit,
    parse_sdp,
)
from sfu.model import SfuConfig

if TYPE_CHECKING:
    from sfu._core import SnapshotLayout

__all__ = [
    "BUILD_COMMIT",
    "EXTENSION_URIS",
    "MAX_DATA_MESSAGE",
    "MAX_SDP_BYTES",
    "Bridge",
    "Core",
    "CoreBusy",
    "CoreLike",
    "DataChannelOpened",
    "DataReceived",
    "Event",
    "EventsDropped",
    "LayerSwitched",
    "LayersChanged",
    "MediaSection",
    "PathChanged",
    "Payload",
    "RatesChanged",
    "SdpError",
    "SdpPayload",
    "SessionDescription",
    "Snapshot",
    "SpeakersChanged",
    "TrackStarted",
    "TransportConnected",
    "TransportFailed",
    "TransportResumed",
    "TransportSilent",
    "WorkerCounters",
    "bench_forward",
    "bench_limit",
    "make_core",
    "parse_sdp",
]

Event = (
    TransportConnected
    | PathChanged
    | TransportSilent
    | TransportResumed
    | TransportFailed
    | TrackStarted
    | LayersChanged
    | LayerSwitched
    | RatesChanged
    | SpeakersChanged
    | DataChannelOpened
    | DataReceived
    | EventsDropped
)
"""Anything that the core reports."""

log = logging.getLogger(__name__)


class CoreLike(Protocol):
    """The commands and questions of the core, which a fake in tests answers too (tests/contract)."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def fileno(self) -> int: ...
    def drain(self) -> list[Event]: ...
    def snapshot(self) -> bytes: ...
    def snapshot_layout(self) -> "SnapshotLayout": ...
    def debug_state(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def candidates(self) -> list[tuple[str, int]]: ...
    def add_transport(self, worker: int, ufrag: str, pwd: str) -> int: ...
    def set_remote(
        self,
        transport: int,
        *,
        ufrag: str,
        pwd: str,
        fingerprints: Sequence[bytes],
        extensions: Sequence[tuple[str, int]],
        sctp_port: int | None,
        max_message_size: int,
    ) -> None: ...
    def restart_ice(self, transport: int, ufrag: str, pwd: str) -> None: ...
    def close_transport(self, transport: int) -> None: ...
    def add_track(
        self,
        transport: int,
        *,
        kind: Literal["audio", "video"],
        mid: str,
        payloads: Sequence[Payload],
        encodings: Sequence[tuple[str | None, int | None, int | None]],
    ) -> int: ...
    def set_up_cap(self, transport: int, kbps: int | None) -> None: ...
    def pause_track(self, track: int, paused: bool) -> None: ...
    def close_track(self, track: int) -> None: ...
    def subscribe(
        self,
        track: int,
        transport: int,
        *,
        mid: str,
        ssrc: int,
        rtx_ssrc: int | None,
        payloads: Sequence[tuple[int, int, int | None, bool]],
        encoding: int | None,
        temporal: int = 255,
    ) -> int: ...
    def unsubscribe(self, subscription: int) -> None: ...
    def set_layer_plan(self, subscription: int, encoding: int | None, temporal: int = 255) -> None: ...
    def request_keyframe(self, track: int, encoding: int | None = None) -> None: ...
    def set_audio_group(self, track: int, group: int | None) -> None: ...
    def send_data(self, transport: int, channel: int, binary: bool, payload: bytes) -> None: ...


def make_core(config: SfuConfig) -> CoreLike:
    """Make the core of a configuration; nothing is opened before its `start`."""
    return Core(
        udp_port=config.udp_port,
        addresses=[(address.bind, address.announce) for address in config.addresses],
        workers=config.workers,
        marks=config.marks,
        busy_poll_us=config.busy_poll_us,
        audio_gather_ms=config.audio_gather_ms,
        steering=config.steering,
    )


@dataclass(frozen=True, slots=True)
class WorkerCounters:
    """The counters of one worker at one moment, by their names on the border."""

    cells: Mapping[str, int]
    drops: Mapping[str, int]
    legs: Mapping[int, Mapping[str, int]]
    """Figures of each transport, by its id."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All counters of the core at one moment."""

    workers: tuple[WorkerCounters, ...]

    def leg(self, transport: int) -> Mapping[str, int] | None:
        """Return the figures of one transport; None when it has no row."""
        return next((worker.legs[transport] for worker in self.workers if transport in worker.legs), None)


class Bridge:
    """Hands the core's events to one receiver, on the event loop that `start` ran on."""

    def __init__(self, core: CoreLike, receive: Callable[[Event], None]) -> None:
        self.core = core
        self._receive = receive
        self._loop: asyncio.AbstractEventLoop | None = None
        layout = core.snapshot_layout()
        self._cells, self._drops, self._legs = layout["cells"], layout["drops"], layout["legs"]

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the workers and listen for events; OSError names an address that cannot be had."""
        self.core.start()
        self._loop = loop
        loop.add_reader(self.core.fileno(), self._drain)

    def stop(self) -> None:
        """Stop the workers; events that still wait are handed out first."""
        if self._loop is not None:
            self._loop.remove_reader(self.core.fileno())
            self._loop = None
            self._drain()
            self.core.stop()

    def _drain(self) -> None:
        for event in self.core.drain():
            try:
                self._receive(event)
            except Exception:
                # One event's defect must not take the others with it: each is about another peer.
                log.exception("event_not_handled", extra={"event": type(event).__name__})

    def snapshot(self) -> Snapshot:
        """Read every counter once."""
        numbers = memoryview(self.core.snapshot()).cast("B")
        values = struct.unpack(f"<{len(numbers) // 8}Q", numbers)
        workers, at = [], 0
        while at < len(values):
            legs, at = values[at], at + 1
            cells, at = self._row(self._cells, values, at)
            drops, at = self._row(self._drops, values, at)
            rows = {}
            for _ in range(legs):
                row, at = self._row(self._legs, values, at)
                rows[row["id"]] = row
            workers.append(WorkerCounters(cells, drops, rows))
        return Snapshot(tuple(workers))

    @staticmethod
    def _row(names: Sequence[str], values: Sequence[int], at: int) -> tuple[dict[str, int], int]:
        end = at + len(names)
        return dict(zip(names, values[at:end], strict=True)), end

    async def debug_state(self) -> Any:
        """Return what the workers say of themselves, as JSON values; waits for them off the loop."""
        return json.loads(await asyncio.to_thread(self.core.debug_state))

"""A core without packets: keeps what it is told, and says what a test lets it say.

It passes the contract tests that the real core passes (tests/contract), so that tests above the border may
rely on either.
"""

import json
import os
import re
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Literal, TypeVar

from sfu.bridge import EXTENSION_URIS, MAX_DATA_MESSAGE, Core, CoreBusy, Event, Payload
from sfu.model import SfuConfig

if TYPE_CHECKING:
    from sfu._core import SnapshotLayout

T = TypeVar("T")

_MAX_PAYLOADS = 40
_MAX_ENCODINGS = 3
_MAX_KBPS = 1_000_000


@dataclass
class FakeTransport:
    """What was said of a transport."""

    worker: int
    credentials: list[tuple[str, str]]
    remote: dict[str, object] = field(default_factory=dict)
    sent: list[tuple[int, bool, bytes]] = field(default_factory=list)
    up_cap: int | None = None


@dataclass
class FakeTrack:
    """What was said of a track."""

    transport: int
    kind: str
    mid: str
    payloads: list[Payload]
    encodings: list[tuple[str | None, int | None, int | None]]
    paused: bool = False
    group: int | None = None
    keyframes: list[int | None] = field(default_factory=list)


@dataclass
class FakeSubscription:
    """What was said of a subscription."""

    track: int
    transport: int
    mid: str
    ssrc: int
    rtx_ssrc: int | None
    payloads: list[tuple[int, int, int | None, bool]]
    plan: tuple[int | None, int]


class FakeCore:
    """Answers like the core at once, in the same thread."""

    def __init__(self, config: SfuConfig, *, max_transports: int = 4096) -> None:
        self.transports: dict[int, FakeTransport] = {}
        self.tracks: dict[int, FakeTrack] = {}
        self.subscriptions: dict[int, FakeSubscription] = {}
        self.unknown_ids = 0
        self.leg_figures: dict[str, int] = {}
        """What every leg's row says."""
        self.full = False
        """Makes every command that needs room fail."""
        self._config = config
        self._max_transports = max_transports
        self._running = False
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._events: list[Event] = []
        self._ids = count(1)

    def __del__(self) -> None:
        os.close(self._wake)

    def emit(self, *events: Event) -> None:
        """Let the core report something."""
        self._events += events
        os.eventfd_write(self._wake, 1)

    def start(self) -> None:
        self._running = True

    def stop(self) -> None:
        self._running = False

    def fileno(self) -> int:
        return self._wake

    def drain(self) -> list[Event]:
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        events, self._events = self._events, []
        return events

    def snapshot(self) -> bytes:
        layout = self.snapshot_layout()
        numbers = []
        for worker in range(self._config.workers):
            rows = [number for number, t in self.transports.items() if t.worker == worker]
            gauges = {
                "transports": len(rows),
                "tracks": len(self.tracks),
                "subscriptions": len(self.subscriptions),
            }
            numbers.append(len(rows))
            numbers += [gauges.get(cell, 0) for cell in layout["cells"]]
            numbers += [self.unknown_ids if reason == "unknown_id" else 0 for reason in layout["drops"]]
            for row in rows:
                numbers += [row if cell == "id" else self.leg_figures.get(cell, 0) for cell in layout["legs"]]
        return struct.pack(f"<{len(numbers)}Q", *numbers)

    def snapshot_layout(self) -> "SnapshotLayout":
        return Core.snapshot_layout()

    def debug_state(self) -> str:
        return json.dumps({"transports": len(self.transports)})

    @property
    def fingerprint(self) -> str:
        return ":".join(["AB"] * 32)

    @property
    def candidates(self) -> list[tuple[str, int]]:
        if not self._running:
            return []
        return [(address.announce, self._config.udp_port or 10_000) for address in self._config.addresses]

    def add_transport(self, worker: int, ufrag: str, pwd: str) -> int:
        _check(0 <= worker < self._config.workers, "worker")
        _check_credentials(ufrag, pwd)
        _check(int(ufrag[0], 36) == worker, "ufrag")
        self._check_room(len(self.transports) < self._max_transports)
        return self._add(self.transports, FakeTransport(worker, [(ufrag, pwd)]))

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
    ) -> None:
        _check_credentials(ufrag, pwd)
        _check(0 < len(fingerprints) <= 4 and all(len(each) == 32 for each in fingerprints), "fingerprints")
        _check(all(uri in EXTENSION_URIS and 0 < id_ < 256 and id_ != 15 for uri, id_ in extensions), "ids")
        _check(len({id_ for _, id_ in extensions}) == len(extensions), "extensions")
        found = self._find(self.transports, transport)
        if found is not None:
            found.remote = {
                "ufrag": ufrag,
                "pwd": pwd,
                "fingerprints": list(fingerprints),
                "extensions": dict(extensions),
                "sctp_port": sctp_port,
                "max_message_size": max_message_size,
            }

    def restart_ice(self, transport: int, ufrag: str, pwd: str) -> None:
        _check_credentials(ufrag, pwd)
        found = self._find(self.transports, transport)
        if found is not None:
            found.credentials.append((ufrag, pwd))

    def close_transport(self, transport: int) -> None:
        if self._find(self.transports, transport) is not None:
            del self.transports[transport]
            for track in [number for number, each in self.tracks.items() if each.transport == transport]:
                self.close_track(track)
            for sub in [number for number, each in self.subscriptions.items() if each.transport == transport]:
                del self.subscriptions[sub]

    def add_track(
        self,
        transport: int,
        *,
        kind: Literal["audio", "video"],
        mid: str,
        payloads: Sequence[Payload],
        encodings: Sequence[tuple[str | None, int | None, int | None]],
    ) -> int:
        _check(kind in ("audio", "video"), "kind")
        _check(0 < len(mid) <= 16, "mid")
        _check(0 < len(payloads) <= _MAX_PAYLOADS, "payloads")
        _check(0 < len(encodings) <= _MAX_ENCODINGS, "encodings")
        for rid, ssrc, rtx_ssrc in encodings:
            _check(rid is None or 0 < len(rid) <= 16, "rid")
            _check(ssrc != 0 and rtx_ssrc != 0, "ssrc")
        self._check_room(True)
        self._find(self.transports, transport)
        return self._add(self.tracks, FakeTrack(transport, kind, mid, list(payloads), list(encodings)))

    def set_up_cap(self, transport: int, kbps: int | None) -> None:
        if kbps is not None and not 1 <= kbps <= _MAX_KBPS:
            raise ValueError(f"kbps: 1 to {_MAX_KBPS}")
        found = self._find(self.transports, transport)
        if found is not None:
            found.up_cap = kbps

    def pause_track(self, track: int, paused: bool) -> None:
        found = self._find(self.tracks, track)
        if found is not None:
            found.paused = paused

    def close_track(self, track: int) -> None:
        if self._find(self.tracks, track) is not None:
            del self.tracks[track]
            for number in [number for number, each in self.subscriptions.items() if each.track == track]:
                del self.subscriptions[number]

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
    ) -> int:
        _check(0 < len(mid) <= 16, "mid")
        _check(0 < len(payloads) <= _MAX_PAYLOADS, "payloads")
        _check(all(up < 128 and down < 128 for up, down, _, _ in payloads), "payloads")
        _check(ssrc != 0 and rtx_ssrc != 0, "ssrc")
        _check(encoding is None or encoding < _MAX_ENCODINGS, "encoding")
        self._check_room(True)
        subscription = FakeSubscription(
            track, transport, mid, ssrc, rtx_ssrc, list(payloads), (encoding, temporal)
        )
        if self._find(self.tracks, track) is None or self._find(self.transports, transport) is None:
            return next(self._ids)
        return self._add(self.subscriptions, subscription)

    def unsubscribe(self, subscription: int) -> None:
        if self._find(self.subscriptions, subscription) is not None:
            del self.subscriptions[subscription]

    def set_layer_plan(self, subscription: int, encoding: int | None, temporal: int = 255) -> None:
        found = self._find(self.subscriptions, subscription)
        if found is not None:
            found.plan = (encoding, temporal)

    def request_keyframe(self, track: int, encoding: int | None = None) -> None:
        found = self._find(self.tracks, track)
        if found is not None:
            found.keyframes.append(encoding)

    def set_audio_group(self, track: int, group: int | None) -> None:
        found = self._find(self.tracks, track)
        if found is not None:
            found.group = group

    def send_data(self, transport: int, channel: int, binary: bool, payload: bytes) -> None:
        _check(len(payload) <= MAX_DATA_MESSAGE, "payload")
        self._check_room(True)
        found = self._find(self.transports, transport)
        if found is not None:
            found.sent.append((channel, binary, payload))

    def _check_room(self, enough: bool) -> None:
        if self.full or not enough:
            raise CoreBusy("full")

    def _add(self, table: dict[int, T], value: T) -> int:
        number = next(self._ids)
        table[number] = value
        return number

    def _find(self, table: dict[int, T], number: int) -> T | None:
        if number not in table:
            self.unknown_ids += 1
        return table.get(number)


def _check(condition: bool, argument: str) -> None:
    if not condition:
        raise ValueError(argument)


def _check_credentials(ufrag: str, pwd: str) -> None:
    _check(re.fullmatch(r"[A-Za-z0-9+/]{4,256}", ufrag) is not None, "ufrag")
    _check(re.fullmatch(r"[A-Za-z0-9+/]{22,256}", pwd) is not None, "pwd")

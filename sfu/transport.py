"""A leg's transport: ICE, DTLS, SRTP and SCTP as the core runs them for one peer."""

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sfu.model import LegStats
from sfu.negotiation.answer import Local
from sfu.negotiation.ice import Credentials, new_credentials
from sfu.negotiation.jsep import is_restart
from sfu.negotiation.offer import Offer
from sfu.negotiation.table import Remote, Table

if TYPE_CHECKING:
    from sfu.leg import Leg
    from sfu.shell import Shell


class TransportState(StrEnum):
    """How far a transport has come."""

    NEW = "new"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    SILENT = "silent"
    FAILED = "failed"
    CLOSED = "closed"


class Transport:
    """The connection under one leg, on one worker for life."""

    def __init__(self, shell: "Shell", leg: "Leg", worker: int) -> None:
        self.worker = worker
        self.state = TransportState.NEW
        self.id: int | None = None
        self.path = ""
        self.ipv6 = False
        self.srtp_profile = ""
        self.begun_at = 0.0
        self.media_seen = False
        self.has_been_up = False
        self._up_cap: int | None = None
        self._shell = shell
        self._leg = leg

    def local(self, table: Table, offer: Offer) -> Local:
        """Return our end for an answer: with new credentials at first and when the peer restarts ICE."""
        known = table.local if not is_restart(table, offer) else None
        core = self._shell.core
        return Local(
            known or new_credentials(self.worker),
            core.fingerprint,
            tuple(core.candidates),
            self._shell.limits.data_message_bytes,
        )

    def open(self, credentials: Credentials) -> int:
        """Return its number in the core, where it is made if need be; CoreBusy when there is no room."""
        if self.id is None:
            self.id = self._shell.core.add_transport(self.worker, credentials.ufrag, credentials.pwd)
            self._shell.directory.legs[self.id] = self._leg
            self.state = TransportState.CONNECTING
            self.begun_at = self._shell.now()
            if self._up_cap is not None:
                self._shell.core.set_up_cap(self.id, self._up_cap)
        return self.id

    def cap_up(self, kbps: int | None) -> None:
        """Ask the peer to send no more than that, now or once it is there; None takes the request back."""
        if kbps != self._up_cap:
            self._up_cap = kbps
            if self.id is not None:
                self._shell.core.set_up_cap(self.id, kbps)

    def restart_ice(self, credentials: Credentials) -> None:
        """Take checks with new credentials; the old ones hold until a check with the new is nominated."""
        if self.id is not None:
            self._shell.core.restart_ice(self.id, credentials.ufrag, credentials.pwd)

    def set_remote(self, remote: Remote) -> None:
        """Take what the peer says of its end."""
        if self.id is not None:
            self._shell.core.set_remote(
                self.id,
                ufrag=remote.credentials.ufrag,
                pwd=remote.credentials.pwd,
                fingerprints=remote.fingerprints,
                extensions=remote.extensions,
                sctp_port=remote.sctp_port,
                max_message_size=remote.max_message_size,
            )

    def close(self) -> None:
        """Say goodbye to the peer and free everything in the core."""
        if self.id is not None:
            self._shell.core.close_transport(self.id)
            del self._shell.directory.legs[self.id]
            self.id = None
        self.state = TransportState.CLOSED

    def stats(self) -> LegStats:
        """Return its figures; all zero before it exists."""
        row = self._shell.snapshot().leg(self.id) if self.id is not None else None
        if row is None:
            return LegStats()
        return LegStats(
            packets_up=row["packets_up"],
            lost_up=row["lost_up"],
            bytes_up=row["bytes_up"],
            packets_down=row["packets_down"],
            lost_down=row["lost_down"],
            bytes_down=row["bytes_down"],
            rtt_seconds=row["rtt_micros"] / 1e6 or None,
            jitter_up_seconds=row["jitter_up_micros"] / 1e6 or None,
            jitter_down_seconds=row["jitter_down_micros"] / 1e6 or None,
        )

    def debug_state(self) -> dict[str, Any]:
        """Describe it as JSON values, without addresses and secrets."""
        return {
            "id": self.id,
            "worker": self.worker,
            "state": self.state,
            "path": self.path,
            "ipv6": self.ipv6,
            "srtp_profile": self.srtp_profile,
        }

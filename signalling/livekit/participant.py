"""One participant of a call: identity, rights, tracks, and the two ties to the client."""

import dataclasses
from collections.abc import Mapping
from typing import Protocol

from livekit.protocol import models, rtc

from rooms import Admission, Grants, IpFamily, LineFigures
from sfu import LegKey, TrackKey
from signalling.livekit.figures import Reading
from signalling.livekit.hands import OURS
from signalling.livekit.lifecycle import Lifecycle, State
from signalling.livekit.line import Line
from signalling.livekit.live import LiveLeg
from signalling.livekit.outbox import Outgoing
from signalling.livekit.permissions import Audience
from signalling.livekit.quality import Quality
from signalling.livekit.rate import TokenBucket
from signalling.livekit.settings import SignalLimits
from signalling.livekit.tracks import PublishedTrack
from signalling.livekit.vocabulary import permission_to_wire

MAY_UNMUTE = f"{OURS}may_unmute"
"""The attribute that says `false` of somebody who may not switch the microphone on again."""
MODERATES = f"{OURS}moderates"
"""The attribute that says `true` of hosts and delegates, as they are now."""
_BYTES_OF_AN_UPDATE = 4096
_MAX_CAPABILITIES = 16


class Outlet(Protocol):
    """The way to a client: its WebSocket."""

    def send(self, message: Outgoing) -> None:
        """Put a message at the end of what is to be sent; never waits, never raises."""

    def close(self, code: int, reason: str) -> None:
        """Send what waits, then close."""


class Participant:
    """A person in a call. The owner of every change is `Call`; others read."""

    def __init__(
        self,
        key: LegKey,
        admission: Admission,
        request: rtc.JoinRequest,
        *,
        limits: SignalLimits,
        joined_at: float,
        now: float,
    ) -> None:
        """Take what the token says about the person and what the client says about itself."""
        self.key = key
        self.admission = admission
        self.client = request.client_info
        self.auto_subscribe = request.connection_settings.auto_subscribe
        self.joined_at = joined_at
        self.lifecycle = Lifecycle()
        self.leg: LiveLeg | None = None
        self.outlet: Outlet | None = None
        self.tracks: dict[TrackKey, PublishedTrack] = {}
        self.audience = Audience()
        self.permission: Grants | None = None
        """What the application put in the place of the token's rights, for this stay."""
        self.version = 0
        self.heard_at = now
        self.last_sequence = 0
        """Of the reliable data messages taken from this client."""
        self.reading: Reading | None = None
        """The counters of the leg when its line was judged last; None before media is up."""
        self.figures = LineFigures()
        self.quality: Quality | None = None
        self.quality_since = 0.0
        """Since when its word has been the same."""
        self.line: Line | None = None
        """What was told of the line in the room's log; None before media is up."""
        self.path = ""
        """The kind of path that media takes; empty before media is up."""
        self.family: IpFamily = "ipv4"
        self.silent = False
        self.missed_departures: dict[LegKey, models.ParticipantInfo] = {}
        """Who left while signalling was lost."""
        self.messages = TokenBucket(limits.messages_per_second, limits.messages_burst, now=now)
        self.updates = TokenBucket(limits.updates_per_second, limits.updates_burst, now=now)
        self._most_at_once = float(limits.updates_burst)
        self.data_messages = TokenBucket(limits.data_messages_per_second, limits.data_messages_burst, now=now)
        self.hand_raises = TokenBucket(limits.hand_raises_per_second, limits.hand_raises_burst, now=now)
        self.data_bytes = TokenBucket(limits.data_bytes_per_second, limits.data_bytes_burst, now=now)
        self._told = models.ParticipantInfo()
        """What is told of the person, but for tracks; made of `_told_of`."""
        self._told_of: tuple[Admission, int, models.ParticipantInfo.State, bool] | None = None

    @property
    def identity(self) -> str:
        """The participant's id, chosen by the calling application."""
        return self.admission.identity

    @property
    def grants(self) -> Grants:
        """What this person may do now."""
        return self.admission.grants

    @property
    def is_publisher(self) -> bool:
        """Whether anybody can receive a track of this person."""
        # Of most people there is nothing, and everybody who comes asks it of everybody.
        return bool(self.tracks) and any(track.announced for track in self.tracks.values())

    def change(
        self,
        *,
        grants: Grants | None = None,
        name: str | None = None,
        metadata: str | None = None,
        attributes: Mapping[str, str] | None = None,
        expires_at: float | None = None,
    ) -> bool:
        """Change what is known of the person; None leaves a value. Return whether anything is different."""
        before = self.admission
        self.admission = dataclasses.replace(
            before,
            grants=before.grants if grants is None else grants,
            name=before.name if name is None else name,
            metadata=before.metadata if metadata is None else metadata,
            attributes=before.attributes if attributes is None else attributes,
            expires_at=before.expires_at if expires_at is None else expires_at,
        )
        return self.admission != before

    def cost_of_update(self, size: int) -> float:
        """Return as how many changes a change counts of which everybody is told this many bytes."""
        return min(self._most_at_once, max(1.0, size / _BYTES_OF_AN_UPDATE))

    def send(self, message: Outgoing) -> None:
        """Tell the client, if it can be reached; what it missed is told again when it comes back."""
        if self.outlet is not None:
            self.outlet.send(message)

    def info(self, *, gone: models.DisconnectReason | None = None) -> models.ParticipantInfo:
        """Return what clients are told of this person, for reading; `gone` says why the person left."""
        # Everybody who comes is told of everybody who is there: what stays the same is put together once.
        is_publisher = self.is_publisher
        known = (self.admission, self.version, self._wire_state(), is_publisher)
        if self._told_of != known:
            self._told_of, self._told = known, self._without_tracks()
        if gone is None and not is_publisher:
            return self._told
        info = models.ParticipantInfo()
        info.CopyFrom(self._told)
        if gone is not None:
            info.state = models.ParticipantInfo.DISCONNECTED
            info.disconnect_reason = gone
        else:
            info.tracks.extend(track.info for track in self.tracks.values() if track.announced)
        return info

    def _without_tracks(self) -> models.ParticipantInfo:
        return models.ParticipantInfo(
            sid=self.key,
            identity=self.identity,
            name=self.admission.name,
            state=self._wire_state(),
            metadata=self.admission.metadata,
            attributes={**self.admission.attributes, **self._own_words()},
            joined_at=int(self.joined_at),
            joined_at_ms=int(self.joined_at * 1000),
            version=self.version,
            permission=permission_to_wire(self.grants),
            is_publisher=self.is_publisher,
            kind=models.ParticipantInfo.STANDARD,
            # What clients can do among themselves (data streams, RPC) is told as they said it.
            client_protocol=self.client.client_protocol,
            capabilities=self.client.capabilities[:_MAX_CAPABILITIES],
        )

    def _own_words(self) -> Mapping[str, str]:
        words = {} if self.grants.may_unmute else {MAY_UNMUTE: "false"}
        return {**words, MODERATES: "true"} if self.grants.room_admin else words

    def _wire_state(self) -> models.ParticipantInfo.State:
        if self.lifecycle.state is State.ENDED:
            return models.ParticipantInfo.DISCONNECTED
        return models.ParticipantInfo.ACTIVE if self.lifecycle.media_up else models.ParticipantInfo.JOINED

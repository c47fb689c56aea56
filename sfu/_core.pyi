# The border between Python and the Rust core, as types. docs/border.md explains it; stubtest compares this
# file with the binary. Importers: sfu/bridge.py, and loadtest/engine/core.py for the load tester.
#
# Ids are opaque integers; an id that is gone is never given out again. Arguments are checked at once:
# ValueError or TypeError says which one is wrong, CoreBusy that a table or queue is full. After that a
# command cannot fail.

from collections.abc import Sequence
from typing import Final, Literal, Self, TypeAlias, TypedDict, final, type_check_only

__all__ = [
    "BUILD_COMMIT",
    "EXTENSION_URIS",
    "MAX_DATA_MESSAGE",
    "MAX_SDP_BYTES",
    "Core",
    "CoreBusy",
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
    "Simulation",
    "SpeakersChanged",
    "Swarm",
    "SwarmClosed",
    "SwarmConnected",
    "SwarmMediaStarted",
    "TrackStarted",
    "TransportConnected",
    "TransportFailed",
    "TransportResumed",
    "TransportSilent",
    "bench_forward",
    "bench_limit",
    "parse_sdp",
]

# URIs of the header extensions that the core reads or writes; set_remote takes no others.
EXTENSION_URIS: Final[tuple[str, ...]]
# Twelve digits of the commit that the core was built from; empty when it was built outside of a repository.
BUILD_COMMIT: Final[str]
# Most bytes of a session description that parse_sdp reads.
MAX_SDP_BYTES: Final[int]
# Most bytes of one message of send_data.
MAX_DATA_MESSAGE: Final[int]

# A table or the command queue is full.
class CoreBusy(Exception): ...

@type_check_only
class SnapshotLayout(TypedDict):
    cells: list[str]
    drops: list[str]
    legs: list[str]

# One payload type of a published track. `codec` is opus, red, vp8, vp9, h264, av1 or opaque.
@final
class Payload:
    pt: Final[int]
    codec: Final[str]
    clock_rate: Final[int]
    rtx_pt: Final[int | None]
    nack: Final[bool]
    pli: Final[bool]
    fir: Final[bool]
    transport_cc: Final[bool]
    def __new__(
        cls,
        pt: int,
        codec: str,
        clock_rate: int,
        *,
        rtx_pt: int | None = None,
        nack: bool = False,
        pli: bool = False,
        fir: bool = False,
        transport_cc: bool = False,
    ) -> Self: ...

@final
class Core:
    # `addresses` are pairs of an address to bind and the address to announce; port 0 takes a free port. With
    # `marks` sound and pictures carry DSCP marks (RFC 8837). A worker that had work looks for more for
    # `busy_poll_us` microseconds before it sleeps, within a tenth of the time. Where many voices are heard by
    # many, sound waits up to `audio_gather_ms` for that of others, and leaves with it. With `steering` the
    # kernel gives datagrams to the right one of several workers, where it lets us.
    def __new__(
        cls,
        *,
        udp_port: int,
        addresses: Sequence[tuple[str, str]],
        workers: int = 1,
        max_transports: int = 4096,
        marks: bool = False,
        busy_poll_us: int = 0,
        audio_gather_ms: int = 1,
        steering: bool = True,
    ) -> Self: ...
    # OSError names the address that cannot be bound.
    def start(self) -> None: ...
    # Ends the worker threads; commands do nothing from then on.
    def stop(self) -> None: ...
    # An eventfd that is readable when drain has something to give.
    def fileno(self) -> int: ...
    # Reads the eventfd and takes everything that waits.
    def drain(self) -> list[Event]: ...
    # For each worker: the number of its legs, then its cells, drops and a row per leg. All are little-endian
    # unsigned 64-bit numbers.
    def snapshot(self) -> bytes: ...
    @staticmethod
    def snapshot_layout() -> SnapshotLayout: ...
    # JSON; asks the workers and waits for them, so not for the event loop.
    def debug_state(self) -> str: ...
    # SHA-256 of our certificate as in a=fingerprint: "AB:CD:..".
    @property
    def fingerprint(self) -> str: ...
    # Announced address and port of each socket; empty before start.
    @property
    def candidates(self) -> list[tuple[str, int]]: ...
    # The transport answers checks once set_remote has come. `ufrag` begins with the worker in base 36.
    def add_transport(self, worker: int, ufrag: str, pwd: str) -> int: ...
    # `fingerprints` are SHA-256 digests of 32 bytes; new credentials mean an ICE restart.
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
    # New local credentials beside the old ones, until a check with the new ones is nominated.
    def restart_ice(self, transport: int, ufrag: str, pwd: str) -> None: ...
    # Frees the transport with its tracks and subscriptions.
    def close_transport(self, transport: int) -> None: ...
    # `encodings` are (rid, ssrc, rtx_ssrc), lowest quality first.
    def add_track(
        self,
        transport: int,
        *,
        kind: Literal["audio", "video"],
        mid: str,
        payloads: Sequence[Payload],
        encodings: Sequence[tuple[str | None, int | None, int | None]],
    ) -> int: ...
    # Asks the peer by REMB to send no more than `kbps`, once a second; None takes the request back.
    def set_up_cap(self, transport: int, kbps: int | None) -> None: ...
    def pause_track(self, track: int, paused: bool) -> None: ...
    # Frees the track with its subscriptions.
    def close_track(self, track: int) -> None: ...
    # `payloads` are (up, down, down_rtx, strip_red). `encoding` None pauses; `temporal` 255 is every layer.
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

# --- events: made in drain; they can be made by hand for tests ---

# ICE has a nominated pair, DTLS the right fingerprint and SRTP its keys. `path` is udp.
@final
class TransportConnected:
    transport: Final[int]
    path: Final[str]
    ipv6: Final[bool]
    srtp_profile: Final[str]
    def __new__(cls, *, transport: int, path: str, ipv6: bool, srtp_profile: str) -> Self: ...

# Media moved to another address of the peer.
@final
class PathChanged:
    transport: Final[int]
    path: Final[str]
    ipv6: Final[bool]
    def __new__(cls, *, transport: int, path: str, ipv6: bool) -> Self: ...

# Nothing authentic has come for 3 s.
@final
class TransportSilent:
    transport: Final[int]
    def __new__(cls, *, transport: int) -> Self: ...

# Something came again after silence.
@final
class TransportResumed:
    transport: Final[int]
    def __new__(cls, *, transport: int) -> Self: ...

# The transport is over and must be closed. `reason`: ice_timeout, consent_expired, dtls_timeout,
# fingerprint_mismatch, dtls_error, no_srtp_profile, closed_by_peer or internal_error.
@final
class TransportFailed:
    transport: Final[int]
    reason: Final[str]
    def __new__(cls, *, transport: int, reason: str) -> Self: ...

# The first packet of an encoding has come.
@final
class TrackStarted:
    track: Final[int]
    encoding: Final[int]
    pt: Final[int]
    def __new__(cls, *, track: int, encoding: int, pt: int) -> Self: ...

# Which encodings are being sent now: bit 0 of `active` is the lowest.
@final
class LayersChanged:
    track: Final[int]
    active: Final[int]
    def __new__(cls, *, track: int, active: int) -> Self: ...

# The encoding that a subscription gets now; None when paused or not started.
@final
class LayerSwitched:
    subscription: Final[int]
    encoding: Final[int | None]
    def __new__(cls, *, subscription: int, encoding: int | None) -> Self: ...

# What each encoding takes on the way, the lowest first, in kbps by temporal layer with those below it. Told
# when it differs much from what was told before.
@final
class RatesChanged:
    track: Final[int]
    rates: Final[list[tuple[int, int, int]]]
    def __new__(cls, *, track: int, rates: list[tuple[int, int, int]]) -> Self: ...

# Who speaks in a group among the tracks at home on one worker, loudest first, as
# (track, level 0 silent to 127 loudest).
@final
class SpeakersChanged:
    worker: Final[int]
    group: Final[int]
    speakers: Final[list[tuple[int, int]]]
    def __new__(cls, *, worker: int, group: int, speakers: list[tuple[int, int]]) -> Self: ...

# The peer opened a data channel; `channel` is what send_data takes.
@final
class DataChannelOpened:
    transport: Final[int]
    channel: Final[int]
    label: Final[str]
    def __new__(cls, *, transport: int, channel: int, label: str) -> Self: ...

# A message came on a data channel.
@final
class DataReceived:
    transport: Final[int]
    channel: Final[int]
    binary: Final[bool]
    payload: Final[bytes]
    def __new__(cls, *, transport: int, channel: int, binary: bool, payload: bytes) -> Self: ...

# This many events were lost because nobody took them.
@final
class EventsDropped:
    count: Final[int]
    def __new__(cls, *, count: int) -> Self: ...

Event: TypeAlias = (
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

# --- session descriptions ---

# The text is not a session description that we read. `line` counts from 1; 0 when the whole is meant.
class SdpError(ValueError):
    line: int

# Releases the GIL while it reads. Unknown lines are ignored; SdpError when the text is malformed or over a
# bound.
def parse_sdp(text: str) -> SessionDescription: ...

# Lines before the first media section. Fingerprints are (hash function in lower case, digest).
@final
class SessionDescription:
    ufrag: Final[str | None]
    pwd: Final[str | None]
    ice_options: Final[list[str]]
    setup: Final[str | None]
    fingerprints: Final[list[tuple[str, bytes]]]
    bundle: Final[list[list[str]]]
    extmap_allow_mixed: Final[bool]
    media: Final[list[MediaSection]]

# One m= section. Only what the section itself says: nothing is inherited from the session.
@final
class MediaSection:
    kind: Final[str]  # audio, video, application or another word
    mid: Final[str | None]
    port: Final[int]
    protocol: Final[str]
    direction: Final[str]  # sendrecv (also when absent), sendonly, recvonly or inactive
    rtcp_mux: Final[bool]
    ufrag: Final[str | None]
    pwd: Final[str | None]
    setup: Final[str | None]
    fingerprints: Final[list[tuple[str, bytes]]]
    payloads: Final[list[SdpPayload]]
    extensions: Final[list[tuple[int, str, str | None]]]  # id, uri, direction
    rids: Final[list[tuple[str, str]]]  # id, send or recv
    simulcast_send: Final[list[list[str]]]  # streams, each a list of alternatives; `~` marks a paused one
    simulcast_recv: Final[list[list[str]]]
    ssrcs: Final[list[tuple[int, str | None, str | None]]]  # ssrc, cname, msid
    ssrc_groups: Final[list[tuple[str, list[int]]]]  # semantics, ssrcs
    msid: Final[tuple[str, str] | None]  # stream, track
    sctp_port: Final[int | None]
    max_message_size: Final[int | None]
    bundle_only: Final[bool]
    candidates: Final[int]  # how many; their addresses are never looked at

# One payload type in the order of the m= line.
@final
class SdpPayload:
    pt: Final[int]
    name: Final[str]  # as written; empty without a=rtpmap
    clock_rate: Final[int]
    channels: Final[int]
    fmtp: Final[str]  # parameters as written
    feedback: Final[list[str]]  # as in a=rtcp-fb after the payload type: "nack pli"

# --- benchmarks: (level, what, packets per flush, nanoseconds of processor time per packet) ---

# Encryption, sending, receiving and the ideal fan-out. Takes `seconds` of processor time for each row; not
# for the event loop. OSError says that a socket could not be had.
def bench_limit(
    *, destinations: int, per_flush: Sequence[int], seconds: float
) -> list[tuple[str, str, int, list[float]]]: ...

# The ideal fan-out and the real worker, turn about.
def bench_forward(
    *, destinations: int, per_flush: Sequence[int], seconds: float
) -> list[tuple[str, str, int, list[float]]]: ...

# --- synthetic participants, for load tests ---

# Threads of synthetic participants over real sockets; `stop` ends them. One received packet in `check_every`
# is decrypted and its payload read, of the others only the header counts.
@final
class Swarm:
    # `clip` is a codec and for each encoding or spatial layer, lowest first, its pictures: whether it is a
    # key frame, and its payloads, of VP8 and VP9 without descriptors. Cameras may send it, receivers know it.
    def __new__(
        cls,
        *,
        threads: int = 1,
        check_every: int = 1,
        seed: int = 0,
        clip: tuple[str, Sequence[Sequence[tuple[bool, Sequence[bytes]]]]] | None = None,
    ) -> Self: ...
    # SHA-256 of the certificate that every participant shows, as in a=fingerprint.
    @property
    def fingerprint(self) -> str: ...
    def stop(self) -> None: ...
    # A descriptor that is readable when drain has something to give.
    def fileno(self) -> int: ...
    def drain(self) -> list[SwarmConnected | SwarmMediaStarted | SwarmClosed]: ...
    # For each thread the numbers that snapshot_layout names, as little-endian u64, of one moment. Waits
    # for the threads, as long as a turn of theirs takes: not for the event loop.
    def snapshot(self) -> bytes: ...
    @staticmethod
    def snapshot_layout() -> SwarmLayout: ...
    # Adds a participant that connects at once; OSError when there is no socket for it. `payloads` are
    # (pt, format) of what it may receive: opus, vp8, h264, vp9, av1 or rtx.
    def add_participant(
        self,
        *,
        ufrag: str,
        pwd: str,
        address: str,
        port: int,
        remote_ufrag: str,
        remote_pwd: str,
        remote_fingerprint: bytes,
        extensions: Sequence[tuple[str, int]],
        payloads: Sequence[tuple[int, str]],
    ) -> int: ...
    # `encodings` are (rid, ssrc, rtx_ssrc, kilobits per second of each spatial layer), lowest first; only vp9
    # has more than one layer. `packets` are a fixed number of packets in a frame and the bytes of each one's
    # payload, in place of the bit rate; `filmed` pictures are those of the clip.
    def add_video(
        self,
        participant: int,
        *,
        mid: str,
        codec: Literal["vp8", "h264", "vp9", "av1"],
        pt: int,
        rtx_pt: int | None,
        frames_per_second: int,
        encodings: Sequence[tuple[str | None, int, int, Sequence[int]]],
        packets: tuple[int, int] | None = None,
        filmed: bool = False,
        phase_ms: float = 0.0,
    ) -> None: ...
    # With `spurts` it speaks and falls silent in turn.
    def add_audio(
        self,
        participant: int,
        *,
        mid: str,
        pt: int,
        ssrc: int,
        packets_per_second: int,
        packet_bytes: int,
        spurts: bool = False,
        phase_ms: float = 0.0,
        seed: int = 0,
    ) -> None: ...
    # Sends only some encodings of a camera: bit 0 of the mask is the lowest. Cameras count from 0.
    def set_active(self, participant: int, camera: int, mask: int) -> None: ...
    # Mutes or unmutes a microphone: muted, it sends nothing. Microphones count from 0.
    def set_audible(self, participant: int, microphone: int, on: bool) -> None: ...
    # Tells what the packets of some SSRCs are resends of, as (resend, original), so that they repair.
    def pair_resends(self, participant: int, resends: Sequence[tuple[int, int]]) -> None: ...
    # Lets a participant vanish; one that is gone is ignored.
    def remove_participant(self, participant: int) -> None: ...

# The names of the first numbers of a thread, then the bounds of the counts that follow; the last count is
# beyond them.
@type_check_only
class SwarmLayout(TypedDict):
    figures: list[str]
    latency_bounds_us: list[int]

# DTLS has finished; times since the participant was added.
@final
class SwarmConnected:
    participant: Final[int]
    ice_ms: Final[float]
    dtls_ms: Final[float]
    srtp_profile: Final[str]

# The first packet of a kind of media has come.
@final
class SwarmMediaStarted:
    participant: Final[int]
    kind: Final[str]  # audio or video
    after_ms: Final[float]

# The server ended a participant's connection, or it broke.
@final
class SwarmClosed:
    participant: Final[int]

# --- a simulated network, for tests in virtual time ---

# The only worker of a core, the peers that connect to it, and a network that delays, loses, reorders and
# doubles datagrams. The core is started without threads and sockets; nothing happens but in `run_until`.
# Times are in microseconds.
@final
class Simulation:
    def __new__(
        cls,
        core: Core,
        *,
        seed: int = 0,
        delay_ms: int = 10,
        jitter_ms: int = 0,
        loss: float = 0.0,
        duplicate: float = 0.0,
    ) -> Self: ...
    # Makes a peer that knows nothing of the server yet; returns its number, ufrag, password and the SHA-256
    # of its certificate.
    def add_peer(self) -> tuple[int, str, str, bytes]: ...
    # Lets a peer take the server's answer and begin to connect.
    def connect(self, peer: int, ufrag: str, pwd: str, fingerprint: bytes) -> None: ...
    # Sends a packet of sound; nothing before the peer has its keys.
    def send_audio(self, peer: int, ssrc: int, pt: int) -> None: ...
    # Lets a peer vanish without a word.
    def vanish(self, peer: int) -> None: ...
    def is_connected(self, peer: int) -> bool: ...
    # How many packets of media a peer has heard and deciphered.
    def heard(self, peer: int) -> int: ...
    # When something is due next.
    def next_due(self) -> int | None: ...
    # Lets everything happen until then, the orders given since first.
    def run_until(self, micros: int) -> None: ...
    # Datagrams that left the server since this was last asked, as (time, peer, kind).
    def take_sent(self) -> list[tuple[int, int, Literal["stun", "dtls", "rtp", "rtcp"]]]: ...

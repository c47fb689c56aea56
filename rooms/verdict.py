"""The verdict on a connection test: what kind of call is possible, why no better one, and what to do.

Theory of operation. Each part of the result gives findings. A finding bounds the verdict (`at_best`), and
the lowest bound is the verdict: so better figures never give a worse verdict. The rates that were tried are
judged one by one and the best of them counts, because a call settles at the rate that suits the line. A part
that was not reached says nothing against the line, but nothing better is promised than what was seen to work.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rooms.probe_result import (
        BrowserFound,
        BrowserName,
        DevicesFound,
        MediaStep,
        PathName,
        ProbeResult,
        SignallingFound,
    )

Verdict = Literal["video_good", "video_low", "audio_only", "phone", "impossible"]
"""Best first. `phone`: a page opens, but a telephone must carry the conversation. `impossible`: no call."""
VerdictReason = Literal[
    "udp_open",
    "relay_only",
    "tcp_only",
    "no_path",
    "little_bandwidth",
    "much_loss",
    "long_delay",
    "uneven_delay",
    "no_picture",
    "websocket_blocked",
    "no_webrtc",
    "old_browser",
    "microphone_denied",
    "microphone_missing",
    "microphone_silent",
    "camera_denied",
    "camera_missing",
    "camera_black",
    "camera_frozen",
    "speaker_not_heard",
    "incomplete",
]
AdviceCode = Literal[
    "open_udp_media",
    "open_turn_udp",
    "open_turn_tcp",
    "open_turn_tls",
    "allow_websocket",
    "exempt_from_inspection",
    "use_cable_or_move",
    "other_browser",
    "update_browser",
    "allow_microphone",
    "connect_microphone",
    "check_microphone",
    "allow_camera",
    "connect_camera",
    "check_camera",
    "check_speaker",
    "repeat_test",
]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
ADVICE_CODES: tuple[AdviceCode, ...] = get_args(AdviceCode)


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do."""

    code: AdviceCode
    ports: tuple[str, ...] = ()
    """Ports to open, like `10000/udp`."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What kind of call is possible."""

    verdict: Verdict
    reason: VerdictReason
    """Why no better one; with the best, how media comes through."""
    advice: tuple[Advice, ...]
    """What to do, the most important first."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a line must do for one kind of call, in both directions."""

    kbps: float
    """At least."""
    loss: float
    """At most, 0 to 1, like the two below."""
    rtt_ms: float
    jitter_ms: float


LIMITS: Mapping[Verdict, Limits] = {
    # 1 Mb/s each way is what sites are told to keep for a participant. Jitsi Meet calls pictures good up to
    # 5 % of loss (premeeting/functions.ts). A round trip of 400 ms keeps both directions within the 150 to
    # 200 ms to the ear that conversation bears well (ITU-T G.114, one way).
    "video_good": Limits(kbps=1000, loss=0.05, rtt_ms=400, jitter_ms=60),
    # Below 150 kbit/s this server takes pictures away. Repair by retransmission ends at a fifth of the
    # packets; 800 ms are twice the 400 ms that G.114 gives as the end of what networks should be planned for.
    "video_low": Limits(kbps=150, loss=0.20, rtt_ms=800, jitter_ms=150),
    # 20 kbit/s carry Opus with its headers, and a third lost ends speech (both as Jitsi Meet has it).
    "audio_only": Limits(kbps=20, loss=0.33, rtt_ms=1500, jitter_ms=inf),
    "phone": Limits(kbps=0, loss=1, rtt_ms=inf, jitter_ms=inf),
}
RATE_REACHED = 0.8
"""A step has reached its rate from this share on: encoders start slowly and stay below their target."""
OLDEST_BROWSERS: Mapping[BrowserName, int] = {"chrome": 71, "firefox": 68, "edge": 79}
_PATHS: Mapping[PathName, tuple[AdviceCode, str]] = {
    "udp": ("open_udp_media", "udp"),
    "turn_udp": ("open_turn_udp", "udp"),
    "turn_tcp": ("open_turn_tcp", "tcp"),
    "turn_tls": ("open_turn_tls", "tcp"),
}
"""Best first: what to do where one is closed, and the protocol of its ports."""
_DEVICES: Mapping[str, tuple[Verdict, VerdictReason, AdviceCode]] = {
    "microphone denied": ("phone", "microphone_denied", "allow_microphone"),
    "microphone missing": ("phone", "microphone_missing", "connect_microphone"),
    "microphone silent": ("phone", "microphone_silent", "check_microphone"),
    "camera denied": ("audio_only", "camera_denied", "allow_camera"),
    "camera missing": ("audio_only", "camera_missing", "connect_camera"),
    "camera black": ("audio_only", "camera_black", "check_camera"),
    "camera frozen": ("audio_only", "camera_frozen", "check_camera"),
    "speaker not_heard": ("phone", "speaker_not_heard", "check_speaker"),
}


@dataclass(frozen=True, slots=True)
class _Finding:
    at_best: Verdict
    reason: VerdictReason
    advice: Advice | None = None


def judge(result: ProbeResult, *, most_kbps: float = inf) -> Judgement:
    """Say what kind of call the result of a test allows.

    `most_kbps` is the most that a call here takes of a line; a better line is not asked for, nor measured.
    """
    used = _paths_that_carry(result)
    best: VerdictReason = "udp_open" if "udp" in used else "relay_only"
    found = [_Finding("video_good", best), *_findings(result, used, most_kbps)]
    if any(one.at_best == "impossible" for one in found):
        found = [one for one in found if one.reason != "incomplete"]  # there was no use in going on
    found.sort(key=lambda one: -_rank(one.at_best))
    advice: dict[AdviceCode, Advice] = {}
    for one in found:
        if one.advice is not None:
            advice.setdefault(one.advice.code, one.advice)
    return Judgement(found[0].at_best, found[0].reason, tuple(advice.values()))


def _findings(result: ProbeResult, used: set[PathName], most_kbps: float) -> Iterator[_Finding]:
    if result.browser is not None:
        yield from _of_browser(result.browser)
    if result.signalling is not None:
        yield from _of_signalling(result.signalling)
    yield from _of_paths(result, used)
    yield from _of_media(result, used, most_kbps)
    if result.devices is not None:
        yield from _of_devices(result.devices)


def _of_browser(browser: BrowserFound) -> Iterator[_Finding]:
    if not browser.webrtc:
        yield _Finding("impossible", "no_webrtc", Advice("other_browser"))
    elif browser.version < OLDEST_BROWSERS.get(browser.name, 0):
        yield _Finding("video_low", "old_browser", Advice("update_browser"))


def _of_signalling(signalling: SignallingFound) -> Iterator[_Finding]:
    if not signalling.wss:
        yield _Finding("impossible", "websocket_blocked", Advice("allow_websocket"))
    if signalling.proxied:
        yield _Finding("video_good", "relay_only", Advice("exempt_from_inspection"))


def _of_paths(result: ProbeResult, used: set[PathName]) -> Iterator[_Finding]:
    tried = {one.name for one in result.paths if one.outcome != "skipped"} | used
    at_best: Verdict = "video_good"
    reason: VerdictReason = "relay_only"
    if tried and not used:
        at_best, reason = "impossible", "no_path"
    elif used and not used & {"udp", "turn_udp"}:
        # Over TCP one lost packet holds up all that follow, which a test of seconds may not show.
        at_best, reason = "video_low", "tcp_only"
    if at_best != "video_good":
        yield _Finding(at_best, reason)
    for name, (code, protocol) in _PATHS.items():
        if name in used:
            break  # nothing is gained by a way that is worse
        ports = sorted({one.port for one in result.paths if (one.name, one.outcome) == (name, "blocked")})
        if ports:
            yield _Finding(at_best, reason, Advice(code, tuple(f"{port}/{protocol}" for port in ports)))
    outcomes = {one.outcome for one in result.paths if one.name in used}
    if "slow" in outcomes and "ok" not in outcomes:
        yield _Finding("video_good", reason, Advice("exempt_from_inspection"))


def _of_media(result: ProbeResult, used: set[PathName], most_kbps: float) -> Iterator[_Finding]:
    media = result.media
    if media is None or not media.steps:
        yield _Finding("video_low" if used else "phone", "incomplete", Advice("repeat_test"))
        return
    needed = RATE_REACHED * most_kbps
    best = max(media.steps, key=lambda step: (-_rank(_kind(step, needed)), _rate(step)))
    kind = _kind(best, needed)
    if kind != "video_good":
        yield _Finding(kind, _too_little(best, kind, needed), Advice("use_cable_or_move"))
    if media.first_frame_ms is None:
        yield _Finding("audio_only", "no_picture", Advice("other_browser"))


def _of_devices(devices: DevicesFound) -> Iterator[_Finding]:
    for name in ("microphone", "camera", "speaker"):
        trouble = _DEVICES.get(f"{name} {getattr(devices, name)}")
        if trouble is not None:
            at_best, reason, code = trouble
            yield _Finding(at_best, reason, Advice(code))


def _paths_that_carry(result: ProbeResult) -> set[PathName]:
    used = {one.name for one in result.paths if one.outcome in {"ok", "slow"}}
    if result.media is not None and any(min(one.kbps_up, one.kbps_down) > 0 for one in result.media.steps):
        used.add(result.media.path)
    return used


def _kind(step: MediaStep, needed: float) -> Verdict:
    for kind, limits in LIMITS.items():
        if not _beyond(step, limits, needed):
            return kind
    return "phone"


def _too_little(step: MediaStep, kind: Verdict, needed: float) -> VerdictReason:
    """Say what keeps a line that does for `kind` from the next better one."""
    return _beyond(step, LIMITS[VERDICTS[_rank(kind) - 1]], needed)[0]


def _beyond(step: MediaStep, limits: Limits, needed: float) -> list[VerdictReason]:
    found: list[VerdictReason] = []
    if _rate(step) < min(limits.kbps, needed):
        found.append("little_bandwidth")
    if max(step.loss_up or 0, step.loss_down or 0) > limits.loss:
        found.append("much_loss")
    if (step.rtt_ms or 0) > limits.rtt_ms:
        found.append("long_delay")
    if (step.jitter_ms or 0) > limits.jitter_ms:
        found.append("uneven_delay")
    return found


def _rate(step: MediaStep) -> float:
    kbps = min(step.kbps_up, step.kbps_down)
    return max(kbps, step.target_kbps) if kbps >= RATE_REACHED * step.target_kbps else kbps


def _rank(verdict: Verdict) -> int:
    return VERDICTS.index(verdict)

"""The verdict on a connection test: rows of what was found, and that better figures never make it worse."""

from dataclasses import replace
from math import inf
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms import (
    ADVICE_CODES,
    VERDICTS,
    Advice,
    BrowserFound,
    BrowserName,
    CameraOutcome,
    DevicesFound,
    MediaFound,
    MediaStep,
    MicrophoneOutcome,
    PathFound,
    PathName,
    PathOutcome,
    ProbeResult,
    SignallingFound,
    SpeakerOutcome,
)
from rooms.verdict import judge

CHROME = BrowserFound("chrome", 131, "windows", webrtc=True)
REACHED = SignallingFound(21.0, wss=True, wss_rtt_ms=20.0, proxied=False)
DEVICES = DevicesFound("ok", "ok", "heard")


def path(name: PathName, port: int, outcome: PathOutcome) -> PathFound:
    return PathFound(name, port, outcome, None if outcome in {"blocked", "skipped"} else 300.0, ipv6=False)


def step(target: float, kbps: float, loss: float = 0.0, rtt: float = 40.0, jitter: float = 5.0) -> MediaStep:
    return MediaStep(target, kbps, kbps, loss, loss, rtt, jitter)


def media(*steps: MediaStep, name: PathName = "udp") -> MediaFound:
    return MediaFound(name, 10000, 420.0, steps)


UDP = path("udp", 10000, "ok")
NO_UDP = path("udp", 10000, "blocked")
NO_RELAY = path("turn_udp", 3478, "blocked")
GOOD_LINE = media(step(150, 148), step(500, 490), step(1200, 1150), step(2000, 1900))
ALL_WELL = ProbeResult(CHROME, REACHED, (UDP,), GOOD_LINE, DEVICES)


def well_but(**parts: Any) -> ProbeResult:
    return replace(ALL_WELL, **parts)


ROWS = {
    "a good line": (ALL_WELL, "video_good", "udp_open", ""),
    "closed relays beside an open media port cost nothing": (
        well_but(paths=(UDP, NO_RELAY)), "video_good", "udp_open", "",
    ),
    "only a relay": (
        well_but(
            paths=(NO_UDP, path("turn_udp", 3478, "ok"), path("turn_tcp", 3478, "blocked")),
            media=replace(GOOD_LINE, path="turn_udp"),
        ),
        "video_good", "relay_only", "open_udp_media:10000/udp",
    ),
    "one port of a relay is enough": (
        well_but(
            paths=(NO_UDP, NO_RELAY, path("turn_udp", 19302, "ok")),
            media=replace(GOOD_LINE, path="turn_udp"),
        ),
        "video_good", "relay_only", "open_udp_media:10000/udp",
    ),
    "only TCP": (
        well_but(
            paths=(NO_UDP, NO_RELAY, path("turn_udp", 19302, "blocked"), path("turn_tls", 443, "ok")),
            media=replace(GOOD_LINE, path="turn_tls"),
        ),
        "video_low", "tcp_only",
        "open_udp_media:10000/udp open_turn_udp:3478/udp,19302/udp",
    ),
    "nothing comes through": (
        ProbeResult(CHROME, REACHED, (NO_UDP, NO_RELAY, path("turn_tls", 443, "blocked"))),
        "impossible", "no_path",
        "open_udp_media:10000/udp open_turn_udp:3478/udp open_turn_tls:443/tcp",
    ),
    "slow to connect": (
        well_but(paths=(path("udp", 10000, "slow"),)), "video_good", "udp_open", "exempt_from_inspection",
    ),
    "inspected": (
        well_but(signalling=replace(REACHED, proxied=True)),
        "video_good", "udp_open", "exempt_from_inspection",
    ),
    "no WebSocket": (
        ProbeResult(CHROME, SignallingFound(30.0, wss=False, wss_rtt_ms=None, proxied=None)),
        "impossible", "websocket_blocked", "allow_websocket",
    ),
    "no WebRTC": (
        ProbeResult(replace(CHROME, webrtc=False)), "impossible", "no_webrtc", "other_browser",
    ),
    "an old browser": (
        well_but(browser=replace(CHROME, version=70)), "video_low", "old_browser", "update_browser",
    ),
    "an unknown browser of any version": (
        well_but(browser=replace(CHROME, name="other", version=1)), "video_good", "udp_open", "",
    ),
    "a line of 300 kbit/s": (
        well_but(media=media(step(150, 140), step(500, 300, 0.4), step(1200, 290, 0.7))),
        "video_low", "little_bandwidth", "use_cable_or_move",
    ),
    "a line of 100 kbit/s": (
        well_but(media=media(step(150, 95, 0.3), step(500, 90, 0.7))),
        "audio_only", "little_bandwidth", "use_cable_or_move",
    ),
    "less than speech needs": (
        well_but(media=media(step(150, 12))), "phone", "little_bandwidth", "use_cable_or_move",
    ),
    "a weak way up alone": (
        well_but(media=media(replace(step(2000, 1900), kbps_up=400.0))),
        "video_low", "little_bandwidth", "use_cable_or_move",
    ),
    "8 % lost at every rate": (
        well_but(media=media(step(150, 145, 0.08), step(1200, 1190, 0.08))),
        "video_low", "much_loss", "use_cable_or_move",
    ),
    "22 % lost": (
        well_but(media=media(step(1200, 1190, 0.22))), "audio_only", "much_loss", "use_cable_or_move",
    ),
    "loss that a lower rate does not have": (
        well_but(media=media(step(1200, 1190, 0.01), step(2000, 1500, 0.3))), "video_good", "udp_open", "",
    ),
    "half a second there and back": (
        well_but(media=media(step(1200, 1190, rtt=500))), "video_low", "long_delay", "use_cable_or_move",
    ),
    "uneven delays": (
        well_but(media=media(step(1200, 1190, jitter=90))), "video_low", "uneven_delay", "use_cable_or_move",
    ),
    "what the browser does not tell is not held against it": (
        well_but(media=media(MediaStep(1200, 1190, 1190, None, None, None, None))),
        "video_good", "udp_open", "",
    ),
    "packets but no picture": (
        well_but(media=replace(GOOD_LINE, first_frame_ms=None)), "audio_only", "no_picture", "other_browser",
    ),
    "broken off before media": (
        well_but(media=None, devices=None), "video_low", "incomplete", "repeat_test",
    ),
    "broken off at once": (ProbeResult(), "phone", "incomplete", "repeat_test"),
    "paths that were not tried say nothing": (
        ProbeResult(CHROME, REACHED, (path("turn_tls", 443, "skipped"),)),
        "phone", "incomplete", "repeat_test",
    ),
    "a microphone that may not be used": (
        well_but(devices=DevicesFound("denied", "denied", "skipped")),
        "phone", "microphone_denied", "allow_microphone allow_camera",
    ),
    "no camera": (
        well_but(devices=replace(DEVICES, camera="missing")),
        "audio_only", "camera_missing", "connect_camera",
    ),
    "the worst is said first": (
        well_but(media=media(step(1200, 1190, 0.1)), devices=replace(DEVICES, speaker="not_heard")),
        "phone", "speaker_not_heard", "check_speaker use_cable_or_move",
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_what_was_found_gives_this_verdict_reason_and_advice(row: str) -> None:
    result, verdict, reason, advice = ROWS[row]
    found = judge(result)
    assert (found.verdict, found.reason, " ".join(map(_written, found.advice))) == (verdict, reason, advice)


def _written(advice: Advice) -> str:
    return ":".join([advice.code, ",".join(advice.ports)]).removesuffix(":")


def test_every_word_is_said_somewhere() -> None:
    judged = [judge(result) for result, *_ in ROWS.values()]
    assert {one.verdict for one in judged} == set(VERDICTS)
    said = {advice.code for one in judged for advice in one.advice}
    devices = {"check_microphone", "connect_microphone", "check_camera", "check_speaker"}
    assert set(ADVICE_CODES) - said <= devices | {"open_turn_tcp"}


@pytest.mark.parametrize(
    ("most", "kbps", "verdict"),
    [(800, 650, "video_good"), (800, 630, "video_low"), (2000, 999, "video_low"), (100, 85, "video_good")],
)
def test_no_more_is_asked_of_a_line_than_a_call_here_takes(most: float, kbps: float, verdict: str) -> None:
    slow = well_but(media=media(step(2000, kbps)))
    assert judge(slow, most_kbps=most).verdict == verdict


FIGURES = st.floats(0, 3000)
SHARES = st.none() | st.floats(0, 1)
DELAYS = st.none() | st.floats(0, 3000)
STEPS = st.builds(MediaStep, FIGURES, FIGURES, FIGURES, SHARES, SHARES, DELAYS, DELAYS)
PORTS = st.integers(1, 65535)
NAMES: tuple[PathName, ...] = get_args(PathName)
RESULTS = st.builds(
    ProbeResult,
    browser=st.none()
    | st.builds(
        BrowserFound,
        st.sampled_from(get_args(BrowserName)),
        st.integers(0, 200),
        st.just("linux"),
        st.booleans(),
    ),
    signalling=st.none()
    | st.builds(SignallingFound, DELAYS, st.booleans(), DELAYS, st.none() | st.booleans()),
    paths=st.lists(
        st.builds(
            PathFound,
            st.sampled_from(NAMES),
            PORTS,
            st.sampled_from(get_args(PathOutcome)),
            DELAYS,
            st.none() | st.booleans(),
        ),
        max_size=4,
    ).map(tuple),
    media=st.none()
    | st.builds(MediaFound, st.sampled_from(NAMES), PORTS, DELAYS, st.lists(STEPS, max_size=4).map(tuple)),
    devices=st.none()
    | st.builds(
        DevicesFound,
        st.sampled_from(get_args(MicrophoneOutcome)),
        st.sampled_from(get_args(CameraOutcome)),
        st.sampled_from(get_args(SpeakerOutcome)),
    ),
)
BETTER_OUTCOME: dict[PathOutcome, PathOutcome] = {"blocked": "slow", "slow": "ok"}


def improvements(result: ProbeResult, more: float) -> list[ProbeResult]:
    """Every result that is better in one thing."""
    found = []
    if (browser := result.browser) is not None:
        found.append(replace(result, browser=replace(browser, webrtc=True)))
        found.append(replace(result, browser=replace(browser, version=browser.version + 30)))
    if (signalling := result.signalling) is not None:
        found.append(replace(result, signalling=replace(signalling, wss=True)))
        found.append(replace(result, signalling=replace(signalling, proxied=False)))
    for number, one in enumerate(result.paths):
        better = replace(one, outcome=BETTER_OUTCOME.get(one.outcome, one.outcome))
        paths = (*result.paths[:number], better, *result.paths[number + 1 :])
        found.append(replace(result, paths=paths))
    if (media := result.media) is not None:
        found.append(replace(result, media=replace(media, first_frame_ms=100.0)))
        for number, line in enumerate(media.steps):
            for better_line in (
                replace(line, kbps_up=line.kbps_up + more),
                replace(line, kbps_down=line.kbps_down + more),
                replace(line, loss_up=_less(line.loss_up, more / 3000)),
                replace(line, loss_down=_less(line.loss_down, more / 3000)),
                replace(line, rtt_ms=_less(line.rtt_ms, more)),
                replace(line, jitter_ms=_less(line.jitter_ms, more)),
            ):
                steps = (*media.steps[:number], better_line, *media.steps[number + 1 :])
                found.append(replace(result, media=replace(media, steps=steps)))
    if (devices := result.devices) is not None:
        found.append(replace(result, devices=replace(devices, microphone="ok")))
        found.append(replace(result, devices=replace(devices, camera="ok")))
        found.append(replace(result, devices=replace(devices, speaker="heard")))
    return found


def _less(figure: float | None, by: float) -> float | None:
    return None if figure is None else max(0.0, figure - by)


@given(RESULTS, st.floats(0, 3000), st.just(inf) | st.floats(1, 3000))
def test_better_figures_never_give_a_worse_verdict(result: ProbeResult, more: float, most: float) -> None:
    before = VERDICTS.index(judge(result, most_kbps=most).verdict)
    for better in improvements(result, more):
        assert VERDICTS.index(judge(better, most_kbps=most).verdict) <= before, better


@given(RESULTS)
def test_a_verdict_that_is_not_the_best_says_why_and_what_to_do(result: ProbeResult) -> None:
    found = judge(result)
    assert (found.verdict == "video_good") == (found.reason in {"udp_open", "relay_only"})
    assert len({one.code for one in found.advice}) == len(found.advice)
    if found.verdict != "video_good" and found.reason not in {"tcp_only", "no_path"}:
        assert found.advice

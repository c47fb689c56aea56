"""Clock, kernel and limits."""

from dataclasses import replace

import pytest

from colloque.doctor import clock, kernel, limits
from colloque.doctor.probes.limits import available_mib, own_group, quota
from tests.support.doctor_words import codes, english

MIB = 2**20


@pytest.mark.parametrize(
    ("synchronised", "code"),
    [(True, "clock.synchronised"), (False, "clock.free_running"), (None, "clock.unknown")],
)
def test_a_clock_that_nobody_keeps_right_is_warned_of(synchronised: bool | None, code: str) -> None:
    assert codes(clock.judge(clock.ClockFacts(synchronised, 0.012))) == [code]


@pytest.mark.parametrize(
    ("ahead", "code"),
    [
        (0.1, "clock.as_database"),
        (2.0, "clock.off_database"),
        (-2.5, "clock.off_database"),
        (29.9, "clock.off_database"),
        (-30.0, "clock.far_from_database"),
    ],
)
def test_the_databases_clock_is_compared(ahead: float, code: str) -> None:
    assert codes(clock.judge_drift(ahead)) == [code]


FINE = kernel.KernelFacts(
    release="6.1.0",
    missing=(),
    marks=True,
    wants_marks=True,
    may_force_buffers=False,
    receive_max=4 * MIB,
    send_max=4 * MIB,
    conntrack=None,
    processors=2,
    workers=2,
)
WELL = ["kernel.options", "kernel.buffers", "kernel.marks", "kernel.processors"]


@pytest.mark.parametrize(
    ("change", "instead", "code"),
    [
        ({"missing": ("UDP_SEGMENT",)}, "kernel.options", "kernel.no_option"),
        ({"missing": ("SO_REUSEPORT",)}, "kernel.options", "kernel.no_reuse_port"),
        ({"receive_max": 212_992}, "kernel.buffers", "kernel.small_buffers"),
        ({"send_max": 212_992}, "kernel.buffers", "kernel.small_buffers"),
        ({"marks": False}, "kernel.marks", "kernel.no_marks"),
        ({"workers": 3}, "kernel.processors", "kernel.few_processors"),
    ],
)
def test_each_lack_of_the_kernel_has_its_line(change: dict[str, object], instead: str, code: str) -> None:
    assert codes(kernel.judge(FINE)) == WELL
    expected = [code if one == instead else one for one in WELL]
    assert codes(kernel.judge(replace(FINE, **change))) == expected  # type: ignore[arg-type]


def test_one_worker_does_without_shared_ports() -> None:
    assert codes(kernel.judge(replace(FINE, missing=("SO_REUSEPORT",), workers=1)))[0] == "kernel.no_option"


def test_the_line_for_small_buffers_can_be_copied() -> None:
    said = english(kernel.judge(replace(FINE, receive_max=212_992)))
    assert "net.core.rmem_max is 208 KiB" in said
    assert "net.core.rmem_max = 4194304 in /etc/sysctl.d/60-colloque.conf" in said


def test_who_may_pass_over_the_limits_of_buffers_is_not_warned() -> None:
    assert codes(kernel.judge(replace(FINE, receive_max=1, may_force_buffers=True))) == WELL


def test_marks_that_are_switched_off_are_not_looked_at() -> None:
    assert "kernel.no_marks" not in codes(kernel.judge(replace(FINE, marks=False, wants_marks=False)))


@pytest.mark.parametrize(("followed", "code"), [(79, "kernel.tracking"), (80, "kernel.tracking_full")])
def test_a_table_of_connections_that_fills_is_warned_of(followed: int, code: str) -> None:
    assert code in codes(kernel.judge(replace(FINE, conntrack=(followed, 100))))


ROOMY = limits.LimitFacts(
    files_hard=524_288, connections=10_000, memory_mib=4096, quota_processors=None, workers=2
)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ["limits.files", "limits.memory"]),
        ({"files_hard": None}, ["limits.files", "limits.memory"]),
        ({"files_hard": 10_256}, ["limits.files", "limits.memory"]),
        ({"files_hard": 10_255}, ["limits.few_files", "limits.memory"]),
        ({"files_hard": 256}, ["limits.very_few_files", "limits.memory"]),
        ({"memory_mib": 512}, ["limits.files", "limits.memory"]),
        ({"memory_mib": 128}, ["limits.files", "limits.little_memory"]),
        ({"memory_mib": 511}, ["limits.files", "limits.little_memory"]),
        ({"memory_mib": 127}, ["limits.files", "limits.no_memory"]),
        ({"quota_processors": 2.0}, ["limits.files", "limits.memory", "limits.quota"]),
        ({"quota_processors": 1.5}, ["limits.files", "limits.memory", "limits.small_quota"]),
    ],
)
def test_each_limit_has_its_line(change: dict[str, object], said: list[str]) -> None:
    assert codes(limits.judge(replace(ROOMY, **change))) == said  # type: ignore[arg-type]


def test_files_of_the_kernel_are_read() -> None:
    assert own_group("12:cpu:/a\n0::/system.slice/colloque.service\n") == "/system.slice/colloque.service"
    assert own_group("12:cpu:/a\n") == "/"
    assert available_mib("MemTotal: 9 kB\nMemAvailable:   2097152 kB\n") == 2048
    assert quota("150000 100000\n") == [1.5]
    assert quota("max 100000\n") == quota("") == []

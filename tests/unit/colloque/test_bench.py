"""What `colloque bench` makes of its samples, and when it refuses."""

import io

import pytest
from rich.console import Console

from colloque import bench
from colloque.errors import StartError
from colloque.machine import Usage, describe, others_load, parse_usage

CPUINFO = """processor\t: 0
model name\t: Fast 9000
flags\t\t: fpu aes avx2 vaes

processor\t: 1
model name\t: Fast 9000
flags\t\t: fpu aes avx2 vaes
"""
STAT = "cpu  100 0 50 9000 7 1 2 3 0 0\ncpu0 1 2 3 4\n"


def test_samples_of_all_rounds_make_one_row_each() -> None:
    rounds = [[("L3", "ideal", 8, [100.0]), ("L4", "worker", 8, [150.0])]] * 2
    rounds.append([("L3", "ideal", 8, [90.0]), ("L4", "worker", 8, [180.0])])
    rows = bench.gather(sample for one in rounds for sample in one)
    assert [(row.level, row.samples) for row in rows] == [
        ("L3", (100.0, 100.0, 90.0)),
        ("L4", (150.0, 150.0, 180.0)),
    ]
    assert bench.ratios(rows) == {8: pytest.approx(100 / 150)}


def test_a_row_is_told_with_its_spread() -> None:
    told = bench.Row("L0", "AES", 0, (200.0, 250.0, 400.0)).as_json()
    assert told["ns_per_packet"] == {"median": 250.0, "min": 200.0, "max": 400.0}
    assert told["kpps_per_cpu_second"] == 4000.0
    assert told["per_flush"] is None


def test_the_machine_is_told_without_its_name() -> None:
    machine = describe(CPUINFO, "MemTotal:       25165824 kB\nMemFree: 1 kB\n")
    assert (machine.processor, machine.cores, machine.memory_gib) == ("Fast 9000", 2, 24.0)
    assert machine.flags == ("aes", "avx2", "vaes")


def test_the_load_of_others_leaves_out_our_own() -> None:
    before = parse_usage(STAT, now=10.0, own=1.0)
    after = Usage(at=12.0, everybody=before.everybody + 3.0, own=2.5)
    assert others_load(before, after) == pytest.approx(0.75)
    assert others_load(after, after) == 0.0


def test_a_busy_machine_is_refused_in_one_line() -> None:
    bench.refuse_if_busy(0.3, even_if_busy=False)
    bench.refuse_if_busy(1.6, even_if_busy=True)
    with pytest.raises(StartError, match=r"others use 1\.6 cores .* --even-if-busy"):
        bench.refuse_if_busy(1.6, even_if_busy=False)


def test_the_table_fits_a_terminal_of_eighty_columns() -> None:
    report = bench.Report(
        "limit",
        describe(CPUINFO, "MemTotal: 1 kB"),
        "1.0",
        "0123456789ab",
        64,
        (bench.Row("L0", "AES-128-CM, HMAC-SHA1-80, 1160 bytes", 0, (1234.0, 1200.0, 1300.0)),),
        0.0,
        {8: 0.91},
    )
    out = io.StringIO()
    bench.write(report, Console(file=out, width=80).print)
    lines = out.getvalue().splitlines()
    assert lines[2].split() == ["level", "what", "flush", "ns", "low", "to", "high", "kpps"]
    assert " ".join(lines[3].split()) == "L0 AES-128-CM, HMAC-SHA1-80, 1160 bytes 1234 1200 to 1300 810"
    assert max(map(len, lines)) <= 80
    assert report.as_json()["commit"] == "0123456789ab"
    assert lines[-1] == "R at 8 packets a flush: 0.91 of the ideal fan-out"

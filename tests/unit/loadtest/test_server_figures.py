"""CPU and memory of the server, from the text of /proc and of /metrics."""

import pytest

from loadtest.server_figures import (
    ServerSample,
    ServerUse,
    by_second,
    read_metrics,
    read_stat,
    read_statm,
    read_version,
    use_of,
)

STAT = "77 (a (strange) name) S 1 77 77 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 9 0 123456 1000000 500"
METRICS = """# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 12.5
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 5e+07
# TYPE packets_total counter
packets_total{dir="up"} 3
"""
SAMPLES = [
    ServerSample(0.0, 1.0, 10e6),
    ServerSample(1.0, 3.0, 90e6),
    ServerSample(2.0, 3.5, 50e6),
    ServerSample(4.0, 4.5, 60e6),
]


def test_cpu_time_and_start_are_read_past_a_name_with_brackets() -> None:
    times = read_stat(STAT, ticks_per_second=100)
    assert (times.cpu_seconds, times.started) == (3.0, 123456)


def test_resident_memory_is_the_second_field_in_pages() -> None:
    assert read_statm("9000 500 300 1 0 2 0", page_bytes=4096) == 500 * 4096


def test_metrics_give_the_figures_of_the_process() -> None:
    assert read_metrics(METRICS, 3.0) == ServerSample(3.0, 12.5, 5e7)


def test_metrics_without_process_figures_give_none() -> None:
    assert read_metrics("", 3.0) == ServerSample(3.0, None, None)


def test_a_page_that_is_no_metrics_is_an_error() -> None:
    with pytest.raises(ValueError, match="Not found"):
        read_metrics("<html>Not found</html>", 0.0)


def test_metrics_may_say_which_version_runs() -> None:
    assert (
        read_version('# TYPE colloque_build info\ncolloque_build_info{version="1.2"} 1.0\n') == "colloque 1.2"
    )
    assert read_version(METRICS) is None


def test_each_second_shows_the_cores_used_since_the_one_before() -> None:
    assert [one.cpu_cores for one in by_second(SAMPLES)] == [2.0, 0.5, 0.5]
    assert [one.memory_mb for one in by_second(SAMPLES)] == [90, 50, 60]


def test_a_missing_figure_leaves_a_gap() -> None:
    first, second = by_second([SAMPLES[0], ServerSample(1.0, None, None), SAMPLES[2]])
    assert (first.cpu_cores, first.memory_mb, second.cpu_cores) == (None, None, None)


def test_cpu_is_the_mean_of_the_measured_part_and_memory_the_highest_of_all() -> None:
    assert use_of(SAMPLES, since=1.0) == ServerUse(0.5, 90.0)


@pytest.mark.parametrize("samples", [[], SAMPLES[:1]])
def test_without_two_samples_there_is_no_cpu_figure(samples: list[ServerSample]) -> None:
    assert use_of(samples, since=0.0).cpu_cores is None

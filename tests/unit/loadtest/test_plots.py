"""Plots are drawn to scale, and figures are written as people read them."""

import math
import re

import pytest

from loadtest.report.markup import tag
from loadtest.report.numbers import number, percent, ticks, with_unit
from loadtest.report.plots import Series, Text, bar_plot, column_plot, legend, line_plot
from loadtest.report.thinning import coarse, rates, thinned
from loadtest.results import Histogram
from tests.support.load_engine import second

TEXT = Text("x", "Title", "What it says.")


def points(svg: str) -> list[list[tuple[float, float]]]:
    return [
        [(float(x), float(y)) for x, y in (pair.split(",") for pair in one.split())]
        for one in re.findall(r'points="([^"]+)"', svg)
    ]


def drawn(values: list[float | None], **fields: float) -> str:
    at = [float(n) for n in range(len(values))]
    return line_plot(TEXT, at, [Series("a", values)], x_unit="s", unit="ms", **fields)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (0, "0"),
        (0.04567, "0.0457"),
        (0.5, "0.5"),
        (12.345, "12.3"),
        (1234567.8, "1,234,568"),
        (100.0, "100"),
        (-3.14159, "-3.14"),
        (math.inf, "beyond the scale"),
    ],
)
def test_figures_have_three_digits_that_count(value: float | None, text: str) -> None:
    assert number(value) == text


def test_ratios_are_percentages_and_other_figures_have_their_unit() -> None:
    assert (percent(0.999), percent(None)) == ("99.9 %", "—")
    assert (with_unit(0.5, "%"), with_unit(3, "ms"), with_unit(None, "ms"), with_unit(3, "")) == (
        "50 %", "3 ms", "—", "3",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("highest", "expected"),
    [
        (10, [0, 5, 10]),
        (0.07, [0, 0.02, 0.04, 0.06, 0.08]),
        (30_000, [0, 10_000, 20_000, 30_000]),
        (1, [0, 0.5, 1]),
        (0, [0, 1]),
        (math.inf, [0, 1]),
    ],
)
def test_axes_have_round_values_that_reach_the_highest(highest: float, expected: list[float]) -> None:
    assert ticks(highest) == pytest.approx(expected)


def test_a_line_rises_in_proportion() -> None:
    ((low, middle, high),) = points(drawn([0.0, 5.0, 10.0]))
    assert low[1] - middle[1] == pytest.approx(middle[1] - high[1], abs=0.2)
    assert middle[0] - low[0] == pytest.approx(high[0] - middle[0], abs=0.2)


@pytest.mark.parametrize("missing", [None, math.inf])
def test_a_line_has_a_gap_where_nothing_was_measured(missing: float | None) -> None:
    svg = drawn([1.0, 2.0, missing, 3.0, 4.0, missing, 5.0])
    assert [len(one) for one in points(svg)] == [2, 2]
    assert svg.count("<circle") == 1  # a point alone is no line


def test_the_warm_up_has_another_ground_and_a_name() -> None:
    assert 'class="warm-up"' not in drawn([1.0, 2.0])
    svg = drawn([1.0] * 10, warm_up=5.0)
    assert 'class="warm-up"' in svg
    assert "warm-up</text>" in svg


def test_columns_are_as_high_as_their_values_and_what_is_there_is_seen() -> None:
    svg = column_plot(TEXT, ["a", "b", "c", "d"], [50.0, 100.0, 0.0, 0.0001], x_unit="", unit="%")
    high = [float(one) for one in re.findall(r'height="([\d.]+)" class="bar', svg)]
    assert high[0] == pytest.approx(high[1] / 2, abs=0.2)
    assert high[2:] == [1.0]


def test_of_many_columns_only_some_are_labelled() -> None:
    labels = [f"n{n}" for n in range(100)]
    svg = column_plot(TEXT, labels, [1.0] * 100, x_unit="", unit="")
    assert len(re.findall(r">n\d+<", svg)) <= 10


def test_bars_have_their_figures_and_a_missing_one_is_said() -> None:
    svg = bar_plot(TEXT, ["ICE", "DTLS"], [Series("median", [10.0, None])], unit="ms")
    assert "10 ms</text>" in svg
    assert "—</text>" in svg
    assert svg.count('class="bar s1"') == 1


def test_plots_without_values_are_still_plots() -> None:
    assert "<svg" in drawn([])
    assert "<svg" in column_plot(TEXT, [], [], x_unit="", unit="")
    assert "<svg" in bar_plot(TEXT, [], [], unit="")


def test_one_line_alone_needs_no_legend() -> None:
    one, two = Series("a", []), Series("b", [])
    assert legend([one]) == ""
    assert legend([one, two]).count("<li>") == 2


def test_what_is_not_markup_is_escaped_in_text_and_attributes() -> None:
    assert tag("p", "<b>", title='"&') == '<p title="&quot;&amp;">&lt;b&gt;</p>'
    assert tag("p", tag("b", "x"), class_="y", hidden=None) == '<p class="y"><b>x</b></p>'


def test_a_long_run_is_drawn_in_few_points_that_keep_its_worst() -> None:
    run = [second(float(at), latency_p99_ms=float(at % 7), received=at) for at in range(1, 1001)]
    few = thinned(run, most=300)
    assert len(few) <= 300
    assert few[-1].at == 1000
    assert {one.latency_p99_ms for one in few} <= {3.0, 4.0, 5.0, 6.0}
    assert sum(one.received for one in few) == sum(one.received for one in run)


def test_a_short_run_is_drawn_as_it_is() -> None:
    run = [second(1.0), second(2.0, latency_p50_ms=None)]
    assert thinned(run) == run


def test_a_histogram_is_drawn_from_its_first_value_to_its_last() -> None:
    assert coarse(Histogram((1.0, 2.0, 3.0, 4.0), (0, 5, 0, 7, 0))) == [(2.0, 5), (3.0, 0), (4.0, 7)]
    assert coarse(Histogram((1.0,), (0, 0))) == []


def test_a_fine_histogram_is_drawn_in_few_columns_that_count_everything() -> None:
    fine = Histogram(tuple(float(n) for n in range(1, 1001)), (*[1] * 1000, 3))
    columns = coarse(fine)
    assert len(columns) <= 49
    assert sum(count for _, count in columns) == 1003
    assert columns[-2][0] == 1000
    assert columns[-1] == (math.inf, 3)


def test_values_beyond_the_last_bound_alone_are_one_column() -> None:
    assert coarse(Histogram((1.0, 2.0), (0, 0, 4))) == [(math.inf, 4)]


def test_counts_of_seconds_that_were_not_whole_become_rates() -> None:
    assert rates([10, 10, 5, 7], [1.0, 3.0, 3.5, 3.5]) == [10, 5, 10, None]

"""The report says what happened, to programs, to people who see and to people who listen."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from loadtest.errors import RunError
from loadtest.report import Circumstances, document, prepare_folder, summary, write_report
from loadtest.report.machine import machine_facts
from loadtest.report.page import page
from loadtest.results import Histogram
from loadtest.run import RunRecord
from tests.support.load_engine import BOUNDS, join, result, second, viewer
from tests.support.load_record import SCENARIO, ramp_record, run_record
from tests.support.page_reader import PageReader

AROUND = Circumstances(
    scenario_text=SCENARIO,
    url="ws://127.0.0.1:8080",
    began="2026-01-02 03:04:05 UTC",
    machine={"kernel": "Linux 6.1", "colloque": "0.1.0"},
)
FIGURES = (
    "One-way latency over time",
    "One-way latency, all packets",
    "Loss over time",
    "Packets per second",
    "Join time by stage",
    "Layers",
    "Server CPU",
    "Server memory",
)


class Reader(PageReader):
    """Reads a report."""

    @property
    def text(self) -> str:
        return " ".join(self.words)


def read(record: RunRecord | None = None) -> Reader:
    return Reader(page(record or run_record(), AROUND))


def test_every_figure_has_a_plot_and_a_table_beside_it() -> None:
    found = read()
    assert len(found.all("figure")) == len(FIGURES)
    assert len([one for one in found.all("svg") if one.get("role") == "img"]) == len(FIGURES)
    assert {one.get("aria-label") for one in found.all("div") if one.get("role") == "region"} == {
        f"{title}: values" for title in FIGURES
    }


def test_a_plot_is_told_to_those_who_cannot_see_it() -> None:
    found = read()
    ids = [attributes["id"] for _, attributes in found.seen if "id" in attributes]
    assert len(ids) == len(set(ids))
    for plot in found.all("svg"):
        if plot.get("role") == "img":
            assert set((plot["aria-labelledby"] or "").split()) <= set(ids)
        else:
            assert plot["aria-hidden"] == "true"
    assert "median: 0.4 to 0.4 ms; 99th percentile: 1.5 to 1.5 ms." in found.text


def test_headers_of_tables_say_what_they_are_headers_of() -> None:
    assert {one.get("scope") for one in read().all("th")} == {"row", "col"}


def test_a_table_that_scrolls_can_be_reached_by_keyboard() -> None:
    assert all(one.get("tabindex") == "0" for one in read().all("div") if one.get("class") == "scrolls")


def test_faithful_viewers_have_a_figure_of_their_own_and_words_for_what_went_wrong() -> None:
    measured = result(faithful=(viewer(freezes=3, freeze_ratio=0.25), viewer("faithful-2", error="<gone>")))
    read_ = read(run_record(measured, SCENARIO.replace("[objectives]", "faithful = 2\n[objectives]")))
    said = " ".join(read_.words)
    assert "2 viewers really decoded; their pictures froze 3 times." in said
    assert "<gone>" in said
    assert "25 %" in said
    stage = document(run_record(measured), AROUND)["stages"][0]
    assert stage["figures"]["freeze_ratio"] == 0.25
    assert [one["identity"] for one in stage["result"]["faithful"]] == ["faithful-1", "faithful-2"]


def test_the_page_needs_nothing_from_elsewhere() -> None:
    text = page(run_record(), AROUND)
    found = Reader(text)
    assert not {"script", "link", "img", "iframe", "object"} & {name for name, _ in found.seen}
    assert not [one for _, one in found.seen if {"src", "href", "style"} & one.keys()]
    assert not re.search(r"url\(|@import", text)


def test_the_page_follows_light_and_dark() -> None:
    text = page(run_record(), AROUND)
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r'(fill|stroke)="', text)  # colours are the style's alone


def test_words_of_the_scenario_and_of_errors_are_not_taken_for_markup() -> None:
    evil = join(ok=False, error="<script>alert(1)</script>")
    text = page(run_record(result(joins=(join(), evil))), AROUND)
    assert "Pairs &amp; &lt;others&gt;" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script" not in text


def test_what_is_needed_to_repeat_the_run_is_there() -> None:
    text = read().text
    for said in ("seed 5", "ws://127.0.0.1:8080", "2026-01-02 03:04:05 UTC", "Linux 6.1", "0.1.0", SCENARIO):
        assert said in text


@pytest.mark.parametrize(
    ("video", "said"),
    [
        ("", "VP8 of invented bytes: 320x180 at 150 kb/s, 640x360 at 500 kb/s, 1280x720 at 1,700 kb/s"),
        (
            'codec = "av1"\nsource = "clip"',
            "AV1 of a clip, three temporal layers: 1280x720 at 1,700 kb/s",
        ),
        ("packets_per_frame = 2\npacket_bytes = 100", "VP8 of invented bytes: 2 packets of 100 bytes"),
    ],
)
def test_the_page_says_which_pictures_were_sent(video: str, said: str) -> None:
    assert f"pictures sent {said}" in read(run_record(text=f"{SCENARIO}[video]\n{video}\n")).text


def test_the_page_says_that_no_pictures_were_sent() -> None:
    text = 'kind = "audio_room"\ntitle = "Round"\nspeakers = 1\nlisteners = 1\n'
    assert "pictures sent none" in read(run_record(text=text)).text


def test_failed_joins_are_counted_by_reason() -> None:
    failed = [join(f"p{n}", ok=False, error="ICE: no answer") for n in range(3)]
    assert re.search(r"ICE: no answer\s+3", read(run_record(result(joins=(join(), *failed)))).text)


@pytest.mark.parametrize(
    ("record", "headline", "explained"),
    [
        (run_record(), "Every objective was met", ""),
        (
            run_record(result(packets_lost=500)),
            "An objective was missed",
            "Packets lost: 5 %, wanted at most 1 %.",
        ),
        (
            run_record(result(tool_busy=0.92)),
            "The load tester was the limit: the server is not judged",
            "It was busy for 92 % of a core; over 80 %",
        ),
        (run_record(result(aborted=True)), "Stopped early: this report is partial", "It was interrupted;"),
        (
            run_record(failure="the server has gone: process 7 has ended"),
            "The run failed: this report is partial",
            "The server has gone: process 7 has ended.",
        ),
        (
            ramp_record(result(), result(), result(payload_errors=1)),
            "Every objective was met with up to 4 pairs",
            "With 6 pairs one was missed.",
        ),
        (
            ramp_record(result(payload_errors=1)),
            "An objective was missed",
            "Packets with wrong content: 1, wanted none.",
        ),
    ],
)  # fmt: skip
def test_how_it_ended_stands_above_everything(record: RunRecord, headline: str, explained: str) -> None:
    for text in (read(record).text, summary(record)):
        assert headline in text
        assert explained in text


def test_a_ramp_shows_its_stages_and_the_figures_of_the_last_that_held() -> None:
    found = read(ramp_record(result(), result(), result(payload_errors=1)))
    assert len(found.all("figure")) == 1 + 2 * len(FIGURES)
    assert "Figures with 4 pairs" in found.text
    assert "Figures with 6 pairs" in found.text


def test_a_verdict_is_told_in_words_not_by_colour_alone() -> None:
    text = read(run_record(result(packets_lost=500))).text
    assert "✗ missed" in text
    assert "✓ met" in text


def test_without_figures_the_page_says_so_and_stays_whole() -> None:
    nothing = result(
        joins=(), seconds=(), latency=Histogram(BOUNDS, (0,) * 8), layer_seconds={},
        packets_expected=0, packets_received=0,
    )  # fmt: skip
    found = read(run_record(nothing, samples=()))
    assert found.text.count("Nothing was measured.") == len(FIGURES)
    assert "none: no --server-pid and no --admin-url" in found.text


def test_the_document_has_everything_that_was_measured() -> None:
    made = document(run_record(), AROUND)
    (stage,) = made["stages"]
    assert (made["format"], made["outcome"], made["partial"], made["seed"]) == (1, "met", False, 5)
    assert made["scenario"] == SCENARIO
    assert made["machine"] == AROUND.machine
    assert len(stage["result"]["seconds"]) == len(stage["server"]) == 10
    assert stage["objectives"][0] == {
        "name": "join_success_ratio",
        "says": "joins that succeed",
        "limit": 1.0,
        "at_least": True,
        "figure": 1.0,
        "judgement": "met",
    }


def test_the_figures_for_sizing_are_of_the_measured_part() -> None:
    quiet_first = tuple(second(float(at), received=10 if at <= 2 else 1000) for at in range(1, 11))
    measured = document(run_record(result(seconds=quiet_first)), AROUND)["stages"][0]["figures"]
    assert measured["people"] == 4
    assert measured["packets_per_second"] == 1000
    assert measured["server_cpu_cores"] == pytest.approx(0.5)
    assert measured["packets_per_cpu_second"] == pytest.approx(2000)
    assert measured["server_memory_mb"] == pytest.approx(60)
    assert measured["megabits_per_second"] == pytest.approx(0.8)


def test_a_second_of_the_warm_up_that_ends_a_little_late_is_not_counted() -> None:
    late = tuple(second(at + 0.02, received=5000 if at <= 2 else 1000) for at in range(1, 11))
    measured = document(run_record(result(seconds=late)), AROUND)["stages"][0]["figures"]
    assert measured["packets_per_second"] == pytest.approx(1000)


@pytest.mark.parametrize("fields", [{"aborted": True}, {"error": "no sockets left"}])
def test_a_partial_report_is_marked(fields: dict[str, Any]) -> None:
    assert document(run_record(result(**fields)), AROUND)["partial"] is True


def test_a_report_is_written_as_json_and_html(tmp_path: Path) -> None:
    beyond = result(latency=Histogram(BOUNDS, (0, 0, 0, 0, 0, 0, 0, 9)))
    folder = tmp_path / "new" / "report"
    prepare_folder(folder)
    write_report(folder, run_record(beyond), AROUND)
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.json"]
    written = json.loads((folder / "report.json").read_text(), parse_constant=pytest.fail)
    assert written["stages"][0]["figures"]["latency_p99_ms"] is None
    assert "beyond the scale" in (folder / "report.html").read_text()


def test_a_folder_that_cannot_be_written_is_said_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"--report .*file: "):
        prepare_folder(tmp_path / "file")


def test_the_summary_has_a_line_for_each_objective() -> None:
    assert summary(run_record()).splitlines() == [
        "Every objective was met.",
        "  joins that succeed          at least 100 %  100 %  met",
        "  join, 95th percentile       at most 300 ms  57 ms  met",
        "  packets lost                at most 1 %       0 %  met",
        "  packets with wrong content  none                0  met",
    ]


def test_machines_are_told_apart_by_their_facts(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Example CPU @ 3 GHz\n")
    (tmp_path / "meminfo").write_text("MemTotal:       16000000 kB\n")
    (tmp_path / "loadavg").write_text("0.10 0.20 0.30 1/100 7\n")
    facts = machine_facts(proc=tmp_path)
    assert facts["processor"] == "Example CPU @ 3 GHz"
    assert facts["memory"] == "16.4 GB"
    assert facts["load before the run"] == "0.10 0.20 0.30"
    assert facts["kernel"]
    assert facts["Python"]


def test_a_machine_that_tells_less_has_fewer_facts(tmp_path: Path) -> None:
    facts = machine_facts(proc=tmp_path)
    assert "memory" not in facts
    assert "kernel" in facts

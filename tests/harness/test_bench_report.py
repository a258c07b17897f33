"""From results to the page, and from sections to an exit code."""

from pathlib import Path
from typing import Any

import pytest

from tests.bench import __main__ as bench, circumstances, report
from tests.bench.section import Row, Section, Stage, load, sentences

ORDER = ("endtoend", "latency", "reads")
OCCASION = {
    "date": "2026-11-22 07:00 UTC",
    "commit": "abc1234",
    "load_before": 0.1,
    "quiet": True,
    "size": "normal",
    "seconds": 61.0,
}


def section(name: str, **changed: Any) -> dict[str, Any]:
    rows: list[Row] = [
        {"road": "kafka", "events/s": 1500, "p50 ms": 80.25},
        {"road": "http", "events/s": 12_500.7, "held": True},
    ]
    made = Section(name, f"About {name}", rows, ["Measured twice."], details={"servers": {"kafka": "Apache Kafka 4"}})
    return {**made.document(), "occasion": OCCASION, **changed}


def summary(*sections: dict[str, Any]) -> dict[str, Any]:
    return {
        "machine": {"processor": "one"},
        "versions": {"Python": "3.11"},
        "durability": "all",
        "sections": {one["name"]: one for one in sections},
    }


def test_the_figures_stand_between_the_markers_and_the_rest_stays(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n{report.BEGIN}\nold figures\n{report.END}\nAfter.\n")
    report.publish(summary(section("endtoend")), ORDER, page)
    written = page.read_text()
    assert written.startswith(f"# Title\n{report.BEGIN}\n## Where\n")
    assert written.endswith(f"{report.END}\nAfter.\n")
    assert "old figures" not in written
    assert "| kafka | Apache Kafka 4 |" in written
    report.publish(summary(section("endtoend")), ORDER, page)
    assert page.read_text() == written


def test_what_was_not_played_stays_as_it_stands(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{report.BEGIN}\n{report.END}\n")
    report.publish(summary(section("reads", rows=[{"reads/s": 7}]), section("gone")), ORDER, page)
    before = report.sections_of(page.read_text())
    report.publish(summary(section("endtoend") | {"details": {}}, section("reads", void="late")), ORDER, page)
    after = report.sections_of(page.read_text())
    assert list(after) == ["endtoend", "reads", "gone"]
    assert {name: after[name] for name in before} == before
    assert "| kafka | Apache Kafka 4 |" in page.read_text()
    report.publish(summary(section("reads", rows=[{"reads/s": 8}])), ORDER, page)
    assert "| 8 |" in report.sections_of(page.read_text())["reads"]
    assert "| 7 |" not in page.read_text()


def test_all_sections_that_the_real_page_speaks_of_are_there() -> None:
    assert set(report.sections_of(report.PAGE.read_text())) <= set(bench.SECTIONS)
    assert {"endtoend", "floor", "latency", "peers", "growth", "isolation", "reads", "search"} <= set(
        report.sections_of(report.PAGE.read_text())
    )


def test_a_page_without_markers_is_not_written_over(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n")
    with pytest.raises(report.NoMarkers):
        report.publish(summary(section("endtoend")), ORDER, page)
    assert page.read_text() == "# Title\n"


def test_the_real_page_has_its_markers() -> None:
    text = report.PAGE.read_text()
    assert text.index(report.BEGIN) < text.index(report.END)


def test_a_table_has_the_columns_of_all_rows_and_numbers_to_the_right() -> None:
    assert list(report.table(section("x")["rows"])) == [
        "| road | events/s | p50 ms | held |",
        "|---|--:|--:|--:|",
        "| kafka | 1,500 | 80.25 |  |",
        "| http | 12,501 |  | yes |",
    ]


def test_void_figures_are_not_shown() -> None:
    text = "\n".join(report.of_section(section("x", void="the generator was late")))
    assert "**Void, so no figures:** the generator was late" in text
    assert "1,500" not in text


def test_a_busy_machine_is_told() -> None:
    busy = section("x", occasion=OCCASION | {"quiet": False, "load_before": 5.2})
    assert "was not idle" in "\n".join(report.of_section(busy))
    assert "was not idle" not in "\n".join(report.of_section(section("x")))


def test_a_section_survives_its_file(tmp_path: Path) -> None:
    made = Section("x", "X", [{"a": 1}], ["note."], "", {"runs": [1, 2]})
    assert load(made.save(tmp_path)) == made


def test_notes_may_be_written_as_prose() -> None:
    assert sentences("One goes\nover two lines.\nTwo has 1.5 in it.\n") == [
        "One goes over two lines.",
        "Two has 1.5 in it.",
    ]


def test_sections_are_chosen_by_name() -> None:
    assert bench.sections("") == list(bench.SECTIONS)
    assert bench.sections("latency,reads") == ["latency", "reads"]
    with pytest.raises(SystemExit, match="no section speed"):
        bench.sections("speed")


def test_failed_and_void_have_their_own_exit_codes() -> None:
    good, void = section("a"), section("b", void="late")
    failed = section("c", void="it failed", occasion=OCCASION | {"failed": True})
    assert bench.code({"a": good}) == 0
    assert bench.code({"a": good, "b": void}) == bench.VOID == 3
    assert bench.code({"a": good, "b": void, "c": failed}) == bench.FAILED == 1


def test_a_section_that_breaks_is_told_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(name: str, stage: Stage) -> Section:
        raise ConnectionRefusedError(f"{name} {stage.port_base}")

    monkeypatch.setattr(bench, "RESULTS", tmp_path)
    monkeypatch.setattr(bench, "limited", broken)
    monkeypatch.setattr(Section, "save", lambda self: tmp_path)
    played = bench.play("reads", "smoke", 1234)
    assert played["void"] == "it failed: ConnectionRefusedError: reads 1234"
    assert bench.code({"reads": played}) == bench.FAILED
    assert "ConnectionRefusedError" in capsys.readouterr().err


def test_small_sizes_are_not_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages: list[Any] = []
    monkeypatch.setattr(bench, "SUMMARY", tmp_path / "summary.json")
    monkeypatch.setattr(report, "publish", lambda summary, _: pages.append(summary))
    bench.keep({"latency": section("latency")}, "normal")
    bench.keep({"endtoend": section("endtoend")}, "full")
    bench.keep({"reads": section("reads")}, "quick")
    assert [list(page["sections"]) for page in pages] == [["latency"], ["endtoend"]]


def test_the_circumstances_are_told() -> None:
    assert "cores" in circumstances.machine()["processor"]
    assert {"Python", "aiokafka", "pymongo"} <= set(circumstances.versions())
    told = circumstances.occasion()
    assert told["date"].endswith("UTC")
    assert told["commit"]

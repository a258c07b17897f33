"""What may be published with the page of reliability, and what is said of an argument that is no result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.local.layout import ROOT
from tests.torture import report

RUN = json.loads((ROOT / "docs" / "torture" / "seed-7.json").read_text())


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page of its own, with nothing published yet."""
    document = tmp_path / "reliability.md"
    document.write_text("# Reliability\n")
    monkeypatch.setattr(report, "DOCUMENT", document)
    monkeypatch.setattr(report, "PUBLISHED", tmp_path / "torture")
    return document


def result(place: Path, found: Any, name: str = "result.json") -> str:
    path = place / name
    path.write_text(found if isinstance(found, str) else json.dumps(found))
    return str(path)


def test_a_green_run_is_kept_and_shown(page: Path, tmp_path: Path) -> None:
    report.main([result(tmp_path, RUN)])
    assert json.loads((tmp_path / "torture" / "seed-7.json").read_text()) == RUN
    assert f"| seed 7, {RUN['made']['at'][:10]}" in page.read_text()


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ("not json", "not JSON"),
        ([], "no result of a run"),
        ({"colour": "green"}, "lacks load, made, spec"),
        (RUN | {"colour": "red"}, "red, code changed: False; not published"),
        (RUN | {"made": RUN["made"] | {"changed": True}}, "green, code changed: True; not published"),
    ],
)
def test_what_is_no_result_or_may_not_be_published_is_said_in_a_line(
    page: Path, tmp_path: Path, found: Any, said: str
) -> None:
    path = result(tmp_path, found)
    with pytest.raises(SystemExit) as ended:
        report.main([path])
    assert str(ended.value).startswith(path)
    assert said in str(ended.value)
    assert page.read_text() == "# Reliability\n"


def test_a_file_that_is_not_there_or_a_proof_that_is_none_publishes_nothing_of_what_is_named_with_it(
    page: Path, tmp_path: Path
) -> None:
    good, proof = result(tmp_path, RUN), result(tmp_path, {"made": {}}, "proof.json")
    for bad, said in (
        (str(tmp_path / "nowhere.json"), "No such file"),
        (proof, "lacks rows"),
        (str(tmp_path), "directory"),
    ):
        with pytest.raises(SystemExit, match=said):
            report.main([good, bad])
    assert not (tmp_path / "torture").exists()
    assert page.read_text() == "# Reliability\n"

"""`rapport contacts duplicates` at the terminal: what it prints and writes, and what it refuses in words."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.local.cli import app

FAKE = Path(__file__).resolve().parents[1] / "contacts/data/splink_fake_1000.csv"


def duplicates(file: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ("contacts", "duplicates", str(file), *options))


def test_duplicates_are_found_explained_and_judged_without_a_platform(tmp_path: Path) -> None:
    out, pairs = tmp_path / "out.json", tmp_path / "review.csv"
    result = duplicates(FAKE, "--truth", "cluster", "--json", str(out), "--review-file", str(pairs))
    assert result.exit_code == 0, result.output
    assert "against the truth (2,031 pairs)" in result.output
    assert "one customer: line " in result.output
    told = json.loads(out.read_text())
    assert told["records"] == 1000
    assert told["precision"] >= 0.95
    assert told["recall"] >= 0.85
    assert told["f1"] == pytest.approx(2 * told["precision"] * told["recall"] / (told["precision"] + told["recall"]))
    assert told["seconds"] > 0
    assert told["columns"] == {
        "first_name": "given name", "surname": "family name", "dob": "date of birth", "city": "city", "email": "e-mail",
    }  # fmt: skip
    clusters = told["clusters"]
    assert sum(len(one["rows"]) * (len(one["rows"]) - 1) // 2 for one in clusters) == told["pairs"]
    rows = [row for one in clusters for row in one["rows"]]
    assert len(rows) == len(set(rows)), "a record is one customer's"
    assert all(len(one["explanations"]) == len(one["rows"]) - 1 for one in clusters)
    why = [how["why"] for one in clusters for how in one["explanations"]]
    assert any("same e-mail (+" in words and "date of birth" in words for words in why)
    written = list(csv.DictReader(pairs.read_text().splitlines()))
    assert len(written) == 2 * told["review_pairs"] == 2 * len(told["review"])


def test_the_truth_changes_nothing_but_the_figures(tmp_path: Path) -> None:
    judged, plain = tmp_path / "judged.json", tmp_path / "plain.json"
    duplicates(FAKE, "--truth", "cluster", "--json", str(judged))
    duplicates(FAKE, "--json", str(plain))
    one, other = (json.loads(file.read_text()) for file in (judged, plain))
    assert one["clusters"] == other["clusters"]
    assert other["precision"] is other["recall"] is other["f1"] is None


def test_two_files_are_linked_one_to_one(tmp_path: Path) -> None:
    both, out = tmp_path / "both.csv", tmp_path / "out.json"
    people = ["Ann,Zuckmayer,1950-04-03", "Kurt,Okafor,1971-12-30", "Olga,Petrova,1988-07-19"]
    rows = [f"{one},a" for one in people] + [f"{one},b" for one in people] + ["Ann,Zuckmayer,1950-04-03,b"]
    fillers = [f"Given{n},Family{n},19{n % 90 + 10}-01-{n % 28 + 1:02},{'ab'[n % 2]}" for n in range(200)]
    both.write_text("first_name,surname,dob,file\n" + "\n".join(rows + fillers) + "\n")
    result = duplicates(both, "--source", "file", "--json", str(out))
    assert result.exit_code == 0, result.output
    found = [one["rows"] for one in json.loads(out.read_text())["clusters"]]
    assert found == [[0, 3], [1, 4], [2, 5]]


def test_a_higher_threshold_merges_less(tmp_path: Path) -> None:
    pairs = []
    for automatic in ("0.6", "0.999999"):
        out = tmp_path / f"{automatic}.json"
        assert duplicates(FAKE, "--automatic", automatic, "--json", str(out)).exit_code == 0
        pairs.append(json.loads(out.read_text())["pairs"])
    assert pairs[0] > pairs[1]


def test_a_map_says_what_a_column_holds(tmp_path: Path) -> None:
    renamed, out = tmp_path / "renamed.csv", tmp_path / "out.json"
    text = FAKE.read_text()
    header, rest = text.split("\n", 1)
    renamed.write_text(header.replace("first_name", "q1").replace("surname", "q2") + "\n" + rest)
    result = duplicates(renamed, "--map", "given=q1", "--map", "family=q2", "--map", "ignore=city", "--json", str(out))
    assert result.exit_code == 0, result.output
    told = json.loads(out.read_text())
    assert told["columns"]["q1"] == "given name"
    assert told["columns"]["q2"] == "family name"
    assert told["not_compared"]["city"] == "left out by the map"


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("", (), "is empty"),
        ("id,city\n", (), "only a header"),
        ("id\n1\n2\n", (), "no column can be compared"),
        ("surname\nLee\n", ("--map", "famly=surname"), "no kind of field 'famly'"),
        ("surname\nLee\n", ("--map", "family=nachname"), "no column 'nachname'"),
        ("surname\nLee\n", ("--map", "family"), "is not FIELD=COL"),
        ("surname\nLee\n", ("--truth", "label"), "no column 'label'"),
        ("surname,file\nLee,a\n", ("--source", "file"), "which of two files"),
        ("surname\nLee\n", ("--source", "file"), "no column 'file'"),
        ("surname\nLee\n", ("--automatic", "2"), "automatic must be between"),
        ("surname\nLee\n", ("--review", "0.99"), "review must be"),
        ("surname\nLee\n", ("--json", "/nowhere/out.json"), "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence(
    tmp_path: Path, content: str, options: tuple[str, ...], words: str
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(content)
    result = duplicates(file, *options)
    assert result.exit_code != 0
    assert words in " ".join(result.output.replace("│", " ").split())
    assert "Traceback" not in result.output


def test_a_file_that_is_not_there_is_refused() -> None:
    assert duplicates(Path("/nowhere.csv")).exit_code == 2


@pytest.mark.parametrize("rows", [["Ann,Lee"], ["Ann,Lee"] * 2, ["Ann,Lee"] * 300, [","] * 5, ["x" * 5000 + ",y"] * 3])
def test_odd_files_get_an_answer(tmp_path: Path, rows: list[str]) -> None:
    file, out = tmp_path / "people.csv", tmp_path / "out.json"
    file.write_text("first_name,surname,cluster\n" + "".join(f"{row},\n" for row in rows if row != ",") + "Bob,Hu,\n")
    result = duplicates(file, "--truth", "cluster", "--json", str(out))
    assert result.exit_code == 0, result.output
    told = json.loads(out.read_text())
    assert told["recall"] is None, "an empty label is nobody else's"

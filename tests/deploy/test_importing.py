"""A file of past purchases becomes events, each row once, and what cannot is told with its line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from deploy.local.api import Api
from deploy.local.importing import Done, Plan, Rejected, Unreadable, count, import_sales, write_rejected
from shared.contracts.channels import SaleReported

PLAN = Plan("who", "when", "paid")


class Front(Api):
    """Takes events as the platform does, and refuses those whose customer is named so."""

    def __init__(self) -> None:
        self.events: dict[str, dict[str, Any]] = {}
        self.requests = 0

    def post_events(self, events: Sequence[Mapping[str, Any]]) -> Any:
        self.requests += 1
        rejected = []
        for index, event in enumerate(events):
            fact = SaleReported.model_validate(event["data"])
            if fact.customer[0].value == "refused":
                rejected.append(
                    {"index": index, "id": event["id"], "reason": "invalid-data", "detail": "no", "field": "x"}
                )
            else:
                self.events[event["id"]] = dict(event)
        return {"accepted": len(events) - len(rejected), "rejected": rejected}


def imported(path: Path, plan: Plan = PLAN) -> tuple[Done, Front]:
    front = Front()
    return import_sales(path, plan, front, lambda _: None), front


def written(path: Path, *lines: str, name: str = "past.csv") -> Path:
    file = path / name
    file.write_text("\n".join(lines) + "\n")
    return file


def test_each_row_is_an_order_named_after_what_it_says(tmp_path: Path) -> None:
    file = written(tmp_path, "who,when,paid", "anna,2024-05-01,10.50", "ben,2024-05-02 14:30:00+02:00,3")
    done, front = imported(file)
    assert (done.rows, done.events, done.accepted, done.rejected) == (2, 2, 2, [])
    anna, ben = front.events.values()
    assert (anna["id"], ben["id"]) == (anna["data"]["order"], ben["data"]["order"])
    assert anna["data"]["customer"] == [{"scheme": "customer-number", "value": "anna"}]
    assert (anna["time"], ben["time"]) == ("2024-05-01T00:00:00Z", "2024-05-02T12:30:00Z")
    assert anna["data"]["lines"] == [{"product": "unknown", "quantity": "1", "value": "10.500000"}]


def test_rows_of_one_order_are_its_lines(tmp_path: Path) -> None:
    plan = Plan("who", "when", "paid", order="no", product="what", quantity="pieces")
    file = written(
        tmp_path,
        "no;who;when;what;pieces;paid",
        "7;anna;01.05.2024;tea;2;4,00",
        "7;anna;01.05.2024;milk;1;1,25",
        "8;ben;31.05.2024;tea;1;2,00",
        ";ben;31.05.2024;tea;1;2,00",
    )
    done, front = imported(file, plan)
    assert (done.rows, done.events, done.rejected) == (4, 2, [Rejected(5, "no order number")])
    lines = front.events["7"]["data"]["lines"]
    assert [(line["product"], line["quantity"], line["value"]) for line in lines] == [
        ("tea", "2.000000", "4.000000"),
        ("milk", "1.000000", "1.250000"),
    ]
    assert front.events["8"]["data"]["order"] == "8"


def test_what_cannot_be_read_is_told_with_its_line(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "who,when,paid",
        ",2024-05-01,1",
        "anna,never,1",
        "anna,2024-05-01,much",
        "anna,2024-05-01,-3",
        "refused,2024-05-01,1",
        "anna,2024-05-01,1",
        "anna",
    )
    done, front = imported(file)
    assert done.rejected == [
        Rejected(2, "no customer"),
        Rejected(3, "unreadable date: 'never'"),
        Rejected(4, "unreadable amount: 'much'"),
        Rejected(5, "amount below zero: '-3'"),
        Rejected(8, "unreadable date: ''"),
        Rejected(6, "invalid-data: no (x)"),
    ]
    assert len(front.events) == 1
    write_rejected(tmp_path / "rejected.csv", done.rejected[:1])
    assert (tmp_path / "rejected.csv").read_text().split() == ["line,reason", "2,no", "customer"]


def test_the_same_file_again_makes_the_same_events(tmp_path: Path) -> None:
    file = written(tmp_path, "who,when,paid", *(f"c{n},2024-05-{n % 28 + 1:02},{n}" for n in range(2_600)))
    (first, one), (second, two) = imported(file), imported(file)
    assert one.events == two.events
    assert (first.accepted, second.accepted, one.requests) == (2_600, 2_600, 6)


def test_a_file_of_the_same_name_with_other_rows_makes_other_events(tmp_path: Path) -> None:
    _, first = imported(written(tmp_path, "who,when,paid", "anna,2024-05-01,1", "anna,2024-05-01,1"))
    _, longer = imported(written(tmp_path, "who,when,paid", "ben,2024-05-01,1", *["anna,2024-05-01,1"] * 3))
    assert (len(first.events), len(longer.events)) == (2, 4)
    assert first.events.keys() < longer.events.keys()


def test_an_order_in_two_places_is_not_silently_cut(tmp_path: Path) -> None:
    plan = Plan("who", "when", "paid", order="no")
    rows = ("7,anna,2024-05-01,1", "8,ben,2024-05-01,1", "7,anna,2024-05-01,2")
    done, _ = imported(written(tmp_path, "no,who,when,paid", *rows), plan)
    assert done.accepted == 2
    assert [(fault.line, "follow each other" in fault.reason) for fault in done.rejected] == [(4, True)]


def test_parquet_is_read_as_it_is_typed(tmp_path: Path) -> None:
    from datetime import datetime
    from decimal import Decimal

    file = tmp_path / "past.parquet"
    table = {
        "who": [1, 2],
        "when": [datetime(2024, 5, 1, 8), datetime(2024, 5, 2)],  # noqa: DTZ001 - as files have it
        "paid": [Decimal("1.10"), None],
    }
    parquet.write_table(pa.table(table), file)
    done, front = imported(file)
    assert count(file) == 2
    assert [event["time"] for event in front.events.values()] == ["2024-05-01T08:00:00Z"]
    assert done.rejected == [Rejected(2, "unreadable amount: ''")]


@pytest.mark.parametrize("name", ["past.csv", "past.parquet", "past.csv.gz"])
def test_a_file_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Unreadable):
        imported(written(tmp_path, "garbage", "rows", name=name))

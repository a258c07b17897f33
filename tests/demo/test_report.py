"""The result: its summary has what is promised, and a person can read it, good or bad."""

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from demo.emitters.plan import Tally
from demo.finance import Findings
from demo.latency import Latency
from demo.ledger.cards import Found
from demo.ledger.compare import Holdings
from demo.ledger.difference import Difference
from demo.report import report
from demo.result import ChannelResult, Pace, Result
from demo.steward import Stewardship

ARM = {
    "customers": 70,
    "responders": 30,
    "response_rate": 0.43,
    "orders": 50,
    "revenue": "512.00",
    "revenue_per_customer": "7.31",
}
EFFECT: dict[str, Any] = {
    "treatment": ARM,
    "control": ARM | {"customers": 0, "response_rate": None, "revenue_per_customer": None},
    "response_rate": {"estimate": 0.01, "low": -0.1, "high": 0.12, "excludes_zero": False},
    "revenue_per_customer": {"estimate": "-0.50", "low": "-2.00", "high": "1.00", "excludes_zero": False},
    "verdict": ["No effect can be told from chance."],
}

OFFER = {
    "product": {"product": "941", "name": "Oat milk", "category": "MILK"},
    "score": 1.5,
    "reason": "bought 4 times",
}
UNNAMED = {"product": "942", "name": None, "category": None}


@pytest.fixture
def result() -> Result:
    score = {
        "customer_id": "c1",
        "purchases": 12,
        "money": "1234.50",
        "frequency": 10,
        "recency_days": 30.4,
        "expected_purchases": 7.25,
        "first_purchase": "2017-01-01T10:00:00Z",
        "last_purchase": "2017-09-01T10:00:00Z",
        "p_alive": 0.41,
        "value": "99.10",
        "horizon_days": 90,
    }
    held = Holdings(
        customers=[{"customer_id": "c1", "contact": {"party": "household"}}],
        interactions=3,
        sales={"orders": 12, "total": "1234.50"},
        viewed={"customers": 1},
        duplicates={"contacts": 0, "interactions": 1},
        dead_letters={"malformed": 1},
        rejected={"empty": 1},
    )
    return Result(
        broker="Apache Kafka 4.3.1",
        households=1,
        planned=Tally(19, Counter(sales=12, interactions=3, contacts=1), Counter(sales=1), Counter(malformed=1)),
        held=held,
        mismatches=[],
        channels={"call-centre": ChannelResult(1, [], {"new": 5}, Latency(40.0, 210.0, 300.0, 10, 0))},
        campaign=EFFECT,
        model={"name": "mbg-nbd", "version": 2, "parameters": {"r": 0.5, "alpha": 6.0}},
        segments={"valuable-slipping": 1},
        valuable=[score],
        leaving=[score | {"value": None, "p_alive": None}],
        wishes=[{"customer_id": score["customer_id"], "offers": [OFFER, OFFER | {"product": UNNAMED}]}],
        findings=Findings(
            profit={
                "customers": 4,
                "profit": "2632.50",
                "classes": {"A": 1, "B": 1, "C": 1, "L": 1},
                "peak": {"customers": 0.75, "profit": "4021.11", "percent": 152.7},
            },
            contracts={
                "contracts": 66,
                "doubt": None,
                "outlook": [{"month": 3, "voluntary": 0.1, "involuntary": 0.06, "paid": 0.83, "missing": 0.01}],
            },
            running={3: 0.84},
            statements=23,
        ),
        stewardship=Stewardship(
            Found(proposed=9, accepted=3, right=2, there=4),
            mistake=(561, 1089),
            erased=frozenset({479, 900_479}),
            erasure={"open": ["log"], "places": [{"place": "sync", "at": "2017-12-01"}, {"place": "log", "at": None}]},
        ),
        names={"c1": 2261},
        pace=Pace(10, 1.0, 2.0, 500.0),
        seconds=61.0,
    )


def printed(result: Result) -> str:
    text = io.StringIO()
    report(Console(file=text, width=140), result)
    return text.getvalue()


def test_the_summary_has_all_that_is_promised(result: Result, tmp_path: Path) -> None:
    result.write(tmp_path / "demo" / "summary.json")
    summary = json.loads((tmp_path / "demo" / "summary.json").read_text())
    assert summary["broker"] == "Apache Kafka 4.3.1"
    assert summary["input"]["sales"] == 12
    assert summary["accepted"] == 16
    assert summary["duplicates"] == 1
    assert summary["dead_letters"] == {"malformed": 1}
    assert summary["rejected"] == {"empty": 1}
    assert (summary["ledger"]["customers"], summary["ledger"]["mismatches"]) == (1, 0)
    assert (summary["channels"]["call-centre"]["customers"], summary["channels"]["call-centre"]["stale"]) == (1, 0)
    assert summary["model"]["parameters"] == {"r": 0.5, "alpha": 6.0}
    assert summary["events_per_second"] == 5.0
    assert (summary["latency_ms"]["p50"], summary["latency_ms"]["p99"]) == (40.0, 210.0)
    assert summary["seconds"] == 61.0


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_a_good_result_names_households_and_the_verdict(result: Result) -> None:
    text = printed(result)
    assert result.good
    assert "2261" in text
    assert "24.3 days" in text
    assert "30 days" in text
    assert "agree to the cent" in text
    assert "zero included" in text
    assert "A/A test" in text
    assert ["2261", "Oat milk", "MILK", "bought 4 times"] in [_cells(line) for line in text.splitlines()]
    assert ["942", "-", "bought 4 times"] in [_cells(line) for line in text.splitlines()]


def test_profit_and_contracts_say_what_of_them_is_real_and_what_is_made_up(result: Result) -> None:
    text = printed(result)
    rows = [_cells(line) for line in text.splitlines()]
    assert ["L", "loss makers", "1", "25 %"] in rows
    assert ["3 months", "10 %", "6 %", "83 %", "1 %", "84 %"] in rows
    assert "without the loss makers it would be $4,021.11" in text
    assert "Baskets, discounts and mailings are real" in text
    assert "The plans are made up" in text
    assert "23 statements to the cent" in text


def test_what_the_steward_did_is_told_with_how_well_it_was_found(result: Result) -> None:
    text = printed(result)
    rows = [_cells(line) for line in text.splitlines()]
    assert ["of these right (precision)", "67 %"] in rows
    assert ["found of those there are (recall)", "50 %"] in rows
    assert ["merged by mistake, and taken back", "cards 561 and 1089"] in rows
    assert ["forgotten on request", "card 479 and card 900479"] in rows
    assert "Receipts of sync; awaited: log" in text
    assert "Names, addresses and second cards are made up" in text
    done = result.summary()["stewardship"]
    assert (done["precision"], done["recall"], done["awaited"]) == (2 / 3, 0.5, ["log"])


def test_where_there_is_nobody_to_forget_nothing_is_said_of_receipts(result: Result) -> None:
    result.stewardship = Stewardship(Found(0, 0, 0, 0))
    assert "Receipts" not in printed(result)
    assert result.summary()["stewardship"]["recall"] is None


def test_too_few_contracts_are_no_outlook(result: Result) -> None:
    result.findings.contracts = {"contracts": 1, "doubt": "too-few-customers", "outlook": None}
    assert "No outlook: too-few-customers." in printed(result)


def test_one_difference_makes_it_bad_and_is_shown(result: Result) -> None:
    result.mismatches = [Difference("household 2261: total", "1.00", "2.00")]
    assert not result.good
    assert "household 2261: total: 1.00 in the books, 2.00 in the platform" in printed(result)


def test_a_stale_copy_makes_it_bad_too(result: Result) -> None:
    result.channels["call-centre"].stale = [Difference("call-centre: customer c1: version", 3, 2)]
    assert not result.good
    assert "differ, 1 times" in printed(result)


def test_standing_still_makes_it_bad(result: Result) -> None:
    result.pace.complete = False
    assert not result.good
    assert "stopped making progress" in printed(result)

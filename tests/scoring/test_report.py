"""The report says what there is, and what there is not yet, and takes nobody's words for HTML."""

from typing import Any

import pytest

from deploy.local import reporting
from deploy.local.api import Refused
from services.scoring.report import Facts, html

FIGURES = {"customers": 3, "purchases": 7, "money": "70.50", "value": "12.25"}
SUMMARY = {
    **FIGURES,
    "currency": "USD",
    "horizon_days": 90,
    "model_version": 4,
    "segments": {"<script>": FIGURES},
}
MODEL = {"name": "mbg-nbd", "version": 4, "fitted_at": "2026-06-01T10:00:00Z"}
POINT = {"customers": 3, "said": 0.5, "came": 0.4, "low": 0.1, "high": 0.8}
REVIEW = {
    "cut": "2026-03-01",
    "until": "2026-05-30",
    "model_version": 4,
    "foreknown": False,
    "customers": 3,
    "expected": 2.5,
    "actual": 3.0,
    "total_error": -0.1667,
    "reliability": {"brier": 0.2, "ece": 0.1, "ece_by_chance": None, "curve": [POINT]},
    "groups": [{"customers": 3, "expected": 0.8, "actual": 1.0}],
    "lift": [{"customers": 0.0, "money": 0.0}, {"customers": 1.0, "money": 1.0}],
}
BASE = {
    "customers": 3,
    "profit": "-4.00",
    "currency": "USD",
    "since": "2025-07",
    "until": "2026-07",
    "unknown": ["goods"],
    "classes": {"A": 1, "B": 0, "C": 0, "L": 2},
    "curve": [{"customers": 0.0, "profit": "0.00"}, {"customers": 1.0, "profit": "-4.00"}],
}
WINDOW = {"gain": 0.0123, "low": 0.004, "high": 0.02, "better": True}
CHALLENGER = {"name": "pareto-nbd", "can_serve": False, "better": True, "windows": [WINDOW]}
GAINS = [{"until": "2026-03-01", "gain": 0.01}, {"until": "2026-03-29", "gain": -0.002}]
CHAMPION = {"name": "mbg-cnbd-3", "since": "2026-01-01T00:00:00Z", "why": "foretold <best>", "customers": 3}
CHOICE = {
    "outcome": "challenged",
    "nominated": "mbg-nbd+loyal",
    "doubts": [],
    "champion": CHAMPION,
    "drift": {"recency": {"psi": 0.41, "shift": "large"}, "money": {"psi": 0.01, "shift": "none"}},
}
CONTEST = {
    "span_days": 28,
    "challengers": [{**CHALLENGER, "gains": GAINS}, {**CHALLENGER, "name": "mbg-nbd", "windows": [], "gains": []}],
    "calibration": {"alarm": True},
}
SEASON = {"levels": [1.0] * 12 + [1.5], "why": "years are <alike>"}
STUDY = {"products": 5, "customers": 3, "accuracy": {"recall": 0.16, "hit": 0.4}}


def test_all_that_there_is_is_said_and_drawn() -> None:
    page = html(Facts(SUMMARY, MODEL, REVIEW, BASE, STUDY))
    assert page.count("<svg") == 4
    for words in ("70.50 USD", "version 4", "-16.7%", "2026-05-30", "goods", "-4.00 USD", "16.0%", "&lt;script&gt;"):
        assert words in page
    assert "<script>" not in page
    assert "no parameters are as old" not in page.lower()


def test_the_model_its_challengers_and_what_has_drifted_are_drawn() -> None:
    page = html(Facts(SUMMARY, MODEL, None, None, None, CHOICE, CONTEST))
    assert page.count("<svg") == 1
    words = ("mbg-cnbd-3", "mbg-nbd+loyal", "+0.01230", "held beside only", "no longer those", "drifted away")
    for one in (*words, "foretold &lt;best&gt;"):
        assert one in page
    assert "season" not in page
    steady = html(Facts(SUMMARY, MODEL, None, None, None, {**CHOICE, "season": {"levels": [], "why": "one <year>"}}))
    assert "No season of the year is expected: one &lt;year&gt;." in steady
    seasonal = html(Facts(SUMMARY, MODEL, None, None, None, {**CHOICE, "season": SEASON}))
    assert seasonal.count("<svg") == 1
    assert "expected again: years are &lt;alike&gt;" in seasonal
    undecided = {**CHOICE, "champion": None, "doubts": ["too few customers"]}
    assert "None has been chosen yet: too few customers" in html(Facts(SUMMARY, MODEL, None, None, None, undecided))


def test_what_is_not_there_yet_is_said_too() -> None:
    page = html(Facts(SUMMARY, None, None, None, None))
    assert "<svg" not in page
    for words in ("No model has been fitted", "Nobody has looked back", "books have not been looked through"):
        assert words in page
    assert "No parameters are as old" in html(Facts(SUMMARY, MODEL, {**REVIEW, "foreknown": True}, None, None))
    nobody = {**REVIEW, "customers": 0, "groups": [], "lift": [], "total_error": None}
    assert "<svg" not in html(Facts(SUMMARY, MODEL, nobody, None, {**STUDY, "accuracy": None}))


class Service:
    """An API of which some answers are still missing."""

    def __init__(self, refuses: int = 404, ended: str = "done") -> None:
        self.refuses, self.ended = refuses, ended
        self.posted: list[str] = []

    def get(self, path: str, **query: Any) -> Any:
        if path.startswith("/v1/looks/"):
            return {"state": self.ended}
        if path in {"/v1/profits/base", "/v1/wishes/study", "/v1/models/choice", "/v1/models/challengers"}:
            raise Refused("nothing yet", self.refuses)
        return {"items": []} if "limit" in query else SUMMARY

    def post(self, path: str) -> Any:
        self.posted.append(path)
        if path == "/v1/reviews":
            raise Refused("no model", 409)
        return {"name": path, "state": "running"}


def test_what_the_service_does_not_know_yet_is_no_fault() -> None:
    service: Any = Service()
    reporting.look(service)
    assert set(service.posted) == set(reporting.LOOKS)
    assert Facts(**reporting.gather(service)) == Facts(SUMMARY, None, None, None, None)


def test_a_look_that_failed_is_one() -> None:
    service: Any = Service(ended="failed")
    with pytest.raises(Refused, match="has failed"):
        reporting.look(service)


def test_any_other_refusal_is() -> None:
    service: Any = Service(refuses=403)
    with pytest.raises(Refused):
        reporting.gather(service)

"""Rows of running contracts as they were known, and whether behaviour foretells their ends better than age does."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from services.scoring.domain.churn.calendar import Calendar, Draw, draw
from services.scoring.domain.contracts.facts import ContractFact, Contracts, Kind
from services.scoring.domain.contracts.hazards import Hazards
from services.scoring.domain.contracts.judging import Foreteller, Learnt, learn, log_loss
from services.scoring.domain.contracts.population import Population, moves
from services.scoring.domain.contracts.rows import OWN, Holder, Rows, known, months, rows_of, rows_on
from services.scoring.domain.fitting import Doubt
from services.scoring.domain.purchases import day_of
from services.scoring.domain.supervised.causes import INVOLUNTARY, STAYED, VOLUNTARY
from tests.scoring.contracts.holders import END, HORIZON, Held, held
from tests.scoring.contracts.lives import at, fact
from tests.scoring.events import customer

TODAY = day_of(END)
CALENDAR = Calendar(TODAY, HORIZON)
PLACE = Draw(0.5, 0)


def learnt(base: list[Held]) -> tuple[Learnt, Rows]:
    holders = [Holder(draw(customer(n)), one.contracts, one.behaviour) for n, one in enumerate(base)]
    rows = rows_of(holders, CALENDAR)
    return learn(rows, CALENDAR, Population().plus(moves((Contracts(), one.contracts) for one in holders))), rows


def one_row(facts: list[ContractFact], day: str, horizon: int = 90) -> tuple[dict[str, float], int]:
    holder = Holder(PLACE, Contracts.of(facts), b"")
    rows = rows_on([holder], np.array([day_of(at(day))]), horizon)
    assert len(rows) == 1
    return dict(zip(OWN, rows.known[0].tolist(), strict=False)), int(rows.way[0])


def test_a_row_knows_what_had_happened_before_its_day_and_no_more() -> None:
    facts = [
        fact(Kind.STARTED, "2021-01-01")._replace(price=30_000_000),
        fact(Kind.PAYMENT_FAILED, "2021-03-01"),
        fact(Kind.PAYMENT_RECOVERED, "2021-03-11"),
        fact(Kind.RENEWED, "2021-04-01")._replace(price=40_000_000),
        fact(Kind.PAYMENT_FAILED, "2021-05-02"),
        fact(Kind.CANCELLED, "2021-06-20"),
    ]
    early, way = one_row(facts, "2021-03-01")
    assert (early["payments_failed"], way) == (0.0, STAYED)
    assert np.isnan([early["missing_months"], early["days_since_recovery"], early["days_since_renewal"]]).all()
    late, way = one_row(facts, "2021-05-02")
    assert (late["age_months"], late["payments_failed"], late["days_since_recovery"]) == (4.0, 1.0, 52.0)
    assert (late["renewals"], late["days_since_renewal"], late["price"], way) == (1.0, 31.0, 40.0, VOLUNTARY)
    missing, _ = one_row(facts, "2021-06-19")
    assert missing["missing_months"] >= 1.0
    assert len(rows_on([Holder(PLACE, Contracts.of(facts), b"")], np.array([day_of(at("2021-06-21"))]), 90)) == 0


@pytest.mark.parametrize(
    ("ended", "way"), [("2021-05-01", INVOLUNTARY), ("2021-05-30", INVOLUNTARY), ("2021-05-31", STAYED)]
)
def test_what_comes_within_the_horizon_is_the_label(ended: str, way: int) -> None:
    facts = [fact(Kind.STARTED, "2021-01-01"), fact(Kind.MOVED, ended)]
    assert one_row(facts, "2021-05-01", horizon=30)[1] == way


def test_complaints_that_foretell_leaving_beat_age_and_the_model_can_be_kept() -> None:
    made, rows = learnt(held(1_500, 3, telling=True))
    assert made.doubt is None
    assert made.model is not None
    assert made.proven
    assert [window.better for window in made.windows] == [True, True]
    again = Foreteller.from_text(made.model.to_text())
    some = rows.part(np.arange(len(rows)) < 50)
    for mine, theirs in zip(made.model.probabilities(some, HORIZON), again.probabilities(some, HORIZON), strict=True):
        np.testing.assert_allclose(mine, theirs)
        assert ((mine >= 0) & (mine <= 1)).all()


def test_noise_is_not_believed() -> None:
    made, _ = learnt(held(1_500, 3, telling=False))
    assert not made.proven


def test_what_is_learnt_from_is_over_before_what_it_is_tried_on() -> None:
    base = held(1_500, 3, telling=True)
    made, rows = learnt(base)
    begin = CALENDAR.windows()[0][0]
    # What happens after the first window's days are over changes neither its rows nor what it was learnt from.
    cut = END - timedelta(days=CALENDAR.today - CALENDAR.windows()[0][1] - HORIZON)
    past = [_until(one, cut) for one in base]
    then, _ = learnt(past)
    assert len(rows)
    assert begin < CALENDAR.windows()[1][0]
    assert then.windows[0].gain == made.windows[0].gain


def _until(one: Held, moment: datetime) -> Held:
    return Held([each for each in one.happened if each[0] < moment], one.complained)


@pytest.mark.parametrize("size", [0, 1, 20])
def test_few_contracts_are_a_doubt(size: int) -> None:
    made, _ = learnt(held(size, 5, telling=True))
    assert (made.model, made.doubt) == (None, Doubt.TOO_FEW)


def test_all_alike_are_a_doubt_too() -> None:
    alike = [Held([(END - timedelta(days=300), Kind.STARTED)], [])] * 300
    made, rows = learnt(alike)
    assert len(rows)
    assert made.doubt is Doubt.TOO_FEW


def test_the_loss_is_of_what_came() -> None:
    voluntary, involuntary = np.array([0.2, 0.2, 0.2, 0.0]), np.array([0.1, 0.1, 0.1, 0.0])
    found = log_loss(voluntary, involuntary, np.array([VOLUNTARY, INVOLUNTARY, STAYED, VOLUNTARY]))
    np.testing.assert_allclose(found[:3], -np.log([0.2, 0.1, 0.7]))
    assert np.isfinite(found[3])


def test_the_base_is_told_in_whole_months_nearest_to_the_horizon() -> None:
    assert [months(days) for days in (1, 30, 45, 46, 90, 365)] == [1, 1, 1, 2, 3, 12]
    nobody = known(Rows.none(), learnt_hazards(), HORIZON)
    assert len(nobody.voluntary) == 0


def learnt_hazards() -> Hazards:
    base = Population().plus(moves((Contracts(), one.contracts) for one in held(300, 1, telling=True)))
    found = Hazards.fitted(base.tables_at(TODAY))
    assert isinstance(found, Hazards)
    return found

"""Scores: complete with a model, honest without one, told again only when they have moved."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from services.scoring.domain.fitting import Doubt
from services.scoring.domain.gamma_gamma import GammaGamma
from services.scoring.domain.histogram import Histogram, moves
from services.scoring.domain.mbg_nbd import MbgNbd
from services.scoring.domain.model import Fit, Held, Model, Parameters, refit
from services.scoring.domain.population import Population, Ranked, changes
from services.scoring.domain.prediction import Histories, Predictions, Told, material, predict
from services.scoring.domain.purchases import Purchases, day_of
from services.scoring.domain.score import Customer, Terms, scores_of
from services.scoring.domain.segments import SEGMENTS
from shared.contracts.scoring import Score
from tests.scoring.orders import START, on, synthetic_base

CUSTOMER = "01890000-0000-7000-8000-000000000001"
PARAMETERS = Parameters(MbgNbd(1.4, 26, 0.07, 38), GammaGamma(6.25, 3.74, 15.44), top_money=200.0)
MODEL = Model(3, START, Fit(PARAMETERS, -1, -1, 100, 10, START))
STANDING = Population().plus([changes((Purchases(), one) for one in synthetic_base(100, 300, seed=9)[0])]).standing
NOTHING = np.array([np.nan])
HABITUAL = Purchases.of(on(f"2021-{month:02}-{day:02}", "20") for month in (1, 2, 3) for day in (1, 8, 15, 22))


def score(purchases: Purchases, now: str, model: Model | None = MODEL) -> Score:
    terms = Terms(model, datetime.fromisoformat(now + "T12:00:00+00:00"), 90, "USD", STANDING)
    return scores_of([Customer(CUSTOMER, purchases)], terms)[0][0]


def told(predictions: Predictions) -> Told:
    return Told(
        predictions.p_alive,
        predictions.p_churn,
        predictions.value,
        predictions.segment,
        Ranked.nowhere(len(predictions.value)),
    )


def predictions(now: datetime, parameters: Parameters = PARAMETERS) -> Predictions:
    return predict(parameters, Histories.of([HABITUAL]), now, 90)


def test_a_score_says_everything_the_contract_has() -> None:
    made = score(HABITUAL, "2021-03-25")
    assert Score.model_validate_json(made.model_dump_json()) == made
    assert made.model_dump(exclude_none=True).keys() == Score.model_fields.keys()
    assert (made.purchases, made.frequency, made.money, made.mean_spend) == (12, 11, Decimal(240), Decimal("20.00"))
    assert made.recency_days == 3.0
    assert made.value is not None
    assert made.expected_purchases is not None
    assert made.expected_spend is not None
    assert float(made.value) == pytest.approx(made.expected_purchases * float(made.expected_spend), rel=1e-3)


def test_without_a_model_the_facts_are_told_and_the_predictions_left_open() -> None:
    made = score(HABITUAL, "2021-03-25", model=None)
    assert made.money == Decimal(240)
    assert (made.p_alive, made.p_churn, made.value, made.segment, made.model) == (None,) * 5


@pytest.mark.parametrize(
    ("purchases", "now", "segment"),
    [
        (HABITUAL, "2021-03-25", "valuable"),
        (HABITUAL, "2021-04-12", "valuable-slipping"),
        (HABITUAL, "2021-12-01", "gone"),
        (HABITUAL, "2021-01-25", "new"),
        (Purchases.of([on("2021-01-01"), on("2021-02-01")]), "2021-02-20", "regular"),
        (Purchases.of([on("2021-01-01"), on("2021-02-01")]), "2021-06-01", "slipping"),
    ],
)
def test_every_segment_has_its_customers(purchases: Purchases, now: str, segment: str) -> None:
    today = day_of(datetime.fromisoformat(now + "T00:00:00+00:00"))
    assert score(purchases.until(today), now).segment == segment


def test_a_purchase_dated_tomorrow_by_a_fast_clock_is_scored_as_of_today() -> None:
    made = score(Purchases.of([on("2021-03-26")]), "2021-03-25")
    assert made.recency_days == 0
    assert made.p_alive is not None


def test_one_customer_alone_and_among_thousands_has_the_same_score() -> None:
    base, now = synthetic_base(300, 400, seed=2)
    terms = Terms(MODEL, now, 90, "USD")
    together, *_ = scores_of([Customer(CUSTOMER, purchases) for purchases in base], terms)
    assert together == [scores_of([Customer(CUSTOMER, purchases)], terms)[0][0] for purchases in base]


def test_enormous_customers_have_finite_scores() -> None:
    heavy = Purchases.of(on(str((START - timedelta(days=i)).date()), "190000000") for i in range(5_000))
    made = score(heavy, "2021-01-02")
    assert made.expected_purchases is not None
    assert 0 < made.expected_purchases < 91


def test_nothing_is_news_right_after_it_was_told() -> None:
    told_now = predictions(START + timedelta(days=84))
    assert not material(told(told_now), told_now, 200.0).any()


def test_what_was_never_predicted_is_news() -> None:
    none = Told(NOTHING, NOTHING, NOTHING, np.array([-1], np.int8), Ranked.nowhere(1))
    assert material(none, predictions(START + timedelta(days=84)), 200.0).all()


def test_a_small_move_is_no_news_until_it_adds_up() -> None:
    first = told(predictions(START + timedelta(days=84)))
    news = [bool(material(first, predictions(START + timedelta(days=84 + d)), 200.0)[0]) for d in range(40)]
    assert not news[0]
    assert news[-1]
    assert news == sorted(news)


@pytest.mark.parametrize(("top_money", "news"), [(236.0, False), (244.0, False), (300.0, True)])
def test_a_customer_on_the_edge_of_a_segment_does_not_flap(top_money: float, news: bool) -> None:
    now = START + timedelta(days=80)
    was = predictions(now, replace(PARAMETERS, top_money=239.0))
    assert SEGMENTS[was.segment[0]] == "valuable"
    moved = predictions(now, replace(PARAMETERS, top_money=top_money))
    assert bool(material(told(was), moved, top_money)[0]) is news


def test_a_refit_recovers_what_made_the_base() -> None:
    base, now = synthetic_base(4_000, 1_000, seed=9)
    fit = refit(Histogram().plus(moves((Purchases(), p) for p in base)), now)
    assert isinstance(fit, Fit)
    made = fit.parameters
    assert made.visits.alpha == pytest.approx(50, rel=0.25)
    assert made.visits.a / (made.visits.a + made.visits.b) == pytest.approx(0.9 / 3.4, rel=0.15)
    assert made.spends.q == pytest.approx(3.8, rel=0.15)
    assert fit.customers == 4_000
    again = refit(Histogram().plus(moves((Purchases(), p) for p in base)), now, last=made)
    assert isinstance(again, Fit)
    assert again.parameters.close_to(made)


def test_an_empty_or_tiny_base_is_held() -> None:
    assert refit(Histogram(), START) == Held((Doubt.TOO_FEW,), 0)
    tiny = Histogram().plus(moves([(Purchases(), HABITUAL)]))
    assert refit(tiny, START) == Held((Doubt.TOO_FEW,), 1)

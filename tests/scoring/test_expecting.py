"""The season in use, on stores in memory: who expects it, since when, and what it does to scores, reasons and contests."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from services.scoring.domain.behaviour import FEATURES
from services.scoring.domain.churn.rows import Rows, known
from services.scoring.domain.gamma_gamma import GammaGamma
from services.scoring.domain.hindsight import then
from services.scoring.domain.mbg_cnbd import MbgCnbd
from services.scoring.domain.mbg_nbd import MbgNbd
from services.scoring.domain.model import Parameters
from services.scoring.domain.overview import Snapshot
from services.scoring.domain.prediction import predict
from services.scoring.domain.purchases import Purchases, day_of
from services.scoring.domain.purchasing import PLAIN, Family, Purchasing
from services.scoring.domain.rivals import SPAN_DAYS, SPANS, fit_rival, table
from services.scoring.domain.seasonality import DayCounts, season_of
from services.scoring.domain.tempo import Tempo
from services.scoring.domain.yearly import STEADY, Season
from services.scoring.handlers.choosing import NOT_LOOKED
from tests.scoring.events import customer
from tests.scoring.seasonal import NO_SEASON, seasonal_base
from tests.scoring.test_choosing import World

UNTIL_OCTOBER = 1_369
BASE, OCTOBER = seasonal_base(2_500, UNTIL_OCTOBER, seed=41, gap=30.0)


async def world(base: list[Purchases] = BASE) -> World:
    made = World(base)
    made.clock.at = OCTOBER
    await made.refitting.refit()
    return made


def season(of: World) -> Season:
    assert of.scores.model is not None
    return of.scores.model.parameters.season


async def test_a_look_finds_the_season_and_a_version_carries_it_from_then_on() -> None:
    made = await world()
    assert season(made) == STEADY
    choice = await made.choosing.choose()
    assert len(season(made).levels) == 13
    assert choice.season.season.close_to(season(made))
    assert "years are alike" in choice.season.why
    version = made.scores.model and made.scores.model.version
    assert (await made.refitting.refit()).outcome == "unchanged"
    assert (await made.choosing.choose()).season.season.close_to(season(made))
    assert made.scores.model is not None
    assert made.scores.model.version == version
    kept = season(made)
    await made.choosing.promote(Family(2), "set by the test")
    assert made.name in {"cnbd-2", "mbg-cnbd-2"}
    assert season(made) == kept


async def test_a_season_that_no_longer_proves_itself_is_given_up() -> None:
    base, _ = seasonal_base(1_500, UNTIL_OCTOBER, seed=42, levels=NO_SEASON)
    made = await world(base)
    await made.refitting.refit(season=Season.of(np.linspace(0.5, 1.5, 13)))
    assert season(made).levels
    choice = await made.choosing.choose()
    assert (season(made), choice.season.season) == (STEADY, STEADY)
    assert choice.season.evidence is not None


async def test_without_a_model_there_is_no_season_and_it_is_said() -> None:
    made = World(BASE[:5])
    assert (await made.choosing.choose()).season.why == "no model is in use yet"
    assert NOT_LOOKED.season == STEADY


async def test_in_october_more_is_expected_and_in_june_less_and_everybody_is_told() -> None:
    made = await world()
    buyer = next(number for number, one in enumerate(BASE) if one.frequency > 3 and one.last_day > day_of(OCTOBER) - 30)
    june = datetime(2024, 6, 10, tzinfo=UTC)
    before = [await made.scores.read(customer(buyer), moment) for moment in (None, june)]
    await made.choosing.choose()
    after = [await made.scores.read(customer(buyer), moment) for moment in (None, june)]
    (autumn, was), (summer, had) = (
        (a.expected_purchases, b.expected_purchases) for a, b in zip(after, before, strict=True) if a and b
    )
    assert autumn
    assert was
    assert summer
    assert had
    assert 1.1 < autumn / was < 1.35
    assert 0.7 < summer / had < 0.9
    now, then_ = after[0], before[0]
    assert now
    assert then_
    assert now.p_alive == then_.p_alive
    assert now.p_churn is not None
    assert then_.p_churn is not None
    assert now.p_churn < then_.p_churn
    told = made.customers.known[customer(buyer)].score
    assert told.expected_purchases == pytest.approx(autumn, rel=1e-6)


async def test_who_is_moved_by_the_season_alone_is_told_in_time() -> None:
    made = await world()
    await made.choosing.choose()
    told = 0
    for days in range(1, 7):
        # Within a week of the last sweep nobody but those who are due is looked at.
        made.clock.at = OCTOBER + timedelta(days=days)
        told += await made.refitting.sweeping.due()
        assert made.scores.model is not None
        sheet = await made.customers.sheet(None, 10_000)
        said = predict(made.scores.model.parameters, sheet.histories, made.clock.at, 90)
        assert (np.abs(sheet.told.p_churn - said.p_churn) <= 0.02 + 1e-6).all()
    assert told > 0


async def test_the_season_is_a_reason_where_it_moves_the_score() -> None:
    made = await world()
    buyer = next(number for number, one in enumerate(BASE) if one.frequency > 5 and one.last_day > day_of(OCTOBER) - 10)
    plain = await made.scores.why(customer(buyer))
    assert plain is not None
    assert "high-season" not in {reason.code for reason in plain[1]}
    await made.choosing.choose()
    explained = await made.scores.why(customer(buyer))
    assert explained is not None
    (high,) = (reason for reason in explained[1] if reason.code == "high-season")
    assert high.text in {
        "customers buy about a fifth more than usual in the time to come",
        "customers buy about a quarter more than usual in the time to come",
    }
    assert high.effect["value"] > 0
    assert high.effect["p_churn"] < 0


async def test_contests_score_each_span_in_the_season_that_was_expected_then() -> None:
    """By what was known at its beginning and nothing later; and so it is nearer to what came."""
    made = await world()
    await made.choosing.choose()
    await made.contesting.contest()
    errors = []
    for span in sorted(made.contests.said):
        cut, came = span * SPAN_DAYS, then([one.pack() for one in BASE], span * SPAN_DAYS, SPAN_DAYS)
        model, found = as_of(cut)
        said = [table(model, came, cut, one) for one in (found, STEADY)]
        assert found.levels
        assert np.array_equal(made.contests.said[span]["mbg-nbd"].sums, said[0].sums)
        errors.append([abs(one.came_and_said[1] - one.came_and_said[0]) for one in said])
    assert len(errors) == SPANS
    seasonal, steady = np.mean(errors, axis=0)
    assert seasonal < steady


def as_of(cut: int) -> tuple[Purchasing, Season]:
    """MBG/NBD and the season, learnt at the end of that day from a base that knows nothing of what came later."""
    base = [known for one in BASE if (known := one.until(cut)).days]
    packed = [one.pack() for one in base]
    histories = then(packed, cut, 0).histories
    model = fit_rival(Snapshot.of(histories, np.zeros(len(base)), 0.0).visits(cut), PLAIN)
    assert isinstance(model, MbgNbd | MbgCnbd)
    return model, season_of(DayCounts.of(packed, cut), model, cut).season


def test_the_base_model_beside_behaviour_says_what_the_score_says() -> None:
    parameters = Parameters(
        *(MbgNbd(1.5, 60.0, 0.8, 4.0), GammaGamma(6.0, 3.8, 15.0), 100.0),
        season=Season.of(np.linspace(0.5, 1.5, 13)),
        tempo=Tempo(-0.4, 0.3, 40.0, 3.0, 0.1),
    )
    for moment in (OCTOBER, datetime(2024, 3, 1, tzinfo=UTC)):
        seen = then([one.pack() for one in BASE[:50]], day_of(moment), 90)
        histories = seen.histories
        history = np.column_stack(
            [
                histories.x,
                histories.last_day - histories.first_day,
                day_of(moment) - histories.first_day,
                histories.spend,
                histories.money,
                histories.last_gap,
            ]
        )
        n = len(history)
        rows = Rows(np.zeros(n), np.full(n, day_of(moment) + 1), history, np.zeros((n, len(FEATURES))), np.zeros(n))
        assert known(rows, parameters, 90).base == pytest.approx(predict(parameters, histories, moment, 90).p_churn)

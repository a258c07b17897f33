"""A season is found where there is one, as large as it is, and nowhere else; and scores that expect it come nearer."""

from collections.abc import Sequence
from datetime import date, datetime

import numpy as np
import pytest

from services.scoring.domain.fitting import Floats
from services.scoring.domain.gamma_gamma import GammaGamma
from services.scoring.domain.hindsight import Hindsight, then
from services.scoring.domain.mbg_nbd import MbgNbd, Visits
from services.scoring.domain.model import Parameters
from services.scoring.domain.prediction import Histories
from services.scoring.domain.purchases import Order, Purchases, day_of
from services.scoring.domain.purchasing import PLAIN, Fitted, Purchasing, fit_family
from services.scoring.domain.seasonality import DayCounts, Found, Seen, evidence, learn, season_of, seen
from services.scoring.domain.yearly import STEADY, Season
from tests.scoring.orders import on
from tests.scoring.seasonal import NO_SEASON, SUMMER_AND_CHRISTMAS, seasonal_base, until

THREE_YEARS = 1096
TRUE = np.array(Season.of(SUMMER_AND_CHRISTMAS).levels)


def fitted(base: Sequence[Purchases], today: int) -> Purchasing:
    histories = Histories.of(base)
    age = today - histories.first_day
    visits = Visits(histories.x, histories.last_day - histories.first_day, age, np.ones(len(base)))
    fit = fit_family(visits, PLAIN)
    assert isinstance(fit, Fitted)
    return fit.model


def counted(base: Sequence[Purchases], day: int) -> DayCounts:
    return DayCounts.of([one.pack() for one in base], day)


def found(base: Sequence[Purchases], end: datetime) -> Found:
    return season_of(counted(base, day_of(end) - 1), fitted(base, day_of(end)), day_of(end) - 1)


@pytest.mark.parametrize("seed", range(5))
def test_a_season_of_three_years_is_found_as_large_as_it_is(seed: int) -> None:
    base, end = seasonal_base(4_000, THREE_YEARS, seed)
    season = found(base, end)
    assert season.evidence is not None
    assert season.evidence.nats > 20
    levels = np.array(season.season.levels)
    assert np.sqrt(np.mean((levels - TRUE) ** 2)) < 0.06
    assert np.abs(levels - TRUE).max() < 0.15
    assert "years are alike" in season.why


def test_a_base_without_a_season_is_given_none() -> None:
    """One in five hundred or so would be, by the rules' chances of error; of these forty, none is."""
    given = [found(*seasonal_base(800, THREE_YEARS, seed, NO_SEASON, gap=25.0)) for seed in range(40)]
    assert [one.season for one in given] == [STEADY] * 40
    assert all("alike" in one.why or "years" in one.why for one in given)


def test_how_rarely_weather_is_taken_for_a_season() -> None:
    """Of a thousand bases in which each four weeks are off by 5 % and by what the weeks before were, 5 at most."""
    random = np.random.default_rng(7)
    weather = np.zeros((1_000, 39))
    weather[:, 0] = random.normal(0, 0.05, 1_000)
    for n in range(1, 39):
        weather[:, n] = 0.7 * weather[:, n - 1] + random.normal(0, 0.05 * np.sqrt(1 - 0.49), 1_000)
    taken = sum(
        chosen(one + trend)
        for one, trend in zip(weather, np.linspace(0, 1, 39) * random.normal(0, 0.3, (1_000, 1)), strict=True)
    )
    assert taken <= 5


def chosen(log_ratio: Floats) -> bool:
    past = Seen(np.arange(len(log_ratio)), log_ratio, np.full(len(log_ratio), 1 / (1 / 5_000 + 0.02**2)))
    said = evidence(past, learn(past))
    return said.by_chance <= 0.001 and said.nats >= 4.6 and said.newest > 0


def test_a_christmas_alone_is_a_season() -> None:
    base, end = seasonal_base(4_000, THREE_YEARS, 11, np.array([1.0] * 12 + [1.5]))
    levels = np.array(found(base, end).season.levels)
    assert levels[12] == pytest.approx(1.44, abs=0.12)
    assert np.abs(levels[:12] - 0.963).max() < 0.1


@pytest.mark.parametrize("days", [300, 366, 700])
def test_what_was_not_seen_twice_is_no_season(days: int) -> None:
    base, end = seasonal_base(3_000, days, 3)
    season = found(base, end)
    assert (season.season, season.evidence) == (STEADY, None)
    assert "less than two years" in season.why


def test_a_base_that_grows_all_year_has_no_season_of_its_end() -> None:
    steadily = np.arange(39) / 13 * 0.2
    past = Seen(np.arange(39), steadily + np.random.default_rng(1).normal(0, 0.01, 39), np.full(39, 2_000.0))
    assert np.abs(learn(past).drawn).max() < 0.01
    assert not chosen(past.log_ratio)


def test_a_season_that_is_over_is_not_expected_again() -> None:
    season = np.log(TRUE)
    past = np.concatenate([season, season, season, -season])
    assert chosen(np.concatenate([season, season, season]))
    assert not chosen(past)


@pytest.mark.parametrize("apart", [0.0, 0.1, 0.15, 0.2, 0.3])
def test_levels_are_drawn_by_as_much_as_years_differ(apart: float) -> None:
    """Two years that differ by 2 `apart`, up and down in turn, so that their mean is the season and they have no trend.

    What is left of the fit is `apart` 24 times over 12 free values, twice its square; each mean of two is as uncertain as
    half of that, or as chance and weather make it.
    """
    season, weight = np.log(TRUE) - np.log(TRUE).mean(), 1 / (1 / 2_000 + 0.02**2)
    turns = apart * np.array([1.0, -1.0] * 6 + [0.0])
    found = learn(Seen(np.arange(26), np.concatenate([season + turns, season - turns]), np.full(26, weight)))
    assert found.seen == pytest.approx(season)
    assert found.excess == pytest.approx(max(2 * weight * apart**2, 1.0))
    chance, spread = max(apart**2, 1 / (2 * weight)), float(season @ season) / 12
    assert found.drawn == pytest.approx(season * max(1 - chance / spread, 0.0))


def total_error(base: Sequence[Purchases], cut: date, season: Season, visits: Purchasing) -> float:
    """Of all expected purchases of the 90 days after that one."""
    parameters = Parameters(visits, GammaGamma(6.0, 3.8, 15.0), 100.0, season=season)
    day = (cut - date(1970, 1, 1)).days
    error = Hindsight.of(parameters, then([one.pack() for one in base], day, 90), day, 90).total_error
    assert error is not None
    return error


@pytest.mark.parametrize("cut", [date(2024, 10, 3), date(2024, 6, 1), date(2023, 12, 31)])
def test_the_next_quarter_comes_nearer_with_the_season_than_without(cut: date) -> None:
    """Learnt until then alone; before and after Christmas and before the summer."""
    base, _ = seasonal_base(5_000, 4 * 366, 5)
    known, day = until(base, cut), (cut - date(1970, 1, 1)).days
    visits = fitted(known, day)
    season = season_of(counted(known, day), visits, day).season
    assert season.levels
    plain, seasonal = (abs(total_error(base, cut, one, visits)) for one in (STEADY, season))
    assert seasonal < plain - 0.03
    assert seasonal < 0.1


def test_days_are_counted_once_in_any_pages_and_void_ones_not_at_all() -> None:
    base, end = seasonal_base(60, 400, 2)
    void = on("2021-02-01")
    base.append(Purchases.of([on("2021-01-05"), void, Order.cancelled(void.at, void.total), on("2021-03-01")]))
    first, last = day_of(on("2021-01-01").at), day_of(end)
    whole = counted(base, last)
    newcomers, repeats = whole.between(first, last)
    assert (newcomers.sum(), repeats.sum()) == (61, sum(one.frequency for one in base))
    assert newcomers[4] >= 1
    parts = counted(base[:20], last).plus(counted(base[20:], last)).plus(DayCounts.empty())
    assert (parts.cells.sums == whole.cells.sums).all()
    earlier = counted(base, first + 100)
    assert all(
        (a == b).all()
        for a, b in zip(whole.between(first, first + 100), earlier.between(first, first + 100), strict=True)
    )
    # Who came before the days that are looked at counts as come on the first of them.
    late, _ = whole.between(first + 50, last)
    assert late.sum() == 61


MODEL = MbgNbd(1.5, 60.0, 0.8, 4.0)


@pytest.mark.parametrize(
    "base",
    [
        [],
        [Purchases.of([on("2021-01-01")])],
        [Purchases.of([on("2021-01-01")])] * 400,
        [Purchases.of([on("1904-02-01"), on("2023-05-01")])] * 300,
        [Purchases.of([on("2031-02-01"), on("2033-05-01")])] * 300,
        [Purchases.of([on(f"{year}-12-24") for year in range(2015, 2025)])] * 200,
        [Purchases()] * 10,
    ],
    ids=["nobody", "one", "one-purchase-each", "wrong-dates", "in-the-future", "once-a-year", "nothing-left"],
)
def test_a_base_that_says_little_has_no_season_or_a_sound_one(base: list[Purchases]) -> None:
    day = day_of(on("2025-01-01").at)
    season = season_of(counted(base, day), MODEL, day)
    assert season.why
    assert not season.season.levels or np.isfinite(season.season.levels).all()


def test_only_whole_four_weeks_count() -> None:
    base, end = seasonal_base(2_000, 500, 8)
    for until_day in (day_of(end) - 1, day_of(end) - 15):
        past = seen(counted(base, until_day), MODEL, until_day)
        came = np.exp(past.log_ratio)
        assert 0.5 < came.min() < came.max() < 2.0

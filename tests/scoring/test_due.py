"""Scores that drift are looked at in time: never after they have become news, and seldom before."""

from datetime import timedelta

import numpy as np
import pytest

from services.scoring.domain.bands import Flags
from services.scoring.domain.due import due_days
from services.scoring.domain.gamma_gamma import GammaGamma
from services.scoring.domain.mbg_cnbd import MbgCnbd
from services.scoring.domain.mbg_nbd import MbgNbd
from services.scoring.domain.model import Parameters
from services.scoring.domain.population import Ranked
from services.scoring.domain.prediction import Histories, Predictions, Told, material, predict
from services.scoring.domain.purchases import EPOCH, day_of
from services.scoring.domain.purchasing import Purchasing
from services.scoring.domain.tempo import EVEN, Tempo
from services.scoring.domain.yearly import STEADY, Season
from tests.scoring.orders import synthetic_base
from tests.scoring.seasonal import SUMMER_AND_CHRISTMAS

BASE, END = synthetic_base(400, 900, seed=31)
HISTORIES = Histories.of(BASE)
EXTENDED = [MbgCnbd(1, 0.8, 50, 0.9, 2.5, 0.2), MbgCnbd(1, 1.4, 26, 0.0, 1.0)]
SEASONAL = Season.of(SUMMER_AND_CHRISTMAS)
CHRISTMAS = Season.of(np.array([1.0] * 12 + [3.0]))
SPENDS = GammaGamma(6.25, 3.74, 15.44)


def told(made: Predictions) -> Told:
    return Told(made.p_alive, made.p_churn, made.value, made.segment, Ranked.nowhere(len(made.value)))


def merged(old: Told, new: Told, fresh: Flags) -> Told:
    parts = {name: np.where(fresh, getattr(new, name), getattr(old, name)) for name in ("p_alive", "p_churn", "value")}
    return Told(**parts, segment=np.where(fresh, new.segment, old.segment), ranked=old.ranked)


@pytest.mark.parametrize(
    "visits",
    [
        MbgNbd(0.8, 50, 0.9, 2.5),
        MbgNbd(1.4, 26, 0.07, 38),
        MbgNbd(0.5, 6, 0.9, 1.6),
        MbgNbd(6.0, 300, 2.0, 4.0),
        *EXTENDED,
    ],
    ids=["as-it-is", "hardly-anybody-leaves", "quick", "regular", "loyal", "nobody-leaves"],
)
def test_nobodys_news_comes_before_they_are_looked_at(visits: Purchasing) -> None:
    looks, news = followed(visits)
    assert news > 0
    assert looks < 400 * len(BASE) / 4


@pytest.mark.parametrize(
    "visits", [MbgCnbd(3, 2.4, 50, 0.9, 2.5), MbgCnbd(2, 0.8, 3, 0.5, 6.0, 0.2), MbgCnbd(4, 6.0, 100, 0.0, 1.0)]
)
def test_nor_is_anybodys_who_buys_with_a_rhythm(visits: Purchasing) -> None:
    """Their curves turn, so that they are looked at more often, and once a week at least."""
    looks, news = followed(visits)
    assert news > 0
    assert looks < 400 * len(BASE) * 2 / 3


@pytest.mark.parametrize("season", [SEASONAL, CHRISTMAS], ids=["all-year", "christmas"])
@pytest.mark.parametrize(
    "visits",
    [MbgNbd(0.8, 50, 0.9, 2.5), MbgNbd(1.4, 26, 0.07, 38), MbgNbd(0.5, 6, 0.9, 1.6), *EXTENDED],
    ids=["as-it-is", "hardly-anybody-leaves", "quick", "loyal", "nobody-leaves"],
)
def test_nor_is_anybodys_whose_score_only_the_season_moves(visits: Purchasing, season: Season) -> None:
    """Values and the probability of no purchase rise as well as fall by it."""
    looks, news = followed(visits, season)
    assert news > 0
    assert looks < 400 * len(BASE) / 2


@pytest.mark.parametrize("season", [SEASONAL, CHRISTMAS], ids=["all-year", "christmas"])
@pytest.mark.parametrize("visits", [MbgCnbd(3, 2.4, 50, 0.9, 2.5), MbgCnbd(2, 0.8, 3, 0.5, 6.0, 0.2)])
def test_nor_with_a_rhythm_and_a_season_at_once(visits: Purchasing, season: Season) -> None:
    looks, news = followed(visits, season)
    assert news > 0
    assert looks < 400 * len(BASE)


@pytest.mark.parametrize("season", [STEADY, SEASONAL], ids=["steady", "seasonal"])
@pytest.mark.parametrize("visits", [MbgNbd(0.8, 50, 0.9, 2.5), *EXTENDED, MbgCnbd(3, 2.4, 50, 0.9, 2.5)])
def test_nor_is_anybodys_who_goes_at_a_pace_of_their_own(visits: Purchasing, season: Season) -> None:
    """From a third of the base's to three times as fast."""
    tempo = Tempo(-1.5, 1.0, 60.0, 3.5)
    factors = HISTORIES.tempo(tempo, day_of(END))
    assert (factors.min(), factors.max()) == pytest.approx((1 / 3, 3.0))
    _, news = followed(visits, season, tempo)
    assert news > 0


@pytest.mark.parametrize("visits", [MbgNbd(0.8, 50, 0.9, 2.5), MbgCnbd(3, 2.4, 50, 0.9, 2.5)])
def test_nor_is_anybodys_whose_last_purchase_is_said_to_be_tomorrow_or_later(visits: Purchasing) -> None:
    """By a channel whose clock runs ahead; the season, which is high in July, goes by ours."""
    early = END - timedelta(days=60)
    assert (HISTORIES.last_day > day_of(early)).sum() > 50
    _, news = followed(visits, Season.of(np.array([1.0] * 7 + [3.0] + [1.0] * 5)), first_day=day_of(early))
    assert news > 0


def followed(
    visits: Purchasing, season: Season = STEADY, tempo: Tempo = EVEN, first_day: int = day_of(END)
) -> tuple[int, int]:
    """Looks and news of 400 days, of which none comes too late."""
    parameters = Parameters(visits, SPENDS, 200.0, season=season, tempo=tempo)
    first = predict(parameters, HISTORIES, EPOCH + timedelta(days=first_day), 90)
    last, due = told(first), due_days(parameters, HISTORIES, told(first), first, first_day, 90)
    looks = news = 0
    for day in range(first_day + 1, first_day + 400):
        now = EPOCH + timedelta(days=day)
        made = predict(parameters, HISTORIES, now, 90)
        moved, seen = material(last, made, parameters.top_money), due <= day
        assert not (moved & ~seen).any(), f"too late for {np.flatnonzero(moved & ~seen)}"
        fresh = moved & seen
        last = merged(last, told(made), fresh)
        due = np.where(seen, due_days(parameters, HISTORIES, last, made, day, 90), due)
        looks, news = looks + int(seen.sum()), news + int(fresh.sum())
    return looks, news


def test_a_day_is_always_ahead_and_who_is_long_gone_is_left_in_peace() -> None:
    parameters = Parameters(MbgNbd(0.8, 50, 0.9, 2.5), SPENDS, top_money=200.0)
    said = predict(parameters, HISTORIES, END, 90)
    assert (due_days(parameters, HISTORIES, told(said), said, day_of(END), 90) > day_of(END)).all()
    much_later = END + timedelta(days=20_000)
    said = predict(parameters, HISTORIES, much_later, 90)
    assert (
        due_days(parameters, HISTORIES, told(said), said, day_of(much_later), 90) > day_of(much_later) + 300
    ).mean() > 0.9

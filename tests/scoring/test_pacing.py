"""Whether a base is given a tempo: where customers go at a pace of their own, and not where they do not; and its daily look."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import pytest

from services.scoring.domain.gamma_gamma import GammaGamma
from services.scoring.domain.mbg_nbd import MbgNbd, Visits
from services.scoring.domain.model import Parameters
from services.scoring.domain.pacing import Evening, Found, tempo_of
from services.scoring.domain.prediction import Histories
from services.scoring.domain.purchases import EPOCH, Purchases
from services.scoring.domain.purchasing import PLAIN, Fitted, fit_family
from services.scoring.domain.tempo import EVEN, Tempo
from services.scoring.handlers import Pacing
from services.scoring.handlers.pacing import MOST, Drawn, _with
from tests.scoring.bars.paces import bases
from tests.scoring.events import customer
from tests.scoring.memory import MemoryPaceLooks
from tests.scoring.orders import START, on
from tests.scoring.paced import paced_base
from tests.scoring.test_choosing import World

DAYS = 730


@cache
def moody() -> tuple[list[Purchases], int]:
    """Rates that differ by a factor of twenty from a customer's good times to their bad ones."""
    return paced_base(4_000, DAYS, 1, moods=3.0, first=0.0)


def parameters_of(base: list[Purchases], last: int) -> Parameters:
    histories = Histories.of(base)
    t_x = histories.last_day - histories.first_day
    fit = fit_family(Visits(histories.x, t_x, last - histories.first_day, np.ones(len(base))), PLAIN)
    assert isinstance(fit, Fitted)
    return Parameters(fit.model, GammaGamma(6.0, 3.8, 15.0), 100.0)


def found(base: list[Purchases], last: int, parameters: Parameters | None = None) -> Found:
    packed, came = [one.pack() for one in base], np.zeros(len(base), np.int64)
    first_day = min((one.first_day for one in base if one.days), default=last)
    return tempo_of(packed, came, parameters or parameters_of(base, last), first_day, last)


def test_customers_of_cdnow_are_found_to_go_at_a_pace_of_their_own() -> None:
    """All of them, until the calibration's end of the published tables: by 23 nats, 4.3 standard errors, as measured once."""
    _, packed = next(iter(bases()))
    last = (date(1997, 9, 30) - date(1970, 1, 1)).days
    base = [known for one in packed if (known := Purchases.unpack(one).until(last)).days]
    one = found(base, last)
    assert len(base) == 23_570
    assert one.gain is not None
    assert one.error is not None
    assert (one.gain * len(base), one.gain / one.error) == pytest.approx((22.6, 4.27), rel=0.01)
    assert (one.tempo.trend, one.tempo.money) == pytest.approx((-0.417, 0.272), abs=0.005)


def test_moods_are_found_where_there_are_some() -> None:
    one = found(*moody())
    assert one.tempo.trend < -0.5
    assert "told +" in one.why


def test_a_base_that_obeys_the_model_is_given_none() -> None:
    """Of twenty; one in a hundred or so would be by chance."""
    given = [found(*paced_base(500, DAYS, seed, 0.0, 0.0)) for seed in range(20)]
    assert [one.tempo for one in given] == [EVEN] * 20
    assert {one.why.split(":")[0] for one in given} == {"no better beyond doubt"}


def test_the_bases_total_is_left_as_it_was() -> None:
    base, last = moody()
    parameters, one = parameters_of(base, last), found(base, last)
    at = Evening.of(parameters, [each.pack() for each in base], np.zeros(len(base), np.int64), last, DAYS // 4)
    with_it = at.expected(at.histories.tempo(one.tempo, last)).sum()
    assert with_it == pytest.approx(at.expected().sum(), rel=1e-3)
    flat = at.expected(at.histories.tempo(replace(one.tempo, level=0.0), last)).sum()
    assert abs(flat / with_it - 1) > 0.01


def test_what_is_in_use_already_does_not_move_what_is_found() -> None:
    base, last = moody()
    parameters = parameters_of(base, last)
    once = found(base, last, parameters)
    assert found(base, last, replace(parameters, tempo=once.tempo)) == once


@pytest.mark.parametrize(
    ("base", "why"),
    [
        ([], "younger"),
        ([Purchases.of([on("2021-01-01")])], "too few"),
        ([Purchases.of([on("2021-01-01"), on("2022-05-01")])] * 300, "too few"),
        ([Purchases()] * 10, "younger"),
        ([Purchases.of([on("2022-12-20"), on("2022-12-24")])] * 300, "younger"),
        ([Purchases.of([on("1904-02-01"), on("2021-05-01"), on("2022-11-01")])] * 300, ""),
        ([Purchases.of([on(f"2021-{m:02}-01", "0") for m in range(1, 13)] + [on("2022-09-01")])] * 200, ""),
        ([Purchases.of([on(f"2022-{m:02}-01", "999999999") for m in range(1, 13)])] * 200, ""),
    ],
    ids=["nobody", "one", "hardly", "nothing-left", "young", "wrong-dates", "all-alike-and-free", "rich"],
)
def test_a_base_that_says_little_gets_a_clear_answer(base: list[Purchases], why: str) -> None:
    last = (START + timedelta(days=DAYS)).toordinal() - EPOCH.toordinal()
    one = found(base, last, Parameters(MbgNbd(1.5, 60.0, 0.8, 4.0), GammaGamma(6.0, 3.8, 15.0), 100.0))
    assert why in one.why
    assert np.isfinite([*vars(one.tempo).values()]).all()
    assert all(np.isfinite(figure) for figure in (one.gain, one.error) if figure is not None)


async def look_of(world: World) -> Pacing:
    await world.refitting.refit()
    return Pacing(world.customers, MemoryPaceLooks(), world.refitting, world.clock)


def tempo(world: World) -> Tempo:
    assert world.scores.model is not None
    return world.scores.model.parameters.tempo


async def test_the_look_puts_what_it_finds_into_a_version_and_refits_keep_it() -> None:
    base, last = moody()
    world = World(base)
    world.clock.at = EPOCH + timedelta(days=last + 1)
    pacing = Pacing(world.customers, MemoryPaceLooks(), world.refitting, world.clock)
    assert not await pacing.due()
    assert await pacing.look() is None
    await world.refitting.refit()
    assert await pacing.due()
    before = await world.scores.read(customer(0))
    look = await pacing.look()
    assert look is not None
    assert (look.version, look.held) == (2, ())
    assert tempo(world) == look.found.tempo
    assert tempo(world)
    after = await world.scores.read(customer(0))
    assert before
    assert after
    assert before.expected_purchases != after.expected_purchases
    assert not await pacing.due()
    assert (await world.refitting.refit()).outcome == "unchanged"
    assert tempo(world) == look.found.tempo
    world.clock.at += timedelta(days=1)
    assert await pacing.due()


async def test_a_tempo_that_no_longer_proves_itself_is_given_up() -> None:
    base, last = paced_base(500, DAYS, 1, 0.0, 0.0)
    world = World(base)
    world.clock.at = EPOCH + timedelta(days=last + 1)
    pacing = await look_of(world)
    await world.refitting.refit(tempo=Tempo(-0.4, 0.3, 40.0, 3.0))
    assert tempo(world)
    look = await pacing.look()
    assert look is not None
    assert (look.found.tempo, tempo(world)) == (EVEN, EVEN)


def test_the_sample_is_the_same_whatever_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST == 50_000
    monkeypatch.setattr("services.scoring.handlers.pacing.MOST", 30)
    from services.scoring.handlers import Packed

    ids = [customer(n) for n in range(100)]
    whole = Packed(ids, [b""] * 100, np.zeros(100, np.int64))
    one = _with([], whole)
    parts: list[Drawn] = []
    for begin in (0, 7, 50):
        end = {0: 7, 7: 50, 50: 100}[begin]
        parts = _with(parts, Packed(ids[begin:end], [b""] * (end - begin), np.zeros(end - begin, np.int64)))
    assert one == parts
    assert len(one) == 30

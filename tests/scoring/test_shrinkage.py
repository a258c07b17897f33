"""Channels on simulated bases: told apart when they differ, alike when they do not, and small ones shrunk."""

import math

import numpy as np
import pytest

from services.scoring.domain.channels import code_of
from services.scoring.domain.fitting import Doubt
from services.scoring.domain.histogram import Ints
from services.scoring.domain.mbg_cnbd import MbgCnbd
from services.scoring.domain.mbg_nbd import MbgNbd, Visits, fit_visits
from services.scoring.domain.model import ByChannel
from services.scoring.domain.nomination import held_back
from services.scoring.domain.purchases import PurchaseDay, Purchases
from services.scoring.domain.purchasing import PLAIN, Family, Purchasing, logs_of, shifted
from services.scoring.domain.shrinkage import SPREADS, Base, Found, Tried, around, tell_apart

DAYS, FIRST = 900, 18_628
TODAY = FIRST + DAYS
CUT = held_back(FIRST, TODAY)
SHOP = MbgNbd(0.8, 50.0, 0.9, 2.5)
TILL, WEB = MbgNbd(1.2, 90.0, 2.0, 2.0), MbgNbd(1.2, 20.0, 0.3, 6.0)
"""The latter buy four times as often, and leave a tenth as often."""
NAMES = {code_of(name): name for name in ("till", "web")}


def bought(model: MbgNbd, customers: int, seed: int) -> list[bytes]:
    """Customers who arrive evenly and buy and leave as the model says; packed."""
    random = np.random.default_rng(seed)
    rate, leaves = random.gamma(model.r, 1 / model.alpha, customers), random.beta(model.a, model.b, customers)
    packed = []
    for begin, often, left in zip(random.integers(0, DAYS, customers), rate, leaves, strict=True):
        days, at = {int(begin)}, float(begin)
        while random.random() > left and (at := at + random.exponential(1 / often)) < DAYS:
            days.add(int(at))
        packed.append(Purchases(tuple(PurchaseDay(FIRST + day, 1, 10**7, 0, 0) for day in sorted(days))).pack())
    return packed


def came(*sizes: int) -> Ints:
    return np.repeat(np.array(list(NAMES)[: len(sizes)], np.int64), sizes)


def compared(till: list[bytes], web: list[bytes], family: Family = PLAIN) -> Found:
    base = Base.of([*till, *web], came(len(till), len(web)), TODAY, CUT)
    return tell_apart(base, {code: NAMES[code] for code in base.largest(64)}, family, TODAY, CUT)


def tried(found: Found, spread: float) -> Tried:
    return next(one for one in found.tried if one.spread == spread)


def test_channels_that_differ_are_told_apart_and_foretell_better() -> None:
    found = compared(bought(TILL, 800, 1), bought(WEB, 800, 2))
    assert found.spread in SPREADS
    best = tried(found, found.spread)
    assert best.better
    assert best.gain > 0.01
    shifts = {one.name: one.shift for one in found.by_channel.channels}
    assert shifts.keys() == {"till", "web"}
    rate = {name: shift[0] - shift[1] for name, shift in shifts.items()}
    assert rate["web"] - rate["till"] == pytest.approx(math.log(90 / 20), abs=0.4)
    assert [one.doubt for one in found.channels] == [None, None]


@pytest.mark.parametrize("seed", range(20))
def test_channels_that_are_alike_are_not_told_apart(seed: int) -> None:
    """The rule errs once in a hundred times at most; of these seeds it does not."""
    found = compared(bought(SHOP, 300, 2 * seed), bought(SHOP, 300, 2 * seed + 1))
    assert len(found.tried) == len(SPREADS)
    assert found.spread == 0.0
    assert not found.by_channel.channels


def test_pages_of_customers_in_any_order_add_up_to_the_same() -> None:
    packed, codes = [*bought(SHOP, 200, 3), *bought(WEB, 200, 4)], came(200, 200)
    whole, parts = Base.of(packed, codes, TODAY, CUT), Base({}, TODAY)
    for some in (slice(300, 400), slice(0, 150), slice(150, 300)):
        parts = parts.plus(Base.of(packed[some], codes[some], TODAY, CUT))
    assert parts.first_day == whole.first_day
    for code in NAMES:
        for mine, theirs in zip(vars(parts.by_code[code]).values(), vars(whole.by_code[code]).values(), strict=True):
            assert mine.cells.pack() == theirs.cells.pack()


def visits(packed: list[bytes]) -> Visits:
    return Base.of(packed, came(len(packed)), TODAY, CUT).by_code[code_of("till")].now.visits(TODAY)


def test_a_small_channel_is_shrunk_and_a_large_one_says_for_itself() -> None:
    few, many = visits(bought(SHOP, 120, 5)), visits(bought(WEB, 4000, 6))
    shifts = [around(few, SHOP, spread) for spread in SPREADS]
    lengths = [float(np.linalg.norm(shift)) for shift in shifts if not isinstance(shift, Doubt)]
    assert len(lengths) == len(SPREADS)
    assert lengths == sorted(lengths)
    assert lengths[0] < 0.2 * lengths[-1]
    assert around(few, SHOP, 0.0) == (0.0,) * 4
    large = around(many, SHOP, 1.5)
    assert not isinstance(large, Doubt)
    assert shifted(SHOP, large).r / shifted(SHOP, large).alpha == pytest.approx(1.2 / 20, rel=0.1)


def test_without_a_prior_it_is_the_maximum_of_the_likelihood() -> None:
    few = visits(bought(WEB, 800, 7))
    alone, own = fit_visits(few), around(few, SHOP, math.inf)
    assert not isinstance(alone, Doubt)
    assert not isinstance(own, Doubt)
    assert (logs_of(SHOP) + own).tolist() == pytest.approx(logs_of(alone.parameters).tolist(), abs=1e-3)


def test_a_channel_of_too_few_or_of_whom_nothing_can_be_known_is_scored_as_the_base_with_a_doubt() -> None:
    assert around(visits(bought(WEB, 30, 8)), SHOP, 0.6) is Doubt.TOO_FEW
    day = PurchaseDay(FIRST, 1, 10**7, 0, 0)
    alike = Purchases(tuple(day._replace(day=FIRST + 7 * week) for week in range(DAYS // 7))).pack()
    assert isinstance(around(visits([alike] * 100), SHOP, math.inf), Doubt)
    shrunk = around(visits([alike] * 100), SHOP, 0.25)
    assert isinstance(shrunk, Doubt) or np.isfinite(shrunk).all()


def test_what_nobody_can_learn_from_is_a_doubt() -> None:
    nobody = tell_apart(Base({}, TODAY), {}, PLAIN, TODAY, CUT)
    assert (nobody.spread, nobody.tried, nobody.doubt) == (0.0, (), Doubt.TOO_FEW)
    young = [Purchases((PurchaseDay(TODAY - 1, 1, 10**7, 0, 0),)).pack()] * 200
    assert compared(young, young).doubt is Doubt.TOO_FEW
    alone = compared(bought(SHOP, 400, 9), [])
    assert not alone.by_channel.channels


@pytest.mark.parametrize(
    "model",
    [SHOP, MbgCnbd(3, 0.8, 50.0, 0.9, 2.5), MbgCnbd(2, 0.8, 50.0, 0.9, 2.5, 0.3), MbgCnbd(1, 0.8, 50.0, 0.0, 1.0)],
)
def test_every_family_can_be_shifted_and_back(model: Purchasing) -> None:
    shift = 0.1 * np.arange(1, len(logs_of(model)) + 1)
    moved = shifted(model, shift.tolist())
    assert Family.of(moved) == Family.of(model)
    assert (logs_of(moved) - logs_of(model)).tolist() == pytest.approx(shift.tolist())
    back = shifted(moved, (-shift).tolist())
    assert logs_of(back).tolist() == pytest.approx(logs_of(model).tolist())
    few = visits(bought(WEB, 120, 5))
    found = around(few, model, 0.25)
    assert not isinstance(found, Doubt)
    assert len(found) == len(shift)


@pytest.mark.parametrize("family", [Family(2), Family(1, leaving=False), Family(1, loyal=True)])
def test_channels_of_any_family_can_be_compared(family: Family) -> None:
    found = compared(bought(TILL, 800, 1), bought(WEB, 800, 2), family)
    if found.doubt is None:
        assert len(found.tried) == len(SPREADS)
        assert all(math.isfinite(one.gain) and math.isfinite(one.error) for one in found.tried)
        usable = [one.channel for one in found.channels if found.spread and one.doubt is None]
        assert list(found.by_channel.channels) == usable
    else:
        assert found.doubt is Doubt.NO_DROPOUT
        assert not found.by_channel.channels


def test_differences_are_close_channel_by_channel() -> None:
    found = compared(bought(TILL, 800, 1), bought(WEB, 800, 2)).by_channel
    assert found.channels
    moved = tuple(
        one.__class__(one.name, one.customers + 1, tuple(s + 0.004 for s in one.shift)) for one in found.channels
    )
    assert found.close_to(ByChannel(found.family, moved))
    assert not found.close_to(ByChannel(found.family, found.channels[:1]))
    assert not found.close_to(ByChannel(Family(3), found.channels))
    assert ByChannel(PLAIN, ()).close_to(ByChannel(Family(3), ()))

"""Customer lifetime value: what a customer has contributed, and what they still will, discounted to now.

Without a contract: past contribution + margin x E[spend] x discounted purchases to come (Gamma-Gamma times MBG/NBD;
the factors of Fader, Hardie, Lee 2005, JMR 42, 415-430). With one: past contribution + margin of a period x payments
to come. Money in the customer's currency, times in days, arrays of one shape (customers,).
"""

from dataclasses import dataclass

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.gamma_gamma import GammaGamma
from services.scoring.domain.purchasing import Purchasing
from services.scoring.domain.residual import discounted_purchases, residual_lifetime
from services.scoring.domain.sbg import Sbg
from services.scoring.domain.value_spread import ValueSpread

DAYS_OF_YEAR = 365.25


class NoDiscount(ValueError):
    """A yearly discount rate of zero or less: purchases for ever would be worth anything."""


@dataclass(frozen=True)
class History:
    """What is known of customers without a contract. `spend`: mean money of repeat purchase days, 0 without one."""

    x: Floats
    t_x: Floats
    age: Floats
    spend: Floats
    contribution: Floats
    """Revenue less direct and indirect costs so far."""


@dataclass(frozen=True)
class Terms:
    """`margin`: contribution per unit of revenue, one for all or one each. `yearly_discount`: 0.1 is 10 % a year."""

    margin: Floats | float
    yearly_discount: float
    interval: float = 0.8
    """Probability that the value comes out between `low` and `high`."""
    lifetime_days: float = 10 * DAYS_OF_YEAR
    """The horizon of the residual lifetime."""

    def __post_init__(self) -> None:
        if not self.yearly_discount > 0:
            raise NoDiscount(f"a yearly discount of {self.yearly_discount}")

    @property
    def daily_discount(self) -> float:
        """Continuous, per day."""
        return float(np.log1p(self.yearly_discount)) / DAYS_OF_YEAR


@dataclass(frozen=True)
class LifetimeValue:
    """`low` and `high` bound the value, not its expectation: they hold what chance will add to what is not known."""

    past: Floats
    future: Floats
    low: Floats
    high: Floats
    residual_days: Floats
    """Expected days until the customer leaves, of the next `lifetime_days`."""

    @property
    def value(self) -> Floats:
        return self.past + self.future


@dataclass(frozen=True)
class Valuation:
    """Fitted models under given terms; `spread` costs a second to make and serves until the parameters change."""

    visits: Purchasing
    spends: GammaGamma
    terms: Terms
    spread: ValueSpread

    @classmethod
    def of(cls, visits: Purchasing, spends: GammaGamma, terms: Terms, most: float, oldest: float) -> "Valuation":
        """`most` repeat purchases and `oldest` days of age of a customer: beyond them the interval is approximate."""
        return cls(visits, spends, terms, ValueSpread(visits, spends, terms.daily_discount, most, oldest))

    def value(self, known: History) -> LifetimeValue:
        terms, seen = self.terms, (known.x, known.t_x, known.age)
        dert = discounted_purchases(self.visits, *seen, terms.daily_discount)
        spend = self.spends.expected_spend(np.where(known.spend > 0, known.x, 0.0), known.spend)
        tail = (1.0 - terms.interval) / 2.0
        least, most = self.spread.quantiles(*seen, known.spend, (tail, 1.0 - tail))
        # A margin below zero turns the interval around: the more is bought, the more is lost.
        ends = terms.margin * least, terms.margin * most
        return LifetimeValue(
            past=known.contribution,
            future=terms.margin * spend * dert,
            low=known.contribution + np.minimum(*ends),
            high=known.contribution + np.maximum(*ends),
            residual_days=residual_lifetime(self.visits, *seen, terms.lifetime_days),
        )


def contract_value(
    model: Sbg, contribution: Floats, margin: Floats | float, renewal: Floats, discount: float
) -> Floats:
    """Lifetime value of customers just before their renewal no. `renewal`, at a margin of each period that is paid for.

    `discount`: per period, discrete. Past contribution comes on top (Fader, Hardie 2010, Marketing Science 29(1)).
    """
    if not discount > 0:
        raise NoDiscount(f"a discount of {discount} a period")
    value: Floats = contribution + margin * model.residual_payments(renewal, discount)
    return value

"""Orders to test with: hypothesis strategies, and a synthetic base that obeys the model exactly."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
from hypothesis import strategies as st

from services.scoring.domain.purchases import EPOCH, Order, PurchaseDay, Purchases

START = datetime(2021, 1, 1, tzinfo=UTC)
moments = st.integers(0, 180 * 86_400_000).map(lambda ms: START + timedelta(milliseconds=ms, microseconds=7))
totals = st.decimals(0, 5_000, places=2)
orders = st.tuples(moments, totals).map(lambda order: Order(*order))


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Order], list[Order]]:
    """Orders and what became of them, each story in the order in which it happened; and what is left of them."""
    told, left = [], []
    for order in draw(st.lists(orders, max_size=10)):
        returns = draw(st.lists(totals, max_size=2))
        told += [order, *(Order.returned(order.at, total) for total in returns)]
        rest = order.total - sum(returns, Decimal(0))
        if draw(st.booleans()):
            told.append(Order.cancelled(order.at, rest))
        else:
            left.append(Order(order.at, rest))
    return told, left


def on(day: str, total: str = "10.00", hour: int = 12) -> Order:
    return Order(datetime.fromisoformat(day).replace(tzinfo=UTC, hour=hour), Decimal(total))


def synthetic_base(customers: int, days: int, seed: int) -> tuple[list[Purchases], datetime]:
    """Customers who arrive evenly over so many days and buy, leave and spend as the models say."""
    random = np.random.default_rng(seed)
    first = (START - EPOCH).days
    end = first + days
    base = []
    for _ in range(customers):
        rate, dropout = random.gamma(0.8, 1 / 50.0), random.beta(0.9, 2.5)
        spend = 6.0 / random.gamma(3.8, 1 / 15.0)
        at = first + int(random.integers(0, days))
        bought = {at}
        moment = float(at)
        while random.random() > dropout and (moment := moment + random.exponential(1 / rate)) < end:
            bought.add(int(moment))
        base.append(Purchases(tuple(_day(day, spend * random.gamma(6.0) / 6.0) for day in sorted(bought))))
    return base, EPOCH + timedelta(days=end)


def _day(day: int, money: float) -> PurchaseDay:
    return PurchaseDay(day, 1, max(1, round(money * 100)) * 10_000, 0, 0)

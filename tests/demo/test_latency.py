"""Departures and arrivals matched."""

from datetime import UTC, datetime, timedelta

import pytest

from demo.copies import Arrival
from demo.emitters.event import rfc3339
from demo.emitters.player import Sending
from demo.latency import latency, percentile

START = datetime(2017, 10, 1, tzinfo=UTC)
WHOSE = {"anna": 1, "bert": 2}


def sending(orders: int, left_at: float, household: int = 1) -> Sending:
    return Sending(household, orders, START + timedelta(hours=orders), left_at)


def arrival(orders: int, arrived_at: float, customer: str = "anna") -> Arrival:
    return Arrival(customer, orders, rfc3339(START + timedelta(hours=orders)), arrived_at)


def test_a_sale_has_arrived_with_the_first_view_that_counts_it() -> None:
    found = latency([sending(3, 10.0)], [arrival(2, 10.01), arrival(3, 10.05), arrival(4, 10.09)], WHOSE)
    assert found is not None
    assert (found.p50, found.samples, found.unseen) == (50.0, 1, 0)


def test_several_sales_may_arrive_in_one_view() -> None:
    found = latency([sending(1, 10.0), sending(2, 10.1)], [arrival(2, 10.2)], WHOSE)
    assert found is not None
    assert (found.p50, found.longest) == (100.0, 200.0)


def test_as_many_orders_are_not_enough_if_the_newest_is_missing() -> None:
    late = Arrival("anna", 2, rfc3339(START), 10.1)
    found = latency([sending(2, 10.0)], [late, arrival(3, 10.3)], WHOSE)
    assert found is not None
    assert found.p50 == 300.0


def test_customers_are_kept_apart_and_the_unseen_are_counted() -> None:
    found = latency([sending(1, 10.0), sending(1, 10.0, household=2)], [arrival(1, 10.2, "bert")], WHOSE)
    assert found is not None
    assert (found.samples, found.unseen) == (1, 1)
    assert latency([sending(1, 10.0)], [], WHOSE) is None


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_percentiles_are_nearest_ranks(share: float, expected: float) -> None:
    assert percentile([float(n) for n in range(1, 101)], share) == expected

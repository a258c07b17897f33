"""Amounts become what the driver makes of them, to the bit, and come back as they were."""

from decimal import Decimal

import pytest
from bson.decimal128 import Decimal128
from hypothesis import given, strategies as st

from shared.decimals import to_decimal, to_decimal128

AMOUNTS = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=2),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=6),
    st.builds(lambda coefficient, places: Decimal(coefficient).scaleb(places), st.integers(-(2**70), 2**70), st.integers(-25, 5)),
)  # fmt: skip


@given(AMOUNTS)
def test_an_amount_is_kept_as_the_driver_keeps_it_and_read_as_the_driver_reads_it(amount: Decimal) -> None:
    assert to_decimal128(amount).bid == Decimal128(amount).bid
    assert to_decimal(Decimal128(amount)).as_tuple() == Decimal128(amount).to_decimal().as_tuple()


@pytest.mark.parametrize(
    "text",
    ["0", "-0", "0.00", "-0.00", "1E+3", "999999999999999999", "9999999999999999999", "0.000000000000000001",
     "18446744073709551615", "-12.50", "NaN", "Infinity", "-Infinity", "1234567890123456789012345678901234"],
)  # fmt: skip
def test_what_is_unusual_is_kept_and_read_as_well(text: str) -> None:
    amount = Decimal(text)
    assert to_decimal128(amount).bid == Decimal128(amount).bid
    assert to_decimal(Decimal128(amount)).as_tuple() == amount.as_tuple()

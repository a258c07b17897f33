"""How amounts are stored: as they were told, whatever was stored before."""

from decimal import Decimal

from services.interactions.store.lines import decimal, exact


def test_an_amount_stays_as_it_was_told_though_an_equal_one_came_before_it() -> None:
    for text in ("10", "10.00", "1E+1", "10.0", "0", "0.00", "-0"):
        assert str(decimal(exact(Decimal(text)))) == text

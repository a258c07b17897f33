"""Looking for the highest sustained rate, on a platform made up."""

import pytest

from tests.bench.endtoend import Search, border, rounded

SEARCH = Search(first=500, most=12_000, seconds=1, step=1.1, held=1, customers=1)


@pytest.mark.parametrize("capacity", [130, 500, 640, 1180, 2999, 7400, 11_990])
async def test_the_border_is_found_to_within_a_step(capacity: float) -> None:
    asked: list[float] = []

    async def fits(rate: float) -> bool:
        asked.append(rate)
        return rate <= capacity

    found = await border(SEARCH, fits)
    assert found <= capacity
    assert found * SEARCH.step + 50 >= capacity
    assert len(asked) == len(set(asked)) < 14


async def test_it_does_not_look_beyond_the_highest_rate() -> None:
    asked: list[float] = []

    async def fits(rate: float) -> bool:
        asked.append(rate)
        return True

    assert await border(SEARCH, fits) == 12_000
    assert max(asked) == 12_000


def test_rates_are_round_numbers() -> None:
    assert [rounded(rate) for rate in (1687.5, 120.0, 37.5)] == [1700.0, 100.0, 37.5]

"""Waiting for an effect."""

import pytest

from tests.waiting import eventually


async def test_it_returns_what_it_has_waited_for() -> None:
    seen = iter([None, [], ["effect"]])
    assert await eventually(lambda: next(seen)) == ["effect"]


async def test_it_waits_for_assertions_of_a_coroutine_to_hold() -> None:
    counts = iter([1, 2, 3])

    async def look() -> bool:
        assert next(counts) == 3
        return True

    assert await eventually(look)


async def test_it_says_what_was_seen_last() -> None:
    with pytest.raises(AssertionError, match=r"not within 0\.05 s: last seen was 0"):
        await eventually(lambda: 0, within=0.05)


async def test_an_error_ends_the_wait() -> None:
    with pytest.raises(ZeroDivisionError):
        await eventually(lambda: 1 // 0)

"""What a service holds, in pages: every item of every section once, whatever the size of a page."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from bson import Decimal128

from shared.held import Held, Piece, Section, plain
from shared.http import Problem, encode_cursor


def counted(name: str, most: int) -> Section:
    async def read(customers: Sequence[str], place: str | None, limit: int) -> Piece:
        start = int(place or 0)
        end = min(start + limit, most)
        return [{"n": n} for n in range(start, end)], str(end) if end < most else None

    return Section(name, f"about {name}", read)


async def all_of(held: Held, limit: int) -> list[tuple[str, int]]:
    found, cursor = [], None
    while True:
        page = await held.page(["ann"], cursor, limit)
        assert page.about == {section.name: section.about for section in held.sections}
        found += [(item.section, item.data["n"]) for item in page.items]
        cursor = page.next
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("sizes", [(), (0,), (3,), (0, 4, 0, 2, 0), (1, 1)])
async def test_every_item_comes_once(limit: int, sizes: tuple[int, ...]) -> None:
    held = Held("shop", [counted(f"s{number}", size) for number, size in enumerate(sizes)])
    assert await all_of(held, limit) == [(f"s{number}", n) for number, size in enumerate(sizes) for n in range(size)]


@pytest.mark.parametrize(
    "cursor",
    ["x", *(encode_cursor(one) for one in ({}, {"section": 9}, {"section": True}, {"section": 0, "place": 1}))],
)
async def test_a_cursor_of_another_list_is_refused(cursor: str) -> None:
    with pytest.raises(Problem) as refused:
        await Held("shop", [counted("one", 1)]).page(["ann"], cursor, 10)
    assert refused.value.status_code == 400


def test_what_json_does_not_know_becomes_text() -> None:
    value: Any = {
        1: Decimal("1.50"),
        "m": Decimal128("2.5"),
        "t": datetime(2026, 1, 2, tzinfo=UTC),
        "s": ("a", None),
        "b": b"xy",
    }
    assert plain(value) == {"1": "1.50", "m": "2.5", "t": "2026-01-02T00:00:00Z", "s": ["a", None], "b": "2 bytes"}

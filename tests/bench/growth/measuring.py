"""What an event costs over a base of so many customers, and whether it had its effect on each of them."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from tests.bench.growth import pages
from tests.bench.growth.people import ALWAYS, Event, Road, card, contact, interaction, sale, spent_by, token
from tests.bench.growth.platform import Platform, between
from tests.bench.growth.quiet import Watch

PAID = Decimal("12.50") + ALWAYS
KINDS = ("sale",) * 6 + ("interaction",) * 3 + ("contact",)
Measured = dict[str, Any]


class Wrong(Exception):
    """A customer is not as the events have left it, so what was measured was something else."""


@dataclass(frozen=True)
class Touch:
    """One event for one customer."""

    number: int
    kind: str

    def event(self, name: str) -> Event:
        now = datetime.now(UTC)
        if self.kind == "sale":
            return sale(self.number, name, now)
        if self.kind == "interaction":
            return interaction(self.number, name, now)
        return contact(self.number, name, now, language="de", attributes={"seen": name})


def touches(numbers: Sequence[int], chance: random.Random) -> list[Touch]:
    """One event each, of kinds mixed by chance."""
    return [Touch(number, chance.choice(KINDS)) for number in numbers]


async def measure(
    platform: Platform, road: Road, watch: Watch, wanted: Sequence[Touch], name: str, within: float
) -> Measured:
    """Send all at once and wait until all of it has had its effect; microseconds of CPU an event, by process.

    With them the pages that MongoDB had to fetch: what does not fit into its cache is what grows with the base.
    """
    events = [touch.event(name) for touch in wanted]
    fetched = await pages.read(platform)
    before, began = platform.spent(), time.monotonic()
    await road.send(events)
    ended = await watch.quiet(within)
    spent = between(before, platform.spent())
    cpu = {process: seconds / len(events) * 1e6 for process, seconds in spent.items()}
    return {
        "events": len(events),
        "seconds": ended - began,
        "cpu us": {"all": sum(cpu.values())} | cpu,
        "pages": (await pages.read(platform) - fetched) / len(events),
    }


async def views_of(platform: Platform, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The customers' views, by number."""
    wanted = {card(number): number for number in numbers}
    found = platform.database("sync")["views"].find(
        {"identifiers": {"$in": list(wanted)}}, {"identifiers": 1, "view": 1}
    )
    views: dict[int, dict[str, Any]] = {}
    async for document in found:
        number = next(wanted[one] for one in document["identifiers"] if one in wanted)
        views[number] = orjson.loads(document["view"])
    return views


def check(before: Mapping[int, dict[str, Any]], after: Mapping[int, dict[str, Any]], wanted: Sequence[Touch]) -> None:
    """Each customer has exactly its one event more. Raises Wrong."""
    for touch in wanted:
        old, new = before.get(touch.number), after.get(touch.number)
        if old is None or new is None:
            raise Wrong(f"customer {touch.number} has no view")
        if (due := expected(old, touch)) != (found := summary(new)):
            raise Wrong(f"customer {touch.number} after {touch.kind}: {found} instead of {due}")
        if old.get("customer_id", new["customer_id"]) != new["customer_id"]:
            raise Wrong(f"customer {touch.number} has become another one")
        if new["version"] <= old["version"]:
            raise Wrong(f"customer {touch.number} after {touch.kind}: still at version {new['version']}")


def summary(view: Mapping[str, Any]) -> tuple[Any, ...]:
    """What the events change, and who it is."""
    who, sales = view["contact"], view["sales"]
    scored = view["score"]["purchases"] if view.get("score") else 0
    return who["name"], who["language"], sales["orders"], sales["total"], view["interactions"], scored


def expected(old: Mapping[str, Any], touch: Touch) -> tuple[Any, ...]:
    name, language, orders, total, met, scored = summary(old)
    if touch.kind == "sale":
        return name, language, orders + 1, f"{Decimal(total) + PAID}", met, scored + 1
    if touch.kind == "interaction":
        return name, language, orders, total, met + 1, scored
    return name, "de", orders, total, met, scored


def untouched(number: int, like: int) -> dict[str, Any]:
    """The view of a customer who was made, or copied from number `like`, without asking for it: asking would cache it."""
    return {
        "version": 0,
        "contact": {"name": f"Customer {token(number)}", "language": None},
        "sales": {"orders": 2, "total": f"{spent_by(like)}"},
        "interactions": 1,
        "score": {"purchases": 2},
    }

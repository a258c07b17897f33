"""Holds the platform to it that customers who were filled in are customers like all others."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.growth.measuring import Wrong, views_of
from tests.bench.growth.people import Road, card, deeds, introductions
from tests.bench.growth.platform import Platform
from tests.bench.growth.quiet import Watch


async def sums(platform: Platform, customers: int) -> None:
    """The services' own summaries count them all. Raises Wrong."""
    summaries = {path: await platform.get(f"/v1/{path}/summary") for path in ("customers", "contacts", "orders")}
    counted = [summaries["customers"]["customers"], summaries["contacts"]["contacts"]]
    if counted != [customers, customers]:
        raise Wrong(f"{customers} customers should be there: {summaries}")
    views, history = summaries["customers"], summaries["orders"]
    if (views["orders"], views["total"]) != (history["orders"], history["total"]):
        raise Wrong(f"the views and the history disagree: {summaries}")


async def same_by_identifier(platform: Platform, numbers: Sequence[int]) -> None:
    """Contacts and sync mean the same customer by the same card. Raises Wrong."""
    for number in numbers:
        found = [
            (await platform.get(f"/v1/{path}", identifier=card(number)))["items"] for path in ("customers", "contacts")
        ]
        if [[one["customer_id"] for one in items] for items in found] != [[found[0][0]["customer_id"]]] * 2:
            raise Wrong(f"{card(number)}: {found}")


async def told_again(platform: Platform, road: Road, watch: Watch, numbers: Sequence[int]) -> None:
    """The very events that filled customers stem from are known, and change nothing. Raises Wrong."""
    before, counted = await views_of(platform, numbers), await duplicates(platform)
    await road.send([*introductions(numbers), *deeds(numbers)])
    await watch.quiet(within=60)
    if await views_of(platform, numbers) != before:
        raise Wrong("events that were told again have changed their customers")
    due = (counted[0] + len(numbers), counted[1] + 3 * len(numbers))
    if (now := await duplicates(platform)) != due:
        raise Wrong(f"of events told again {now} were known instead of {due}")


async def duplicates(platform: Platform) -> tuple[int, int]:
    contacts = await platform.get("/v1/contacts/summary")
    history = await platform.get("/v1/interactions/summary")
    return contacts["duplicates"], history["duplicates"]

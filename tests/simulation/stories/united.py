"""Whether everybody is one with those they were last said to be, has all that their parts have brought, and nobody is left of
the erased. Shares nothing with the code that it judges but the forms in which it keeps things.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import orjson

from tests.simulation.stories.judged import Wrong, difference
from tests.simulation.stories.judgement import once
from tests.simulation.stories.registry import Registry
from tests.simulation.world.mongo.queries import Document
from tests.simulation.world.world import World

Sums = tuple[int, Decimal]
NONE: Sums = (0, Decimal(0))


class United:
    """What two services keep, held against what contacts has decided."""

    def __init__(self, world: World, registry: Registry) -> None:
        self._world = world
        self._registry = registry

    def _documents(self, service: str, table: str) -> dict[Any, Document]:
        return self._world.engine.table(service, table).documents

    def wrong(self) -> list[Wrong]:
        return [*self._links(), *self._views(), *self._profiles(), *self._erased()]

    def _bought(self, *customers: str) -> Sums:
        """By the books: all orders that came under these ids."""
        orders = [order.total for order in self._registry.orders if order.customer_id in customers]
        return len(orders), sum(orders, Decimal(0))

    def _living(self) -> list[str]:
        return [one for one in self._registry.customers if one not in self._registry.erased]

    def _links(self) -> Iterable[Wrong]:
        expected = sorted(self._registry.into.items())
        for service in ("sync", "campaigns"):
            kept = {one: row["into"] for one, row in self._documents(service, "links").items() if row["into"]}
            yield from difference("links are as last decided", service, sorted(kept.items()), expected)

    def _views(self) -> Iterable[Wrong]:
        views = self._documents("sync", "views")
        for customer in self._living():
            root, found = self._registry.root(customer), views.get(customer)
            shown: Document = orjson.loads(found["view"]) if found else {}
            sales = shown.get("sales") or {"orders": 0, "total": "0"}
            sums = (sales["orders"], Decimal(sales["total"]))
            expected = self._bought(*self._registry.tree(root)) if root == customer else NONE
            yield from difference("views show who is one", customer, [sums], [expected])
            into = None if root == customer else root
            yield from difference("views show who is one", customer, [shown.get("merged_into")], [into])
        rows = self._documents("sync", "positions").values()
        total = sum((row["total"].to_decimal() for row in rows), Decimal(0))
        found_sums = [sum(row["orders"] for row in rows), total]
        yield from difference("sums are of who lives", "sync", found_sums, list(self._bought(*self._living())))
        persons = [one for one in self._living() if one not in self._registry.into and one in views]
        counted = sum(row["customers"] for row in rows)
        yield from difference("sums are of who lives", "sync", [counted], [len(persons)])

    def _profiles(self) -> Iterable[Wrong]:
        profiles = self._documents("campaigns", "profiles")
        for customer in self._living():
            root, found = self._registry.root(customer), profiles.get(customer, {})
            own = found.get("own", found)
            yield from difference("parts keep their own", customer, [sums_of(own)], [self._bought(customer)])
            into = None if root == customer else root
            yield from difference("profiles know who is one", customer, [found.get("merged_into")], [into])
            if root == customer:
                whole = self._bought(*self._registry.tree(root))
                yield from difference("profiles know who is one", customer, [sums_of(found)], [whole])
        rows = Counter(row["customer_id"] for row in self._documents("campaigns", "orders").values())
        orders = Counter(order.customer_id for order in self._registry.orders)
        expected = {one: orders[one] for one in self._living() if orders[one]}
        yield from difference(
            "orders stay with their part", "campaigns", sorted(rows.items()), sorted(expected.items())
        )

    def _erased(self) -> Iterable[Wrong]:
        erased = self._registry.erased
        receipts: Counter[tuple[str, str]] = Counter()
        for log in self._world.cluster.topic("crm.erasures"):
            for record in once(log):
                told = orjson.loads(record.value or b"{}")
                receipts[told["erasure_id"], told["place"]] += 1
        expected = sorted(
            (erasure, place) for erasure in set(erased.values()) for place in ("campaigns", "log", "sync")
        )
        yield from difference("a receipt from each place", "the topic", sorted(receipts), expected)
        for service, tables in (("sync", ("parts",)), ("campaigns", ("profiles",))):
            yield from difference(
                "tombstones of the erased", service, sorted(self._documents(service, "erased")), sorted(erased)
            )
            left = [one for table in tables for one in self._documents(service, table) if one in erased]
            yield from difference("nothing is left of the erased", service, left, [])
        for customer, erasure in erased.items():
            view = self._documents("sync", "views").get(customer)
            if view is not None:
                shown = orjson.loads(view["view"])
                found = [view.get("erased"), shown["sales"]["orders"], shown.get("merged_into")]
                yield from difference("nothing is left of the erased", customer, found, [erasure, 0, None])
                yield from difference("a tombstone in the log", customer, [self._last_told(customer)], [None])

    def _last_told(self, customer: str) -> bytes | None:
        """What compaction leaves in the end."""
        key = customer.encode()
        told = [one for log in self._world.cluster.topic("crm.customers") for one in log if one.key == key]
        return told[-1].value if told else b"nothing was told"


def sums_of(figures: Document) -> Sums:
    sales = figures.get("sales")
    return (sales["orders"], sales["total"].to_decimal()) if sales else NONE

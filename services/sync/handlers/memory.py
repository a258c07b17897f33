"""The views folded last, as this instance has left them, so that they need not be read again. Which to trust is here.

A partition's entries hold while nobody else has written there, which the mark at the partition's tail tells: each
attempt to write leaves a mark of its own, also one that came to nothing.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from services.sync.domain.view import Held

MOST = 10_000
"""Customers of one partition: some 30 MB."""


@dataclass(slots=True)
class Leaf:
    mark: str | None
    views: dict[str, Held] = field(default_factory=dict)
    """The one used last comes last."""


class Memory:
    """What this instance believes to be in the database."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._leaves: dict[int, Leaf] = {}

    def recall(self, partition: int, mark: str | None, customer_id: str) -> Held | None:
        """The customer's view, if the partition's tail bears our own mark."""
        leaf = self._leaves.get(partition)
        return leaf.views.get(customer_id) if leaf is not None and leaf.mark == mark else None

    def keep(self, partition: int, before: str | None, mark: str | None, views: Iterable[Held]) -> None:
        """What has just been written, over the partition as it was under the mark `before`."""
        leaf = self._leaves.get(partition)
        if leaf is None or leaf.mark != before:
            leaf = self._leaves[partition] = Leaf(before)
        leaf.mark = mark
        for held in views:
            leaf.views.pop(held.customer_id, None)
            leaf.views[held.customer_id] = held
        while len(leaf.views) > self.most:
            del leaf.views[next(iter(leaf.views))]

    def drop(self, customers: Collection[str]) -> None:
        """Who is erased must not stay here for as long as nothing happens in their partition."""
        for leaf in self._leaves.values():
            for customer in customers:
                leaf.views.pop(customer, None)

    def forget(self) -> None:
        self._leaves.clear()

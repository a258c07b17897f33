"""What channels have been sent, held against what they should have.

Shares nothing with the code that it judges but the forms in which it keeps things.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from shared.contracts.interactions import OrderPlaced
from tests.simulation.stories.judged import Wrong, difference
from tests.simulation.stories.judgement import once
from tests.simulation.stories.operator import SERVICE, Asked
from tests.simulation.world.mongo.queries import Document
from tests.simulation.world.receivers import Receivers
from tests.simulation.world.world import World


class Delivered:
    """The deliveries of a world."""

    def __init__(self, world: World, receivers: Receivers) -> None:
        self._world = world
        self._receivers = receivers
        self._wrong: list[Wrong] = []
        self._departed: dict[tuple[str, str], list[tuple[datetime, int]]] = {}
        """By channel and customer: when, and the last number of the id."""

    def _documents(self, table: str) -> dict[Any, Document]:
        return self._world.engine.table(SERVICE, table).documents

    def departs(self, sender: str, message_id: str) -> None:
        """Whoever sends must hold the channel's lease at that moment, by the database's clock."""
        self._world.note("sends", message_id)
        channel, customer, _, _, number = message_id.split(".")
        self._departed.setdefault((channel, customer), []).append((self._world.now, int(number)))
        lease = self._documents("progress").get(channel, {})
        if lease.get("owner") != sender or lease["until"] <= self._world.now:
            held = f"{lease.get('owner')} until {lease.get('until')}"
            self._wrong.append(
                Wrong("one deliverer a channel", f"{sender} sends {message_id}, held by {held}", message_id)
            )

    def owed(self, channels: Sequence[str]) -> Iterable[str]:
        """What a channel still has to get, as far as sync itself knows."""
        deliveries, views = self._documents("deliveries"), self._documents("views")
        for channel in channels:
            generation = self._documents("progress").get(channel, {}).get("generation", 0)
            if not generation:
                yield f"{channel} is not registered"
            for customer, view in views.items():
                receipt = deliveries.get(f"{channel}:{customer}", {})
                held = receipt.get("version", 0) if receipt.get("generation") == generation else 0
                if held < view["version"] or receipt.get("retry"):
                    yield f"{channel} has version {held} of {customer}, owed {view['version']} {receipt.get('retry')}"

    # Judging

    def wrong(
        self,
        orders: Sequence[tuple[str, OrderPlaced]],
        channels: Sequence[str],
        asked: Sequence[Asked],
        *,
        history_lost: bool,
    ) -> list[Wrong]:
        wrong = [*self.on_the_way(), *self._views(orders), *self._told(history_lost=history_lost)]
        wrong += [*self._final(channels), *self._asked_for(asked)]
        foreign = sorted(order.order_id for _, order in orders if order.currency != "USD")
        letters = sorted(
            orjson.loads(record.value or b"{}")["order_id"]
            for log in self._world.cluster.topic("crm.dead-letters")
            for record in once(log)
        )
        if history_lost:
            letters = sorted(set(letters))
        return wrong + difference("dead letters are the poison", "the topic", letters, foreign)

    def on_the_way(self) -> list[Wrong]:
        """What was wrong with sendings, whatever they were to bring."""
        return [*self._wrong, *self._never_back()]

    def _never_back(self) -> Iterable[Wrong]:
        newest: dict[tuple[str, str], int] = {}
        for parcel in self._receivers.taken:
            place = (parcel.channel, parcel.customer)
            if parcel.version < newest.get(place, 0):
                detail = f"{parcel.message_id} arrived after version {newest[place]}"
                yield Wrong("never back in version", detail, parcel.message_id)
            newest[place] = max(parcel.version, newest.get(place, 0))

    def _final(self, channels: Sequence[str]) -> Iterable[Wrong]:
        """The newest version has arrived, under the id that tells it from all that was asked for before."""
        taken = {parcel.message_id for parcel in self._receivers.taken}
        for channel in channels:
            generation = self._documents("progress")[channel]["generation"]
            for customer, view in self._documents("views").items():
                replays = self._documents("deliveries").get(f"{channel}:{customer}", {}).get("replays", 0)
                # A replay that came before the last version may have gone out under an id of its own.
                wanted = {
                    f"{channel}.{customer}.{view['version']}.1.{generation + asked}" for asked in range(replays + 1)
                }
                if not wanted & taken:
                    yield Wrong("the newest version arrives", f"{channel} has none of {sorted(wanted)}", min(wanted))

    def _asked_for(self, asked: Sequence[Asked]) -> Iterable[Wrong]:
        for one in asked:
            own = (p for p in self._receivers.taken if (p.channel, p.customer) == (one.channel, one.customer))
            numbers = [int(parcel.message_id.rsplit(".", 1)[1]) for parcel in own]
            if max(numbers, default=0) < one.number and not self._crossed(one):
                what = f"{one.channel} was to get {one.customer} again as number {one.number}, and got {numbers}"
                yield Wrong("what is asked for again comes again", what, one.customer)

    def _crossed(self, one: Asked) -> bool:
        """Known limit: a request that comes while the customer's last delivery is under way is taken as answered by it."""
        departed = self._departed.get((one.channel, one.customer), [])
        settled = one.settled or datetime.min.replace(tzinfo=UTC)
        return any(when >= settled and number < one.number for when, number in departed)

    def _views(self, orders: Sequence[tuple[str, OrderPlaced]]) -> Iterable[Wrong]:
        own = [(customer, order) for customer, order in orders if order.currency == "USD"]
        expected = sums(own)
        found = {}
        for customer, document in self._documents("views").items():
            sales = orjson.loads(document["view"])["sales"]
            found[customer] = (sales["orders"], Decimal(sales["total"]))
        yield from difference("one effect each in the views", "sync", sorted(found.items()), sorted(expected.items()))
        counters = self._documents("positions").values()
        total = (sum(c["orders"] for c in counters), sum((c["total"].to_decimal() for c in counters), Decimal(0)))
        all_of_them = (len(own), sum((order.total for _, order in own), Decimal(0)))
        yield from difference("one effect each in the sums", "sync", [total], [all_of_them])

    def _told(self, *, history_lost: bool) -> Iterable[Wrong]:
        """Each version of each customer once, in order."""
        found: dict[str, list[int]] = {}
        for log in self._world.cluster.topic("crm.customers"):
            for record in once(log):
                version = orjson.loads(record.value or b"{}")["view"]["version"]
                found.setdefault((record.key or b"").decode(), []).append(version)
        for customer, view in sorted(self._documents("views").items()):
            versions = found.get(customer, [])
            versions = list(dict.fromkeys(versions)) if history_lost else versions
            yield from difference("told once, in order", customer, versions, range(1, view["version"] + 1))


def sums(orders: Iterable[tuple[str, OrderPlaced]]) -> dict[str, tuple[int, Decimal]]:
    """Number and money of the orders, by customer."""
    found: dict[str, tuple[int, Decimal]] = {}
    for customer, order in orders:
        count, total = found.get(customer, (0, Decimal(0)))
        found[customer] = (count + 1, total + order.total)
    return found

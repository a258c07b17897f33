"""A batch is folded once, whatever it repeats and however it was cut."""

from decimal import Decimal
from typing import Any, cast

from hypothesis import given, strategies as st

from shared.clock import WallClock
from shared.contracts.fact import Fact
from shared.messaging import Received, Unit
from tests.campaigns.facts import cancelled, contact, customer, day, histories, interaction, order, received, returned
from tests.campaigns.memory import MemoryProfiles, following
from tests.links import MemoryLinks

UNIT = Unit("campaigns", cast("Any", None), cast("Any", None))


class Witness(WallClock):
    """Remembers what it has seen."""

    def __init__(self) -> None:
        self.seen: list[Fact] = []

    async def witness(self, unit: Unit, events: Any) -> None:
        self.seen += [event.fact for event in events]


async def folded(*batches: list[Fact]) -> MemoryProfiles:
    profiles = MemoryProfiles()
    for batch in batches:
        await following(profiles, MemoryLinks(), WallClock()).fold(UNIT, events(batch))
    return profiles


def events(facts: list[Fact]) -> list[Received]:
    return [received(fact, offset) for offset, fact in enumerate(facts)]


async def test_facts_of_many_customers_fold_into_a_profile_each() -> None:
    kept = await folded([order(1, customer(1), day(1)), contact(customer(2), 1), interaction(1, customer(1), day(2))])
    assert kept.profiles.keys() == {customer(1), customer(2)}
    assert (kept.profiles[customer(1)].sales.orders, kept.profiles[customer(1)].interactions.count) == (1, 1)
    assert kept.kept_orders.keys() == {"order-1"}


async def test_an_order_told_again_changes_nothing() -> None:
    told = order(1, customer(1), day(1))
    kept = await folded([told, told], [told])
    assert kept.profiles[customer(1)].sales.orders == 1


async def test_a_return_and_a_cancellation_told_again_change_nothing() -> None:
    first, second = order(1, customer(1), day(1)), order(2, customer(1), day(2))
    story: list[Fact] = [first, second, returned(1, first), returned(2, first), cancelled(second)]
    kept = await folded(story, story, [*story[2:], *story[2:]])
    sales = kept.profiles[customer(1)].sales
    assert (sales.orders, sales.total, sales.returned, sales.cancelled) == (1, Decimal(2), Decimal(8), 1)
    assert await kept.bought([customer(1)], day(0), day(9)) == {customer(1): (1, Decimal(2))}


@given(histories(customer(1)), st.data())
async def test_what_is_left_of_orders_does_not_depend_on_what_is_told_first(
    told: list[Fact], data: st.DataObject
) -> None:
    """As when partitions are added, and a customer's facts are on their way in two of them."""
    in_order, shuffled = await folded(told), await folded(*([fact] for fact in data.draw(st.permutations(told))))
    assert (shuffled.kept_orders, shuffled.returns) == (in_order.kept_orders, in_order.returns)
    assert all(order.total == 0 for order in in_order.kept_orders.values() if order.cancelled)


@given(st.tuples(histories(customer(1)), histories(customer(2), 50)), st.data())
async def test_it_does_not_matter_how_the_facts_are_cut_into_batches(
    told: tuple[list[Fact], list[Fact]], data: st.DataObject
) -> None:
    facts = data.draw(st.permutations([*told[0], *told[1]]))
    cut = data.draw(st.integers(0, len(facts)))
    whole, halves = await folded(facts), await folded(facts[:cut], facts[cut:])
    assert whole.profiles == halves.profiles
    assert whole.kept_orders == halves.kept_orders


async def test_only_what_customers_did_moves_the_clock() -> None:
    clock = Witness()
    did, told = order(1, customer(1), day(1)), contact(customer(1), 1)
    await following(MemoryProfiles(), MemoryLinks(), clock).fold(UNIT, events([told, did]))
    assert clock.seen == [did]

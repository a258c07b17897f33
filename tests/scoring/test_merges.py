"""Customers who turn out to be one, and apart after all, among orders, returns and cancellations that come in any order.

A merged customer keeps the parts that it is made of, and its state is their sum: that is why a merge can be undone, also
after new facts. The base's counts must follow every step.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from functools import reduce

from hypothesis import given, settings, strategies as st

from services.scoring.domain.behaviour import Behaviour, Doing
from services.scoring.domain.population import Population, changes
from services.scoring.domain.profit.book import Book, Movement
from services.scoring.domain.profit.kinds import Kind
from services.scoring.domain.purchases import Order, Purchases
from tests.scoring.orders import START, stories

PEOPLE = range(4)
Fact = tuple[int, Order]
Step = tuple[int, int]
"""Who is found to be the same as whom; the same number twice: who is found to be somebody else after all."""


@dataclass
class Register:
    """Who is who, what each part has done, and the counts of the base, kept up to date step by step."""

    leader: dict[int, int] = field(default_factory=lambda: {one: one for one in PEOPLE})
    parts: dict[int, Purchases] = field(default_factory=lambda: dict.fromkeys(PEOPLE, Purchases()))
    population: Population = field(default_factory=Population)

    def members(self, customer: int) -> list[int]:
        return [one for one in PEOPLE if self.leader[one] == customer]

    def state(self, customer: int) -> Purchases:
        return reduce(Purchases.plus, [self.parts[one] for one in self.members(customer)], Purchases())

    def take(self, fact: Fact) -> None:
        who, order = fact
        customer, before = self.leader[who], self.state(self.leader[who])
        self.parts[who] = self.parts[who].plus(Purchases.of([order]))
        self._count([(before, self.state(customer))])

    def step(self, step: Step) -> None:
        one, other = step
        before = [self.state(customer) for customer in PEOPLE]
        if one == other:
            self._part(one)
        else:
            survivor = self.leader[other]
            for member in self.members(self.leader[one]):
                self.leader[member] = survivor
        self._count([(was, self.state(customer)) for customer, was in zip(PEOPLE, before, strict=True)])

    def _part(self, one: int) -> None:
        """Whoever leads hands the others over to the next of them."""
        others = [member for member in self.members(self.leader[one]) if member != one]
        if self.leader[one] == one:
            for member in others:
                self.leader[member] = others[0]
        self.leader[one] = one

    def _count(self, pairs: list[tuple[Purchases, Purchases]]) -> None:
        self.population = self.population.plus([changes([(b, a) for b, a in pairs if b != a])])


facts = stories().map(lambda story: story[0])
steps = st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE))


@settings(deadline=None, max_examples=200)
@given(stories=st.lists(st.tuples(st.sampled_from(PEOPLE), facts), max_size=8), data=st.data())
def test_after_any_merges_and_unmerges_every_state_is_that_of_one_batch(
    stories: list[tuple[int, list[Order]]], data: st.DataObject
) -> None:
    told: list[Fact | Step] = [(who, order) for who, orders in stories for order in orders]
    happening = data.draw(st.permutations([*told, *data.draw(st.lists(steps, max_size=8))]))
    register = Register()
    for one in happening:
        if isinstance(one[1], Order):
            register.take((one[0], one[1]))
        else:
            register.step((one[0], one[1]))

    batches: dict[int, list[Order]] = defaultdict(list)
    for who, orders in stories:
        batches[register.leader[who]] += orders
    wanted = {customer: Purchases.of(orders) for customer, orders in batches.items()}
    assert {customer: register.state(customer) for customer in wanted} == wanted
    counted = Population().plus([changes((Purchases(), purchases) for purchases in wanted.values())])
    assert register.population.pack() == counted.pack()


deeds = st.tuples(st.integers(0, 900), st.sampled_from([one for one in Doing if one is not Doing.PURCHASE]))


@given(st.lists(deeds, max_size=30), st.lists(deeds, max_size=30), st.data())
def test_behaviour_and_books_of_two_are_those_of_one_and_apart_again_what_they_were(
    one: list[tuple[int, Doing]], other: list[tuple[int, Doing]], data: st.DataObject
) -> None:
    both = data.draw(st.permutations([*one, *other]))

    def behaviour(done: list[tuple[int, Doing]]) -> Behaviour:
        return Behaviour.of((START + timedelta(days=day), doing) for day, doing in done)

    def book(done: list[tuple[int, Doing]]) -> Book:
        return Book.of(
            Movement("one", day // 30, Kind.CALLS, doing.name, told=False, micros=1_000_000) for day, doing in done
        )

    assert behaviour(one).plus(behaviour(other)) == behaviour(both)
    merged = book(one).plus(book(other))
    assert merged == book(both)
    assert merged.minus(book(other)) == book(one)

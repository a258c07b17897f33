"""What is kept of each customer: purchases, the score as it was told, where they stood. The store's side is in `store/`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from services.scoring.domain.channels import FirstOrder, code
from services.scoring.domain.histogram import Ints
from services.scoring.domain.merging import Bond, Part
from services.scoring.domain.population import Ranked
from services.scoring.domain.prediction import Histories, Told
from services.scoring.domain.purchases import Purchases
from services.scoring.domain.score import Customer, Terms, scores_of
from services.scoring.domain.segments import Segment
from shared.contracts.scoring import SCORES, Score, ScoreChanged
from shared.messaging import Received, Unit
from shared.mongo import Session


class Scored(NamedTuple):
    customer_id: str
    purchases: Purchases
    score: Score
    ranks: bytes
    """Where the customer stands, packed."""
    due: int
    """The day (since 1970) on which the score is worth another look though nothing happens."""
    json: bytes
    """The score as it is kept and told: made once, because it is dear to make."""
    first: FirstOrder | None = None
    """None of customers who were known before first orders were kept."""

    @classmethod
    def of(cls, score: Score, purchases: Purchases, ranks: bytes, due: int, first: FirstOrder | None) -> "Scored":
        json = score.__pydantic_serializer__.to_json(score)
        return cls(score.customer_id, purchases, score, ranks, due, json, first)

    def tell(self, unit: Unit, cause: Received | None = None, time: datetime | None = None) -> None:
        data = b'{"score":%s}' % self.json
        unit.tell(SCORES, ScoreChanged.TYPE, data, key=self.customer_id, cause=cause, time=time)


class Known(NamedTuple):
    """A customer's purchases, the moment that the score last told is of, where it said that they stand, the first order."""

    purchases: Purchases
    as_of: datetime
    ranks: bytes | None = None
    first: FirstOrder | None = None
    bond: Bond | None = None
    """None of customers who are alone, nearly all."""

    @property
    def merged_into(self) -> str | None:
        return self.bond.merged_into if self.bond else None

    @property
    def members(self) -> tuple[str, ...]:
        return self.bond.members if self.bond else ()

    @property
    def hidden(self) -> bool:
        """They, or somebody who is one with them, are restricted, and nobody was told what is scored of them."""
        return self.bond is not None and self.bond.hidden

    @property
    def part(self) -> Part:
        """What came under the customer's own id."""
        return self.bond.own if self.bond else Part(self.purchases, self.first)


class Regrouped(NamedTuple):
    """A customer's new bond, None of one who is alone again; and the moment from which on nothing is scored of them."""

    customer_id: str
    bond: Bond | None
    withdrawn_at: datetime | None


class Sheet(NamedTuple):
    """What a sweep needs of some customers."""

    customers: Sequence[str]
    histories: Histories
    told: Told
    due: Ints
    """The days on which they are due."""


class Packed(NamedTuple):
    """What a look through the past needs of some customers."""

    customers: Sequence[str]
    days: Sequence[bytes]
    """`Purchases.pack`."""
    came: Ints
    """Codes of the channels that they came by."""


class Summary(NamedTuple):
    """All customers' figures by the segment that was told of them."""

    segment: Segment | None
    customers: int
    purchases: int
    money: Decimal
    value: Decimal


class Readable(Protocol):
    async def load(self, customers: Collection[str]) -> dict[str, Known]: ...


class Customers(Protocol):
    """What is known of each customer: purchases, and the score last told."""

    async def load(self, customers: Collection[str], session: Session | None = None) -> dict[str, Known]: ...

    async def save(self, scored: Sequence[Scored], session: Session) -> None: ...

    async def regroup(self, some: Sequence[Regrouped], session: Session) -> None:
        """After `save`. Always a write of each, so that two who write for the same customers meet."""
        ...

    async def sheet(self, after: str | None, limit: int) -> Sheet:
        """The next customers in the order of their ids."""
        ...

    async def due(self, day: int, limit: int) -> Sheet:
        """Customers who are due on that day or were before."""
        ...

    async def postpone(self, days: Sequence[tuple[str, int, int]]) -> None:
        """(customer, day, new day): only of those who are still due on the day."""
        ...


def scored_of(
    purchases: Mapping[str, Purchases],
    known: Mapping[str, Known],
    terms: Terms,
    first: Mapping[str, FirstOrder | None] | None = None,
) -> list[Scored]:
    """The customers' scores at those terms; clear changes of place only, of those who are known.

    `first`: their first orders; absent, those that are known.
    """
    first = {customer: one.first for customer, one in known.items()} if first is None else first
    told = Ranked.unpack(known[customer].ranks if customer in known else None for customer in purchases)
    everybody = [Customer(customer, bought, code(first.get(customer))) for customer, bought in purchases.items()]
    made = scores_of(everybody, terms, told)
    return [
        Scored.of(score, purchases[score.customer_id], ranks, due, first.get(score.customer_id))
        for score, ranks, due in zip(made.scores, made.ranked.pack(), made.due.tolist(), strict=True)
    ]


class Answer(NamedTuple):
    """Who answers for a customer who was asked for, the survivor of several who are one, and what is known of them."""

    customer_id: str
    known: Known


async def answers(customers: Readable, asked: Collection[str]) -> dict[str, Answer]:
    """By those who were asked for and are known. One read more only where somebody was merged into another."""
    known = await customers.load(asked)
    roots = {one.merged_into for one in known.values() if one.merged_into}
    survivors = await customers.load(roots) if roots else {}
    return {
        one: Answer(root, survivors.get(root, found)) if (root := found.merged_into) else Answer(one, found)
        for one, found in known.items()
    }


async def answer(customers: Readable, customer_id: str) -> Answer | None:
    return (await answers(customers, [customer_id])).get(customer_id)

"""An instance of scoring without its consumers, on the real database: each batch in a transaction of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.scoring.handlers import Merging, Scores
from services.scoring.handlers.restricting import Restricting
from services.scoring.store import JoinedDeeds, MongoCustomers, MongoDeeds, MongoPopulation, MongoRestrictions
from shared import mongo
from shared.contracts.contacts import ContactRestricted
from shared.contracts.merges import LINK_FACTS
from shared.links import LinkStore
from shared.messaging import Received, Unit
from shared.mongo import Client, Database, Session
from tests.scoring.events import customer
from tests.scoring.memory import SetClock
from tests.scoring.orders import START
from tests.scoring.test_score import MODEL

ANNA, BERT, CLEO, DORA = customer(0), customer(1), customer(2), customer(3)
NOTHING: Any = None


async def batches(unit: Unit, events: Sequence[Received], merging: Merging, restricting: Restricting) -> None:
    """A batch of the sales among them, then one of the restrictions, then one of the links."""
    links = [event for event in events if isinstance(event.fact, LINK_FACTS)]
    restrictions = [event for event in events if isinstance(event.fact, ContactRestricted)]
    sales = [event for event in events if event not in [*links, *restrictions]]
    if sales and (left := await merging.scores.fold(unit, sales)):
        await merging.fold(unit, left)
    if restrictions:
        await restricting.hear(unit, restrictions)
    if links:
        await merging.follow(unit, links)


@dataclass
class Instance:
    """One of several over the same database."""

    client: Client
    database: Database

    def __post_init__(self) -> None:
        self.customers, self.population = MongoCustomers(self.database), MongoPopulation(self.database)
        self.deeds, self.links = MongoDeeds(self.database), LinkStore(self.database)
        clock = SetClock(START + timedelta(days=200))
        self.scores = Scores(self.customers, self.population, clock, 90, "USD", MODEL)
        self.restrictions = MongoRestrictions(self.database)
        self.merging = Merging(self.scores, self.links, self.restrictions.among)
        self.joined = JoinedDeeds(self.deeds, self.links, self.restrictions)
        self.restricting = Restricting(self.restrictions, self.links, self.merging, NOTHING)

    async def prepare(self) -> None:
        for store in (self.customers, self.population, self.deeds, self.links, self.restrictions):
            await store.prepare()

    async def hear(self, *events: Received) -> list[str]:
        """In one transaction. Whose scores were told or withdrawn."""

        async def fold(session: Session) -> list[str]:
            unit = Unit("scoring", self.database, session)
            await batches(unit, events, self.merging, self.restricting)
            return [str(one.key.decode()) for one in unit.outgoing if one.key]

        return await mongo.transaction(self.client, fold)

    async def scored(self) -> dict[str, int]:
        return {score.customer_id: score.purchases for score in await self.customers.page(None, "customer", None, 99)}

    async def base(self) -> int:
        async def gather(session: Session) -> int:
            return (await self.population.gather(session))[0].customers

        return await mongo.transaction(self.client, gather)

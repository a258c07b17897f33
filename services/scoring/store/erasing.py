"""What scoring keeps of a customer, and how it is removed.

A new collection that says something about customers gets a line in `steps`; any other is named in `HOLDS_NONE`.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from services.scoring.domain.population import changes
from services.scoring.domain.purchases import Purchases
from services.scoring.store.customers import MongoCustomers
from services.scoring.store.population import MongoPopulation
from shared.audit import COLLECTION as AUDIT, WHO_ASKED
from shared.erasing import Delete, Step, Work, one_of
from shared.links import naming
from shared.messaging import Unit

HOLDS_NONE = {
    "moves": "counts that are still to be added to the base's",
    "population": "the base as counts",
    "notes": "what was looked at when, what things cost, which actions there are, leases",
    "names": "numbers of products, categories and channels",
    "models": "parameters of the base",
    "churn_models": "parameters of the base, and the evidence as figures",
    "uplift_models": "parameters of the base, and the evidence as figures",
    "ending_models": "parameters of the base, and the evidence as figures",
    "contests": "figures of the base",
    "reviews": "figures of the base",
    "runs": "looks under way",
    AUDIT: WHO_ASKED,
}


class Leaving(Protocol):
    async def leave(self, unit: Unit, erased: Collection[str]) -> None: ...


class Bought:
    """Purchases and scores. The customer leaves the base's counts as they came into them, and the sums of those who were one
    with them.
    """

    collections: Sequence[str] = ("customers",)

    def __init__(self, customers: MongoCustomers, population: MongoPopulation, merging: Leaving) -> None:
        self._customers = customers
        self._merging = merging
        self._population = population

    async def begin(self, work: Work) -> None:
        """Nothing to find out."""

    async def piece(self, unit: Unit, work: Work) -> int:
        known = await self._customers.load(work.customers, unit.session)
        if not known:
            return 0
        await self._merging.leave(unit, work.customers)
        moved = changes((one.purchases, Purchases()) for one in known.values())
        await self._population.add(moved, unit.session)
        return await self._customers.remove(list(known), unit.session)


def steps(customers: MongoCustomers, population: MongoPopulation, merging: Leaving) -> list[Step]:
    return [
        Bought(customers, population, merging),
        Delete("links", naming),
        Delete("deeds"),
        Delete("decisions", one_of(":")),
        Delete("restricted"),
    ]

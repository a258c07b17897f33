"""Contracts: what has happened to a customer's, how they may go on, and the risks of the base, looked up every so often."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

import numpy as np
import structlog

from services.scoring.domain.contracts.facts import ContractFact, Contracts, Kind
from services.scoring.domain.contracts.forecast import PAID, Outlook, Standings, outlook
from services.scoring.domain.contracts.hazards import Hazards
from services.scoring.domain.contracts.population import Population, moves
from services.scoring.domain.contracts.spells import Spell, spells_of
from services.scoring.domain.fitting import Doubt, Floats
from services.scoring.domain.purchases import day_of, money_of
from shared.clock import Clock
from shared.contracts.interactions import ContractChanged

log = structlog.get_logger()
PAGE_CUSTOMERS = 2_000
YEARS = 5
"""Of a running contract, what the next so many years bring counts for its value."""
MONTHS = 12 * YEARS


class Signed(Protocol):
    """Where contracts are kept."""

    async def contracts(self, customer_id: str) -> Contracts: ...

    async def signed(self, after: str | None, limit: int) -> tuple[Sequence[str], Sequence[Contracts]]:
        """The next customers with contracts, in the order of their ids."""
        ...


class Risks(NamedTuple):
    """The base's, as of a look. `hazards` are a doubt where too little has happened to learn from."""

    at: datetime
    customers: int
    runs: int
    hazards: Hazards | Doubt


class Prospect(NamedTuple):
    """A running contract month by month from now (0) on, and the discounted money that it will bring; None without a price."""

    outlook: Outlook
    value: float | None


class Standing(NamedTuple):
    spell: Spell
    price: Decimal | None
    age: int
    """In whole months."""
    prospect: Prospect | None
    """None of what is over, and where the base says too little."""


@dataclass
class Contracting:
    memory: Signed
    clock: Clock
    margin: float
    yearly_discount: float
    risks: Risks | None = None

    async def study(self) -> Risks:
        """Through all contracts: what happens at which age."""
        population, customers, runs, after = Population(), 0, 0, None
        while (page := await self.memory.signed(after, PAGE_CUSTOMERS))[0]:
            population = await asyncio.to_thread(_with, population, page[1])
            customers, after = customers + len(page[0]), page[0][-1]
        runs = population.contracts
        now = await self.clock.now()
        hazards = await asyncio.to_thread(_hazards, population, day_of(now))
        self.risks = Risks(now, customers, runs, hazards)
        log.info("contracts_studied", customers=customers, contracts=runs)
        return self.risks

    async def read(self, customer_id: str) -> list[Standing]:
        """All contracts as they stand now, by contract and time."""
        now = await self.clock.now()
        contracts = (await self.memory.contracts(customer_id)).until(now)
        spells, prices = spells_of(contracts), _prices(contracts)
        day = day_of(now)
        return [self._standing(spell, prices.get(spell.contract), day) for spell in spells]

    def _standing(self, spell: Spell, price: Decimal | None, day: int) -> Standing:
        until = day if spell.ended_at is None else day_of(spell.ended_at)
        age = int(Standings.of([spell], max(until, day_of(spell.started_at))).age[0])
        hazards = self.risks.hazards if self.risks else None
        if spell.ended_at is not None or not isinstance(hazards, Hazards):
            return Standing(spell, price, age, None)
        ahead = outlook(hazards, Standings.of([spell], day), MONTHS)
        return Standing(spell, price, age, Prospect(ahead, None if price is None else self._value(ahead, price)))

    def _value(self, ahead: Outlook, price: Decimal) -> float:
        """Each month that is paid brings its price at its end."""
        months = np.arange(1, MONTHS + 1)
        fade: Floats = (1.0 + self.yearly_discount) ** (-months / 12.0)
        return float(price) * self.margin * float(ahead.paid[0, 1:] @ fade)

    def newcomer(self, months: int) -> Outlook | None:
        """What the base says of a contract that begins today."""
        hazards = self.risks.hazards if self.risks else None
        if not isinstance(hazards, Hazards):
            return None
        return outlook(hazards, Standings(np.zeros(1, np.int64), np.full(1, PAID, np.int64)), months)


def _with(population: Population, signed: Sequence[Contracts]) -> Population:
    return population.plus(moves([(Contracts(), one) for one in signed]))


def fact_of(told: ContractChanged) -> ContractFact:
    """A channel's numbers are its own, so the channel is a part of the contract's name."""
    price = -1 if told.price is None else int(told.price.scaleb(6))
    name, kind = f"{told.channel}/{told.contract}", KINDS[told.event]
    return ContractFact(name, told.happened_at, kind, told.change_id, told.reason or "", price)


KINDS = {kind.name.lower().replace("_", "-"): kind for kind in Kind}


def _hazards(population: Population, day: int) -> Hazards | Doubt:
    return Hazards.fitted(population.tables_at(day))


def _prices(contracts: Contracts) -> dict[str, Decimal]:
    """The last that was told of each contract."""
    told: Collection[ContractFact] = [fact for fact in contracts.facts if fact.price >= 0]
    return {fact.contract: money_of(fact.price) for fact in told}

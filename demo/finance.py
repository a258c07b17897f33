"""What the grocer's controllers do: say what things cost, and look at who earns and how contracts go on."""

import asyncio
import csv
import gzip
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.ledger.compare import moment
from demo.ledger.contracts import Agreements, compare_contracts, contracts, still_running
from demo.ledger.decisions import Decisions
from demo.ledger.difference import Difference
from demo.ledger.people import Document, households
from demo.ledger.profits import Earnings, compare_profits, profits
from demo.platform import Platform

OVERHEAD = {"driver": "sales", "by": "events"}
"""Each order bears its part of what cannot be told of anybody."""
MONTHS = (3, 6, 9)
"""After which it is said how contracts stand."""
ONE_IN = 8
"""Of so many customers one statement is read, line by line; the base's figures are of all."""
AT_ONCE = 8
POLL = 0.3
LOOKS = 100


@dataclass(slots=True)
class Findings:
    """What was found, by the platform, and what the ledger has against it."""

    profit: Document = field(default_factory=dict)
    contracts: Document = field(default_factory=dict)
    running: dict[int, float | None] = field(default_factory=dict)
    """The share of contracts that run so many months, counted from the file."""
    statements: int = 0
    differences: list[Difference] = field(default_factory=list)


class Finance:
    """Costs, profit and contracts of a share of the households."""

    def __init__(self, platform: Platform, folder: Path, share: float) -> None:
        self._platform, self._folder, self._share = platform, folder, share

    async def tell_costs(self) -> None:
        with gzip.open(self._folder / "made_up" / "costs.csv.gz", "rt", newline="") as file:
            rates = [{name: value for name, value in row.items() if value} for row in csv.DictReader(file)]
        await self._platform.put("/v1/costs", {"rates": rates, "overhead": OVERHEAD})

    async def look(self, views: Sequence[Document], decisions: Decisions) -> Findings:
        """Through books and contracts; what is found, the ledger has counted again."""
        found = Findings(
            await self._books(), await self._platform.look("contracts", "/v1/contracts/base", months=max(MONTHS))
        )
        period = {"since": found.profit["since"], "until": found.profit["until"]}
        earned = await asyncio.to_thread(profits, self._folder, self._share, **period, decisions=decisions)
        alive = [view for view in views if not view.get("merged_into")]
        whose = {name: household for name, household in households(alive).items() if household is not None}
        some = [name for name, household in whose.items() if household in earned and household % ONE_IN == 0]
        statements = await self._each("/v1/profits", some, **period)
        found.statements = len(statements)
        found.differences += compare_profits(earned, views, Earnings(found.profit, statements))
        await self._look_at_contracts(views, found, decisions)
        return found

    async def _look_at_contracts(self, views: Sequence[Document], found: Findings, decisions: Decisions) -> None:
        signed = await asyncio.to_thread(contracts, self._folder, self._share, decisions)
        alive = [view for view in views if not view.get("merged_into")]
        holders = [name for name, household in households(alive).items() if household in signed]
        told = Agreements(found.contracts, await self._each("/v1/contracts", holders))
        found.differences += compare_contracts(signed, views, told)
        if now := moment(found.contracts["at"]):
            found.running = {months: still_running(signed, months, now) for months in MONTHS}

    async def _books(self) -> Document:
        """Once they stand still: calls are booked a moment after the history has them."""
        told = await self._platform.look("profits", "/v1/profits/base")
        for _ in range(LOOKS):
            await asyncio.sleep(POLL)
            before, told = told, await self._platform.look("profits", "/v1/profits/base")
            if told["profit"] == before["profit"]:
                break
        return told

    async def _each(self, path: str, customers: Collection[str], **params: Any) -> dict[str, Document]:
        few = asyncio.Semaphore(AT_ONCE)

        async def ask(customer_id: str) -> Document:
            async with few:
                return await self._platform.get(f"{path}/{customer_id}", **params)

        return dict(zip(customers, await asyncio.gather(*map(ask, customers)), strict=True))

"""Scoring's stores in memory; they pass the same tests as MongoDB's. Transactions do not roll back here."""

from tests.scoring.memory.customers import MemoryCustomers, MemoryPopulation, MemoryRestrictions
from tests.scoring.memory.deeds import MemoryDeeds, MemoryNames
from tests.scoring.memory.looks import (
    MemoryChannelLooks,
    MemoryChoices,
    MemoryContests,
    MemoryCosts,
    MemoryPaceLooks,
    MemoryReviews,
)
from tests.scoring.memory.models import MemoryChurnModels, MemoryModels, MemoryUpliftModels
from tests.scoring.memory.transactions import MemoryTransactions, SetClock, new_unit, told

__all__ = [
    "MemoryChannelLooks",
    "MemoryChoices",
    "MemoryChurnModels",
    "MemoryContests",
    "MemoryCosts",
    "MemoryCustomers",
    "MemoryDeeds",
    "MemoryModels",
    "MemoryNames",
    "MemoryPaceLooks",
    "MemoryPopulation",
    "MemoryRestrictions",
    "MemoryReviews",
    "MemoryTransactions",
    "MemoryUpliftModels",
    "SetClock",
    "new_unit",
    "told",
]

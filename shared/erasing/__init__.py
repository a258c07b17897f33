"""Erasing customers, as every service does it in its own database: who was erased, what is emptied, when it is done."""

from shared.erasing.steps import Answers, Delete, Step, Work, by, customers_of, one_of
from shared.erasing.tombstones import Tombstones
from shared.erasing.work import Erasing, Terms

__all__ = [
    "Answers",
    "Delete",
    "Erasing",
    "Step",
    "Terms",
    "Tombstones",
    "Work",
    "by",
    "customers_of",
    "one_of",
]

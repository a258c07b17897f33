"""Reads what the judge looks at: topics, databases, the public APIs. What it means is not said here."""

from tests.torture.evidence.databases import Databases
from tests.torture.evidence.log import Log
from tests.torture.evidence.public import Public

__all__ = ["Databases", "Log", "Public"]

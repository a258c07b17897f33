"""What a channel keeps: the newest body of each customer, and when each order became known. One SQLite file.

Of whoever is erased nothing stays but the id, the version and the erasure, so that no late copy brings them back.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS copies (customer_id TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS arrivals (customer_id TEXT NOT NULL, orders INTEGER, last_order_at TEXT, arrived_at REAL);
CREATE TABLE IF NOT EXISTS erased (
    customer_id TEXT PRIMARY KEY, version INTEGER NOT NULL, erasure_id TEXT NOT NULL, receipted INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A view with so many orders was in the channel's hands at this wall time."""

    customer_id: str
    orders: int
    last_order_at: str
    arrived_at: float


class Copies:
    """Takes deliveries in any order; `commit` makes what was taken, and the place in the stream, survive a crash."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path)
        self._database.executescript(SCHEMA)
        self._versions = dict(
            self._database.execute(
                "SELECT customer_id, version FROM copies UNION SELECT customer_id, version FROM erased"
            )
        )
        self._orders: dict[str, int] = {}
        self._changed: dict[str, tuple[int, bytes | str]] = {}
        self._arrivals: list[tuple[str, int, str, float]] = []
        self._erased: list[tuple[str, int, str]] = []
        self.counts: Counter[str] = Counter(json.loads(self._state("counts", "{}")))
        self.cursor = self._state("cursor", "")

    def take(self, text: bytes | str, arrived_at: float) -> None:
        """Keep the newest version; a repeated or an older one changes nothing, and is counted."""
        body = json.loads(text)
        customer_id, version = str(body["customer_id"]), int(body["version"])
        known = self._versions.get(customer_id, 0)
        self.counts["new" if version > known else "repeated" if version == known else "older"] += 1
        if version > known:
            self._versions[customer_id] = version
            if erasure_id := body.get("erased"):
                self._forget(customer_id, version, erasure_id)
            else:
                self._changed[customer_id] = (version, text)
                self._note(customer_id, body["customer"], arrived_at)

    def _forget(self, customer_id: str, version: int, erasure_id: str) -> None:
        self._changed.pop(customer_id, None)
        self._orders.pop(customer_id, None)
        self._arrivals = [arrival for arrival in self._arrivals if arrival[0] != customer_id]
        self._erased.append((customer_id, version, erasure_id))

    def _note(self, customer_id: str, customer: Mapping[str, Any], arrived_at: float) -> None:
        sales = customer.get("sales") or {}
        orders = sales.get("orders", 0)
        if orders != self._orders.get(customer_id, 0):
            self._orders[customer_id] = orders
            self._arrivals.append((customer_id, orders, sales.get("last_order_at") or "", arrived_at))

    def commit(self) -> None:
        rows = [
            (customer_id, version, text if isinstance(text, str) else text.decode())
            for customer_id, (version, text) in self._changed.items()
        ]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO copies VALUES (?, ?, ?)", rows)
            self._database.executemany("INSERT INTO arrivals VALUES (?, ?, ?, ?)", self._arrivals)
            for table in ("copies", "arrivals"):
                gone = [(customer_id,) for customer_id, *_ in self._erased]
                self._database.executemany(f"DELETE FROM {table} WHERE customer_id = ?", gone)  # noqa: S608 - our own names
            self._database.executemany("INSERT OR REPLACE INTO erased VALUES (?, ?, ?, 0)", self._erased)
            state = [("counts", json.dumps(self.counts)), ("cursor", self.cursor)]
            self._database.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", state)
        self._changed, self._arrivals, self._erased = {}, [], []

    def owed(self) -> list[tuple[str, str]]:
        """Erasure and customer who is forgotten and committed, and of whom the platform has no word yet."""
        found = self._database.execute("SELECT erasure_id, customer_id FROM erased WHERE receipted = 0")
        return [(str(erasure_id), str(customer_id)) for erasure_id, customer_id in found]

    def receipted(self, customer_id: str) -> None:
        with self._database:
            self._database.execute("UPDATE erased SET receipted = 1 WHERE customer_id = ?", (customer_id,))

    def close(self) -> None:
        self.commit()
        self._database.close()

    def _state(self, name: str, default: str) -> str:
        row = self._database.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else default


@dataclass(frozen=True, slots=True)
class Kept:
    """A channel's file, read from outside while the channel may still be writing."""

    bodies: dict[str, dict[str, Any]]
    arrivals: list[Arrival]
    counts: Mapping[str, int]
    erased: frozenset[str] = frozenset()
    """Ids of customers it was told to forget."""


def read(path: Path) -> Kept:
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        with database:
            database.execute("BEGIN")
            bodies = dict(database.execute("SELECT customer_id, body FROM copies"))
            arrivals = [Arrival(*row) for row in database.execute("SELECT * FROM arrivals ORDER BY arrived_at")]
            erased = frozenset(str(row[0]) for row in database.execute("SELECT customer_id FROM erased"))
            counts = database.execute("SELECT value FROM state WHERE name = 'counts'").fetchone()
    finally:
        database.close()
    return Kept(
        {customer_id: json.loads(body) for customer_id, body in bodies.items()},
        arrivals,
        json.loads(counts[0]) if counts else {},
        erased,
    )

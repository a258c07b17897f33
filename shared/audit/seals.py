"""The seals of the audit trail: how entries are chained, and how a change of them is found. Knows no database."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from shared.moments import to_the_millisecond
from shared.mongo import Document
from shared.security import Principal

SEALED = (
    "chain", "number", "at", "key_id", "key", "action", "customers", "fields", "purpose", "correlation", "heads", "before",
)  # fmt: skip
"""What the hash of an entry is over, in this order."""


@dataclass(frozen=True)
class Accessed:
    """What somebody has seen or done. `fields`: the sensitive ones among what they saw; `purpose`: as they said."""

    action: str
    principal: Principal
    customers: Sequence[str] = ()
    fields: Sequence[str] = ()
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Chain:
    """Where this process goes on writing."""

    def __init__(self, name: str, heads: Sequence[Document]) -> None:
        self.name = name
        self.heads: Sequence[Document] | None = heads
        self.number = 0
        self.last = ""

    def link(self, access: Accessed, correlation: str | None) -> Document:
        principal = access.principal
        self.number += 1
        row: Document = {
            "_id": f"{self.name}:{self.number:012d}",
            "chain": self.name,
            "number": self.number,
            "at": to_the_millisecond(access.at),
            "key_id": principal.key_id,
            "key": principal.name,
            "action": access.action,
            "customers": list(access.customers),
            "fields": sorted(set(access.fields)),
            "purpose": principal.purpose,
            "correlation": correlation,
            "heads": self.heads,
            "before": self.last,
        }
        self.heads = None
        self.last = row["hash"] = sealed(row)
        return row


def sealed(row: Document) -> str:
    """The hash of an entry, over all that it says and the hash of the one before."""
    return sha256([_text(row.get(name)) for name in SEALED])


def _text(value: Any) -> Any:
    """Times are the same whether they come from here or from the database."""
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def sha256(value: Any) -> str:
    return hashlib.sha256(orjson.dumps(value)).hexdigest()


class Checker:
    """Follows the chains, in the order of their entries. `pinned`: what others saw them end in."""

    def __init__(self, pinned: Collection[Document]) -> None:
        self.broken: list[str] = []
        self.number, self.chain, self.last = 0, "", ""
        self.wanted = {(head["chain"], head["number"]): head for head in pinned}

    def take(self, rows: Collection[Document]) -> None:
        for row in rows:
            self._check(row)

    def _check(self, row: Document) -> None:
        if row["chain"] != self.chain:
            self.chain, self.number, self.last = row["chain"], 0, ""
        place = f"{row['chain']}:{row['number']}"
        if row["number"] != self.number + 1:
            self.broken.append(f"{place}: entries are missing before it")
        elif row["before"] != self.last:
            self.broken.append(f"{place}: does not follow the entry before it")
        if sealed(row) != row["hash"]:
            self.broken.append(f"{place}: was changed")
        self.number, self.last = row["number"], row["hash"]
        head = self.wanted.pop((self.chain, self.number), None)
        if head and head["hash"] != self.last:
            self.broken.append(f"{place}: is not what {head['seen_by']} saw")

    def conclusion(self) -> list[str]:
        lost = [
            f"{one['chain']}:{one['number']}: {one['seen_by']} saw it, and it is gone" for one in self.wanted.values()
        ]
        return self.broken + lost

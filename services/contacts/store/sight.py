"""The contacts that a key may see, as a question to MongoDB: the same rule as `domain.access.Rows.sees`."""

from typing import Any

from services.contacts.domain.access import Rows

SIGHT = ("territory", "owner", "place.golden.territory", "place.golden.owner")
"""Where it is looked: of customers who are one, the contact that all of them make decides."""


def seen(rows: Rows) -> dict[str, Any]:
    """To be joined to a question about roots. Nothing, if the key sees everybody."""
    if rows.all:
        return {}
    alone = {"place.golden": None, **_within("", rows)}
    return {"$and": [{"$or": [alone, _within("place.golden.", rows)]}]}


def _within(prefix: str, rows: Rows) -> dict[str, Any]:
    limits = {"territory": rows.territories, "owner": rows.owners}
    return {f"{prefix}{name}": {"$in": sorted(allowed)} for name, allowed in limits.items() if allowed}

"""What was done with a customer's data: changed, restricted, looked at."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.contacts.domain.changes import shown
from services.contacts.store.history import HistoryStore
from shared.audit import COLLECTION as AUDIT
from shared.held import Item, Piece, Section, by_id, having, whole
from shared.http import encode_moment, moment_and_place
from shared.mongo import Database, Document


def changes(database: Database) -> Section:
    return Section("changes", "What of your record was changed, by whom, when and why.", _Changes(database).read)


class _Changes:
    """The history, as it is shown of all who are one now."""

    def __init__(self, database: Database) -> None:
        self._history = HistoryStore(database)

    async def read(self, customers: Sequence[str], place: str | None, limit: int) -> Piece:
        found = await self._history.changes_of(customers, moment_and_place(place), limit)
        items = [_change(vars(shown(change, customers)), set(customers)) for _, change in found]
        last = found[-1] if len(found) == limit else None
        return items, encode_moment(last[1].recorded_at, last[0]) if last else None


def _change(told: Mapping[str, Any], own: set[str]) -> Item:
    author = told["author"]
    item = {name: value for name, value in told.items() if name not in {"author", "whole", "was_at", "among"}}
    fields = [one._asdict() for one in told["fields"]]
    item |= {"source": author.source, "by": author.by, "reason": author.reason, "fields": fields}
    return item if {item[name] for name in IDS} - {None} <= own else {n: v for n, v in item.items() if n not in HIDDEN}


IDS = ("customer_id", "of", "into")
HIDDEN = {"customer_id", "of", "into", "merge_id", "reason"}
"""Of a change that is also about somebody else: a merge that was taken back since. Reasons may name them."""


def restrictions(database: Database) -> Section:
    about = "That your data are kept and not used."
    return Section("restrictions", about, by_id(database["restrictions"], having("_id"), whole))


def accesses(database: Database) -> Section:
    about = "When your sensitive data were looked at, and what for. By which of our staff is not said."
    return Section("accesses", about, by_id(database[AUDIT], having("customers"), _access))


def _access(document: Document) -> Item:
    return {name: document[name] for name in ("at", "action", "fields", "purpose")}

"""What contacts holds on a customer, for the export of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from services.contacts.domain.changes import shown
from services.contacts.domain.known import Candidate
from services.contacts.store.documents import COLLECTION as DOCUMENTS
from services.contacts.store.history import HistoryStore
from services.contacts.store.rows import read_known
from shared.audit import COLLECTION as AUDIT
from shared.held import Held, Item, Piece, Section, by_id, having
from shared.http import encode_moment, moment_and_place
from shared.mongo import Database, Document


def held(database: Database) -> Held:
    return Held(
        "contacts",
        [
            Section(
                "contact",
                "Who you are to us: what was said of you under each id that we know you by, when each field was said and by whom, and "
                "what all of it makes together.",
                by_id(database["contacts"], having("_id"), _contact),
            ),
            Section("identifiers", "What channels know you by, and since when.", _Identifiers(database).read),
            Section(
                "consents",
                "All that you have ever said about consent.",
                by_id(database["consents"], having("customer_id"), _plain),
            ),
            Section(
                "confirmations",
                "What you, or somebody in your name, have asked for and what waits for your confirmation, or has got it lately.",
                by_id(database["confirmations"], having("customer_id"), _plain),
            ),
            Section(
                "preference_links",
                "That there are links for you to the preference centre, and since when.",
                by_id(database["preference_links"], having("_id"), _link_number),
            ),
            Section("changes", "What of your record was changed, by whom, when and why.", _Changes(database).read),
            Section(
                "merges",
                "That records were found to be one person's, and who decided so.",
                by_id(database["merges"], having("customers"), _plain),
            ),
            Section(
                "conflicts",
                "That a channel has taken you and somebody else for one person. Who the other one is is not yours to know.",
                by_id(database["conflicts"], having("customers"), _conflict),
            ),
            Section(
                "documents",
                "Documents that are attached to your record. Ask for those of which you want a copy.",
                by_id(database[DOCUMENTS], having("customer_id"), _plain),
            ),
            Section(
                "linked_by",
                "That others were said to be something to you. Who they are is not yours to know.",
                _LinksOfOthers(database).read,
            ),
            Section(
                "duplicates",
                "When we thought that you and somebody else may be one, and what became of it. Who the other one is is not yours to know.",
                by_id(database["match_pairs"], having("customers"), _pair),
            ),
            Section(
                "restrictions",
                "That your data are kept and not used.",
                by_id(database["restrictions"], having("_id"), _plain),
            ),
            Section(
                "accesses",
                "When your sensitive data were looked at, and what for. By which of our staff is not said.",
                by_id(database[AUDIT], having("customers"), _access),
            ),
        ],
    )


def _plain(document: Document) -> Item:
    return {"id": document["_id"], **{name: value for name, value in document.items() if name != "_id"}}


def _contact(document: Document) -> Item:
    known = read_known(document)
    item: dict[str, Any] = {"said": known.contact.model_dump(mode="json", exclude_none=True), "when": dict(known.said)}
    if known.tellers:
        item["told_by"] = {place: teller._asdict() for place, teller in known.tellers.items()}
    if known.also:
        item["also_said"] = [_also_said(place, one) for place, others in known.also.items() for one in others]
    if known.place.golden:
        item["together"] = known.place.golden.model_dump(mode="json", exclude_none=True)
    if known.place.into:
        item |= {"part_of": known.place.into, "since": known.place.since}
    if known.course:
        item["stages"] = [mark._asdict() for mark in known.course]
    if known.faults:
        item["kept_out"] = {name: fault._asdict() for name, fault in known.faults.items()}
    return item


def _also_said(place: str, one: Candidate) -> Item:
    value = one.value.model_dump(mode="json", exclude_none=True) if isinstance(one.value, BaseModel) else one.value
    return {"field": place, "value": value, "said_at": one.at, **one.teller._asdict()}


def _conflict(document: Document) -> Item:
    return {"seen_at": document["seen_at"], "reported_together": document["identifiers"]}


def _pair(document: Document) -> Item:
    found = {name: document[name] for name in ("seen_at", "probability")}
    return found | {"decided": document["decided"]["state"]} if "decided" in document else found


def _link_number(document: Document) -> Item:
    """Without the number, which would be a part of a valid link."""
    return {"id": document["_id"], "since": document["since"]}


def _access(document: Document) -> Item:
    return {name: document[name] for name in ("at", "action", "fields", "purpose")}


class _Identifiers:
    """Those of each contact are in it; since when they are known stands beside whose they are. One piece: a few hundred at most."""

    def __init__(self, database: Database) -> None:
        self._contacts = database["contacts"]
        self._identities = database["identities"]

    async def read(self, customers: Sequence[str], place: str | None, limit: int) -> Piece:  # noqa: ARG002
        rows = self._contacts.find({"_id": {"$in": list(customers)}}, {"identifiers": 1})
        names = [f"{one['scheme']}:{one['value']}" async for row in rows for one in row["identifiers"]]
        found = self._identities.find({"_id": {"$in": names}}).sort("_id", 1)
        return [_plain(row) async for row in found], None


class _LinksOfOthers:
    """They stand in others' contacts, beside links to somebody else."""

    def __init__(self, database: Database) -> None:
        self._contacts = database["contacts"]

    async def read(self, customers: Sequence[str], place: str | None, limit: int) -> Piece:
        wanted = {"links.to": {"$in": list(customers)}, "_id": {"$gt": place or ""}}
        rows = await self._contacts.find(wanted, {"links": 1}).sort("_id", 1).limit(limit).to_list(None)
        items = [_link(link) for row in rows for link in row["links"] if link["to"] in customers]
        return items, rows[-1]["_id"] if len(rows) == limit else None


def _link(link: Mapping[str, Any]) -> Item:
    return {name: value for name, value in link.items() if value is not None}


class _Changes:
    """The history, as it is shown of all who are one now."""

    def __init__(self, database: Database) -> None:
        self._history = HistoryStore(database)

    async def read(self, customers: Sequence[str], place: str | None, limit: int) -> Piece:
        found = await self._history.changes_of(customers, moment_and_place(place), limit)
        items = [_change(vars(shown(change, customers))) for _, change in found]
        last = found[-1] if len(found) == limit else None
        return items, encode_moment(last[1].recorded_at, last[0]) if last else None


def _change(told: Mapping[str, Any]) -> Item:
    author = told["author"]
    item = {name: value for name, value in told.items() if name not in {"author", "whole", "was_at", "among"}}
    fields = [one._asdict() for one in told["fields"]]
    return item | {"source": author.source, "by": author.by, "reason": author.reason, "fields": fields}

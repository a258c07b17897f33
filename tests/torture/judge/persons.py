"""Who there is at last: those who answer for themselves with all that their parts have brought, those merged, those erased.

Numbers of the load are people as channels know them. One who was erased leaves identifiers that are nobody's, and what comes
under them afterwards is about somebody new. What was under way just then belongs to one of the two, and which it was the
platform decides: once, for all of its services. So for each such event it is taken as told, and everything is held against that.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.torture.judge.books import RECENT, Account, Books, Sending
from tests.torture.judge.breach import Breaches
from tests.torture.judge.decided import NEVER, Decided, trees
from tests.torture.judge.identities import Identities, Naming

NEW, ANSWERS = "the erased do not come back", "decisions are answered rightly"
STRICT = {"granted": 0, "denied": 1, "withdrawn": 2}
"""Of two answers given before two were found to be one the stricter holds: nobody has asked the one person."""
Document = Mapping[str, Any]


@dataclass(slots=True)
class Persons:
    """By customer number, as everything must have it when the world stands still."""

    parts: dict[int, Account]
    """Everybody who lives, with what came under their own id."""
    accounts: dict[int, Account]
    """Those of them who answer for themselves, with all that their parts have brought."""
    into: dict[int, int] = field(default_factory=dict)
    """Whom somebody absorbed was merged into."""
    root: dict[int, int] = field(default_factory=dict)
    """Who answers for somebody absorbed."""
    erased: dict[str, str] = field(default_factory=dict)
    """The erasure by the id of the customer who is no more."""
    gone: set[int] = field(default_factory=set)
    """Events that came under the id of somebody erased."""
    watched: set[int] = field(default_factory=set)
    """Of whom something was decided, whatever has become of it."""

    def others(self, root: int) -> list[int]:
        """All who were merged into this one, directly or through others."""
        return sorted(one for one, answers in self.root.items() if answers == root)


def plain(books: Books) -> Persons:
    """Nobody was merged and nobody erased."""
    return Persons(books.accounts, books.accounts)


def answers(decided: Decided, breaches: Breaches) -> None:
    """What was asked was answered as what had been answered before requires."""
    breaches.checks[ANSWERS] += decided.answers - len(decided.wrong)
    for one in decided.wrong:
        breaches.expect(ANSWERS, one.what, one.expected, one.found, customer=one.customer)


@dataclass(slots=True)
class Census:
    """Works out who there is."""

    books: Books
    who: Identities
    naming: Naming
    decided: Decided
    breaches: Breaches

    def persons(
        self,
        under: Mapping[int, str],
        sent_at: Sequence[float],
        contacts: Iterable[Document],
        owners: Iterable[tuple[str, str]],
    ) -> Persons:
        """`under`: the customer id that each event of the watched was told under; `sent_at`: when an event was due."""
        erased = self.decided.erased
        reborn = {self.decided.numbers[customer] for customer in erased}
        ids = {self.who.ids[number] for number in reborn if number in self.who.ids}
        documents = {document["_id"]: document for document in contacts if document["_id"] in ids}
        names: dict[str, set[str]] = {}
        for identifier, customer_id in owners:
            if customer_id in ids:
                names.setdefault(customer_id, set()).add(identifier)
        gone = {event for event, customer_id in under.items() if customer_id in erased}
        parts = dict(self.books.accounts)
        for number in reborn:
            account = self._reborn(number, under, sent_at)
            parts.pop(number, None)
            if customer_id := self.who.ids.get(number):
                self._adopt(account, documents.get(customer_id, {}), names.get(customer_id, set()), number, sent_at)
                parts[number] = account
            elif account.channels:
                self.breaches.expect(
                    NEW, f"customer {number}: events after the erasure", "somebody new", None, customer=number
                )
        into = {self.decided.numbers[one]: self.decided.numbers[other] for one, other in self.decided.into().items()}
        return self._joined(parts, into, erased, gone)

    def _joined(
        self, parts: dict[int, Account], into: dict[int, int], erased: dict[str, str], gone: set[int]
    ) -> Persons:
        accounts = {number: account for number, account in parts.items() if number not in into}
        root = {}
        for answers_for, members in trees(into).items():
            present = [parts[one] for one in members if one in parts]
            if answers_for in parts:
                accounts[answers_for] = together(present, self.naming)
            root |= dict.fromkeys(members[1:], answers_for)
        return Persons(parts, accounts, into, root, erased, gone, set(self.books.watched))

    def _reborn(self, number: int, under: Mapping[int, str], sent_at: Sequence[float]) -> Account:
        """What certainly came for whoever goes by the number of somebody erased."""
        account, since, erased = Account(number), self._since(number), self.decided.erased
        for sending in self.books.watched.get(number, ()):
            late = sent_at[sending.event] > since
            if sending.kind == "contact":
                if late:
                    account.take(sending)
                continue
            customer_id = under.get(sending.event)
            if customer_id is not None and customer_id not in erased:
                account.take(sending)
            what = f"event {self.books.event_id(sending.event)}, sent after the erasure"
            if late:
                found = "the erased" if customer_id in erased else "somebody new"
                self.breaches.expect(NEW, what, "somebody new", found, event=sending.event, customer=number)
        return account

    def _since(self, number: int) -> float:
        times = [
            erasure.receipted_at
            for erasure in self.decided.erasures.values()
            if number in {self.decided.numbers[one] for one in erasure.customers}
        ]
        return max(times, default=NEVER)

    def _adopt(
        self, account: Account, contact: Document, names: set[str], number: int, sent_at: Sequence[float]
    ) -> None:
        """Of the reports that were under way: the name and the consent that contacts has, if they may be those."""
        reports = [one for one in self.books.watched.get(number, ()) if one.kind == "contact"]
        told, since = contact.get("name"), account.named
        possible = {"" if not since[0] else since[1]} | {one.said for one in reports if one.at > since[0]}
        self.breaches.expect(NEW, f"customer {number}: name", True, (told or "") in possible, customer=number)
        account.named = max(since, *((one.at, one.said) for one in reports if one.said == told)) if told else (0, "")
        consents = [consent["status"] for consent in contact.get("consents") or ()]
        certain = account.consented or (0, "")
        allowed = {certain[1]} | {one.consent for one in reports if one.consent and one.at > certain[0]}
        found = consents[0] if consents else ""
        self.breaches.expect(NEW, f"customer {number}: consent", True, found in allowed, customer=number)
        account.consented = (certain[0], found) if found else None
        least = self.naming.identifiers(account) if account.channels else set()
        most = self.naming.identifiers(everything(number, self.books.watched.get(number, ())))
        self.breaches.expect(NEW, f"customer {number}: identifiers missing", set(), least - names, customer=number)
        self.breaches.expect(NEW, f"customer {number}: identifiers of nobody", set(), names - most, customer=number)
        account.known_by = frozenset(names)


def everything(number: int, sendings: Iterable[Sending]) -> Account:
    account = Account(number)
    for sending in sendings:
        account.take(sending)
    return account


def together(parts: Sequence[Account], naming: Naming) -> Account:
    """What the first of these has to show when all of them are one, as if they had always been."""
    first = parts[0]
    latest = heapq.nlargest(RECENT, (met for one in parts for met in one.recent))
    answered = [one.consented for one in parts if one.consented]
    return Account(
        first.customer,
        channels={channel for one in parts for channel in one.channels},
        orders=sum(one.orders for one in parts),
        cents=sum(one.cents for one in parts),
        times={at for one in parts for at in one.times},
        interactions=sum(one.interactions for one in parts),
        recent=sorted(latest),
        reports=sum(one.reports for one in parts),
        named=max(one.named for one in parts),
        consented=max(answered, key=lambda answer: STRICT[answer[1]], default=None),
        known_by=frozenset(name for one in parts for name in naming.identifiers(one)),
    )

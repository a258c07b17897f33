"""Who there is at last: those who answer for themselves with all that their parts have brought, those merged, those erased.

Numbers of the load are people as channels know them. One who was erased leaves identifiers that are nobody's, and what comes
under them afterwards is about somebody new. What was under way just then belongs to one of the two, and which it was the
platform decides: once, for all of its services. So for each such event it is taken as told, and everything is held against that.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.torture.judge.books import RECENT, Account, Books, Sending
from tests.torture.judge.breach import Breaches
from tests.torture.judge.decided import NEVER, Decided, trees
from tests.torture.judge.identities import Identities, Naming

NEW, ANSWERS = "the erased do not come back", "decisions are answered rightly"
STRICT = {"granted": 0, "withdrawn": 1, "denied": 2}
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
        decided, parts = self.decided, dict(self.books.accounts)
        documents = {document["_id"]: document for document in contacts}
        names: dict[str, set[str]] = {}
        for identifier, customer_id in owners:
            names.setdefault(customer_id, set()).add(identifier)
        erased = decided.erased
        for number in sorted({decided.numbers[customer_id] for customer_id in erased}):
            account = self._reborn(number, under, sent_at)
            parts.pop(number, None)
            if living := self.who.ids.get(number):
                self._adopt(account, documents.get(living, {}), names.get(living, set()))
                parts[number] = account
            else:
                what = f"customer {number}: channels that told of them after the erasure"
                self.breaches.expect(NEW, what, set(), account.channels, customer=number)
        gone = {event for event, customer_id in under.items() if customer_id in erased}
        into = {decided.numbers[one]: decided.numbers[other] for one, other in decided.into().items()}
        accounts = {number: account for number, account in parts.items() if number not in into}
        root: dict[int, int] = {}
        for answering, members in trees(into).items():
            accounts[answering] = together([parts[one] for one in members], self.naming)
            root |= dict.fromkeys(members[1:], answering)
        return Persons(parts, accounts, into, root, erased, gone)

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

    def _adopt(self, account: Account, contact: Document, names: set[str]) -> None:
        """Of what was under way, the name, the consent and the identifiers that contacts has, if they may be those."""
        number = account.customer
        sendings = self.books.watched.get(number, ())
        reports = [one for one in sendings if one.kind == "contact"]
        expect = partial(self.breaches.expect, NEW, customer=number)

        at, said = account.named
        named = {one.said: one.at for one in reports if one.at > at} | {said: at}
        told = contact.get("name") or ""
        if expect(f"customer {number}: name of a report of them", True, told in named):
            account.named = (named[told], told)

        at, consent = account.consented or (0, "")
        possible = {one.consent for one in reports if one.consent and one.at > at} | {consent}
        answered = "".join(consent["status"] for consent in contact.get("consents") or ())
        expect(f"customer {number}: consent of a report of them", True, answered in possible)
        account.consented = (at, answered) if answered else None

        least = self.naming.identifiers(account) if account.channels else set()
        most = self.naming.identifiers(everything(number, sendings))
        expect(f"customer {number}: identifiers that are missing", set(), least - names)
        expect(f"customer {number}: identifiers of nobody", set(), names - most)
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

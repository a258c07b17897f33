"""Small worlds in which two customers are one, or one was erased, for tests of what the judge makes of it."""

from __future__ import annotations

from array import array
from typing import Any

from tests.harness.torture_world import IDS, SENT, World
from tests.torture.judge.decided import Decided, Erasure, Merge
from tests.torture.judge.persons import Census, Persons
from tests.torture.sendings import NAMING

NOW, SINCE = 100.0, 50.0
"""When an event was sent, and since when interactions has nothing of the erased."""


def merged() -> Decided:
    """Customer 2 was merged into 1."""
    return Decided(numbers={"id-1": 1, "id-2": 2}, merges={"m-1": Merge("id-1", "id-2")})


def erased() -> Decided:
    """Customer 1 was erased; who comes with their card since is somebody new."""
    return Decided(numbers={"id-1": 1}, erasures={"e-1": Erasure(("id-1",), SINCE)})


def census(world: World, decided: Decided, **found: Any) -> Persons:
    world.books.watch([1, 2])
    for sent in SENT:
        if sent.kind != "poison":
            world.books.watched[sent.customer].append(sent)
    under = {sent.event: IDS[sent.customer] for sent in SENT if sent.kind in {"sale", "interaction"}}
    given = {"under": under, "sent_at": array("d", [NOW]) * 16, "contacts": [], "owners": []}
    return Census(world.books, world.who, NAMING, decided, world.breaches).persons(**given | found)


class Merged(World):
    """The same world, in which customer 2 was merged into 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.persons = census(self, merged())
        self.parts, self.books.accounts = self.books.accounts, dict(self.persons.accounts)

    def score(self, number: int) -> dict[str, Any]:
        return super().score(1)

    def contact(self, number: int) -> dict[str, Any]:
        account, place = self.parts[number], {"into": None, "root": None, "members": ["id-2"]}
        told = {"_id": IDS[number], "name": account.named[1], "consents": [{"status": account.consented[1]}]}  # type: ignore[index]
        return told | {"place": place if number == 1 else {"into": "id-1", "root": "id-1", "members": []}}

    def profile(self, number: int) -> dict[str, Any]:
        books, self.books.accounts = self.books.accounts, self.parts
        own = super().profile(number)
        self.books.accounts = books
        if number == 2:
            return own | {"merged_into": "id-1", "score": {}}
        return super().profile(1) | {"own": {"sales": own["sales"], "interactions": own["interactions"]}}

    def view(self, number: int) -> dict[str, Any]:
        if number == 1:
            whole = super().view(1)
            contact = {"name": "Bob", "consents": [{"status": "withdrawn"}]}
            return whole | {"contact": whole["contact"] | contact}
        none = {"orders": 0, "total": "0", "first_order_at": None, "last_order_at": None}
        nothing: dict[str, Any] = {
            "contact": None,
            "sales": none,
            "interactions": 0,
            "recent_interactions": [],
            "score": None,
        }
        return {"customer_id": "id-2", "version": 5, "merged_into": "id-1", **nothing}

    def views(self) -> dict[str, dict[str, Any]]:
        return {"id-1": self.view(1), "id-2": self.view(2)}

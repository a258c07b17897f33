"""What the grocer's steward of data does: goes through who may be one, takes a mistake back, and has somebody forgotten."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from demo.ledger.cards import Cards, Form, Found, forms, judged, namesakes, wrong
from demo.ledger.decisions import Decisions
from demo.ledger.difference import Difference
from demo.ledger.people import Document, cards_of, household_of
from demo.platform import JSON, Platform, Refused
from demo.unfinished import Unfinished

SURE = 0.95
NEEDS_A_PERSON = "what differs needs a person's decision"
BORN = "date of birth"
NAMES = ("given name", "family name")
WHY = {"reason": "consent-withdrawn", "asked_by": "customer", "reference": "DEMO-1"}
PATIENCE = 60.0
COMPARED_WITHIN = 600.0
"""Seconds. Once something new is learnt, all are compared anew, some dozens a second."""
POLL = 0.2
EVERYBODY = {"field": "sales.orders", "at_least": 0}


class NotHeard(Unfinished):
    """Some service has not taken notice within a minute."""


@dataclass(frozen=True, slots=True)
class Merge:
    """Two who are one from now on, with the numbers of their cards."""

    merge_id: str
    survivor: str
    absorbed: str
    cards: Cards


@dataclass(frozen=True, slots=True)
class Stewardship:
    """What was done, for the reader."""

    found: Found
    mistake: Cards | None = None
    erased: frozenset[int] = frozenset()
    """Numbers of cards."""
    erasure: Document = field(default_factory=dict)

    @property
    def receipts(self) -> list[str]:
        """Places in which nothing is left."""
        return [place["place"] for place in self.erasure.get("places", ()) if place["at"]]


class Steward:
    """Decisions over the public API, by a rule; what came of them is for the ledger."""

    def __init__(self, platform: Platform, folder: Path, share: float) -> None:
        self._platform = platform
        self._forms: Sequence[Form] = forms(folder, share)
        self._proposed = 0
        self.merges: list[Merge] = []
        """By the rule."""
        self.mistake: Merge | None = None
        self.erased: JSON | None = None
        self._erased_cards: frozenset[int] = frozenset()

    @property
    def decisions(self) -> Decisions:
        """As they stand at the end: the mistake is taken back."""
        return Decisions(frozenset(merge.cards for merge in self.merges), self._erased_cards)

    @property
    def touched(self) -> frozenset[int]:
        """Households whose orders may be counted under several ids, or under another's for a while."""
        several = {one.household for one in self._forms if one.card != one.household}
        return frozenset(several | set(self.mistake.cards if self.mistake else ()))

    def found(self) -> Found:
        return judged(self._forms, self._proposed, [merge.cards for merge in self.merges])

    def wrong(self) -> list[Difference]:
        return list(wrong(self._forms, [merge.cards for merge in self.merges]))

    def told(self) -> Stewardship:
        mistake = self.mistake.cards if self.mistake else None
        return Stewardship(self.found(), mistake, self._erased_cards, self.erased or {})

    async def review(self) -> None:
        """Merge all of the queue that the rule accepts, and two whom nobody should: their names are the same."""
        queue = await self._queue()
        whose = await self.cards({one for pair in queue for one in pair["contacts"]}, namesakes(self._forms) or ())
        self._proposed = len(queue)
        for pair in filter(fits, queue):
            if merge := await self._accept(pair, whose):
                self.merges.append(merge)
        await self._mistake_namesakes(whose)
        merges = [*self.merges, self.mistake] if self.mistake else self.merges
        await self._heard({merge.absorbed: merge.survivor for merge in merges})

    async def put_right(self) -> None:
        """The two namesakes were born in different years."""
        if self.mistake is not None:
            await self._platform.post(f"/v1/merges/{self.mistake.merge_id}/undo", {"reason": "Father and son"})
            await self._heard({self.mistake.absorbed: self.mistake.absorbed})

    async def forget(self, household: int) -> None:
        """Ask for a customer's erasure, with all who were found to be one with them, and wait until no view shows them."""
        views = await self._platform.every("/v1/customers")
        view = next(view for view in views if household in cards_of(view))
        self._erased_cards = cards_of(view)
        self.erased = await self._platform.post(f"/v1/contacts/{view['customer_id']}/erasure", WHY)
        await self._until(self._is_out_of_sight, "Who is erased is still shown.")

    async def receipts(self) -> JSON:
        """The erasure once every place but the log has receipted, or as it stands after a minute: the ledger judges."""
        deadline = time.monotonic() + PATIENCE
        while self.erased and time.monotonic() < deadline:
            self.erased = await self._platform.get(f"/v1/erasures/{self.erased['erasure_id']}")
            if set(self.erased["open"]) <= {"log"}:
                break
            await asyncio.sleep(POLL)
        return self.erased or {}

    async def asked(self, identifiers: Collection[str]) -> Mapping[str, int]:
        """How much is found of the erased in each place that answers, by their ids and by how channels know them."""
        found: dict[str, int] = {}
        for customer in (self.erased or {}).get("customers", ()):
            for path in ("contacts", "customers", "scores", "contacts/{}/merges", "contacts/{}/changes"):
                asked = f"/v1/{path}" if "{}" in path else f"/v1/{path}/{{}}"
                found[asked] = found.get(asked, 0) + int(await self._is_known(asked.format(customer)))
            for path in ("/v1/interactions", "/v1/orders"):
                lines = await self._platform.every(path, customer_id=customer)
                found[path] = found.get(path, 0) + len(lines)
        for path in ("/v1/contacts", "/v1/customers"):
            pages = [await self._platform.get(path, identifier=name) for name in sorted(identifiers)]
            found[f"{path}?identifier="] = sum(len(page["items"]) for page in pages)
        return found

    async def _is_known(self, path: str) -> bool:
        try:
            await self._platform.get(path)
        except Refused as refused:
            if refused.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
                return False
            raise
        return True

    async def cards(self, customers: Collection[str], cards: Collection[int]) -> Mapping[str, int]:
        """By customer, once the views know all these customers and cards: sync hears of contacts when it comes to them."""
        known: dict[str, int] = {}

        async def heard() -> bool:
            views = await self._platform.every("/v1/customers")
            known.update({view["customer_id"]: card for view in views if (card := household_of(view)) is not None})
            return known.keys() >= set(customers) and set(known.values()) >= set(cards)

        await self._until(heard, "Sync has not heard of all contacts.")
        return known

    async def _queue(self) -> list[JSON]:
        """All of it, once every contact has been compared with the others."""

        async def compared() -> bool:
            progress = await self._platform.get("/v1/contacts/duplicates/progress")
            return bool(progress["compared"] >= progress["contacts"])

        await self._until(compared, "Contacts have not been compared.", within=COMPARED_WITHIN)
        return await self._platform.every("/v1/contacts/duplicates")

    async def _accept(self, pair: Document, whose: Mapping[str, int]) -> Merge | None:
        body = {"reason": "Same date of birth, names and address fit"}
        told = await self._platform.post(f"/v1/contacts/duplicates/{pair['pair']}/accept", body)
        if told["merge_id"] is None:
            return None
        absorbed = next(one for one in pair["contacts"] if one != told["survivor"])
        return Merge(told["merge_id"], told["survivor"], absorbed, ordered(*(whose[one] for one in pair["contacts"])))

    async def _mistake_namesakes(self, whose: Mapping[str, int]) -> None:
        cards = namesakes(self._forms)
        if cards is None:
            return
        survivor, absorbed = sorted(customer for customer, card in whose.items() if card in cards)
        body = {"absorbed": absorbed, "reason": "Same name, same address"}
        told = await self._platform.post(f"/v1/contacts/{survivor}/merges", body)
        self.mistake = Merge(told["merge_id"], survivor, absorbed, cards)

    async def _heard(self, roots: Mapping[str, str]) -> None:
        """Until every service answers for these customers as they now belong together."""

        async def heard() -> bool:
            for customer, root in roots.items():
                view = await self._platform.get(f"/v1/customers/{customer}")
                if view.get("merged_into", customer) != root or await self._scored_as(customer) not in {root, None}:
                    return False
            counted = await self._platform.get("/v1/customers/summary")
            known = await self._platform.post("/v1/segments/preview", {"rule": EVERYBODY})
            return bool(counted["customers"] == known["customers"])

        await self._until(heard, "A merge, or its end, has not been heard of everywhere.")

    async def _scored_as(self, customer: str) -> str | None:
        """Under whose id; None: nobody has bought anything."""
        try:
            return str((await self._platform.get(f"/v1/scores/{customer}"))["customer_id"])
        except Refused as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def _is_out_of_sight(self) -> bool:
        shown = [await self._is_known(f"/v1/customers/{one}") for one in (self.erased or {}).get("customers", ())]
        return not any(shown)

    @staticmethod
    async def _until(condition: Callable[[], Awaitable[bool]], complaint: str, within: float = PATIENCE) -> None:
        deadline = time.monotonic() + within
        while not await condition():
            if time.monotonic() > deadline:
                raise NotHeard(f"{complaint} {within:.0f} s have passed.")
            await asyncio.sleep(POLL)


def fits(pair: Document) -> bool:
    """The rule: nearly sure, born on the same day, no name that speaks against it, nothing that only a person can decide."""
    bits = {reason["field"]: reason["bits"] for reason in pair["reasons"]}
    sure = (pair["probability"] or 0) >= SURE and NEEDS_A_PERSON not in pair["rules"]
    return sure and bits.get(BORN, 0) > 0 and all(bits.get(name, 0) >= 0 for name in NAMES)


def ordered(one: int, other: int) -> Cards:
    return min(one, other), max(one, other)

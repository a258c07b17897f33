"""Whoever keeps the customers in order: merges, parts and erases them over HTTP, and asks until every outcome is known.

As a real client does, under idempotency keys. What is about one family is done by one task, in rounds, so that the outcome of
each round follows from the answers, whatever was under way at once and whatever has struck meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp

from tests.torture.decisions.families import Erasing, Family, Merging, Undoing, Wish
from tests.torture.evidence.public import Public, Refused
from tests.torture.judge.decided import NEVER, Decided, Erasure, Merge
from tests.torture.sendings import NAMING

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
ASK_AGAIN = (401, 408, 429)
MEETINGS, MEETING_PAUSE = 40, 1.0
"""How often it is looked whether a customer is known by now: most have an event soon."""
LOOK_SECONDS = 3.0
WHY = {"reason": "consent-withdrawn", "asked_by": "customer"}
KEPT = {HTTPStatus.OK, HTTPStatus.GONE}
"""What was done is answered so; the latter if somebody whom the answer named has been erased since."""
POSSIBLE = {*KEPT, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}
"""Of a merge that something else was sent with."""


class Told(NamedTuple):
    """A wish and its outcome."""

    wish: Wish
    customers: Sequence[str]
    """Of a merge the survivor and the absorbed; of an erasure whom it was asked for."""
    merge_id: str
    status: int
    body: dict[str, Any]


class Steward:
    """One run's. Is a `Sender` of the stage: it can be asked to wait while an operator works."""

    def __init__(
        self, patience: float, decided: Decided, families: Sequence[Family], platform: tuple[str, str], public: Public
    ) -> None:
        """`platform`: base URL and API key; `public`: where it is looked up who is who, past all links."""
        self._patience, self.decided, self._public, self._families = patience, decided, public, families
        self._base_url, self._key = platform[0].rstrip("/"), platform[1]
        self._open = asyncio.Event()
        self._open.set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._under_way = 0
        self._requests = 0
        self._ids: dict[int, str] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        headers = {"authorization": f"Bearer {self._key}"}
        self._session = aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=30, sock_connect=5))
        began = time.monotonic()
        self._tasks = [asyncio.create_task(self._decide(family, began)) for family in self._families]
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in (*self._tasks, self._watching):
            task.cancel()
        await asyncio.gather(*self._tasks, self._watching, return_exceptions=True)
        await self._session.close()

    async def finished(self) -> None:
        """Until every outcome is known. Raises TimeoutError, or what a task has failed with."""
        async with asyncio.timeout(self._patience):
            await asyncio.gather(*self._tasks)

    async def pause(self) -> None:
        """Ask nothing more; returns when all that was asked has been answered."""
        self._open.clear()
        await self._idle.wait()

    async def resume(self) -> None:
        self._open.set()

    # A family

    async def _decide(self, family: Family, began: float) -> None:
        await asyncio.sleep(max(0.0, began + family.at - time.monotonic()))
        for customer in family.customers:
            if not await self._met(customer):
                return
        for round_ in family.rounds:
            await asyncio.sleep(round_.pause)
            standing = self.decided.standing(self._ids[one] for one in family.customers)
            asked = [self._asked(wish, standing) for wish in round_.wishes]
            wanted = [one for one in asked if one is not None]
            told = await asyncio.gather(*(self._tell(*one) for one in wanted))
            self._note(told)

    async def _met(self, customer: int) -> bool:
        """Whether the platform knows the customer by now."""
        card = f"{NAMING.common}{customer:0{NAMING.digits}d}"
        for _ in range(MEETINGS):
            found = (await self._public.get("/v1/contacts", identifier=card))["items"]
            if found:
                self._ids[customer] = customer_id = found[0]["customer_id"]
                self.decided.numbers[customer_id] = customer
                return True
            await asyncio.sleep(MEETING_PAUSE)
        return False

    def _asked(
        self, wish: Wish, standing: Sequence[str]
    ) -> tuple[Wish, Sequence[str], str, str, dict[str, Any]] | None:
        """What is to be sent; nothing where there is nothing to undo."""
        match wish:
            case Merging(survivor, absorbed):
                first, second = self._ids[survivor], self._ids[absorbed]
                return wish, (first, second), "", f"/v1/contacts/{first}/merges", {"absorbed": second}
            case Erasing(customer):
                who = self._ids[customer]
                return wish, (who,), "", f"/v1/contacts/{who}/erasure", WHY
            case Undoing(which):
                if not standing:
                    return None
                merge_id = standing[min(int(which * len(standing)), len(standing) - 1)]
                merge = self.decided.merges[merge_id]
                return wish, merge, merge_id, f"/v1/merges/{merge_id}/undo", {"reason": "two people"}

    async def _tell(self, wish: Wish, customers: Sequence[str], merge_id: str, path: str, body: dict[str, Any]) -> Told:
        await self._open.wait()
        self._under_way += 1
        self._idle.clear()
        self._requests += 1
        try:
            return Told(wish, customers, merge_id, *await self._answer(path, body, f"steward-{self._requests}"))
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def _answer(self, path: str, body: dict[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        """Under one key, until the platform has said what has become of it."""
        pause = FIRST_PAUSE
        while True:
            with suppress(aiohttp.ClientError, TimeoutError):
                headers = {"idempotency-key": key}
                async with self._session.post(self._base_url + path, json=body, headers=headers) as response:
                    status, said = response.status, await response.read()
                if status < 500 and status not in ASK_AGAIN:
                    return status, json.loads(said) if said else {}
            self.decided.asked_again += 1
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    # What follows from the answers

    def _note(self, told: Sequence[Told]) -> None:
        """Of wishes sent at once an erasure came last, because after it nobody is there to be merged or parted."""
        alone = len(told) == 1
        for one in told:
            match one.wish:
                case Merging():
                    self._note_merge(one, alone=alone)
                case Undoing():
                    self._note_undoing(one)
        for one in told:
            if isinstance(one.wish, Erasing):
                self._note_erasure(one)
        gone = self.decided.erased
        for one in told:
            if one.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
                missing = not gone.keys().isdisjoint(one.customers)
                self.decided.expect(
                    f"{one.wish}: {one.status}", "somebody erased", missing and "somebody erased", one.customers[0]
                )

    def _note_merge(self, told: Told, *, alone: bool) -> None:
        decided, (survivor, absorbed) = self.decided, told.customers
        if alone and told.status != HTTPStatus.GONE:
            expected = decided.answer_to_merge(survivor, absorbed)
            decided.expect(str(told.wish), int(expected), told.status, survivor)
        elif told.status not in POSSIBLE:
            decided.expect(str(told.wish), sorted(map(int, POSSIBLE)), told.status, survivor)
        if told.status == HTTPStatus.OK:
            decided.merges[told.body["merge_id"]] = Merge(survivor, absorbed)

    def _note_undoing(self, told: Told) -> None:
        if told.status in KEPT:
            self.decided.undone.add(told.merge_id)
        elif told.status != HTTPStatus.NOT_FOUND:
            self.decided.expect(f"undoing {told.merge_id}", 200, told.status, told.customers[0])

    def _note_erasure(self, told: Told) -> None:
        decided, [customer] = self.decided, told.customers
        decided.expect(str(told.wish), int(HTTPStatus.ACCEPTED), told.status, customer)
        if told.status != HTTPStatus.ACCEPTED:
            return
        erased = tuple(told.body["customers"])
        decided.expect(f"{told.wish}: all who are one", sorted(decided.one_with(customer)), sorted(erased), customer)
        decided.erasures[told.body["erasure_id"]] = Erasure(erased)

    # Erasures under way

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            with suppress(Refused):
                await self.looked()

    async def looked(self) -> None:
        """Note of whom interactions says that nothing is left: who still has their card is somebody new."""
        for erasure_id, erasure in list(self.decided.erasures.items()):
            if erasure.receipted_at == NEVER:
                told = await self._public.get(f"/v1/erasures/{erasure_id}")
                if "interactions" not in told["open"]:
                    erasure.receipted_at = time.monotonic()

"""What a person does with pairs who may be one: accepts or rejects them, and sets from when on they are shown or merged."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from services.contacts.domain.hearsay import of_forms
from services.contacts.domain.matching.proposals import Limits
from services.contacts.domain.matching.record import Record, record_of
from services.contacts.domain.merging import TooManyMembers
from services.contacts.domain.survivorship import Known, TooManyConsents, milliseconds
from services.contacts.handlers.book import Store
from services.contacts.handlers.errors import AlreadyMerged, NoSuchContact, NoSuchPair
from services.contacts.handlers.merging import Decision, Merging
from services.contacts.handlers.proposals import Decided, Pair, Wanted
from services.contacts.handlers.weighing import Sure
from shared.messaging import TooLarge, Transact, Unit
from shared.mongo import Session

BY = "/rapport/matching"
"""Who merges, where nobody was asked."""
MOST_WORDS = 1000
"""Characters of a merge's reason, as of a person's."""
MERGED, REJECTED = "merged", "rejected"


class Pairs(Protocol):
    """Where pairs are kept, and what is wanted of them."""

    async def pair(self, name: str, session: Session | None) -> Pair | None:
        """Open or decided."""

    async def any_restricted(self, customers: Collection[str], session: Session | None) -> bool:
        """Whether the data of one of these must not be used."""
        ...

    async def decide(self, name: str, decided: Decided, session: Session | None) -> None:
        """Of now on the pair is merged or rejected."""

    async def wanted(self, session: Session | None = None) -> Wanted:
        """The limits in force."""

    async def want(self, wanted: Wanted, session: Session | None) -> None:
        """Set them."""


class Stale(Exception):
    """What said that two are one has changed since, or somebody has decided."""


@dataclass(frozen=True)
class Outcome:
    """What became of a pair. `survivor` answers for both, if they are one; `merge_id` says by which merge, if by this pair's."""

    pair: str
    outcome: str
    survivor: str | None = None
    merge_id: str | None = None


class Reviewing:
    """The use cases of the review queue. Each is idempotent."""

    def __init__(self, pairs: Pairs, store: Store, merging: Merging) -> None:
        self.pairs = pairs
        self.store = store
        self.merging = merging

    async def accept(
        self, unit: Unit, name: str, decision: Decision, records: Mapping[str, Record] | None = None
    ) -> Outcome:
        """The two are one: merged into whoever was registered first. With `records`, as nobody has decided it, only if it is still
        open, both say what they said there, no form has spoken of either, and their data may be used, else Stale.

        Raises NoSuchPair, and what `Merging.merge` raises.
        """
        pair, known = await self._pair(unit, name)
        if records is not None and not await self._stands(unit, pair, known, records):
            raise Stale(name)
        roots = sorted({_root(one) for one in known.values()})
        if len(roots) == 1:
            return Outcome(name, MERGED, roots[0], pair.decided.merge_id if pair.decided else None)
        # Ids grow with the time of registration.
        survivor, absorbed = roots
        merge = await self.merging.merge(unit, survivor, absorbed, decision)
        await self._decide(unit, name, MERGED, decision, merge.merge_id)
        return Outcome(name, MERGED, merge.survivor, merge.merge_id)

    async def reject(self, unit: Unit, name: str, decision: Decision) -> Outcome:
        """The two are not one, and nobody is asked again. Raises NoSuchPair, and AlreadyMerged: a merge has to be undone."""
        pair, known = await self._pair(unit, name)
        roots = {_root(one) for one in known.values()}
        if len(roots) == 1:
            raise AlreadyMerged(max(pair.customers), *roots)
        if pair.decided is None or pair.decided.state != REJECTED:
            await self._decide(unit, name, REJECTED, decision, None)
        return Outcome(name, REJECTED)

    async def want(self, unit: Unit, limits: Limits) -> Wanted:
        """Set the limits; what was found with others is looked at again."""
        before = await self.pairs.wanted(unit.session)
        if before.limits == limits:
            return before
        wanted = Wanted(limits, before.revision + 1)
        await self.pairs.want(wanted, unit.session)
        return wanted

    async def _stands(self, unit: Unit, pair: Pair, known: Mapping[str, Known], records: Mapping[str, Record]) -> bool:
        same = all(
            one.place.root is None and record_of(one.published) == records[customer] and not of_forms(one.published)
            for customer, one in known.items()
        )
        return pair.decided is None and same and not await self.pairs.any_restricted(known, unit.session)

    async def _decide(self, unit: Unit, name: str, state: str, decision: Decision, merge_id: str | None) -> None:
        at = milliseconds(await self.merging.clock.now(unit.session))
        await self.pairs.decide(name, Decided(state, decision.by, at, decision.reason, merge_id), unit.session)

    async def _pair(self, unit: Unit, name: str) -> tuple[Pair, dict[str, Known]]:
        pair = await self.pairs.pair(name, unit.session)
        if pair is None:
            raise NoSuchPair(name)
        known = await self.store.load(pair.customers, unit.session)
        if len(known) < len(pair.customers):
            raise NoSuchPair(name)
        return pair, known


class Unasked:
    """Merges those who surely are one."""

    def __init__(self, reviewing: Reviewing, transact: Transact[Outcome]) -> None:
        self.reviewing = reviewing
        self.transact = transact

    async def merge(self, sure: Sure) -> None:
        """What has become doubtful meanwhile stays in the queue, or comes again because it changed."""
        # Degrees of agreement and their weights, without the values.
        reason = f"One customer with a probability of {sure.weighed.probability:.4f}: {sure.weighed.why}"[:MOST_WORDS]
        decision = Decision(BY, reason)
        with suppress(Stale, NoSuchPair, NoSuchContact, AlreadyMerged, TooManyMembers, TooManyConsents, TooLarge):
            await self.transact(lambda unit: self.reviewing.accept(unit, sure.name, decision, sure.records))


def _root(known: Known) -> str:
    return known.place.root or known.contact.customer_id

"""Customers who are one, become one, or are no more: each part keeps what came under its id, the root is scored as their sum.

Of whoever is restricted, or one with somebody who is, nothing is scored: their parts are kept, and go on taking what comes.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from services.scoring.domain.merging import Bond, Part, together
from services.scoring.domain.population import changes
from services.scoring.domain.purchases import EPOCH
from services.scoring.domain.score import Terms
from services.scoring.handlers.customers import Known, Regrouped, scored_of
from services.scoring.handlers.scores import NOBODY, Scores, not_before
from shared.circles import Among, Circle, circle_of, nobody
from shared.contracts.merges import Link, LinkFact
from shared.contracts.scoring import SCORES, ScoreWithdrawn
from shared.links import without
from shared.messaging import Received, Unit
from shared.mongo import Session

Restricted = Callable[[Collection[str], Session | None], Awaitable[set[str]]]
"""Of these customers, those whose data must not be used, as the transaction sees it."""


async def nobody_restricted(_: Collection[str], __: Session | None) -> set[str]:
    """Where nobody is."""
    return set()


class Links(Protocol):
    async def take(self, facts: Iterable[LinkFact], session: Session | None) -> list[Link]: ...

    async def around(self, customers: Collection[str], session: Session | None) -> dict[str, str]: ...


class Turn(NamedTuple):
    """A customer of a batch: what was scored of them, what is from now on, and what has made the difference."""

    before: Known
    after: Part
    bond: Bond | None
    cause: Received | None
    """None: that somebody was erased who was one with them."""
    hidden: bool = False
    """Somebody of those who are one is restricted."""
    again: bool = False
    """Whoever listens is told of them though nothing has moved, because of what they were not told, or have passed over."""

    @property
    def moved(self) -> bool:
        return self.after.purchases != self.before.purchases

    @property
    def scored(self) -> bool:
        """Anew."""
        return (self.moved or self.again) and bool(self.after.purchases.records)

    @property
    def withdrawn(self) -> bool:
        """Nothing is left to score them by."""
        return (self.moved or self.again) and not self.after.purchases.records


@dataclass
class Merging:
    scores: Scores
    links: Links
    restricted: Restricted = nobody_restricted
    erased: Among = nobody
    """Who is no customer any more, and so one with nobody."""

    async def follow(self, unit: Unit, events: Sequence[Received]) -> None:
        """Facts that make or end links."""
        facts: list[LinkFact] = without(self.erased, [event.fact for event in events])
        if await self.links.take(facts, unit.session):
            ends = {end for fact in facts for end in (fact.survivor, fact.absorbed)}
            await self._regroup(unit, await self._circle(unit, ends), {}, events[-1], all_=True)

    async def fold(self, unit: Unit, events: Sequence[Received]) -> None:
        """Orders of customers who are not alone, and what became of orders."""
        theirs: dict[str, list[Received]] = {}
        for event in events:
            theirs.setdefault(event.fact.customer_id, []).append(event)
        circle = await self._circle(unit, theirs)
        known = {one: heard for one, heard in theirs.items() if one in circle.customers}
        await self._regroup(unit, circle, known, None, all_=False)

    async def leave(self, unit: Unit, erased: Collection[str]) -> None:
        """Whoever was one with somebody erased is scored without them. Links are the caller's to remove."""
        circle = await self._circle(unit, erased)
        circle.leave_out(erased)
        if circle.customers:
            await self._regroup(unit, circle, {}, None, all_=True)

    async def reconsider(self, unit: Unit, customers: Collection[str], cause: Received | None = None) -> None:
        """Customers who are restricted from now on, or are no more: `restricted` knows it already.

        Whoever may be shown is told again though their score is what it was: a restriction that was lifted within a second is
        heard of at once with its end, and contacts has passed over what was told in between.
        """
        circle = await self._circle(unit, customers)
        await self._regroup(unit, circle, {}, cause, all_=True, again=True)

    async def shown(self, customers: Collection[str]) -> set[str]:
        """Those of them who are scored as if nobody were restricted, or of whom nothing is kept that says otherwise."""
        known = await self.scores.customers.load(customers)
        kept = {customer for customer, one in known.items() if one.hidden}
        return set(customers) - kept - set(self.erased(customers))

    async def _circle(self, unit: Unit, ends: Iterable[str]) -> Circle[Known]:
        customers, session = self.scores.customers, unit.session
        circle = await circle_of(
            ends, lambda some: customers.load(some, session), lambda some: self.links.around(some, session)
        )
        circle.leave_out(self.erased(circle.customers))
        return circle

    async def _regroup(
        self,
        unit: Unit,
        circle: Circle[Known],
        theirs: Mapping[str, Sequence[Received]],
        link: Received | None,
        *,
        all_: bool,
        again: bool = False,
    ) -> None:
        """Parts take their facts; then everybody whom that concerns is scored as what their parts make together.

        Whoever writes a part writes its root too, and whoever changes who is one writes `all_` whom it concerns, so that two who
        write for one tree at once meet. Of a root who was hidden is told what is so, that nothing is scored of them too.
        """
        before = {one: circle.held.get(one, NOBODY) for one in circle.customers}
        parts = {one: known.part for one, known in before.items()}
        after = parts | {one: self._taken(unit, parts[one], events) for one, events in theirs.items()}
        trees = circle.trees()
        causes = {root: _last(theirs, members, link) for root, members in trees.items()}
        restricted = await self.restricted(circle.customers, unit.session)
        hidden = {root for root, members in trees.items() if not restricted.isdisjoint(members)}
        turns: dict[str, Turn] = {}
        for one, (part, bond) in together(after, trees, hidden).items():
            root = bond.merged_into if bond and bond.merged_into else one
            if causes[root] or all_:
                anew = one == root and root not in hidden and (again or before[one].hidden)
                turns[one] = Turn(before[one], part, bond, causes[root], root in hidden, anew)
        await self._save(
            unit, turns if all_ else {one: turn for one, turn in turns.items() if _moved(one, turn, parts)}
        )

    def _taken(self, unit: Unit, part: Part, events: Sequence[Received]) -> Part:
        after = self.scores.with_orders(unit, Known(part.purchases, EPOCH, None, part.first), events)
        return Part(after.purchases, after.first)

    async def _save(self, unit: Unit, turns: Mapping[str, Turn]) -> None:
        known = {one: turn.before for one, turn in turns.items()}
        terms = self.scores.terms(not_before(known, await self.scores.clock.now(unit.session)))
        anew = {one: turn.after for one, turn in turns.items() if turn.scored}
        scored = scored_of(
            {one: part.purchases for one, part in anew.items()},
            known,
            terms,
            {one: part.first for one, part in anew.items()},
        )
        moved = [(turn.before.purchases, turn.after.purchases) for turn in turns.values() if turn.moved]
        await self.scores.moves.add(changes(moved), unit.session)
        await self.scores.customers.save(scored, unit.session)
        regrouped = [
            Regrouped(one, turn.bond, terms.now if turn.withdrawn else None) for one, turn in sorted(turns.items())
        ]
        await self.scores.customers.regroup(regrouped, unit.session)
        _tell_withdrawn(unit, turns, terms)
        for one in scored:
            cause = turns[one.customer_id].cause
            one.tell(unit, cause=cause, time=None if cause else terms.now)


def _last(theirs: Mapping[str, Sequence[Received]], members: Iterable[str], link: Received | None) -> Received | None:
    """What makes the difference to those who are one: the last of their facts, or the link."""
    heard = [event for one in members for event in theirs.get(one, ())]
    return heard[-1] if heard else link


def _moved(customer: str, turn: Turn, parts: Mapping[str, Part]) -> bool:
    """Whether the customer's own part has changed, or is the root of one that may have."""
    if turn.bond is None or turn.bond.merged_into is None:
        return True
    return turn.bond.own is not parts[customer]


def _tell_withdrawn(unit: Unit, turns: Mapping[str, Turn], terms: Terms) -> None:
    for one, turn in turns.items():
        if turn.withdrawn:
            gone = ScoreWithdrawn(customer_id=one, as_of=terms.now, restricted=turn.hidden)
            unit.publish(SCORES, gone, key=one, cause=turn.cause, time=None if turn.cause else terms.now)

"""Finding out with whom customers may be one, as they are registered, changed, merged and parted.

Whatever is found follows from what is kept of the customers, of the conflicts that channels reported and of what people decided.
So it may be found again at any time and in any order, and ends the same. Records are written before others are looked for:
of two customers who are looked at in the same moment by two instances, one sees the other.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

import structlog

from services.contacts.domain.matching.proposals import Customers, Limits, couple, proposed
from services.contacts.domain.matching.record import FIELDS, Record, record_of
from services.contacts.domain.survivorship import Known
from services.contacts.handlers.proposals import Kept, Model, Proposal, Records, Report, mark
from services.contacts.handlers.weighing import (
    Look,
    Outcome,
    Sure,
    all_sure,
    between,
    likeliest,
    told_apart,
    weigh_all,
)
from shared.clock import Clock
from shared.logging import whereabouts

log = structlog.get_logger(__name__)


class Matching:
    """Takes customers who are new or different, a piece at a time."""

    def __init__(self, records: Records, clock: Clock, merge: Callable[[Sure], Awaitable[None]]) -> None:
        self.records = records
        self.clock = clock
        self.merge = merge

    async def take(self, customers: Collection[str], touched: Collection[str] = ()) -> list[Sure]:
        """Bring the records and the open pairs of these customers up to date. Of those `touched` there is news beside their
        contacts. Merges those who surely are one, as far as the installation wants that, and returns them.
        """
        model, wanted = await self.records.model(), await self.records.wanted()
        at_present = mark(model.version, wanted.revision)
        now, root = await self._now({*customers, *touched})
        gone = {one for one in (*customers, *touched) if root.get(one) != one}
        await self.records.drop(gone)
        await self.records.forget(gone - root.keys())
        before = await self.records.kept(now.keys())
        changed = {who for who, one in now.items() if who not in before or not one.same(before[who])}
        await self.records.put([now[who] for who in changed])
        news = changed | {root.get(one, one) for one in touched}
        due = [one for who, one in now.items() if who in news or before[who].mark != at_present]
        looks = await self._looks(due, root)
        outcome = await self._weighed(looks, model, wanted.limits.least)
        await self._propose(looks, outcome, wanted.limits, gone)
        sure = await self._sure(looks, outcome, model, wanted.limits)
        for one in sure:
            await self.merge(one)
        # Not before: a process that ends in between begins with these again.
        await self.records.settle([one.customer for one in due], at_present)
        return sure

    async def _now(self, customers: Collection[str]) -> tuple[dict[str, Kept], dict[str, str]]:
        """Their records as of now, of those merged into others these others'; and who answers for whom."""
        loaded = await self.records.load(customers)
        roots = {known.place.root for known in loaded.values() if known.place.root}
        loaded |= await self.records.load(roots - loaded.keys())
        answering = {one: known for one, known in loaded.items() if known.place.root is None}
        # Understanding names and addresses is no work for the event loop.
        kept = await asyncio.to_thread(lambda: {one: _kept(known) for one, known in answering.items()})
        return kept, {one: known.place.root or one for one, known in loaded.items()}

    async def _looks(self, due: Sequence[Kept], root: Mapping[str, str]) -> list[Look]:
        if not due:
            return []
        found = await self.records.holders([kept.record for kept in due])
        reports = await self.records.reported({one for kept in due for one in kept.everybody})
        roots = {**root, **await self._roots({one for report in reports for one in report.customers} - root.keys())}
        shown = await self.records.proposals_of({kept.customer for kept in due})
        return [
            Look(kept, _by_other(kept, reports, roots), _others(kept.customer, shown), frozenset(holding))
            for kept, holding in zip(due, found, strict=True)
        ]

    async def _roots(self, customers: Collection[str]) -> dict[str, str]:
        return {one: known.place.root or one for one, known in (await self.records.load(customers)).items()}

    async def _weighed(self, looks: Sequence[Look], model: Model, least: float) -> Outcome:
        """Each pair once, without those whom somebody has told apart."""
        kept = {look.kept.customer: look.kept for look in looks}
        kept |= await self.records.kept({other for look in looks for other in look.others} - kept.keys())
        rejected = await self.records.rejected({one for look in looks for one in look.kept.everybody})
        pairs = {couple(look.kept.customer, other) for look in looks for other in look.others if other in kept}
        if rejected:
            pairs = {pair for pair in pairs if not told_apart(pair, kept, rejected)}
        return Outcome(kept, await asyncio.to_thread(weigh_all, list(pairs), kept, model, least))

    async def _propose(self, looks: Sequence[Look], outcome: Outcome, limits: Limits, gone: Collection[str]) -> None:
        at = await self.clock.now()
        stand: dict[Customers, Proposal] = {}
        for look in looks:
            who = look.kept.customer
            reported = [other for other in look.reports if couple(who, other) in outcome.weighed]
            for other in proposed(outcome.of(who, look.others), reported, look.shown, limits):
                pair = couple(who, other)
                weighed, report = outcome.weighed[pair], look.reports.get(other)
                stand[pair] = Proposal(
                    pair,
                    weighed.probability if weighed else None,
                    weighed.why if weighed else None,
                    report.identifiers if report else (),
                    report.seen_at if report else at,
                    found=weighed is not None and weighed.probability >= limits.least,
                )
        shown = {couple(look.kept.customer, other) for look in looks for other in look.shown}
        shown |= await self.records.proposals_of(gone) if gone else set()
        await self.records.propose(list(stand.values()), shown - stand.keys())

    async def _sure(self, looks: Sequence[Look], outcome: Outcome, model: Model, limits: Limits) -> list[Sure]:
        """Of each customer the one whom it surely is, unless one of the two may as surely be somebody who is not the other."""
        if limits.automatic is None:
            return []
        best = {couple(one, other) for one, other in likeliest(looks, outcome, limits.automatic)}
        if not best:
            return []
        # Of both, all whom they may be have to be known.
        seen = {look.kept.customer for look in looks}
        partners = await self._looks([outcome.kept[one] for pair in best for one in pair if one not in seen], {})
        outcome = outcome.with_all(await self._weighed(partners, model, limits.least))
        sure = all_sure([*looks, *partners], outcome, limits.automatic)
        more = between(best, sure) - outcome.weighed.keys()
        outcome = outcome.with_all(await self._weighed_third(sorted(more), outcome.kept, model))
        found = [
            Sure(pair, weighed, {one: outcome.kept[one].record for one in pair})
            for pair in best
            if (weighed := outcome.weighed[pair])
            and all(outcome.surely(one, limits.automatic) for one in between({pair}, sure))
        ]
        return sorted(found, key=lambda one: (-one.weighed.probability, one.customers))

    async def _weighed_third(self, pairs: Sequence[Customers], kept: Mapping[str, Kept], model: Model) -> Outcome:
        """These pairs weighed; of those whom a person told apart, nothing."""
        rejected = await self.records.rejected({one for pair in pairs for one in kept[pair[0]].everybody})
        weighed = await asyncio.to_thread(weigh_all, pairs, kept, model, 1.0)
        return Outcome({}, {pair: None if told_apart(pair, kept, rejected) else one for pair, one in weighed.items()})


def _kept(known: Known) -> Kept:
    customer = known.contact.customer_id
    try:
        record = record_of(known.published)
    except Exception as error:  # noqa: BLE001 - one contact that we cannot understand must not keep all others waiting
        log.error("contact_not_understood", customer_id=customer, error=type(error).__name__, at=whereabouts(error))
        record = Record(known.published.party, ("",) * len(FIELDS[known.published.party]))
    kept = Kept(customer, record, known.place.members)
    _ = kept.record.keys, kept.record.whole  # worked out here, in the thread
    return kept


def _others(customer: str, pairs: Iterable[Customers]) -> frozenset[str]:
    return frozenset(one for pair in pairs if customer in pair for one in pair if one != customer)


def _by_other(kept: Kept, reports: Iterable[Report], root: Mapping[str, str]) -> dict[str, Report]:
    """Reports of one who is in this customer and one who is not, by who answers for that one; of several the first."""
    found: dict[str, Report] = {}
    for report in sorted(reports, key=lambda one: (one.seen_at, one.customers), reverse=True):
        answering = {root.get(one, one) for one in report.customers}
        if kept.customer in answering and len(answering) > 1:
            [other] = answering - {kept.customer}
            found[other] = report
    return found

"""Two customers who are one: what is merged, what that makes of their contacts, and how it is undone. Pure.

Parts are never moved: each customer keeps what was said of them, a merge is a link from the absorbed to the survivor, and
what is published of the survivor is made of all parts. So nothing is lost, and undoing ends the link.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.contacts.domain.barring import both
from services.contacts.domain.consents import of_both
from services.contacts.domain.following import course_of, faulty, staged
from services.contacts.domain.hearsay import only_a_lead, vouched
from services.contacts.domain.known import UNKNOWN, Candidate
from services.contacts.domain.lifecycle import joined
from services.contacts.domain.places import Place
from services.contacts.domain.points import LISTS
from services.contacts.domain.reconsidering import judged_again
from services.contacts.domain.ruling import Rules
from services.contacts.domain.survivorship import (
    NO_RULES,
    PUBLISHED,
    Known,
    Statement,
    differences,
    heard,
    milliseconds,
    settled,
)

MAX_MEMBERS = 50
"""A merge reads and writes all parts in one transaction; a person who has been registered more often is no person."""

Parts = Mapping[str, Known]


class TooManyMembers(ValueError):
    """More customers than can be one."""


@dataclass(frozen=True)
class Merge:
    """That two customers were found to be one: who said so, when, why, and whether it was taken back."""

    merge_id: str
    survivor: str
    absorbed: str
    merged_at: datetime
    merged_by: str
    reason: str | None = None
    undone_at: datetime | None = None
    undone_by: str | None = None
    undo_reason: str | None = None


def merged(parts: Parts, merge: Merge) -> dict[str, Known]:
    """The parts of both, after the merge. Survivor and absorbed must each be the root of theirs. Raises TooManyMembers."""
    if len(parts) > MAX_MEMBERS + 1:
        raise TooManyMembers(f"at most {MAX_MEMBERS} customers can be merged into one")
    absorbed, survivor = parts[merge.absorbed].place, parts[merge.survivor].place
    places = {customer: replace(known.place, root=merge.survivor) for customer, known in parts.items()}
    places[merge.absorbed] = replace(
        absorbed,
        turn=absorbed.turn + 1,
        merge_id=merge.merge_id,
        into=merge.survivor,
        since=merge.merged_at,
        root=merge.survivor,
        members=(),
        golden=None,
    )
    places[merge.survivor] = replace(survivor, members=_others(parts, merge.survivor))
    return _placed(parts, places)


def unmerged(parts: Parts, absorbed: str) -> dict[str, Known]:
    """The parts after the absorbed has left, with all who had been merged into them."""
    place = parts[absorbed].place
    root = place.root
    assert root is not None, "only who was absorbed can leave"
    leaving = {customer for customer in parts if absorbed in _chain(parts, customer)}
    places = {customer: replace(parts[customer].place, root=absorbed) for customer in leaving}
    places[absorbed] = Place(turn=place.turn + 1, members=_others(leaving, absorbed), beat=place.beat)
    places[root] = replace(parts[root].place, members=_others(parts.keys() - leaving, root))
    return _placed(parts, places)


def regrouped(
    parts: Parts,
    root: str,
    now: datetime,
    country: str | None = None,
    rules: Rules = NO_RULES,
    *,
    set_free: bool = False,
) -> tuple[Known, list[str]]:
    """The root with the contact that all its members make, and what others see different of it. Raises TooManyConsents.

    Of who was set free just now, all that is known is news. Versions of a customer grow, whether it is one or many who
    make them. `country` as in `survivorship.fold`.
    """
    known = parts[root]
    members = known.place.members
    before = known.place.golden or known.contact
    whole = together(root, parts, country, rules).contact if members else known.contact
    changed = [name for name in PUBLISHED if getattr(whole, name)] if set_free else differences(before, whole)
    golden = whole.model_copy(update={"version": before.version, "changed_at": before.changed_at}) if members else None
    known = replace(known, place=replace(known.place, golden=golden, beat=known.place.beat + 1))
    return (renewed(known, now), changed) if changed else (known, changed)


def renewed(root: Known, now: datetime) -> Known:
    """The next version of what is published of a root."""
    stamp = {"version": root.published.version + 1, "changed_at": milliseconds(now)}
    golden = root.place.golden and root.place.golden.model_copy(update=stamp)
    return replace(root, contact=root.contact.model_copy(update=stamp), place=replace(root.place, golden=golden))


def together(root: str, parts: Parts, country: str | None = None, rules: Rules = NO_RULES) -> Known:
    """What a root and its members, who are among the parts, make: of each field what its rule says, whoever it was said of.

    What is chosen, and how numbers without a country are understood, follows from all of it. `country` as in `fold`.
    """
    members = [parts[one] for one in (root, *parts[root].place.members)]
    leads = all(only_a_lead(known.contact) for known in members)
    if not leads:
        members = [_brought(known) for known in members]
    absorbed = defaultdict(list)
    for known in members:
        if known.place.into is not None:
            absorbed[known.place.into].append(known)
    whole = settled(_whole(members[0], absorbed, rules), country, leads=leads)
    registered_at = min(known.contact.registered_at for known in members)
    update: dict[str, Any] = {"absorbed": list(parts[root].place.members), "registered_at": registered_at}
    if whole.contact.links:
        # What was said to join two who are one says nothing, as long as they are one.
        own = {root, *parts[root].place.members}
        update["links"] = [link for link in whole.contact.links if link.to not in own]
    return replace(whole, contact=whole.contact.model_copy(update=update))


def _brought(known: Known) -> Known:
    """A lead as it comes in where it is merged with somebody who is known: without a yes that was given for an address of nobody.

    A confirmed address was said by the field itself.
    """
    contact = known.contact
    if not only_a_lead(contact) or known.said.keys() & {"email", "phone"}:
        return known
    left = [one for one in contact.consents if one.status != "granted" or vouched(one.source)]
    if len(left) == len(contact.consents):
        return known
    return replace(known, contact=contact.model_copy(update={"consents": left}))


def _whole(known: Known, absorbed: Mapping[str, list[Known]], rules: Rules) -> Known:
    """A customer with all who were merged into them, in the order in which that happened; not settled."""
    known = judged_again(known, rules)
    for one in sorted(absorbed.get(known.contact.customer_id, ()), key=_merged_when):
        known = _both(known, _whole(one, absorbed, rules), rules)
    return known


def _merged_when(known: Known) -> tuple[datetime, str]:
    assert known.place.since is not None, "who was merged into somebody was so at some time"
    return known.place.since, known.contact.customer_id


def _both(survivor: Known, absorbed: Known, rules: Rules) -> Known:
    for told in _statements(absorbed):
        survivor = heard(survivor, told, rules)
    since, _ = _merged_when(absorbed)
    consents = of_both(survivor.contact.consents, absorbed.contact.consents, since)
    update: dict[str, Any] = {"consents": consents}
    if absorbed.contact.do_not_contact:
        update["do_not_contact"] = both(survivor.contact.do_not_contact, absorbed.contact.do_not_contact)
    survivor = replace(survivor, contact=survivor.contact.model_copy(update=update))
    if absorbed.faults:
        survivor = faulty(survivor, absorbed.faults)
    return staged(survivor, joined(course_of(survivor), course_of(absorbed)))


def _statements(known: Known) -> Iterable[Statement]:
    """What was said of a customer, as far as it is kept, to be said of another. Consents have a rule of their own."""
    contact = known.contact
    lists = {name: getattr(contact, name) for name in LISTS}
    yield Statement(
        "", contact.registered_at, contact.identifiers, points=lists, links=contact.links, roles=contact.roles
    )
    for place, at in known.said.items():
        if place == "stage":
            continue  # it follows from the life cycle
        name, _, code = place.partition(".")
        value = getattr(contact, name)
        holds = Candidate(at, known.tellers.get(place, UNKNOWN), value.get(code) if code else value)
        for one in (*known.also.get(place, ()), holds):
            yield _statement(name, code, one)


def _statement(name: str, code: str, said: Candidate) -> Statement:
    source, by = said.teller
    if code:
        entry: dict[str, Any] = {name: {code: said.value}}
        return Statement(source, said.at, **entry, by=by)
    return Statement(source, said.at, fields={name: said.value}, by=by)


def _chain(parts: Parts, customer: str) -> Iterable[str]:
    """A customer, whom they were merged into, and so on."""
    step: str | None = customer
    while step is not None:
        yield step
        step = parts[step].place.into


def _others(customers: Iterable[str], root: str) -> tuple[str, ...]:
    return tuple(sorted(set(customers) - {root}))


def _placed(parts: Parts, places: Mapping[str, Place]) -> dict[str, Known]:
    """The parts, each where it stands now."""
    return {**parts, **{one: replace(parts[one], place=place) for one, place in places.items()}}

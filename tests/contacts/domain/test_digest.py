"""The digest of what a contact has: it never shuts out whoever is meant, and nearly always whoever is not."""

import random
from datetime import UTC, datetime
from itertools import product
from typing import get_args

from services.contacts.domain.access import EVERYBODY, Rows
from services.contacts.domain.digest import SLOTS, digest, sieve
from services.contacts.domain.traits import Wanted
from shared.contracts.parties import PartnerRole

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LIMITS = (EVERYBODY, Rows(territories=frozenset({"t1", "t2"})), Rows(frozenset({"t1"}), frozenset({"o1", "o2"})))


def some(dice: random.Random) -> dict[str, str]:
    values = {"city": 300, "territory": 5, "owner": 4, "country": 3}
    told = {name: f"{name[0]}{dice.randrange(many)}" for name, many in values.items() if dice.random() < 0.9}
    roles = {"role": dice.choice(get_args(PartnerRole))} if dice.random() < 0.3 else {}
    return {"party": dice.choice(["person", "organisation"]), "stage": "lead", **told, **roles}


def keys(told: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in told.items()]


def test_whoever_has_all_that_is_wanted_passes_and_hardly_anybody_else() -> None:
    dice = random.Random(1)
    everybody = [some(dice) for _ in range(300)]
    meant = others = passed = 0
    for asked, rows in product([some(dice) for _ in range(100)], LIMITS):
        names = dice.sample(sorted(asked), min(2, len(asked)))
        passes = sieve([Wanted("traits", name, asked[name], at=NOW) for name in names], rows)
        for one in everybody:
            has = all(one.get(name) == asked[name] for name in names)
            sees = rows.has(one.get("territory"), one.get("owner"))
            here = passes is None or passes(digest(keys(one)))
            if has and sees:
                meant += 1
                assert here
            elif passes is not None and "stage" not in names:
                others += 1
                passed += here
    assert meant > 1000
    assert passed / others < 0.01


def test_slots_lie_beside_each_other_and_fit_a_number_of_the_database() -> None:
    told = 0
    for slot in SLOTS.values():
        assert not told & slot.mask
        told |= slot.mask
    assert told < 2**63


def test_what_most_often_is_told_apart_is_told_apart() -> None:
    for name, values in (("party", ("person", "organisation", "household")), ("role", get_args(PartnerRole))):
        assert len({digest([f"{name}={value}"]) for value in values}) == len(values)


def test_who_has_several_roles_passes_for_each() -> None:
    held = digest(["role=agent", "role=supplier"])
    for role, here in (("agent", True), ("supplier", True), ("distributor", False)):
        passes = sieve([Wanted("traits", "role", role, at=NOW)], EVERYBODY)
        assert passes
        assert passes(held) is here


def test_who_has_no_digest_yet_passes() -> None:
    for rows in LIMITS:
        passes = sieve([Wanted("traits", "city", "koln")], rows)
        assert passes
        assert passes(None)


def test_of_stages_and_fields_digests_tell_nothing() -> None:
    fields = [Wanted("attributes", "tier", "gold"), Wanted("attributes", "sports", "golf", entry=True)]
    assert sieve([*fields, Wanted("traits", "stage", "lapsed")], EVERYBODY) is None

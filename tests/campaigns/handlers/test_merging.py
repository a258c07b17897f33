"""Profiles of customers who are one: rules ask the survivor's, which says what all have done, whatever is heard in which order."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from services.campaigns.domain.merging import asked
from services.campaigns.domain.profile import Figures, Profile
from services.campaigns.domain.rules import RULE
from services.campaigns.store.erasing import steps
from services.campaigns.store.profiles import ProfileStore
from shared import mongo
from shared.clock import WallClock
from shared.contracts.contacts import ContactRestricted
from shared.contracts.fact import Fact
from shared.contracts.interactions import InteractionRecorded, OrderCancelled, OrderPlaced, OrderReturned
from shared.contracts.merges import LinkFact, root_of
from shared.contracts.scoring import ScoreWithdrawn
from shared.erasing import Work
from shared.links import LinkStore
from shared.messaging import Unit
from shared.mongo import Database, Session
from tests.campaigns.facts import consent, contact, customer, day, histories, interaction, order, received, scored
from tests.campaigns.handlers.test_profiles import UNIT
from tests.campaigns.memory import MemoryProfiles, following
from tests.links import MemoryLinks, link, links_among

ANN, BOB, CAT = PEOPLE = customer(1), customer(2), customer(3)
DONE = (OrderPlaced, OrderReturned, OrderCancelled, InteractionRecorded)
NOW = day(500)


class World:
    def __init__(self) -> None:
        self.profiles = MemoryProfiles()
        self.links = MemoryLinks()
        self.following = following(self.profiles, self.links, WallClock())

    async def hear(self, *facts: Fact) -> None:
        await self.following.fold(UNIT, [received(fact, offset) for offset, fact in enumerate(facts)])

    async def erase(self, gone: str) -> None:
        """Nothing told under their id is heard from now on."""
        self.following.erased = {gone}.intersection
        await self.following.leave(UNIT, [gone])
        self.profiles.profiles.pop(gone, None)

    def shown(self) -> dict[str, Profile]:
        found = {one: asked(profile) for one, profile in self.profiles.profiles.items()}
        return {one: profile for one, profile in found.items() if profile}

    async def found(self, **condition: Any) -> list[str]:
        return await self.profiles.first(RULE.validate_python(condition), NOW, 10)


def figures(profiles: dict[str, Profile]) -> dict[str, Figures]:
    """Of whoever has done anything."""
    done = {one: profile.own() for one, profile in profiles.items()}
    return {one: figures for one, figures in done.items() if figures != Profile(one).own()}


@given(st.tuples(*(histories(one, 10 * number) for number, one in enumerate(PEOPLE))), links_among(PEOPLE), st.data())
async def test_in_any_order_and_any_batches_a_rule_sees_them_as_if_they_had_always_been_one(
    told: tuple[list[Fact], ...], links: list[LinkFact], data: st.DataObject
) -> None:
    facts = data.draw(st.permutations([fact for history in told for fact in history] + list[Fact](links)))
    size = data.draw(st.integers(1, 9))
    world, alone = World(), World()
    for begin in range(0, len(facts), size):
        await world.hear(*facts[begin : begin + size])
    for fact in facts:
        if isinstance(fact, DONE):
            await alone.hear(fact.model_copy(update={"customer_id": root_of(fact.customer_id, world.links.into())}))
    assert figures(world.shown()) == figures(alone.shown())
    roots = {root_of(one, world.links.into()) for one in PEOPLE}
    assert world.shown().keys() <= roots


@given(
    st.tuples(*(histories(one, 10 * number) for number, one in enumerate(PEOPLE))),
    links_among(PEOPLE),
    st.sampled_from(PEOPLE),
    st.data(),
)
async def test_whoever_is_erased_in_the_midst_of_it_is_as_if_they_had_never_been(
    told: tuple[list[Fact], ...], links: list[LinkFact], gone: str, data: st.DataObject
) -> None:
    facts = data.draw(st.permutations([fact for history in told for fact in history] + list[Fact](links)))
    size, then = data.draw(st.integers(1, 9)), data.draw(st.integers(0, len(facts)))
    world, alone = World(), World()
    for begin in range(0, then, size):
        await world.hear(*facts[begin : min(begin + size, then)])
    await world.erase(gone)
    left = [fact for fact in facts[then:] if received(fact).subject != gone]
    for begin in range(0, len(left), size):
        await world.hear(*left[begin : begin + size])
    for fact in facts:
        if isinstance(fact, DONE) and fact.customer_id != gone:
            await alone.hear(fact.model_copy(update={"customer_id": root_of(fact.customer_id, world.links.into())}))
    assert figures(world.shown()) == figures(alone.shown())
    assert gone not in repr((world.profiles.profiles, world.links.links))


async def test_one_who_is_restricted_hides_all_who_are_one_until_it_is_lifted() -> None:
    world = World()
    everybody = {"field": "sales.orders", "at_least": 1}
    await world.hear(order(1, ANN, day(1)), order(2, BOB, day(2)), order(3, CAT, day(3)))
    await world.hear(restricted(BOB))
    assert await world.found(**everybody) == [ANN, CAT]
    await world.hear(link(BOB, ANN, 1))
    assert await world.found(**everybody) == [CAT]
    await world.hear(order(4, ANN, day(4)), restricted(BOB, False))
    assert await world.found(**everybody) == [ANN, CAT]
    assert await world.found(field="sales.orders", **{"is": 3}) == [ANN]
    await world.hear(restricted(BOB), link(BOB, ANN, 2))
    assert await world.found(**everybody) == [ANN, CAT]
    await world.hear(restricted(ANN), restricted(BOB, False), link(BOB, ANN, 3))
    assert await world.found(**everybody) == [CAT]
    await world.hear(link(BOB, ANN, 4))
    assert await world.found(**everybody) == [BOB, CAT]


async def test_a_score_that_must_not_be_used_is_in_no_rule_until_it_is_told_again() -> None:
    """As of the same moment too: scoring's clock stands still where nobody buys."""
    world = World()
    rich = {"field": "score.money", "at_least": 1}
    gone = ScoreWithdrawn(customer_id=ANN, as_of=day(1), restricted=True)
    await world.hear(scored(ANN, day(1)), restricted(ANN), gone)
    assert await world.found(**rich) == []
    await world.hear(restricted(ANN, False))
    assert await world.found(**rich) == []
    await world.hear(scored(ANN, day(1)))
    assert await world.found(**rich) == [ANN]
    # Scoring may hear of a restriction later than campaigns does.
    await world.hear(restricted(ANN), scored(ANN, day(2)))
    assert await world.found(**rich) == []


@pytest.mark.integration
async def test_on_the_real_database_restriction_and_erasure_of_one_who_is_one_with_others(database: Database) -> None:
    profiles, links = ProfileStore(database), LinkStore(database)
    for prepare in (profiles.prepare, links.prepare):
        await prepare()
    ours = following(profiles, links, WallClock())

    async def hear(*facts: Fact) -> list[str]:
        async def fold(session: Session) -> None:
            await ours.fold(Unit("campaigns", database, session), [received(fact) for fact in facts])

        await mongo.transaction(database.client, fold)
        return [*await everybody(profiles)]

    await hear(order(1, ANN, day(1)), order(2, BOB, day(2)), order(3, CAT, day(3)))
    assert await hear(link(BOB, ANN, 1), link(CAT, BOB, 1)) == [ANN]
    assert await hear(restricted(CAT)) == []
    assert await hear(order(4, ANN, day(4)), link(CAT, BOB, 2)) == [ANN]
    assert await hear(restricted(CAT, False)) == [ANN, CAT]
    assert await hear(restricted(ANN), link(CAT, BOB, 3)) == []
    assert await hear(restricted(ANN, False)) == [ANN]

    async def erase(session: Session) -> None:
        for step in steps(ours):
            await step.piece(Unit("campaigns", database, session), Work("erasure", [BOB]))

    await mongo.transaction(database.client, erase)
    assert await everybody(profiles) == [ANN, CAT]
    assert await bonds(database) == [{}, {}]
    for collection in ("profiles", "orders", "links"):
        assert BOB not in repr(await database[collection].find().to_list(None))


@pytest.mark.integration
async def test_of_the_erased_nothing_is_kept_in_what_was_told_of_who_had_absorbed_them(database: Database) -> None:
    """Ann was Bob once; Bob is Cat now, and contacts tells Cat alone. Whether Bob may be contacted is known all the same."""
    profiles, links = ProfileStore(database), LinkStore(database)
    for prepare in (profiles.prepare, links.prepare):
        await prepare()
    ours = following(profiles, links, WallClock())

    async def hear(*facts: Fact) -> None:
        async def fold(session: Session) -> None:
            await ours.fold(Unit("campaigns", database, session), [received(fact) for fact in facts])

        await mongo.transaction(database.client, fold)

    answer = consent("news", "any", "granted", day(1))
    told = {"attributes": {"hobby": "chess"}, "address": {"city": "Ulm"}, "consents": [answer]}
    await hear(contact(ANN, 1, **told), contact(BOB, 1), contact(CAT, 1))
    await hear(link(ANN, BOB, 1), contact(BOB, 2, **told, absorbed=[ANN]))
    await hear(link(BOB, CAT, 1), contact(CAT, 2, **told, absorbed=[ANN, BOB]))
    await hear(link(ANN, BOB, 2), contact(ANN, 2, **told), contact(CAT, 3, absorbed=[BOB]))

    async def erase(session: Session) -> None:
        for step in steps(ours):
            while await step.piece(Unit("campaigns", database, session), Work("erasure", [ANN])):
                pass

    await mongo.transaction(database.client, erase)
    kept = repr(await database["profiles"].find().to_list(None))
    assert not [found for found in (ANN, "chess", "Ulm") if found in kept]
    asked_of = await profiles.asked([BOB])
    assert asked_of[BOB].consents == {}
    await hear(link(BOB, CAT, 2))
    assert (await profiles.asked([BOB]))[BOB].consents["news"]["any"].word == "granted"
    await hear(contact(BOB, 3, attributes={"hobby": "go"}))
    rule = RULE.validate_python({"field": "contact.attributes.hobby", "is": "go"})
    assert await profiles.first(rule, NOW, 10) == [BOB]


def restricted(customer_id: str, so: bool = True) -> ContactRestricted:
    return ContactRestricted(customer_id=customer_id, restricted=so, since=day(9))


async def test_the_absorbed_is_in_no_rule_and_the_survivor_has_it_all() -> None:
    world = World()
    await world.hear(contact(ANN, 1), contact(BOB, 1), order(1, ANN, day(1), "10"), order(2, BOB, day(2), "5"))
    await world.hear(link(BOB, ANN, 1), interaction(1, BOB, day(3)))
    assert await world.found(field="sales.total", at_least=Decimal(15)) == [ANN]
    assert await world.found(field="interactions.count.call", at_least=1) == [ANN]
    assert await world.found(**{"not": {"field": "sales.orders", "is": 7}}) == [ANN]
    await world.hear(link(BOB, ANN, 2), order(3, BOB, day(4), "1"))
    assert await world.found(field="sales.total", at_most=Decimal(10)) == [ANN, BOB]
    assert world.shown()[BOB].sales.total == Decimal(6)
    assert world.shown()[ANN].interactions.count == 0


async def test_a_score_that_is_withdrawn_is_none_and_an_older_withdrawal_is_nothing() -> None:
    world = World()
    await world.hear(scored(ANN, day(9), segment="gone"))
    await world.hear(ScoreWithdrawn(customer_id=ANN, as_of=day(8)))
    assert await world.found(field="score.segment", exists=True) == [ANN]
    await world.hear(ScoreWithdrawn(customer_id=ANN, as_of=day(9)))
    assert await world.found(field="score.segment", exists=False) == [ANN]
    await world.hear(scored(ANN, day(9), segment="new"))
    assert await world.found(field="score.segment", **{"is": "new"}) == [ANN]


@pytest.mark.integration
async def test_two_instances_that_write_for_one_person_at_once_lose_nothing(database: Database) -> None:
    profiles, links = ProfileStore(database), LinkStore(database)
    for prepare in (profiles.prepare, links.prepare):
        await prepare()

    async def hear(*facts: Fact) -> None:
        async def fold(session: Session) -> None:
            unit = Unit("campaigns", database, session)
            await following(profiles, links, WallClock()).fold(unit, [received(fact) for fact in facts])

        await mongo.transaction(database.client, fold)

    async def stream(customer_id: str, first: int, turn: int) -> None:
        for number in range(first, first + 10):
            await hear(order(number, customer_id, day(number), "1"), interaction(number, customer_id, day(number)))
            if number == first + 4:
                await hear(link(BOB, ANN, turn))

    async def asked_for(orders: int) -> list[str]:
        both = {"all": [{"field": f, "is": orders} for f in ("sales.orders", "interactions.count")]}
        return await profiles.first(RULE.validate_python(both), NOW, 9)

    await asyncio.gather(stream(ANN, 0, 1), stream(BOB, 100, 1))
    assert await asked_for(20) == [ANN]
    assert await everybody(profiles) == [ANN]
    await asyncio.gather(stream(ANN, 200, 2), stream(BOB, 300, 2))
    assert await asked_for(20) == [ANN, BOB]
    assert await bonds(database) == [{}, {}]
    await hear(link(CAT, ANN, 1), link(BOB, CAT, 3))
    await hear(link(BOB, CAT, 4))
    assert await asked_for(20) == [ANN, BOB]
    nobody = {"field": "sales.last_order_at", "exists": False}
    assert await profiles.first(RULE.validate_python(nobody), NOW, 9) == []


async def everybody(profiles: ProfileStore) -> Sequence[str]:
    return await profiles.first(RULE.validate_python({"field": "sales.orders", "at_least": 0}), NOW, 9)


async def bonds(database: Database) -> list[dict[str, Any]]:
    found = database["profiles"].find({}, dict.fromkeys(("merged_into", "members", "own"), 1) | {"_id": 0})
    return await found.to_list(None)

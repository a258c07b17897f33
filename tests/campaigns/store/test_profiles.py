"""What is saved is what is loaded, and a rule finds the same customers in MongoDB as in memory."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings as hypothesis_settings, strategies as st
from pymongo.errors import ExecutionTimeout

from services.campaigns.domain.answers import Answer
from services.campaigns.domain.meaning import predicate
from services.campaigns.domain.orders import Order, Orders, SaleFact
from services.campaigns.domain.profile import Profile, fold
from services.campaigns.domain.rules import RULE
from services.campaigns.handlers.errors import TakesTooLong
from services.campaigns.store.profiles import ProfileStore, in_time
from shared.contracts.contacts import ContactChanged
from shared.contracts.fact import Fact
from shared.contracts.interactions import OrderReturned
from shared.mongo import Database
from tests.campaigns.facts import (
    ASKED_AT,
    ban,
    cancelled,
    consent,
    contact,
    contacts,
    customer,
    day,
    histories,
    interaction,
    order,
    returned,
    scored,
)
from tests.campaigns.memory import MemoryProfiles
from tests.campaigns.questions import Question, permissions, questions
from tests.campaigns.shopper import ANN, FALSE, NOW, SHOPPER, TRUE

Profiles = ProfileStore | MemoryProfiles
CROWD = 12


def profile_of(customer_id: str, facts: list[Fact]) -> Profile:
    profile = Profile(customer_id, touched={"contact", "score", "sales", "interactions"})
    for fact in facts:
        fold(profile, fact)
    return profile


async def save_orders(profiles: Profiles, *facts: SaleFact) -> None:
    """As a batch of these facts would."""
    returns = [fact.return_id for fact in facts if isinstance(fact, OrderReturned)]
    orders = await profiles.orders([fact.order_id for fact in facts], returns)
    for fact in facts:
        orders.take(fact)
    await profiles.save([], orders)


class Suite:
    """What any profile store has to do."""

    async def test_what_folding_needs_comes_back_as_it_was_saved(self, profiles: Profiles) -> None:
        said = {"attributes": {"income.band": "50-74K"}, "language": "de"}
        facts = [
            contact(customer(1), 3, **said),
            scored(customer(1), day(9), value=Decimal("12.345678"), p_alive=0.25, last_purchase=day(3)),
            order(1, customer(1), day(2) + timedelta(milliseconds=7), "12.50"),
            interaction(1, customer(1), day(4), "web.visit"),
        ]
        await profiles.save([profile_of(customer(1), facts)], Orders())
        loaded = await profiles.load([customer(1), customer(2)])
        saved = profile_of(customer(1), facts)
        assert loaded.keys() == {customer(1)}
        found = loaded[customer(1)]
        assert (found.sales, found.interactions, found.kinds) == (saved.sales, saved.interactions, saved.kinds)
        assert (found.contact, found.score, found.touched) == ({"version": 3}, {"as_of": day(9)}, set())

    async def test_a_section_that_was_not_touched_is_left_as_it_is(self, profiles: Profiles) -> None:
        await profiles.save([profile_of(customer(1), [order(1, customer(1), day(1), "5")])], Orders())
        profile = (await profiles.load([customer(1)]))[customer(1)]
        fold(profile, contact(customer(1), 1))
        await profiles.save([profile], Orders())
        both = [{"field": "sales.total", "at_least": 5}, {"field": "contact.stage", "is": "customer"}]
        assert await profiles.count(RULE.validate_python({"all": both}), NOW) == 1

    async def test_orders_are_known_once_saved(self, profiles: Profiles) -> None:
        told = order(1, customer(1), day(1), "1")
        await save_orders(profiles, told)
        orders = await profiles.orders(["order-1", "order-2"], [])
        assert [orders.take(order(n, customer(1), day(1), "1")) for n in (1, 2, 2)] == [False, True, False]

    async def test_what_was_returned_is_no_revenue_and_a_cancelled_order_is_none(self, profiles: Profiles) -> None:
        first, second, third = (order(n, customer(1), day(n), "10.00") for n in (1, 2, 3))
        back, awaited = returned(1, second, "4.50"), cancelled(order(4, customer(1), day(4)))
        await save_orders(profiles, first, second, third)
        await save_orders(profiles, back, cancelled(third), awaited)
        assert await profiles.bought([customer(1)], day(0), day(9)) == {customer(1): (2, Decimal("15.50"))}
        again = await profiles.orders([f"order-{n}" for n in range(9)], [back.return_id])
        assert not any(again.take(fact) for fact in (first, second, third, back, cancelled(third), awaited))
        assert again.take(order(4, customer(1), day(4)))
        assert again.amended["order-4"] == Order("order-4", customer(1), day(4), Decimal(0), cancelled=True)
        await save_orders(profiles, cancelled(second, back), awaited)
        assert await profiles.bought([customer(1)], day(0), day(9)) == {customer(1): (1, Decimal(10))}

    async def test_an_order_and_a_return_may_be_called_alike(self, profiles: Profiles) -> None:
        """Ids are whatever a publisher says: two rows under one would stop the consumer."""
        placed = order(1, customer(1), day(1), "10.00")
        back = returned(1, placed, "4.00").model_copy(update={"return_id": placed.order_id})
        await save_orders(profiles, placed, back)
        assert await profiles.bought([customer(1)], day(0), day(9)) == {customer(1): (1, Decimal(6))}
        other = order(2, customer(1), day(2), "5.00").model_copy(update={"order_id": "x"})
        await save_orders(profiles, back.model_copy(update={"return_id": "x"}))
        await save_orders(profiles, other, placed)
        assert await profiles.bought([customer(1)], day(0), day(9)) == {customer(1): (2, Decimal(7))}

    async def test_what_customers_bought_counts_after_the_beginning_and_until_the_end(self, profiles: Profiles) -> None:
        tick = timedelta(milliseconds=1)
        times = [day(10), day(10) + tick, day(20), day(20) + tick]
        orders = [order(n, customer(1), at, "0.10") for n, at in enumerate(times)]
        await save_orders(profiles, *orders, order(9, customer(2), day(15), "9"))
        bought = await profiles.bought([customer(1), customer(3)], day(10), day(20))
        assert bought == {customer(1): (2, Decimal("0.20"))}

    async def test_conditions_hold_for_the_shopper_they_describe_and_for_no_other(self, profiles: Profiles) -> None:
        await profiles.save([profile_of(ANN, list(SHOPPER))], Orders())
        for told, asked in ((True, TRUE), (False, FALSE)):
            for field, operator, operand in asked:
                rule = RULE.validate_python({"field": field, operator: operand})
                assert await profiles.count(rule, NOW) == told, (field, operator, operand)

    async def test_who_may_be_contacted_is_asked_of_the_survivor(self, profiles: Profiles) -> None:
        said = {"consents": [consent("news.letter", "e-mail.weekly", "granted", day(1), valid_until=day(9))]}
        told = contact(customer(1), 1, **said, do_not_contact=[ban("mail", day(2))], time_zone="Asia/Tokyo")
        ann, bob, cat = profile_of(customer(1), [told]), profile_of(customer(2), []), profile_of(customer(3), [])
        bob.merged_into, cat.merged_into, cat.restricted = customer(1), customer(4), True
        for one in (bob, cat):
            one.touched |= {"bond", "restricted"}
        await profiles.save([ann, bob, cat], Orders())
        found = await profiles.asked([customer(n) for n in (2, 3, 5)])
        assert found.keys() == {customer(2)}
        shown = found[customer(2)]
        assert (shown.customer_id, shown.consents, shown.do_not_contact) == (
            customer(1),
            ann.consents,
            ann.do_not_contact,
        )
        assert (shown.contact["time_zone"], shown.restricted) == ("Asia/Tokyo", False)

    async def test_customers_of_a_rule_are_counted_sampled_and_listed_in_chunks(self, profiles: Profiles) -> None:
        await profiles.save([profile_of(customer(n), [order(n, customer(n), day(n))]) for n in range(9)], Orders())
        rule = RULE.validate_python({"field": "sales.first_order_at", "after": day(2).isoformat()})
        assert await profiles.count(rule, day(100)) == 7
        assert await profiles.first(rule, day(100), 2) == [customer(2), customer(3)]
        chunks = [chunk async for chunk in profiles.everyone(rule, day(100), 3)]
        assert [len(chunk) for chunk in chunks] == [3, 3, 1]
        assert sorted(one for chunk in chunks for one in chunk) == [customer(n) for n in range(2, 9)]


class TestInMemory(Suite):
    @pytest.fixture
    def profiles(self) -> MemoryProfiles:
        return MemoryProfiles()


@pytest.mark.integration
class TestInMongoDB(Suite):
    @pytest.fixture
    async def profiles(self, database: Database) -> ProfileStore:
        store = ProfileStore(database)
        await store.prepare()
        return store


@pytest.mark.integration
async def test_customers_are_listed_as_of_the_moment_the_listing_began(database: Database) -> None:
    profiles = ProfileStore(database)
    await profiles.save([profile_of(customer(n), [order(n, customer(n), day(1))]) for n in range(6)], Orders())
    rule = RULE.validate_python({"field": "sales.orders", "is": 1})
    listed: list[str] = []
    async for chunk in profiles.everyone(rule, day(100), 2):
        listed += chunk
        await database["profiles"].delete_many({})
    assert sorted(listed) == [customer(n) for n in range(6)]


def test_a_question_that_the_database_gave_up_is_called_too_slow() -> None:
    with pytest.raises(TakesTooLong), in_time():
        raise ExecutionTimeout("operation exceeded time limit", 50)


crowds = st.tuples(*(histories(customer(n), first_number=10 * n) for n in range(CROWD)))


@pytest.mark.integration
@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(crowds, st.lists(questions, min_size=10, max_size=10))
async def test_a_rule_finds_the_same_customers_in_mongodb_as_in_memory(
    database: Database, crowd: tuple[list[Fact], ...], asked: list[Question]
) -> None:
    profiles = ProfileStore(database)
    people = []
    for number, facts in enumerate(crowd):
        person = profile_of(customer(number), facts)
        # As it really happens: a section that nothing was ever said about is not there at all.
        person.touched = {name for name in person.touched if told_about(person, name)}
        people.append(person)
    await database["profiles"].delete_many({})
    await database["profiles"].insert_many([{"_id": person.customer_id} for person in people])
    await profiles.save(people, Orders())
    for question in asked:
        rule = RULE.validate_python(question)
        holds = predicate(rule, ASKED_AT)
        expected = [person.customer_id for person in people if holds(person)]
        assert await profiles.first(rule, ASKED_AT, CROWD) == expected, question


@pytest.mark.integration
@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.tuples(*(contacts(customer(n), 1) for n in range(CROWD))),
    st.lists(permissions, min_size=25, max_size=25),
    st.sampled_from([ASKED_AT, day(1), day(200.5)]),
)
async def test_what_customers_permit_at_a_moment_is_the_same_in_mongodb_as_in_memory(
    database: Database, crowd: tuple[ContactChanged, ...], asked: list[Question], at: datetime
) -> None:
    profiles = ProfileStore(database)
    people = [profile_of(fact.contact.customer_id, [fact]) for fact in crowd]
    await database["profiles"].delete_many({})
    await profiles.save(people, Orders())
    for question in asked:
        rule = RULE.validate_python(question)
        expected = [person.customer_id for person in people if predicate(rule, at)(person)]
        assert await profiles.first(rule, at, CROWD) == expected, question
    read = await profiles.asked([person.customer_id for person in people])
    assert [(one.consents, one.do_not_contact) for one in people] == [
        (read[one.customer_id].consents, read[one.customer_id].do_not_contact) for one in people
    ]


@pytest.mark.integration
async def test_a_profile_of_before_grants_could_end_is_read_as_it_is(database: Database) -> None:
    old = {"_id": ANN, "contact": {"version": 3, "consents": {"ads": {"any": "granted", "mail": "denied"}}}}
    await database["profiles"].insert_one(old)
    profiles = ProfileStore(database)
    for field, operator, operand, holds in (
        ("consent.ads", "is", "granted", True),
        ("consent.ads", "is", "expired", False),
        ("consent.ads@mail", "is", "denied", True),
        ("do-not-contact@mail", "is", False, True),
    ):
        assert await profiles.count(RULE.validate_python({"field": field, operator: operand}), NOW) == holds
    [known] = (await profiles.asked([ANN])).values()
    assert known.consents == {"ads": {"any": Answer("granted"), "mail": Answer("denied")}}
    assert (known.do_not_contact, known.contact) == ((), {})


def told_about(person: Profile, section: str) -> bool:
    return {
        "contact": bool(person.contact),
        "score": bool(person.score),
        "sales": person.sales.first_order_at is not None,
        "interactions": person.interactions.count > 0,
    }[section]

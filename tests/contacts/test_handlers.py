"""The use cases of contacts, on a store in memory and a unit that collects what would be told."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, cast

import orjson
import pytest
from hypothesis import given, settings, strategies as st

from services.contacts.api.bodies import ContactChange, NewContact
from services.contacts.domain.survivorship import MAX_CONSENTS
from services.contacts.handlers import Handlers, IdentifierTaken, NoSuchContact, Said, VersionMismatch
from services.contacts.handlers.book import book
from shared.contracts.channels import INBOUND, ContactReported
from shared.contracts.contacts import CONTACTS, Contact
from shared.contracts.fact import Identifier, Reason
from shared.messaging import Received, Unit
from shared.messaging.unit import HEADROOM
from shared.mongo import Session
from tests.contacts.memory import MemoryStore

NOW = datetime(2026, 1, 2, tzinfo=UTC)
NUMBERS = count()


class Noon:
    """A clock that stands."""

    async def now(self, session: Session | None = None) -> datetime:
        return NOW

    async def witness(self, unit: Unit, events: Sequence[Received]) -> None:
        """Nothing to see."""


async def all_fresh(unit: Unit, events: Sequence[Received]) -> tuple[list[Received], int]:
    return list(events), 0


def a_unit() -> Unit:
    return Unit(service="contacts", database=cast("Any", None), session=cast("Any", None), now=NOW)


def handlers(store: MemoryStore | None = None) -> Handlers:
    return Handlers(store or MemoryStore(), Noon(), all_fresh)


def ids(*names: str) -> list[Identifier]:
    return [Identifier(scheme=name.split(":")[0], value=name.split(":")[1]) for name in names]


def event(*names: str, source: str = "/channels/shop", hours: float = 0, **fields: Any) -> Received:
    report = ContactReported(customer=ids(*names), reported_at=NOW + timedelta(hours=hours), **fields)
    number = next(NUMBERS)
    return Received(
        id=f"e{number}",
        source=source,
        type=ContactReported.TYPE,
        subject=names[0],
        time=NOW,
        fact=report,
        topic=INBOUND.name,
        partition=0,
        offset=number,
        sequence=None,
        correlation_id=f"c{number}",
        origin=source,
        record=cast("Any", None),
    )


def told(unit: Unit) -> list[tuple[str, dict[str, Any]]]:
    """The types and data that the unit would tell."""
    facts = []
    for record in unit.outgoing:
        headers = dict(record.headers)
        data = orjson.loads(record.value or b"")
        assert record.key == data["contact"]["customer_id"].encode()
        facts.append((cast("bytes", headers["ce_type"]).decode().split(".")[2], data))
    return facts


async def hear(store: MemoryStore, *events: Received) -> list[tuple[str, dict[str, Any]]]:
    unit = a_unit()
    await handlers(store).hear(unit, events)
    assert not unit.rejected
    return told(unit)


def only(store: MemoryStore) -> Contact:
    (known,) = store.contacts.values()
    return known.contact


async def test_a_report_of_somebody_unknown_registers_a_contact() -> None:
    store = MemoryStore()
    ((kind, data),) = await hear(store, event("shop:1", name="Ann", email="Ann@b.de"))
    assert kind == "registered"
    assert data["contact"]["name"] == "Ann"
    assert set(store.identities) == {"shop:1", "email:ann@b.de"}
    assert only(store).version == 1


async def test_what_would_make_a_contact_larger_than_can_be_told_is_refused_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No contact becomes so large by its limits; without a bound one channel could fill one until all fail on it, if it did."""
    most, letter, store = 420_000, "\N{GRINNING FACE}", MemoryStore()
    monkeypatch.setattr(book, "SPARE", CONTACTS.max_message_bytes - HEADROOM - most)
    long = {f"p{n}": letter * 1000 for n in range(50)}
    address = {"lines": [letter * 200] * 6, "city": letter * 200, "region": letter * 200, "country": "DE"}
    addresses = [{"typed": address | {"postal_code": str(n)}, "purpose": f"p{n}"} for n in range(10)]
    await hear(store, event("shop:1", attributes=long, preferences=dict.fromkeys(long, letter * 200)))
    await hear(store, event("shop:1", hours=1, addresses=addresses))
    unit = a_unit()
    cards = [event("shop:1", *(f"c{n}-{i}:{letter * 250}" for i in range(9)), hours=2 + n) for n in range(20)]
    await handlers(store).hear(unit, [*cards, event("shop:2", name="Bob")])
    assert {one.reason for one in unit.rejected} == {Reason.TOO_LARGE}
    assert 0 < len(unit.rejected) < len(cards)
    sizes = [len(record.value or b"") for record in unit.outgoing]
    assert max(sizes) <= most
    assert {known.contact.name for known in store.contacts.values()} == {None, "Bob"}
    held = {str(one) for known in store.contacts.values() for one in known.contact.identifiers}
    assert held == set(store.identities)


async def test_a_report_of_somebody_known_changes_the_contact() -> None:
    store = MemoryStore()
    await hear(store, event("shop:1", name="Ann"))
    ((kind, data),) = await hear(store, event("shop:1", "card:7", hours=1, name="Anna"))
    assert (kind, data["changed"], data["contact"]["version"]) == ("changed", ["name", "identifiers"], 2)
    assert store.identities["card:7"] == only(store).customer_id


async def test_the_same_event_twice_changes_nothing() -> None:
    store = MemoryStore()
    same = event("shop:1", name="Ann", attributes={"size": 4})
    await hear(store, same)
    before = dict(store.contacts)
    assert await hear(store, same) == []
    assert store.contacts == before


async def test_what_the_core_has_seen_before_is_dropped_and_counted() -> None:
    async def first_only(unit: Unit, events: Sequence[Received]) -> tuple[list[Received], int]:
        return list(events[:1]), len(events) - 1

    store = MemoryStore()
    unit = a_unit()
    await Handlers(store, Noon(), first_only).hear(unit, [event("shop:1"), event("shop:2"), event("shop:3")])
    assert len(told(unit)) == len(store.contacts) == 1
    assert await store.duplicates() == 2


async def test_many_reports_about_one_customer_in_a_batch_are_one_change() -> None:
    store = MemoryStore()
    ((kind, data),) = await hear(store, *(event("shop:1", hours=hour, name=f"Ann {hour}") for hour in range(5)))
    assert (kind, data["contact"]["name"], data["contact"]["version"]) == ("registered", "Ann 4", 1)


async def test_changes_of_two_channels_are_told_one_by_one_each_with_its_origin() -> None:
    unit = a_unit()
    shop, mail = event("card:1", name="Ann"), event("card:1", source="/channels/mail", hours=1, language="de")
    await handlers().hear(unit, [shop, mail])
    assert [kind for kind, _ in told(unit)] == ["registered", "changed"]
    assert [dict(record.headers)["ce_origin"] for record in unit.outgoing] == [b"/channels/shop", b"/channels/mail"]


async def test_consents_beyond_the_limit_are_a_dead_letter_and_the_rest_goes_on() -> None:
    store = MemoryStore()

    def consents(batch: int, number: int) -> list[dict[str, Any]]:
        return [{"purpose": f"p{batch}-{n}", "status": "denied", "given_at": NOW} for n in range(number)]

    for batch in range(MAX_CONSENTS // 50):
        await hear(store, event("shop:1", consents=consents(batch, 50)))
    unit = a_unit()
    much, good = event("shop:1", consents=consents(99, 1)), event("shop:1", hours=1, name="Ann")
    await handlers(store).hear(unit, [much, good])
    assert [rejected.detail for rejected in unit.rejected] == [f"a contact holds at most {MAX_CONSENTS} consents"]
    assert only(store).name == "Ann"
    assert len(only(store).consents) == MAX_CONSENTS


async def test_two_known_customers_in_one_report_stay_two_and_are_noted_for_a_merge() -> None:
    store = MemoryStore()
    await hear(store, event("shop:1"), event("card:1"))
    owners = dict(store.identities)
    await hear(store, event("card:1", "shop:1", "web:1", hours=1, name="Ann"))
    assert store.identities == {**owners, "web:1": owners["card:1"]}
    assert store.contacts[owners["card:1"]].contact.name == "Ann"
    assert store.contacts[owners["shop:1"]].contact.name is None
    assert set(store.conflicts) == {"|".join(sorted(owners.values()))}


async def test_resolving_registers_prospects_once_and_attaches_what_is_new() -> None:
    store, unit = MemoryStore(), a_unit()
    lists = [ids("shop:1", "card:7"), ids("shop:2"), ids("card:7")]
    first = await handlers(store).resolve(unit, lists)
    assert first[0] == first[2] != first[1]
    assert [(kind, data["contact"]["stage"]) for kind, data in told(unit)] == [("registered", "prospect")] * 2
    unit = a_unit()
    assert await handlers(store).resolve(unit, [ids("shop:2", "email:X@y.de")]) == [first[1]]
    assert [(kind, data["changed"]) for kind, data in told(unit)] == [("changed", ["identifiers"])]
    unit = a_unit()
    assert await handlers(store).resolve(unit, lists) == first
    assert told(unit) == []


async def test_what_is_known_for_certain_needs_no_transaction() -> None:
    store = MemoryStore()
    customers = await handlers(store).resolve(a_unit(), [ids("shop:1", "email:a@b.de"), ids("shop:2")])
    known = handlers(store).known
    assert await known([ids("email:A@B.de"), ids("shop:2")]) == [customers[0], customers[1]]
    assert await known([ids("shop:1", "shop:3")]) is None, "an identifier has to be attached"
    assert await known([ids("shop:1", "shop:2")]) is None, "a conflict has to be noted"
    assert await known([]) == []


def said(body: NewContact) -> Said:
    return Said(body, "/keys/1", frozenset(body.model_fields_set))


async def test_a_registered_contact_is_found_by_each_of_its_identifiers() -> None:
    store, unit = MemoryStore(), a_unit()
    contact = await handlers(store).register(
        unit, said(NewContact(customer=ids("crm:1"), email="Ann@b.de", name="Ann"))
    )
    assert [kind for kind, _ in told(unit)] == ["registered"]
    for name in ("crm:1", "email:ANN@b.de"):
        assert await handlers(store).find(ids(name)[0]) == contact
    assert await handlers(store).find(ids("crm:2")[0]) is None


async def test_a_contact_with_a_known_identifier_is_not_registered_again() -> None:
    store = MemoryStore()
    contact = await handlers(store).register(a_unit(), said(NewContact(email="ann@b.de")))
    with pytest.raises(IdentifierTaken) as taken:
        await handlers(store).register(a_unit(), said(NewContact(customer=ids("crm:1"), email="Ann@b.de")))
    assert (taken.value.identifier, taken.value.customer_id) == ("email:ann@b.de", contact.customer_id)


async def test_a_change_removes_with_null_and_leaves_what_it_does_not_name() -> None:
    store = MemoryStore()
    contact = await handlers(store).register(a_unit(), said(NewContact(name="Ann", language="de")))
    change = ContactChange.model_validate({"name": None, "phone": "+49301234567"})
    unit = a_unit()
    changed = await handlers(store).change(unit, contact.customer_id, said(change), version=1)
    assert (changed.name, changed.language, changed.phone, changed.version) == (None, "de", "+49301234567", 2)
    assert told(unit)[0][1]["changed"] == ["name", "phone", "identifiers"]


async def test_a_person_speaks_last_also_after_a_channel_whose_clock_runs_ahead() -> None:
    store = MemoryStore()
    await hear(store, event("shop:1", hours=1, name="Zoe"))
    customer = only(store).customer_id
    for name in ("Ann", "Abe"):
        await handlers(store).change(a_unit(), customer, said(ContactChange(name=name)))
        assert only(store).name == name


async def test_a_change_of_another_version_or_of_nobody_is_refused() -> None:
    store = MemoryStore()
    contact = await handlers(store).register(a_unit(), said(NewContact(name="Ann")))
    with pytest.raises(VersionMismatch):
        await handlers(store).change(a_unit(), contact.customer_id, said(ContactChange(name="X")), version=2)
    with pytest.raises(NoSuchContact):
        await handlers(store).change(a_unit(), "nobody", said(ContactChange(name="X")))


async def test_a_change_cannot_take_another_contacts_identifier_but_may_share_an_email() -> None:
    store = MemoryStore()
    ann = await handlers(store).register(a_unit(), said(NewContact(customer=ids("crm:1"), email="home@b.de")))
    bob = await handlers(store).register(a_unit(), said(NewContact(name="Bob")))
    with pytest.raises(IdentifierTaken):
        await handlers(store).change(a_unit(), bob.customer_id, said(ContactChange(customer=ids("crm:1"))))
    changed = await handlers(store).change(a_unit(), bob.customer_id, said(ContactChange(email="home@b.de")))
    assert changed.email == "home@b.de"
    assert store.identities["email:home@b.de"] == ann.customer_id
    assert set(store.conflicts) == {"|".join(sorted((ann.customer_id, bob.customer_id)))}


@st.composite
def reports(draw: Callable[..., Any]) -> Received:
    fields = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "name": st.sampled_from(["Ann", "Bob"]),
                "stage": st.sampled_from(["lead", "customer"]),
                "attributes": st.dictionaries(st.sampled_from("ab"), st.integers(0, 1)),
            },
        )
    )
    # One identifier each: which customer is meant must not depend on the order here, only what holds about them.
    customer = draw(st.sampled_from(["shop:1", "shop:2"]))
    return event(
        customer, source=draw(st.sampled_from(["/channels/a", "/channels/b"])), hours=draw(st.integers(0, 3)), **fields
    )


@settings(max_examples=100)
@given(st.lists(reports(), max_size=6), st.randoms(use_true_random=False), st.data())
async def test_any_order_and_any_batches_give_the_same_contacts(
    events: list[Received], random: Any, data: st.DataObject
) -> None:
    async def state(order: list[Received], size: int) -> dict[str, Any]:
        store = MemoryStore()
        for start in range(0, len(order), size):
            await hear(store, *order[start : start + size])
        changing = {"customer_id", "version"}
        return {
            name: store.contacts[customer].contact.model_dump(exclude=changing)
            for name, customer in store.identities.items()
        }

    shuffled = [*events, *events[:2]]
    random.shuffle(shuffled)
    assert await state(events, 100) == await state(shuffled, data.draw(st.integers(1, 8)))

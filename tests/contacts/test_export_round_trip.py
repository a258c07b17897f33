"""What is exported and imported again changes nothing, whatever the contacts and the form of the file; on a store in memory."""

import io
import string
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from services.contacts.domain.access import Rows as Visible, Sensitive
from services.contacts.domain.exporting import ALL
from services.contacts.domain.fields import Definition
from services.contacts.domain.hearsay import CLAIMED
from services.contacts.domain.importing.drafting import Draft, Drafting, Rejected
from services.contacts.domain.importing.judging import Judged
from services.contacts.domain.importing.proposing import propose
from services.contacts.domain.survivorship import Known, fold, newcomer, statement
from services.contacts.formats.opening import form_of, opened
from services.contacts.formats.records import Layout
from services.contacts.formats.writing import MEDIA, writer
from services.contacts.handlers import Decision, Handlers, Merging
from services.contacts.handlers.catalogue import Catalogue, Field
from services.contacts.handlers.exporting import Asked, Exporting
from services.contacts.handlers.importing import drafted
from services.contacts.handlers.rows import Rows
from services.contacts.handlers.seeing import Seeing, View
from shared.audit import Accessed
from shared.clock import WallClock
from shared.contracts.channels import ContactReported, EmailClaim, PhoneClaim
from shared.contracts.fact import Identifier
from shared.ids import uuid7
from shared.security import ADMIN, Principal
from tests.contacts.memory import MemoryStore
from tests.contacts.test_handlers import NOW, Noon, a_unit, all_fresh, event, handlers, ids

# Control characters are not for XML, and no keyboard has them; everything else is, formulas and quotes before all.
texts = st.text(
    st.one_of(
        st.sampled_from("'\"=+-@;,\\ \t\n" + string.ascii_letters), st.characters(exclude_categories=["Cs", "Cc"])
    ),
    min_size=1,
    max_size=30,
).filter(lambda text: "\ufffd" not in text)
codes = st.sampled_from(["size", "a.b", "shoe-size", "x_1"])
scalars = st.one_of(
    texts, st.integers(-(2**53), 2**53), st.booleans(), st.floats(allow_nan=False, allow_infinity=False)
)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2025, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
purposes = st.sampled_from(["any", "work", "billing"])
# A blank line of an address, or part of a name, says nothing, and XML does not keep it.
words = texts.filter(str.strip)
lines = st.lists(words, max_size=6)
addresses = st.fixed_dictionaries(
    {}, optional={"lines": lines, "city": texts, "country": st.sampled_from(["DE", "FR"])}
)
claims: dict[str, st.SearchStrategy[Any]] = {"purpose": purposes}
until: dict[str, st.SearchStrategy[Any]] = {"valid_until": moments, "valid_from": moments}
reports = st.fixed_dictionaries(
    {},
    optional={
        "party": st.sampled_from(["person", "household"]),
        "stage": st.sampled_from(["lead", "customer"]),
        "name": texts,
        "email": st.sampled_from(["Ann@b.de", "a@b", "x+y@b.de"]),
        "phone": st.sampled_from(["+493012345678", "+1999"]).filter(lambda typed: len(typed) > 8),
        "language": st.just("de-AT"),
        "address": addresses,
        "attributes": st.dictionaries(codes, scalars, max_size=3),
        "interests": st.dictionaries(codes, st.booleans(), max_size=2),
        "preferences": st.dictionaries(codes, st.one_of(texts, st.booleans()), max_size=2),
        "name_parts": st.fixed_dictionaries({}, optional=dict.fromkeys(("given", "family", "particles"), words)),
        "phones": st.lists(
            st.fixed_dictionaries(
                {"typed": st.one_of(texts, st.just("030 123456"))} | claims, optional=until | {"country": st.just("DE")}
            ),
            max_size=2,
        ),
        "emails": st.lists(st.fixed_dictionaries({"typed": st.one_of(texts, st.just("a@b.de"))} | claims), max_size=2),
        "addresses": st.lists(st.fixed_dictionaries({"typed": addresses} | claims, optional=until), max_size=2),
        "consents": st.lists(
            st.fixed_dictionaries(
                {
                    "purpose": st.sampled_from(["ads", "news"]),
                    "status": st.sampled_from(["granted", "withdrawn"]),
                    "given_at": moments,
                },
                optional={
                    "evidence": texts,
                    "channel": st.just("email"),
                    "basis": st.just("consent"),
                    "wording": texts,
                    "valid_until": moments,
                },
            ),
            max_size=3,
        ),
    },
)


class Told:
    """An audit trail that is kept by nobody."""

    async def write(self, accessed: Accessed) -> None:
        """The names of fields are another test's business."""


SEEING = Seeing(MemoryStore(), Told(), Sensitive())
VIEW = SEEING.by(ADMIN)
PLAIN = SEEING.by(Principal("k", "Clerk", "person", frozenset({"contacts:export"})))
FIELDS = {
    "wage": Field(Definition(type="number", sensitivity="sensitive")),
    "tier": Field(Definition(type="choice", choices=["silver", "gold"])),
}


class Exported(MemoryStore):
    """The store in memory, as exports read it."""

    async def piece(self, after: str, limit: int, asked: Asked, visible: Visible) -> tuple[list[Known], str | None]:
        following = [known for customer, known in sorted(self.contacts.items()) if customer > after]
        page = [known for known in following if known.place.root is None][:limit]
        return page, page[-1].contact.customer_id if len(page) == limit else None

    async def load(self, customers: Any, session: Any = None) -> dict[str, Known]:
        return await super().load(customers, session)


async def taken_again(store: Exported, form: str, said_at: datetime) -> list[Any]:
    """What an import makes of an export, by the mapping that is proposed for it."""
    pieces = [piece async for piece in Exporting(store, Noon()).export(writer(form, ALL), ALL, VIEW)]
    file = io.BytesIO(b"".join(pieces))
    assert form_of(file) == form or not store.contacts
    mapping = propose(form, opened(file, form, Layout())).mapping
    drafting = Drafting("again", mapping, said_at)
    rows = [drafted(record, drafting) for record in opened(io.BytesIO(b"".join(pieces)), form, Layout())]
    assert not [row for row in rows if isinstance(row, Exception)], rows
    return await Rows(WallClock()).take(a_unit(), store, rows, "/imports/again")  # type: ignore[arg-type]


async def heard(told: Sequence[dict[str, Any]]) -> Exported:
    store = Exported()
    for number, fields in enumerate(told):
        # Each second report is about the same customer, so that there is something to survive.
        await handlers(store).hear(a_unit(), [event(f"crm:{number // 2}", hours=-number - 1, **fields)])
    return store


@pytest.mark.parametrize("form", sorted(MEDIA))
@given(told=st.lists(reports, min_size=1, max_size=4), merge=st.booleans())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
async def test_an_export_imported_again_changes_nothing(form: str, told: list[dict[str, Any]], merge: bool) -> None:
    store = await heard(told)
    customers = sorted(store.contacts)
    parted = dict(store.contacts)
    merge_id = None
    if merge and len(customers) > 1:
        merge_id = (
            await Merging(store, Noon()).merge(a_unit(), customers[0], customers[1], Decision("/keys/me", None))
        ).merge_id
    before = {one: await store.contact(one) for one in customers}
    taken = await taken_again(store, form, NOW + timedelta(days=1))
    assert [one.outcome for one in taken if isinstance(one, Judged)] == ["unchanged"] * len(taken)
    assert {one: await store.contact(one) for one in customers} == before
    if merge_id:
        await Merging(store, Noon()).undo(a_unit(), merge_id, Decision("/keys/me", None))
        for one in customers:
            after, known = store.contacts[one].contact, parted[one].contact
            same = after.model_dump(exclude={"version", "changed_at"})
            assert same == known.model_dump(exclude={"version", "changed_at"}), "parted again, each is who they were"


@pytest.mark.parametrize("form", sorted(MEDIA))
async def test_what_a_form_on_the_web_has_said_is_vouched_for_by_no_file_that_repeats_it(form: str) -> None:
    store, name = Exported(), Identifier(scheme="form", value="mallory@evil.example")
    report = ContactReported(
        customer=[name],
        reported_at=NOW - timedelta(days=1),
        name="Mallory",
        attributes={"size": 9},
        emails=[EmailClaim(typed=name.value)],
        phones=[PhoneClaim(typed="+493012345678", purpose=CLAIMED)],
    )
    lead = fold(newcomer(uuid7(NOW), NOW), statement(report, "/forms/news"))
    customer = lead.contact.customer_id
    store.contacts[customer], store.identities[str(name)] = lead, customer
    [taken] = await taken_again(store, form, NOW + timedelta(days=1))
    assert taken.outcome == "unchanged"
    after = store.contacts[customer]
    assert {one.source for one in after.tellers.values()} == {"/forms/news"}
    assert (after.contact.email, after.contact.phone) == (name.value, None)


def knowing() -> Catalogue:
    catalogue = Catalogue()
    catalogue.learn(FIELDS)
    return catalogue


async def file_of(store: Exported, view: View) -> list[dict[str, Any]]:
    pieces = [piece async for piece in Exporting(store, Noon()).export(writer("jsonl", ALL), ALL, view)]
    return [orjson.loads(line) for line in b"".join(pieces).splitlines()]


async def taken(store: Exported, *rows: dict[str, Any]) -> list[Any]:
    drafts = [
        Draft(ContactReported.model_validate({"reported_at": NOW, "customer": ids("crm:1"), **row}), ids("crm:1"))
        for row in rows
    ]
    return await Rows(WallClock(), None, knowing()).take(a_unit(), store, drafts, "/imports/again")


@pytest.mark.parametrize("merged", [False, True])
async def test_fields_of_the_companys_own_are_attributes_of_files_for_who_may_see_them(merged: bool) -> None:
    store = Exported()
    told: dict[str, Any] = {"attributes": {"wage": 3000, "tier": "gold", "hat": 38}}
    desk = Handlers(store, Noon(), all_fresh, None, knowing())
    await desk.hear(a_unit(), [event("crm:1", hours=-1, **told), event("crm:2", hours=-2, name="Ann")])
    if merged:
        first, second = sorted(store.contacts)
        await Merging(store, Noon()).merge(a_unit(), first, second, Decision("/keys/me", None))
    of_crm_1 = next(row for row in await file_of(store, VIEW) if "attributes" in row)
    assert of_crm_1["attributes"] == told["attributes"]
    hidden = next(row for row in await file_of(store, PLAIN) if "attributes" in row)
    assert hidden["attributes"] == {"tier": "gold", "hat": 38}
    before = dict(store.contacts)
    (again,) = await taken(store, {"attributes": of_crm_1["attributes"]})
    assert again.outcome == "unchanged"
    assert {one: known.published for one, known in store.contacts.items()} == {
        one: known.published for one, known in before.items()
    }


async def test_a_row_with_a_value_that_its_field_does_not_take_is_not_taken_and_says_why() -> None:
    store = Exported()
    bad, good = await taken(
        store, {"name": "Ann", "attributes": {"tier": "iron"}}, {"name": "Anna", "attributes": {"wage": 3000}}
    )
    assert isinstance(bad, Rejected)
    assert (bad.reason, bad.column, "no-choice" in bad.detail) == ("invalid-value", "attributes.tier", True)
    assert good.outcome == "new"
    (known,) = store.contacts.values()
    assert (known.contact.name, known.contact.attributes, known.contact.sensitive) == ("Anna", {}, {"wage": 3000})

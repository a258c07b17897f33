"""Views of the erased: empty, last in the order of changes, and told to those channels only that were ever sent one."""

from typing import Any

import pytest

from services.sync.domain.known import NOTHING
from services.sync.domain.outgoing import Changed, Place, Receipt, Retry, Verdict, body, erasure_verdict
from services.sync.domain.policy import Policy
from services.sync.domain.sensitive import Sensitive
from services.sync.domain.view import Held, take
from services.sync.handlers.memory import Memory
from services.sync.store.trees import speaking_of
from shared.contracts.sync import CustomerView
from tests.sync.conftest import Sync, received
from tests.sync.facts import (
    ANNA,
    BERT,
    CLEO,
    NOW,
    contact,
    customer,
    day,
    merged,
    order,
    restricted,
    score,
    unmerged,
    withdrawn,
)
from tests.sync.forgetting import ID, erase

ERASED = Changed(ANNA, 3, "2026-01-01T00:00:00Z", Place(0, 9), ((None, 3),), b"{}", erased=ID)


@pytest.mark.parametrize(
    ("receipt", "held", "expected"),
    [
        (None, 0, Verdict.HELD),
        (Receipt(ANNA, retry=Retry(2, 1, None)), 0, Verdict.SEND),
        (Receipt(ANNA, version=2, generation=1), 2, Verdict.SEND),
        (Receipt(ANNA, version=3, generation=1), 3, Verdict.HELD),
        (Receipt(ANNA, version=3, generation=1), 0, Verdict.SEND),
    ],
)
def test_only_a_channel_that_was_or_may_have_been_sent_something_hears_of_an_erasure(
    receipt: Receipt | None, held: int, expected: Verdict
) -> None:
    assert erasure_verdict(ERASED, receipt, held) is expected


def test_an_erasure_says_nothing_but_whom_and_which_whatever_the_policy() -> None:
    for fields in (("*",), ("contact.name",)):
        told = body("shop", Policy(2, "service", "consent", fields, "shop"), ERASED, NOW, Sensitive())
        assert told == (
            b'{"channel":"shop","policy_version":2,"customer_id":"%s","version":3,"changed_at":"2026-01-01T00:00:00Z",'
            b'"withheld":[],"erased":"%s","customer":{}}' % (ANNA.encode(), ID.encode())
        )


async def both(sync: Sync, fact: Any) -> None:
    """A fact that is told under two ids."""
    await sync.receive([received(fact, subject=ANNA), received(fact, subject=BERT)])


def test_nobody_erased_is_known_by_heart() -> None:
    memory = Memory()
    memory.keep(0, None, "mark", [Held(customer, 1, day(1), NOTHING) for customer in (ANNA, BERT)])
    memory.drop([ANNA, "nobody"])
    assert memory.recall(0, "mark", ANNA) is None
    assert memory.recall(0, "mark", BERT) is not None


@pytest.mark.integration
async def test_the_last_version_is_empty_and_the_sums_are_without_the_customer(sync: Sync) -> None:
    await sync.happen(contact(ANNA), order(ANNA), order(BERT, total="2.00"))
    told = await erase(sync, ANNA)
    assert [(one.topic, one.key, one.value) for one in told] == [("crm.customers", ANNA.encode(), None)]
    assert await sync.views.one(ANNA) is None
    assert [customer for customer, _ in await sync.views.page("", 10)] == [BERT]
    customers, orders, total = await sync.views.sums()
    assert (customers, orders, f"{total:.2f}") == (1, 1, "2.00")
    [erased] = await sync.views.these([ANNA])
    assert (erased.version, erased.erased) == (2, ID)
    assert CustomerView.model_validate_json(erased.view).contact is None


@pytest.mark.integration
async def test_at_the_second_look_the_tombstone_is_told_again(sync: Sync) -> None:
    """What has reached the broker late lies between the two."""
    await sync.happen(contact(ANNA), contact(BERT))
    for _ in range(2):
        told = await erase(sync, ANNA, "019aa700-0000-7000-8000-0000000000ff")
        assert [(one.topic, one.key, one.value) for one in told] == [("crm.customers", ANNA.encode(), None)]
    [erased] = await sync.views.these([ANNA])
    assert erased.version == 2


@pytest.mark.integration
async def test_what_comes_for_the_erased_has_no_effect(sync: Sync) -> None:
    await sync.happen(contact(ANNA), order(ANNA))
    await erase(sync, ANNA)
    await sync.happen(order(ANNA, 2), order(BERT))
    assert [one.key for one in sync.told] == [BERT.encode()]
    [erased] = await sync.views.these([ANNA])
    assert (erased.version, await sync.views.one(ANNA)) == (2, None)


@pytest.mark.integration
async def test_who_was_one_with_the_erased_is_shown_without_them(sync: Sync) -> None:
    """Where the end of the link is heard after the erasure only."""
    await sync.happen(contact(ANNA), order(ANNA), contact(BERT), order(BERT))
    await both(sync, merged(ANNA, BERT))
    await erase(sync, BERT)
    await both(sync, unmerged(ANNA, BERT))
    [anna, bert] = await sync.views.these([ANNA, BERT])
    assert CustomerView.model_validate_json(anna.view).sales.orders == 1
    assert bert.erased == ID
    assert await sync.views.one(BERT) is None


@pytest.mark.integration
@pytest.mark.parametrize("written_before", [False, True])
async def test_nothing_is_kept_of_the_erased_in_what_was_told_of_who_had_absorbed_them(
    sync: Sync, written_before: bool
) -> None:
    """Anna was Bert once; Bert is Cleo now, and contacts tells Cleo alone. Parts of a time before they said so beside, too."""
    await sync.happen(contact(ANNA, name="Anna"), contact(BERT), contact(CLEO), order(ANNA), order(BERT), order(CLEO))
    told = [contact(BERT, 2, name="Anna", absorbed=[ANNA]), contact(CLEO, 2, name="Anna", absorbed=[ANNA, BERT])]
    for survivor, absorbed, fact in ((BERT, ANNA, told[0]), (CLEO, BERT, told[1])):
        link = merged(survivor, absorbed)
        await sync.receive([received(link, subject=one) for one in (survivor, absorbed)])
        await sync.happen(fact)
    parting = unmerged(BERT, ANNA)
    await sync.receive([received(parting, subject=one) for one in (BERT, ANNA)])
    await sync.happen(contact(ANNA, 2, name="Anna"), contact(CLEO, 3, name="Cleo", absorbed=[BERT]))
    assert "Anna" in str(await sync.trees.known([BERT], None))
    if written_before:
        await sync.trees.parts.update_many({}, {"$unset": {"absorbed": ""}})
    await erase(sync, ANNA)
    kept = await sync.database["parts"].find().to_list(None) + await sync.database["views"].find().to_list(None)
    assert "Anna" not in str(kept)
    [cleo] = await sync.views.these([CLEO])
    view = CustomerView.model_validate_json(cleo.view)
    assert (view.contact and view.contact.name, view.sales.orders) == ("Cleo", 2)
    # Freed, Bert is told anew.
    await sync.receive([received(unmerged(CLEO, BERT), subject=one) for one in (CLEO, BERT)])
    await sync.happen(contact(BERT, 3, name="Bert"))
    [bert] = await sync.views.these([BERT])
    view = CustomerView.model_validate_json(bert.view)
    assert (view.contact and view.contact.name, view.sales.orders) == ("Bert", 1)


@pytest.mark.integration
async def test_parts_that_speak_of_the_erased_are_found_without_looking_through_all(sync: Sync) -> None:
    contacts = {customer(n): contact(customer(n), absorbed=[customer(n + 1)]) for n in range(300)}
    await sync.trees.keep({one: take(NOTHING, fact) for one, fact in contacts.items()}, (), None)
    find = {"find": "parts", "filter": speaking_of([customer(1), customer(200)])}
    explained = await sync.database.command("explain", find, verbosity="executionStats")
    stats = explained["executionStats"]
    assert (stats["nReturned"], stats["totalDocsExamined"] <= 4) == (2, True)


@pytest.mark.integration
async def test_what_comes_while_somebody_is_restricted_is_there_once_it_is_lifted(sync: Sync) -> None:
    await sync.happen(contact(ANNA), order(ANNA))
    before = CustomerView.model_validate_json((await sync.views.one(ANNA)) or b"")
    await sync.happen(restricted(ANNA), order(ANNA, 2))
    hidden = CustomerView.model_validate_json((await sync.views.one(ANNA)) or b"")
    assert (hidden.restricted, hidden.contact, hidden.sales.orders, hidden.interactions) == (True, None, 0, 0)
    await sync.happen(order(ANNA, 3), restricted(ANNA))
    await sync.happen(restricted(ANNA, False))
    after = CustomerView.model_validate_json((await sync.views.one(ANNA)) or b"")
    assert (after.contact, after.sales.orders, after.restricted) == (before.contact, 3, False)
    assert after.version > hidden.version > before.version
    assert await sync.database["parts"].count_documents({}) == 0


@pytest.mark.integration
async def test_a_score_that_must_not_be_used_is_shown_again_when_it_is_told_again(sync: Sync) -> None:
    """As of the same moment too: scoring's clock stands still where nobody buys."""

    async def shown() -> bool:
        return CustomerView.model_validate_json((await sync.views.one(ANNA)) or b"").score is not None

    await sync.happen(contact(ANNA), score(ANNA, 1))
    seen = [await shown()]
    gone = withdrawn(ANNA, 1).model_copy(update={"restricted": True})
    for facts in ([restricted(ANNA)], [score(ANNA, 1)], [gone], [restricted(ANNA, False)], [score(ANNA, 1)]):
        await sync.happen(*facts)
        seen.append(await shown())
    assert seen == [True, False, False, False, False, True]


@pytest.mark.integration
async def test_one_restricted_part_hides_all_who_are_one(sync: Sync) -> None:
    await sync.happen(contact(ANNA), order(ANNA), contact(BERT), order(BERT))
    await sync.happen(restricted(BERT))
    await both(sync, merged(ANNA, BERT))
    view = CustomerView.model_validate_json((await sync.views.one(ANNA)) or b"")
    assert (view.restricted, view.contact) == (True, None)
    await both(sync, unmerged(ANNA, BERT))
    anna, bert = [
        CustomerView.model_validate_json((await sync.views.one(customer)) or b"") for customer in (ANNA, BERT)
    ]
    assert (anna.restricted, anna.sales.orders, bert.restricted, bert.sales.orders) == (False, 1, True, 0)


@pytest.mark.integration
async def test_somebody_restricted_of_whom_nothing_has_come_yet(sync: Sync) -> None:
    await sync.happen(restricted(ANNA, False))
    assert await sync.views.one(ANNA) is None
    await sync.happen(restricted(ANNA))
    await sync.happen(contact(ANNA))
    view = CustomerView.model_validate_json((await sync.views.one(ANNA)) or b"")
    assert (view.restricted, view.contact) == (True, None)

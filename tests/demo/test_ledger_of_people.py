"""Merged, parted, forgotten: the books after what the company decided, and that no way to get it wrong is overlooked."""

import copy
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from demo.ledger.accounts import Accounts, accounts
from demo.ledger.cards import Found, forms, judged, known_twice, namesakes, wrong
from demo.ledger.compare import Books, Holdings, compare
from demo.ledger.copies import permitted, stale
from demo.ledger.decisions import Decisions, folded, forgotten, together
from demo.ledger.forgotten import Gone, compare_forgotten, mentions
from demo.ledger.people import households
from tests.demo.test_ledger import ONE, absorbed_views, order_documents, score, view

TWO = Decisions()
"""Nobody has found out; or somebody has taken it back."""
GONE = Decisions(ONE.merged, frozenset({1, 900_001}))


def told(accounts: Accounts, ever: Accounts) -> Holdings:
    """A platform that has done everything right."""
    mine, all_ = list(accounts.values()), list(ever.values())
    total = sum((account.total for account in mine), Decimal(0))
    views: list[Any] = [view(account) for account in mine]
    views += [one for account in mine for one in absorbed_views(account)]
    return copy.deepcopy(
        Holdings(
            customers=views,
            orders=list(order_documents(accounts)),
            scores=[score(account) for account in mine if account.orders],
            interactions=sum(account.interactions for account in all_),
            contract_events=sum(account.contract_events for account in all_),
            sales={
                "orders": sum(len(account.orders) for account in all_),
                "total": str(sum((account.total for account in all_), Decimal(0))),
            },
            viewed={
                "customers": len(mine),
                "orders": sum(len(account.orders) for account in mine),
                "total": str(total),
            },
        )
    )


def story(mini: Path, decisions: Decisions) -> tuple[Books, Holdings]:
    cards = accounts(mini)
    books = Books(folded(cards, decisions), {}, {}, {}, erased=forgotten(cards, decisions))
    return books, told(books.accounts, cards)


def of(held: Holdings, customer_id: str) -> Any:
    return next(one for one in held.customers if one["customer_id"] == customer_id)


@pytest.mark.parametrize("decisions", [ONE, TWO, GONE])
def test_a_platform_that_did_as_was_decided_has_no_difference(mini: Path, decisions: Decisions) -> None:
    books, held = story(mini, decisions)
    assert compare(books, held) == []


@pytest.mark.parametrize(
    ("decided", "done"), [(ONE, TWO), (TWO, ONE), (ONE, GONE), (GONE, ONE), (TWO, Decisions(frozenset({(1, 4)})))]
)
def test_a_platform_that_did_something_else_is_found_out(mini: Path, decided: Decisions, done: Decisions) -> None:
    assert compare(story(mini, decided)[0], story(mini, done)[1])


def test_both_cards_together_are_the_households_year(mini: Path) -> None:
    apart, one = folded(accounts(mini), TWO), folded(accounts(mini), ONE)
    assert sorted(apart) == [1, 2, 3, 4, 900_001]
    assert sorted(apart[900_001].orders) == ["101"]
    assert (apart[1].total + apart[900_001].total, one[1].total) == (Decimal("3.60"), Decimal("3.60"))
    assert one[1].parts == {1, 900_001}


def test_chains_of_merges_are_one_and_all_of_it_is_forgotten_together() -> None:
    chain = frozenset({(1, 900_001), (5, 900_001), (5, 7)})
    assert {Decisions(chain).whose(card) for card in (1, 5, 7, 900_001)} == {1}
    assert Decisions(chain).whose(2) == 2
    assert Decisions(chain, frozenset({7})).whose(1) is None


def lose_a_sale_of_the_absorbed(held: Holdings) -> None:
    held.orders[:] = [order for order in held.orders if order["number"] != "101"]


def count_only_the_survivors_own(held: Holdings) -> None:
    of(held, "customer-1")["sales"] |= {"orders": 2, "total": "1.60"}


def score_only_the_survivors_own(held: Holdings) -> None:
    held.scores[0]["purchases"] = 2  # type: ignore[index]


def score_the_absorbed_too(held: Holdings) -> None:
    held.scores.append({**held.scores[0], "customer_id": "customer-900001"})


def leave_something_with_the_absorbed(held: Holdings) -> None:
    of(held, "customer-900001")["sales"]["orders"] = 1


def merge_into_the_wrong_customer(held: Holdings) -> None:
    of(held, "customer-900001")["merged_into"] = "customer-2"


def do_not_say_who_was_absorbed(held: Holdings) -> None:
    of(held, "customer-1")["contact"]["absorbed"] = []


def forget_the_second_card(held: Holdings) -> None:
    contact = of(held, "customer-1")["contact"]
    contact["identifiers"] = [one for one in contact["identifiers"] if not one["value"].endswith("-900001")]


def lose_the_absorbed(held: Holdings) -> None:
    held.customers.remove(of(held, "customer-900001"))


def keep_the_older_name(held: Holdings) -> None:
    of(held, "customer-1")["contact"]["name"] = "Ada Quill"


def lose_the_address_only_one_form_had(held: Holdings) -> None:
    of(held, "customer-1")["contact"]["email"] = None


def keep_the_older_street(held: Holdings) -> None:
    of(held, "customer-1")["contact"]["address"] = {"lines": ["1 Oak Street"]}


def merge_somebody_else_too(held: Holdings) -> None:
    stranger, survivor = of(held, "customer-4"), of(held, "customer-1")
    survivor["contact"]["identifiers"] += stranger["contact"]["identifiers"]
    survivor["contact"]["absorbed"].append("customer-4")
    survivor["interactions"] += stranger["interactions"]
    left: dict[str, Any] = {"contact": None, "sales": {"orders": 0}, "interactions": 0, "campaigns": [], "score": None}
    stranger.update(left | {"merged_into": "customer-1"})


@pytest.mark.parametrize(
    "plant",
    [
        lose_a_sale_of_the_absorbed,
        count_only_the_survivors_own,
        score_only_the_survivors_own,
        score_the_absorbed_too,
        leave_something_with_the_absorbed,
        merge_into_the_wrong_customer,
        do_not_say_who_was_absorbed,
        forget_the_second_card,
        lose_the_absorbed,
        keep_the_older_name,
        lose_the_address_only_one_form_had,
        keep_the_older_street,
        merge_somebody_else_too,
    ],
)
def test_a_merge_gone_wrong_is_found(mini: Path, plant: Callable[[Holdings], None]) -> None:
    books, held = story(mini, ONE)
    plant(held)
    assert compare(books, held)


def test_a_sale_that_stays_with_the_other_after_two_are_parted_is_found(mini: Path) -> None:
    books, held = story(mini, TWO)
    [order] = [one for one in held.orders if one["number"] == "101"]
    order["customer_id"] = "customer-1"  # type: ignore[index]
    assert len(compare(books, held)) == 2


def test_someone_erased_who_is_still_listed_or_counted_is_found(mini: Path) -> None:
    books, held = story(mini, GONE)
    everybody = story(mini, ONE)[1]
    assert compare(books, replace(held, customers=everybody.customers))
    assert compare(books, replace(held, orders=everybody.orders))
    assert compare(books, replace(held, scores=everybody.scores))
    assert compare(books, replace(held, viewed=everybody.viewed))


def test_a_channel_that_does_not_follow_a_merge_is_stale(mini: Path) -> None:
    _, held = story(mini, ONE)
    copies: dict[str, Any] = {
        one["customer_id"]: {
            "version": one["version"],
            "customer": permitted(one, ["*"]),
            "merged_into": one.get("merged_into"),
        }
        for one in held.customers
    }
    assert stale("shop", held.customers, copies, ["*"]) == []
    copies["customer-900001"]["merged_into"] = None
    assert len(stale("shop", held.customers, copies, ["*"])) == 1


def test_links_that_make_a_circle_end(mini: Path) -> None:
    _, held = story(mini, ONE)
    of(held, "customer-1")["merged_into"] = "customer-900001"
    assert households(held.customers)["customer-1"] is None or households(held.customers)["customer-1"] == 1


def place(name: str, **removed: int) -> dict[str, Any]:
    return {"place": name, "at": "2018-01-01T00:00:00Z", "removed": removed, "kept": []}


def gone() -> Any:
    erasure = {
        "customers": ["customer-1", "customer-900001"],
        "open": ["log"],
        "places": [
            place("contacts", contacts=2, identities=10),
            place("interactions", history=10),
            place("campaigns"),
            place("scoring"),
            place("sync", views=2),
            place("log"),
            place("channel:e-shop"),
        ],
    }
    ids = frozenset({"customer-1", "customer-900001"})
    return Gone(erasure, {"/v1/contacts/{}": 0, "/v1/orders": 0}, {"e-shop": ids}, {"e-shop": 0})


def parted(mini: Path) -> Any:
    return together(forgotten(accounts(mini), GONE).values())


def test_somebody_forgotten_everywhere_is_no_difference(mini: Path) -> None:
    assert compare_forgotten(parted(mini), gone()) == []


def places(told: Any) -> dict[str, Any]:
    return {one["place"]: one for one in told.erasure["places"]}


@pytest.mark.parametrize(
    "plant",
    [
        lambda told: told.erasure.update(open=["log", "scoring"]),
        lambda told: told.erasure.update(customers=["customer-1"]),
        lambda told: told.erasure["places"].pop(2),
        lambda told: told.erasure["places"].pop(),
        lambda told: places(told)["interactions"]["kept"].append({"what": "sales-amounts"}),
        lambda told: places(told)["interactions"]["removed"].update(history=9),
        lambda told: places(told)["contacts"]["removed"].update(identities=9),
        lambda told: places(told)["sync"]["removed"].update(views=1),
        lambda told: told.answers.update({"/v1/contacts/{}": 1}),
        lambda told: told.answers.update({"/v1/orders": 3}),
        lambda told: told.told.update({"e-shop": frozenset({"customer-1"})}),
        lambda told: told.named.update({"e-shop": 1}),
    ],
)
def test_something_left_of_the_erased_is_found(mini: Path, plant: Callable[[Any], None]) -> None:
    told = gone()
    plant(told)
    assert compare_forgotten(parted(mini), told)


def test_a_copy_names_somebody_by_any_identifier_and_by_e_mail(mini: Path) -> None:
    account = parted(mini)
    for text in ("LC-000001", "S-900001", "B-000001", "ada@example.org"):
        assert mentions(account, {"customer": {"contact": [{"value": text}]}})
    assert not mentions(account, {"customer": {"contact": [{"value": "LC-000002"}], "sales": {"orders": 1}}})


def test_who_is_known_twice_is_in_the_forms_and_what_was_accepted_is_held_against_it(mini: Path) -> None:
    written = forms(mini, 1.0)
    assert known_twice(written) == {(1, 900_001)}
    assert judged(written, 7, [(1, 900_001), (1, 4)]) == Found(proposed=7, accepted=2, right=1, there=1)
    assert (judged(written, 7, []).precision, judged(written, 7, []).recall) == (None, 0.0)
    assert [str(one) for one in wrong(written, [(1, 900_001), (1, 4)])] == [
        "cards 1 and 4: two customers in the books, one in the platform"
    ]
    assert [one.found for one in wrong(written, [])] == [0]


def test_namesakes_are_two_of_one_name_at_one_address(mini: Path) -> None:
    assert namesakes(forms(mini, 1.0)) == (1, 4)
    assert namesakes([one for one in forms(mini, 1.0) if one.household == 1]) is None

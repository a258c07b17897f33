"""The books from hand-made files, and that no planted difference is overlooked."""

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from demo.emitters.history import events
from demo.ledger.accounts import Account, Accounts, accounts
from demo.ledger.campaign import Campaign, compare_campaign
from demo.ledger.compare import Books, Holdings, compare
from demo.ledger.copies import first_difference, permitted, stale
from demo.ledger.decisions import Decisions, folded
from demo.ledger.difference import Difference

Change = Callable[[Holdings], None]


ONE = Decisions(frozenset({(1, 900_001)}))
"""The steward has found out."""


def view(account: Account) -> dict[str, Any]:
    times = account.times
    known = [dict(zip(("scheme", "value"), name.split(":"), strict=True)) for name in account.identifiers]
    return {
        "customer_id": f"customer-{account.household}",
        "version": 1,
        "contact": {
            "identifiers": known,
            "attributes": account.attributes,
            "party": account.party,
            "name": account.name,
            "email": account.email,
            "address": {"lines": [account.street]} if account.street else None,
            "absorbed": [f"customer-{card}" for card in sorted(account.parts - {account.household})],
        },
        "sales": {
            "orders": len(times),
            "total": str(account.total),
            "currency": "USD" if times else None,
            "first_order_at": times[0].isoformat() if times else None,
            "last_order_at": times[-1].isoformat() if times else None,
        },
        "interactions": account.interactions,
        "score": score(account) if times else None,
        "campaigns": [],
    }


def absorbed_views(account: Account) -> list[dict[str, Any]]:
    """What is left under the ids of those who were merged into this one."""
    nothing: dict[str, Any] = {
        "contact": None,
        "sales": {"orders": 0},
        "interactions": 0,
        "campaigns": [],
        "score": None,
    }
    into = f"customer-{account.household}"
    return [
        {"customer_id": f"customer-{card}", "version": 1, "merged_into": into, **nothing}
        for card in sorted(account.parts - {account.household})
    ]


def score(account: Account) -> dict[str, Any]:
    return {
        "customer_id": f"customer-{account.household}",
        "purchases": len(account.orders),
        "frequency": account.repeat_days,
        "money": str(account.total),
        "first_purchase": account.times[0].isoformat(),
        "last_purchase": account.times[-1].isoformat(),
    }


def order_documents(books: Accounts) -> list[dict[str, Any]]:
    return [
        {
            "number": basket,
            # Each under the id that it came under, merged or not.
            "customer_id": f"customer-{order.household}",
            "ordered_at": order.ordered_at.isoformat(),
            "store": order.store,
            "total": str(order.total),
            "discount": str(order.discount),
            "lines": [{}] * order.lines,
        }
        for account in books.values()
        for basket, order in account.orders.items()
    ]


@pytest.fixture
def books(mini: Path) -> Books:
    return Books(folded(accounts(mini), ONE), {"contacts": 1, "interactions": 2}, {"malformed": 3}, {"empty": 1})


@pytest.fixture
def held(books: Books) -> Holdings:
    mine = books.accounts.values()
    return copy.deepcopy(
        Holdings(
            customers=[view(account) for account in mine]
            + [one for account in mine for one in absorbed_views(account)],
            orders=list(order_documents(books.accounts)),
            scores=[score(account) for account in mine if account.orders],
            interactions=6,
            contract_events=7,
            sales={"orders": 4, "total": "23.59"},
            viewed={"customers": 4, "orders": 4, "total": "23.59"},
            duplicates={"contacts": 1, "interactions": 2},
            dead_letters={"malformed": 3},
            rejected={"empty": 1},
        )
    )


def test_the_books_of_four_households(mini: Path) -> None:
    books = folded(accounts(mini), ONE)
    assert sorted(books) == [1, 2, 3, 4]
    first = books[1]
    assert {basket: order.total for basket, order in first.orders.items()} == {
        "100": Decimal("1.60"),
        "101": Decimal("2.00"),
        "102": Decimal("0.00"),
    }
    assert first.total == Decimal("3.60")
    assert first.orders["100"].discount == Decimal("0.80")
    assert first.times[-1] == datetime(2017, 2, 3, 18, tzinfo=UTC)
    assert first.repeat_days == 1
    assert (first.interactions, first.contract_events) == (4, 3)
    assert first.identifiers == {
        "loyalty-card:LC-000001",
        "north-pos:N-000001",
        "south-pos:S-000001",
        "mail-list:M-000001",
        "coupon-account:C-000001",
        "desk-caller:D-000001",
        "billing-account:B-000001",
        "loyalty-card:LC-900001",
        "north-pos:N-900001",
        "south-pos:S-900001",
    }
    assert (first.name, first.street, first.email) == ("Ada Quil", "1 Oak St", "ada@example.org")
    assert books[3].attributes == {"age": "19-24", "income": "Under 15K"}
    assert not books[4].orders


def test_books_and_emitters_agree_on_who_is_in_a_slice() -> None:
    folder = Path("demo/data")
    assert set(accounts(folder, 0.05)) == {
        int(event.data["customer"][-1]["value"].removeprefix("LC-")) for event in events(folder, 0.05)
    }


def test_a_platform_that_agrees_has_no_difference(books: Books, held: Holdings) -> None:
    assert compare(books, held) == []


def first_view(held: Holdings) -> Any:
    return next(view for view in held.customers if view["customer_id"] == "customer-1")


def lose_a_customer(held: Holdings) -> None:
    del held.customers[2]


def split_a_customer(held: Holdings) -> None:
    held.customers.append({**first_view(held), "customer_id": "customer-9"})


def take_a_card_away(held: Holdings) -> None:
    first_view(held)["contact"]["identifiers"] = []


def forget_an_identifier(held: Holdings) -> None:
    first_view(held)["contact"]["identifiers"].pop()


def lose_a_cent(held: Holdings) -> None:
    first_view(held)["sales"]["total"] = "3.59"


def answer_with_a_float(held: Holdings) -> None:
    first_view(held)["sales"]["total"] = 3.6


def count_an_order_twice(held: Holdings) -> None:
    first_view(held)["sales"]["orders"] += 1


def mistake_the_last_day(held: Holdings) -> None:
    first_view(held)["sales"]["last_order_at"] = "2017-02-03T10:00:00+00:00"


def miss_an_interaction(held: Holdings) -> None:
    first_view(held)["interactions"] = 3


def change_an_attribute(held: Holdings) -> None:
    held.customers[1]["contact"]["attributes"]["age"] = "young"


def store_an_order_twice(held: Holdings) -> None:
    held.orders.append(held.orders[0])


def lose_an_order(held: Holdings) -> None:
    held.orders.pop()


def give_an_order_to_another(held: Holdings) -> None:
    held.orders[0]["customer_id"] = "customer-2"  # type: ignore[index]


def lose_a_line(held: Holdings) -> None:
    held.orders[0]["lines"].pop()


def score_the_wrong_money(held: Holdings) -> None:
    held.scores[0]["money"] = "3.61"  # type: ignore[index]


def leave_an_old_score_in_the_view(held: Holdings) -> None:
    first_view(held)["score"]["purchases"] = 2


def lose_a_score(held: Holdings) -> None:
    held.scores.pop()


@pytest.mark.parametrize(
    "plant",
    [
        lose_a_customer,
        split_a_customer,
        take_a_card_away,
        forget_an_identifier,
        lose_a_cent,
        answer_with_a_float,
        count_an_order_twice,
        mistake_the_last_day,
        miss_an_interaction,
        change_an_attribute,
        store_an_order_twice,
        lose_an_order,
        give_an_order_to_another,
        lose_a_line,
        score_the_wrong_money,
        leave_an_old_score_in_the_view,
        lose_a_score,
    ],
)
def test_a_planted_difference_is_found(books: Books, held: Holdings, plant: Change) -> None:
    plant(held)
    assert compare(books, held)


@pytest.mark.parametrize(
    "wrong",
    [
        {"interactions": 5},
        {"contract_events": 6},
        {"sales": {"orders": 4, "total": "23.60"}},
        {"sales": {"orders": 5, "total": "23.59"}},
        {"viewed": {"customers": 5, "orders": 4, "total": "23.59"}},
        {"viewed": {"customers": 4, "orders": 3, "total": "23.59"}},
        {"viewed": {"customers": 4, "orders": 4, "total": "23.58"}},
        {"duplicates": {"contacts": 1, "interactions": 3}},
        {"duplicates": {"contacts": 0, "interactions": 2}},
        {"dead_letters": {"malformed": 2}},
        {"dead_letters": {"malformed": 3, "handler-error": 1}},
        {"rejected": {}},
    ],
)
def test_a_wrong_count_is_found(books: Books, held: Holdings, wrong: dict[str, Any]) -> None:
    (difference,) = compare(books, replace(held, **wrong))
    assert "in the books" in str(difference)


def test_posts_that_had_to_be_repeated_allow_for_that_many_more_second_copies(books: Books, held: Holdings) -> None:
    repeated = replace(books, sent_again=1)
    assert compare(repeated, replace(held, duplicates={"contacts": 1, "interactions": 3})) == []
    assert compare(repeated, replace(held, duplicates={"contacts": 1, "interactions": 4}))


def campaign(**changed: Any) -> Campaign:
    effect = {
        "counted_from": "2017-02-01T00:00:00Z",
        "counted_until": "2017-03-01T00:00:00Z",
        "treatment": {"customers": 1, "responders": 1, "orders": 2, "revenue": "2.00"},
        "control": {"customers": 1, "responders": 0, "orders": 0, "revenue": "0"},
    }
    rows = [
        {"customer_id": "customer-1", "arm": "treatment", "orders": 2, "revenue": "2.00"},
        {"customer_id": "customer-2", "arm": "control", "orders": 0, "revenue": "0"},
    ]
    return Campaign("autumn", rows, effect | changed)


def with_note(held: Holdings, *customers: str) -> list[Any]:
    for view in held.customers:
        if view["customer_id"] in customers:
            view["campaigns"].append({"campaign_id": "autumn"})
    return held.customers


def test_a_campaigns_figures_are_counted_again(books: Books, held: Holdings) -> None:
    views = with_note(held, "customer-1")
    assert compare_campaign(books.accounts, views, campaign()) == []
    too_much = {"customers": 1, "responders": 0, "orders": 0, "revenue": "19.99"}
    assert len(compare_campaign(books.accounts, views, campaign(control=too_much))) == 1
    # A window that ends when the second order is placed does not count it.
    assert compare_campaign(books.accounts, views, campaign(counted_until="2017-02-03T18:00:00Z"))


@pytest.mark.parametrize("informed", [(), ("customer-1", "customer-2"), ("customer-1", "customer-4")])
def test_only_treated_customers_are_told_to_channels(books: Books, held: Holdings, informed: tuple[str, ...]) -> None:
    assert compare_campaign(books.accounts, with_note(held, *informed), campaign())


def copy_of(view: Any, customer: Any) -> dict[str, Any]:
    """As a channel is sent it."""
    return {"version": view["version"], "customer": customer, "merged_into": view.get("merged_into")}


def test_a_copy_is_stale_by_absence_version_or_content(held: Holdings) -> None:
    fields = ["sales.total", "contact.party", "score.segment"]
    copies = {view["customer_id"]: copy_of(view, permitted(view, fields)) for view in held.customers}
    assert stale("shop", held.customers, copies, fields) == []
    copies["customer-1"] = {"version": 0, "customer": {}}
    copies["customer-2"] = {"version": 1, "customer": {"sales": {"total": "0"}}}
    del copies["customer-3"]
    copies["customer-8"] = {"version": 1, "customer": {}}
    assert len(stale("shop", held.customers, copies, fields)) == 4


def test_what_is_sensitive_is_shown_where_it_is_named() -> None:
    view = {"contact": {"attributes": {"birthdate": "1970-01-01", "income": "35-49K", "size": "3"}}}
    assert permitted(view, ["contact"]) == {"contact": {"attributes": {"size": "3"}}}
    assert permitted(view, ["*"]) == permitted(view, ["contact.attributes"]) == permitted(view, ["contact"])
    assert permitted(view, ["contact", "contact.attributes.income"]) == {
        "contact": {"attributes": {"income": "35-49K", "size": "3"}}
    }
    assert permitted({"contact": None}, ["contact"]) == {"contact": None}


def test_the_first_difference_of_two_documents_is_named() -> None:
    expected, found = {"a": 1, "b": {"c": 2, "d": 3}}, {"a": 1, "b": {"c": 2, "d": 4}}
    assert first_difference("view", expected, found) == Difference("view.b.d", 3, 4)
    assert first_difference("view", expected, {"a": 1}) == Difference("view.b", {"c": 2, "d": 3}, "nothing")


def test_a_policy_reaches_into_lists_and_leaves_what_is_null() -> None:
    view = {
        "score": None,
        "notes": [{"id": 1, "text": "a"}, {"id": 2, "text": "b"}],
        "sales": {"orders": 1, "total": "2"},
    }
    assert permitted(view, ["score.segment", "notes.id", "sales.orders", "sales", "unknown"]) == {
        "score": None,
        "notes": [{"id": 1}, {"id": 2}],
        "sales": {"orders": 1, "total": "2"},
    }


def test_a_channel_that_got_more_than_it_may_know_is_a_difference(held: Holdings) -> None:
    copies = {view["customer_id"]: copy_of(view, permitted(view, ["*"])) for view in held.customers}
    assert stale("shop", held.customers, copies, ["*"]) == []
    assert len(stale("shop", held.customers, copies, ["sales"])) == len(held.customers)
    with_income = {view["customer_id"]: copy_of(view, view) for view in held.customers}
    assert stale("shop", held.customers, with_income, ["*"])

"""The CSV files as events: what each system says of whom."""

from decimal import Decimal
from pathlib import Path

import pytest

from demo.emitters.event import CONTACT, CONTRACT, INTERACTION, SALE, Event
from demo.emitters.history import events
from demo.emitters.made_up import delivery, payment
from demo.emitters.systems import NORTH, SOUTH
from shared.contracts.channels import INBOUND


def test_events_come_in_time_order(mini: Path) -> None:
    said = [event.id for event in events(mini)]
    assert said == [
        "mail-1-1",
        "mail-1-4",
        "card-1",
        "card-2",
        "card-3",
        "card-4",
        "sale-100",
        "coupon-777-1-1-2017-01-05",
        "plan-SP-000001-started-201701100900",
        "plan-SP-000002-started-201701100900",
        "card-900001",
        "sale-101",
        "sale-102",
        "call-1",
        "mail-2-1",
        "plan-SP-000001-payment-failed-201702120900",
        "plan-SP-000002-payment-failed-201702120900",
        "plan-SP-000002-payment-recovered-201702140900",
        "plan-SP-000001-renewed-201702200900",
        "plan-SP-000002-cancelled-201703010800",
        "sale-103",
        "call-2",
    ]


def test_a_basket_is_one_sale_with_its_lines_and_discounts(mini: Path) -> None:
    sale = next(event for event in events(mini) if event.id == "sale-100")
    assert sale.data["order"] == "100"
    assert [line["value"] for line in sale.data["lines"]] == ["1.50", "0.10"]
    assert sale.data["lines"][1]["discounts"] == {"retail": "0.00", "coupon": "0.20", "coupon_match": "0.10"}
    assert sale.data["ordered_at"] == "2017-01-03T10:00:00Z"
    assert [line.get("category") for line in sale.data["lines"]] == ["MILK", None]


def test_what_sales_cost_is_made_up_and_only_the_tills_of_the_north_tell_it(mini: Path) -> None:
    sales = {event.id: event.data for event in events(mini) if event.type == SALE}
    assert [line["cost"] for line in sales["sale-100"]["lines"]] == ["1.20", "0.10"]
    assert [line.get("cost") for line in sales["sale-101"]["lines"]] == [None]
    assert {data["payment"] for data in sales.values()} == {"card"}
    assert (payment(4), delivery(4), delivery(27)) == ("cash", {}, {"parcels": 1})


def test_calls_and_contracts_are_made_up_and_told_by_systems_of_their_own(mini: Path) -> None:
    said = {event.id: event for event in events(mini)}
    assert (said["call-1"].data["minutes"], "minutes" in said["call-2"].data) == ("2.5", False)
    start, end = said["plan-SP-000002-started-201701100900"], said["plan-SP-000002-cancelled-201703010800"]
    assert (start.type, start.data["price"], start.system.source) == (CONTRACT, "14.90", "/channels/billing")
    assert (end.data["reason"], "price" in end.data) == ("price", False)


def test_each_half_of_the_stores_knows_a_customer_by_its_own_number_and_the_card(mini: Path) -> None:
    sales = {event.id: event for event in events(mini) if event.type == SALE}
    assert sales["sale-100"].system is NORTH
    assert sales["sale-101"].system is SOUTH
    assert sales["sale-100"].data["customer"] == [
        {"scheme": "north-pos", "value": "N-000001"},
        {"scheme": "loyalty-card", "value": "LC-000001"},
    ]


def test_once_there_is_a_second_card_odd_baskets_go_on_it(mini: Path) -> None:
    sales = {event.id: event.data["customer"] for event in events(mini) if event.type == SALE}
    assert [one["value"] for one in sales["sale-101"]] == ["S-900001", "LC-900001"]
    assert [one["value"] for one in sales["sale-102"]] == ["S-000001", "LC-000001"]


def test_a_second_form_is_written_in_a_shop_and_says_nothing_of_the_first(mini: Path) -> None:
    said = {event.id: event for event in events(mini)}
    first, second = said["card-1"], said["card-900001"]
    assert (first.system.name, second.system.name) == ("loyalty", "north-stores")
    assert (first.data["name"], second.data["name"]) == ("Ada Quill", "Ada Quil")
    names = [{one["value"] for one in form.data["customer"]} for form in (first, second)]
    assert not names[0] & names[1]
    # What identifies would make them one without anybody finding anything.
    assert not {"email", "phone"} & (first.data.keys() | second.data.keys())
    assert (first.data["emails"], "emails" in second.data) == ([{"typed": "ada@example.org"}], False)


def test_forms_are_made_up_of_those_only_who_have_told_nothing(everything: list[Event]) -> None:
    forms = [event for event in everything if event.type == CONTACT and event.data["party"] == "person"]
    told = {event.household for event in everything if event.type == CONTACT and event.data["party"] == "household"}
    assert not {form.household for form in forms} & told
    assert all(number["typed"][6:12] == "555-01" for form in forms for number in form.data.get("phones", ()))
    assert all(one["typed"].endswith("@example.org") for form in forms for one in form.data.get("emails", ()))
    used = {event.data["customer"][-1]["value"] for event in everything if event.type == SALE}
    second = [form.data["customer"][-1]["value"] for form in forms if form.system is NORTH]
    assert len(second) == 204
    assert used.issuperset(second)


def test_what_a_household_did_not_tell_is_not_reported(mini: Path) -> None:
    cards = {event.household: event for event in events(mini) if event.type == CONTACT}
    assert cards[3].data["attributes"] == {"age": "19-24", "income": "Under 15K"}
    assert cards[3].data["customer"] == [{"scheme": "loyalty-card", "value": "LC-000003"}]


def test_the_whole_history_is_there(everything: list[Event]) -> None:
    said = everything
    kinds = [event.type for event in said]
    assert (kinds.count(SALE), kinds.count(CONTACT)) == (47_243, 801 + 1_095)
    calls = 1_200
    assert (kinds.count(INTERACTION), kinds.count(CONTRACT)) == (6_589 + 2_102 + calls, 1_344)
    assert len({(event.system.source, event.id) for event in said}) == len(said)
    lines = [line for event in said if event.type == SALE for line in event.data["lines"]]
    assert len(lines) == 75_000
    assert sum(Decimal(line["value"]) for line in lines) == Decimal("233935.24")


@pytest.mark.parametrize("share", [0.02, 0.1])
def test_a_slice_is_a_share_of_whole_households(everything: list[Event], share: float) -> None:
    some = events(share=share)
    chosen = {event.household for event in some}
    assert abs(len(chosen) / 2379 - share) < 0.02
    assert [event.id for event in some] == [event.id for event in everything if event.household in chosen]


def test_every_event_keeps_its_contract(mini: Path) -> None:
    for event in events(mini):
        INBOUND.types[event.type].model_validate(event.data)

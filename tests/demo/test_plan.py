"""The plan: order, second copies, broken events; the same at every run."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from demo.emitters.event import SALE, Event
from demo.emitters.faults import FAULTS, WAYS, Fault
from demo.emitters.history import events
from demo.emitters.plan import Step, gone_quiet, plan, tally, until
from shared.contracts.channels import MAX_EVENT_BYTES, SaleReported
from shared.contracts.fact import Reason


@pytest.fixture(scope="module")
def said() -> list[Event]:
    return events(share=0.1)


@pytest.fixture(scope="module")
def steps(said: list[Event]) -> list[Step]:
    return plan(said)


def test_the_same_seed_gives_the_same_plan(said: list[Event], steps: list[Step]) -> None:
    assert plan(said) == steps
    assert plan(said, seed=1) != steps


def test_every_event_is_sent_once_in_order(said: list[Event], steps: list[Step]) -> None:
    assert [step.event for step in steps if not step.again and step.fault is None] == said


def test_one_in_a_hundred_is_sent_twice_and_never_before_the_first_copy(said: list[Event], steps: list[Step]) -> None:
    first = {step.event.id: place for place, step in enumerate(steps) if not step.again and step.fault is None}
    copies = [(place, step.event.id) for place, step in enumerate(steps) if step.again]
    assert len(copies) == round(len(said) / 100) == sum(tally(steps).twice.values())
    assert all(place > first[event_id] for place, event_id in copies)
    distances = [place - first[event_id] for place, event_id in copies]
    assert min(distances) < 60
    assert max(distances) > 1000


def test_every_way_to_be_broken_happens_and_broken_ids_are_unique(steps: list[Step]) -> None:
    broken = [step for step in steps if step.fault is not None]
    assert {(step.fault, step.transport) for step in broken} == set(WAYS)
    ids = [(step.event.id, step.fault.name) for step in broken if step.fault is not None]
    assert len(set(ids)) == len(ids)
    assert len(FAULTS) >= 10


def test_half_a_percent_of_a_long_history_is_broken(everything: list[Event]) -> None:
    counted = tally(plan(everything))
    assert sum(counted.dead_letters.values()) + sum(counted.rejected.values()) == round(0.005 * len(everything))
    assert counted.events == Counter(sales=47_243, contacts=1_896, interactions=9_891, contracts=1_344)


def test_reasons_are_the_words_of_the_contract() -> None:
    assert {fault.reason for fault in FAULTS} == set(Reason) - {Reason.HANDLER_ERROR}


def fault(name: str) -> Fault:
    return next(fault for fault in FAULTS if fault.name == name)


@pytest.mark.parametrize("name", ["no-customer", "no-currency", "year-9999", "not-a-number"])
def test_what_breaks_the_contract_breaks_it_for_the_expected_reason(said: list[Event], name: str) -> None:
    sale = next(event for event in said if event.type == SALE)
    with pytest.raises(ValidationError) as raised:
        SaleReported.model_validate(Step(sale, fault(name)).message.data)
    (error,) = raised.value.errors()
    assert error["type"] == fault(name).reason or fault(name).reason == "invalid-data"


def test_a_foreign_currency_keeps_the_contract_and_breaks_the_companys_rule(said: list[Event]) -> None:
    sale = next(event for event in said if event.type == SALE)
    assert SaleReported.model_validate(Step(sale, fault("foreign-currency")).message.data).currency == "EUR"


def test_the_large_one_is_too_large(said: list[Event]) -> None:
    sale = next(event for event in said if event.type == SALE)
    assert len(Step(sale, fault("too-large")).message.body) > MAX_EVENT_BYTES


def test_the_plan_is_cut_before_the_first_new_event_of_the_day(steps: list[Step]) -> None:
    launch = datetime(2017, 10, 1, tzinfo=UTC)
    cut = until(steps, launch)
    assert all(step.event.at < launch for step in steps[:cut])
    assert steps[cut].event.at >= launch
    assert not steps[cut].again
    assert until(steps, datetime(2030, 1, 1, tzinfo=UTC)) == len(steps)


def test_whoever_has_gone_quiet_is_never_heard_of_again_in_any_way(steps: list[Step]) -> None:
    cut = until(steps, datetime(2017, 10, 1, tzinfo=UTC))
    household = gone_quiet(steps, cut)
    mine = [step for step in steps if step.event.household == household]
    assert mine
    assert not any(step.fault for step in mine)
    assert not any(step.event.household == household for step in steps[cut:])
    cards = {step.event.data["customer"][-1]["value"] for step in mine}
    assert len(cards) == 2
    assert gone_quiet(steps, 0) is None


def test_a_handful_of_sales_is_broken_in_as_many_ways_as_there_are_sales() -> None:
    few = events(share=0.001)
    models = [step.event.id for step in plan(few) if step.fault is not None]
    assert 0 < len(models) == len(set(models)) <= len(few) < len(WAYS)

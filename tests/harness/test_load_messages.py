"""The load's events against our contracts: what it calls right is right, what it calls poison is refused for its reason."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import orjson
import pytest

from services.interactions.domain import is_foreign
from shared.contracts.channels import INBOUND, MAX_EVENT_BYTES, InteractionReported, SaleReported
from shared.messaging.envelope import Refused, from_headers, from_json, validate
from tests.load import Message, Mix, messages
from tests.load.poison import BY_NAME, POISONS

EVERYTHING = Mix(customers=200, duplicates=0.05, poison=0.05, reordered=0.1)


def read(message: Message) -> Any:
    event = from_headers(dict(message.headers), message.value)
    return validate(INBOUND.types, event.type, event.data, MAX_EVENT_BYTES)


def made(mix: Mix, count: int = 3000, seed: int = 1) -> list[Message]:
    return list(messages(mix, count, seed))


@pytest.fixture(scope="module")
def everything() -> list[Message]:
    return made(EVERYTHING)


def test_the_same_seed_makes_the_same_load_and_another_one_another(everything: Sequence[Message]) -> None:
    assert made(EVERYTHING) == everything
    assert made(EVERYTHING, seed=2) != everything
    assert made(EVERYTHING, count=100) == everything[:100]


def test_every_event_keeps_its_contract_and_says_what_the_ledger_says(everything: Sequence[Message]) -> None:
    for message in everything:
        entry = message.entry
        if entry.poison:
            continue
        fact = read(message)
        own, card = entry.channel.identifiers(entry.customer)
        assert [f"{one.scheme}:{one.value}" for one in fact.customer] == [own, card]
        assert message.key == own.encode()
        if isinstance(fact, SaleReported):
            assert (fact.order, fact.ordered_at, entry.kind) == (entry.order, entry.at, "sale")
            assert sum(line.value for line in fact.lines) == entry.total > 0
            assert sum(line.discounts.retail for line in fact.lines) == entry.discount
        elif isinstance(fact, InteractionReported):
            assert (fact.kind, fact.occurred_at, entry.kind) == (entry.said, entry.at, "interaction")
        else:
            assert (fact.name, fact.reported_at, entry.kind) == (entry.said, entry.at, "contact")


def test_its_json_form_is_the_same_event(everything: Sequence[Message]) -> None:
    for message in everything[:300]:
        if message.entry.poison:
            continue
        over_http, over_kafka = (
            from_json(orjson.loads(message.structured)),
            from_headers(dict(message.headers), message.value),
        )
        assert (over_http.id, over_http.source, over_http.type) == (over_kafka.id, over_kafka.source, over_kafka.type)
        assert orjson.loads(over_http.data) == orjson.loads(over_kafka.data)


@pytest.mark.parametrize("poison", [poison for poison in POISONS if poison.name != "foreign"], ids=lambda one: one.name)
def test_each_poison_is_refused_for_its_reason(poison: Any, everything: Sequence[Message]) -> None:
    found = [message for message in everything if message.entry.poison == poison.name]
    assert found
    for message in found:
        with pytest.raises(Refused) as refusal:
            read(message)
        assert refusal.value.reason == BY_NAME[poison.name].reason


def test_a_foreign_currency_is_valid_by_itself_and_refused_where_the_books_are_kept(
    everything: Sequence[Message],
) -> None:
    sales = [read(message) for message in everything if message.entry.poison == "foreign"]
    assert {sale.currency for sale in sales} == {"EUR"}
    assert all(is_foreign(sale, "USD") for sale in sales)


def test_a_poison_can_be_told_apart_from_all_others_by_its_id_or_its_bytes(everything: Sequence[Message]) -> None:
    seen = Counter(
        (dict(message.headers).get("ce_id"), message.value) for message in everything if message.entry.poison
    )
    assert set(seen.values()) == {1}
    assert not any(message.entry.again for message in everything if message.entry.poison)
    assert all(message.entry.channel.road == "kafka" for message in everything if message.entry.poison)


def test_a_second_sending_has_the_same_bytes_and_comes_later(everything: Sequence[Message]) -> None:
    first: dict[str, Message] = {}
    again = 0
    for message in everything:
        if message.entry.again:
            again += 1
            assert first[message.entry.event_id][1:] == message[1:]
        else:
            assert message.entry.event_id not in first
            first[message.entry.event_id] = message
    assert 0.03 < again / len(everything) < 0.07


def test_channels_overtake_each_other_and_keep_their_own_order(everything: Sequence[Message]) -> None:
    by_channel = defaultdict(list)
    for message in everything:
        if not message.entry.again:
            by_channel[message.entry.channel].append(message.entry.number)
    assert all(numbers == sorted(numbers) for numbers in by_channel.values())
    fresh = [message.entry.number for message in everything if not message.entry.again]
    assert sum(later < earlier for earlier, later in pairwise(fresh)) > 5


def test_without_options_everything_comes_once_in_order() -> None:
    numbers = [message.entry.number for message in made(Mix())]
    assert numbers == list(range(3000))


def test_the_shares_of_the_kinds_are_those_asked_for() -> None:
    kinds = Counter(message.entry.kind for message in made(Mix(contacts=0.1, interactions=0.3), 5000))
    assert kinds["contact"] == pytest.approx(500, rel=0.2)
    assert kinds["interaction"] == pytest.approx(1500, rel=0.1)


@pytest.mark.parametrize("skew", [0.0, 0.8, 1.0, 1.2])
def test_customers_stay_within_their_numbers(skew: float) -> None:
    mix = Mix(customers=50, first_customer=1000, skew=skew)
    drawn = Counter(message.entry.customer for message in made(mix, 5000))
    assert set(drawn) == set(range(1000, 1050))
    if skew:
        assert drawn[1000] > 3 * drawn[1049]
    else:
        assert max(drawn.values()) < 2 * min(drawn.values())


def test_one_channel_each_keeps_a_customer_on_one_channel() -> None:
    channels = defaultdict(set)
    for message in made(Mix(customers=40, one_channel_each=True)):
        channels[message.entry.customer].add(message.entry.channel)
    assert all(len(used) == 1 for used in channels.values())
    assert len(set.union(*channels.values())) == 4


def test_money_is_exact_to_the_cent() -> None:
    totals = [message.entry.total for message in made(Mix(), 500) if message.entry.kind == "sale"]
    assert all(total == total.quantize(Decimal("0.01")) for total in totals)


def test_everybody_first_begins_with_each_customer_once() -> None:
    mix = Mix(customers=100, first_customer=7, everybody_first=True)
    assert [message.entry.customer for message in made(mix, 100)] == list(range(7, 107))

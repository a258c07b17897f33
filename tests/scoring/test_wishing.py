"""What customers like: remembered from orders and contacts, offered, explained; and learnt from baskets held out."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import numpy as np
import pytest

from services.scoring.consumers import _not_refused
from services.scoring.domain.purchases import day_of
from services.scoring.domain.wishes.learning import START
from services.scoring.handlers import Deeds, Name, Studying, Wished, Wishing
from services.scoring.handlers.studying import PUPILS_AT_LEAST, PUPILS_AT_MOST, _Lessons
from services.scoring.handlers.wishing import is_pupil
from services.scoring.settings import ScoringSettings
from shared.contracts.channels import SaleLine
from shared.contracts.fact import Reason
from shared.contracts.interactions import InteractionRecorded, OrderPlaced
from tests.scoring.events import customer, received
from tests.scoring.memory import MemoryDeeds, MemoryNames, SetClock, new_unit

MONDAY = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
ANNA, BEN = customer(1), customer(2)
Fact = OrderPlaced | InteractionRecorded


def order(who: str, at: datetime, *products: str, channel: str = "shop", **categories: str) -> OrderPlaced:
    lines = [
        SaleLine(product=one, quantity=Decimal(1), value=Decimal(5), category=categories.get(one)) for one in products
    ]
    return OrderPlaced(
        order_id=f"{who}{at}",
        customer_id=who,
        channel=channel,
        ordered_at=at,
        currency="USD",
        total=Decimal(5 * len(lines)),
        lines=lines,
    )


def contact(who: str, at: datetime, channel: str, direction: Any = None) -> InteractionRecorded:
    return InteractionRecorded(
        interaction_id=f"{who}{at}", customer_id=who, channel=channel, kind="call", occurred_at=at, direction=direction
    )


@dataclass
class Shop:
    deeds: MemoryDeeds = field(default_factory=MemoryDeeds)
    names: MemoryNames = field(default_factory=MemoryNames)
    zone: str = "UTC"

    def __post_init__(self) -> None:
        self.clock = SetClock(MONDAY + timedelta(days=100))
        self.wishing = Wishing(self.deeds, self.names, self.clock, self.zone)
        self.studying = Studying(self.wishing, self.deeds, self.names)

    async def hear(self, *facts: Fact) -> None:
        events = [received(cast("Any", fact)) if isinstance(fact, OrderPlaced) else _contact(fact) for fact in facts]
        unit = new_unit()
        unit.prepared = await self.wishing.number(events)
        await Deeds(self.deeds, self.wishing).fold(unit, events)

    async def of(self, who: str, number: int = 10) -> Wished:
        found = await self.wishing.read(who, number)
        assert found is not None
        return found


def _contact(fact: InteractionRecorded) -> Any:
    event = received(order(fact.customer_id, fact.occurred_at, "p"))
    event.fact = fact
    return event


def offered(found: Wished) -> list[str]:
    return [offer.product.product for offer in found.offers]


async def test_of_who_was_never_heard_of_nothing_is_said() -> None:
    assert await Shop().wishing.read(ANNA, 10) is None


async def test_before_the_base_was_looked_through_there_are_interests_and_no_offers() -> None:
    shop = Shop()
    await shop.hear(order(ANNA, MONDAY, "espresso", "beans", espresso="coffee", beans="coffee"))
    found = await shop.of(ANNA)
    assert (found.offers, [one.category for one in found.interests]) == ([], ["coffee"])
    assert (await shop.studying.study()).products == 2
    assert sorted(offered(await shop.of(ANNA))) == ["beans", "espresso"]


async def test_offers_are_what_goes_with_ones_own_and_say_so_in_the_products_names() -> None:
    shop = Shop()
    shop.studying._mix = replace(START, popular=0.0)
    for number in range(2, 60):
        basket = ("pasta", "pesto") if number % 2 else ("tea", "biscuits")
        await shop.hear(order(customer(number), MONDAY + timedelta(days=number), *basket))
    await shop.names.describe("pasta", name="Spaghetti", category=None, available=True)
    await shop.hear(order(ANNA, MONDAY + timedelta(days=60), "pasta"))
    await shop.studying.study()
    found = await shop.of(ANNA)
    assert offered(found)[:2] == ["pasta", "pesto"]
    assert found.offers[1].reason == "often bought with Spaghetti"
    assert found.offers[0].reason == "bought once, 6 weeks ago"


async def test_a_product_in_two_categories_counts_for_both_and_is_kept_in_one() -> None:
    """It once stopped the consumer: the first of the two had no number."""
    shop = Shop()
    twice = order(ANNA, MONDAY, "p", p="tea").model_copy()
    line = twice.lines[0].model_copy(update={"category": "herbs"})
    await shop.hear(twice.model_copy(update={"lines": [twice.lines[0], line]}))
    assert {one.category for one in (await shop.of(ANNA)).interests} == {"tea", "herbs"}
    assert (await shop.names.products())[0].category == "herbs"


async def test_what_cannot_be_had_is_not_offered() -> None:
    shop = Shop()
    await shop.hear(order(ANNA, MONDAY, "tea", "coffee"), order(BEN, MONDAY, "tea", "coffee"))
    await shop.names.describe("tea", name="Tea", category=None, available=False)
    await shop.studying.study()
    assert offered(await shop.of(ANNA)) == ["coffee"]


async def test_channel_and_hour_are_of_the_customers_own_doing_in_their_own_time() -> None:
    shop = Shop(zone="America/New_York")
    for week in range(8):
        at = MONDAY + timedelta(weeks=week)
        await shop.hear(contact(ANNA, at, "call-centre", "inbound"), contact(ANNA, at, "mail", "outbound"))
    shop.clock.at = MONDAY + timedelta(weeks=8)
    found = await shop.of(ANNA)
    assert found.channel == "call-centre"
    assert found.hour is not None
    assert (found.hour.weekday, found.hour.hour) == (0, 5)
    assert Name("channel", "mail") not in shop.names.given


async def test_any_order_and_any_batches_are_remembered_alike() -> None:
    facts: list[Fact] = [
        *(order(ANNA, MONDAY + timedelta(days=3 * n), f"p{n % 4}", "milk") for n in range(9)),
        *(contact(ANNA, MONDAY + timedelta(days=5 * n), "shop") for n in range(5)),
    ]
    one, other = Shop(), Shop()
    await one.hear(*facts)
    for fact in reversed(facts):
        await other.hear(fact)
    texts = [{number: name for name, number in shop.names.given.items()} for shop in (one, other)]
    habits = [
        {(text[habit.item], habit.times, habit.first, habit.last, round(habit.weight, 9)) for habit in part.kept}
        for shop, text in zip((one, other), texts, strict=True)
        for part in (shop.deeds.known[ANNA].wishes.products, shop.deeds.known[ANNA].wishes.channels)
    ]
    assert habits[:2] == habits[2:]


async def test_a_contact_leaves_what_was_bought_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop()
    await shop.hear(order(ANNA, MONDAY, "tea"))
    saved: list[Any] = []
    save = shop.deeds.save

    async def watched(changed: Any, session: Any) -> None:
        saved.extend(changed)
        await save(changed, session)

    monkeypatch.setattr(shop.deeds, "save", watched)
    await shop.hear(contact(ANNA, MONDAY, "web"))
    assert (saved[0].liked.products, saved[0].liked.categories) == (None, None)
    assert saved[0].liked.channels is not None


def pupils() -> list[str]:
    return [customer(number) for number in range(12_000) if is_pupil(customer(number))]


async def test_lessons_are_baskets_of_pupils_with_what_was_known_before() -> None:
    pupil = pupils()[0]
    shop = Shop()
    await shop.hear(order(pupil, MONDAY, "tea"))
    assert not shop.deeds.lessons
    late = order(pupil, MONDAY - timedelta(days=1), "soap")
    await shop.hear(order(pupil, MONDAY + timedelta(days=7), "milk", "tea"), late)
    await shop.hear(*(order(one, MONDAY + timedelta(days=n), "tea") for n in (0, 1) for one in (ANNA,)))
    lesson = shop.deeds.lessons[pupil]
    numbers = {name.text: number for name, number in shop.names.given.items() if name.kind == "product"}
    assert lesson.day == day_of(MONDAY) + 7
    assert lesson.basket == sorted([numbers["milk"], numbers["tea"]])
    assert set(shop.deeds.lessons) <= {pupil, ANNA}


async def test_the_mix_is_learnt_from_the_baskets_of_pupils_that_no_evidence_knows() -> None:
    """Everybody buys what they bought the time before: with the mix learnt, own purchases come first."""
    shop = Shop()
    random = np.random.default_rng(4)
    crowd = [*pupils()[: PUPILS_AT_LEAST + 20], *(customer(n) for n in range(20_000, 20_300))]
    for who in crowd:
        favourite = [f"p{item}" for item in random.integers(0, 60, 3)]
        for day in (0, 10):
            await shop.hear(order(who, MONDAY + timedelta(days=day), *favourite))
    studied = await shop.studying.study()
    assert studied.customers == len(crowd)
    assert studied.accuracy is not None
    assert studied.accuracy.recall > 0.99
    assert (await shop.studying.study()).mix == studied.mix


def test_the_sample_of_lessons_is_bounded_and_recent() -> None:
    lessons = _Lessons()
    lessons.take([None, *(_lesson(day) for day in range(3 * PUPILS_AT_MOST))])
    recent = lessons.recent()
    assert 0 < len(recent) <= 28
    assert min(lesson.day for lesson in recent) > max(lesson.day for lesson in recent) - 28
    assert _Lessons().recent() == []


def _lesson(day: int) -> Any:
    from services.scoring.handlers import PackedLesson

    return PackedLesson(b"", day, [])


def test_what_was_refused_is_remembered_when_it_comes_again() -> None:
    unit = new_unit()
    events = [received(order(ANNA, MONDAY, "tea")), received(order(BEN, MONDAY, "tea"))]
    for number, event in enumerate(events):
        event.record = cast("Any", object()) if number else event.record
    assert _not_refused(unit, events) == events
    unit.reject(events[1], Reason.WRONG_CURRENCY, "no")
    assert _not_refused(unit, events) == events[:1]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", ""])
def test_a_time_zone_that_is_none_is_refused(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_SCORING_TIME_ZONE", zone)
    with pytest.raises(ValueError, match="no time zone"):
        ScoringSettings()

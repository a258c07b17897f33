"""What customers do, on the real database: read of all who are one together, and of nobody restricted."""

import pytest

from services.scoring.domain.behaviour import Behaviour, Doing, Done
from services.scoring.domain.contracts.facts import Contracts, Kind as Kind_
from services.scoring.domain.profit import Book, Kind, Movement
from services.scoring.domain.wishes.customer import Memories, Wishes
from services.scoring.handlers import Change, LastBasket, Liked
from tests.links import link
from tests.scoring.contracts.lives import fact
from tests.scoring.events import customer, linked, restricted
from tests.scoring.instances import ANNA, BERT, CLEO, DORA, NOTHING, Instance

pytestmark = pytest.mark.integration


def change(who: str, number: int, lesson: LastBasket | None = None) -> Change:
    wishes = Wishes.of_purchase(100 + number, [number], [7])
    book = Book.of([Movement(f"e-{who}", 610, Kind.CALLS, "", False, 5 + number)])
    signed = Contracts((fact(Kind_.STARTED, "2026-01-01", contract=f"c-{number}"),))
    did = Behaviour((Done(100 + number, Doing.COMPLAINT, 1),)).pack()
    return Change(who, Liked(*wishes.parts, lesson), book.by_month(), signed, did)


async def test_of_those_who_are_one_all_deeds_are_read_together_and_apart_again(one: Instance) -> None:
    await one.deeds.save([change(who, number) for number, who in enumerate((ANNA, BERT, CLEO))], NOTHING)
    alone = await one.joined.wishes(BERT), await one.joined.books(BERT), await one.joined.behaviours([BERT])
    await one.hear(linked(link(BERT, DORA, 1)), linked(link(CLEO, BERT, 1)))
    for who in (BERT, CLEO, DORA):
        wishes, book = await one.joined.wishes(who), await one.joined.books(who)
        assert wishes == Wishes.of_purchase(101, [1], [7]).plus(Wishes.of_purchase(102, [2], [7]), Memories())
        assert book is not None
        assert sum(sum_.micros for sum_ in book.sums.values()) == 13
        assert {one_.contract for one_ in (await one.joined.contracts(who)).facts} == {"c-1", "c-2"}
        did = Behaviour.unpack((await one.joined.behaviours([who]))[who])
        assert [done.day for done in did.days] == [101, 102]
        assert await one.links.root(who) == DORA
    assert await one.links.root(ANNA) == ANNA
    await one.hear(linked(link(BERT, DORA, 2)), linked(link(CLEO, BERT, 2)))
    assert (await one.joined.wishes(BERT), await one.joined.books(BERT), await one.joined.behaviours([BERT])) == alone
    assert await one.joined.wishes(DORA) is None
    assert await one.joined.books(DORA) is None
    assert (await one.joined.contracts(DORA)).facts == ()


@pytest.mark.parametrize("limit", [1, 2, 9])
async def test_looks_through_the_base_meet_those_who_are_one_once(one: Instance, limit: int) -> None:
    lesson = LastBasket(Wishes.of_purchase(90, [1], []).products, 100, frozenset([2]))
    everybody = [customer(number) for number in range(6)]
    await one.deeds.save([change(who, number, lesson) for number, who in enumerate(everybody)], NOTHING)
    await one.hear(linked(link(everybody[3], everybody[4], 1)), linked(link(everybody[1], everybody[4], 1)))
    await one.hear(linked(link(everybody[5], customer(9), 1)))
    sums, met, signed = list[int](), list[str](), list[int]()
    after = None
    while (ledger := await one.joined.ledger(after, limit)).customers:
        sums += [sum(sum_.micros for sum_ in book.sums.values()) for book in ledger.books]
        after = ledger.customers[-1]
    assert sums == [5, 6 + 8 + 9, 7, 10]
    after = None
    while (leaf := await one.joined.leaf(after, limit)).customers:
        met += [who for who, lesson_ in zip(leaf.customers, leaf.lessons, strict=True) if lesson_]
        after = leaf.customers[-1]
    assert met == [everybody[0], everybody[2]]
    after = None
    while (page := await one.joined.signed(after, limit))[0]:
        signed += [len(contracts.facts) for contracts in page[1]]
        after = page[0][-1]
    assert signed == [1, 3, 1, 1]


async def test_looks_through_what_customers_do_meet_nobody_restricted(one: Instance) -> None:
    await one.deeds.save([change(who, number) for number, who in enumerate((ANNA, BERT, CLEO, DORA))], NOTHING)
    await one.hear(linked(link(BERT, ANNA, 1)))
    assert (await one.joined.ledger(None, 9)).customers == [ANNA, CLEO, DORA]
    await one.hear(restricted(1), restricted(2))
    for limit in (1, 9):
        assert (await one.joined.ledger(None, limit)).customers == [DORA]
        assert (await one.joined.leaf(None, limit)).customers == [DORA]
        assert (await one.joined.signed(None, limit))[0] == [DORA]
    await one.hear(restricted(1, restricted=False), restricted(2, restricted=False))
    assert (await one.joined.ledger(None, 9)).customers == [ANNA, CLEO, DORA]

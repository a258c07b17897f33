"""What happens to contracts: recorded once under the customer, told among the sales, refused in foreign money."""

from decimal import Decimal

from shared.contracts.fact import Reason
from shared.contracts.interactions import SALES, ContractChanged
from tests.interactions.book import Book
from tests.interactions.facts import ANNA, NOON, SHOP, contract
from tests.interactions.units import received


async def test_what_happened_to_a_contract_is_told_once_and_counted() -> None:
    book = Book()
    started = contract("started", price="29.90")
    work = await book.take(received(started, "e-1"), received(started, "e-1"))
    (record,) = work.outgoing
    fact = ContractChanged.model_validate_json(record.value or b"")
    assert record.topic == SALES.name
    assert (fact.customer_id, fact.channel, fact.contract, fact.event) == (ANNA, SHOP, "C-1", "started")
    assert (fact.price, fact.currency, fact.happened_at) == (Decimal("29.90"), "USD", NOON)
    entry = book.history.entries[fact.change_id]
    assert (entry.kind, entry.at) == ("contract-started", NOON)
    sums = await book.history.figures()
    assert (sums.contracts, sums.duplicates, sums.orders) == (1, 1, 0)


async def test_a_contract_in_foreign_money_is_refused_and_one_without_money_is_not() -> None:
    book = Book()
    work = await book.take(
        received(contract("renewed", price="5", currency="EUR"), "e-1"), received(contract("lapsed"), "e-2")
    )
    assert [one.reason for one in work.rejected] == [Reason.WRONG_CURRENCY]
    assert len(work.outgoing) == 1

"""What each household has earned, counted again from the files: sales as they were, costs as they were made up."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate
from pathlib import Path

from demo.ledger.cards import Wallets, forms
from demo.ledger.compare import money
from demo.ledger.decisions import Decisions
from demo.ledger.difference import Difference, unequal
from demo.ledger.files import Row, every_row, rows
from demo.ledger.people import Document, households

CENT = Decimal("0.01")
NOTHING = Decimal(0)
CARRIED = Decimal("0.8")
CELL = Decimal("0.98")
"""The platform counts customers in cells of profit a hundredth wide: of a class it may begin so much below the exact cut."""
Profits = Mapping[int, Decimal]
"""By household."""


@dataclass(frozen=True, slots=True)
class Earnings:
    """What the platform says of profit: of the whole base, and of some customers, by their ids."""

    base: Document
    statements: Mapping[str, Document]


class Costs:
    """The cost model that the company told."""

    def __init__(self, told: Iterator[Row]) -> None:
        self._rates: dict[tuple[str, str], list[Row]] = {}
        for row in told:
            self._rates.setdefault((row["kind"], row["subject"]), []).append(row)

    def rate(self, kind: str, month: str, subject: str = "") -> Decimal:
        """Of the subject, or else of all. Raises KeyError for a cost without any: the demo names all that arise."""
        for row in (*self._rates.get((kind, subject), ()), *self._rates.get((kind, ""), ())):
            if row["since"] <= month and (not row["until"] or month < row["until"]):
                return Decimal(row["per_unit"])
        raise KeyError(kind, subject, month)


def profits(folder: Path, share: float, since: str, until: str, decisions: Decisions | None = None) -> Profits:
    """Of the months from `since` until before `until` ("2017-01"); nobody to whom nothing happened in them, or who is erased."""
    whose = (decisions or Decisions()).whose
    by_card: dict[int, Decimal] = {}
    for card, month, amount in amounts(folder, share):
        if since <= month < until:
            by_card[card] = by_card.get(card, NOTHING) + amount
    earned: dict[int, Decimal] = {}
    for card, amount in by_card.items():
        if (customer := whose(card)) is not None:
            earned[customer] = earned.get(customer, NOTHING) + amount
    return earned


def amounts(folder: Path, share: float) -> Iterator[tuple[int, str, Decimal]]:
    """Card, month and what it earned, one thing after the other. Each quantity times its rate has at most six
    decimals, so nothing is rounded.
    """
    costs = Costs(every_row(folder, "made_up/costs"))
    categories = {row["product_id"]: row["product_category"] for row in every_row(folder, "products")}
    baskets, wallets = set(), Wallets(forms(folder, share))
    for row in rows(folder, "transactions", share):
        card, month = wallets.card(row), row["transaction_timestamp"][:7]
        yield card, month, line(row, categories.get(row["product_id"], ""), costs, month)
        if row["basket_id"] not in baskets:
            baskets.add(row["basket_id"])
            yield card, month, -basket(int(row["household_id"]), costs, month)
    begins = {row["campaign_id"]: row["start_date"][:7] for row in every_row(folder, "campaign_descriptions")}
    for row in rows(folder, "campaigns", share):
        month = begins[row["campaign_id"]]
        yield int(row["household_id"]), month, -costs.rate("campaigns", month)
    for row in rows(folder, "made_up/calls", share):
        month, minutes = row["occurred_at"][:7], row["minutes"]
        cost = costs.rate("calls", month) * Decimal(minutes) if minutes else costs.rate("calls", month, "unmeasured")
        yield int(row["household_id"]), month, -cost


def line(row: Row, category: str, costs: Costs, month: str) -> Decimal:
    """What was paid for it, by the customer or with a manufacturer's coupon, less the goods and the payment's share.

    Tills of the north tell what the goods have cost, to the cent; those of the south do not, and the rate applies.
    """
    paid, retail, coupon, match = (
        Decimal(row[name]) for name in ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")
    )
    goods = (paid + retail + match) * costs.rate("goods", month, category)
    if int(row["store_id"]) % 2:
        goods = goods.quantize(CENT, ROUND_HALF_UP)
    return paid - goods - (paid - coupon) * costs.rate("payment-share", month, method(int(row["household_id"])))


def basket(household: int, costs: Costs, month: str) -> Decimal:
    sent = household % 20 == 7
    shipping = costs.rate("shipping", month) if sent else NOTHING
    return costs.rate("payment-fixed", month, method(household)) + shipping + costs.rate("overhead", month)


def method(household: int) -> str:
    return "card" if household % 4 else "cash"


def compare_profits(earned: Profits, views: Sequence[Document], told: Earnings) -> list[Difference]:
    """Differences in the base's figures and in the statements, to the millionth."""
    return [*of_base(earned, told.base), *of_statements(earned, views, told.statements)]


def of_base(earned: Profits, base: Document) -> Iterator[Difference]:
    yield from unequal("profit of all customers", sum(earned.values(), NOTHING), money(base["profit"]))
    yield from unequal("customers with a profit or loss", len(earned), base["customers"])
    yield from unequal("costs that nobody knows", [], base["unknown"])
    yield from unequal("loss makers", sum(profit < 0 for profit in earned.values()), base["classes"]["L"])
    least, most = carriers(earned)
    if not least <= base["classes"]["A"] <= most:
        yield Difference("customers who carry 80 %", f"{least} to {most}", base["classes"]["A"])


def carriers(earned: Profits) -> tuple[int, int]:
    """How many of the best earn 80 % of what the profitable earn: those with as much as the last of them needed, and those
    in the same cell too.
    """
    best = sorted((profit for profit in earned.values() if profit > 0), reverse=True)
    wanted = CARRIED * sum(best, NOTHING)
    cut = next((best[n] for n, together in enumerate(accumulate(best)) if together >= wanted), NOTHING)
    return sum(profit >= cut for profit in best), sum(profit >= cut * CELL for profit in best)


def of_statements(
    earned: Profits, views: Sequence[Document], statements: Mapping[str, Document]
) -> Iterator[Difference]:
    whose = households(views)
    for customer_id, told in statements.items():
        household = whose.get(customer_id)
        expected = NOTHING if household is None else earned.get(household, NOTHING)
        yield from unequal(f"household {household}: profit", expected, money(told["profit"]))
        yield from unequal(f"household {household}: costs that nobody knows", [], told["unknown"])

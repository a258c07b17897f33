"""Profit and contracts as a person reads them, with what of them is real and what is made up."""

from decimal import Decimal

from rich.console import Group, RenderableType
from rich.text import Text

from demo.finance import Findings
from demo.tables import money, percent, table

CLASSES = {
    "A": "the best, who carry 80 % of what the profitable earn",
    "B": "the next 15 %",
    "C": "the rest of those who cost nothing on balance",
    "L": "loss makers",
}
PROFIT_IS = (
    "Baskets, discounts and mailings are real (Complete Journey). What goods, payments, parcels, calls and orders cost is "
    "made up, and so are the calls: this shows what is computed, and says nothing about the grocer."
)
CONTRACTS_ARE = (
    "The plans are made up, drawn by a seeded generator: the data know none. The last column is a plain life table of the "
    "same plans, paid or not; the outlook steadies ages by their neighbours."
)


def profit(found: Findings) -> RenderableType:
    """Classes by Pareto's rule, and what loss makers take away again."""
    base = found.profit
    everybody, earned = base["customers"], Decimal(base["profit"])
    made = table("Who carries the profit", "class", "", "customers", "share", left=2)
    for name, meaning in CLASSES.items():
        count = base["classes"][name]
        made.add_row(name, meaning, f"{count:,}", percent(count / everybody if everybody else None))
    most = Decimal(base["peak"]["profit"])
    lost = f"Together they earn {money(earned)}; without the loss makers it would be {money(most)}."
    return Group(made, Text(lost), Text(PROFIT_IS, style="dim"))


def contracts(found: Findings) -> RenderableType:
    """What the risks of the base say of a new one, and the plain share that ran so long."""
    base, counted = found.contracts, found.running
    title = f"How a service plan that begins today may go on ({base['contracts']:,} plans)"
    made = table(
        title, "after", "left by choice", "ended by fate", "running, paid", "payment missing", "in the file: running"
    )
    for ahead in base["outlook"] or ():
        if (months := ahead["month"]) in counted:
            ways = (percent(ahead[way]) for way in ("voluntary", "involuntary", "paid", "missing"))
            made.add_row(f"{months} months", *ways, percent(counted[months]))
    doubt = [] if base["outlook"] else [Text(f"No outlook: {base['doubt']}.")]
    return Group(made, *doubt, Text(CONTRACTS_ARE, style="dim"))

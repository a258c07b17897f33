"""Duplicates and the right to be forgotten, as a person reads them."""

from rich.console import Group, RenderableType
from rich.text import Text

from demo.ledger.cards import Cards
from demo.steward import Stewardship
from demo.tables import percent, table

FORMS_ARE = (
    "Names, addresses and second cards are made up, drawn by a seeded generator; the baskets on them are real. Merged is what "
    "the platform is at least 95 % sure of, with the same date of birth and no name that speaks against it."
)


def stewardship(done: Stewardship) -> RenderableType:
    found = done.found
    made = table("Who is who", "", "", left=1)
    made.add_row("households with a second card that nobody knew of", f"{found.there:,}")
    made.add_row("pairs that the platform asks about", f"{found.proposed:,}")
    made.add_row("merged by rule", f"{found.accepted:,}")
    made.add_row("of these right (precision)", percent(found.precision))
    made.add_row("found of those there are (recall)", percent(found.recall))
    made.add_row("merged by mistake, and taken back", two(done.mistake))
    made.add_row("forgotten on request", " and ".join(f"card {card}" for card in sorted(done.erased)) or "-")
    return Group(made, *receipts(done), Text(FORMS_ARE, style="dim"))


def two(cards: Cards | None) -> str:
    return f"cards {cards[0]} and {cards[1]}" if cards else "-"


def receipts(done: Stewardship) -> list[Text]:
    if not done.erased:
        return []
    awaited = "" if not done.erasure.get("open") else f"; awaited: {', '.join(done.erasure['open'])}"
    kept = " (Kafka forgets by itself, in about two weeks)" if awaited.endswith("log") else ""
    return [Text(f"Receipts of {', '.join(sorted(done.receipts))}{awaited}{kept}.")]

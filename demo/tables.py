"""Tables, and figures as a person reads them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.table import Table


def table(title: str, *columns: str, left: int = 1) -> Table:
    made = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        made.add_column(column, justify="left" if number < left else "right", header_style="dim", no_wrap=True)
    return made


def money(amount: Any) -> str:
    return "-" if amount is None else f"${Decimal(str(amount)):,.2f}"


def signed(amount: Any) -> str:
    value = Decimal(str(amount))
    return f"{'-' if value < 0 else '+'}${abs(value):,.2f}"


def percent(share: float | None) -> str:
    return "-" if share is None else f"{share * 100:.0f} %"


def day(text: str | None) -> str:
    return "-" if text is None else f"{datetime.fromisoformat(text):%d %b}"

"""Files as companies export them, and the CDNOW evaluations that several tests look at."""

from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from services.scoring.evaluation.dates import EPOCH
from services.scoring.evaluation.evaluating import Evaluation, evaluate
from services.scoring.evaluation.reading import Columns, Sales, read_sales
from services.scoring.evaluation.splitting import Base, split

DATA = Path(__file__).parents[1] / "data"
COLUMNS = Columns("customer", "date", "amount")


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - EPOCH


def written(path: Path, rows: Iterable[str], header: str = "customer,date,amount") -> Path:
    file = path / "purchases.csv"
    file.write_text("\n".join((header, *rows)) + "\n")
    return file


def sales_of(path: Path, rows: Iterable[str], header: str = "customer,date,amount") -> Sales:
    return read_sales(written(path, rows, header), COLUMNS)


@cache
def cdnow(name: str) -> Evaluation:
    """The protocol of Fader, Hardie and Lee: 39 weeks to learn from, 39 to be held against."""
    sales = read_sales(DATA / f"cdnow_{name}.csv.gz", COLUMNS)
    return evaluate(sales, day("1997-09-30"), day("1998-06-30"))


@cache
def cdnow_base(name: str) -> Base:
    """The 39 weeks to learn from alone: customers by x, t_x and age in weeks, and their spend."""
    sales = read_sales(DATA / f"cdnow_{name}.csv.gz", COLUMNS)
    return split(sales, day("1997-09-30"), day("1998-06-30")).base


def shop(customers: int, days: int, seed: int) -> list[str]:
    """Rows of a shop of so many customers over so many days from 2024-01-01 on; some of them leave."""
    random = np.random.default_rng(seed)
    rows = []
    for number, rate in enumerate(random.gamma(1.2, 1 / 25, customers)):
        at, leaving = random.uniform(0, days / 3), random.beta(0.7, 4.0)
        while at < days:
            bought = date.fromordinal(day("2024-01-01") + EPOCH + int(at))
            rows.append(f"c{number},{bought},{random.lognormal(3, 0.4):.2f}")
            at += random.exponential(1 / rate) if random.random() > leaving else days
    return rows

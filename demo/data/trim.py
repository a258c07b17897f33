"""Makes the demo's files from the published Complete Journey sample. Run once, by hand; the demo itself never needs it.

python demo/data/trim.py PATH_TO_THE_SAMPLE
"""

import csv
import gzip
import io
import sys
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

HERE = Path(__file__).parent
CENT = Decimal("0.01")

Row = dict[str, str]


def read(path: Path) -> list[Row]:
    with gzip.open(path, "rt", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, columns: Iterable[str], rows: Iterable[Row]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    # mtime=0 and no name: the same input gives the same bytes.
    path.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))


def cents(value: str) -> str:
    """The source went through binary floats once (one line is worth `4.440892e-16`); to the cent it is what was paid."""
    return format(Decimal(value).quantize(CENT), "f")


def whole(value: str) -> str:
    """R writes 40128000000 as `4.0128e+10` and every quantity as `1.0`."""
    return str(int(Decimal(value)))


def sale_line(row: Row) -> Row:
    money = ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")
    return (
        row
        | {name: cents(row[name]) for name in money}
        | {name: whole(row[name]) for name in ("basket_id", "quantity")}
    )


SALE_COLUMNS = (
    "transaction_timestamp",
    "basket_id",
    "household_id",
    "store_id",
    "product_id",
    "quantity",
    "sales_value",
    "retail_disc",
    "coupon_disc",
    "coupon_match_disc",
)


def trim(source: Path, target: Path = HERE) -> None:
    sales = list(map(sale_line, read(source / "transactions_sample.csv.gz")))
    in_time_order = sorted(sales, key=lambda row: (row["transaction_timestamp"], int(row["basket_id"])))
    write(target / "transactions.csv.gz", SALE_COLUMNS, in_time_order)
    sold = {row["product_id"] for row in sales}
    products = [row for row in read(source / "products.csv.gz") if row["product_id"] in sold]
    write(target / "products.csv.gz", ("product_id", "product_category"), products)
    for name in ("demographics", "campaigns", "campaign_descriptions", "coupon_redemptions"):
        rows = read(source / f"{name}.csv.gz")
        write(target / f"{name}.csv.gz", rows[0], rows)


if __name__ == "__main__":
    trim(Path(sys.argv[1]))

"""A company's past purchases, from a file through the front door: as events, so that every service learns of them.

Events are named after the order's number, or after what the row says: the same rows sent again change nothing, whatever
their file is called and whatever was added to it, so that an import that was broken off is simply run again.
"""

from __future__ import annotations

import csv
import gzip
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, NamedTuple

from deploy.local.api import Api
from deploy.local.errors import CannotStart
from services.scoring.evaluation.dates import ENOUGH, ISO, read_dates
from shared.contracts.channels import SaleReported

EVENTS_AT_ONCE = 500
REQUESTS_AT_ONCE = 4
MOST_LINES = 1000
"""Of one order, as its contract has it."""
PRODUCT = "unknown"
Row = Mapping[str, Any]
Event = dict[str, Any]


class Unreadable(CannotStart):
    """Nothing of the file can be imported."""


class Rejected(NamedTuple):
    """A row, or the rows of an order, that did not become an event."""

    line: int
    reason: str


@dataclass(frozen=True)
class Plan:
    """Which column says what, and what no column says."""

    customer: str
    date: str
    amount: str
    order: str | None = None
    product: str | None = None
    quantity: str | None = None
    scheme: str = "customer-number"
    """Of the customers' identifiers, under which later events of the same channel know them."""
    source: str = "/imports/history"
    currency: str = "USD"
    date_format: str | None = None

    @property
    def columns(self) -> list[str]:
        named = (self.customer, self.date, self.amount, self.order, self.product, self.quantity)
        return [column for column in named if column is not None]


@dataclass
class Done:
    """How far an import is."""

    rows: int = 0
    events: int = 0
    accepted: int = 0
    rejected: list[Rejected] = field(default_factory=list)


@dataclass(frozen=True)
class Sale:
    """An event, and the line of the file at which it begins and how many rows it has."""

    event: Event
    line: int
    rows: int


def import_sales(path: Path, plan: Plan, api: Api, heard: Callable[[Done], None]) -> Done:
    """Send all; returns what was taken, and each row that was not with its reason. Raises Unreadable and Refused."""
    done = Done()
    pattern = plan.date_format or date_pattern(path, plan)
    made = orders(path, plan, pattern)
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        while some := list(itertools.islice(made, EVENTS_AT_ONCE * REQUESTS_AT_ONCE)):
            for taken in pool.map(lambda batch: send(api, batch), cut(some)):
                done.rows += taken.rows
                done.events += taken.events
                done.accepted += taken.accepted
                done.rejected += taken.rejected
            heard(done)
    return done


def cut(some: list[Sale | Rejected]) -> Iterator[list[Sale | Rejected]]:
    return (some[begin : begin + EVENTS_AT_ONCE] for begin in range(0, len(some), EVENTS_AT_ONCE))


def send(api: Api, batch: Iterable[Sale | Rejected]) -> Done:
    """One request. What the platform refuses is told with the line that it stood in."""
    batch = list(batch)
    sales = [one for one in batch if isinstance(one, Sale)]
    faults = [one for one in batch if isinstance(one, Rejected)]
    rows = sum(sale.rows for sale in sales) + len(faults)
    done = Done(rows, len(sales), 0, faults)
    if sales:
        answer = api.post_events([sale.event for sale in sales])
        done.accepted = answer["accepted"]
        done.rejected += [Rejected(sales[one["index"]].line, refusal(one)) for one in answer.get("rejected") or ()]
    return done


def refusal(told: Mapping[str, Any]) -> str:
    where = f" ({told['field']})" if told.get("field") else ""
    return f"{told['reason']}: {told['detail']}{where}"


def orders(path: Path, plan: Plan, pattern: str) -> Iterator[Sale | Rejected]:
    """Rows that follow each other and name the same order are one sale; without such a column each row is one."""
    numbered = rows(path, plan)
    if plan.order is None:
        alike: Counter[str] = Counter()
        for line, row in numbered:
            said = digest(*(text(row[column]) for column in plan.columns))
            alike[said] += 1
            yield sale([(line, row)], f"{said}-{alike[said]}", plan, pattern)
        return
    order, seen = plan.order, set[str]()
    for number, group in itertools.groupby(numbered, key=lambda one: text(one[1][order])):
        together = list(group)
        if not number:
            yield from (Rejected(line, "no order number") for line, _ in together)
        elif digest(number) in seen:
            # Under the same name it would be taken for the same event, and lost.
            yield from (
                Rejected(line, "its order stood further above: an order's rows must follow each other")
                for line, _ in together
            )
        else:
            seen.add(digest(number))
            yield sale(together, number, plan, pattern)


def digest(*parts: str) -> str:
    return blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()


def sale(together: list[tuple[int, Row]], number: str, plan: Plan, pattern: str) -> Sale | Rejected:
    """One order from its rows; the first row says whose and when. The event is called as the order."""
    line, first = together[0]
    customer, at = text(first[plan.customer]), moment(first[plan.date], pattern)
    if not customer:
        return Rejected(line, "no customer")
    if at is None:
        return Rejected(line, f"unreadable date: {text(first[plan.date])[:40]!r}")
    if len(together) > MOST_LINES:
        return Rejected(line, f"more than {MOST_LINES} rows in one order")
    lines = []
    for where, row in together:
        value = amount(row[plan.amount])
        if value is None or value < 0:
            why = "unreadable amount" if value is None else "amount below zero"
            return Rejected(where, f"{why}: {text(row[plan.amount])[:40]!r}")
        lines.append(_line(row, value, plan))
    data = {
        "customer": [{"scheme": plan.scheme, "value": customer}],
        "order": number,
        "ordered_at": at.isoformat().replace("+00:00", "Z"),
        "currency": plan.currency,
        "lines": lines,
    }
    event = {
        "specversion": "1.0",
        "id": number,
        "source": plan.source,
        "type": SaleReported.TYPE,
        "time": data["ordered_at"],
        "datacontenttype": "application/json",
        "data": data,
    }
    return Sale(event, line, len(together))


def _line(row: Row, value: Decimal, plan: Plan) -> dict[str, Any]:
    product = text(row[plan.product]) if plan.product else ""
    quantity = amount(row[plan.quantity]) if plan.quantity else None
    return {"product": product or PRODUCT, "quantity": str(quantity or 1), "value": str(value)}


def date_pattern(path: Path, plan: Plan) -> str:
    """How the file writes its dates, by its first rows."""
    seen = [text(row[plan.date]) for _, row in itertools.islice(rows(path, plan), ENOUGH)]
    return read_dates(seen).pattern


def count(path: Path) -> int:
    """About how many rows there are, for the bar."""
    if path.suffix == ".parquet":
        return int(_parquet(path).metadata.num_rows)
    with _open(path) as file:
        return max(0, sum(1 for _ in file) - 1)


def rows(path: Path, plan: Plan) -> Iterator[tuple[int, Row]]:
    """(line or row number, row). Raises Unreadable."""
    try:
        yield from _parquet_rows(path, plan) if path.suffix == ".parquet" else _csv_rows(path, plan)
    except (OSError, EOFError, csv.Error) as error:
        raise Unreadable(f"{path} cannot be read: {error}") from None


def _csv_rows(path: Path, plan: Plan) -> Iterator[tuple[int, Row]]:
    with _open(path) as file:
        header = file.readline()
        separator = next((one for one in ",;\t|" if set(plan.columns) <= set(_names(header, one))), None)
        if separator is None:
            raise Unreadable(_missing(plan, _names(header, ",")))
        reader = csv.DictReader(file, _names(header, separator), delimiter=separator, restval="")
        for row in reader:
            if separator == ";":
                row[plan.amount] = row[plan.amount].replace(",", ".")
            yield reader.line_num + 1, row


def _parquet_rows(path: Path, plan: Plan) -> Iterator[tuple[int, Row]]:
    file = _parquet(path)
    names = file.schema_arrow.names
    if not set(plan.columns) <= set(names):
        raise Unreadable(_missing(plan, names))
    number = itertools.count(1)
    for batch in file.iter_batches(columns=plan.columns):
        yield from ((next(number), row) for row in batch.to_pylist())


def _parquet(path: Path) -> Any:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise Unreadable("Parquet needs pyarrow: pip install 'rapport[parquet]'") from None
    try:
        return parquet.ParquetFile(path)
    except (ArrowException, OSError) as error:
        raise Unreadable(f"{path} cannot be read: {error}") from None


def _missing(plan: Plan, names: list[str]) -> str:
    missing = ", ".join(repr(column) for column in plan.columns if column not in names)
    return f"the file has no column {missing}; it has: {', '.join(map(repr, names))[:300] or 'none'}"


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


def _names(header: str, separator: str) -> list[str]:
    return [name.strip() for name in next(csv.reader([header], delimiter=separator), [])]


def text(value: object) -> str:
    return "" if value is None else str(value).strip()


def amount(value: object) -> Decimal | None:
    """To six decimals, as the platform keeps money; None where it is no number."""
    try:
        found = Decimal(text(value))
    except InvalidOperation:
        return None
    return round(found, 6) if found.is_finite() else None


def moment(value: object, pattern: str) -> datetime | None:
    """UTC; a time without an offset is taken to be UTC, a date its midnight."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    written = text(value)
    if pattern == ISO and len(written) > len("2026-01-31"):
        try:
            found = datetime.fromisoformat(written)
        except ValueError:
            return None
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    day = read_dates([written], pattern).days.get(written)
    return None if day is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)


def write_rejected(path: Path, rejected: Iterable[Rejected]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([Rejected._fields, *rejected])

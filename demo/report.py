"""The result as a person reads it at the terminal."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from demo.earnings import contracts, profit
from demo.latency import Latency
from demo.ledger.difference import Difference
from demo.ledger.people import Document
from demo.result import Result
from demo.stewardship import stewardship
from demo.tables import day, money, percent, signed, table

SHOWN = 12
HONEST = (
    "History cannot answer our letter: whoever was sent it bought what they had bought anyway. The true effect is zero, "
    "and the interval should contain it. This is an A/A test of the measurement, not a success story."
)


def report(console: Console, result: Result) -> None:
    found = result.findings
    earned = (profit(found), contracts(found))
    for section in (
        customers(result),
        *earned,
        stewardship(result.stewardship),
        campaign(result),
        traffic(result),
        channels(result),
        verdict(result),
    ):
        console.print(section)
        console.print()


def customers(result: Result) -> RenderableType:
    return Group(valuable(result), "", leaving(result), "", wishes(result), "", shares(result.segments))


def valuable(result: Result) -> Table:
    horizon = next((f"next {score['horizon_days']} days" for score in result.valuable), "future")
    made = table(
        f"Who is valuable: the most expected in the {horizon}",
        *("household", "visits", "spent", "last seen", "still here", "visits to come", "worth"),
    )
    for score in result.valuable:
        visits = score.get("expected_purchases")
        made.add_row(
            *seen(result, score),
            percent(score.get("p_alive")),
            "-" if visits is None else f"{visits:.1f}",
            money(score.get("value")),
        )
    return made


def leaving(result: Result) -> Table:
    made = table(
        "Who is leaving: valuable so far, and silent for longer than is their way",
        *("household", "visits", "spent", "last seen", "comes every", "silent for", "at stake"),
    )
    for score in result.leaving:
        silent = score.get("recency_days")
        made.add_row(*seen(result, score), rhythm(score), f"{silent or 0:.0f} days", money(score.get("value")))
    return made


def wishes(result: Result) -> Table:
    """A household and its offers, a line each; what a line above has said is not said again."""
    made = table("What to offer them", "household", "product", "category", "why", left=4)
    for wished in result.wishes:
        household = str(result.names.get(wished["customer_id"]))
        for offer in wished["offers"]:
            product = offer["product"]
            made.add_row(household, product["name"] or product["product"], product["category"] or "-", offer["reason"])
            household = ""
    return made


def seen(result: Result, score: Document) -> tuple[str, str, str, str]:
    household = result.names.get(score["customer_id"])
    return str(household), str(score["purchases"]), money(score["money"]), day(score.get("last_purchase"))


def rhythm(score: Document) -> str:
    """The mean time from one purchase day to the next."""
    first, last = (datetime.fromisoformat(score[name]).date() for name in ("first_purchase", "last_purchase"))
    return f"{(last - first).days / score['frequency']:.1f} days" if score["frequency"] else "-"


def shares(segments: Mapping[str, int]) -> Table:
    made, everybody = table("All customers by segment", "segment", "", "customers", left=2), sum(segments.values())
    for name, count in sorted(segments.items(), key=lambda item: -item[1]):
        made.add_row(name, "█" * round(40 * count / everybody) if everybody else "", f"{count:,}")
    return made


def campaign(result: Result) -> RenderableType:
    effect = result.campaign
    made = table("What the campaign did", "arm", "customers", "responded", "rate", "orders", "revenue", "per customer")
    for arm in ("treatment", "control"):
        found = effect[arm]
        made.add_row(
            arm,
            str(found["customers"]),
            str(found["responders"]),
            percent(found["response_rate"]),
            str(found["orders"]),
            money(found["revenue"]),
            money(found["revenue_per_customer"]),
        )
    return Group(made, *differences_of_arms(effect), Text(HONEST, style="dim"))


def differences_of_arms(effect: Document) -> Iterable[Text]:
    rate, revenue = effect.get("response_rate"), effect.get("revenue_per_customer")
    if rate:
        yield Text(
            f"Response rate: {rate['estimate'] * 100:+.1f} points, 95 % interval "
            f"{rate['low'] * 100:+.1f} to {rate['high'] * 100:+.1f}{'' if rate['excludes_zero'] else ', zero included'}"
        )
    if revenue and revenue["low"] is not None:
        yield Text(
            f"Revenue per customer: {signed(revenue['estimate'])}, 95 % interval "
            f"{signed(revenue['low'])} to {signed(revenue['high'])}"
            f"{'' if revenue['excludes_zero'] else ', zero included'}"
        )
    yield from (Text(f"  {line}", style="italic") for line in effect.get("verdict", ()))


def traffic(result: Result) -> RenderableType:
    held, planned, pace = result.held, result.planned, result.pace
    made = table("What came in", "", "", left=1)
    made.add_row("sent by seven channel systems", f"{planned.sent:,}")
    made.add_row("orders stored", f"{held.sales.get('orders', 0):,}")
    made.add_row("interactions stored", f"{held.interactions:,}")
    made.add_row("events of contracts stored", f"{held.contract_events:,}")
    made.add_row("second copies dropped", f"{sum(held.duplicates.values()):,}")
    made.add_row("events/s, sent to effective in both channels", f"{pace.events_per_second:,.0f}")
    made.add_row("seconds for the whole run", f"{result.seconds:.0f}")
    refused = table("What was refused, and why", "reason", "told over HTTP", "dead letters")
    for reason in sorted(held.rejected.keys() | held.dead_letters.keys()):
        refused.add_row(reason, str(held.rejected.get(reason, 0)), str(held.dead_letters.get(reason, 0)))
    return Group(made, "", refused)


def channels(result: Result) -> RenderableType:
    made = table("What the channels know", "channel", "customers", "stale", "deliveries", "p50", "p99", "longest")
    for name, channel in result.channels.items():
        made.add_row(
            name,
            f"{channel.customers:,}",
            str(len(channel.stale)),
            f"{sum(channel.deliveries.get(kind, 0) for kind in ('new', 'repeated', 'older')):,}",
            *times(channel.latency),
        )
    return Group(
        made,
        Text(
            f"Latency from the till to the channel, at a steady {result.pace.steady_rate:.0f} events/s.",
            style="dim",
        ),
    )


def times(latency: Latency | None) -> tuple[str, str, str]:
    if latency is None:
        return "-", "-", "-"
    return f"{latency.p50:.0f} ms", f"{latency.p99:.0f} ms", f"{latency.longest:.0f} ms"


def verdict(result: Result) -> RenderableType:
    lines = [*books(result), *listed(result.wrong)]
    if not result.pace.complete:
        lines.append("The platform stopped making progress before all was done.")
    if result.good:
        return Panel("\n".join(lines), title="The ledger and the platform agree to the cent", border_style="green")
    title = f"The ledger and the platform differ, {len(result.wrong):,} times"
    return Panel("\n".join(lines), title=title, border_style="red")


def books(result: Result) -> Iterable[str]:
    held, model = result.held, result.model
    counted = f"{held.viewed.get('customers', 0):,} customers, {held.sales.get('orders', 0):,} orders"
    yield f"{counted}, {money(held.sales.get('total'))}, counted again from the files."
    yield f"Profit {money(result.findings.profit['profit'])} of all, and {result.findings.statements} statements to the cent."
    yield f"Model {model.get('name', '-')} version {model.get('version', '-')}: {parameters(model.get('parameters'))}"


def listed(differences: list[Difference]) -> Iterable[str]:
    yield from (str(difference)[:300] for difference in differences[:SHOWN])
    if len(differences) > SHOWN:
        yield f"... and {len(differences) - SHOWN:,} more"


def parameters(found: Any) -> str:
    """All numbers, of all parts, in a row."""
    if not isinstance(found, Mapping):
        return "-"
    parts = [
        parameters(value) if isinstance(value, Mapping) else f"{name} {value:.4g}" for name, value in found.items()
    ]
    return ", ".join(parts)

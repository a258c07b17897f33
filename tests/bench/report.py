"""The results as a page: `docs/benchmarks.md`, between its markers.

The page itself is what remembers: a section that is played takes the place of the one that stands there, and all others
stay as they are, each with its own commit and date, on whatever machine the next one is played.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.section import ROOT

PAGE = ROOT / "docs/benchmarks.md"
BEGIN, END = "<!-- figures: begin (written by make bench) -->", "<!-- figures: end -->"
SERVERS = ("kafka", "mongo", "redis")
Summary = Mapping[str, Any]


class NoMarkers(Exception):
    """The page has lost the place where the figures go."""


def publish(summary: Summary, order: Sequence[str], page: Path = PAGE) -> None:
    """Write anew what was played; what stood there of other sections stays, and so does what people have written around.

    Raises NoMarkers.
    """
    text = page.read_text()
    before, begin, rest = text.partition(BEGIN)
    standing, end, after = rest.partition(END)
    if not begin or not end:
        raise NoMarkers(f"{page} has no {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n{figures(summary, standing, order)}\n{END}{after}")


def figures(summary: Summary, standing: str, order: Sequence[str]) -> str:
    known = sections_of(standing)
    for name, section in summary["sections"].items():
        if not section["void"] or name not in known:
            known[name] = "\n".join(of_section(section))
    ordered = sorted(known, key=lambda name: order.index(name) if name in order else len(order))
    where = "\n".join(["## Where", *circumstances(summary, standing)])
    return "\n\n".join([where, *(known[name] for name in ordered)])


def sections_of(standing: str) -> dict[str, str]:
    """The sections of a page by name, which is in the command that each of them begins with."""
    parts = re.split(r"^(?=## )", standing, flags=re.MULTILINE)
    named = ((re.match(r"## .*\n`python -m tests\.bench --only (\w+)`", part), part.strip()) for part in parts)
    return {name[1]: part for name, part in named if name is not None}


def circumstances(summary: Summary, standing: str = "") -> Iterable[str]:
    """Of a server that no section of these was played on, what the page says."""
    servers = {
        name: told[1] for name in SERVERS if (told := re.search(rf"^\| {name} \| (.*) \|$", standing, re.MULTILINE))
    }
    for section in summary["sections"].values():
        servers |= section.get("details", {}).get("servers", {})
    yield "| | |"
    yield "|---|---|"
    for name, value in (*summary["machine"].items(), *sorted(servers.items())):
        yield f"| {name} | {value} |"
    yield f"| libraries | {', '.join(f'{name} {version}' for name, version in summary['versions'].items())} |"
    yield f"| durability | {summary['durability']} |"


def of_section(section: Mapping[str, Any]) -> Iterable[str]:
    yield f"## {section['title']}"
    yield occasion(section)
    yield ""
    if section["void"]:
        yield f"**Void, so no figures:** {section['void']}"
    else:
        yield from table(section["rows"])
    if section["notes"]:
        yield ""
        yield from (f"- {note}" for note in section["notes"])


def occasion(section: Mapping[str, Any]) -> str:
    told = section["occasion"]
    quiet = (
        "" if told["quiet"] else " (**the machine was not idle**: throughput and latency are worse than they could be)"
    )
    return (
        f"`python -m tests.bench --only {section['name']}`, size {told['size']}, commit {told['commit']}, {told['date']}, "
        f"{told['seconds']:.0f} s; load average before it {told['load_before']}{quiet}."
    )


def table(rows: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    if not columns:
        yield "(no figures)"
        return
    numbers = [all(isinstance(row.get(column), int | float | None) for row in rows) for column in columns]
    yield f"| {' | '.join(map(escaped, columns))} |"
    yield f"|{'|'.join('--:' if number else '---' for number in numbers)}|"
    for row in rows:
        yield f"| {' | '.join(escaped(cell(row.get(column))) for column in columns)} |"


def cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)


def escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")

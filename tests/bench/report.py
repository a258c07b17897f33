"""The results as a page: `docs/benchmarks.md`, between its markers, from `var/bench/summary.json` and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.section import ROOT

PAGE = ROOT / "docs/benchmarks.md"
BEGIN, END = "<!-- figures: begin (written by make bench) -->", "<!-- figures: end -->"
Summary = Mapping[str, Any]


class NoMarkers(Exception):
    """The page has lost the place where the figures go."""


def publish(summary: Summary, page: Path = PAGE) -> None:
    """Write the figures anew; what people have written around them stays."""
    text = page.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise NoMarkers(f"{page} has no {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n{figures(summary)}\n{END}{after}")


def figures(summary: Summary) -> str:
    parts = ["## Where", *circumstances(summary)]
    for section in summary["sections"].values():
        parts += ["", *of_section(section)]
    return "\n".join(parts)


def circumstances(summary: Summary) -> Iterable[str]:
    servers: dict[str, str] = {}
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

"""`rapport contacts`: what contacts would find among one's own records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.cli.terminal import ERR, OUT, say

ABOUT = """
Who the customers are: duplicates among your own records, found as the running service finds them.
"""

contacts = typer.Typer(help=ABOUT, no_args_is_help=True)


@contacts.callback()
def _group() -> None:
    """A group stays one while it has a single command."""


@contacts.command()
def duplicates(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="CSV (also .gz) or Parquet, a record a row."),
    ],
    mapped: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="FIELD=COL", help="What a column holds, where its name does not say it; several."
        ),
    ] = None,
    truth: Annotated[
        str | None, typer.Option(metavar="COL", help="The column with one label for each customer: judge by it.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="COL", help="Of two files in one: which. Each record has one partner at most, in the other."
        ),
    ] = None,
    automatic: Annotated[float, typer.Option(help="Probability from which records are one customer's.")] = 0.95,
    review: Annotated[float, typer.Option(help="Probability from which a person should look.")] = 0.2,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="OUT", help="Write all that was found here.")
    ] = None,
    review_file: Annotated[
        Path | None, typer.Option("--review-file", metavar="OUT.csv", help="Write pairs to look at here.")
    ] = None,
) -> None:
    """Which records are of one customer, and why.

    Needs no running platform. Columns are understood by their names and by what is in them; --map family=nachname
    says it where that fails, --map ignore=COL leaves a column out.
    """
    from services.contacts.domain.matching.decide import Thresholds, WrongThresholds
    from services.contacts.domain.matching.fields import BadMap
    from services.contacts.evaluation import summary
    from services.contacts.evaluation.duplicates import evaluate
    from services.contacts.evaluation.reading import Unreadable, read_records

    say(f"reading {file}")
    try:
        evaluation = evaluate(
            read_records(file), Thresholds(automatic, review), _mapped(mapped or []), truth, source, say
        )
    except (Unreadable, BadMap, WrongThresholds) as error:
        ERR.print("[bold red]rapport:[/bold red] ", end="")
        ERR.print(str(error), markup=False)
        raise typer.Exit(1) from None
    for line in summary.lines(evaluation):
        OUT.print(line, markup=False)
    if json_file:
        _write(json_file, json.dumps(summary.as_json(evaluation), indent=1, allow_nan=False) + "\n")
    if review_file:
        _write(review_file, summary.review_csv(evaluation))


def _mapped(options: list[str]) -> dict[str, str]:
    """FIELD=COL of each option; a field said twice has both columns."""
    found: dict[str, str] = {}
    for option in options:
        kind, sign, column = option.partition("=")
        if not (sign and kind.strip() and column):
            raise typer.BadParameter(f"{option!r} is not FIELD=COL", param_hint="--map")
        kind = kind.strip()
        found[kind] = f"{found[kind]},{column}" if kind in found else column
    return found


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        ERR.print(f"rapport: {path} cannot be written: {error}", markup=False)
        raise typer.Exit(1) from None
    say(f"wrote {path}")

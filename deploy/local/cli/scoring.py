"""`rapport scoring`: what scores are worth, found out on a company's own past, without a running platform."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.cli.terminal import ERR, OUT, say

ABOUT = """
How good the scores are.

A company wants to know, before it trusts a score, how good it would have been on its own past.
"""

scoring = typer.Typer(help=ABOUT, no_args_is_help=True)

Day = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day the models may see.")]
LastDay = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="The last day they are held against; else the file's last."),
]


@scoring.command()
def evaluate(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", exists=True, dir_okay=False, help="One row a purchase.")],
    customer: Annotated[str, typer.Option(metavar="COL", help="The column that says who bought.")],
    date_column: Annotated[str, typer.Option("--date", metavar="COL", help="The column that says when.")],
    amount: Annotated[
        str, typer.Option(metavar="COL", help="The column that says for how much; below zero: a return.")
    ],
    calibration_end: Day,
    holdout_end: LastDay = None,
    date_format: Annotated[str | None, typer.Option(help="How dates are written, such as %d/%m/%Y.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="OUT", help="Write all figures here.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", metavar="OUT", help="Write plots here.")] = None,
) -> None:
    """How good the scores would have been on your own past.

    The models see the purchases until the calibration's end, forecast each customer's next ones, and are held against
    what really came, beside three rules of thumb.
    """
    # Here and not above: what starts and stops the platform need not wait for numpy.
    from services.scoring.evaluation import page, summary
    from services.scoring.evaluation.evaluating import evaluate as judge
    from services.scoring.evaluation.reading import Columns, Unreadable, read_sales

    say(f"reading {file}")
    try:
        sales = read_sales(file, Columns(customer, date_column, amount), date_format)
        end, until = sales.period(calibration_end.date(), holdout_end.date() if holdout_end else None)
    except Unreadable as error:
        ERR.print("[bold red]rapport:[/bold red] ", end="")
        ERR.print(str(error), markup=False)
        raise typer.Exit(1) from None
    say("fitting")
    evaluation = judge(sales, end, until)
    for line in summary.lines(evaluation):
        OUT.print(line, markup=False)
    if json_file:
        _write(json_file, json.dumps(summary.as_json(evaluation), indent=2, allow_nan=False) + "\n")
    if html_file:
        _write(html_file, page.html(evaluation))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        ERR.print(f"rapport: {path} cannot be written: {error}", markup=False)
        raise typer.Exit(1) from None
    say(f"wrote {path}")

"""`rapport scoring`: what scores are worth, found out on a company's own past, that past brought in, and a report."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from deploy.local import api, platform
from deploy.local.cli.terminal import ERR, OUT, bar, plainly, say, write

ABOUT = """
How good the scores are, and the past that they learn from.

A company wants to know, before it trusts a score, how good it would have been on its own past.
"""

SHOWN = 10
"""Rejected rows that are told at the terminal."""

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
        write(json_file, json.dumps(summary.as_json(evaluation), indent=2, allow_nan=False) + "\n")
    if html_file:
        write(html_file, page.html(evaluation))


@scoring.command("import")
def import_history(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="CSV (also .gz) or Parquet.")
    ],
    customer: Annotated[str, typer.Option(metavar="COL", help="The column that says who bought.")],
    date_column: Annotated[str, typer.Option("--date", metavar="COL", help="The column that says when.")],
    amount: Annotated[str, typer.Option(metavar="COL", help="The column that says for how much.")],
    order: Annotated[
        str | None, typer.Option(metavar="COL", help="Rows that follow each other with the same one are one order.")
    ] = None,
    product: Annotated[str | None, typer.Option(metavar="COL", help="What was bought.")] = None,
    quantity: Annotated[str | None, typer.Option(metavar="COL", help="How much of it; else 1.")] = None,
    scheme: Annotated[
        str, typer.Option(help="Under which kind of identifier channels know these customers.")
    ] = "customer-number",
    source: Annotated[str, typer.Option(help="Which channel system speaks.")] = "/imports/history",
    currency: Annotated[str, typer.Option(envvar="RAPPORT_CURRENCY", help="Of the amounts.")] = "USD",
    date_format: Annotated[str | None, typer.Option(help="How dates are written, such as %d/%m/%Y.")] = None,
    rejected_file: Annotated[
        Path | None, typer.Option("--rejected", metavar="OUT", help="Write rows that were not taken, with the reason.")
    ] = None,
) -> None:
    """Bring in the purchases of the past, so that scores know them.

    They come in as events, through the front door, and every service learns of them. The same rows again change
    nothing, so an import that was broken off is simply run again. The exit code is 1 if a row was not taken.
    RAPPORT_URL and RAPPORT_KEY point to another platform than the local one.
    """
    from deploy.local import importing

    columns = (customer, date_column, amount, order, product, quantity)
    plan = importing.Plan(*columns, scheme=scheme, source=source, currency=currency, date_format=date_format)
    hint = "What was sent has been taken. Run it again to go on."
    with plainly(hint), bar(file.name, importing.count(file)) as advance:
        to = api.of_platform(platform.current())
        done = importing.import_sales(file, plan, to, lambda done: advance(done.rows))
    OUT.print(f"{done.rows:,} rows, {done.accepted:,} orders taken, {len(done.rejected):,} rejected", markup=False)
    for line, reason in done.rejected[:SHOWN]:
        OUT.print(f"  line {line}: {reason}", markup=False)
    if rejected_file:
        importing.write_rejected(rejected_file, done.rejected)
    raise typer.Exit(1 if done.rejected else 0)


@scoring.command()
def report(
    out: Annotated[Path, typer.Option(metavar="OUT", help="Where to write it.")] = Path("scoring-report.html"),
    look: Annotated[
        bool, typer.Option("--look", help="Look through the whole base first, instead of using the last looks.")
    ] = False,
) -> None:
    """What the scores are, what they were worth, and where the profit comes from, as one HTML file.

    RAPPORT_URL and RAPPORT_KEY point to another platform than the local one.
    """
    from deploy.local import reporting
    from services.scoring.report import Facts, html

    with plainly("The platform must be up: `rapport up`."):
        to = api.of_platform(platform.current())
        if look:
            say("looking through the whole base")
            reporting.look(to)
        page = html(Facts(**reporting.gather(to)))
    write(out, page)

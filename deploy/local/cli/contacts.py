"""`rapport contacts`: what contacts would find among one's own records, and files of contacts in and out."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from deploy.local import api, platform
from deploy.local.cli.link_keys import link_keys
from deploy.local.cli.terminal import ERR, OUT, bar, plainly, say, write

ABOUT = """
Who the customers are: duplicates among your own records, found as the running service finds them; files in and out.
"""

contacts = typer.Typer(help=ABOUT, no_args_is_help=True)
contacts.add_typer(link_keys, name="link-keys")


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
        write(json_file, json.dumps(summary.as_json(evaluation), indent=1, allow_nan=False) + "\n")
    if review_file:
        write(review_file, summary.review_csv(evaluation))


IMPORTS, MAPPINGS = "/v1/contacts/imports", "/v1/contacts/mappings"
LOOK_SECONDS = 0.5
BEGINNING = 1 << 20
"""Bytes by which a mapping is proposed; of XLSX, whose end is needed, the whole file is sent."""
OVER = ("done", "failed", "cancelled")


@contacts.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="CSV, XLSX, vCard, XML or JSON lines.")
    ],
    mapping: Annotated[str, typer.Option(metavar="NAME", help="The saved mapping by which the file is read.")],
    mapping_file: Annotated[
        Path | None,
        typer.Option(
            "--mapping-file", metavar="IN.json", exists=True, dir_okay=False, help="Save this as the mapping first."
        ),
    ] = None,
    propose: Annotated[
        bool, typer.Option("--propose", help="Propose a mapping from the file, save it under NAME and show it.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    rejected_file: Annotated[
        Path | None,
        typer.Option("--rejected", metavar="OUT.csv", help="Write rows that were not taken, with the reason."),
    ] = None,
) -> None:
    """Bring a file of contacts into a running platform.

    An import goes on by itself, also when this command is ended. The exit code is 1 if a row was not taken.
    RAPPORT_URL and RAPPORT_KEY point to another platform than the local one.
    """
    with plainly(
        "The import goes on by itself once the file has been sent; run it again to be sure: the same rows change nothing."
    ):
        to = api.of_platform(platform.current())
        if mapping_file:
            to.put(f"{MAPPINGS}/{mapping}", _json(mapping_file))
        elif propose:
            _propose(to, file, mapping)
        with file.open("rb") as sent:
            one = to.send_file(IMPORTS, sent, mapping=mapping, file=file.name, dry_run=str(dry_run).lower())
        one = _followed(to, one, file.name)
        if rejected_file and one["counts"]["rejected"]:
            with rejected_file.open("wb") as out:
                to.fetch(f"{IMPORTS}/{one['import_id']}/rejected", out)
            say(f"wrote {rejected_file}")
    _tell(one)
    raise typer.Exit(0 if one["state"] == "done" and not one["counts"]["rejected"] else 1)


def _propose(to: api.Api, file: Path, name: str) -> None:
    with file.open("rb") as whole:
        beginning = whole.read(BEGINNING)
        if beginning.startswith(b"PK"):
            beginning += whole.read()
        elif len(beginning) == BEGINNING:
            # Its last line was cut off somewhere.
            beginning = beginning.rpartition(b"\n")[0]
    proposal = to.post_bytes(f"{MAPPINGS}/proposal", beginning)
    to.put(f"{MAPPINGS}/{name}", proposal["mapping"])
    for column in proposal["mapping"]["columns"]:
        say(f"{column.get('from')} -> {column['to']}")
    for column in proposal["left_out"]:
        say(f"{column} is left out")


def _followed(to: api.Api, one: dict[str, Any], name: str) -> dict[str, Any]:
    """The import at its end."""
    with bar(name, 100) as advance:
        while one["state"] not in OVER:
            time.sleep(LOOK_SECONDS)
            one = to.get(f"{IMPORTS}/{one['import_id']}")
            advance(round(100 * (one["share"] or 0)))
    return one


def _tell(one: dict[str, Any]) -> None:
    counts = one["counts"]
    would = "would be " if one["dry_run"] else ""
    OUT.print(f"{one['rows']:,} rows: " + ", ".join(f"{counts[name]:,} {would}{name}" for name in counts), markup=False)
    for reason, count in one["rejected"].items():
        OUT.print(f"  {reason}: {count:,}", markup=False)
    if one["error"]:
        OUT.print(one["error"], markup=False)
    if one["dry_run"] and one["state"] == "done":
        OUT.print(f"POST {IMPORTS}/{one['import_id']}/run, or this command without --dry-run, does it", markup=False)


@contacts.command()
def export(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Where to write it: .csv, .xlsx, .vcf, .xml or .jsonl.")],
    fields: Annotated[str | None, typer.Option(help="Comma-separated; else all.")] = None,
    search: Annotated[str | None, typer.Option(help="Only those of this name.")] = None,
) -> None:
    """Write all contacts of a running platform to a file."""
    forms = {".csv": "csv", ".xlsx": "xlsx", ".vcf": "vcard", ".xml": "xml", ".jsonl": "jsonl"}
    if out.suffix not in forms:
        raise typer.BadParameter(f"must end in {', '.join(forms)}", param_hint="OUT")
    asked = {
        "format": forms[out.suffix],
        **({"fields": fields} if fields else {}),
        **({"search": search} if search else {}),
    }
    with plainly(), out.open("wb") as file:
        api.of_platform(platform.current()).fetch(f"/v1/contacts/export?{urlencode(asked)}", file)
    say(f"wrote {out}")


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise typer.BadParameter(f"{path} is not JSON: {error}", param_hint="--mapping-file") from None


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

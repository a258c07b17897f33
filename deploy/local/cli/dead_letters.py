"""`rapport dead-letters`: what could not be taken, why, and sending it back."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from deploy.local import api, platform
from deploy.local.cli.terminal import OUT, plainly

PATH = "/v1/dead-letters"
ABOUT = """
Events that no service could take: list them, look at one, send them back.

Nothing that reaches the platform is lost: what cannot be taken is kept, byte for byte, with the reason. When the cause
is gone (a bug is fixed, a contract has grown), replay it: the service that refused it sees it again.
RAPPORT_URL and RAPPORT_KEY point to another platform than the local one.
"""

dead_letters = typer.Typer(help=ABOUT, no_args_is_help=True)

Reason = Annotated[str | None, typer.Option(help="Only those refused for this reason, such as invalid-data.")]
Handler = Annotated[str | None, typer.Option(help="Only those refused by this consumer group, such as interactions.")]


class Status(StrEnum):
    """Which dead letters to list."""

    OPEN = "open"
    REPLAYED = "replayed"
    ALL = "all"


Json = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


@dead_letters.command("list")
def listing(
    reason: Reason = None,
    handler: Handler = None,
    status: Annotated[Status, typer.Option(help="Those that wait, those that were sent back, or all.")] = Status.OPEN,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """What could not be taken."""
    with plainly():
        items = _some(limit, reason=reason, handler=handler, status=None if status is Status.ALL else status.value)
    if as_json:
        print(json.dumps(items, indent=2))
        return
    for item in items:
        OUT.print(f"[bold]{item['id']}[/bold]  {item['reason']}  {item['status']}  {item['first_seen']}")
        OUT.print(f"    {_story(item)}", markup=False)
    if not items:
        OUT.print("there are none")


def _story(item: dict[str, Any]) -> str:
    event = " from ".join(filter(None, (item.get("type"), item.get("source")))) or "a record"
    place = f"{item['topic']} {item['partition']}/{item['offset']}"
    return f"{item['handler']} could not take {event} ({place}): {item['detail']}"


def _some(limit: int, **query: str | None) -> list[dict[str, Any]]:
    client = api.of_platform(platform.current())
    items: list[dict[str, Any]] = []
    cursor = None
    while len(items) < limit:
        page = client.get(PATH, limit=min(limit - len(items), 1000), cursor=cursor, **query)
        items += page["items"]
        cursor = page.get("next")
        if not cursor:
            break
    return items


@dead_letters.command()
def show(dead_letter: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """One of them in full, with its original body and headers."""
    with plainly():
        print(json.dumps(api.of_platform(platform.current()).get(f"{PATH}/{dead_letter}"), indent=2))


@dead_letters.command()
def replay(
    dead_letter: Annotated[str | None, typer.Argument(metavar="[ID]")] = None,
    reason: Reason = None,
    handler: Handler = None,
    every: Annotated[bool, typer.Option("--all", help="All that are open.")] = False,
) -> None:
    """Send one back, or all of a reason or a handler, to the service that refused it."""
    filters = {name: value for name, value in (("reason", reason), ("handler", handler)) if value}
    if sum((bool(dead_letter), bool(filters), every)) != 1:
        raise typer.BadParameter("name one ID, or --reason and --handler, or --all")
    path = f"{PATH}/{dead_letter}/replay" if dead_letter else f"{PATH}/replay"
    with plainly():
        answer = api.of_platform(platform.current()).post(path, filters)
    print(json.dumps(answer, indent=2))

"""`rapport contacts link-keys`: the keys that sign the links customers get."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from deploy.local import api, platform
from deploy.local.cli.terminal import OUT, plainly

PATH = "/v1/contacts/link-keys"
ABOUT = """
The keys that sign the links customers get: to the preference centre, and to confirm what they agreed to.

The newest signs. The others are believed until they are retired; from then on links that they have signed are invalid, for good.
RAPPORT_URL and RAPPORT_KEY point to another platform than the local one; the key needs the scope contacts:keys.
"""

link_keys = typer.Typer(help=ABOUT, no_args_is_help=True)


@link_keys.command("list")
def listing() -> None:
    """The keys, the newest first, and from when on each can be retired without breaking any link that is not over."""
    with plainly():
        items = api.of_platform(platform.current()).get(PATH)["items"]
    for item in items:
        OUT.print(f"{item['number']}  since {item['since'] or 'the beginning'}  {_state(item)}", markup=False)


@link_keys.command()
def rotate() -> None:
    """Sign with a new key from now on. No link that was sent before is harmed."""
    with plainly():
        made = api.of_platform(platform.current()).post(PATH)
    OUT.print(f"key {made['number']} signs", markup=False)


@link_keys.command()
def retire(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="As `list` shows it; never the one that signs.")],
) -> None:
    """Believe a key no longer. It cannot be taken back."""
    with plainly():
        api.of_platform(platform.current()).delete(f"{PATH}/{number}")
    OUT.print(f"key {number} is retired", markup=False)


def _state(item: dict[str, Any]) -> str:
    if item["retired_at"]:
        return f"retired {item['retired_at']}"
    return "signs" if item["signs"] else f"needed until {item['needed_until']}"

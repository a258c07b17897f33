"""How the program talks to the person at the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.local.api import Refused
from deploy.local.errors import CannotStart

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)


def say(line: str) -> None:
    """Progress: not the result, so not on standard output."""
    ERR.print(f"· {line}", markup=False)


def write(path: Path, text: str) -> None:
    """Where the disk refuses it says so, with exit code 1."""
    try:
        path.write_text(text)
    except OSError as error:
        ERR.print(f"rapport: {path} cannot be written: {error}", markup=False)
        raise typer.Exit(1) from None
    say(f"wrote {path}")


@contextmanager
def bar(what: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """A bar that moves as it is told: `advance(done)` or `advance(done, total)`."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=ERR, transient=True) as progress:
        task = progress.add_task(what, total=total)

        def advance(done: int, total: int | None = total) -> None:
            progress.update(task, completed=done, total=total)

        yield advance


@contextmanager
def plainly(hint: str = "") -> Iterator[None]:
    """Expected errors are told in words, without a traceback, and with what can be done now; exit code 1."""
    try:
        yield
    except (CannotStart, Refused) as error:
        ERR.print("[bold red]rapport:[/bold red] ", end="")
        ERR.print(str(error), markup=False)
        if hint:
            ERR.print(hint, markup=False)
        raise typer.Exit(1) from None

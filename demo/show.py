"""What a person sees while the demo runs: one line a step, a bar where there is something to count."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Step:
    """A step under way."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def advance(self, by: int) -> None:
        self._progress.advance(self._task, by)

    def reach(self, done: int, total: int) -> None:
        self._progress.update(self._task, completed=done, total=total)


class Show:
    """The terminal."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._progress = Progress(
            TextColumn("{task.description:<52}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        self._progress.console.print(f"[dim]{text}[/dim]", highlight=False)

    @contextmanager
    def step(self, description: str, total: int | None = None) -> Iterator[Step]:
        task = self._progress.add_task(description, total=total)
        yield Step(self._progress, task)
        found = next(known for known in self._progress.tasks if known.id == task)
        self._progress.update(task, completed=found.total or 1, total=found.total or 1)

"""What every section of the bench gets and gives: a stage to play on, and a section of plain rows and notes.

A section is a module with `async def run(stage: Stage) -> Section`; the runner (`python -m tests.bench`) finds it by its
name, and `alone(run)` makes it a command of its own. No section starts anything outside its stage.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

Cell = str | int | float | bool | None
Row = Mapping[str, Cell]
"""One line of the table: column heading (with its unit) to value. All rows of a section need not have all columns."""
T = TypeVar("T")
Size = Literal["smoke", "quick", "normal", "full"]
"""smoke: seconds, does it run at all; quick: a first look; normal: minutes; full: what is published."""

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "var/bench"


@dataclass(frozen=True)
class Stage:
    """Where a section may work and how long it may take."""

    place: Path
    """A directory of its own under `var/bench/`, for state and logs."""
    port_base: int
    """Of the platform that the section starts; ports up to base + 100 are its own."""
    size: Size = "normal"

    def say(self, line: str) -> None:
        print(f"· {line}", flush=True)

    def pick(self, *, smoke: T, quick: T, normal: T, full: T) -> T:
        return {"smoke": smoke, "quick": quick, "normal": normal, "full": full}[self.size]


@dataclass(frozen=True)
class Section:
    """A section's result, plain enough for JSON."""

    name: str
    title: str
    rows: Sequence[Row]
    notes: Sequence[str] = ()
    """Sentences under the table: conditions, what is not comparable, what limits."""
    void: str = ""
    """Why the figures may not be published; empty where they may."""
    details: Mapping[str, object] = field(default_factory=dict)
    """Whatever else is worth keeping in the JSON: single runs, settings, versions."""

    def document(self) -> dict[str, Any]:
        """As plain JSON gives it back."""
        found: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str))
        return found

    def save(self, folder: Path = RESULTS) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{self.name}.json"
        file.write_text(json.dumps(self.document(), indent=1) + "\n")
        return file


Run = Callable[[Stage], Coroutine[Any, Any, Section]]


def sentences(text: str) -> list[str]:
    """Notes written as prose: each ends with a full stop at the end of a line."""
    return [" ".join(part.split()) + "." for part in text.strip().removesuffix(".").split(".\n")]


def load(file: Path) -> Section:
    return Section(**json.loads(file.read_text()))


def alone(name: str, run: Run, *, port_base: int = 25_000) -> None:
    """What `python -m tests.bench.<name>` does: run it, keep the JSON, show the rows."""
    parser = argparse.ArgumentParser(description=f"The section {name!r} of the bench by itself.")
    parser.add_argument("--size", choices=("smoke", "quick", "normal", "full"), default="normal")
    parser.add_argument("--port-base", type=int, default=port_base)
    asked = parser.parse_args()
    place = RESULTS / name
    place.mkdir(parents=True, exist_ok=True)
    section = asyncio.run(run(Stage(place, asked.port_base, asked.size)))
    for row in section.rows:
        print("  ".join(f"{heading}: {cell}" for heading, cell in row.items()))
    for note in section.notes:
        print(f"- {note}")
    print(section.save())
    if section.void:
        print(f"VOID: {section.void}")
        raise SystemExit(3)

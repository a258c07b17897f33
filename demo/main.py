"""The main job on real customers: `python -m demo.main`, or `rapport demo`. One difference anywhere is exit code 1."""

import argparse
import asyncio
from pathlib import Path

from rich.console import Console

from demo.acts import Performance
from demo.report import report
from demo.show import Show
from demo.stage import FOLDER, stage

WIDTH = 110
"""Of a report into a file or a pipe, which have no width of their own."""


def run(slice: float = 1.0, *, keep: bool = False, folder: Path = FOLDER) -> int:  # noqa: A002 - the option's word
    """Play a share of the households from empty databases to the verdict. Returns the exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    console = Console()
    if console.width < WIDTH and not console.is_terminal:
        console = Console(width=WIDTH)
    with Show(console) as show, stage(show.say, folder, keep=keep) as found:
        for line in found.engines:
            show.say(line)
        result = asyncio.run(Performance(found, show, folder, slice).run())
        result.write(folder / "summary.json")
    report(console, result)
    if keep:
        console.print(f"The platform is still there: {found.base_url}, its key in {found.state}/run/admin.key")
        console.print(f"It ends with: RAPPORT_STATE={found.state} rapport down --wipe")
    console.print(f"All figures: {folder / 'summary.json'}", style="dim")
    return 0 if result.good else 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slice", type=float, default=1.0, help="share of the households, 0.02 to 1")
    parser.add_argument("--keep", action="store_true", help="leave the platform running")
    given = parser.parse_args()
    raise SystemExit(run(given.slice, keep=given.keep))


if __name__ == "__main__":
    main()

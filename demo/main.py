"""The main job on real customers: `python -m demo.main`, or `rapport demo`. One difference anywhere is exit code 1."""

import argparse
import asyncio
from pathlib import Path

from rich.console import Console

from demo.acts import Performance
from demo.report import report
from demo.result import Result
from demo.show import Show
from demo.stage import FOLDER, stage
from demo.unfinished import Unfinished
from deploy.local.errors import CannotStart

WIDTH = 110
"""Of a report into a file or a pipe, which have no width of their own."""


def run(slice: float = 1.0, *, keep: bool = False, folder: Path = FOLDER) -> int:  # noqa: A002 - the option's word
    """Play a share of the households from empty databases to the verdict. Returns the exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    console = Console()
    if console.width < WIDTH and not console.is_terminal:
        console = Console(width=WIDTH)
    try:
        result = play(slice, console, folder, keep=keep)
    except Unfinished as error:
        console.print(f"{type(error).__name__}: {error}", style="red", markup=False)
        console.print(f"What the services wrote: {folder / 'platform' / 'log'}", style="dim")
        return 1
    report(console, result)
    console.print(f"All figures: {folder / 'summary.json'}", style="dim")
    return 0 if result.good else 1


def play(share: float, console: Console, folder: Path, *, keep: bool) -> Result:
    with Show(console) as show, stage(show.say, folder, keep=keep) as found:
        for line in found.engines:
            show.say(line)
        result = asyncio.run(Performance(found, show, folder, share).run())
        result.write(folder / "summary.json")
        found.good = result.good
        if keep:
            show.say(f"The platform stays at {found.base_url}; its key is in {found.state}/run/admin.key")
            show.say(f"It ends with: RAPPORT_STATE={found.state} rapport down --wipe")
    return result


def share(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError("must lie between 0 and 1")
    return value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slice", type=share, default=1.0, help="share of the households, up to 1")
    parser.add_argument("--keep", action="store_true", help="leave the platform running")
    given = parser.parse_args()
    try:
        raise SystemExit(run(given.slice, keep=given.keep))
    except CannotStart as error:
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()

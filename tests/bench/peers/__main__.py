"""The comparison as a command of its own."""

from __future__ import annotations

import argparse
import asyncio

from tests.bench.peers.comparison import NAME, compare
from tests.bench.peers.field import BY_NAME, FIELD
from tests.bench.section import RESULTS, Stage


def main() -> None:
    parser = argparse.ArgumentParser(description="The core against its peers, same work.")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help=f"some of {','.join(BY_NAME)}")
    parser.add_argument("--port-base", type=int, default=25_200)
    asked = parser.parse_args()
    variants = [BY_NAME[name] for name in asked.only.split(",")] if asked.only else FIELD
    place = RESULTS / NAME
    place.mkdir(parents=True, exist_ok=True)
    section = asyncio.run(compare(Stage(place, asked.port_base), variants, asked.events, asked.rounds))
    for row in section.rows:
        print("  ".join(f"{heading}: {cell}" for heading, cell in row.items()))
    print(section.save())
    if section.void:
        print(f"VOID: {section.void}")
        raise SystemExit(3)


if __name__ == "__main__":
    main()

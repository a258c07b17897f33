"""Runs the protocol that is named: a module of this package with a `main()`."""

import sys
from importlib import import_module
from pathlib import Path

NAMES = sorted(file.stem for file in Path(__file__).parent.glob("[!_]*.py"))

if len(sys.argv) != 2 or sys.argv[1] not in NAMES:
    sys.exit(f"usage: python -m tests.scoring.bars {{{','.join(NAMES)}}}")
import_module(f"tests.scoring.bars.{sys.argv[1]}").main()

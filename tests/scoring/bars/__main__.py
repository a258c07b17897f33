"""`python -m tests.scoring.bars NAME`: print the figures of that data set."""

import importlib
import sys
from pathlib import Path

NAMES = sorted(file.stem for file in Path(__file__).parent.glob("[!_]*.py") if not file.stem.startswith("test_"))

if len(sys.argv) != 2 or sys.argv[1] not in NAMES:
    sys.exit(f"python -m tests.scoring.bars {'|'.join(NAMES)}")
sys.exit(importlib.import_module(f"tests.scoring.bars.{sys.argv[1]}").main())

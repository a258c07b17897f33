"""How a process of a load or a bench tells the one that has started it what it does: JSON lines on standard output."""

import json
import sys
from typing import Any


def tell(**said: Any) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()

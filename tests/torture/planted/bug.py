"""What a planted bug is, and the two tools that plant it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REACHED = "TORTURE_REACHED"
"""The environment variable that names the directory in which a bug leaves a file when its code has run."""


@dataclass(frozen=True)
class Bug:
    """One mistake: what it is, whom it befalls, and a run that gives it the chance to do harm."""

    name: str
    mistake: str
    services: tuple[str, ...]
    plant: Callable[[], None]
    run: Mapping[str, Any] = field(default_factory=dict)
    """What of the short run is different, so that the bug is met: faults, receivers that misbehave, a second instance."""


def replaced(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Put something else in the place of a function; there must be one, or the bug is planted nowhere."""
    real = getattr(owner, name)
    setattr(owner, name, make(real))


def reached(name: str) -> None:
    """The mistake has just been made."""
    if folder := os.environ.get(REACHED):
        (Path(folder) / name).touch()

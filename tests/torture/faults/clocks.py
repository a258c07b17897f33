"""Wall clocks that can be set: one for each process of a stage, by a small library that is loaded before the program.

libfaketime would do it too, but would have to be installed, and moves the monotonic clock unless it is told not to. A
clock that only our own code asks (a setting) would be a test of that setting. This one is what libc tells everybody:
Python, the drivers, mongod and its storage engine.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("clock_shim.c")
NANO = 1_000_000_000


class NoCompiler(Exception):
    """There is no C compiler to build the library with."""


class Clocks:
    """A file for each process holds how far its clock is off."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._library = place / "clock_shim.so"
        self._offsets: dict[str, float] = {}

    def build(self) -> None:
        compiler = shutil.which("cc")
        if not compiler:
            raise NoCompiler("clocks can only be set where there is a C compiler (Debian: apt install gcc)")
        self._place.mkdir(parents=True, exist_ok=True)
        flags = ["-O2", "-shared", "-fPIC", "-o", str(self._library), str(SOURCE), "-ldl"]
        subprocess.run([compiler, *flags], check=True)

    def environment(self, name: str) -> dict[str, str]:
        """For the process of this name; its clock is right at first."""
        self._write(name, 0.0)
        return {"LD_PRELOAD": str(self._library), "TORTURE_CLOCK": str(self._place / name)}

    def set(self, name: str, seconds: float) -> None:
        """Ahead by so many seconds of what is true; from now on, also after a restart."""
        self._write(name, seconds)

    def right(self) -> None:
        """All of them."""
        for name in self.names():
            self._write(name, 0.0)

    def names(self) -> list[str]:
        return sorted(self._offsets)

    def offset(self, name: str) -> float:
        return self._offsets[name]

    def _write(self, name: str, seconds: float) -> None:
        self._offsets[name] = seconds
        path = self._place / name
        path.touch()
        with path.open("r+b") as file:  # in place, because processes have it in their memory
            file.write(struct.pack("q", round(seconds * NANO)))

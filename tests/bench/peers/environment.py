"""The peers' own virtual environment: exactly what `requirements/peers.txt` locks, made anew when the lock changes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench.section import RESULTS, ROOT

LOCK = ROOT / "requirements/peers.txt"
PLACE = RESULTS / "peers-venv"
INSTALL_SECONDS = 900


class NotInstalled(Exception):
    """The peers cannot be installed here."""


def python(say: Callable[[str], None], place: Path = PLACE, lock: Path = LOCK) -> Path:
    """Its interpreter. Our core runs in it too, so that all have the same Python, pydantic and clients."""
    interpreter, made_of = place / "bin/python", place / "made-of"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not (made_of.exists() and made_of.read_text() == wanted):
        say(f"installing the peers into {place} (a minute or two)")
        _run([sys.executable, "-m", "venv", "--clear", str(place)])
        _run([str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
              "--require-hashes", "-r", str(lock)])  # fmt: skip
        made_of.write_text(wanted)
    return interpreter


def _run(command: list[str]) -> None:
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"not installed within {INSTALL_SECONDS} s") from None
    if ran.returncode:
        raise NotInstalled((ran.stderr.strip().splitlines() or ["no reason given"])[-1])

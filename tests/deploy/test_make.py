"""The Makefile lists its verbs, and the script behind `make setup` says what is missing."""

import os
import re
import subprocess
from pathlib import Path

from deploy.local.layout import ROOT

VERBS = [
    "help",
    "setup",
    "demo",
    "up",
    "down",
    "status",
    "check",
    "lint",
    "test",
    "bench",
    "torture",
    "fuzz",
    "schemas",
    "clean",
]


def test_make_alone_lists_every_verb_with_a_line() -> None:
    told = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^  make (\w+) +\w", told, re.MULTILINE) == VERBS


def setup_with(path: Path) -> subprocess.CompletedProcess[str]:
    """Run the set-up script of a copy of the project where only these programs are to be found."""
    home = path / "project/deploy/local"
    home.mkdir(parents=True)
    (home / "setup").write_text((ROOT / "deploy/local/setup").read_text())
    return subprocess.run(
        ["/bin/bash", str(home / "setup")],
        env={"PATH": f"{path}:/usr/bin:/bin", "HOME": str(path), "PYTHON": "python3"},
        capture_output=True,
        text=True,
        check=False,
    )


def program(path: Path, name: str, body: str) -> None:
    (path / name).write_text(f"#!/bin/sh\n{body}\n")
    (path / name).chmod(0o755)


def test_an_old_python_is_told_with_what_to_install(tmp_path: Path) -> None:
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        program(tmp_path, name, 'case "$1" in --version) echo Python 3.9.2;; *) exit 1;; esac')
    done = setup_with(tmp_path)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer; python3 is Python 3.9.2" in done.stderr


def test_a_python_without_venv_is_told_with_what_to_install(tmp_path: Path) -> None:
    program(tmp_path, "python3", 'case "$*" in *ensurepip*) exit 1;; *) exit 0;; esac')
    done = setup_with(tmp_path)
    assert done.returncode == 1
    assert "apt install python3-venv" in done.stderr


def test_the_scripts_can_be_run() -> None:
    for script in ("deploy/local/setup", ".ci/run"):
        assert os.access(ROOT / script, os.X_OK), script
        subprocess.run(["bash", "-n", str(ROOT / script)], check=True)

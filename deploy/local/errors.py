"""Why something could not be started. Each message is meant for the person at the terminal and says what to do."""

from __future__ import annotations

from pathlib import Path

TAIL_LINES = 15
LONGEST_LINE = 1000


class CannotStart(Exception):
    """The platform, or a part of it, does not run; the message says why."""


class PortTaken(CannotStart):
    def __init__(self, name: str, port: int, owner: str) -> None:
        super().__init__(
            f"{name} needs port {port} of 127.0.0.1, but {owner} listens there. "
            f"Stop it, or move the whole platform with RAPPORT_PORT_BASE (default 8800)."
        )


class NoProgram(CannotStart):
    """No program on this machine can play the part."""


class DiskFull(CannotStart):
    def __init__(self, place: Path, free_mb: int, needed_mb: int) -> None:
        super().__init__(f"only {free_mb} MB are free at {place}; the servers need at least {needed_mb} MB there")


class Died(CannotStart):
    def __init__(self, name: str, log: Path) -> None:
        super().__init__(f"{name} stopped. The end of {log}:\n{tail(log)}")


class NotReady(CannotStart):
    def __init__(self, name: str, seconds: float, log: Path) -> None:
        super().__init__(f"{name} runs but was not ready after {seconds:.0f} s. The end of {log}:\n{tail(log)}")


class Unreachable(CannotStart):
    def __init__(self, variable: str, url: str) -> None:
        super().__init__(f"{variable} is set, but nothing answers at {url}. Start that server, or unset {variable}.")


def tail(log: Path, lines: int = TAIL_LINES, indent: str = "  ") -> str:
    """The last lines of a log, without reading all of it."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - lines * LONGEST_LINE))
            text = file.read().decode(errors="replace")
    except OSError as error:
        return f"  (no log: {error})"
    return "\n".join(f"{indent}{line[:LONGEST_LINE]}" for line in text.splitlines()[-lines:]) or "  (the log is empty)"

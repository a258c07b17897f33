"""The console shows the story of a run, and of the libraries only what nobody foresaw."""

from __future__ import annotations

import logging
import time

PARTS = ("cluster", "conn", "consumer", "producer")
"""Where aiokafka's loggers of their own begin; its client, which connects, logs as `aiokafka` itself."""


def say(line: str) -> None:
    print(time.strftime("%H:%M:%S"), line, flush=True)


def quieten_kafka() -> None:
    """Our own clients cry many times a second while the broker is away, which the story tells already.

    That it cannot be reached is all that the client ever complains of. The other parts warn of what they try again, and
    their errors are real ones.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    for part in PARTS:
        logging.getLogger(f"aiokafka.{part}").setLevel(logging.ERROR)

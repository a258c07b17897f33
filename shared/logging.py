"""Structured logs: one JSON object a line on standard output. Constant event names and ids, never personal data."""

import logging
import sys
import traceback
from pathlib import Path
from typing import Any

import orjson
import structlog


def configure(service: str, instance: str, level: str) -> None:
    """Call once per process, before anything logs."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, instance=instance)
    # Libraries keep the standard logger: their warnings matter, their chatter does not.
    logging.basicConfig(level=max(threshold, logging.WARNING), format="%(levelname)s %(name)s %(message)s")
    # While the broker is away it says so as an error ten times a second and client; we say it ourselves, once a while.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def _dumps(entry: dict[str, Any], **_: Any) -> bytes:
    return orjson.dumps(entry, default=str)


def whereabouts(error: BaseException) -> str:
    """Where an error comes from, innermost call last, without its text: that may quote what a customer wrote."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " > ".join(f"{Path(frame.filename).stem}.{frame.name}:{frame.lineno}" for frame in frames)

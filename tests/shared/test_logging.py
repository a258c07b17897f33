"""What a log line looks like, and that it never carries an error's text."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal

from shared.logging import _dumps, whereabouts

PROGRAM = """
import structlog
from shared import logging
logging.configure("contacts", "contacts-1", "info")
log = structlog.get_logger()
log.debug("not_told")
log.info("customer_merged", survivor="c1")
import logging as standard
standard.getLogger("aiokafka").info("chatter")
"""


def test_a_line_is_one_json_object_with_service_and_instance() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    (line,) = ran.stdout.splitlines()
    entry = json.loads(line)
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {
        "event": "customer_merged",
        "level": "info",
        "service": "contacts",
        "instance": "contacts-1",
        "survivor": "c1",
    }
    assert ran.stderr == ""


def test_values_that_json_does_not_know_become_text() -> None:
    assert json.loads(_dumps({"total": Decimal("1.50")})) == {"total": "1.50"}


def test_whereabouts_tell_the_place_and_not_the_text() -> None:
    def inner() -> None:
        raise ValueError("jane@example.com")

    try:
        inner()
    except ValueError as error:
        place = whereabouts(error)
    assert "test_logging.inner" in place
    assert "jane" not in place


def test_an_error_that_was_never_raised_has_no_place() -> None:
    assert whereabouts(ValueError("x")) == ""

"""Texts that a spreadsheet would run as a formula, made harmless and read back (OWASP, "CSV Injection")."""

import re

FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""What a spreadsheet takes for the beginning of a formula, also behind marks of ours."""
MARK = "'"
"""Spreadsheets take what follows for text."""


def harmless(text: str) -> str:
    """The text with a mark before it if it could be run. `as_written` takes it away, whatever the text was."""
    return MARK + text if FORMULA.match(text) else text


def as_written(text: str) -> str:
    return text[1:] if text[:1] == MARK and FORMULA.match(text) else text

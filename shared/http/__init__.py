"""What every service's HTTP side has in common: problems, pages, and the application around the routers."""

from shared.http.app import Health, create_app
from shared.http.pages import (
    Cursor,
    Limit,
    Page,
    bad_cursor,
    decode_cursor,
    encode_cursor,
    encode_moment,
    moment_and_place,
    text_of,
)
from shared.http.problems import FieldError, Problem, ProblemDetails, add_problems

__all__ = [
    "Cursor",
    "FieldError",
    "Health",
    "Limit",
    "Page",
    "Problem",
    "ProblemDetails",
    "add_problems",
    "bad_cursor",
    "create_app",
    "decode_cursor",
    "encode_cursor",
    "encode_moment",
    "moment_and_place",
    "text_of",
]

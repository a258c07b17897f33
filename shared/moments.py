"""Moments as databases keep them."""

from datetime import datetime


def to_the_millisecond(moment: datetime) -> datetime:
    """What MongoDB keeps of a time. Cut before it is compared or told, a moment is the same in memory, stored and at others."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

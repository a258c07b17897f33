"""Moments as databases keep them."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_the_millisecond(moment: datetime) -> datetime:
    """What MongoDB keeps of a time. Cut before it is compared or told, a moment is the same in memory, stored and at others."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def as_micros(moment: datetime) -> int:
    """Microseconds since 1970: all of a moment, where it has to come back as it was."""
    return (moment - EPOCH) // MICROSECOND


def as_utc(micros: int) -> datetime:
    """What `as_micros` was given."""
    return EPOCH + micros * MICROSECOND

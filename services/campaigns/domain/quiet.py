"""Quiet hours: when customers are left in peace, by their own clocks. `zone_of` says whose clock that is."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache, lru_cache
from typing import Annotated, Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

Weekday: TypeAlias = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
DAY = timedelta(days=1)

LocalTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["20:00"])]


class QuietHours(BaseModel):
    """From one local time until another, on the next day if that is not later: from and until alike are a whole day."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        serialize_by_alias=True,
        json_schema_extra={"examples": [{"from": "20:00", "until": "08:00"}]},
    )

    from_: Annotated[LocalTime, Field(alias="from")]
    until: LocalTime
    days: Annotated[tuple[Weekday, ...] | None, Field(min_length=1, max_length=7)] = None
    """On which they begin. Absent: on all."""

    @model_validator(mode="after")
    def leaves_some_time(self) -> "QuietHours":
        if self.from_ == self.until and len(set(self.days or WEEKDAYS)) == len(WEEKDAYS):
            raise PydanticCustomError("always-quiet", "quiet hours must leave some time of the week")
        return self

    def quiet_until(self, at: datetime, zone: tzinfo) -> datetime | None:
        """When the quiet that holds at this moment is over, in UTC; None if it is not quiet. Times that join are one quiet."""
        end = at
        while (longer := self._end_of(end, zone)) is not None:
            end = longer
        return end.astimezone(UTC) if end != at else None

    def _end_of(self, at: datetime, zone: tzinfo) -> datetime | None:
        ends = (end for begin, end in self._around(at, zone) if begin <= at < end)
        return max(ends, default=None)

    def _around(self, at: datetime, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
        """The quiet times that may hold at a moment, in UTC.

        What clocks skip or show twice when they are changed is read so that the quiet is the longer of the two.
        """
        begin, until = time.fromisoformat(self.from_), time.fromisoformat(self.until)
        today = at.astimezone(zone).date()
        for day in (today - DAY, today, today + DAY):
            if self.days is None or WEEKDAYS[day.weekday()] in self.days:
                last = day if until > begin else day + DAY
                yield min(_readings(day, begin, zone)), max(_readings(last, until, zone))


def _readings(day: date, at: time, zone: tzinfo) -> tuple[datetime, datetime]:
    """The moments that a local time may mean: nearly always twice the same."""
    first = datetime.combine(day, at, zone)
    return first.astimezone(UTC), first.replace(fold=1).astimezone(UTC)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(1024)
def zone_named(name: str) -> tzinfo | None:
    """The zone of this name in the IANA database, None if there is none."""
    if name == "UTC":
        return UTC
    return ZoneInfo(name) if name in _zones() else None


def zone_of(name: object, usual: tzinfo) -> tzinfo:
    """A customer's zone: as it is known, else the company's usual one."""
    return (zone_named(name) if isinstance(name, str) else None) or usual

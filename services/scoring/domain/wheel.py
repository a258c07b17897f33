"""A wheel of moments at which customers cross a threshold by mere waiting: found when they are due, without a scan.

A hashed timing wheel of two levels (Varghese, Lauck 1987, scheme 7): whoever is due today stands in the bucket of an
hour, whoever is due later in that of a day, which is dealt out to its hours when the day comes. Putting, moving and
removing a customer touches two buckets; time passing touches those that are due, and nobody else.
"""

import struct
from collections.abc import Iterable, Iterator

HOURS = 24
ENTRY = struct.Struct("<BH")
"""Hour of the day, and the bytes of the customer's name that follows."""


class Wheel:
    """Hours are counted from 1970-01-01 (UTC). What is put into an hour that has passed is due at once."""

    def __init__(self, now: int) -> None:
        self._now = now
        self._due: dict[str, int] = {}
        self._hours: dict[int, set[str]] = {}
        self._days: dict[int, set[str]] = {}

    def __len__(self) -> int:
        return len(self._due)

    @property
    def now(self) -> int:
        """The hour that is not yet over: all before have been taken."""
        return self._now

    def due(self, customer: str) -> int | None:
        return self._due.get(customer)

    def put(self, customer: str, hour: int) -> None:
        """Add a customer, or move them: each is due once."""
        self.remove(customer)
        hour = max(hour, self._now)
        self._due[customer] = hour
        level, bucket = self._place(hour)
        level.setdefault(bucket, set()).add(customer)

    def remove(self, customer: str) -> None:
        """Nothing if the customer is not there."""
        hour = self._due.pop(customer, None)
        if hour is None:
            return
        level, bucket = self._place(hour)
        level[bucket].discard(customer)
        if not level[bucket]:
            del level[bucket]

    def take(self, until: int) -> list[str]:
        """Whoever is due before the hour `until`, earliest first and then by name; they are no longer in the wheel."""
        taken: list[str] = []
        while self._now < until:
            day = self._now // HOURS
            end = min(until, (day + 1) * HOURS)
            for hour in range(self._now, end):
                taken += self._take(hour)
            self._go_to(end if end == until else self._next_hour(end, until))
        return taken

    def _take(self, hour: int) -> list[str]:
        customers = sorted(self._hours.pop(hour, ()))
        for customer in customers:
            del self._due[customer]
        return customers

    def _next_hour(self, hour: int, until: int) -> int:
        """The hour itself, unless the days that follow are empty: a wheel that stood still for years is not turned."""
        days = until // HOURS - hour // HOURS
        if days <= len(self._days):
            return hour
        return min([until, *(max(hour, day * HOURS) for day in self._days)])

    def _go_to(self, hour: int) -> None:
        """Begin an hour; a day that begins with it is dealt out to its hours."""
        self._now = hour
        for customer in self._days.pop(hour // HOURS, ()):
            self._hours.setdefault(self._due[customer], set()).add(customer)

    def _place(self, hour: int) -> tuple[dict[int, set[str]], int]:
        today = hour // HOURS == self._now // HOURS
        return (self._hours, hour) if today else (self._days, hour // HOURS)

    @property
    def days(self) -> list[int]:
        """Days that somebody is due on, in order: one packed bucket each."""
        return sorted({hour // HOURS for hour in self._hours} | self._days.keys())

    def pack(self, day: int) -> bytes:
        """A day's customers, sorted, with their hours; the same customers give the same bytes."""
        return b"".join(self._entries(day))

    def _entries(self, day: int) -> Iterator[bytes]:
        today = day == self._now // HOURS
        customers = set[str]().union(*self._hours.values()) if today else self._days.get(day, set())
        for customer in sorted(customers):
            name = customer.encode()
            yield ENTRY.pack(self._due[customer] % HOURS, len(name)) + name

    @classmethod
    def unpack(cls, now: int, buckets: Iterable[tuple[int, bytes]]) -> "Wheel":
        """From packed days. Whoever was due before `now` is due at once."""
        wheel = cls(now)
        for day, packed in buckets:
            at = 0
            while at < len(packed):
                hour, length = ENTRY.unpack_from(packed, at)
                at += ENTRY.size + length
                wheel.put(packed[at - length : at].decode(), day * HOURS + hour)
        return wheel

"""Ages in whole periods: months by default, or weeks. Vectorised over days since 1970."""

from datetime import date
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
DAY_0 = date(1970, 1, 1).toordinal()


class Period(StrEnum):
    """A contract's step. A month is a calendar one, so that yearly contracts are renewed at age 12 in every year."""

    MONTH = "month"
    WEEK = "week"

    def age(self, start_day: npt.ArrayLike, day: npt.ArrayLike) -> Ints:
        """Whole periods from one day to the other; negative before the start. Begun on the 31st, a month is full on the
        31st, or on the next 1st where there is none.
        """
        start, now = np.asarray(start_day, np.int64), np.asarray(day, np.int64)
        if self is Period.WEEK:
            return (now - start) // 7
        (start_month, start_date), (now_month, now_date) = _calendar(start), _calendar(now)
        return now_month - start_month - (now_date < start_date)

    def age_of(self, start_day: int, day: int) -> int:
        """The same of one contract, for the event path."""
        if self is Period.WEEK:
            return (day - start_day) // 7
        start, now = date.fromordinal(start_day + DAY_0), date.fromordinal(day + DAY_0)
        return (now.year - start.year) * 12 + now.month - start.month - (now.day < start.day)

    def first_age_since(self, start_day: npt.ArrayLike, since_day: int) -> Ints:
        """The age of the first period that begins on that day or later: 0 for contracts that do themselves."""
        return np.maximum(self.age(start_day, since_day - 1) + 1, 0)


def _calendar(days: Ints) -> tuple[Ints, Ints]:
    """Months since 1970, and the day of the month from 0."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    return months.astype(np.int64), (dates - months.astype("datetime64[D]")).astype(np.int64)

"""ISO weeks: parse, order, shift.

In: "2020-week7" (the published folder names), "2020-W07" (our key) or a date. Out: `Week`, ordered in time.
Knows nothing of sales. The year is the ISO year: calendar year plus ISO week number puts 2019-12-30 into
"2019-week1", eleven months early.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

_WEEK_PATTERN = re.compile(r"(?P<year>\d{4})-(?:W|week)(?P<week>\d{1,2})", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class Week:
    """One ISO 8601 week.

    Raises:
        ValueError: if the ISO year has no such week (most years have 52, some 53).
    """

    year: int
    week: int

    def __post_init__(self) -> None:
        last = datetime.date(self.year, 12, 28).isocalendar().week  # 28 December is always in the last ISO week
        if not 1 <= self.week <= last:
            raise ValueError(f"week {self.year}-W{self.week:02d} does not exist: {self.year} has weeks 1 to {last}.")

    @staticmethod
    def parse(text: str) -> Week:
        """Read "2020-W07" or "2020-week7" (any padding, any case)."""
        match = _WEEK_PATTERN.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"week {text!r} is not understood: write it as 2020-W07 or 2020-week7.")
        return Week(int(match["year"]), int(match["week"]))

    @staticmethod
    def of(day: datetime.date) -> Week:
        """The ISO week that holds `day`."""
        iso = day.isocalendar()
        return Week(iso.year, iso.week)

    @property
    def monday(self) -> datetime.date:
        """First day of the week."""
        return datetime.date.fromisocalendar(self.year, self.week, 1)

    @property
    def key(self) -> str:
        """Sortable key, "2020-W07"."""
        return f"{self.year}-W{self.week:02d}"

    @property
    def published(self) -> str:
        """Folder name of the published data set, "2020-week7". It does not sort in time."""
        return f"{self.year}-week{self.week}"

    def shift(self, num_weeks: int) -> Week:
        """The week `num_weeks` later (negative: earlier), across year ends."""
        return Week.of(self.monday + datetime.timedelta(weeks=num_weeks))

    def __sub__(self, other: Week) -> int:
        """Number of weeks from `other` to this one."""
        return (self.monday - other.monday).days // 7

    def __str__(self) -> str:
        return self.key

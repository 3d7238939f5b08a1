"""ISO weeks: parse, order, shift; which week a day belongs to, and which split a week belongs to.

In: "2020-week7" (the published folder names), "2020-W07" (our key) or a date. Out: `Week`, ordered in time.
Knows nothing of sales. The year is the ISO year: calendar year plus ISO week number puts 2019-12-30 into
"2019-week1", eleven months early.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

DAYS_PER_WEEK = 7
_DAYS_BEFORE_EPOCH = 3  # 1970-01-01, day 0, was the Thursday of the ISO week that has number 0
_EPOCH_MONDAY = datetime.date(1969, 12, 29)
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

    @staticmethod
    def from_number(number: int) -> Week:
        """The week with `number`, see there."""
        return Week.of(_EPOCH_MONDAY + datetime.timedelta(weeks=number))

    @property
    def number(self) -> int:
        """Weeks since the one that holds 1970-01-01: a plain number to count and group by."""
        return (self.monday - _EPOCH_MONDAY).days // DAYS_PER_WEEK

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
        return (self.monday - other.monday).days // DAYS_PER_WEEK

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True)
class WeekCalendar:
    """Which week a day is counted into: ISO weeks, or windows of seven days that begin on another weekday.

    A window carries the name of the ISO week that holds most of its days. Consecutive windows so get consecutive names
    that all exist, and everything that is named by weeks (folders, splits, windows of past weeks) works alike.

    Attributes:
        first_weekday: 0 = Monday (ISO weeks) to 6 = Sunday.
    """

    first_weekday: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.first_weekday < DAYS_PER_WEEK:
            raise ValueError(f"first_weekday {self.first_weekday} is not usable: choose 0 (Monday) to 6 (Sunday).")

    @staticmethod
    def ending(last: datetime.date) -> WeekCalendar:
        """Windows of seven days, the last of which ends with `last`, as is the habit on Kaggle."""
        return WeekCalendar((last.weekday() + 1) % DAYS_PER_WEEK)

    @property
    def shift_days(self) -> int:
        """Days to add to a date so that its ISO week is the one that its window is named after; -3 to 3."""
        return -self.first_weekday if self.first_weekday <= 3 else DAYS_PER_WEEK - self.first_weekday

    def week_number(self, day):  # noqa: ANN001, ANN201 - int to int, or a column's expression to another
        """`Week.number` of the week that a day is counted into; the day as days since 1970-01-01."""
        return (day + (self.shift_days + _DAYS_BEFORE_EPOCH)) // DAYS_PER_WEEK

    def of(self, day: datetime.date) -> Week:
        """The week that `day` is counted into."""
        return Week.of(day + datetime.timedelta(days=self.shift_days))

    def first_day(self, week: Week) -> datetime.date:
        """First day of the window that is named `week`."""
        return week.monday - datetime.timedelta(days=self.shift_days)


@dataclass(frozen=True)
class Splits:
    """Train up to a week, validation after it up to another, test from there on.

    Raises:
        ValueError: if validation would end before train does.
    """

    train_end: Week
    val_end: Week

    def __post_init__(self) -> None:
        if self.val_end < self.train_end:
            raise ValueError(
                f"--val_end {self.val_end} lies before --train_end {self.train_end}: choose that week or a later one."
            )

    def of(self, week: Week) -> str:
        """ "train", "val" or "test"."""
        if week <= self.train_end:
            return "train"
        return "val" if week <= self.val_end else "test"


PUBLISHED_SPLITS = Splits(Week(2020, 7), Week(2020, 22))  # of H&M's 106 weeks: 74, 15 and 17

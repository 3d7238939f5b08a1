"""ISO weeks: year ends, reading, order and shifts."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashiondistill.data.weeks import PUBLISHED_SPLITS, Splits, Week, WeekCalendar

DAYS = st.dates(datetime.date(1990, 1, 1), datetime.date(2060, 12, 31))
SHIFTS = st.integers(-600, 600)


@pytest.mark.parametrize(
    ("day", "key"),
    [
        ("2018-09-20", "2018-W38"),
        ("2018-12-31", "2019-W01"),
        ("2019-12-29", "2019-W52"),
        ("2019-12-30", "2020-W01"),
        ("2020-09-22", "2020-W39"),
        ("2020-12-31", "2020-W53"),
        ("2021-01-03", "2020-W53"),
        ("2021-01-04", "2021-W01"),
    ],
)
def test_the_year_is_the_iso_year(day: str, key: str) -> None:
    assert Week.of(datetime.date.fromisoformat(day)).key == key


def test_week_53_exists_in_long_years_only() -> None:
    assert Week(2020, 53).monday == datetime.date(2020, 12, 28)
    with pytest.raises(ValueError, match="2019-W53 does not exist: 2019 has weeks 1 to 52"):
        Week(2019, 53)


@pytest.mark.parametrize("text", ["2020-week7", "2020-W07", "2020-w7", " 2020-WEEK07 "])
def test_every_spelling_is_read(text: str) -> None:
    assert Week.parse(text) == Week(2020, 7)


@pytest.mark.parametrize("text", ["", "2020", "2020-07", "week 7", "20-W07", "2020-W007"])
def test_other_text_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ValueError, match="write it as 2020-W07"):
        Week.parse(text)


@given(DAYS)
def test_text_round_trip(day: datetime.date) -> None:
    week = Week.of(day)
    assert Week.parse(week.key) == week == Week.parse(week.published)
    assert week.monday <= day < week.monday + datetime.timedelta(days=7)


@given(DAYS, SHIFTS, SHIFTS)
def test_shifts_add_up(day: datetime.date, first: int, second: int) -> None:
    week = Week.of(day)
    assert week.shift(first).shift(second) == week.shift(first + second)
    assert week.shift(first) - week == first


@given(DAYS, DAYS)
def test_order_is_order_in_time(one: datetime.date, other: datetime.date) -> None:
    first, second = Week.of(one), Week.of(other)
    assert (first < second) == (first.monday < second.monday) == (first.key < second.key)


@given(DAYS)
def test_numbers_count_weeks(day: datetime.date) -> None:
    week = Week.of(day)
    assert Week.from_number(week.number) == week
    assert week.shift(1).number == week.number + 1
    assert Week.of(datetime.date(1970, 1, 1)).number == 0


@given(DAYS, st.integers(0, 6))
def test_a_window_is_named_after_the_week_of_most_of_its_days(day: datetime.date, first_weekday: int) -> None:
    calendar = WeekCalendar(first_weekday)
    week = calendar.of(day)
    first = calendar.first_day(week)
    assert first.weekday() == first_weekday and first <= day < first + datetime.timedelta(days=7)
    inside = [Week.of(first + datetime.timedelta(days=number)) for number in range(7)]
    assert inside.count(week) >= 4
    assert calendar.of(first + datetime.timedelta(days=7)) == week.shift(1)
    assert calendar.week_number((day - datetime.date(1970, 1, 1)).days) == week.number


@given(DAYS)
def test_a_monday_calendar_is_the_iso_calendar(day: datetime.date) -> None:
    assert WeekCalendar().of(day) == Week.of(day) and WeekCalendar().first_day(Week.of(day)) == Week.of(day).monday


@given(DAYS)
def test_kaggle_windows_end_with_the_last_day(last: datetime.date) -> None:
    calendar = WeekCalendar.ending(last)
    assert calendar.first_day(calendar.of(last)) == last - datetime.timedelta(days=6)


def test_kaggle_windows_of_the_published_files() -> None:
    first, last = datetime.date(2018, 9, 20), datetime.date(2020, 9, 22)
    calendar = WeekCalendar.ending(last)
    assert calendar.of(last) - calendar.of(first) == 104  # 104 whole windows and one of six days before them
    assert calendar.first_day(calendar.of(first)) == datetime.date(2018, 9, 19)
    assert (calendar.of(first).key, calendar.of(last).key) == ("2018-W38", "2020-W38")
    with pytest.raises(ValueError, match="first_weekday 7"):
        WeekCalendar(7)


def test_the_published_split_has_74_15_and_17_weeks() -> None:
    weeks = [Week(2018, 38).shift(number) for number in range(106)]
    assert [PUBLISHED_SPLITS.of(week) for week in weeks] == ["train"] * 74 + ["val"] * 15 + ["test"] * 17
    assert weeks[-1].key == "2020-W39"


@given(st.tuples(DAYS, DAYS, DAYS).map(sorted), DAYS)
def test_splits_follow_each_other_in_time(days: list[datetime.date], other: datetime.date) -> None:
    train_end, val_end, late = (Week.of(day) for day in days)
    splits = Splits(train_end, val_end)
    order = ["train", "val", "test"]
    assert order.index(splits.of(Week.of(other))) <= order.index(splits.of(Week.of(other).shift(1)))
    assert splits.of(train_end) == "train" and splits.of(late.shift(1)) == "test"
    if train_end != val_end:
        assert splits.of(val_end) == "val"
        with pytest.raises(ValueError, match=f"--val_end {train_end} lies before --train_end {val_end}"):
            Splits(val_end, train_end)

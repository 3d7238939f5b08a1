"""ISO weeks: year ends, reading, order and shifts."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashiondistill.data.weeks import Week

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

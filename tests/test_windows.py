"""Windows over weeks: weights follow the calendar whatever is missing, and nothing looks forward over a split's end."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashiondistill.data.weeks import Week
from fashiondistill.data.windows import PastWeek, Window, past_weeks, windows_of_split

START = Week(2018, 38)
WEEKS = st.integers(0, 140).map(START.shift)  # over both year ends of the published data and the 53 weeks of 2020
SETS = st.sets(WEEKS, max_size=60)
NUMBERS, DECAYS = st.integers(1, 12), st.floats(0.001, 1)


def ages(past: tuple[PastWeek, ...]) -> list[int]:
    return [entry.age for entry in past]


def test_published_weights() -> None:
    """Four past weeks at 0.8, as the published trainers weight them."""
    target = Week.parse("2019-week2")
    past = past_weeks(target, [target.shift(-n) for n in range(8)], num_past_weeks=4, weight_decay=0.8)
    assert [str(entry.week) for entry in past] == ["2018-W50", "2018-W51", "2018-W52", "2019-W01"]
    assert [round(entry.weight, 4) for entry in past] == [0.1734, 0.2168, 0.271, 0.3388]


def test_a_gap_takes_only_its_own_weight() -> None:
    target = Week.parse("2020-W10")
    past = past_weeks(target, [target.shift(-4), target.shift(-1)], num_past_weeks=4, weight_decay=0.5)
    assert ages(past) == [4, 1]
    assert [entry.weight for entry in past] == pytest.approx([1 / 9, 8 / 9])  # 0.5^4 : 0.5^1


def test_weeks_53_and_year_ends_are_weeks_like_others() -> None:
    weeks = [Week.parse(key) for key in ("2020-W52", "2020-W53", "2021-W01")]
    past = past_weeks(Week.parse("2021-W02"), weeks, num_past_weeks=3, weight_decay=1)
    assert ages(past) == [3, 2, 1] and [entry.week for entry in past] == weeks


@given(WEEKS, SETS, NUMBERS, DECAYS)
def test_weights_sum_to_one_over_the_weeks_that_exist(
    target: Week, weeks: set[Week], number: int, decay: float
) -> None:
    past = past_weeks(target, weeks, num_past_weeks=number, weight_decay=decay)
    expected = sorted(week for week in weeks if 1 <= target - week <= number)
    assert [entry.week for entry in past] == expected
    assert not past or math.isclose(sum(entry.weight for entry in past), 1)
    for entry in past:
        assert entry.age == target - entry.week and entry.week < target
    for older in past:
        for younger in past:
            ratio = decay ** (older.age - younger.age)
            assert math.isclose(older.weight, younger.weight * ratio, rel_tol=1e-9, abs_tol=1e-30)


@given(WEEKS, SETS, SETS, NUMBERS, DECAYS)
def test_the_future_and_the_order_change_nothing(
    target: Week, weeks: set[Week], later: set[Week], number: int, decay: float
) -> None:
    past = past_weeks(target, weeks, num_past_weeks=number, weight_decay=decay)
    with_future = [*reversed(sorted(weeks)), target, *(week for week in later if week > target), *weeks]
    assert past_weeks(target, with_future, num_past_weeks=number, weight_decay=decay) == past


@given(WEEKS, SETS, NUMBERS, DECAYS)
def test_removing_a_week_keeps_the_others_proportions(
    target: Week, weeks: set[Week], number: int, decay: float
) -> None:
    past = past_weeks(target, weeks, num_past_weeks=number, weight_decay=decay)
    for removed in past[:1] + past[-1:]:
        rest = past_weeks(target, weeks - {removed.week}, num_past_weeks=number, weight_decay=decay)
        share = 1 - removed.weight
        kept = [entry for entry in past if entry != removed]
        assert [(e.week, e.age) for e in rest] == [(e.week, e.age) for e in kept]
        for after, before in zip(rest, kept, strict=True):
            assert after.weight * share == pytest.approx(before.weight, abs=1e-6)


@given(SETS, st.integers(0, 140), st.integers(0, 40), NUMBERS)
def test_windows_look_back_over_a_split_s_end_and_never_forward(
    weeks: set[Week], first: int, length: int, number: int
) -> None:
    """Targets at the start of a split see as much past as any other; none of train sees validation's weeks."""
    ends = START.shift(first), START.shift(first + length)
    splits = {
        "train": {week for week in weeks if week < ends[0]},
        "val": {week for week in weeks if ends[0] <= week < ends[1]},
        "test": {week for week in weeks if week >= ends[1]},
    }
    for split, own in splits.items():
        found = windows_of_split(splits, split, num_past_weeks=number, weight_decay=0.8)
        assert [window.target for window in found] == sorted(own)
        for window in found:
            assert window.past == past_weeks(window.target, weeks, num_past_weeks=number, weight_decay=0.8)
            assert all(entry.week < window.target for entry in window.past)
            expected = window.target.shift(1)
            assert window.next_week == (expected if expected in own else None)


def test_later_splits_are_not_looked_at() -> None:
    """Splits by article instead of time share their weeks: training must not see what is kept for the test."""
    weeks = [Week(2020, 1), Week(2020, 2)]
    splits = {"train": weeks[1:], "val": [], "test": weeks}
    for split, number in (("train", 0), ("test", 1)):
        window = windows_of_split(splits, split, num_past_weeks=4, weight_decay=1)[-1]
        assert window.target == weeks[1] and len(window.past) == number


def test_windows_are_frozen_and_bad_numbers_named() -> None:
    week = Week(2020, 7)
    with pytest.raises(dataclasses.FrozenInstanceError):
        PastWeek(week, 1, 1.0).weight = 2  # type: ignore[misc]
    with pytest.raises(AssertionError, match="ahead of its target"):
        Window(week, (PastWeek(week, 0, 1.0),), None)
    with pytest.raises(ValueError, match="num_past_weeks 0 is not usable"):
        past_weeks(week, [], num_past_weeks=0, weight_decay=0.8)
    for decay in (0, 1.2, float("nan")):
        with pytest.raises(ValueError, match=f"temporal_weight_decay {decay} is not usable"):
            past_weeks(week, [], num_past_weeks=1, weight_decay=decay)
    with pytest.raises(ValueError, match="split 'dev' is unknown: choose one of train"):
        windows_of_split({"train": [week]}, "dev", num_past_weeks=1, weight_decay=1)

"""The weeks behind a target week, weighted by age: calendar arithmetic over weeks that exist.

In: the weeks of each split and a target week. Out: `Window`: past weeks with weights that sum to 1, and the next week.
The past reaches back into earlier splits, as it does on the day of a forecast; nothing reaches forward over a split's
end. Age is counted in weeks of the calendar, so a week that is missing takes its own weight with it and no other's.
Knows nothing of articles.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from fashiondistill.data.weeks import Week


@dataclass(frozen=True)
class PastWeek:
    """A week before the target: its age in weeks (1 = the week before) and its share of all weights."""

    week: Week
    age: int
    weight: float


@dataclass(frozen=True)
class Window:
    """A target week, the past weeks that exist (oldest first, weights summing to 1) and the next week, if it exists."""

    target: Week
    past: tuple[PastWeek, ...]
    next_week: Week | None

    def __post_init__(self) -> None:
        assert all(past.week < self.target for past in self.past), "a past week lies ahead of its target"


def past_weeks(
    target: Week, weeks: Collection[Week], *, num_past_weeks: int, weight_decay: float
) -> tuple[PastWeek, ...]:
    """The weeks of `weeks` among the `num_past_weeks` before `target`, oldest first.

    Args:
        target: the week to look back from; it and what follows it are never taken.
        weeks: weeks that exist, in any order.
        num_past_weeks: weeks of the calendar to look back, at least 1.
        weight_decay: weight of a week over that of the week after it, above 0 and at most 1.

    Returns:
        Weights proportional to weight_decay ^ age that sum to 1; empty if none of the weeks exists.

    Raises:
        ValueError: for a number or decay outside its range.
    """
    if num_past_weeks < 1:
        raise ValueError(f"num_past_weeks {num_past_weeks} is not usable: choose at least 1.")
    if not 0 < weight_decay <= 1:
        raise ValueError(f"temporal_weight_decay {weight_decay} is not usable: choose more than 0, at most 1.")
    existing = set(weeks)
    ages = [age for age in range(num_past_weeks, 0, -1) if target.shift(-age) in existing]
    if not ages:
        return ()
    weights = [weight_decay ** (age - ages[-1]) for age in ages]  # the youngest has 1, so the sum is never 0
    total = sum(weights)
    return tuple(PastWeek(target.shift(-age), age, w / total) for age, w in zip(ages, weights, strict=True))


def windows_of_split(
    weeks_of_split: Mapping[str, Collection[Week]], split: str, *, num_past_weeks: int, weight_decay: float
) -> tuple[Window, ...]:
    """One window for each week of a split, in order of time.

    Args:
        weeks_of_split: split -> its weeks that exist; the splits in their order, training first.
        split: the split whose weeks are targets.
        num_past_weeks, weight_decay: as in `past_weeks`.

    Returns:
        Windows whose past is taken from the split and those before it. The next week is the following one of the
        calendar if it belongs to the same split: the first week of validation is no target of training.

    Raises:
        ValueError: if there is no such split.
    """
    if split not in weeks_of_split:
        raise ValueError(f"split {split!r} is unknown: choose one of {', '.join(weeks_of_split)}.")
    own = set(weeks_of_split[split])
    names = list(weeks_of_split)
    known = set().union(*(weeks_of_split[name] for name in names[: names.index(split) + 1]))
    return tuple(
        Window(
            target=week,
            past=past_weeks(week, known, num_past_weeks=num_past_weeks, weight_decay=weight_decay),
            next_week=week.shift(1) if week.shift(1) in own else None,
        )
        for week in sorted(own)
    )

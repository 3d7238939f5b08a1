"""How good forecasts were: WAPE, MASE, skill against the last week, coverage of intervals, bootstrap intervals.

In: arrays of errors, actuals and intervals. Out: plain numbers; None where nothing can be measured. Knows nothing of
how the forecasts came about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

NUM_DRAWS = 2_000


@dataclass(frozen=True)
class Quality:
    """How good the forecasts of some series were over the backtest.

    Attributes:
        wape: sum of absolute errors over the sum of actuals (never MAPE: shares near zero would rule it).
        mase: mean absolute error over the mean absolute change from week to week.
        skill: 1 - error / error of the last week; above 0 is better than "next week is like this one".
        coverage: share of the actuals inside the interval; None without intervals.
        num_origins: weeks from which forecasts could be judged.
    """

    wape: float | None = None
    mase: float | None = None
    skill: float | None = None
    coverage: float | None = None
    num_origins: int = 0


def quality(
    error: np.ndarray,
    persistence: np.ndarray,
    actual: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    *,
    change: float,
) -> Quality:
    """Measure forecasts of one horizon or several; arrays of one shape, origins first; NaN = not to be judged.

    Args:
        error: absolute errors of the forecasts.
        persistence: absolute errors of the last week, for the same targets.
        actual: what came.
        low, high: ends of the intervals.
        change: mean absolute change of the series from one week to the next.
    """
    judged = ~np.isnan(error)
    if not judged.any():
        return Quality()
    total, base, size = error[judged].sum(), persistence[judged].sum(), actual[judged].sum()
    bounded = judged & ~np.isnan(low)
    inside = (actual >= low) & (actual <= high)
    return Quality(
        wape=float(total / size) if size > 0 else None,
        mase=float(error[judged].mean() / change) if change > 0 else None,
        skill=float(1 - total / base) if base > 0 else None,
        coverage=float(inside[bounded].mean()) if bounded.any() else None,
        num_origins=int(judged.reshape(len(judged), -1).any(axis=1).sum()),
    )


def bootstrap_interval(
    values: np.ndarray, statistic: Callable[[np.ndarray], float], *, block: int = 1, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of a statistic, drawing rows of `values` (first axis) with replacement.

    Args:
        values: one row per independent case (a catalogue), or per week in order of time; never one per item of a week.
        statistic: of such rows.
        block: rows that are drawn together, since neighbouring weeks depend on each other (Kuensch 1989); at most a
            quarter of all rows, or few draws would differ.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    length, offsets = len(values), np.arange(max(1, min(block, len(values) // 4)))
    draws = []
    for _ in range(NUM_DRAWS):
        starts = rng.integers(0, length, -(-length // len(offsets)))
        draws.append(statistic(values[((starts[:, None] + offsets) % length).ravel()[:length]]))
    low, high = np.quantile(draws, (0.025, 0.975))
    return float(low), float(high)

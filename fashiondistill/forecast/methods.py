"""Forecasts of many series at once, from every week on: what a rolling backtest needs, in milliseconds.

In: `values` [T, N]: T weeks of N series, complete. Out of every method: [T, H, N] where [t, h - 1] is the forecast of
week t + h by who knows the weeks 0 to t only; NaN where the method needs more past than there is. Parameters of
smoothing are those with the least squared one-step error up to t, so they are never taken from the future. Knows
nothing of shares, weeks of the calendar or sales.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np

SEASON = 52  # weeks
ALPHAS = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0)
TRENDS = (0.05, 0.15, 0.35)  # smoothing of the trend, as a fraction of that of the level
DAMPINGS = (0.8, 0.9, 0.97)
RIDGE = 3.0  # weight of the penalty, in units of the features' own mean square
MIN_PAST = 8  # weeks below which no method but the last week has anything to go by
WARM_UP = 12  # targets that ridge-AR must have seen

Method = Callable[[np.ndarray, int], np.ndarray]


def last_week(values: np.ndarray, horizon: int) -> np.ndarray:
    """Persistence: all weeks to come are like the last one."""
    return np.repeat(values[:, None], horizon, axis=1)


def drift(values: np.ndarray, horizon: int) -> np.ndarray:
    """The line through the first and the last week goes on."""
    number = np.arange(len(values))
    slope = (values - values[0]) / np.maximum(number, 1)[:, None]
    forecast = values[:, None] + np.arange(1, horizon + 1)[None, :, None] * slope[:, None]
    return _without_past(forecast, MIN_PAST)


def seasonal_naive(values: np.ndarray, horizon: int) -> np.ndarray:
    """The same week a year ago."""
    return _shifted(values, horizon, SEASON)


def exponential_smoothing(values: np.ndarray, horizon: int) -> np.ndarray:
    """Simple exponential smoothing (Hyndman and Athanasopoulos 2021, section 8.1)."""
    level, _ = _smoothed(values)
    return _without_past(np.repeat(level[:, None], horizon, axis=1), MIN_PAST)


def damped_trend(values: np.ndarray, horizon: int) -> np.ndarray:
    """Holt's method with a damped trend (Gardner and McKenzie 1985; same book, section 8.2)."""
    grid = np.array(list(product(ALPHAS, TRENDS, DAMPINGS)))  # [P, 3]
    alpha, damping = grid[:, :1], grid[:, 2:]
    levels, slopes, errors = _holt(values, alpha, alpha * grid[:, 1:2], damping)  # each [T, P, N]
    best = np.argmin(np.cumsum(errors**2, axis=0), axis=1)[:, None]  # [T, 1, N]
    level, slope = (np.take_along_axis(every, best, axis=1) for every in (levels, slopes))
    reach = np.cumsum(grid[:, 2][best] ** np.arange(1, horizon + 1)[None, :, None], axis=1)  # [T, H, N]
    return _without_past(level + reach * slope, MIN_PAST)


def theta(values: np.ndarray, horizon: int) -> np.ndarray:
    """Simple exponential smoothing with half the slope of the regression line (Hyndman and Billah 2003, equation 5)."""
    level, alpha = _smoothed(values)
    slope = _regression_slopes(values)
    age = np.arange(1, len(values) + 1)[:, None]
    reach = np.arange(horizon)[None, :, None] + ((1 - (1 - alpha) ** age) / alpha)[:, None]
    return _without_past(level[:, None] + 0.5 * slope[:, None] * reach, MIN_PAST)


def seasonal_change(values: np.ndarray, horizon: int) -> np.ndarray:
    """The smoothed level, moved by what a year ago changed over the same weeks (means of three weeks)."""
    level, _ = _smoothed(values)
    return level[:, None] + _change_a_year_ago(values, horizon)


def ridge_ar(values: np.ndarray, horizon: int) -> np.ndarray:
    """Ridge regression of the change over h weeks on the series' own recent changes, one model for all series.

    It is fitted anew in every week, on the targets that are known by then.
    """
    num_weeks = len(values)
    forecast = np.full((num_weeks, horizon, values.shape[1]), np.nan)
    recent = _recent_changes(values)
    year = np.nan_to_num(_change_a_year_ago(values, horizon))
    for ahead in range(1, horizon + 1):
        features = np.concatenate([recent, year[:, ahead - 1, :, None]], axis=-1)  # [T, N, F]
        change = values[ahead:] - values[:-ahead]
        known = features[:-ahead]
        gram = np.cumsum(np.einsum("tnf,tng->tfg", known, known), axis=0)
        moment = np.cumsum(np.einsum("tnf,tn->tf", known, change), axis=0)
        weeks = np.arange(MIN_PAST + ahead + WARM_UP, num_weeks)
        last = weeks - ahead  # the youngest week whose target is known
        size = np.trace(gram[last], axis1=1, axis2=2) / gram.shape[-1] / (last + 1)
        penalty = RIDGE * np.maximum(size, 1e-12)[:, None, None] * np.eye(gram.shape[-1])
        weights = np.linalg.solve(gram[last] + penalty, moment[last][..., None])[..., 0]
        forecast[weeks, ahead - 1] = values[weeks] + np.einsum("tnf,tf->tn", features[weeks], weights)
    return forecast


def mean_of_three(values: np.ndarray, horizon: int) -> np.ndarray:
    """Mean of exponential smoothing, damped trend and ridge-AR."""
    return (exponential_smoothing(values, horizon) + damped_trend(values, horizon) + ridge_ar(values, horizon)) / 3


BASELINES: dict[str, Method] = {"last week": last_week, "drift": drift, "same week last year": seasonal_naive}
METHODS: dict[str, Method] = BASELINES | {
    "exponential smoothing": exponential_smoothing,
    "damped trend": damped_trend,
    "Theta": theta,
    "last year's change": seasonal_change,
    "ridge-AR": ridge_ar,
    "mean of three": mean_of_three,
}


def smooth(values: np.ndarray, alpha: float, beta: float, damping: float) -> tuple[np.ndarray, np.ndarray]:
    """Level and slope of Holt's method with given parameters, both [T, N]."""
    levels, slopes, _ = _holt(values, *(np.array([[number]]) for number in (alpha, beta, damping)))
    return levels[:, 0], slopes[:, 0]


def _without_past(forecast: np.ndarray, num_weeks: int) -> np.ndarray:
    """NaN for those who know fewer than `num_weeks` weeks."""
    forecast = forecast.copy()
    forecast[: num_weeks - 1] = np.nan
    return forecast


def _shifted(values: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """[t, h - 1] = values[t + h - season]."""
    place = np.arange(len(values))[:, None] + np.arange(1, horizon + 1)[None] - season
    return np.where((place >= 0)[..., None], values[np.maximum(place, 0)], np.nan)


def _change_a_year_ago(values: np.ndarray, horizon: int) -> np.ndarray:
    """[t, h - 1] = what the three-week mean changed from week t - 52 to t + h - 52; reads nothing after t."""
    num_weeks = len(values)
    padded = np.concatenate([values[:1], values, values[-1:]])
    smooth = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
    smooth[0], smooth[-1] = np.nan, np.nan
    then = np.full((num_weeks, 1, values.shape[1]), np.nan)
    then[SEASON:, 0] = smooth[: max(num_weeks - SEASON, 0)]
    return _shifted(smooth, horizon, SEASON) - then


def _smoothed(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Level and the alpha that gave it, both [T, N]."""
    alphas = np.array(ALPHAS)[:, None]
    levels, _, errors = _holt(values, alphas, 0 * alphas, 0 * alphas)
    best = np.argmin(np.cumsum(errors**2, axis=0), axis=1)  # [T, N]
    return np.take_along_axis(levels, best[:, None], axis=1)[:, 0], np.array(ALPHAS)[best]


def _holt(
    values: np.ndarray, alpha: np.ndarray, beta: np.ndarray, damping: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Level, slope and one-step error, each [T, P, N], for P sets of parameters of shape [P, 1]."""
    shape = (len(values), len(alpha), values.shape[1])
    levels, slopes, errors = np.empty(shape), np.zeros(shape), np.zeros(shape)
    levels[0] = values[0]
    for week in range(1, len(values)):
        expected = levels[week - 1] + damping * slopes[week - 1]
        errors[week] = values[week] - expected
        levels[week] = expected + alpha * errors[week]
        slopes[week] = damping * slopes[week - 1] + beta * errors[week]
    return levels, slopes, errors


def _regression_slopes(values: np.ndarray) -> np.ndarray:
    """Slope of the least-squares line through the weeks 0 to t: [T, N]."""
    number = np.arange(len(values), dtype=float)[:, None]
    count = number + 1
    mean_place = number / 2
    sum_values, sum_products = np.cumsum(values, axis=0), np.cumsum(number * values, axis=0)
    spread = count * (count**2 - 1) / 12
    return (sum_products - mean_place * sum_values) / np.maximum(spread, 1e-12)


def _recent_changes(values: np.ndarray) -> np.ndarray:
    """Features [T, N, 4]: against last week, the last 2, 4 and 8 weeks' mean, of what the weeks 0 to t hold."""
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    features = []
    for span, back in ((1, 1), (2, 2), (4, 4), (8, 8)):
        end = np.arange(1, len(values) + 1)
        middle = np.maximum(end - back, 1)
        start = np.maximum(middle - span, 0)
        before = (sums[middle] - sums[start]) / np.maximum(middle - start, 1)[:, None]
        features.append(values - before if span == 1 else _mean_of_last(sums, span) - before)
    return np.stack(features, axis=-1)


def _mean_of_last(sums: np.ndarray, span: int) -> np.ndarray:
    end = np.arange(1, len(sums))
    start = np.maximum(end - span, 0)
    return (sums[end] - sums[start]) / (end - start)[:, None]

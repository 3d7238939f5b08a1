"""Rolling backtest: which method forecasts a series best, how wrong it was, and the interval that follows from that.

In: shares [T, N] of T weeks without a gap. Out: `Backtest`: for every week t a forecast of weeks t + 1 to t + H by the
method that had the least error up to t, with a conformal interval from that choice's own past errors. So what is
reported about the past is what this code would have said then: the choice of the method is part of the test.

Methods work on arcsin(sqrt(share)), on which the noise of counts does not depend on the share (Anscombe 1948). Knows
nothing of weeks of the calendar, words or sales.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fashiondistill.forecast.methods import METHODS

LEVEL = 0.8  # of the intervals
NUM_SCORES = 40  # latest errors that an interval is made from
MIN_SCORES = 12  # with fewer there is no interval: the 80 % quantile of 11 errors is little more than the largest
MIN_ORIGINS = 12  # weeks of forecasts a method must have been tried in before it can be chosen
PRIOR_ORIGINS = 24  # weeks' worth of belief that a series is forecast as well as the others of its table are


@dataclass(frozen=True, eq=False)
class Backtest:
    """All of a table's forecasts; [t, h - 1] belongs to week t + h, and was made in week t.

    Attributes:
        methods: names, in the order of `errors`.
        chosen: place of the method, int [T, N].
        forecast: shares that add up to 1 over the series, [T, H, N].
        low, high: ends of the interval, [T, H, N]; NaN where too little is known.
        actual: [T, H, N]; NaN for weeks that are not over, or in which nothing was sold.
        errors: absolute errors of each method, [M, T, H, N]; NaN where it gave none, or there is no actual.
    """

    methods: tuple[str, ...]
    chosen: np.ndarray
    forecast: np.ndarray
    low: np.ndarray
    high: np.ndarray
    actual: np.ndarray
    errors: np.ndarray


def backtest(shares: np.ndarray, horizon: int, *, observed: np.ndarray | None = None) -> Backtest:
    """Forecast from every week.

    Args:
        shares: [T, N], rows adding up to 1, no NaN.
        horizon: weeks ahead, at least 1.
        observed: bool [T]; False for weeks whose shares were filled in, which are then no actuals. None = all.
    """
    num_weeks = len(shares)
    angles = _to_angle(shares)
    forecasts = np.stack([_to_shares(method(angles, horizon)) for method in METHODS.values()])  # [M, T, H, N]
    target = np.arange(num_weeks)[:, None] + np.arange(1, horizon + 1)[None]
    seen = np.ones(num_weeks, bool) if observed is None else observed
    known = (target < num_weeks) & seen[np.minimum(target, num_weeks - 1)]
    actual = np.where(known[..., None], shares[np.minimum(target, num_weeks - 1)], np.nan)
    errors = np.abs(forecasts - actual[None])
    chosen = _choose(errors, available=~np.isnan(forecasts[:, :, 0]))
    forecast = np.take_along_axis(forecasts, chosen[None, :, None], axis=0)[0]
    forecast /= forecast.sum(axis=-1, keepdims=True)
    low, high = _intervals(_to_angle(forecast), _to_angle(actual))
    return Backtest(tuple(METHODS), chosen, forecast, low, high, actual, errors)


def _to_angle(shares: np.ndarray) -> np.ndarray:
    return np.arcsin(np.sqrt(np.clip(shares, 0, 1)))


def _from_angle(angles: np.ndarray) -> np.ndarray:
    return np.sin(np.clip(angles, 0, np.pi / 2)) ** 2


def _to_shares(angles: np.ndarray) -> np.ndarray:
    shares = _from_angle(angles)
    return shares / np.maximum(shares.sum(axis=-1, keepdims=True), 1e-12)


def _known_sums(values: np.ndarray) -> np.ndarray:
    """[..., T, H, N] -> [..., T, N]: sums over all horizons and all origins whose target is known in week t."""
    total = np.zeros(values.shape[:-2] + values.shape[-1:])
    sums = np.cumsum(np.nan_to_num(values), axis=-3)
    for ahead in range(1, values.shape[-2] + 1):
        if ahead < values.shape[-3]:
            total[..., ahead:, :] += sums[..., :-ahead, ahead - 1, :]
    return total


def _choose(errors: np.ndarray, *, available: np.ndarray) -> np.ndarray:
    """The method with the least error up to each week, relative to the last week's where both were tried: [T, N].

    The ratio of a series is drawn towards that of its whole table, by `PRIOR_ORIGINS` weeks' worth of errors: with few
    weeks the luckiest of nine methods is not the best one.
    """
    horizon = errors.shape[2]
    tried = ~np.isnan(errors)
    own = _known_sums(errors)  # [M, T, N]
    persistence = _known_sums(np.where(tried, errors[:1], np.nan))
    count = _known_sums(np.where(tried, 1.0, np.nan))
    pooled = own.sum(-1, keepdims=True) / np.maximum(persistence.sum(-1, keepdims=True), 1e-12)
    prior = PRIOR_ORIGINS * horizon * persistence / np.maximum(count, 1)
    ratio = (own + prior * pooled) / np.maximum(persistence + prior, 1e-12)
    usable = (count >= MIN_ORIGINS * horizon) & available
    ratio = np.where(usable, ratio, np.inf)
    ratio[0] = 1.0  # the last week itself; the method of whoever knows nothing
    return ratio.argmin(axis=0)


def _intervals(forecast: np.ndarray, actual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split conformal intervals (Vovk et al. 2005) from the latest `NUM_SCORES` errors of the same series and horizon.

    For angles in, shares out. Errors of neighbouring weeks depend on each other, so the level is a goal, not a theorem;
    what it comes to is measured, see `measure`.
    """
    num_weeks, horizon, _ = forecast.shape
    scores = np.abs(actual - forecast)
    radius = np.full(forecast.shape, np.nan)
    for ahead in range(1, horizon + 1):
        for week in range(ahead, num_weeks):
            # The target of the youngest usable origin is `week` itself.
            latest = scores[max(week - ahead + 1 - NUM_SCORES, 0) : week - ahead + 1, ahead - 1]
            latest = latest[~np.isnan(latest[:, 0])]
            count = len(latest)
            if count >= MIN_SCORES:
                rank = min(int(np.ceil((count + 1) * LEVEL)), count)
                radius[week, ahead - 1] = np.partition(latest, rank - 1, axis=0)[rank - 1]
    return _from_angle(forecast - radius), _from_angle(forecast + radius)

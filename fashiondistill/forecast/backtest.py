"""Rolling backtest: which method forecasts a series best, how wrong it was, and the interval that follows from that.

In: shares [T, N] of T weeks without a gap, and the units that they were counted from. Out: `Backtest`: for every week t
a forecast of weeks t + 1 to t + H by the method that had the least error up to t, with conformal intervals from that
choice's own past errors. So what is reported about the past is what this code would have said then: the choice of the
method is part of the test.

A share that is counted is the share that customers tend to, and the noise of counts. There is an interval for each: the
wider one says what next week's table will show, the narrower one where the tendency itself lies.

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
COUNT_VARIANCE = 0.25  # of the root of a count, whatever its mean (Anscombe 1948)
LEAST_SIGNAL = 0.05  # of the variance of errors that is not noise of the target: forecasts from noisy weeks err too
PRIOR_ORIGINS = 24  # weeks' worth of belief that a series is forecast as well as the others of its table are


@dataclass(frozen=True, eq=False)
class Backtest:
    """All of a table's forecasts; [t, h - 1] belongs to week t + h, and was made in week t.

    Attributes:
        methods: names, in the order of `errors`.
        chosen: place of the method, int [T, N].
        forecast: shares that add up to 1 over the series, [T, H, N].
        low, high: ends of the 80 % interval of the share that will be counted, [T, H, N]; NaN with too little past.
        true_low, true_high: the same of the share without the noise of counts; NaN also where units are not known.
        actual: [T, H, N]; NaN for weeks that are not over, or in which nothing was sold.
        errors: absolute errors of each method, [M, T, H, N]; NaN where it gave none, or there is no actual.
    """

    methods: tuple[str, ...]
    chosen: np.ndarray
    forecast: np.ndarray
    low: np.ndarray
    high: np.ndarray
    true_low: np.ndarray
    true_high: np.ndarray
    actual: np.ndarray
    errors: np.ndarray


def backtest(shares: np.ndarray, horizon: int, *, totals: np.ndarray | None = None) -> Backtest:
    """Forecast from every week.

    Args:
        shares: [T, N], rows adding up to 1, no NaN.
        horizon: weeks ahead, at least 1.
        totals: units [T] that the shares were counted from; weeks with 0 have shares that were filled in, which are
            then no actuals. None = not known: all are actuals, and there are no intervals without the noise of counts.
    """
    num_weeks = len(shares)
    angles = _to_angle(shares)
    forecasts = np.stack([_to_shares(method(angles, horizon)) for method in METHODS.values()])  # [M, T, H, N]
    target = np.arange(num_weeks)[:, None] + np.arange(1, horizon + 1)[None]
    units = np.full(num_weeks, np.nan) if totals is None else totals.astype(float)
    units = units[np.minimum(target, num_weeks - 1), None]  # [T, H, 1]
    known = (target < num_weeks) & (units[..., 0] != 0)
    actual = np.where(known[..., None], shares[np.minimum(target, num_weeks - 1)], np.nan)
    errors = np.abs(forecasts - actual[None])
    chosen = _choose(errors, available=~np.isnan(forecasts[:, :, 0]))
    forecast = np.take_along_axis(forecasts, chosen[None, :, None], axis=0)[0]
    forecast /= forecast.sum(axis=-1, keepdims=True)
    angle = _to_angle(forecast)
    radius, signal = _radii(angle, _to_angle(actual), _count_noise(forecast, units))
    ends = [_from_angle(angle + width) for width in (-radius, radius, -radius * signal, radius * signal)]
    return Backtest(tuple(METHODS), chosen, forecast, *ends, actual, errors)


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


def _count_noise(shares: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Variance of the angle of a share counted from so many units: [T, H, N]; NaN where they are not known.

    That of independent units, the least there can be: purchases in baskets are noisier, and the interval that is left
    then is too wide, never too narrow. A root of counts near 0 varies no more than the count does.
    """
    units = np.where(units > 0, units, np.nan)
    return np.minimum(COUNT_VARIANCE, shares * units) / units


def _radii(forecast: np.ndarray, actual: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Half widths of split conformal intervals (Vovk et al. 2005), and the part of them that is no noise of counts.

    From the latest `NUM_SCORES` errors of the same series and horizon; angles in and out, both [T, H, N]. Errors of
    neighbouring weeks depend on each other, so the level is a goal, not a theorem; what it comes to is measured, see
    `measure`. An error against a count is an error against the truth plus the noise of that count, which are
    independent: variances add up, so taking the known one away leaves the other, and the quantile shrinks by its root.
    """
    num_weeks, horizon, _ = forecast.shape
    scores = np.abs(actual - forecast)
    radius, signal = np.full(forecast.shape, np.nan), np.full(forecast.shape, np.nan)
    for ahead in range(1, horizon + 1):
        for week in range(ahead, num_weeks):
            # The target of the youngest usable origin is `week` itself.
            window = slice(max(week - ahead + 1 - NUM_SCORES, 0), week - ahead + 1)
            latest = scores[window, ahead - 1]
            usable = ~np.isnan(latest[:, 0])
            latest, count = latest[usable], int(usable.sum())
            if count >= MIN_SCORES:
                rank = min(int(np.ceil((count + 1) * LEVEL)), count)
                radius[week, ahead - 1] = np.partition(latest, rank - 1, axis=0)[rank - 1]
                of_counts = noise[window, ahead - 1][usable].mean(axis=0)
                rest = 1 - of_counts / np.maximum((latest**2).mean(axis=0), 1e-12)
                signal[week, ahead - 1] = np.sqrt(np.clip(rest, LEAST_SIGNAL, 1))
    return radius, signal

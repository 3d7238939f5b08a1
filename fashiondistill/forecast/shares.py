"""The next weeks' shares of a category's colours, types or patterns: point, interval, method, and how good it was.

In: a `Shop` and a week; nothing after that week is read. Out: `ShareForecast`. Knows nothing of pages or pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fashiondistill.data.categories import get_category
from fashiondistill.data.cube import ATTRIBUTES
from fashiondistill.data.shop import Shop
from fashiondistill.data.weeks import Week
from fashiondistill.forecast.backtest import Backtest, backtest
from fashiondistill.forecast.measures import Quality, quality
from fashiondistill.forecast.methods import MIN_PAST

MAX_HORIZON = 8  # weeks


@dataclass(frozen=True)
class WordForecast:
    """One word's next weeks.

    Attributes:
        word: for example "beige".
        method: that was chosen by backtest, a name of `forecast.methods.METHODS`.
        now: share in the last week that is known.
        mean: forecast share of the weeks to come.
        low, high: ends of the 80 % intervals of what will be counted; None where too little is known for one.
        true_low, true_high: of the share that customers tend to, without the noise of counts; inside the others.
        quality: of this word's forecasts over the backtest, all horizons together.
    """

    word: str
    method: str
    now: float
    mean: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    true_low: tuple[float | None, ...]
    true_high: tuple[float | None, ...]
    quality: Quality


@dataclass(frozen=True)
class ShareForecast:
    """What is to come, from what was known at the end of `origin`.

    Attributes:
        category: folder name.
        attribute: "colour", "type" or "pattern".
        origin: key of the last complete week that was read; "" if there is none.
        weeks: keys of the weeks to come.
        words: largest share in the last of them first; empty with fewer than eight weeks of sales.
        quality: of all words together, over the backtest.
        by_horizon: the same for each number of weeks ahead.
    """

    category: str
    attribute: str
    origin: str
    weeks: tuple[str, ...]
    words: tuple[WordForecast, ...]
    quality: Quality
    by_horizon: tuple[Quality, ...]


def forecast_shares(
    shop: Shop, category: str, attribute: str, week: Week | str, *, horizon: int = MAX_HORIZON
) -> ShareForecast:
    """Forecast from the end of `week`, or of the last complete week before it.

    Args:
        shop: the catalogue.
        category: folder name.
        attribute: "colour", "type" or "pattern".
        week: the last that may be read; it may lie after the last sale.
        horizon: weeks ahead, 1 to 8.

    Raises:
        ValueError: for an unknown category or attribute, a week that is not understood, or a horizon out of range.
    """
    folder = get_category(category).folder
    if attribute not in ATTRIBUTES:
        raise ValueError(f"attribute {attribute!r} is unknown: choose one of {', '.join(ATTRIBUTES)}.")
    if not 1 <= horizon <= MAX_HORIZON:
        raise ValueError(f"horizon {horizon} is not usable: choose 1 to {MAX_HORIZON} weeks.")
    keys, words, shares, totals = complete_shares(shop, folder, attribute, week)
    if len(keys) < MIN_PAST:
        return ShareForecast(folder, attribute, keys[-1] if keys else "", (), (), Quality(), ())
    origin = Week.parse(keys[-1])
    tested = backtest(shares, horizon, totals=totals)
    found = [_word_forecast(word, number, tested, shares) for number, word in enumerate(words)]
    every = slice(None)
    return ShareForecast(
        category=folder,
        attribute=attribute,
        origin=origin.key,
        weeks=tuple(origin.shift(ahead).key for ahead in range(1, horizon + 1)),
        words=tuple(sorted(found, key=lambda one: (-one.mean[-1], one.word))),
        quality=_quality(tested, shares, every, every),
        by_horizon=tuple(_quality(tested, shares, slice(ahead, ahead + 1), every) for ahead in range(horizon)),
    )


def complete_shares(
    shop: Shop, folder: str, attribute: str, week: Week | str
) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray, np.ndarray]:
    """Shares of the complete weeks up to `week`, one row a calendar week.

    Returns:
        Keys of the weeks; the words that sold in them; shares [T, N]; and each week's units [T]: shares of a week that
        had none are those of the week before.
    """
    last = Week.parse(week) if isinstance(week, str) else week
    table = shop.cube.table(folder, attribute)
    rows = [n for n, key in enumerate(table.weeks) if Week.parse(key) <= last and not _is_partial(shop, key)]
    units = table.units[rows]
    sold = units.any(axis=0) if rows else np.zeros(0, bool)
    units = units[:, sold] if rows else np.zeros((0, 0))
    totals = units.sum(axis=1)
    shares = units / np.maximum(totals, 1)[:, None]
    for number in np.flatnonzero(totals == 0):
        shares[number] = shares[number - 1] if number else 1 / max(shares.shape[1], 1)
    names = tuple(word for word, kept in zip(table.words, sold, strict=False) if kept)
    return tuple(table.weeks[number] for number in rows), names, shares, totals


def _is_partial(shop: Shop, key: str) -> bool:
    return key in shop.days and shop.is_partial(key)


def _word_forecast(word: str, number: int, tested: Backtest, shares: np.ndarray) -> WordForecast:
    low, high, true_low, true_high = (
        tuple(None if np.isnan(value) else float(value) for value in ends[-1, :, number])
        for ends in (tested.low, tested.high, tested.true_low, tested.true_high)
    )
    return WordForecast(
        word=word,
        method=tested.methods[tested.chosen[-1, number]],
        now=float(shares[-1, number]),
        mean=tuple(float(value) for value in tested.forecast[-1, :, number]),
        low=low,
        high=high,
        true_low=true_low,
        true_high=true_high,
        quality=_quality(tested, shares, slice(None), slice(number, number + 1)),
    )


def _quality(tested: Backtest, shares: np.ndarray, horizons: slice, words: slice) -> Quality:
    """Judged from the week on in which a choice between methods is possible; before it there is only the last week."""
    part = (slice(MIN_PAST - 1, None), horizons, words)
    return quality(
        np.abs(tested.forecast - tested.actual)[part],
        tested.errors[0][part],
        tested.actual[part],
        tested.low[part],
        tested.high[part],
        change=float(np.abs(np.diff(shares[:, words], axis=0)).mean()),
    )

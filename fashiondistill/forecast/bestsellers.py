"""Next week's top-5 of a category, beside the plainest forecast there is: last week's top-5.

In: a `Shop` and a week; nothing after that week is read. Out: `TopForecast` with overlap@5 and NDCG@5 of both over the
backtest. Knows nothing of pages or pictures. An article that nobody has sold yet cannot be in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fashiondistill.data.categories import get_category
from fashiondistill.data.shop import Shop
from fashiondistill.data.weeks import Week
from fashiondistill.forecast.measures import bootstrap_interval
from fashiondistill.forecast.methods import smooth

TOP_K = 5
# Name -> smoothing of level and trend, damping; level 1 without trend is the last week itself.
WAYS: dict[str, tuple[float, float, float]] = {
    "last week": (1.0, 0.0, 0.0),
    "smoothed, 0.7": (0.7, 0.0, 0.0),
    "smoothed, 0.5": (0.5, 0.0, 0.0),
    "smoothed, 0.3": (0.3, 0.0, 0.0),
    "trend, 0.7": (0.7, 0.1, 0.9),
    "trend, 0.5": (0.5, 0.1, 0.9),
    "trend, 0.3": (0.3, 0.06, 0.9),
}
MIN_WEEKS = 8  # of forecasts, before another way than the last week may be chosen
BLOCK = 4  # weeks drawn together by the bootstrap
TIE = 1e-3  # of a unit


@dataclass(frozen=True)
class TopQuality:
    """How well the next top-5 was forecast, mean over the weeks of the backtest; both from 0 to 1.

    Attributes:
        overlap: share of the forecast articles that came to be in the top-5.
        ndcg: the same with order: gains 5 to 1 for the ranks 1 to 5 (Jarvelin and Kekalainen 2002).
    """

    overlap: float
    ndcg: float


@dataclass(frozen=True)
class TopForecast:
    """Who is expected to sell best next.

    Attributes:
        category: folder name.
        week: key of the week that is forecast.
        article_ids: expected, best first.
        last_week: the last complete week's top-5, best first.
        way: of `WAYS`, chosen by backtest.
        quality: of the chosen ways; None with too few weeks to judge.
        baseline: of last week's top-5, over the same weeks.
        gain_interval: 95 % interval of the difference in NDCG@5, by blocks of weeks.
        num_weeks: that were judged.
    """

    category: str
    week: str
    article_ids: tuple[str, ...]
    last_week: tuple[str, ...]
    way: str
    quality: TopQuality | None
    baseline: TopQuality | None
    gain_interval: tuple[float, float] | None
    num_weeks: int


def forecast_bestsellers(shop: Shop, category: str, week: Week | str) -> TopForecast:
    """Forecast the top-5 of the week after the last complete one up to `week`.

    Raises:
        ValueError: for an unknown category, a week that is not understood, or no complete week of sales up to it.
    """
    folder = get_category(category).folder
    last = Week.parse(week) if isinstance(week, str) else week
    ids, units, origin = _weekly_units(shop, folder, last)
    ranks = _best(units)
    scored = np.stack([_scores(units, *way) for way in WAYS.values()])  # [ways, T, A]
    tops = [_best(way) for way in scored]  # [ways][T] places
    results = np.array(
        [[_judge(tops[way][t], ranks[t + 1]) for t in range(len(units) - 1)] for way in range(len(WAYS))]
    )
    results = results.reshape(len(WAYS), -1, 2)
    chosen = [_choose(results[:, :t]) for t in range(len(units))]  # by the weeks that are over: t - 1 forecast t
    own = np.array([results[chosen[t], t] for t in range(len(units) - 1)]).reshape(-1, 2)[MIN_WEEKS:]
    base = results[0][MIN_WEEKS:]
    gain = own[:, 1] - base[:, 1]
    return TopForecast(
        category=folder,
        week=origin.shift(1).key,
        article_ids=tuple(ids[place] for place in tops[chosen[-1]][-1]),
        last_week=tuple(ids[place] for place in ranks[-1]),
        way=list(WAYS)[chosen[-1]],
        quality=TopQuality(*(float(v) for v in own.mean(axis=0))) if len(own) else None,
        baseline=TopQuality(*(float(v) for v in base.mean(axis=0))) if len(own) else None,
        gain_interval=bootstrap_interval(gain, np.mean, block=BLOCK) if len(own) else None,
        num_weeks=len(own),
    )


def _weekly_units(shop: Shop, folder: str, last: Week) -> tuple[list[str], np.ndarray, Week]:
    """Candidates, their units [T, A] in the complete calendar weeks up to `last`, and the last of these weeks.

    Candidates are those of `Shop.leaders` that led by then. A fraction of a unit stands for revenue, which decides
    between equals as in `Shop.bestsellers`.
    """
    leaders = shop.leaders(folder)
    known = 0 if leaders is None else max(last - leaders.first + 1, 0)
    sold = np.flatnonzero(leaders.units[:known].any(axis=1)) if known else []
    if not len(sold):
        raise ValueError(f"{folder} has no complete week of sales up to {last.key}: choose a later week.")
    end = sold[-1]
    columns = np.flatnonzero(leaders.led_from <= end)
    units, revenue = (table[: end + 1, columns] for table in (leaders.units, leaders.revenue))
    units = units + TIE * revenue / max(revenue.max(), 1e-12)
    return [leaders.article_ids[column] for column in columns], units, leaders.first.shift(int(end))


def _scores(units: np.ndarray, alpha: float, beta: float, damping: float) -> np.ndarray:
    """Expected next units up to a monotone change: [T, A]. Roots, whose noise does not depend on the size."""
    level, slope = smooth(np.sqrt(units), alpha, beta, damping)
    # What sold this week decides between equals, as in the ranking of the weeks themselves.
    return level + damping * slope + 1e-9 * units


def _best(table: np.ndarray) -> list[list[int]]:
    """For each row the places of its `TOP_K` largest values above 0; ties go to the lower article id, as in
    `Shop.bestsellers`.
    """
    if table.shape[1] > TOP_K:  # most articles are far from the best: sort only those that are not
        enough = np.partition(table, -TOP_K, axis=1)[:, -TOP_K]
    else:
        enough = np.zeros(len(table))
    found = []
    for row, least in zip(table, enough, strict=True):
        near = np.flatnonzero((row >= least) & (row > 0))
        found.append(near[np.argsort(-row[near], kind="stable")[:TOP_K]].tolist())
    return found


def _judge(forecast: list[int], actual: list[int]) -> tuple[float, float]:
    """overlap@5 and NDCG@5 of one week; a week in which nothing sold counts as 0 for everybody."""
    if not actual:
        return 0.0, 0.0
    gain = {place: TOP_K - rank for rank, place in enumerate(actual)}
    discount = 1 / np.log2(np.arange(TOP_K) + 2)
    reached = sum(gain.get(place, 0) * discount[rank] for rank, place in enumerate(forecast))
    ideal = sum((TOP_K - rank) * discount[rank] for rank in range(len(actual)))
    return len(gain.keys() & set(forecast)) / len(actual), float(reached / ideal)


def _choose(results: np.ndarray) -> int:
    """The way with the highest mean NDCG@5 so far; the last week until `MIN_WEEKS` have been tried."""
    if results.shape[1] < MIN_WEEKS:
        return 0
    return int(np.argmax(results[:, :, 1].mean(axis=1)))

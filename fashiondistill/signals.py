"""What a buyer reads off the sales: momentum, stage of life, markdown, newness and last year, per word; top-5 turnover;
weeks that must be read with care.

In: a `Shop` and a week; nothing after that week is read. Out: frozen dataclasses and small pandas frames. Knows nothing
of pictures, forecasts or pages. Sales say nothing of stock: what was sold out looks like what nobody wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fashiondistill.data.categories import get_category
from fashiondistill.data.cube import Table
from fashiondistill.data.shop import Shop
from fashiondistill.data.weeks import Week
from fashiondistill.trends import ATTRIBUTES, SMOOTHING, SPAN

NEW_WORD_WEEKS = 8  # weeks since the word's first sale within which it counts as new
QUIET_SHARE = 0.01
MOVING = 0.15  # log-share momentum, about 16 %, beyond which a word rises or falls
NEAR_PEAK = 0.9  # of its highest four-week share so far
SHOCK_WEEKS = 8  # complete weeks whose median a week's sales are compared with
SHOCK_FACTOR = 1.6
STAGES = ("new", "rising", "peak", "steady", "falling", "quiet")
STAGE_RULE = (
    f"New: first sold in the last {NEW_WORD_WEEKS} weeks. Quiet: under {100 * QUIET_SHARE:.0f} % of units. "
    f"Rising or falling: the share of the last {SPAN} weeks is {100 * np.expm1(MOVING):.0f} % above, or as far below, "
    f"that of the {SPAN} before. Peak: within {100 * (1 - NEAR_PEAK):.0f} % of its highest {SPAN}-week share so far. "
    "Steady: all else."
)
SHOCK_RULE = (
    f"A week is shocked if the shop's units a day are {SHOCK_FACTOR:g} times more, or less, than the median of the "
    f"{SHOCK_WEEKS} complete weeks before it."
)


@dataclass(frozen=True)
class Signal:
    """One word of a category, as it stands at the end of a week; shares are of the category's units, in [0, 1].

    Attributes:
        word: for example "beige".
        units: sold in the last four complete weeks.
        share: in them.
        share_before: in the four weeks before; None without data.
        momentum: log share minus log share before; None without data.
        share_last_year: in the week of the same ISO number a year ago; None without one.
        share_this_week: in the week itself; None if nothing of the category was sold.
        new_share: share of the word's units that came from articles in their first four weeks.
        markdown: how far prices are below launch prices, over the four weeks; None where the file has no prices.
        stage: of `STAGES`, by `STAGE_RULE`.
    """

    word: str
    units: int
    share: float
    share_before: float | None
    momentum: float | None
    share_last_year: float | None
    share_this_week: float | None
    new_share: float
    markdown: float | None
    stage: str


def signals(shop: Shop, category: str, attribute: str, week: Week | str) -> tuple[Signal, ...]:
    """All words that sold in the last four complete weeks up to `week`, fastest riser first.

    Empty if the category has no complete week among them.

    Raises:
        ValueError: for an unknown category or attribute, or a week without sales.
    """
    if attribute not in ATTRIBUTES:
        raise ValueError(f"attribute {attribute!r} is unknown: choose one of {', '.join(ATTRIBUTES)}.")
    target = shop.week(week)
    table = shop.cube.table(get_category(category).folder, attribute)
    place = {key: number for number, key in enumerate(table.weeks)}
    now, before = (_places(shop, place, target.shift(-SPAN * back)) for back in (0, 1))
    if not now:
        return ()
    share, earlier = _share(table, now), _share(table, before) if before else None
    peak = _peak(table, last=now[-1])
    this_week = _share_of_week(table, place, target.key)
    last_year = _share_of_week(table, place, _a_year_before(target))
    found = []
    for number, word in enumerate(table.words):
        units = int(table.units[now, number].sum())
        if not units:
            continue
        gain = (
            None if earlier is None else float(np.log(share[number] + SMOOTHING) - np.log(earlier[number] + SMOOTHING))
        )
        age = now[-1] - int(np.flatnonzero(table.units[:, number])[0])
        full = float(table.launch_value[now, number].sum())
        found.append(
            Signal(
                word=word,
                units=units,
                share=float(share[number]),
                share_before=None if earlier is None else float(earlier[number]),
                momentum=gain,
                share_last_year=None if last_year is None else float(last_year[number]),
                share_this_week=None if this_week is None else float(this_week[number]),
                new_share=float(table.new_units[now, number].sum()) / units,
                markdown=1 - float(table.revenue[now, number].sum()) / full if full > 0 else None,
                stage=_stage(share[number], gain, peak[number], age, known_weeks=now[-1] + 1),
            )
        )
    return tuple(sorted(found, key=lambda one: (-(one.momentum or 0.0), -one.share, one.word)))


def _stage(share: float, gain: float | None, peak: float, age: int, *, known_weeks: int) -> str:
    """`STAGE_RULE`; a word that was there when the data began is not new."""
    if age < NEW_WORD_WEEKS and known_weeks > age + 1:
        return "new"
    if share < QUIET_SHARE:
        return "quiet"
    if gain is not None and abs(gain) > MOVING:
        return "rising" if gain > 0 else "falling"
    return "peak" if share >= NEAR_PEAK * peak and known_weeks >= 3 * SPAN else "steady"


def turnover(shop: Shop, category: str) -> pd.Series:
    """Share of each week's bestsellers that were not among the week before's; index: week keys, from the second on.

    Weeks without bestsellers, or with none in the week before, are left out.

    Raises:
        ValueError: for an unknown category.
    """
    folder = get_category(category).folder
    ids = {week: {item.article_id for item in shop.bestsellers(folder, week)} for week in shop.weeks}
    changed = {
        week.key: len(ids[week] - ids[week.shift(-1)]) / len(ids[week])
        for week in shop.weeks
        if ids[week] and ids.get(week.shift(-1))
    }
    return pd.Series(changed, name="turnover", dtype=float)


def category_shares(shop: Shop) -> pd.DataFrame:
    """Share of all units of the six categories: index week keys, columns category folders."""
    counts = {}
    for category in shop.categories:
        table = shop.cube.table(category.folder, ATTRIBUTES[0])
        counts[category.folder] = pd.Series(table.units.sum(axis=1), index=list(table.weeks), dtype=float)
    frame = pd.DataFrame(counts).reindex([week.key for week in shop.weeks]).fillna(0.0)
    return frame.div(frame.sum(axis=1), axis=0)


def units_sold(shop: Shop, category: str, week: Week | str) -> int:
    """Units of a category in a week; what shares of units are shares of.

    Raises:
        ValueError: for an unknown category, or a week without sales.
    """
    table, key = shop.cube.table(get_category(category).folder, ATTRIBUTES[0]), shop.week(week).key
    return int(table.units[table.weeks.index(key)].sum()) if key in table.weeks else 0


def week_marks(shop: Shop) -> dict[str, str]:
    """Week key -> why it must be read with care: "partial" or "shocked" (`SHOCK_RULE`); other weeks are left out."""
    totals: dict[str, int] = {}
    for category in shop.categories:
        table = shop.cube.table(category.folder, ATTRIBUTES[0])
        for key, units in zip(table.weeks, table.units.sum(axis=1), strict=True):
            totals[key] = totals.get(key, 0) + int(units)
    marks: dict[str, str] = {}
    usual: list[float] = []
    for week in shop.weeks:
        if shop.is_partial(week):
            marks[week.key] = "partial"
            continue
        a_day = totals[week.key] / shop.days[week.key]
        if len(usual) >= SHOCK_WEEKS:
            ratio = a_day / float(np.median(usual[-SHOCK_WEEKS:]))
            if not 1 / SHOCK_FACTOR <= ratio <= SHOCK_FACTOR:
                marks[week.key] = "shocked"
        usual.append(a_day)
    return marks


def _places(shop: Shop, place: dict[str, int], last: Week) -> list[int]:
    """Rows of the complete weeks among the `SPAN` that end with `last`."""
    keys = [last.shift(-back).key for back in reversed(range(SPAN))]
    return [place[key] for key in keys if key in place and key in shop.days and not shop.is_partial(key)]


def _share(table: Table, rows: Sequence[int]) -> np.ndarray:
    """Mean weekly share, as `trends` has it; weeks in which nothing sold do not count."""
    units = table.units[list(rows)]
    totals = units.sum(axis=1)
    return (units[totals > 0] / totals[totals > 0, None]).mean(axis=0) if totals.any() else np.zeros(units.shape[1])


def _share_of_week(table: Table, place: dict[str, int], key: str | None) -> np.ndarray | None:
    if key not in place or not table.units[place[key]].any():
        return None
    return table.units[place[key]] / table.units[place[key]].sum()


def _peak(table: Table, *, last: int) -> np.ndarray:
    """Highest share of any four weeks in a row up to row `last`."""
    sums = np.cumsum(np.concatenate([np.zeros((1, len(table.words))), table.units[: last + 1]]), axis=0)
    span = min(SPAN, last + 1)
    windows = sums[span:] - sums[:-span]
    totals = windows.sum(axis=1, keepdims=True)
    return (windows / np.maximum(totals, 1)).max(axis=0)


def _a_year_before(week: Week) -> str | None:
    """Key of the week with the same ISO number a year ago; None for a 53rd week."""
    return None if week.week == 53 else Week(week.year - 1, week.week).key

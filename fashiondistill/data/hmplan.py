"""Which article stands in which week folder of which split: everything about a data set but its pictures.

In: `PrepareHmConfig`. Out: `HmPlan`. Knows nothing of pictures.
"""

from __future__ import annotations

import dataclasses
import warnings
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fashiondistill.config import PrepareHmConfig
from fashiondistill.data.assortment import Assortment, place_articles, read_articles
from fashiondistill.data.bestsellers import Ranking, SalesByWeek, WeekOfData, sales_by_week, weeks_of_data
from fashiondistill.data.sales import DailySales, open_sales, user_cache_dir, why_not_writable
from fashiondistill.data.tables import TableSource
from fashiondistill.data.vitonhd import SPLITS
from fashiondistill.data.weeks import Splits, Week, WeekCalendar


@dataclass(frozen=True)
class Placement:
    """A bestseller of a week; revenue in the file's price unit."""

    category: str
    week: Week
    split: str
    rank: int
    article_id: str
    units: int
    revenue: float


@dataclass(frozen=True, eq=False)
class HmPlan:
    """What the sales say.

    Attributes:
        assortment: all articles.
        sales: the transactions file, its hash and its bad rows.
        by_week: bestsellers, totals, what was left out and why, and the weeks.
        num_rows_outside: rows of weeks before --first_week or after --last_week.
        placements: the bestsellers in order of category, week and rank.
        splits: where train and validation end.
    """

    assortment: Assortment
    sales: TableSource
    by_week: SalesByWeek
    num_rows_outside: int
    placements: tuple[Placement, ...]
    splits: Splits


def plan_hm(config: PrepareHmConfig) -> HmPlan:
    """Read articles and sales, and rank.

    Raises:
        FileNotFoundError, ValueError: if the files cannot be used, a flag asks for what they do not hold, or no week
            falls into the training split.
    """
    splits = _splits(config)
    first, last = _limits(config)
    folder = Path(config.hm_dir)
    assortment = read_articles(folder)
    placed = place_articles(
        assortment.frame,
        categories=config.categories,
        audience=config.audience,
        exclude_types=config.exclude_types,
    )
    ranking = Ranking(top_k=config.top_k, rank_by=config.rank_by, dedupe=config.dedupe)
    with open_sales(folder, cache_dir=_cache_dir(config)) as sales:
        last_day = max(sales.rows_of_day)
        calendar = WeekCalendar() if config.week == "iso" else WeekCalendar.ending(last_day)
        weeks = tuple(w for w in weeks_of_data(sales, calendar) if (first or w.week) <= w.week <= (last or w.week))
        if not weeks:
            raise ValueError(
                f"no week of the sales ({calendar.of(min(sales.rows_of_day))} to {calendar.of(last_day)}) lies between "
                f"--first_week {first or ''} and --last_week {last or ''}: choose others."
            )
        _check_splits(splits, weeks)
        within, num_outside = _within(sales, weeks, calendar)
        by_week = sales_by_week(within, assortment.frame, placed, calendar=calendar, ranking=ranking)
    if not by_week.bestsellers.height:
        raise ValueError(
            f"{folder} has no sales of the articles that were asked for: {_reasons(by_week.left_out)}. "
            "Check that its files belong together, and --categories, --audience and --exclude_types."
        )
    return HmPlan(
        assortment=assortment,
        sales=sales.source,
        by_week=dataclasses.replace(by_week, weeks=weeks),
        num_rows_outside=num_outside,
        placements=tuple(_placements(by_week.bestsellers, splits)),
        splits=splits,
    )


def _cache_dir(config: PrepareHmConfig) -> Path | None:
    """Where the slim copy of the sales is kept; None = nowhere, if the user's own cache cannot be written to.

    Raises:
        ValueError: if the folder that was asked for cannot be written to.
    """
    folder = Path(config.cache_dir) if config.cache_dir else user_cache_dir()
    reason = why_not_writable(folder)
    if not reason:
        return folder
    if config.cache_dir:
        raise ValueError(f"--cache_dir {folder} cannot be written to ({reason}): choose another folder.")
    warnings.warn(
        f"the sales will be read whole each time: {folder} cannot be written to ({reason}). Give --cache_dir, or set "
        "XDG_CACHE_HOME to a folder that can.",
        stacklevel=3,
    )
    return None


def _splits(config: PrepareHmConfig) -> Splits:
    ends = {}
    for flag in ("train_end", "val_end"):
        try:
            ends[flag] = Week.parse(getattr(config, flag))
        except ValueError as error:
            raise ValueError(f"--{flag}: {error}") from error
    return Splits(**ends)


def _limits(config: PrepareHmConfig) -> tuple[Week | None, Week | None]:
    found = []
    for flag in ("first_week", "last_week"):
        text = getattr(config, flag)
        try:
            found.append(Week.parse(text) if text else None)
        except ValueError as error:
            raise ValueError(f"--{flag}: {error}") from error
    return found[0], found[1]


def _check_splits(splits: Splits, weeks: tuple[WeekOfData, ...]) -> None:
    """Without weeks to train on the flags are wrong; validation and test may be empty, and the report says so."""
    if splits.of(weeks[0].week) == "train":
        return
    advice = "sales of more weeks are needed."
    if len(weeks) >= len(SPLITS):
        train_end, val_end = (weeks[max(n, round(len(weeks) * share)) - 1].week for n, share in ((1, 0.7), (2, 0.84)))
        advice = f"for example --train_end {train_end} --val_end {val_end} (70, 14 and 16 of 100 weeks)."
    raise ValueError(
        f"--train_end {splits.train_end} leaves no week to train on, the sales run from {weeks[0].week} to "
        f"{weeks[-1].week}: {advice}"
    )


def _within(sales: DailySales, weeks: tuple[WeekOfData, ...], calendar: WeekCalendar) -> tuple[DailySales, int]:
    """The sales of the given weeks, and the number of rows outside."""
    first_day, end = calendar.first_day(weeks[0].week), calendar.first_day(weeks[-1].week.shift(1))
    kept = {day: rows for day, rows in sales.rows_of_day.items() if first_day <= day < end}
    frame = sales.frame.filter(pl.col("day").is_between(first_day, end, closed="left"))
    outside = sum(sales.rows_of_day.values()) - sum(kept.values())
    return dataclasses.replace(sales, frame=frame, rows_of_day=kept), outside


def _reasons(left_out: pl.DataFrame) -> str:
    return "; ".join(f"{rows} rows: {reason}" for reason, rows, _ in left_out.head(3).iter_rows())


def _placements(bestsellers: pl.DataFrame, splits: Splits) -> list[Placement]:
    found = []
    for row in bestsellers.iter_rows(named=True):
        week = Week.parse(row.pop("week"))
        found.append(Placement(week=week, split=splits.of(week), **row))
    return found

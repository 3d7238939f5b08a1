"""Sales per day -> units and revenue per week and article -> the weekly bestsellers of each category.

In: a folder with articles and transactions in H&M's layout; the transactions may be larger than memory (31.8 million
rows, 3.5 GB). Out: small polars frames. Knows nothing of pictures, trends or prompts.

Weeks are ISO weeks of ISO years, written "2020-W07", or Kaggle's windows named after them (`weeks.WeekCalendar`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fashiondistill.data.assortment import ID_LENGTH, category_of_articles
from fashiondistill.data.sales import PRICE_STEPS, DailySales, open_sales
from fashiondistill.data.tables import TableSource
from fashiondistill.data.weeks import DAYS_PER_WEEK, Week, WeekCalendar

RANKINGS = ("units", "revenue")
SLOTS = ("article", "product")
UNKNOWN_ARTICLE = "article is not in the articles file"
CHUNK_ROWS = 4_000_000  # rows of transactions whose weeks are added up at once


@dataclass(frozen=True)
class Ranking:
    """What counts as selling best.

    Attributes:
        top_k: ranks to keep; fewer come back where fewer articles sold.
        rank_by: "units" or "revenue"; equals are ranked by the other of the two, then by the lower article_id.
        dedupe: "article", or "product" = of each design (product_code) only the colourway that sold best is ranked.
    """

    top_k: int
    rank_by: str
    dedupe: str

    def __post_init__(self) -> None:
        if self.top_k < 1:
            raise ValueError(f"top_k {self.top_k} is not usable: choose at least 1.")
        if self.rank_by not in RANKINGS:
            raise ValueError(f"rank_by {self.rank_by!r} is unknown: choose one of {', '.join(RANKINGS)}.")
        if self.dedupe not in SLOTS:
            raise ValueError(f"dedupe {self.dedupe!r} is unknown: choose one of {', '.join(SLOTS)}.")


@dataclass(frozen=True)
class WeekOfData:
    """A week with sales: the number of its days with sales, and whether the data begins or ends inside it."""

    week: Week
    days: int
    partial: bool


@dataclass(frozen=True, eq=False)
class SalesByWeek:
    """The bestsellers of all weeks and where every row went.

    Attributes:
        bestsellers: category, week (key), rank, article_id (ten digits), units, revenue; sorted by the first three.
        totals: category, week (key), units, revenue and articles (number sold) of everything that was ranked.
        left_out: reason, rows, articles; most rows first. Rows ranked and left out add up to the rows of the file.
        weeks: all weeks with sales, in order of time.
    """

    bestsellers: pl.DataFrame
    totals: pl.DataFrame
    left_out: pl.DataFrame
    weeks: tuple[WeekOfData, ...]


def sales_by_week(
    sales: DailySales, articles: pl.DataFrame, placed: pl.DataFrame, *, calendar: WeekCalendar, ranking: Ranking
) -> SalesByWeek:
    """Add up and rank, a few weeks at a time, so that memory does not grow with the years.

    Args:
        sales: as `open_sales` gives them.
        articles: `Assortment.frame`.
        placed: `place_articles` of it.
        calendar: which week a day is counted into.
        ranking: what counts as best.

    Raises:
        ValueError: if the ranking needs prices and the file has none.
    """
    if ranking.rank_by == "revenue" and not sales.has_prices:
        raise ValueError(f"--rank_by revenue: {sales.source.path} has no column price. Rank by units, or add it.")
    about = _about_articles(articles, placed)
    ranked, totals, left_out = [], [], []
    for chunk in _weekly_chunks(sales, calendar):
        known = chunk.join(about, on="article_id", how="left").with_columns(
            pl.when(pl.col("product_code").is_null())
            .then(pl.lit(UNKNOWN_ARTICLE, about.schema["left_out"]))
            .otherwise(pl.col("left_out"))
            .alias("left_out")
        )
        out = pl.col("left_out").is_not_null()
        left_out.append(known.filter(out).group_by("left_out", "article_id").agg(pl.col("units").sum()))
        kept = known.filter(~out).drop("left_out")
        sums = [pl.col("units").sum(), pl.col("revenue").sum(), pl.len().cast(pl.Int64).alias("articles")]
        totals.append(kept.group_by("category", "week").agg(sums))
        ranked.append(_ranked(kept, ranking))
    return SalesByWeek(
        bestsellers=_as_text(with_keys(pl.concat(ranked)).sort("category", "week", "rank")),
        totals=_as_text(with_keys(pl.concat(totals)).sort("category", "week")),
        left_out=_summary(pl.concat(left_out)),
        weeks=weeks_of_data(sales, calendar),
    )


def _about_articles(articles: pl.DataFrame, placed: pl.DataFrame) -> pl.DataFrame:
    """Id as a number, category, left_out and product_code; names as numbers too, for they are joined to all weeks."""
    joined = placed.join(articles.select("article_id", "product_code"), on="article_id", how="left")
    names = {name: pl.Enum(joined[name].drop_nulls().unique().sort()) for name in ("category", "product_code")}
    reasons = pl.Enum([UNKNOWN_ARTICLE, *joined["left_out"].drop_nulls().unique().sort()])
    return joined.cast({"article_id": pl.Int64, "left_out": reasons, **names})


def _as_text(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.cast({pl.Enum: pl.String})


def weekly_units_and_days(
    folder: Path, *, cache_dir: Path | None = None
) -> tuple[pl.DataFrame, dict[str, int], TableSource]:
    """Units and revenue per ISO week and article, and for each week the number of its days with sales.

    Args:
        folder: holds transactions_train.parquet, .csv, .csv.gz or .csv.zip; the first is read where several exist.
        cache_dir: see `open_sales`.

    Returns:
        Columns week ("2020-W07"), article_id (ten digits), units (Int64, at least 1) and revenue (sum of prices),
        sorted by week and article; week key -> days; and the source with its bad rows.

    Raises:
        FileNotFoundError, ValueError: as `open_sales`.
    """
    calendar = WeekCalendar()
    with open_sales(folder, cache_dir=cache_dir) as sales:
        units = pl.concat(list(_weekly_chunks(sales, calendar))).sort("week", "article_id")
        days = {entry.week.key: entry.days for entry in weeks_of_data(sales, calendar)}
        return with_keys(units), days, sales.source


def weekly_bestsellers(units: pl.DataFrame, articles: pl.DataFrame, *, ranking: Ranking) -> pl.DataFrame:
    """The best-selling articles of each category and week.

    Args:
        units: columns week, article_id, units, revenue, as `weekly_units_and_days` gives them; the order of its rows
            does not matter.
        articles: `Assortment.frame`. Groups outside the six categories, and hosiery, are left out.
        ranking: what counts as best.

    Returns:
        Columns category (folder name), week, rank (1 = best), article_id, units, revenue; sorted by the first three.
    """
    placed = category_of_articles(articles).join(articles.select("article_id", "product_code"), on="article_id")
    return _ranked(units.join(placed, on="article_id", how="inner"), ranking).sort("category", "week", "rank")


def weeks_of_data(sales: DailySales, calendar: WeekCalendar) -> tuple[WeekOfData, ...]:
    """All weeks with sales, in order of time; the first and the last are partial if the data covers less of them."""
    days: dict[Week, int] = {}
    for day in sales.rows_of_day:
        week = calendar.of(day)
        days[week] = days.get(week, 0) + 1
    first_day, last_day = min(sales.rows_of_day), max(sales.rows_of_day)
    covered_from, covered_to = calendar.of(first_day), calendar.of(last_day)
    cut = set()
    if calendar.first_day(covered_from) < first_day:
        cut.add(covered_from)
    if (last_day - calendar.first_day(covered_to)).days < DAYS_PER_WEEK - 1:
        cut.add(covered_to)
    return tuple(WeekOfData(week, days[week], week in cut) for week in sorted(days))


def _weekly_chunks(sales: DailySales, calendar: WeekCalendar) -> Iterator[pl.DataFrame]:
    """Columns week (`Week.number`), article_id (Int64), units, revenue (in price steps), of a few weeks at a time."""
    weeks: dict[int, int] = {}
    for day, rows in sales.rows_of_day.items():
        number = calendar.of(day).number
        weeks[number] = weeks.get(number, 0) + rows
    first, waiting = min(weeks), 0
    for number in sorted(weeks):
        waiting += weeks[number]
        if waiting >= CHUNK_ROWS or number == max(weeks):
            yield _weekly(sales, calendar, Week.from_number(first), Week.from_number(number))
            first, waiting = number + 1, 0


def _weekly(sales: DailySales, calendar: WeekCalendar, first: Week, last: Week) -> pl.DataFrame:
    within = pl.col("day").is_between(calendar.first_day(first), calendar.first_day(last.shift(1)), closed="left")
    week = calendar.week_number(pl.col("day").cast(pl.Int32).cast(pl.Int64))
    limit = 10**ID_LENGTH  # one number for week and article groups much faster than two
    frame = (
        sales.frame.filter(within)
        .select((week * limit + pl.col("article")).alias("key"), "units", "revenue")
        .group_by("key")
        .agg(pl.col("units").sum(), pl.col("revenue").sum())
        .select(
            (pl.col("key") // limit).cast(pl.Int32).alias("week"),
            (pl.col("key") % limit).alias("article_id"),
            "units",
            "revenue",
        )
        .collect(engine="streaming")
    )
    most = (frame["units"].max() or 0) * sales.max_price
    if most * PRICE_STEPS >= 2**63:
        raise ValueError(
            f"{sales.source.path}: a price of {sales.max_price:.0f} is too large for articles that sell "
            f"{frame['units'].max()} times a week. Give prices in a larger unit, for example in thousands."
        )
    return frame


def _ranked(rows: pl.DataFrame, ranking: Ranking) -> pl.DataFrame:
    """The best rows of each category and week, with their rank; needs columns category and product_code too."""
    first, second = ranking.rank_by, "revenue" if ranking.rank_by == "units" else "units"
    group = ["category", "week"]
    # Sorting everything would cost more than all else: first drop what cannot be among the best.
    if ranking.dedupe == "product":
        rivals = rows.group_by(*group, "product_code").agg(pl.col(first).max())
    else:
        rivals = rows.select(*group, first)
    enough = rivals.group_by(group).agg(pl.col(first).top_k(ranking.top_k).min().alias("enough"))
    best = (
        rows.join(enough, on=group)
        .filter(pl.col(first) >= pl.col("enough"))
        .sort(*group, first, second, "article_id", descending=[False, False, True, True, False])
    )
    if ranking.dedupe == "product":
        best = best.unique([*group, "product_code"], keep="first", maintain_order=True)
    rank = (pl.int_range(pl.len()).over(group) + 1).alias("rank")
    return (
        best.with_columns(rank)
        .filter(pl.col("rank") <= ranking.top_k)
        .select(*group, "rank", "article_id", "units", "revenue")
    )


def _summary(left_out: pl.DataFrame) -> pl.DataFrame:
    """Reason, rows and articles, most rows first."""
    return (
        left_out.group_by(pl.col("left_out").cast(pl.String).alias("reason"))
        .agg(pl.col("units").sum().alias("rows"), pl.col("article_id").n_unique().cast(pl.Int64).alias("articles"))
        .sort("rows", "reason", descending=[True, False])
    )


def with_keys(frame: pl.DataFrame) -> pl.DataFrame:
    """Numbers of weeks as keys, ids as ten digits, revenue in the file's price unit."""
    numbers = frame["week"].unique()
    keys = {number: Week.from_number(number).key for number in numbers}
    changed: list[pl.Expr | pl.Series] = [
        pl.col("week").replace_strict(keys, return_dtype=pl.String),
        # By numpy: polars multiplies by the reciprocal, which turns 0.11183051 into 0.11183051000000001.
        pl.Series("revenue", frame["revenue"].to_numpy() / PRICE_STEPS),
    ]
    if "article_id" in frame.columns:
        changed.append(pl.col("article_id").cast(pl.String).str.zfill(ID_LENGTH))
    return frame.with_columns(changed)

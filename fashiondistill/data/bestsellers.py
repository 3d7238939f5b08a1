"""H&M's sales files -> units per week and article -> the weekly bestsellers of each category.

In: a folder with articles.csv and transactions_train.csv (or .parquet) in H&M's layout; the transactions may be larger
than memory (31.8 million rows, 3.5 GB). Out: small polars frames. Knows nothing of pictures, trends or prompts.

Weeks are ISO weeks of ISO years, written "2020-W07". A row is one unit: repeated rows are quantities and stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from fashiondistill.data.categories import CATEGORY_OF_GROUP

ARTICLES_FILE = "articles.csv"
TRANSACTIONS_STEM = "transactions_train"
ID_LENGTH = 10  # H&M's article_id: ten digits, the first a zero that integer columns lose

# H&M's articles.csv, in its order.
ARTICLE_COLUMNS: tuple[str, ...] = (
    "article_id", "product_code", "prod_name", "product_type_no", "product_type_name", "product_group_name",
    "graphical_appearance_no", "graphical_appearance_name", "colour_group_code", "colour_group_name",
    "perceived_colour_value_id", "perceived_colour_value_name", "perceived_colour_master_id",
    "perceived_colour_master_name", "department_no", "department_name", "index_code", "index_name",
    "index_group_no", "index_group_name", "section_no", "section_name", "garment_group_no", "garment_group_name",
    "detail_desc",
)  # fmt: skip
NUMBER_COLUMNS = tuple(name for name in ARTICLE_COLUMNS if name.endswith("_no")) + (
    "colour_group_code",
    "perceived_colour_value_id",
    "perceived_colour_master_id",
)
NEEDED_OF_TRANSACTIONS = ("t_dat", "article_id")


def read_articles(folder: Path) -> pl.DataFrame:
    """All articles of a catalogue.

    Args:
        folder: holds articles.csv.

    Returns:
        The 25 columns of `ARTICLE_COLUMNS`, in that order; article_id is a string of ten digits, *_no and codes of
        colours are integers, all else strings.

    Raises:
        FileNotFoundError: naming the file.
        ValueError: if columns are missing, or an article_id is longer than ten digits, no number, or there twice.
    """
    path = Path(folder) / ARTICLES_FILE
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: give a folder that holds H&M's {ARTICLES_FILE}.")
    header = pl.scan_csv(path, infer_schema=False).collect_schema().names()
    _require_columns(path, header, ARTICLE_COLUMNS)
    types = {name: pl.Int64 if name in NUMBER_COLUMNS else pl.String for name in ARTICLE_COLUMNS}
    frame = pl.read_csv(path, schema_overrides=types).select(ARTICLE_COLUMNS)
    frame = frame.with_columns(_padded("article_id"), pl.col("product_code").str.zfill(ID_LENGTH - 3))
    wrong = frame.filter(~pl.col("article_id").str.contains(rf"^\d{{{ID_LENGTH}}}$").fill_null(False))
    if wrong.height:
        raise ValueError(f"article_id {wrong['article_id'][0]!r} in {path} is no number of up to {ID_LENGTH} digits.")
    twice = frame.filter(pl.col("article_id").is_duplicated())
    if twice.height:
        raise ValueError(f"article_id {twice['article_id'][0]} is in {path} more than once: keep one row of it.")
    return frame


def weekly_units(folder: Path) -> pl.DataFrame:
    """Units sold per ISO week and article, read out of core.

    Args:
        folder: holds transactions_train.parquet or transactions_train.csv; the former is read where both exist.

    Returns:
        Columns week ("2020-W07"), article_id (ten digits) and units (Int64, at least 1), sorted by week and article.

    Raises:
        FileNotFoundError: naming the files.
        ValueError: if columns are missing, or a date is not written YYYY-MM-DD.
    """
    return weekly_units_and_days(folder)[0]


def weekly_units_and_days(folder: Path) -> tuple[pl.DataFrame, dict[str, int]]:
    """`weekly_units`, and for each week the number of days (1 to 7) with sales, from one reading of the file."""
    daily = _daily_counts(folder)
    sums = [pl.col("units").sum(), pl.col("weekday_bit").bitwise_or()]
    weekly = daily.group_by("week", "article_id").agg(sums).collect(engine="streaming").sort("week", "article_id")
    days = weekly.group_by("week").agg(pl.col("weekday_bit").bitwise_or().bitwise_count_ones().alias("days"))
    return weekly.drop("weekday_bit"), dict(days.sort("week").iter_rows())


def weekly_bestsellers(units: pl.DataFrame, articles: pl.DataFrame, *, top_k: int = 5) -> pl.DataFrame:
    """The `top_k` articles of each category and week by units.

    Args:
        units: columns week, article_id, units, as `weekly_units` gives them; the order of its rows does not matter.
        articles: columns article_id and product_group_name; groups outside the six categories are left out.
        top_k: ranks to keep; fewer come back where fewer articles sold.

    Returns:
        Columns category (folder name), week, rank (1 = most units), article_id, units; sorted by the first three.
        Equal units are ranked by article_id, the lower first.

    Raises:
        ValueError: if top_k is below 1.
    """
    if top_k < 1:
        raise ValueError(f"top_k {top_k} is not usable: choose at least 1.")
    return (
        units.lazy()
        .join(category_of_articles(articles).lazy(), on="article_id", how="inner")
        .sort("category", "week", "units", "article_id", descending=[False, False, True, False])
        .with_columns((pl.int_range(pl.len()).over("category", "week") + 1).alias("rank"))
        .filter(pl.col("rank") <= top_k)
        .select("category", "week", "rank", "article_id", "units")
        .collect()
    )


def category_of_articles(articles: pl.DataFrame) -> pl.DataFrame:
    """Columns article_id and category (folder name) of the articles that belong to one of the six categories."""
    folders = {group: category.folder for group, category in CATEGORY_OF_GROUP.items()}
    category = pl.col("product_group_name").replace_strict(folders, default=None, return_dtype=pl.String)
    return articles.select("article_id", category.alias("category")).drop_nulls()


def iso_week(day: pl.Expr) -> pl.Expr:
    """Key "2020-W07" of a date expression; 2019-12-30 is in "2020-W01", since the year is the ISO year."""
    week = day.dt.week().cast(pl.String).str.zfill(2)
    return pl.concat_str(day.dt.iso_year().cast(pl.String), pl.lit("-W"), week)


def _daily_counts(folder: Path) -> pl.LazyFrame:
    """Columns t_dat, article_id, units, day, week, weekday_bit; counted by day first, so that few dates are parsed."""
    path = _transactions_path(Path(folder))
    rows = pl.scan_parquet(path) if path.suffix == ".parquet" else pl.scan_csv(path, infer_schema=False)
    _require_columns(path, rows.collect_schema().names(), NEEDED_OF_TRANSACTIONS)
    counts = rows.group_by("t_dat", "article_id").agg(pl.len().cast(pl.Int64).alias("units"))
    day = pl.col("t_dat").cast(pl.String).str.to_date("%Y-%m-%d", strict=False)
    return (
        counts.with_columns(_padded("article_id"), day.alias("day"))
        .map_batches(lambda frame: _checked_days(frame, path), schema=None, validate_output_schema=False)
        .with_columns(
            iso_week(pl.col("day")).alias("week"),
            pl.lit(2, pl.Int64).pow(pl.col("day").dt.weekday() - 1).cast(pl.Int64).alias("weekday_bit"),
        )
    )


def _checked_days(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    wrong = frame.filter(pl.col("day").is_null())
    if wrong.height:
        raise ValueError(f"t_dat {wrong['t_dat'][0]!r} in {path} is no date: write it as YYYY-MM-DD.")
    return frame


def _padded(column: str) -> pl.Expr:
    """Ids as ten digits, also where a tool read them as integers and lost the zero."""
    return pl.col(column).cast(pl.String).str.strip_chars().str.zfill(ID_LENGTH)


def _transactions_path(folder: Path) -> Path:
    for suffix in (".parquet", ".csv"):
        path = folder / f"{TRANSACTIONS_STEM}{suffix}"
        if path.is_file():
            return path
    raise FileNotFoundError(
        f"{folder / TRANSACTIONS_STEM}.csv does not exist, nor does .parquet: give a folder that holds H&M's "
        "transactions, or make one with python -m fashiondistill.data.catalogue."
    )


def _require_columns(path: Path, found: Iterable[str], needed: tuple[str, ...]) -> None:
    present = set(found)
    missing = [name for name in needed if name not in present]
    if missing:
        raise ValueError(f"{path} lacks column {', '.join(missing)}: it must have H&M's columns {', '.join(needed)}.")

"""Weekly sums by attribute: made once from the sales of a shop, so that every view of them takes milliseconds.

In: weekly units per article, and the articles with their words. Out: `Cube`: for a category and an attribute dense
tables [weeks, words] of units, revenue, what those units would have cost at launch prices, and units of new articles.
Knows nothing of trends or pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from fashiondistill.data.weeks import Week

ATTRIBUTES = ("colour", "type", "pattern")
MEASURES = ("units", "revenue", "launch_value", "new_units")
CHUNK_ROWS = 1_000_000  # rows of weekly units that are added up at once; all 7 million of H&M's would take a GiB more
NEW_WEEKS = 4  # an article is new in the week of its first sale and the three after it


@dataclass(frozen=True, eq=False)
class Table:
    """One category by one attribute.

    Attributes:
        weeks: keys of all weeks of the calendar from the category's first to its last, in order of time.
        words: in order of the alphabet.
        units: sold, int64 [weeks, words].
        revenue: in the file's price unit, float64 [weeks, words]; 0 where the file has no prices.
        launch_value: units times each article's launch price (mean of its first week), float64 [weeks, words].
        new_units: units of articles that are new, int64 [weeks, words]; what sold in the first weeks of the data may
            have been on sale before, and is not counted.
    """

    weeks: tuple[str, ...]
    words: tuple[str, ...]
    units: np.ndarray
    revenue: np.ndarray
    launch_value: np.ndarray
    new_units: np.ndarray


@dataclass(frozen=True, eq=False)
class Cube:
    """All categories by all attributes. Make one with `build_cube`."""

    sums: dict[str, pl.DataFrame]  # attribute -> category, week (number), word and the measures
    launches: pl.DataFrame  # article_id, first_week (number), launch_price; one row per article

    def table(self, category: str, attribute: str) -> Table:
        """One category by one attribute, made on first use; without weeks if it never sold. Read-only."""
        key = (category, attribute)
        if key not in self._tables:
            self._tables[key] = self._made(*key)
        return self._tables[key]

    @cached_property
    def _tables(self) -> dict[tuple[str, str], Table]:
        return {}

    def _made(self, category: str, attribute: str) -> Table:
        rows = self.sums[attribute].filter(pl.col("category") == category)
        if not rows.height:
            nothing = np.zeros((0, 0))
            return Table((), (), nothing, nothing, nothing, nothing)
        first, last = rows["week"].min(), rows["week"].max()
        words = rows["word"].unique().sort()
        place = pl.DataFrame({"word": words, "place": range(len(words))})
        rows = rows.join(place, on="word")
        at = (rows["week"].to_numpy() - first, rows["place"].to_numpy())
        dense = {}
        for name in MEASURES:
            dense[name] = np.zeros((last - first + 1, len(words)), rows[name].to_numpy().dtype)
            dense[name][at] = rows[name].to_numpy()
            dense[name].setflags(write=False)  # all who ask for the table share it
        weeks = tuple(Week.from_number(number).key for number in range(first, last + 1))
        return Table(weeks, tuple(words.to_list()), **dense)


def build_cube(units: pl.DataFrame, articles: pl.DataFrame) -> Cube:
    """Add up.

    Args:
        units: columns week (key), article_id, units, revenue; one row per week and article.
        articles: article_id, category and a column for each of `ATTRIBUTES`.
    """
    numbers = {key: Week.parse(key).number for key in units["week"].unique()}
    words = articles.select("article_id", pl.col("category", *ATTRIBUTES).cast(pl.Categorical))
    launches = _launches(units, numbers)
    opening = min(numbers.values(), default=0) + NEW_WEEKS
    is_new = (pl.col("first_week") >= opening) & (pl.col("week") - pl.col("first_week") < NEW_WEEKS)
    about = launches.join(words, on="article_id")
    parts: dict[str, list[pl.DataFrame]] = {attribute: [] for attribute in ATTRIBUTES}
    for start in range(0, units.height, CHUNK_ROWS):
        rows = (
            units.slice(start, CHUNK_ROWS)
            .with_columns(pl.col("week").replace_strict(numbers, return_dtype=pl.Int64))
            .join(about, on="article_id")
            .with_columns(
                (pl.col("units") * pl.col("launch_price")).alias("launch_value"),
                pl.when(is_new).then("units").otherwise(0).alias("new_units"),
            )
        )
        for attribute, found in parts.items():
            found.append(_sums(rows, pl.col(attribute).alias("word")))
    sums = {
        attribute: _sums(pl.concat(found), "word").cast({"category": pl.String, "word": pl.String})
        for attribute, found in parts.items()
    }
    return Cube(sums, launches)


def _sums(rows: pl.DataFrame, word: pl.Expr | str) -> pl.DataFrame:
    return rows.group_by("category", "week", word).agg(pl.col(MEASURES).sum())


def _launches(units: pl.DataFrame, numbers: dict[str, int]) -> pl.DataFrame:
    """First week and mean price in it; articles on sale before the data begins have the price of its first week."""
    first = units.group_by("article_id").agg(pl.col("week").min())  # keys sort in time
    opening = units.join(first, on=("article_id", "week"), how="semi")
    return opening.select(
        "article_id",
        pl.col("week").replace_strict(numbers, return_dtype=pl.Int64).alias("first_week"),
        (pl.col("revenue") / pl.col("units")).alias("launch_price"),
    )

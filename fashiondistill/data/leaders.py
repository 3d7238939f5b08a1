"""Units by week of the articles that ever sold well: gathered once per category, so that a forecast of the best reads
thousands of numbers instead of millions of rows.

In: weekly units per article, in order of weeks. Out: `Leaders`. Knows nothing of forecasts or pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from fashiondistill.data.weeks import Week

NUM_LEADERS = 30  # articles among the best so many of any week are kept


@dataclass(frozen=True, eq=False)
class Leaders:
    """Articles of a category that were among its best `NUM_LEADERS` in a complete week.

    Attributes:
        first: the first week of the calendar in the tables; row t stands for the week t weeks later.
        article_ids: in order.
        units, revenue: float64 [weeks, articles]; 0 in weeks that are not complete.
        led_from: row of the first week in which each was among the best, int [articles].
    """

    first: Week
    article_ids: tuple[str, ...]
    units: np.ndarray
    revenue: np.ndarray
    led_from: np.ndarray


def find_leaders(units: pl.DataFrame, articles: pl.DataFrame, complete: Sequence[Week]) -> Leaders | None:
    """Gather; None if nothing was sold in a complete week.

    Args:
        units: columns week (key), article_id, units, revenue; one row per week and article.
        articles: column article_id: those of the category.
        complete: weeks that the data covers whole.
    """
    keys = pl.DataFrame({"week": [week.key for week in complete], "number": [week.number for week in complete]})
    rows = units.join(articles.select("article_id"), on="article_id", how="semi").join(keys, on="week")
    if not rows.height:
        return None
    enough = rows.group_by("number").agg(pl.col("units").top_k(NUM_LEADERS).min().alias("enough"))
    best = (
        rows.join(enough, on="number")
        .filter(pl.col("units") >= pl.col("enough"))
        .sort("number", "units", "article_id", descending=[False, True, False])
        .group_by("number", maintain_order=True)
        .head(NUM_LEADERS)
    )
    first, last = rows["number"].min(), rows["number"].max()
    led = best.group_by("article_id").agg((pl.col("number").min() - first).alias("led_from")).sort("article_id")
    places = led.select("article_id").with_row_index("place")
    kept = rows.join(places, on="article_id")
    at = (kept["number"].to_numpy() - first, kept["place"].to_numpy())
    tables = []
    for name in ("units", "revenue"):
        table = np.zeros((last - first + 1, led.height))
        table[at] = kept[name].to_numpy()
        tables.append(table)
    return Leaders(Week.from_number(first), tuple(led["article_id"].to_list()), *tables, led["led_from"].to_numpy())

"""Everything that the Trends tab shows of a category, an attribute and a week, gathered from the library.

In: a `Shop`. Out: `TrendFacts`; what stands in it about the weeks to come was forecast from the weeks up to the chosen
one. Knows nothing of plots or pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fashiondistill.data.weeks import Week

if TYPE_CHECKING:
    import pandas as pd

    from fashiondistill.data.shop import Bestseller, Shop
    from fashiondistill.forecast.bestsellers import TopForecast
    from fashiondistill.forecast.shares import ShareForecast
    from fashiondistill.forecast.words import Description, Embed
    from fashiondistill.signals import Signal


@dataclass(frozen=True, eq=False)
class TrendFacts:
    """What is known at the end of a week.

    Attributes:
        category: folder name.
        attribute: "colour", "type" or "pattern".
        week: key of the chosen week.
        shares: of units, index week keys, columns words; all weeks, so that a forecast can be seen beside what came.
        signals: of the words, fastest riser first.
        forecast: of the attribute's shares.
        categories: share of all units, index week keys, columns category folders.
        marks: week key -> "partial" or "shocked".
        turnover: share of each week's bestsellers that are new among them, index week keys.
        bestsellers: week key -> the week's bestsellers, best first.
        top: forecast of next week's top-5; None without a complete week of sales.
        description: words for next week.
    """

    category: str
    attribute: str
    week: str
    shares: pd.DataFrame
    signals: tuple[Signal, ...]
    forecast: ShareForecast
    categories: pd.DataFrame
    marks: dict[str, str]
    turnover: pd.Series
    bestsellers: dict[str, tuple[Bestseller, ...]]
    top: TopForecast | None
    description: Description


@dataclass(frozen=True)
class MapPoint:
    """A picture in the plane: a bestseller with the weeks in which it was one, or a design of the visitor."""

    x: float
    y: float
    article_id: str  # "" for a design
    caption: str
    colour: str  # its word; "" for a design
    weeks: tuple[str, ...]


def trend_facts(shop: Shop, category: str, attribute: str, week: str, *, embed: Embed | None = None) -> TrendFacts:
    """Gather; `embed` chooses the words for next week. Raises ValueError for an unknown category, attribute or week."""
    from fashiondistill.forecast.bestsellers import forecast_bestsellers
    from fashiondistill.forecast.shares import forecast_shares
    from fashiondistill.forecast.words import describe_next_week
    from fashiondistill.signals import category_shares, signals, turnover, week_marks
    from fashiondistill.trends import attribute_shares

    forecast = forecast_shares(shop, category, attribute, week)
    return TrendFacts(
        category=category,
        attribute=attribute,
        week=week,
        shares=attribute_shares(shop, category, attribute),
        signals=signals(shop, category, attribute, week),
        forecast=forecast,
        categories=category_shares(shop),
        marks=week_marks(shop),
        turnover=turnover(shop, category),
        bestsellers={one.key: tuple(shop.bestsellers(category, one)) for one in shop.weeks},
        top=forecast_bestsellers(shop, category, week) if forecast.origin else None,
        description=describe_next_week(shop, category, week, embed=embed),
    )


def to_plane(embeddings: np.ndarray) -> np.ndarray:
    """The two directions of most variance of embeddings [N, D]: float [N, 2], the same for the same input."""
    centred = embeddings - embeddings.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    axes = directions[:2]
    if len(axes) < 2:  # one picture alone
        axes = np.vstack([axes, np.zeros((2 - len(axes), embeddings.shape[1]))])
    signs = np.where(axes[np.arange(2), np.abs(axes).argmax(axis=1)] < 0, -1.0, 1.0)  # SVD leaves the sign open
    return centred @ (axes * signs[:, None]).T


def map_points(
    sold: dict[str, tuple[Bestseller, ...]], week: str, embeddings: dict[str, np.ndarray], own: list[np.ndarray]
) -> tuple[MapPoint, ...]:
    """Bestsellers up to `week` that have an embedding, then the visitor's designs.

    Args:
        sold: week key -> bestsellers.
        week: key of the last week to show.
        embeddings: article id -> embedding of its picture.
        own: embeddings of designs.
    """
    weeks_of: dict[str, list[str]] = {}
    items: dict[str, Bestseller] = {}
    for key, listed in sold.items():
        for item in listed if Week.parse(key) <= Week.parse(week) else ():
            if item.article_id in embeddings:
                weeks_of.setdefault(item.article_id, []).append(key)
                items[item.article_id] = item
    if not items and not own:
        return ()
    plane = to_plane(np.stack([*(embeddings[article_id] for article_id in items), *own]))
    points = [
        MapPoint(float(x), float(y), one.article_id, one.caption, one.colours[0], tuple(weeks_of[one.article_id]))
        for (x, y), one in zip(plane, items.values(), strict=False)
    ]
    return (*points, *(MapPoint(float(x), float(y), "", "", "", ()) for x, y in plane[len(items) :]))

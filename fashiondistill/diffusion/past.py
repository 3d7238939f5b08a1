"""What sold before a week, as a temporal model wants it: CLIP embeddings of past bestsellers with weights.

In: weeks with articles and what embeds their pictures. Out: `Past`, which `GarmentPipeline.condition` turns into trend
tokens. The week itself and what follows it are never looked at, in training as here: the past of a design for week w
is w - 1 and before. Knows nothing of pages and files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from fashiondistill.data.categories import CATEGORIES, get_category
from fashiondistill.data.weeks import Week
from fashiondistill.data.windows import past_weeks
from fashiondistill.diffusion.trend import TrendEncoder, season_of
from fashiondistill.images import read_product_picture

if TYPE_CHECKING:
    from fashiondistill.data.shop import Bestseller, Shop

Embed = Callable[[Sequence[str]], np.ndarray]  # article ids -> float32 [N, D] of length 1


@dataclass(frozen=True, eq=False)
class Past:
    """The past of one design.

    Attributes:
        items: float32 [N, D], embeddings of length 1; [1, D] of zeros without a past.
        weights: float32 [N] that sum to 1, or to 0 without a past.
        category: place in CATEGORIES.
        season: sine and cosine of the week of the year.
    """

    items: torch.Tensor
    weights: torch.Tensor
    category: int
    season: tuple[float, float]

    @torch.no_grad()
    def tokens(self, encoder: TrendEncoder) -> tuple[torch.Tensor, torch.Tensor]:
        """Trend tokens [1, K, D] and which of them are seen [1, K]: all, or none without a past."""
        device = encoder.queries.device
        made = encoder(
            self.items[None].to(device),
            self.weights[None].to(device),
            torch.tensor([self.category], device=device),
            torch.tensor([self.season], device=device),
        )
        return made, torch.full(made.shape[:2], float(self.weights.sum() > 0), device=device)


def make_past(
    category: str, week: Week, articles: Mapping[Week, Sequence[str]], embed: Embed, encoder: TrendEncoder
) -> Past:
    """The past of `week`: a week's weight is shared out among its articles, as in training.

    Args:
        category: folder name.
        week: the week that is designed for.
        articles: week -> article ids; weeks without any are left out, and the weights of the others rise.
        embed: called once with the ids of all past weeks.
        encoder: its settings say how far back to look and how weights fall with age.
    """
    folder = get_category(category).folder
    place = [one.folder for one in CATEGORIES].index(folder)
    known = [one for one, ids in articles.items() if ids]
    entries = past_weeks(week, known, num_past_weeks=encoder.num_past_weeks, weight_decay=encoder.temporal_weight_decay)
    pairs = [(i, entry.weight / len(articles[entry.week])) for entry in entries for i in articles[entry.week]]
    if not pairs:
        empty = torch.zeros(1, encoder.settings["feature_dim"])
        return Past(empty, torch.zeros(1), place, season_of(week))
    items = torch.from_numpy(np.asarray(embed([article_id for article_id, _ in pairs]), np.float32))
    return Past(items, torch.tensor([weight for _, weight in pairs]), place, season_of(week))


def shop_past(
    shop: Shop,
    category: str,
    week: str,
    encoder: TrendEncoder,
    embed_pictures: Callable[[list[np.ndarray]], np.ndarray],
) -> Past:
    """The past of a week in a shop, from its bestsellers that have a picture (H&M's own set lacks some).

    Raises:
        ValueError: for an unknown category, or a week without sales.
    """
    target, sold = shop.week(week), {}
    for one in shop.weeks:
        if 0 < target - one <= encoder.num_past_weeks:
            sold[one] = [item for item in shop.bestsellers(category, one) if item.image.is_file()]
    found: dict[str, Bestseller] = {item.article_id: item for items in sold.values() for item in items}

    def embed(article_ids: Sequence[str]) -> np.ndarray:
        once = sorted(set(article_ids))
        rows = embed_pictures([read_product_picture(found[one].image) for one in once])
        return rows[[once.index(one) for one in article_ids]]

    articles = {one: [item.article_id for item in items] for one, items in sold.items()}
    return make_past(category, target, articles, embed, encoder)

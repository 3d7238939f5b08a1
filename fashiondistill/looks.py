"""Looks: bestsellers that are alike to CLIP, and what share of the bestsellers' units each look has by week.

In: a `Shop` and embeddings of its pictures. Out: `Looks`. A look has no name of its own: it is called by the caption of
the article nearest to its middle. Only bestsellers count, since only their pictures are embedded. Knows nothing of
models, forecasts or pages.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.cluster.vq import kmeans2

from fashiondistill.data.categories import get_category
from fashiondistill.data.shop import Bestseller, Shop

NUM_LOOKS = 6


@dataclass(frozen=True, eq=False)
class Looks:
    """Groups of bestsellers that are alike.

    Attributes:
        shares: of the units of the category's bestsellers; index week keys, columns names of looks; rows add up to 1.
        look_of: article id -> name of its look.
    """

    shares: pd.DataFrame
    look_of: dict[str, str]


def find_looks(
    shop: Shop, category: str, embeddings: Mapping[str, np.ndarray], *, num_looks: int = NUM_LOOKS, seed: int = 0
) -> Looks:
    """Group the bestsellers that have an embedding, and add up their units.

    Args:
        shop: the catalogue.
        category: folder name.
        embeddings: article id -> vector of length 1.
        num_looks: groups; fewer come back where fewer articles have an embedding.
        seed: of the first middles.

    Raises:
        ValueError: for an unknown category, or fewer than one look.
    """
    folder = get_category(category).folder
    if num_looks < 1:
        raise ValueError(f"num_looks {num_looks} is not usable: choose at least 1.")
    sold = {week.key: shop.bestsellers(folder, week) for week in shop.weeks}
    items: dict[str, Bestseller] = {
        one.article_id: one for listed in sold.values() for one in listed if one.article_id in embeddings
    }
    if not items:
        return Looks(pd.DataFrame(), {})
    vectors = np.stack([embeddings[article_id] for article_id in items])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of empty groups: they are not shown
        middles, group = kmeans2(vectors, min(num_looks, len(items)), minit="++", rng=seed)
    names = _names(list(items.values()), vectors, group, middles)
    look_of = {article_id: names[place] for article_id, place in zip(items, group, strict=True)}
    rows = {
        key: pd.Series(
            [one.units for one in listed], index=[look_of.get(one.article_id) for one in listed], dtype=float
        )
        for key, listed in sold.items()
    }
    units = pd.DataFrame({key: row.groupby(level=0).sum() for key, row in rows.items()}).T
    units = units.reindex(columns=sorted(set(look_of.values()))).fillna(0.0)
    units = units[units.sum(axis=1) > 0]
    return Looks(units.div(units.sum(axis=1), axis=0), look_of)


def _names(items: list[Bestseller], vectors: np.ndarray, group: np.ndarray, middles: np.ndarray) -> list[str]:
    """Caption of the article nearest to each middle; a number tells looks of one caption apart."""
    names: list[str] = []
    for number, middle in enumerate(middles):
        inside = np.flatnonzero(group == number)
        if not len(inside):  # an empty group has no article, so its name is never shown
            names.append(f"look {number + 1}")
            continue
        nearest = inside[((vectors[inside] - middle) ** 2).sum(axis=-1).argmin()]
        name, copies = f"like {items[nearest].caption}", 2
        while name in names:
            name, copies = f"like {items[nearest].caption} ({copies})", copies + 1
        names.append(name)
    return names

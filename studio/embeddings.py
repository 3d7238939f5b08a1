"""CLIP embeddings of what sold, each made once: what designs are ranked against, explained by and mapped beside.

In: a `Shop` and a `ClipScorer`. Out: references of a week, known garments and embeddings of a category. Bestsellers
without a picture are left out: H&M's own set lacks 442. Knows nothing of models that draw, or of pages.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from fashiondistill.images import read_product_picture

if TYPE_CHECKING:
    from fashiondistill.data.shop import Bestseller, Shop
    from fashiondistill.explain import KnownGarments
    from fashiondistill.scoring import ClipScorer, References

NUM_CACHED = 64  # (category, week) pairs whose reference embeddings are kept; one is a few kB
NUM_MAPPED = 200  # bestsellers of a category whose pictures are embedded for the map; a hundred take about a second


class SoldEmbeddings:
    """Embeddings of bestsellers' pictures, made when they are asked for."""

    def __init__(self, shop: Shop, scorer: ClipScorer) -> None:
        self.shop, self.scorer = shop, scorer
        self._references = lru_cache(maxsize=NUM_CACHED)(self._embed_references)
        self._known = lru_cache(maxsize=NUM_CACHED)(self._gather_known)
        self._looks: dict[str, np.ndarray] = {}  # article id -> embedding of its picture

    def references(self, category: str, week: str) -> References:
        """The week's bestsellers, as designs are ranked against them.

        Raises:
            ValueError: for a week without sales.
        """
        return self._references(category, week)

    def known(self, category: str) -> KnownGarments:
        """The garments of the category that designs are compared with."""
        return self._known(category)

    def of_category(self, category: str) -> dict[str, np.ndarray]:
        """Article id -> embedding, of the category's bestsellers that have a picture; the latest `NUM_MAPPED`."""
        items = self.sold(category)
        latest = list(items)[-NUM_MAPPED:]
        for article_id in latest:
            if article_id not in self._looks:
                picture = read_product_picture(items[article_id].image)
                self._looks[article_id] = self.scorer.embed_images([picture])[0]
        return {article_id: self._looks[article_id] for article_id in latest}

    def sold(self, category: str) -> dict[str, Bestseller]:
        """Article id -> bestseller of the category that has a picture, in the order in which they came up."""
        listed = [item for one in self.shop.weeks for item in self.shop.bestsellers(category, one.key)]
        return {item.article_id: item for item in listed if item.image.is_file()}

    def _embed_references(self, category: str, week: str) -> References:
        sold = [item for item in self.shop.bestsellers(category, week) if item.image.is_file()]
        return self.scorer.references({item.article_id: read_product_picture(item.image) for item in sold})

    def _gather_known(self, category: str) -> KnownGarments:
        from fashiondistill.explain import KnownGarments

        return KnownGarments.of(self.of_category(category))

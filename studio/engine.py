"""The studio's one way to models and sales: `DesignEngine`.

In: a `StudioConfig`, then typed requests. Out: frozen dataclasses, data frames and an iterator of events. Knows
nothing of gradio or of pages. The model draws one request at a time; closing the iterator of `generate` frees it
within one denoising step.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fashiondistill.config import StudioConfig
from fashiondistill.data.categories import CATEGORIES, Category, get_category
from fashiondistill.data.weeks import Week
from fashiondistill.design import Design, DesignRequest, ScoredDesign
from fashiondistill.images import read_product_picture

if TYPE_CHECKING:
    import pandas as pd

    from fashiondistill.data.shop import Bestseller, Shop
    from fashiondistill.diffusion.pipeline import GarmentPipeline
    from fashiondistill.scoring import ClipScorer, References
    from fashiondistill.trends import TrendPrompt

ATTRIBUTES = ("colour", "type", "pattern")
NUM_CACHED = 64  # (category, week) pairs whose reference embeddings are kept; one is a few kB


@dataclass(frozen=True)
class StepDone:
    """Candidate `candidate` (from 0) has passed denoising step `step` (from 1) of `total_steps`."""

    candidate: int
    step: int
    total_steps: int


@dataclass(frozen=True, eq=False)
class CandidateReady:
    """A candidate is drawn and scored; its rank is 0, provisional."""

    scored: ScoredDesign


@dataclass(frozen=True, eq=False)
class Ranked:
    """All candidates of the request, best first."""

    designs: tuple[ScoredDesign, ...]


Event = StepDone | CandidateReady | Ranked


class DesignEngine:
    """Model, CLIP and sales behind the page. Make one with `open`."""

    def __init__(
        self, config: StudioConfig, *, shop: Shop, pipeline: GarmentPipeline, scorer: ClipScorer, model_id: str
    ) -> None:
        self.config, self.shop, self.pipeline, self.scorer, self.model_id = config, shop, pipeline, scorer, model_id
        self._lock = threading.Lock()
        self._references = lru_cache(maxsize=NUM_CACHED)(self._embed_references)

    @classmethod
    def open(cls, config: StudioConfig) -> DesignEngine:
        """Load everything from local folders.

        Raises:
            FileNotFoundError, ValueError: naming the folder or file that is missing or damaged.
        """
        model, catalogue = Path(config.model), Path(config.catalogue)
        for flag, folder in (("model", model), ("catalogue", catalogue)):
            if not folder.is_dir():
                raise FileNotFoundError(f"--{flag} {folder} is not usable: there is no such folder. Check the path.")

        from fashiondistill.data.sales import user_cache_dir
        from fashiondistill.data.shop import Shop
        from fashiondistill.diffusion.pipeline import load_pipeline
        from fashiondistill.scoring import ClipScorer

        shop = Shop.open(catalogue, cache_dir=user_cache_dir())
        pipeline = load_pipeline(model, config.device)
        scorer = ClipScorer.load(model / "clip", config.device)
        return cls(config, shop=shop, pipeline=pipeline, scorer=scorer, model_id=pipeline.model_id)

    @property
    def categories(self) -> tuple[Category, ...]:
        """The six categories, in the order that the page shows them."""
        return CATEGORIES

    @property
    def weeks(self) -> tuple[Week, ...]:
        """Weeks with sales, oldest first."""
        return self.shop.weeks

    def bestsellers(self, category: str, week: str) -> tuple[Bestseller, ...]:
        """The week's bestsellers of a category, best first."""
        return tuple(self.shop.bestsellers(category, week))

    def trend_prompt(self, category: str, week: str) -> TrendPrompt:
        """A prompt from the week's sales, with the phrases it is made of."""
        from fashiondistill.trends import trend_prompt

        return trend_prompt(self.shop, category, week)

    def headline(self, category: str, week: str) -> str:
        """One sentence on what moved in that week."""
        from fashiondistill.trends import headline

        return headline(self.shop, category, week)

    def shares(self, category: str, attribute: str) -> pd.DataFrame:
        """Share of units by week (index, week keys) and word (columns), 0 to 1."""
        from fashiondistill.trends import attribute_shares

        return attribute_shares(self.shop, category, attribute)

    def template(self, category: str) -> np.ndarray:
        """A clean silhouette of the category: float32 [512, 384], 1 = stroke."""
        from fashiondistill.data.drawings import template_sketch

        return template_sketch(get_category(category).folder)

    def check_prompt(self, prompt: str) -> None:
        """Raise ValueError when the prompt is longer than the text encoder reads."""
        self.pipeline.check_prompt(prompt)

    def generate(self, request: DesignRequest) -> Iterator[Event]:
        """Draw, score and rank; waits for its turn, and frees the model when the iterator is closed.

        Raises:
            ValueError: naming the field, for a week without sales or a prompt that is too long.
            MemoryError: when the device has too little memory; the engine stays usable.
        """
        import torch

        from fashiondistill.scoring import rank_designs, score_design

        self.check_prompt(request.prompt)
        with self._lock:
            references = self._references(request.category, request.week)
            scored: list[ScoredDesign] = []
            try:
                with closing(self.pipeline.stream(request)) as events:
                    for event in events:
                        if isinstance(event, Design):
                            scored.append(score_design(event, self.scorer, references))
                            yield CandidateReady(scored[-1])
                        else:
                            yield StepDone(event.index, event.step, event.total_steps)
            except torch.OutOfMemoryError as error:
                raise MemoryError(
                    f"the model's device ran out of memory after {len(scored)} of {request.config.num_candidates} "
                    "candidates. Wait until other work on it has ended, or start the studio with --device cpu."
                ) from error
        yield Ranked(tuple(rank_designs(scored)))

    def _embed_references(self, category: str, week: str) -> References:
        sold = [item for item in self.bestsellers(category, week) if item.image.is_file()]  # H&M's own set lacks 442
        return self.scorer.references({item.article_id: read_product_picture(item.image) for item in sold})

"""The studio's one way to models and sales: `DesignEngine`.

In: a `StudioConfig`, then typed requests. Out: frozen dataclasses, data frames and an iterator of events. Knows
nothing of gradio or of pages. The model draws one request at a time; closing the iterator of `generate` frees it
within one denoising step.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fashiondistill.config import DrawingDefaults, GenerateConfig, StudioConfig
from fashiondistill.data.categories import CATEGORIES, Category, get_category
from fashiondistill.data.weeks import Week
from fashiondistill.design import Design, DesignRequest, Explanation, ScoredDesign
from studio.embeddings import NUM_CACHED, SoldEmbeddings
from studio.turns import Turns

if TYPE_CHECKING:
    import pandas as pd

    from fashiondistill.data.shop import Bestseller, Shop
    from fashiondistill.diffusion.past import Past
    from fashiondistill.diffusion.pipeline import GarmentPipeline
    from fashiondistill.modelcard import ModelCard
    from fashiondistill.scoring import ClipScorer, PictureScore
    from fashiondistill.signals import Signal
    from fashiondistill.trends import TrendPrompt
    from studio.compared import ComparedModel
    from studio.trendfacts import MapPoint, TrendFacts

ATTRIBUTES = ("colour", "type", "pattern")
NUM_SOLD = 24  # articles behind a point of a plot


@dataclass(frozen=True)
class StepDone:
    """Candidates `candidate` (from 0) to `candidate + count - 1` have passed step `step` (from 1) of `total_steps`."""

    candidate: int
    step: int
    total_steps: int
    count: int = 1


@dataclass(frozen=True, eq=False)
class CandidateReady:
    """A candidate is drawn and scored; its rank is 0, provisional."""

    scored: ScoredDesign


@dataclass(frozen=True, eq=False)
class Ranked:
    """All candidates of the request, best first, and why they stand where they do."""

    designs: tuple[ScoredDesign, ...]
    explanations: tuple[Explanation, ...]


Event = StepDone | CandidateReady | Ranked


class DesignEngine:
    """Model, CLIP and sales behind the page. Make one with `open`."""

    def __init__(
        self, config: StudioConfig, *, shop: Shop, pipeline: GarmentPipeline, scorer: ClipScorer, model_id: str
    ) -> None:
        self.config, self.shop, self.pipeline, self.scorer, self.model_id = config, shop, pipeline, scorer, model_id
        self.embedded = SoldEmbeddings(shop, scorer)
        self.turns = Turns(config.max_queue)
        self.compared: tuple[ComparedModel, ...] = ()  # models of the blind test, this one first; empty = there is none
        self.card: ModelCard | None = None  # what was measured of the model
        self._lock = threading.Lock()
        self._counting, self._num_waiting = threading.Lock(), 0  # requests of `generate` that wait for their turn
        self._past = lru_cache(maxsize=NUM_CACHED)(self._gather_past)
        self._facts = lru_cache(maxsize=NUM_CACHED)(self._gather_facts)

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
        from fashiondistill.diffusion.loading import load_pipeline
        from fashiondistill.modelcard import read_card
        from fashiondistill.scoring import ClipScorer
        from studio.compared import compared_models

        card = read_card(model)
        shop = Shop.open(catalogue, cache_dir=user_cache_dir())
        pipeline = load_pipeline(model, config.device)
        scorer = ClipScorer.load(model / "clip", config.device)
        engine = cls(config, shop=shop, pipeline=pipeline, scorer=scorer, model_id=pipeline.model_id)
        engine.card, engine.compared = card, compared_models(engine)
        return engine

    @property
    def defaults(self) -> DrawingDefaults:
        """How the model wants to be drawn with."""
        return self.pipeline.defaults

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
        from fashiondistill.trends import headline_facts
        from studio.trendtexts import headline_words

        return headline_words(headline_facts(self.shop, category, week))

    def shares(self, category: str, attribute: str) -> pd.DataFrame:
        """Share of units by week (index, week keys) and word (columns), 0 to 1."""
        from fashiondistill.trends import attribute_shares

        return attribute_shares(self.shop, category, attribute)

    def trend_facts(self, category: str, attribute: str, week: str) -> TrendFacts:
        """Everything that the Trends tab shows, kept for the next time."""
        return self._facts(category, attribute, week)

    def _gather_facts(self, category: str, attribute: str, week: str) -> TrendFacts:
        from studio.trendfacts import trend_facts

        return trend_facts(self.shop, category, attribute, week, embed=self.scorer.embed_texts)

    def look_map(self, category: str, week: str, own: list[np.ndarray]) -> tuple[MapPoint, ...]:
        """Bestsellers up to the week and the visitor's designs (uint8 [512, 384, 3]), in the plane of CLIP."""
        from studio.trendfacts import map_points

        sold = {one.key: self.bestsellers(category, one.key) for one in self.weeks}
        designs = [self.scorer.embed_images([picture])[0] for picture in own]
        return map_points(sold, week, self.embedded.of_category(category), designs)

    def look_shares(self, category: str) -> pd.DataFrame:
        """Share of the bestsellers' units by look: index week keys, columns what a look is like."""
        from fashiondistill.looks import find_looks

        return find_looks(self.shop, category, self.embedded.of_category(category)).shares

    def sold_with(self, category: str, attribute: str, week: str, word: str) -> tuple[Bestseller, ...]:
        """What sold best in a week, of those with a word; all of the category if it is ""."""
        return self.shop.sold_with(category, attribute, week, word, limit=NUM_SOLD)

    def units_sold(self, category: str, week: str) -> int:
        """Units of a category in a week."""
        from fashiondistill.signals import units_sold

        return units_sold(self.shop, category, week)

    def signals(self, category: str, attribute: str, week: str) -> tuple[Signal, ...]:
        """Which words of an attribute rise and fall up to a week."""
        from fashiondistill.signals import signals

        return signals(self.shop, category, attribute, week)

    def reads(self, words: str) -> bool:
        """Whether the model's vocabulary has each of the words whole: what falls into pieces it has hardly read."""
        return all(piece.endswith("</w>") for piece in self.pipeline.tokenizer.tokenize(words))

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

        from fashiondistill.explain import explain
        from fashiondistill.scoring import rank_designs, score_embedded

        self.check_prompt(request.prompt)
        with self.turn():
            references = self.embedded.references(request.category, request.week)
            words = self.scorer.embed_texts([request.prompt])[0]
            scored: list[ScoredDesign] = []
            looks: list[np.ndarray] = []  # their embeddings
            try:
                with closing(self.pipeline.stream(request, self._past(request.category, request.week))) as events:
                    for event in events:
                        if isinstance(event, Design):
                            looks.append(self.scorer.embed_images([event.image])[0])
                            scored.append(score_embedded(event, looks[-1], words, references))
                            yield CandidateReady(scored[-1])
                        else:
                            yield StepDone(event.index, event.step, event.total_steps, event.count)
            except torch.OutOfMemoryError as error:
                raise MemoryError(
                    f"the model's device ran out of memory after {len(scored)} of {request.config.num_candidates} "
                    "candidates. Wait until other work on it has ended, or start the studio with --device cpu."
                ) from error
            ranked = tuple(rank_designs(scored))
            pictures = np.stack([looks[one.design.index] for one in ranked])
            explanations = explain(ranked, pictures, self.scorer, self.embedded.known(request.category))
        yield Ranked(ranked, explanations)

    def known_garment(self, category: str, article_id: str) -> Bestseller:
        """One of the garments that designs are compared with, as it sold last."""
        return self.embedded.sold(category)[article_id]

    def _gather_past(self, category: str, week: str) -> Past | None:
        """What sold before a week, for a model that was trained to see it; None for others."""
        if self.pipeline.trend is None:
            return None
        from fashiondistill.diffusion.past import shop_past

        return shop_past(self.shop, category, week, self.pipeline.trend, self.scorer.embed_images)

    def rank(self, pictures: list[np.ndarray], category: str, week: str, prompt: str) -> tuple[PictureScore, ...]:
        """Pictures from anywhere (uint8 [512, 384, 3]) against the week's bestsellers and the words, best first.

        Raises:
            ValueError: for a week without sales or a prompt that is too long.
        """
        from fashiondistill.scoring import rank_pictures

        references = self.embedded.references(category, week)
        config = GenerateConfig()
        return tuple(rank_pictures(pictures, self.scorer, references, prompt=prompt, config=config))

    def draw_live(self, request: DesignRequest) -> ScoredDesign | None:
        """The request's first candidate, scored; None if `generate` has the model or comes to want it.

        Never waits: a frame that comes late is of a drawing that is gone, and `generate` gets the model within a step.

        Raises:
            ValueError, MemoryError: as `generate`.
        """
        import torch

        from fashiondistill.scoring import score_design

        self.check_prompt(request.prompt)
        if not self._lock.acquire(blocking=False):
            return None
        try:
            references = self.embedded.references(request.category, request.week)
            with closing(self.pipeline.stream(request, self._past(request.category, request.week))) as events:
                for event in events:
                    if isinstance(event, Design):
                        return score_design(event, self.scorer, references)
                    if self._num_waiting:
                        return None
        except torch.OutOfMemoryError as error:
            raise MemoryError(
                "the model's device ran out of memory. Switch Live off, or start the studio with --device cpu."
            ) from error
        finally:
            self._lock.release()
        raise AssertionError("a request without candidates cannot be made")

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The device for one request, of whatever model; `draw_live` sees that somebody waits for it."""
        with self._counting:
            self._num_waiting += 1
        try:
            self._lock.acquire()
        finally:
            with self._counting:
                self._num_waiting -= 1
        try:
            yield
        finally:
            self._lock.release()

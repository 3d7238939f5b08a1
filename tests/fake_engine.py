"""The one fake of the test suite: `studio.engine.DesignEngine`'s interface without a model.

It draws flat-coloured garments with numpy and scores them by fixed rules, so that order and text are known.
`python -m tests.fake_engine PORT [LANGUAGE]` opens the page on it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from fashiondistill.config import GROUND, CatalogueConfig, DrawingDefaults, StudioConfig
from fashiondistill.data.attributes import COLOUR_BY_WORD
from fashiondistill.data.catalogue import make_catalogue
from fashiondistill.data.categories import CATEGORIES, Category, get_category
from fashiondistill.data.shop import Shop
from fashiondistill.data.weeks import Week
from fashiondistill.design import Design, DesignRequest, Explanation, ScoredDesign
from fashiondistill.modelcard import Figure, ModelCard
from fashiondistill.scoring import PictureScore
from fashiondistill.signals import Signal
from fashiondistill.trends import TrendPhrase, TrendPrompt
from studio.engine import CandidateReady, Event, Ranked, StepDone
from studio.trendfacts import MapPoint, TrendFacts, map_points, trend_facts
from studio.turns import Turns

COLOURS = ("black", "navy", "beige", "red", "olive", "light blue", "white")
TYPES = ("t-shirt", "shirt", "jacket", "hoodie")
PATTERNS = ("plain", "striped", "checked")
EMPTY = ("top5acc", "2020-W01")  # category and week in which nothing was sold
HOSTILE = '<img src=x onerror="alert(1)">'  # name of the fifth bestseller


@dataclass(frozen=True)
class FakeBestseller:
    """What `Shop.bestsellers` gives."""

    article_id: str
    rank: int
    units: int
    name: str
    caption: str
    colours: tuple[str, ...]
    pattern: str
    image: Path


CARD = ModelCard(  # upper body is measured well, shoes are weak, the others were not measured
    {name: Figure(0.9, 0.88, 0.92, 100) for name in ("clip_t_ratio", "outline_iou", "inner_lines")},
    {
        "top5gub": {"clip_t_ratio": Figure(0.92, 0.89, 0.95, 60), "outline_iou": Figure(0.97, 0.96, 0.98, 60)},
        "top5shoe": {"clip_t_ratio": Figure(0.61, 0.5, 0.7, 19), "inner_lines": Figure(0.8, 0.79, 0.82, 8)},
    },
)


class FakeEngine:
    """`DesignEngine` without models.

    Args:
        folder: where product pictures are written.
        step_seconds: how long a denoising step takes.
    """

    def __init__(self, folder: Path, *, step_seconds: float = 0.0, config: StudioConfig | None = None) -> None:
        self.folder, self.step_seconds, self.config = folder, step_seconds, config or StudioConfig()
        self.model_id = "fake-0"
        self.turns = Turns(self.config.max_queue)
        self.defaults = DrawingDefaults()
        self.categories: tuple[Category, ...] = CATEGORIES
        first = Week(2019, 40)
        self.weeks = tuple(first.shift(n) for n in range(40))
        self.num_steps = 0  # denoising steps so far
        self.requests: list[DesignRequest] = []
        self.live_requests: list[DesignRequest] = []
        self.num_closed = 0  # requests that ended, in whatever way
        self.write_pictures = True  # False: pictures that are missing stay so
        self.fail_with: Exception | None = None
        self.compared: tuple[FakeModel, ...] = ()  # models of the blind test
        self.card: ModelCard | None = None
        self.drawn_by: list[str] = []  # their names, in the order in which they drew
        self._lock = threading.Lock()

    def bestsellers(self, category: str, week: str) -> tuple[FakeBestseller, ...]:
        """Five flat garments in the colours of the list; none for `EMPTY`."""
        get_category(category)
        if (category, week) == EMPTY:
            return ()
        shift = Week.parse(week).week
        items = []
        for rank in range(1, 6):
            colour = COLOURS[(rank + shift) % len(COLOURS)]
            path = self.folder / f"{category}_{colour.replace(' ', '_')}.png"
            if self.write_pictures and not path.is_file():
                Image.fromarray(self._garment(category, COLOUR_BY_WORD[colour].rgb)).save(path)
            name = HOSTILE if rank == 5 else f"{colour.capitalize()} article"
            caption = f"{colour} plain garment"
            items.append(FakeBestseller(f"01{rank:08d}", rank, 1500 // rank, name, caption, (colour,), "plain", path))
        return tuple(items)

    def trend_prompt(self, category: str, week: str) -> TrendPrompt:
        """Names the week, so that tests see when it changes; no article of the type is behind it."""
        text = f"navy striped {get_category(category).title.lower()} garment of week {Week.parse(week).week}"
        phrases = (
            TrendPhrase("navy", "colour", 0.25, 0.31, ("0100000002", "0199999999")),
            TrendPhrase("striped", "pattern", None, 0.1, ("0100000001",)),
            TrendPhrase("t-shirt", "type", 0.4, 0.4, ()),
        )
        return TrendPrompt(text, phrases, category, week)

    def headline(self, category: str, week: str) -> str:
        """One sentence."""
        return (
            f"Navy rose to 31 % of {get_category(category).title.lower()} units in {week}, up 6 points in four weeks."
        )

    def shares(self, category: str, attribute: str) -> pd.DataFrame:
        """Smooth shares that add up to 1."""
        words = {"colour": COLOURS, "type": TYPES, "pattern": PATTERNS}[attribute]
        time_axis = np.arange(len(self.weeks))[:, None]
        raw = 1.2 + np.sin(time_axis / 7 + np.arange(len(words)) * 1.7) + 2.0 / (1 + np.arange(len(words)))
        table = raw / raw.sum(axis=1, keepdims=True)
        return pd.DataFrame(table, index=[week.key for week in self.weeks], columns=list(words))

    @cached_property
    def _shop(self) -> Shop:
        config = CatalogueConfig(num_transactions=30_000, num_customers=50, seed=4)
        make_catalogue(config, self.folder / "shop", transactions_format="parquet")
        return Shop.open(self.folder / "shop")

    def trend_facts(self, category: str, attribute: str, week: str) -> TrendFacts:
        """Of a small synthetic shop, but for the bestsellers; `EMPTY` has none."""
        sold = {one.key: self.bestsellers(category, one.key) for one in self.weeks}
        return replace(trend_facts(self._shop, category, attribute, week), bestsellers=sold)

    def look_map(self, category: str, week: str, own: list[np.ndarray]) -> tuple[MapPoint, ...]:
        """Bestsellers by their colours."""
        sold = {one.key: self.bestsellers(category, one.key) for one in self.weeks}
        looks = {
            item.article_id: np.array(COLOUR_BY_WORD[item.colours[0]].rgb) / 255
            for items in sold.values()
            for item in items
        }
        return map_points(sold, week, looks, [picture.mean(axis=(0, 1)) / 255 for picture in own])

    def look_shares(self, category: str) -> pd.DataFrame:
        """The shares of types, whatever they look like."""
        return self.shares(category, "type")

    def sold_with(self, category: str, attribute: str, week: str, word: str) -> tuple[FakeBestseller, ...]:
        """The bestsellers, whatever the word."""
        return self.bestsellers(category, week)

    def units_sold(self, category: str, week: str) -> int:
        """A round number; `EMPTY` has none."""
        return 0 if (category, week) == EMPTY else 20_000

    def signals(self, category: str, attribute: str, week: str) -> tuple[Signal, ...]:
        """Navy and striped rise, red falls, white is steady; nothing is known of types."""
        stages = {
            "colour": {"navy": "rising", "white": "steady", "red": "falling"},
            "pattern": {"striped": "rising"},
            "type": {},
        }[attribute]
        return tuple(Signal(word, 90, 0.2, 0.1, 0.3, None, None, 0.0, None, stage) for word, stage in stages.items())

    def reads(self, words: str) -> bool:
        """All but one."""
        return words != "boat neck"

    def template(self, category: str) -> np.ndarray:
        """Outline of the fake garment."""
        inside = self._shape(category)
        inner = inside[2:-2, 2:-2] & inside[:-4, 2:-2] & inside[4:, 2:-2] & inside[2:-2, :-4] & inside[2:-2, 4:]
        sketch = inside.astype(np.float32)
        sketch[2:-2, 2:-2] -= inner
        return sketch

    def check_prompt(self, prompt: str) -> None:
        """77 words are one too many."""
        if len(prompt.split()) > 75:
            raise ValueError(f"prompt has {len(prompt.split()) + 2} tokens, the text encoder takes 77. Shorten it.")

    def generate(self, request: DesignRequest) -> Iterator[Event]:
        """Candidate 2 always wins; steps are counted in `num_steps`."""
        self.check_prompt(request.prompt)
        self.requests.append(request)
        scored = []
        total = request.config.num_inference_steps
        with self._lock:
            try:
                for k in range(request.config.num_candidates):
                    for step in range(1, total + 1):
                        time.sleep(self.step_seconds)
                        self.num_steps += 1
                        yield StepDone(k, step, total)
                    if self.fail_with is not None:
                        raise self.fail_with
                    scored.append(self._scored(request, k))
                    yield CandidateReady(scored[-1])
            finally:
                self.num_closed += 1
        ordered = sorted(scored, key=lambda one: (-one.combined, one.design.index))
        ranked = tuple(_with_rank(one, rank) for rank, one in enumerate(ordered, start=1))
        yield Ranked(ranked, tuple(map(_explained, ranked)))

    def known_garment(self, category: str, article_id: str) -> FakeBestseller:
        """One of the first week's bestsellers."""
        return {item.article_id: item for item in self.bestsellers(category, self.weeks[0].key)}[article_id]

    def rank(self, pictures: list[np.ndarray], category: str, week: str, prompt: str) -> tuple[PictureScore, ...]:
        """Darker pictures are better."""
        self.check_prompt(prompt)
        ids = [item.article_id for item in self.bestsellers(category, week)]
        scored = []
        for index, picture in enumerate(pictures):
            clip_i, clip_t = 1 - float(picture.mean()) / 255, 0.25 if prompt else None
            combined = clip_i if clip_t is None else 0.6 * clip_i + 0.4 * clip_t
            near = tuple((article, clip_i + 0.02 - 0.01 * n) for n, article in enumerate(ids))
            scored.append(PictureScore(index, clip_i, clip_t, combined, near, 0))
        ordered = sorted(scored, key=lambda one: -one.combined)
        return tuple(replace(one, rank=rank) for rank, one in enumerate(ordered, start=1))

    def draw_live(self, request: DesignRequest) -> ScoredDesign | None:
        """Candidate 1, if `generate` does not have the model."""
        self.check_prompt(request.prompt)
        if not self._lock.acquire(blocking=False):
            return None
        try:
            time.sleep(self.step_seconds * request.config.num_inference_steps)
            if self.fail_with is not None:
                raise self.fail_with
            self.live_requests.append(request)
            return self._scored(request, 0)
        finally:
            self._lock.release()

    def turn(self) -> threading.Lock:
        """The device for one request."""
        return self._lock

    def _scored(self, request: DesignRequest, k: int) -> ScoredDesign:
        colour = np.array(COLOUR_BY_WORD[COLOURS[(request.seed + k) % len(COLOURS)]].rgb)
        image = self._garment(request.category, colour)
        image = (image * (1 - request.sketch[..., None] * 0.6)).astype(np.uint8)
        if request.mask is not None:
            image = np.where(request.mask[..., None] > 0, image, request.image)
        clip_i, clip_t = 0.82 - 0.05 * abs(k - 1), 0.31 - 0.02 * abs(k - 1)
        combined = request.config.clip_i_weight * clip_i + request.config.clip_t_weight * clip_t
        return ScoredDesign(Design(image, k, request), clip_i, clip_t, combined, f"01{k % 5 + 1:08d}", 0)

    def _shape(self, category: str) -> np.ndarray:
        y, x = np.mgrid[0:512, 0:384]
        side = abs(x - 192)
        if category == "top5glb":
            return (y > 60) & (y < 470) & (side < 90 + y * 0.06) & ((y < 190) | (side > (y - 190) * 0.12))
        if category == "top5gfb":
            return (y > 40) & (y < 480) & (side < 46 + np.maximum(0, y - 150) * 0.28 + np.maximum(0, 150 - y) * 0.2)
        body = (y > 90) & (y < 440) & (side < 96)
        sleeves = (y > 95) & (y < 235) & (side < 96 + (y - 60) * 0.5) & (side > 40)
        neck = (side**2 + (y - 84) ** 2) < 40**2
        return (body | sleeves) & ~neck

    def _garment(self, category: str, rgb: tuple[int, int, int] | np.ndarray) -> np.ndarray:
        image = np.full((512, 384, 3), GROUND, np.float32)
        y, x = np.mgrid[0:512, 0:384]
        light = 1 + 0.06 * np.sin(x / 23 + y / 61)[..., None]
        return np.where(self._shape(category)[..., None], np.array(rgb) * light, image).clip(0, 255).astype(np.uint8)


class FakeModel:
    """A model of the blind test: draws in one colour, whatever the seed; `unlocked` counts steps without the turn."""

    def __init__(self, engine: FakeEngine, name: str, colour: str) -> None:
        self.engine, self.name, self.colour = engine, name, colour
        self.num_loads, self.unlocked = 0, 0
        self.requests: list[DesignRequest] = []

    def load(self) -> str:
        """A digest made of the name."""
        self.num_loads += 1
        return f"{self.name}-digest"

    def draw(self, request: DesignRequest) -> Iterator[StepDone | Design]:
        """Flat garments; the second is the first, mirrored."""
        assert self.num_loads, "load comes first"
        self.requests.append(request)
        self.engine.drawn_by.append(self.name)
        total = request.config.num_inference_steps
        for k in range(request.config.num_candidates):
            for step in range(1, total + 1):
                time.sleep(self.engine.step_seconds)
                self.unlocked += not self.engine.turn().locked()
                yield StepDone(k, step, total)
            if self.engine.fail_with is not None:
                raise self.engine.fail_with
            image = self.engine._garment(request.category, COLOUR_BY_WORD[self.colour].rgb)
            yield Design(image[:, ::-1] if k else image, k, request)


def _with_rank(one: ScoredDesign, rank: int) -> ScoredDesign:
    return ScoredDesign(one.design, one.clip_i, one.clip_t, one.combined, one.nearest_article_id, rank)


def _explained(one: ScoredDesign) -> Explanation:
    """The right half of the sketch is missed; the best design is nearly a copy."""
    strokes = one.design.request.sketch > 0.5
    right = np.zeros_like(strokes)
    right[:, 192:] = True
    phrases = tuple((word, one.clip_t + 0.01 * k) for k, word in enumerate(one.design.request.prompt.split()[:3]))
    return Explanation(phrases, "0100000001", 0.9, one.rank == 1, strokes & ~right, strokes & right)


if __name__ == "__main__":
    import sys
    import tempfile

    from app import launch

    spoken = sys.argv[2] if len(sys.argv) > 2 else "en"
    settings = StudioConfig(port=int(sys.argv[1]), store_dir=tempfile.mkdtemp(), language=spoken)
    fake = FakeEngine(Path(tempfile.mkdtemp()), step_seconds=0.15, config=settings)
    fake.card = CARD
    fake.compared = tuple(FakeModel(fake, *one) for one in (("starter", "navy"), ("temporal", "red"), ("dpo", "olive")))
    launch(fake, fake.config)

"""The one border between canvas and model: what a designer asks for and what comes back.

In: numpy pictures and plain values. Out: frozen dataclasses. Knows nothing of torch, gradio or files.
Pictures are uint8 [H, W, 3] RGB; sketches are float32 [H, W] in [0, 1] with 1 = stroke and 0 = paper; masks are
float32 [H, W] in [0, 1] with 1 = repaint.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fashiondistill.config import IMAGE_HEIGHT, IMAGE_WIDTH, GenerateConfig


@dataclass(frozen=True, eq=False)
class DesignRequest:
    """One press of Generate.

    Attributes:
        category: folder name, for example "top5gub".
        week: ISO week key, for example "2020-W10".
        prompt: what to draw, in words.
        sketch: [512, 384] float32, 1 = stroke.
        image: [512, 384, 3] uint8 picture to repaint, or None for an empty ground.
        mask: [512, 384] float32, 1 = repaint, or None for everywhere.
        seed: candidate k is drawn with noise keyed by (seed, k).
        config: number of candidates, steps, guidance.
        start: [512, 384, 3] uint8 picture to vary: drawing begins at it under noise, instead of at noise alone.
        strength: share of the steps that a variation of `start` takes, from 0 (hardly any change) to 1 (all of them).

    Raises:
        ValueError: naming the field, its value and the remedy.
    """

    category: str
    week: str
    prompt: str
    sketch: np.ndarray
    image: np.ndarray | None = None
    mask: np.ndarray | None = None
    seed: int = 0
    config: GenerateConfig = GenerateConfig()
    start: np.ndarray | None = None
    strength: float = 1.0

    def __post_init__(self) -> None:
        size = (IMAGE_HEIGHT, IMAGE_WIDTH)
        if self.sketch.shape != size:
            raise ValueError(f"sketch has shape {self.sketch.shape}; give [height, width] = {list(size)}.")
        if self.mask is not None and self.mask.shape != size:
            raise ValueError(f"mask has shape {self.mask.shape}; give [height, width] = {list(size)}.")
        for name, picture in (("image", self.image), ("start", self.start)):
            if picture is not None and (picture.shape != (*size, 3) or picture.dtype != np.uint8):
                raise ValueError(f"{name} is {picture.dtype} of shape {picture.shape}; give uint8 RGB {[*size, 3]}.")
        if not 0 < self.strength <= 1:
            raise ValueError(f"strength {self.strength} is out of range: choose more than 0, up to 1.")
        if self.mask is not None and self.image is None:
            raise ValueError("mask is given without an image: give the image whose masked part is to be repainted.")
        if not self.sketch.max() > 0:
            raise ValueError("sketch is empty: draw at least an outline, or load a template or an edge map.")
        for name, value in (("sketch", self.sketch), ("mask", self.mask)):
            if value is not None and not (value.min() >= 0 and value.max() <= 1):
                raise ValueError(f"{name} has values from {value.min()} to {value.max()}; give 0 to 1.")
        if not self.prompt.strip():
            raise ValueError('prompt is empty: describe the garment, for example "navy striped t-shirt".')
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"seed {self.seed} is out of range: choose 0 to 4294967295.")


@dataclass(frozen=True, eq=False)
class Design:
    """One candidate: the picture (uint8 [512, 384, 3]) and its number k within the request."""

    image: np.ndarray
    index: int
    request: DesignRequest


@dataclass(frozen=True, eq=False)
class ScoredDesign:
    """A candidate with every term of its rank.

    Attributes:
        clip_i: cosine similarity to the week's bestsellers of the category, mean over the set; in [-1, 1].
        clip_t: cosine similarity to the prompt; in [-1, 1].
        combined: clip_i_weight * clip_i + clip_t_weight * clip_t.
        nearest_article_id: the bestseller with the highest similarity.
        rank: 1 = best of the request.
    """

    design: Design
    clip_i: float
    clip_t: float
    combined: float
    nearest_article_id: str
    rank: int


@dataclass(frozen=True, eq=False)
class Explanation:
    """What stands behind one design's rank.

    Attributes:
        phrases: phrase of the prompt and its CLIP-T with the picture (cosine, -1 to 1).
        closest_article_id: the known garment with the highest similarity; "" if none is known.
        closest_similarity: that cosine; novelty is 1 minus it.
        near_copy: whether that is nearer than known garments usually are to each other.
        followed: bool [512, 384], strokes of the sketch with an edge of the picture near them.
        missed: bool [512, 384], the other strokes.
    """

    phrases: tuple[tuple[str, float], ...]
    closest_article_id: str
    closest_similarity: float
    near_copy: bool
    followed: np.ndarray
    missed: np.ndarray

    @property
    def stroke_share(self) -> float:
        """Share of the strokes that are followed, 0 to 1."""
        count = int(self.followed.sum())
        return count / max(1, count + int(self.missed.sum()))

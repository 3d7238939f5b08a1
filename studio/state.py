"""What the page holds and shows, as dataclasses, frozen but for `Stop`; callbacks make them, layout draws them.

Plain values and numpy pictures only: no models, no gradio. Bad input is a `StudioError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fashiondistill.design import DesignRequest, ScoredDesign
from studio.turns import Waiting

if TYPE_CHECKING:
    from fashiondistill.trends import TrendPhrase

DECODING = 3  # steps that decoding and scoring a candidate takes as long as, on two cores

Phase = Literal["idle", "running", "ranked", "cancelled", "failed"]


class StudioError(ValueError):
    """What the visitor did cannot be done; the message names the field and the remedy."""


@dataclass(frozen=True)
class GenerateInputs:
    """One press of Generate, as it comes from the page or the API: types are not to be trusted yet.

    `sketch`, `mask` (white = repaint) and `image` (the picture to repaint) are PNG data URLs; None or "" for none.
    """

    category: str
    week: str
    prompt: str
    sketch: str | None
    num_candidates: int
    num_inference_steps: int
    guidance_scale: float
    sketch_influence: float
    seed: int
    mask: str | None = None
    image: str | None = None


@dataclass(frozen=True)
class BestsellerTile:
    """One of the week's bestsellers; `picture` is a JPEG data URL, or "" where the shop has none."""

    article_id: str
    rank: int
    units: int
    name: str
    caption: str
    picture: str
    share: float | None = None  # of the category's units in the week, where it is told
    leads: bool = False  # whether it is one of those that a phrase of the suggestion was made from


@dataclass(frozen=True)
class PageContext:
    """What the left column shows for a category and a week; `phrases` are those that `suggestion` is made of."""

    category: str
    week: str
    headline: str
    bestsellers: tuple[BestsellerTile, ...]
    suggestion: str
    phrases: tuple[TrendPhrase, ...] = ()


@dataclass(frozen=True)
class Progress:
    """Candidates from `candidate` (from 1) of `num_candidates` on, `together` of them, are at step `step`.

    Attributes:
        total_steps: of each candidate.
        num_ready: candidates that are drawn and scored.
    """

    candidate: int
    num_candidates: int
    step: int
    total_steps: int
    together: int = 1
    num_ready: int = 0

    @property
    def fraction(self) -> float:
        """Share of the request's work that is done: its steps, and its decoding, which takes as long as a few."""
        steps = (self.candidate - 1) * self.total_steps + self.step * self.together
        work = self.num_candidates * (self.total_steps + DECODING)
        return (steps + self.num_ready * DECODING) / work


@dataclass
class Stop:
    """Asks a running request to end; one a page, shared by its Generate and its Cancel."""

    asked: bool = False


@dataclass(frozen=True)
class LikeGarment:
    """A garment of the shop that a design is like; `picture` is a JPEG data URL, "" where there is none."""

    name: str
    picture: str
    similarity: float | None = None  # cosine, where it is told


@dataclass(frozen=True)
class PhraseScore:
    """A phrase of the prompt, its CLIP-T with a design, and whether no other design of the request has more."""

    phrase: str
    score: float
    best: bool


@dataclass(frozen=True)
class Why:
    """What a card tells about its rank.

    Attributes:
        nearest: the week's bestseller that the design is most like.
        phrases: in the order of the prompt.
        heat: JPEG data URL, the picture with followed and missed strokes marked.
        stroke_share: share of the strokes that have an edge of the picture near them, 0 to 1.
        closest: the garment of the shop, of any week, that the design is most like; None if none is known.
        near_copy: whether it is nearer to it than garments of the shop usually are to each other.
    """

    nearest: LikeGarment
    phrases: tuple[PhraseScore, ...]
    heat: str
    stroke_share: float
    closest: LikeGarment | None
    near_copy: bool


@dataclass(frozen=True, eq=False)
class ResultsView:
    """The right column at one moment of a request.

    Attributes:
        designs: in order of arrival while running, best first once ranked.
        num_expected: how many cards the request will have.
        fresh: whether `designs` changed since the view before; if not, only the status has to be drawn.
        seconds: since the request was taken up.
        article_names: article id -> how the page calls that bestseller.
        whys: what stands behind each design's rank, in their order; empty until ranked.
        references: ids of the bestsellers that CLIP-I compares with: those with a picture.
        waiting: where the request stands while others are drawn; None once its turn has come.
    """

    phase: Phase
    request: DesignRequest | None = None
    designs: tuple[ScoredDesign, ...] = ()
    num_expected: int = 0
    progress: Progress | None = None
    fresh: bool = True
    seconds: float = 0.0
    article_names: tuple[tuple[str, str], ...] = ()
    whys: tuple[Why, ...] = ()
    references: tuple[str, ...] = ()
    waiting: Waiting | None = None

"""Why a design has its rank: score by phrase, strokes that it follows, and the known garment that it is most like.

In: ranked designs and their embeddings, a `ClipScorer`, embeddings of known garments. Out: one `Explanation` a design.
Knows nothing of sales, files or pages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fashiondistill.adherence import near_edges
from fashiondistill.data.attributes import COLOUR_BY_WORD, PATTERNS
from fashiondistill.design import Explanation, ScoredDesign
from fashiondistill.scoring import ClipScorer

NEAR_COPY_QUANTILE = 0.95  # a design nearer than this share of the known garments are to each other is a near copy
MIN_KNOWN = 10  # garments; fewer say nothing about how near is unusual
MAX_PHRASES = 8
JOINTS = re.compile(r"\s*(?:[,;:.]|\bwith\b|\band\b|\bin\b|\bon\b)\s*", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class KnownGarments:
    """Garments that a design may resemble.

    Attributes:
        article_ids: N ids.
        embeddings: float32 [N, D] of length 1.
        near_copy_above: cosine above which a design counts as a near copy; None where too few garments are known.
    """

    article_ids: tuple[str, ...]
    embeddings: np.ndarray
    near_copy_above: float | None

    @classmethod
    def of(cls, embeddings: dict[str, np.ndarray]) -> KnownGarments:
        """Article id -> embedding. The threshold is the quantile of the garments' own nearest neighbours."""
        if len(embeddings) < MIN_KNOWN:
            stacked = np.stack(list(embeddings.values())) if embeddings else np.zeros((0, 1), np.float32)
            return cls(tuple(embeddings), stacked, None)
        stacked = np.stack(list(embeddings.values()))
        similarities = stacked @ stacked.T
        np.fill_diagonal(similarities, -1.0)
        return cls(tuple(embeddings), stacked, float(np.quantile(similarities.max(axis=1), NEAR_COPY_QUANTILE)))


def phrases_of(prompt: str) -> tuple[str, ...]:
    """The parts of a prompt that can be scored alone: colours and patterns by their words, the rest between joints.

    "navy striped t-shirt with long sleeves" -> ("navy", "striped", "t-shirt", "long sleeves").
    """
    known = sorted((*COLOUR_BY_WORD, *PATTERNS), key=len, reverse=True)
    words = re.compile(rf"\b({'|'.join(map(re.escape, known))})\b", re.IGNORECASE)
    found = []
    for part in JOINTS.split(prompt):
        found += [piece.strip() for piece in words.split(part) if piece.strip()]
    return tuple(dict.fromkeys(found))[:MAX_PHRASES]


def explain(
    ranked: Sequence[ScoredDesign], pictures: np.ndarray, scorer: ClipScorer, known: KnownGarments
) -> tuple[Explanation, ...]:
    """One explanation for each design of a request, in the same order.

    Args:
        pictures: their embeddings [N, D], which scoring has made already.
    """
    if not ranked:
        return ()
    phrases = phrases_of(ranked[0].design.request.prompt)
    texts = scorer.embed_texts(list(phrases)) if phrases else np.zeros((0, 1))  # [P, D]
    return tuple(
        _explanation(one, picture, _scores(phrases, texts, picture), known)
        for one, picture in zip(ranked, pictures, strict=True)
    )


def _scores(phrases: tuple[str, ...], texts: np.ndarray, picture: np.ndarray) -> tuple[tuple[str, float], ...]:
    return tuple((phrase, float(text @ picture)) for phrase, text in zip(phrases, texts, strict=True))


def _explanation(
    scored: ScoredDesign, picture: np.ndarray, phrases: tuple[tuple[str, float], ...], known: KnownGarments
) -> Explanation:
    similarities = known.embeddings @ picture if known.article_ids else np.zeros(0)
    closest = int(similarities.argmax()) if len(similarities) else None
    similarity = float(similarities[closest]) if closest is not None else 0.0
    near, strokes = near_edges(scored.design.image), scored.design.request.sketch > 0.5
    return Explanation(
        phrases=phrases,
        closest_article_id=known.article_ids[closest] if closest is not None else "",
        closest_similarity=similarity,
        near_copy=known.near_copy_above is not None and similarity > known.near_copy_above,
        followed=strokes & near,
        missed=strokes & ~near,
    )

"""What a card tells about its rank: scores by phrase, strokes followed and missed, garments that the design is like.

In: ranked designs and their `Explanation`s. Out: `Why`s. Knows nothing of gradio or HTML.
"""

from __future__ import annotations

import numpy as np

from fashiondistill.design import DesignRequest, Explanation, ScoredDesign
from studio import texts
from studio.engine import DesignEngine
from studio.pictures import jpeg_url, tile_picture
from studio.state import LikeGarment, PhraseScore, Why

FOLLOWED, MISSED = (22, 133, 92), (214, 48, 49)  # sRGB; told apart by lightness, too
FADED = 0.45  # share of the picture's contrast that is left under the marked strokes


def tell_why(
    engine: DesignEngine,
    request: DesignRequest,
    designs: tuple[ScoredDesign, ...],
    explanations: tuple[Explanation, ...],
) -> tuple[Why, ...]:
    """One `Why` a design, in their order."""
    bestsellers = {item.article_id: item for item in engine.bestsellers(request.category, request.week)}
    best = {
        phrase: max(dict(one.phrases)[phrase] for one in explanations)
        for phrase, _ in (explanations[0].phrases if explanations else ())
    }
    whys = []
    for scored, told in zip(designs, explanations, strict=True):
        nearest = bestsellers[scored.nearest_article_id]
        closest = None
        if told.closest_article_id:
            item = engine.known_garment(request.category, told.closest_article_id)
            closest = LikeGarment(item.name, tile_picture(item.image), told.closest_similarity)
        whys.append(
            Why(
                nearest=LikeGarment(texts.bestseller(nearest.rank, nearest.name), tile_picture(nearest.image)),
                phrases=tuple(
                    PhraseScore(phrase, score, len(designs) > 1 and score == best[phrase])
                    for phrase, score in told.phrases
                ),
                heat=jpeg_url(heat_map(scored.design.image, told), quality=85),
                stroke_share=told.stroke_share,
                closest=closest,
                near_copy=told.near_copy,
            )
        )
    return tuple(whys)


def heat_map(picture: np.ndarray, told: Explanation) -> np.ndarray:
    """uint8 [512, 384, 3]: the picture, faded towards white, with followed and missed strokes in colour."""
    shown = (255 - (255 - picture.astype(np.float32)) * FADED).astype(np.uint8)
    shown[told.followed], shown[told.missed] = FOLLOWED, MISSED
    return shown

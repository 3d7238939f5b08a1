"""A person in a product picture -> the part of the silhouette that is the article, by skin tone, place and colour.

In: CIELAB picture, silhouette of all that is not ground, category. Out: the smaller silhouette and how far it can be
trusted, or None if nobody wears the article. No model: the person's own skin tone is read from the head or from a pair
of limbs, and an outfit is cut at the height where its colours change most. It cannot tell a jacket from the shirt
beneath it, nor long hair from cloth.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from fashiondistill.data.masks import keep_garment

TRUST = 0.7  # what a mask that was cut out of an outfit can score at most
MOST_LIMBS = 6  # skin-coloured pieces of a person: neck, arms, legs, belly
UNSEPARATED = 0.3  # the same if somebody wears cloth of the colour of skin
OUTFIT_DISTANCE = 14.0  # CIELAB between the two halves of an outfit, at least
WEARABLE = ("top5gub", "top5glb", "top5gfb", "top5underwear")
SKIN_HUE = (30.0, 82.0)  # degrees in CIELAB; with the limits below, skin of every tone and a good deal of leather
SKIN_CHROMA = (9.0, 38.0)
SKIN_LIGHTNESS = (18.0, 92.0)
TONE_DISTANCE = 13.0  # CIELAB with lightness halved: shading across one person's skin


@dataclass(frozen=True, eq=False)
class Worn:
    """The article of a worn outfit: uint8 [H, W], 1 = article, and what its score is at most."""

    article: np.ndarray
    trust: float


def cut_from_outfit(lab: np.ndarray, silhouette: np.ndarray, category: str) -> Worn | None:
    """The article alone, if somebody wears it.

    Args:
        lab: float32 [H, W, 3] CIELAB.
        silhouette: uint8 [H, W], 1 = person and clothes.
        category: folder name; only garments are cut, a bag or a shoe stays with the hand or the leg.

    Returns:
        None if no person is seen.
    """
    if category not in WEARABLE or not silhouette.any():
        return None
    skin_like = _skin_coloured(lab) & (silhouette > 0)
    head_base = _head_base(silhouette, skin_like)
    rows = np.arange(len(silhouette))[:, None]
    seed = skin_like & (rows < head_base) if head_base else _pair_of_limbs(silhouette, skin_like)
    if seed is None or not seed.any():
        return None
    tone = np.median(lab[seed], axis=0)
    cloth = (silhouette > 0) & (rows >= head_base)
    like_tone = np.linalg.norm((lab - tone) * [0.5, 1, 1], axis=-1) < TONE_DISTANCE
    bare = cv2.morphologyEx((cloth & like_tone).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    article = keep_garment((cloth & ~bare).astype(np.uint8)) > 0
    if article.sum() < 0.2 * (silhouette > 0).sum():  # cloth of the colour of skin
        hairy = head_base and _hair_share(silhouette[:head_base], skin_like[:head_base]) > 0.08
        return Worn(cloth.astype(np.uint8), UNSEPARATED) if hairy else None
    if not head_base and not _holds_the_middle(article):
        return None
    filled = np.flatnonzero(silhouette.any(axis=1))
    top, height = int(filled[0]), len(filled)
    waist = slice(top + round(0.33 * height), top + round(0.68 * height)) if head_base else None
    return Worn(_half_of_outfit(lab, article, category, waist).astype(np.uint8), TRUST)


def _holds_the_middle(article: np.ndarray) -> bool:
    """Whether what remains is one thing in the middle; two sleeves of a cardigan with a beige body are not."""
    left, _, width, height = cv2.boundingRect(article.astype(np.uint8))
    middle = slice(left + round(0.45 * width), left + round(0.55 * width) + 1)
    return article[:, middle].any(axis=1).sum() > 0.4 * height


def _skin_coloured(lab: np.ndarray) -> np.ndarray:
    lightness, a, b = lab[..., 0], lab[..., 1], lab[..., 2]
    hue, chroma = np.degrees(np.arctan2(b, a)), np.hypot(a, b)
    return (
        (hue > SKIN_HUE[0]) & (hue < SKIN_HUE[1]) & (chroma > SKIN_CHROMA[0]) & (chroma < SKIN_CHROMA[1])
        & (lightness > SKIN_LIGHTNESS[0]) & (lightness < SKIN_LIGHTNESS[1])
    )  # fmt: skip


def _head_base(silhouette: np.ndarray, skin_like: np.ndarray) -> int:
    """Row where the neck ends, or 0: a narrow, partly skin-coloured piece on top of something much wider."""
    filled = np.flatnonzero(silhouette.any(axis=1))
    top, height = int(filled[0]), int(filled[-1] - filled[0] + 1)
    widths = silhouette.sum(axis=1)
    widest = float(np.percentile(widths[filled], 90))
    reach = top + round(0.3 * height)
    wide = np.flatnonzero(widths[top:reach] > 0.62 * widest)
    base = top + int(wide[0]) if len(wide) else 0
    if not base or base - top < 0.06 * height:
        return 0
    if widths[top : top + round(0.08 * height)].max() > 0.45 * widest:
        return 0
    head = silhouette[top:base] > 0
    share = (skin_like[top:base] & head).sum() / head.sum()
    return base if share > 0.25 else 0


def _hair_share(silhouette: np.ndarray, skin_like: np.ndarray) -> float:
    """Part of the head that has not the colour of skin; the top of a beige garment has none."""
    return float(1 - (skin_like & (silhouette > 0)).sum() / max((silhouette > 0).sum(), 1))


def _pair_of_limbs(silhouette: np.ndarray, skin_like: np.ndarray) -> np.ndarray | None:
    """Two skin-coloured pieces of like size left and right of the middle: hands, arms or legs of a cropped person."""
    opened = cv2.morphologyEx(skin_like.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    count, labels, stats, centres = cv2.connectedComponentsWithStats(opened)
    total = int((silhouette > 0).sum())
    big = [n for n in range(1, count) if stats[n, cv2.CC_STAT_AREA] > 0.008 * total]
    if len(big) > MOST_LIMBS:  # stripes and checks
        return None
    big = [n for n in big if stats[n, cv2.CC_STAT_HEIGHT] > 0.8 * stats[n, cv2.CC_STAT_WIDTH]]
    left, _, width, _ = cv2.boundingRect((silhouette > 0).astype(np.uint8))
    middle = left + width / 2
    for first in big:
        for second in big:
            sides = (centres[first, 0] - middle) / width, (centres[second, 0] - middle) / width
            areas = sorted((stats[first, cv2.CC_STAT_AREA], stats[second, cv2.CC_STAT_AREA]))
            level = abs(centres[first, 1] - centres[second, 1]) < 0.12 * silhouette.shape[0]
            if sides[0] < -0.04 and sides[1] > 0.04 and abs(sum(sides)) < 0.2 and areas[1] < 3 * areas[0] and level:
                return np.isin(labels, (first, second))
    return None


def _half_of_outfit(lab: np.ndarray, article: np.ndarray, category: str, waist: slice | None) -> np.ndarray:
    """Cut an outfit in two where the mean colours above and below differ most; a garment of one colour stays whole.

    `waist` holds the rows to look at; None = nearly all rows of the article: the picture shows a part of a person.
    """
    if category not in ("top5gub", "top5glb"):
        return article
    filled = np.flatnonzero(article.any(axis=1))
    top, height = int(filled[0]), int(filled[-1] - filled[0] + 1)
    rows = waist or slice(top + round(0.06 * height), top + round(0.94 * height))
    span = max(6, round(0.12 * height))
    counts = article.sum(axis=1).astype(np.float64)
    sums = (lab * article[..., None]).sum(axis=1)
    best, strength = 0, 0.0
    for row in range(rows.start, rows.stop):
        above, below = slice(max(0, row - span), row), slice(row, row + span)
        if min(counts[above].sum(), counts[below].sum()) < 30:
            continue
        means = [sums[part].sum(axis=0) / counts[part].sum() for part in (above, below)]
        difference = float(np.linalg.norm(means[0] - means[1]))
        if difference > strength:
            best, strength = row, difference
    if strength < OUTFIT_DISTANCE:
        return article
    keep = np.zeros_like(article)
    keep[(slice(0, best) if category == "top5gub" else slice(best, None))] = True
    return article & keep

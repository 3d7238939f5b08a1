"""A shop's product picture -> garment mask, with no model: the light ground is fitted, what is not ground is cut out.

In: uint8 [H, W, 3] RGB on a plain light ground, and the category. Out: `GarmentMask`, as `masks` gives it. Where the
picture shows the garment on a person, skin, head and the other half of the outfit are taken away by colour and place;
such masks are trusted less. It knows no garments: it cannot tell a jacket from the shirt beneath it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from fashiondistill.data.masks import (
    GarmentMask,
    grab_cut,
    iou,
    keep_garment,
    ramp,
    refine,
    shape_terms,
    with_sure_border,
)
from fashiondistill.data.worn import cut_from_outfit

WORK_SIZE = 384  # long side in pixels; straps and gaps of 1 % of the picture are still 4 pixels wide
BAND = 0.06  # of the shorter side: the frame that is taken for ground at first
SHADOW_WEIGHT = 0.5  # of a darker lightness in the distance to the ground: shadows are darker, garments also otherwise
GROUND_DISTANCE = 2.2  # CIELAB; below it a pixel is ground for sure
GARMENT_DISTANCE = 12.0  # above it a pixel is none
BRIGHTER = 0.8  # CIELAB lightness; nothing throws light on the ground, so what is brighter by more is white cloth
PARTS = {"speck": 3, "smallest_part": 0.04}  # straps and charms stay; on a plain ground few specks need to go
MIN_AREA = 0.01  # of the picture; belts and earrings take little of theirs
CALM = 0.25  # CIELAB per pixel: the slope of ground, also in a soft shadow; white cloth has 0.3 to 0.9
EDGE = 1.0  # CIELAB per pixel, at least; 0.7 keeps shadows, 1.5 loses a tenth of white garments (docs/LOG.md)
DISC = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
EDGE_WIDTH = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))  # the outer half of an edge's slope is no garment


@dataclass(frozen=True, eq=False)
class Ground:
    """A fitted ground: distance of each pixel from it [H, W], and the share of the frame that it explains."""

    distance: np.ndarray
    plain: float


def studio_mask(image: np.ndarray, category: str) -> GarmentMask:
    """Segment the article that a product picture is about.

    Args:
        image: uint8 [H, W, 3] RGB.
        category: folder name; says which part of a worn outfit is meant.

    Returns:
        The mask. The score is the product of terms in [0, 1]: how plain the ground is, whether the outline follows an
        edge or at least GrabCut finds the same, size and outline; out of a worn outfit it is at most `worn.TRUST`.
    """
    scale = WORK_SIZE / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    lab = _lab(cv2.GaussianBlur(small, (0, 0), 0.7))
    ground = fit_ground(lab)
    slope = _slope(lab)
    edge = _least_edge(slope, ground)
    silhouette = keep_garment(_silhouette(slope, edge, ground), **PARTS)
    second = keep_garment(_second_opinion(small, ground), **PARTS)
    agreement = ramp(iou(silhouette, second), 0.55, 0.9)
    terms = {
        "ground is not plain": ramp(ground.plain, 0.35, 0.6),
        "outline without an edge": max(agreement, _edge_share(slope, edge, silhouette)),
    }
    worn = cut_from_outfit(lab, silhouette, category)
    if worn is not None:
        silhouette = keep_garment(worn.article, **PARTS)
        terms["worn, cut out by colour"] = worn.trust
    terms |= shape_terms(silhouette, min_area=MIN_AREA)
    if category == "top5acc" or (category == "top5underwear" and worn is None):
        terms.pop("solidity", None)  # belts, necklaces, rings and what hangs on straps are mostly air
    return GarmentMask(
        refine(image, silhouette, **PARTS), float(np.prod(list(terms.values()))), min(terms, key=terms.get)
    )


def fit_ground(lab: np.ndarray) -> Ground:
    """Fit a quadratic surface to each channel of the frame, then again to all that is like it.

    Args:
        lab: float32 [H, W, 3] CIELAB.
    """
    height, width = lab.shape[:2]
    band = max(3, round(BAND * min(height, width)))
    frame = np.ones((height, width), bool)
    frame[band:-band, band:-band] = False
    histogram, edges = np.histogram(lab[..., 0][frame], bins=50, range=(0, 100))
    commonest = edges[int(np.argmax(np.convolve(histogram, np.ones(5), "same")))] + 1
    like = frame & (np.abs(lab[..., 0] - commonest) < 8)
    for _ in range(4):
        difference = (lab - _surface(lab, like)).astype(np.float32)
        distance = np.linalg.norm(difference * np.float32([SHADOW_WEIGHT, 1, 1]), axis=-1)
        near = cv2.erode((distance < 3).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        like = near if near.sum() > 0.1 * near.size else frame & near
        if like.sum() < 100:
            break
    noise = 1.48 * float(np.median(np.abs(difference[..., 0][like]))) if like.any() else 1.0
    brighter = np.clip(difference[..., 0] - max(BRIGHTER, 3 * noise), 0, None)
    return Ground(distance + 2 * brighter, float((distance[frame] < 4).mean()))


def _surface(lab: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Least-squares quadratic of the pixels `where`, at every pixel."""
    height, width = where.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    basis = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], -1)
    chosen = np.flatnonzero(where)[:: max(1, int(where.sum()) // 4000)]
    solution, *_ = np.linalg.lstsq(basis.reshape(-1, 6)[chosen], lab.reshape(-1, 3)[chosen], rcond=None)
    return basis @ solution


def _slope(lab: np.ndarray) -> np.ndarray:
    """CIELAB per pixel, [H, W] float32."""
    total = np.zeros(lab.shape[:2], np.float32)
    for channel in range(3):
        x, y = (cv2.Scharr(lab[..., channel], cv2.CV_32F, *axis) / 32 for axis in ((1, 0), (0, 1)))
        total += x * x + y * y
    return np.sqrt(total)


def _least_edge(slope: np.ndarray, ground: Ground) -> float:
    """The slope that no noise of the ground reaches."""
    calm = slope[ground.distance < GROUND_DISTANCE]
    return max(EDGE, 5 * float(np.median(calm))) if calm.size else EDGE


def _silhouette(slope: np.ndarray, edge: float, ground: Ground) -> np.ndarray:
    """What the ground does not reach when it floods in from the frame: it passes soft shadows, not sharp edges."""
    open_ground = (ground.distance < GROUND_DISTANCE) & (slope < 1.5 * edge)
    passable = (open_ground | ((ground.distance < GARMENT_DISTANCE) & (slope < edge))).astype(np.uint8)
    broad = cv2.erode(passable, DISC)  # the flood is as broad as the disc and does not seep through a faint edge's gaps
    count, labels, stats, _ = cv2.connectedComponentsWithStats(broad, connectivity=4)
    touching = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    outside = np.isin(labels, touching[touching > 0])
    for number in range(1, count):
        piece = labels == number
        if number in touching or stats[number, cv2.CC_STAT_AREA] < 0.0006 * labels.size:
            continue
        middle, most = np.percentile(ground.distance[piece], (50, 90))
        if middle < 0.6 * GROUND_DISTANCE and most < GROUND_DISTANCE and np.median(slope[piece]) < CALM:
            outside |= piece  # ground seen through the article: between legs, through a handle; cloth has folds
    reached = cv2.dilate(outside.astype(np.uint8), DISC)
    return 1 - cv2.dilate(reached, EDGE_WIDTH)


def _edge_share(slope: np.ndarray, edge: float, silhouette: np.ndarray) -> float:
    """0 to 1: how much of the outline has an edge within two pixels; a flood that broke in stops where none is."""
    outline = cv2.morphologyEx(silhouette, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    near = cv2.dilate((slope > edge).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return ramp(float(near[outline].mean()), 0.7, 0.95) if outline.any() else 0.0


def _second_opinion(small: np.ndarray, ground: Ground) -> np.ndarray:
    """GrabCut from the fitted ground alone."""
    start = np.where(ground.distance > 5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    start[ground.distance > 20] = cv2.GC_FGD
    return grab_cut(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), with_sure_border(start))


def _lab(rgb: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)

"""Sketch -> the region that its outline encloses, which becomes the mask: paint here, leave the ground alone.

In: float strokes [H, W]. Out: a float mask, or None where no outline closes. Without it the model has to guess from
lines alone which side of them is cloth, and leaves white patches in garments and cloth between trouser legs. Knows
nothing of models.
"""

from __future__ import annotations

import cv2
import numpy as np

GAP = 9  # pixels: gaps in an outline up to this width count as closed
MARGIN = 9  # pixels of ground around the outline that may still be repainted; strokes are seldom exact
THIN = 17  # pixels: what is narrower is lines, not an enclosed region
NEAR = 8  # pixels: a stroke this close to an enclosed region belongs to its outline
MIN_SHARE = 0.9  # of the strokes must belong to what they enclose, or the drawing is taken for an open one
MIN_AREA = 0.01  # of the picture; smaller regions (an eyelet) say nothing


def garment_region(sketch: np.ndarray) -> np.ndarray | None:
    """The region that a sketch encloses, widened by `MARGIN`.

    Args:
        sketch: [H, W] float in [0, 1], 1 = stroke.

    Returns:
        [H, W] float32, 1 = inside, or None if the lines are too open to say.
    """
    strokes = (sketch > 0.3).astype(np.uint8)
    solid = cv2.erode(filled(cv2.dilate(strokes, _disc(GAP))), _disc(GAP))  # filled while the gaps are bridged
    body = cv2.morphologyEx(solid, cv2.MORPH_OPEN, _disc(THIN))
    if body.mean() < MIN_AREA or (strokes & widen(body, NEAR)).sum() < MIN_SHARE * strokes.sum():
        return None
    return widen(np.maximum(body, strokes)).astype(np.float32)


def enclosed(lines: np.ndarray) -> np.ndarray:
    """uint8 [H, W]: what cannot be reached from the border without crossing `lines` (uint8, > 0 = line)."""
    free = np.pad((lines == 0).astype(np.uint8), 1, constant_values=1)
    _, labels = cv2.connectedComponents(free, connectivity=4)
    outside = labels == labels[0, 0]
    return ((free > 0) & ~outside)[1:-1, 1:-1].astype(np.uint8)


def filled(mask: np.ndarray) -> np.ndarray:
    """uint8 [H, W] of 0 and 1: a garment's mask (> 0 = garment) with its holes closed, as its outline encloses it."""
    return np.maximum((mask > 0).astype(np.uint8), enclosed(mask))


def widen(region: np.ndarray, margin: int = MARGIN) -> np.ndarray:
    """Grow a uint8 region by `margin` pixels."""
    return cv2.dilate(region, _disc(2 * margin + 1))


def _disc(size: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))

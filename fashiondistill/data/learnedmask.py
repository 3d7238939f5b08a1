"""Photo -> garment mask with the small network of `data.learned` as a fourth start of GrabCut and as its check.

In: uint8 [H, W, 3] RGB. Out: `GarmentMask`. The network sees four views of the photo; where they agree they fix garment
and ground, GrabCut decides within a band along the outline. A mask counts as far as views and GrabCut agree.
"""

from __future__ import annotations

import cv2
import numpy as np

from fashiondistill.data.learned import garment_chance
from fashiondistill.data.masks import (
    GarmentMask,
    Small,
    garment_mask,
    grab_cut,
    iou,
    keep_garment,
    ramp,
    refine,
    score_terms,
    with_sure_border,
)

FINE = 0.9  # a mask of the three plain starts that scores so much needs no fourth
KEPT_TERMS = ("touches the picture's border", "ragged outline", "solidity")  # background inside asks for a plain ground
# IoU below and unsureness up to which a plain mask is dropped: 9 of 2,000, wrong as far as thumbnails show.
DIFFERENT, SURE = 0.845, 0.10
BAND = 0.022  # of the long side: how far from the network's outline GrabCut may still move it


def learned_mask(image: np.ndarray) -> GarmentMask:
    """The plain starts' mask if it is fine and the network agrees, else the network's start's, if that is better."""
    plain = garment_mask(image)
    small = Small.of(image)
    views = chances(small.rgb)
    if plain.score >= FINE:
        return checked(plain, views)
    return max(plain, fourth_mask(image, small, views), key=lambda found: found.score)


def checked(plain: GarmentMask, views: np.ndarray) -> GarmentMask:
    """The mask as it is, or with score 0 if a network that is sure sees another garment."""
    chance = views.mean(axis=0)
    seen = keep_garment((chance > 0.5).astype(np.uint8))
    small = cv2.resize(plain.mask, seen.shape[::-1], interpolation=cv2.INTER_AREA)
    if iou(seen, (small > 127).astype(np.uint8)) >= DIFFERENT or unsureness(chance, seen) > SURE:
        return plain
    return GarmentMask(plain.mask, 0.0, "the network sees another garment")


def unsureness(chance: np.ndarray, seen: np.ndarray) -> float:
    """How much probability the network withholds, as a share of the garment's area; 0 = none."""
    return float(np.minimum(chance, 1 - chance).sum() / max(int(seen.sum()), 1))


def chances(rgb: np.ndarray) -> np.ndarray:
    """Probabilities float32 [4, h, w] from the photo as it is, mirrored, zoomed in and lighter; uint8 [h, w, 3] in."""
    height, width = rgb.shape[:2]
    top, left = round(0.04 * height), round(0.04 * width)
    inner = rgb[top : height - top, left : width - left]
    light = (255 * (rgb / np.float32(255)) ** 0.75).astype(np.uint8)
    size = (width, height)
    found = [_sized(garment_chance(rgb), size), _sized(garment_chance(rgb[:, ::-1]), size)[:, ::-1]]
    zoomed = found[0].copy()
    zoomed[top : height - top, left : width - left] = _sized(garment_chance(inner), inner.shape[1::-1])
    return np.stack([*found, zoomed, _sized(garment_chance(light), size)])


def _sized(chance: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(chance, size, interpolation=cv2.INTER_LINEAR)


def fourth_mask(image: np.ndarray, small: Small, views: np.ndarray) -> GarmentMask:
    """GrabCut from the network's start, with its own score."""
    cut, terms = fourth_cut(small, views)
    if not cut.any():
        return GarmentMask(np.zeros(image.shape[:2], np.uint8), 0.0, "garment size")
    return GarmentMask(refine(image, cut), float(np.prod(list(terms.values()))), min(terms, key=terms.get))


def fourth_cut(small: Small, views: np.ndarray) -> tuple[np.ndarray, dict[str, float]]:
    """Mask uint8 [h, w] of 0 and 1 from the network's start, and what speaks for it, each in [0, 1]."""
    chance = views.mean(axis=0)
    seen = keep_garment((chance > 0.5).astype(np.uint8))
    cut = keep_garment(grab_cut(small.lab, _start(chance, seen)))
    plain = score_terms(small, cut, 1.0)
    if "garment size" in plain:
        return cut, plain
    views_agree = float(np.mean([iou(seen, (view > 0.5).astype(np.uint8)) for view in views]))
    return cut, {name: plain[name] for name in KEPT_TERMS} | {
        "agreement of network and GrabCut": ramp(iou(seen, cut), 0.85, 0.945),
        "agreement of the network's views": ramp(views_agree, 0.88, 0.965),
        "unsure network": 1 - ramp(unsureness(chance, seen), 0.09, 0.19),
        "edge contrast": ramp(plain["edge contrast"], 0, 0.5),
    }


def _start(chance: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Sure where the network is sure and its outline is not near; probable elsewhere."""
    reach = max(3, round(BAND * max(chance.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    start = np.where(seen > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    start[(cv2.erode(seen, kernel) > 0) & (chance > 0.8)] = cv2.GC_FGD
    start[(cv2.dilate(seen, kernel) == 0) & (chance < 0.2)] = cv2.GC_BGD
    return with_sure_border(start)

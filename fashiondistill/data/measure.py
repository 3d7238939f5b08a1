"""Measure what a caption says: colours and pattern of a masked garment, and the length of its sleeves or legs.

In: uint8 [H, W, 3] RGB and uint8 [H, W] mask, garment placed as `placing` does. Out: words of `attributes`.
No model: clusters in CIELAB named by the nearest prototype (CIEDE2000), and the direction and spread of edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from skimage.color import deltaE_ciede2000

from fashiondistill.data.attributes import COLOURS

NUM_CLUSTERS = 5
SECOND_COLOUR_SHARE = 0.16
SECOND_COLOUR_DISTANCE = 16  # CIEDE2000; folds of one cloth stay below this


@dataclass(frozen=True)
class ColourShare:
    """A named colour of the garment: word, measured mean sRGB (0..255) and share of the garment's pixels."""

    word: str
    rgb: tuple[int, int, int]
    share: float


def name_colours(rgb: np.ndarray) -> list[str]:
    """For each row of uint8 [N, 3] sRGB the colour word whose prototype is nearest by CIEDE2000."""
    distances = deltaE_ciede2000(_lab(rgb[:, None]), _prototypes()[None])
    return [COLOURS[index].word for index in np.argmin(distances, axis=1)]


def measure_colours(image: np.ndarray, mask: np.ndarray) -> list[ColourShare]:
    """Named colours by falling share, one or two: the second only if it is far from the first and not a shadow."""
    inside = cv2.erode((mask > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    if inside.sum() < 400:
        inside = mask > 0
    small = cv2.GaussianBlur(image, (0, 0), 1.5)
    lab = _lab(small[inside][::7][:, None])[:, 0].astype(np.float32)
    cv2.setRNGSeed(0)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 15, 0.5)
    _, labels, centres = cv2.kmeans(lab, NUM_CLUSTERS, None, criteria, 1, cv2.KMEANS_PP_CENTERS)
    shares = np.bincount(labels[:, 0], minlength=NUM_CLUSTERS) / len(labels)
    groups = _merge_shades(centres, shares)
    words = name_colours(np.uint8([rgb for rgb, _ in groups]))
    named = [ColourShare(word, rgb, share) for word, (rgb, share) in zip(words, groups, strict=True)]
    merged: list[ColourShare] = []
    for colour in sorted(named, key=lambda c: -c.share):
        if all(colour.word != other.word for other in merged):
            merged.append(colour)
    return merged[:1] + [c for c in merged[1:2] if c.share >= SECOND_COLOUR_SHARE]


def _merge_shades(centres: np.ndarray, shares: np.ndarray) -> list[tuple[tuple[int, int, int], float]]:
    """Join clusters that are shades of one cloth: similar hue and chroma, or close by CIEDE2000."""
    groups: list[list[int]] = []
    for index in np.argsort(-shares):
        for group in groups:
            if deltaE_ciede2000(centres[group[0]], centres[index], kL=1.7) < SECOND_COLOUR_DISTANCE:
                group.append(int(index))
                break
        else:
            groups.append([int(index)])
    result = []
    for group in groups:
        weight = shares[group] / shares[group].sum()
        result.append((_rgb(np.sum(centres[group] * weight[:, None], axis=0)), float(shares[group].sum())))
    return result


def measure_pattern(image: np.ndarray, mask: np.ndarray) -> str:
    """A key of `attributes.PATTERNS`, from strength, coverage and direction of the edges inside the garment."""
    inside = cv2.erode((mask > 0).astype(np.uint8), np.ones((21, 21), np.uint8)) > 0
    if inside.sum() < 2000:
        return "plain"
    lab = cv2.cvtColor(cv2.GaussianBlur(image, (0, 0), 1.6), cv2.COLOR_RGB2LAB).astype(np.float32)
    lab[..., 0] *= 0.5 * 100 / 255  # folds and shadows are lightness; prints are mostly hue or strong contrast
    grad_x = np.stack([cv2.Sobel(lab[..., c], cv2.CV_32F, 1, 0) for c in range(3)], -1) / 8
    grad_y = np.stack([cv2.Sobel(lab[..., c], cv2.CV_32F, 0, 1) for c in range(3)], -1) / 8
    strength = np.sqrt((grad_x**2 + grad_y**2).sum(-1))
    strong = (strength > 2.8) & inside
    density = cv2.boxFilter(strong.astype(np.float32), -1, (41, 41))
    coverage = float((density > 0.15)[inside].mean())
    if coverage < 0.07:
        return "plain"
    if coverage < 0.45:
        return "printed" if _is_compact(density > 0.15, inside) else "plain" if coverage < 0.2 else "printed"
    return _direction_word(grad_x, grad_y, strength, strong)


def _direction_word(grad_x: np.ndarray, grad_y: np.ndarray, strength: np.ndarray, strong: np.ndarray) -> str:
    """Striped: most edges share one direction. Checked: most lie along two that are perpendicular."""
    xx, yy, xy = (grad_x**2).sum(-1), (grad_y**2).sum(-1), (grad_x * grad_y).sum(-1)
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)[strong]
    weight = strength[strong]
    histogram, _ = np.histogram(angle, bins=36, range=(-np.pi / 2, np.pi / 2), weights=weight)
    histogram = histogram / histogram.sum()
    smooth = sum(np.roll(histogram, shift) for shift in (-3, -2, -1, 0, 1, 2, 3))  # share within 17.5 degrees
    peak = int(np.argmax(smooth))
    across = smooth[(peak + 18) % 36]
    if smooth[peak] > 0.58 and across < 0.17:
        return "striped"
    if smooth[peak] + across > 0.70 and across > 0.2:
        return "checked"
    return "patterned"


def _is_compact(busy: np.ndarray, inside: np.ndarray) -> bool:
    """True if one patch holds most of the busy area, as a chest print does and scattered folds do not."""
    count, _, stats, _ = cv2.connectedComponentsWithStats((busy & inside).astype(np.uint8))
    return count > 1 and stats[1:, cv2.CC_STAT_AREA].max() > 0.6 * stats[1:, cv2.CC_STAT_AREA].sum()


@cache
def _prototypes() -> np.ndarray:
    return _lab(np.uint8([[colour.rgb for colour in COLOURS]]))[0]


def _lab(rgb: np.ndarray) -> np.ndarray:
    """uint8 [N, M, 3] sRGB -> float32 CIELAB."""
    return cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def _rgb(lab: np.ndarray) -> tuple[int, int, int]:
    pixel = cv2.cvtColor(np.float32([[lab]]), cv2.COLOR_LAB2RGB)[0, 0]
    return tuple(int(v) for v in (pixel * 255).round().clip(0, 255))

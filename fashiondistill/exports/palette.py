"""The palette of a design: its few main colours as hex, with the nearest textile colour name.

In: uint8 [H, W, 3] RGB on the flat ground. Out: `Swatch`es, largest share first; the same picture gives the same ones.
Distances are CIEDE2000 (Sharma et al. 2005).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from skimage.color import deltaE_ciede2000

from fashiondistill.config import GROUND
from fashiondistill.exports.colournames import TEXTILE_COLOURS

MAX_SWATCHES = 5
NUM_CLUSTERS = 8
SAME_CLOTH = 11.0  # CIEDE2000 with lightness at 1 / 1.7, below which two clusters are folds of one cloth
MIN_SHARE = 0.03  # of the garment; less is an edge or a button
OFF_GROUND = 7  # grey levels by which a pixel differs from the ground where the garment begins
SMALLEST_HOLE = 150  # pixels; smaller flat spots are highlights
FLAT = 1.5  # grey levels of mean distance from the ground; it is 0 to 0.1 in pictures of the demo catalogue
MAX_PIXELS = 6000  # pixels of the garment that are looked at


@dataclass(frozen=True)
class Swatch:
    """One colour: mean sRGB (0..255), share of the garment's pixels (0..1) and name."""

    rgb: tuple[int, int, int]
    share: float
    name: str

    @property
    def hex(self) -> str:
        """ "#1a2b3c"."""
        return "#{:02x}{:02x}{:02x}".format(*self.rgb)


def palette(image: np.ndarray) -> tuple[Swatch, ...]:
    """The garment's main colours, one to `MAX_SWATCHES`; of a picture that is all ground, the ground's."""
    pixels = image[garment(image)]
    if len(pixels) < 50:
        pixels = image.reshape(-1, 3)
    lab = _lab(pixels[:: max(1, len(pixels) // MAX_PIXELS)])
    count = min(NUM_CLUSTERS, len(np.unique(lab, axis=0)))
    cv2.setRNGSeed(0)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.3)
    _, labels, centres = cv2.kmeans(lab, count, None, criteria, 1, cv2.KMEANS_PP_CENTERS)
    shares = np.bincount(labels[:, 0], minlength=count) / len(labels)
    swatches: dict[str, Swatch] = {}
    for rgb, share in _joined(centres, shares):
        name = nearest_name(rgb)
        known = swatches.get(name)  # two shades of one name are one swatch, in the colour of the larger
        swatches[name] = Swatch(known.rgb if known else rgb, share + (known.share if known else 0.0), name)
    ordered = sorted(swatches.values(), key=lambda swatch: -swatch.share)
    return tuple(ordered[:1] + [swatch for swatch in ordered[1:MAX_SWATCHES] if swatch.share >= MIN_SHARE])


def nearest_name(rgb: tuple[int, int, int]) -> str:
    """The textile colour name whose prototype is nearest."""
    names, prototypes = _prototypes()
    return names[int(np.argmin(deltaE_ciede2000(_lab(np.uint8([rgb])), prototypes)))]


def garment(image: np.ndarray) -> np.ndarray:
    """bool [H, W]: what stands on the ground, filled, so that a white garment with a drawn edge counts as a whole."""
    off = np.abs(cv2.GaussianBlur(image, (0, 0), 1.2).astype(np.int16) - GROUND).max(axis=2) > OFF_GROUND
    contours, _ = cv2.findContours(off.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    filled = np.zeros(off.shape, np.uint8)
    cv2.drawContours(filled, contours, -1, 1, thickness=cv2.FILLED)
    filled[_holes((filled > 0) & ~off, image)] = 0
    inner = cv2.erode(filled, np.ones((5, 5), np.uint8))  # the rim mixes with the ground
    return (inner if inner.sum() >= 50 else filled) > 0


def _holes(enclosed: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Enclosed parts that are the ground itself, seen through a handle; cloth as light as that is never as flat."""
    count, labels = cv2.connectedComponents(enclosed.astype(np.uint8), connectivity=4)
    found = np.zeros(enclosed.shape, bool)
    for number in range(1, count):
        part = image[labels == number].astype(np.float32)
        if len(part) >= SMALLEST_HOLE and np.abs(part - GROUND).mean() < FLAT:
            found |= labels == number
    return found


def _joined(centres: np.ndarray, shares: np.ndarray) -> list[tuple[tuple[int, int, int], float]]:
    """Clusters that are folds of one cloth become one, in the mean colour."""
    groups: list[list[int]] = []
    for index in map(int, np.argsort(-shares, kind="stable")):
        for group in groups:
            if deltaE_ciede2000(centres[group[0]], centres[index], kL=1.7) < SAME_CLOTH:
                group.append(index)
                break
        else:
            groups.append([index])
    return [(_rgb(np.average(centres[g], axis=0, weights=shares[g])), float(shares[g].sum())) for g in groups]


@cache
def _prototypes() -> tuple[tuple[str, ...], np.ndarray]:
    return tuple(TEXTILE_COLOURS), _lab(np.uint8(list(TEXTILE_COLOURS.values())))


def _lab(rgb: np.ndarray) -> np.ndarray:
    """uint8 [N, 3] sRGB -> float32 [N, 3] CIELAB."""
    return cv2.cvtColor(rgb[:, None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[:, 0]


def _rgb(lab: np.ndarray) -> tuple[int, int, int]:
    pixel = cv2.cvtColor(np.float32([[lab]]), cv2.COLOR_LAB2RGB)[0, 0]
    red, green, blue = (int(v) for v in (pixel * 255).round().clip(0, 255))
    return red, green, blue

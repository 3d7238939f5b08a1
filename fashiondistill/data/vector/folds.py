"""Cloth as a height field: wrinkles, long folds, explicit ridges and rounded edges of one panel, lit from one side.

In: a panel's alpha, placed, and its material. Out: `Relief`, light and slope at the resolution of the enlarged picture.
The field is made at a quarter of that resolution, since folds are smooth. Knows nothing of colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from fashiondistill.data.vector.figure import Panel
from fashiondistill.data.vector.textures import Material, noise

REDUCED = 4  # the field's pixel in pixels of the enlarged picture
LIGHT = (-0.55, -0.85)  # towards the light, x and y: upper left
HALF_WAY = (-0.28, -0.46, 0.84)  # between light and viewer, for highlights
SHADE, HOLLOW, RIM = 0.62, 0.06, 0.15  # weights of slope, of valleys and of the darker edge; set by eye beside photos


@dataclass(frozen=True, eq=False)
class Relief:
    """float32 [h, w]: `light`, the relative change of brightness, mean about 0; `spark`, highlights in [0, 1];
    slopes `dx`, `dy` of the cloth, which shift its pattern.
    """

    light: np.ndarray
    spark: np.ndarray
    dx: np.ndarray
    dy: np.ndarray


def relief(panel: Panel, alpha: np.ndarray, *, zoom: float, material: Material, rng: np.random.Generator) -> Relief:
    """Light a panel.

    Args:
        panel: with outline, lines and ridges in pixels of `alpha`.
        alpha: uint8 [h, w], 255 = panel.
        zoom: pixels per unit of the panel's `puff` and ridge widths.
        material: sets how deep wrinkles and folds are and how the cloth shines.
        rng: places the wrinkles.
    """
    extent = max(alpha.shape)
    reduced = REDUCED if extent > 150 else 2 if extent > 50 else 1
    size = (max(2, alpha.shape[1] // reduced), max(2, alpha.shape[0] // reduced))
    small = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    solid = np.pad((small > 127).astype(np.uint8), 1)
    distance = cv2.distanceTransform(solid, cv2.DIST_L2, 3)[1:-1, 1:-1]
    reach = float(max(1.0, panel.puff * zoom / reduced))
    bulge = reach * np.sqrt(1 - (1 - np.clip(distance / reach, 0, 1)) ** 2)
    height = 0.55 * cv2.GaussianBlur(bulge.astype(np.float32), (0, 0), max(0.8, 0.25 * reach))
    if reduced == REDUCED and (panel.crumple or panel.drape or panel.cross):
        height += _wrinkles(panel, small.shape, material, rng)
    if panel.ridges and reduced == REDUCED:
        height += _ridges(panel, small.shape, zoom) * np.float32(max(0.4, material.drape))
    dx, dy = cv2.Sobel(height, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(height, cv2.CV_32F, 0, 1) / 8
    slope = dx * LIGHT[0] + dy * LIGHT[1]
    valley = np.clip(cv2.GaussianBlur(height, (0, 0), 5) - height, 0, 4)
    light = -SHADE * slope / (1 + 0.8 * np.abs(slope)) - HOLLOW * valley - RIM * np.exp(-distance / (0.5 * reach + 0.5))
    upright = 1 / np.sqrt(1 + dx**2 + dy**2)
    facing = (-dx * HALF_WAY[0] - dy * HALF_WAY[1] + HALF_WAY[2]) * upright
    spark = np.clip(facing, 0, 1) ** (12 + 40 * material.gloss) if material.gloss > 0.1 else np.zeros_like(light)
    return Relief(*(_enlarged(field, alpha.shape) for field in (light, spark, dx, dy)))


def _enlarged(field: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return cv2.resize(field.astype(np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR)


def _wrinkles(panel: Panel, shape: tuple[int, ...], material: Material, rng: np.random.Generator) -> np.ndarray:
    """Tiles of wrinkles, turned with the grain and shifted at random."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    angle = np.deg2rad(panel.turn)
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    u, v = x * cos + y * sin, -x * sin + y * cos
    total = np.zeros(shape, np.float32)
    parts = (
        (panel.crumple * material.crumple, "crumple"),
        (panel.drape * material.drape, "drape"),
        (panel.cross * material.drape, "cross"),
    )
    for strength, name in parts:
        shift = rng.uniform(0, 256, 2)
        if strength:
            at = np.mod(u + np.float32(shift[0]), 256), np.mod(v + np.float32(shift[1]), 256)
            total += strength * cv2.remap(_tile(name), *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return total


def _ridges(panel: Panel, shape: tuple[int, ...], zoom: float) -> np.ndarray:
    """Folds along paths, highest in their middle; those of one width are blurred together."""
    total = np.zeros(shape, np.float32)
    widths = sorted({round(ridge.width, 3) for ridge in panel.ridges})
    for width in widths:
        sigma = max(0.8, width * zoom / REDUCED)
        canvas = np.zeros(shape, np.float32)
        for ridge in panel.ridges:
            if round(ridge.width, 3) != width:
                continue
            points = np.round(ridge.points / REDUCED * 16).astype(np.int32)
            for number in range(len(points) - 1):
                fade = np.sin(np.pi * (number + 0.5) / (len(points) - 1)) ** 0.7
                value = ridge.height * zoom / REDUCED * fade
                cv2.line(canvas, points[number].tolist(), points[number + 1].tolist(), float(value), 1, cv2.LINE_8, 4)
        total += cv2.GaussianBlur(canvas, (0, 0), sigma) * (2.5 * sigma)  # a blurred line of 1 peaks at 1 / (2.5 sigma)
    return total


@cache
def _tile(name: str) -> np.ndarray:
    """Periodic heights in pixels of the field: crumpled cotton, hanging folds, folds across."""
    rng = np.random.default_rng(sum(name.encode()))
    if name == "crumple":
        patchy = np.clip(0.5 + 0.5 * noise(rng, 22, 22), 0, 1.6)
        creases = 1.2 * np.abs(noise(rng, 10, 5)) + 0.7 * np.abs(noise(rng, 5, 11)) + 0.25 * np.abs(noise(rng, 4, 4))
        return (-patchy * creases * 0.75 + 1.4 * noise(rng, 13, 13)).astype(np.float32)
    if name == "drape":
        return (1.6 * noise(rng, 7, 45) - 0.9 * np.abs(noise(rng, 5, 30)) + 1.6 * noise(rng, 18, 50)).astype(np.float32)
    return (1.3 * noise(rng, 22, 4.5) - 0.9 * np.abs(noise(rng, 16, 4))).astype(np.float32)

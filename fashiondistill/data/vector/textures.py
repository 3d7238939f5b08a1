"""Weaves as small tiles that repeat: jersey, knit, denim, leather, lace and so on.

In: a name. Out: float32 tile [256, 256], periodic, mean 0 and about -1 to 1, in pixels of the enlarged picture
(`render.SCALE` to one). Made once per process from fixed seeds, so that every garment of a seed is the same anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

SIZE = 256  # pixels; every period below divides it


@dataclass(frozen=True)
class Material:
    """How a cloth looks.

    Attributes:
        words: for the caption, for example "denim"; "" if the photograph does not show it.
        texture: key of `TEXTURES`.
        depth: contrast of the weave, as a share of the colour.
        gloss: strength of highlights, 0 (wool) to 1 (patent leather).
        crumple: how much small wrinkles show; knits hang smoothly, linen creases.
        drape: how deep long folds are.
        fade: how much a wash has paled the middle of panels and their edges (denim).
    """

    words: str
    texture: str
    depth: float = 0.08
    gloss: float = 0.05
    crumple: float = 1.0
    drape: float = 1.0
    fade: float = 0.0


MATERIALS: dict[str, Material] = {
    "jersey": Material("", "jersey", 0.06, 0.04, 0.8, 1.0),
    "pique": Material("", "canvas", 0.08, 0.03, 0.7, 0.8),
    "enamel": Material("", "smooth", 0.0, 1.0, 0.0, 0.0),
    "cotton": Material("", "woven", 0.06, 0.05, 1.2, 0.9),
    "linen": Material("linen", "linen", 0.085, 0.03, 1.6, 0.8),
    "fine knit": Material("fine knit", "fine knit", 0.16, 0.03, 0.25, 0.8),
    "chunky knit": Material("chunky knit", "knit", 0.36, 0.03, 0.1, 0.6),
    "cable knit": Material("cable knit", "cable", 0.4, 0.03, 0.1, 0.5),
    "ribbed knit": Material("ribbed", "rib", 0.22, 0.03, 0.15, 0.6),
    "denim": Material("denim", "twill", 0.15, 0.03, 0.9, 0.7, fade=0.5),
    "leather": Material("leather", "leather", 0.07, 0.55, 0.8, 0.9),
    "patent leather": Material("patent leather", "smooth", 0.0, 1.0, 0.5, 0.8),
    "suede": Material("suede", "suede", 0.1, 0.0, 0.4, 0.6),
    "satin": Material("satin", "smooth", 0.02, 0.7, 0.5, 1.6),
    "wool": Material("wool", "wool", 0.16, 0.01, 0.3, 0.7),
    "tweed": Material("tweed", "tweed", 0.3, 0.01, 0.3, 0.6),
    "corduroy": Material("corduroy", "corduroy", 0.26, 0.06, 0.4, 0.7),
    "lace": Material("lace", "lace", 0.36, 0.05, 0.3, 0.6),
    "mesh": Material("mesh", "mesh", 0.2, 0.1, 0.2, 0.4),
    "canvas": Material("canvas", "canvas", 0.14, 0.03, 0.5, 0.5),
    "fleece": Material("fleece", "fleece", 0.09, 0.0, 0.5, 0.9),
    "nylon": Material("nylon", "smooth", 0.02, 0.35, 1.5, 0.9),
    "straw": Material("straw", "straw", 0.3, 0.08, 0.0, 0.2),
}


@cache
def texture(name: str) -> np.ndarray:
    """The tile of a weave.

    Raises:
        KeyError: if there is none of that name.
    """
    tile = TEXTURES[name](np.random.default_rng(sum(name.encode()))).astype(np.float32)
    spread = np.percentile(np.abs(tile - tile.mean()), 98)
    return np.ascontiguousarray((tile - tile.mean()) / max(spread, 1e-6))


def noise(rng: np.random.Generator, x: float, y: float, *, size: int = SIZE) -> np.ndarray:
    """Periodic Gaussian noise [size, size] of standard deviation 1, smoothed by `x` and `y` pixels."""
    frequency = np.fft.fftfreq(size)
    gain = np.exp(-2 * np.pi**2 * ((y * frequency[:, None]) ** 2 + (x * frequency[None, :]) ** 2))
    field = np.fft.ifft2(np.fft.fft2(rng.standard_normal((size, size))) * gain).real
    return ((field - field.mean()) / field.std()).astype(np.float32)


def _grid() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    return x, y


def _smooth(rng: np.random.Generator) -> np.ndarray:
    return noise(rng, 1.5, 1.5)


def _jersey(rng: np.random.Generator) -> np.ndarray:
    x, _ = _grid()
    return 0.5 * np.sin(2 * np.pi * x / 4) + noise(rng, 0.8, 2.2) + 0.5 * noise(rng, 0.5, 0.5)


def _woven(rng: np.random.Generator) -> np.ndarray:
    return 0.8 * noise(rng, 6, 0.7) + 0.8 * noise(rng, 0.7, 6) + 0.5 * noise(rng, 0.6, 0.6)


def _linen(rng: np.random.Generator) -> np.ndarray:
    return noise(rng, 14, 1.0) + noise(rng, 1.0, 14) + 0.5 * noise(rng, 0.8, 0.8)


def _stitches(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """Columns of V-shaped stitches, `width` x `height` pixels each."""
    x, y = _grid()
    x = x + 0.5 * noise(rng, 12, 12)
    across = (x / width) % 1 - 0.5  # 0 in the middle of a column, +-0.5 between columns
    up = (y / height + 1.1 * np.abs(across)) % 1
    leg = np.cos(2 * np.pi * (np.abs(across) - 0.25))  # two legs, dark between them and between columns
    return 0.9 * leg + 0.8 * np.sin(np.pi * up) - 0.4 + 0.15 * noise(rng, 1, 1)


def _knit(rng: np.random.Generator) -> np.ndarray:
    return _stitches(16, 16, rng)


def _fine_knit(rng: np.random.Generator) -> np.ndarray:
    return _stitches(8, 8, rng) + 0.2 * noise(rng, 0.8, 0.8)


def _cable(rng: np.random.Generator) -> np.ndarray:
    """Plaits between columns of small stitches."""
    x, y = _grid()
    place = (x % 128) / 128
    swing = 0.10 * np.sin(2 * np.pi * y / 64)
    strands = np.zeros_like(x)
    for sign in (1, -1):
        distance = (place - 0.5 - sign * swing) / 0.085
        front = 1.0 if sign > 0 else 0.8
        strands = np.maximum(strands, front * np.sqrt(np.clip(1 - distance**2, 0, 1)))
    grooves = -0.9 * np.exp(-(((np.abs(place - 0.5) - 0.23) / 0.02) ** 2))
    return 1.6 * strands + grooves + 0.45 * _stitches(8, 8, rng)


def _rib(rng: np.random.Generator) -> np.ndarray:
    x, _ = _grid()
    return np.sin(2 * np.pi * x / 8) + 0.25 * noise(rng, 0.8, 3)


def _twill(rng: np.random.Generator) -> np.ndarray:
    x, y = _grid()
    diagonal = np.sin(2 * np.pi * (x + y) / (SIZE / 51))
    return 0.8 * diagonal + 0.6 * noise(rng, 0.7, 2.5) + 0.7 * noise(rng, 0.6, 0.6) + 0.25 * noise(rng, 5, 9)


def _leather(rng: np.random.Generator) -> np.ndarray:
    cells = np.abs(noise(rng, 2.2, 2.2))
    return np.minimum(cells, 0.7) + 0.15 * noise(rng, 8, 8)


def _suede(rng: np.random.Generator) -> np.ndarray:
    return noise(rng, 0.9, 0.9) + 0.9 * noise(rng, 10, 10)


def _wool(rng: np.random.Generator) -> np.ndarray:
    return noise(rng, 1.0, 1.0) + 0.6 * noise(rng, 3, 3) + 0.8 * (noise(rng, 1.2, 0.6) > 1.7)


def _tweed(rng: np.random.Generator) -> np.ndarray:
    x, y = _grid()
    bone = np.sin(2 * np.pi * (y + np.abs(x % 32 - 16)) / 8)
    return bone + 0.7 * noise(rng, 1, 1)


def _corduroy(rng: np.random.Generator) -> np.ndarray:
    x, _ = _grid()
    return np.abs(np.sin(np.pi * x / (SIZE / 25))) ** 0.6 + 0.12 * noise(rng, 0.7, 1.5)


def _mesh(rng: np.random.Generator) -> np.ndarray:
    x, y = _grid()
    holes = np.cos(2 * np.pi * x / 8) * np.cos(2 * np.pi * y / 8)
    return -np.clip(holes, 0, 1) + 0.1 * noise(rng, 1, 1)


def _canvas(rng: np.random.Generator) -> np.ndarray:
    x, y = _grid()
    return np.sin(2 * np.pi * x / 5.12) * np.sin(2 * np.pi * y / 5.12) + 0.6 * _woven(rng)


def _fleece(rng: np.random.Generator) -> np.ndarray:
    return 0.5 * noise(rng, 2.5, 2.5) + noise(rng, 0.8, 0.8)


def _straw(rng: np.random.Generator) -> np.ndarray:
    x, y = _grid()
    over = ((x // 16 + y // 16) % 2).astype(np.float32)
    bulge = over * np.sin(np.pi * (y % 16) / 16) + (1 - over) * np.sin(np.pi * (x % 16) / 16)
    return bulge + 0.3 * noise(rng, 1, 1)


def _lace(rng: np.random.Generator) -> np.ndarray:
    """Thread (1) and hole (-1): flowers and leaves on a net."""
    x, y = _grid()
    cells = np.abs(np.sin(np.pi * (x + y) / 12.8)) * np.abs(np.sin(np.pi * (x - y) / 12.8))
    cover = 0.7 - 1.9 * np.clip(cells, 0, 1) ** 0.7
    for centre_x, centre_y, size, petals in ((64, 64, 46, 6), (192, 192, 46, 5), (192, 60, 30, 5), (64, 196, 30, 6)):
        dx, dy = (x - centre_x + SIZE / 2) % SIZE - SIZE / 2, (y - centre_y + SIZE / 2) % SIZE - SIZE / 2
        radius, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
        edge = size * (0.66 + 0.34 * np.cos(petals * angle))
        flower = radius < edge
        vein = (np.abs(radius - 0.35 * size) < 2.5) | (np.abs(radius - edge) < 3)
        cover = np.where(flower, np.where(vein, 1.0, 0.35), cover)
    return cover + 0.05 * noise(rng, 0.7, 0.7)


TEXTURES: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "smooth": _smooth,
    "jersey": _jersey,
    "woven": _woven,
    "linen": _linen,
    "knit": _knit,
    "fine knit": _fine_knit,
    "cable": _cable,
    "rib": _rib,
    "twill": _twill,
    "leather": _leather,
    "suede": _suede,
    "wool": _wool,
    "tweed": _tweed,
    "corduroy": _corduroy,
    "mesh": _mesh,
    "canvas": _canvas,
    "fleece": _fleece,
    "straw": _straw,
    "lace": _lace,
}

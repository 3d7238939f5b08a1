"""Patterns of cloth with exact parameters: stripes, checks, dots, flowers, camouflage, front prints, colour blocks.

In: a name of `PRINTS` and a random generator. Out: `Pattern`, which says for every point of the cloth how much of the
second and of the third colour it has. Cloth coordinates are pixels of the enlarged picture. Knows nothing of garments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from fashiondistill.data.vector.motifs import Tile, camouflage, dots, flowers, geometric, leaves, leopard, placed_print

Weights = tuple[np.ndarray, np.ndarray]  # of the second and the third colour, float32 in [0, 1]


@dataclass(frozen=True)
class PrintKind:
    """A pattern: the word of `attributes.PATTERNS` that it counts as, and the phrase that captions add."""

    pattern: str
    words: str


PRINTS: dict[str, PrintKind] = {
    "plain": PrintKind("plain", ""),
    "narrow horizontal stripes": PrintKind("striped", "narrow horizontal stripes"),
    "wide horizontal stripes": PrintKind("striped", "wide horizontal stripes"),
    "narrow vertical stripes": PrintKind("striped", "narrow vertical stripes"),
    "wide vertical stripes": PrintKind("striped", "wide vertical stripes"),
    "pinstripes": PrintKind("striped", "pinstripes"),
    "gingham": PrintKind("checked", "gingham"),
    "tartan": PrintKind("checked", "tartan"),
    "windowpane check": PrintKind("checked", "windowpane check"),
    "large check": PrintKind("checked", "large check"),
    "polka dots": PrintKind("patterned", "polka dots"),
    "floral print": PrintKind("patterned", "floral print"),
    "leaf print": PrintKind("patterned", "leaf print"),
    "camouflage": PrintKind("patterned", "camouflage"),
    "leopard print": PrintKind("patterned", "leopard print"),
    "geometric print": PrintKind("patterned", "geometric print"),
    "colour block": PrintKind("patterned", "colour block"),
    "letter print": PrintKind("printed", "letter print"),
    "graphic print": PrintKind("printed", "graphic print"),
    "chest logo": PrintKind("printed", "small chest logo"),
}


@dataclass(frozen=True, eq=False)
class Pattern:
    """`of_cloth(u, v)` for patterns woven or printed all over; `of_frame(x, y)` for what is placed once."""

    of_cloth: Callable[[np.ndarray, np.ndarray], Weights] | None = None
    of_frame: Callable[[np.ndarray, np.ndarray], Weights] | None = None


@dataclass(frozen=True)
class Place:
    """Where the garment is, in pixels of the enlarged picture: front print at `x`, `y` of half width `size`; extent."""

    x: float
    y: float
    size: float
    top: float
    bottom: float


def make_pattern(name: str, rng: np.random.Generator, place: Place) -> Pattern:
    """The pattern `name` with parameters drawn from `rng`.

    Raises:
        KeyError: if it is not in `PRINTS`.
    """
    if name == "plain":
        return Pattern()
    if name in STRIPES:
        return Pattern(of_cloth=_stripes(name, rng))
    if name in CHECKS:
        return Pattern(of_cloth=CHECKS[name](rng))
    if name in ALL_OVER:
        return Pattern(of_cloth=_repeated(ALL_OVER[name](rng)))
    if name == "colour block":
        return Pattern(of_frame=_blocks(rng, place))
    return Pattern(of_frame=_placed(placed_print(name, rng, place.size), place))


STRIPES: dict[str, tuple[float, float, bool]] = {  # period from, to; vertical
    "narrow horizontal stripes": (14, 26, False),
    "wide horizontal stripes": (44, 90, False),
    "narrow vertical stripes": (12, 24, True),
    "wide vertical stripes": (36, 70, True),
    "pinstripes": (22, 40, True),
}


def _edge(distance: np.ndarray) -> np.ndarray:
    """1 inside (distance above 0), 0 outside, two pixels of smoothing."""
    return np.clip(distance / 2 + 0.5, 0, 1)


def _comb(along: np.ndarray, period: float, share: float) -> np.ndarray:
    """Bars of `share` of each period, from 0."""
    return _edge(share * period / 2 - np.abs((along - share * period / 2 + period / 2) % period - period / 2))


def _stripes(name: str, rng: np.random.Generator) -> Callable[[np.ndarray, np.ndarray], Weights]:
    low, high, vertical = STRIPES[name]
    period, share = rng.uniform(low, high), rng.uniform(0.28, 0.42)
    companion = rng.random() < 0.3 and "wide" in name  # a thin stripe beside each broad one
    if name == "pinstripes":
        share = 2.6 / period

    def weights(u: np.ndarray, v: np.ndarray) -> Weights:
        along = u if vertical else v
        second = _comb(along, period, share)
        if companion:
            second = np.maximum(second, _comb(along - period * (share + 0.08), period, 0.07))
        return second, np.zeros_like(second)

    return weights


def _gingham(rng: np.random.Generator) -> Callable[[np.ndarray, np.ndarray], Weights]:
    return _crossed(rng.uniform(14, 26), 0.46)


def _large_check(rng: np.random.Generator) -> Callable[[np.ndarray, np.ndarray], Weights]:
    return _crossed(rng.uniform(48, 80), 0.47)


def _crossed(period: float, share: float) -> Callable[[np.ndarray, np.ndarray], Weights]:
    def weights(u: np.ndarray, v: np.ndarray) -> Weights:
        second = 0.5 * (_comb(u, period, share) + _comb(v, period, share))
        return second, np.zeros_like(second)

    return weights


def _tartan(rng: np.random.Generator) -> Callable[[np.ndarray, np.ndarray], Weights]:
    """A sett of one broad band, a pair of lines and a thin accent; warp and weft lie over each other half and half."""
    period = rng.uniform(70, 130)
    broad, pair = rng.uniform(0.26, 0.36), rng.uniform(0.04, 0.06)

    def one_way(along: np.ndarray) -> Weights:
        second = _comb(along, period, broad)
        second = np.maximum(second, _comb(along - 0.62 * period, period, pair))
        third = _comb(along - (0.75 + broad * 0.3) * period, period, 0.03)
        return np.maximum(second, _comb(along - 0.75 * period, period, pair)), third

    def weights(u: np.ndarray, v: np.ndarray) -> Weights:
        (warp, warp_line), (weft, weft_line) = one_way(u), one_way(v)
        twill = 0.12 * np.sin(2 * np.pi * (u + v) / 6)
        second = np.clip((warp * (0.5 + twill) + weft * (0.5 - twill)), 0, 1)
        return second, 0.6 * np.maximum(warp_line, weft_line)

    return weights


def _windowpane(rng: np.random.Generator) -> Callable[[np.ndarray, np.ndarray], Weights]:
    period = rng.uniform(48, 84)
    share = rng.uniform(3.5, 6) / period

    def weights(u: np.ndarray, v: np.ndarray) -> Weights:
        second = np.maximum(_comb(u, period, share), _comb(v, period * 1.15, share / 1.15))
        return second, np.zeros_like(second)

    return weights


def _repeated(tile: Tile) -> Callable[[np.ndarray, np.ndarray], Weights]:
    def weights(u: np.ndarray, v: np.ndarray) -> Weights:
        size = tile.second.shape[0]
        x, y = np.mod(u, size).astype(np.float32), np.mod(v, size).astype(np.float32)
        second, third = (
            cv2.remap(layer, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP) for layer in (tile.second, tile.third)
        )
        return second, third

    return weights


def _blocks(rng: np.random.Generator, place: Place) -> Callable[[np.ndarray, np.ndarray], Weights]:
    """A second colour above or below a straight line, or as a band between two."""
    kind, height = rng.integers(3), place.bottom - place.top
    first = place.top + height * rng.uniform(0.26, 0.36)
    second_line = first + height * rng.uniform(0.15, 0.28)
    low = place.bottom - height * rng.uniform(0.25, 0.42)
    slope = float(rng.choice([0.0, 0.0, 0.25]))

    def weights(x: np.ndarray, y: np.ndarray) -> Weights:
        level = y + slope * (x - place.x)
        if kind == 0:
            second = _edge(first - level)
        elif kind == 1:
            second = _edge(level - low)
        else:
            second = _edge(level - first) * _edge(second_line - level)
        return second, np.zeros_like(second)

    return weights


def _placed(tile: Tile, place: Place) -> Callable[[np.ndarray, np.ndarray], Weights]:
    height, width = tile.second.shape

    def weights(x: np.ndarray, y: np.ndarray) -> Weights:
        column = (x - place.x + width / 2).astype(np.float32)
        row = (y - place.y + height / 2).astype(np.float32)
        second, third = (
            cv2.remap(layer, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
            for layer in (tile.second, tile.third)
        )
        return second, third

    return weights


CHECKS: dict[str, Callable[[np.random.Generator], Callable[[np.ndarray, np.ndarray], Weights]]] = {
    "gingham": _gingham,
    "tartan": _tartan,
    "windowpane check": _windowpane,
    "large check": _large_check,
}
ALL_OVER: dict[str, Callable[[np.random.Generator], Tile]] = {
    "polka dots": dots,
    "floral print": flowers,
    "leaf print": leaves,
    "camouflage": camouflage,
    "leopard print": leopard,
    "geometric print": geometric,
}

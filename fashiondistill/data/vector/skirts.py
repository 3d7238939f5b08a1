"""Skirts, and the lower half of dresses.

In: traits (words of the caption) and a random generator. Out: `Figure`. Knows nothing of colours.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fashiondistill.data.vector.bottoms import waist_back, waistband
from fashiondistill.data.vector.curves import box, curve, flipped
from fashiondistill.data.vector.figure import (
    EDGE,
    FOLD,
    METAL,
    RIB,
    STITCH,
    Figure,
    Line,
    Ridge,
    lines,
)

Traits = Mapping[str, str]
SKIRT_LENGTH = {"short": 0.78, "knee length": 1.12, "midi length": 1.5, "long": 1.85}


def skirt(traits: Traits, rng: np.random.Generator) -> Figure:
    """Skirts: pencil, A-line, flared, pleated, gathered, tiered."""
    figure = Figure()
    waist = rng.uniform(0.34, 0.38)
    waist_back(figure, waist, traits["shape"])
    length = SKIRT_LENGTH[traits["length"]] * rng.uniform(0.95, 1.05)
    skirt_part(figure, (0.03, waist, length), traits["shape"], rng)
    waistband(figure, waist, "elastic" if traits["shape"] in ("gathered", "tiered") else "skirt", rng)
    figure.panels = [p for p in figure.panels if p.role not in ("button", METAL)]
    if traits["shape"] == "button front":
        strip = box(-0.035, 0.12, 0.035, length + 0.01)
        marks = lines(*(np.array([(x, 0.12), (x, length)]) for x in (-0.026, 0.026)), style=STITCH, weight=0.5)
        figure.add(strip, puff=0.012, lift=0.006, drape=0.4, lines=marks)
        for y in np.linspace(0.1, length - 0.12, round(length / 0.16)):
            figure.button(0, float(y), 0.02)
    figure.anchor, figure.print_size = (0.0, length * 0.55), 0.4
    return figure


def skirt_part(figure: Figure, place: tuple[float, float, float], shape: str, rng: np.random.Generator) -> None:
    """The skirt of a skirt or a dress: `place` is top, half waist and bottom."""
    top, waist, bottom = place
    length = bottom - top
    hip = waist + 0.12
    hem = {
        "pencil": hip * 0.97,
        "straight": hip * 1.05,
        "a-line": hip + 0.2 * length,
        "flared": hip + 0.36 * length,
        "button front": hip + 0.14 * length,
        "pleated": hip + 0.24 * length,
        "gathered": hip + 0.26 * length,
        "tiered": hip + 0.34 * length,
    }[shape]
    curve_down = 0.02 if shape in ("pencil", "straight") else 0.05 + 0.03 * length
    right = [
        (waist, top, "c"),
        (hip if shape in ("pencil", "straight") else waist + (hem - waist) * 0.36, top + 0.34 * length),
        (hem, bottom, "c"),
    ]
    edge = curve(
        [
            (hem, bottom),
            (hem * 0.5, bottom + curve_down * 0.8),
            (0, bottom + curve_down),
            (-hem * 0.5, bottom + curve_down * 0.8),
            (-hem, bottom),
        ]
    )
    wavy = {"flared": 0.018, "gathered": 0.014, "tiered": 0.014, "a-line": 0.006, "pleated": 0.01}.get(shape, 0.0)
    count = rng.integers(5, 9)
    edge = edge + np.stack([np.zeros(len(edge)), wavy * np.sin(edge[:, 0] / hem * np.pi * count)], axis=1)
    upper = curve([(-waist, top), (0, top + 0.03), (waist, top)])
    outline = np.concatenate([upper, curve(right)[1:-1], edge, flipped(curve(right))[::-1][1:-1]])
    marks, ridges = _skirt_folds(shape, (top, waist, bottom, hem, curve_down), rng)
    figure.add(outline, puff=0.08, lift=0.006, crumple=0.7, drape=1.0, lines=marks, ridges=ridges)


def _skirt_folds(
    shape: str, sizes: tuple[float, float, float, float, float], rng: np.random.Generator
) -> tuple[tuple[Line, ...], tuple[Ridge, ...]]:
    top, waist, bottom, hem, curve_down = sizes
    length, marks, ridges = bottom - top, [], []

    def path(share: float, start: float = 0.0, end: float = 1.0) -> np.ndarray:
        levels = np.linspace(start, end, 6)
        low = curve_down * (1 - share**2)
        half = waist + (hem - waist) * (
            0.36 * np.minimum(levels / 0.34, 1) + 0.64 * np.clip((levels - 0.34) / 0.66, 0, 1)
        )
        return np.stack([share * half, top + 0.02 + levels * (length + low - 0.02)], axis=1)

    hem_line = np.stack([path(s)[-1] for s in np.linspace(-0.99, 0.99, 16)]) - (0, 0.045)
    marks += lines(hem_line, style=STITCH, weight=0.5)
    if shape == "pleated":
        for share in np.linspace(-0.86, 0.86, int(rng.integers(9, 15))):
            marks.append(Line(path(share), EDGE, 0.55))
            ridges.append(Ridge(path(share + 0.03, -0.1, 1.1), 0.012, 0.014))
    elif shape in ("gathered", "flared", "a-line", "tiered"):
        count = {"gathered": 16, "flared": 10, "a-line": 5, "tiered": 14}[shape]
        for share in np.linspace(-0.9, 0.9, count) + rng.normal(0, 0.03, count):
            start, end = (0.0, rng.uniform(0.3, 1.0)) if shape != "a-line" else (rng.uniform(0.3, 0.5), 1.15)
            end = 1.2 if rng.random() < 0.6 else end
            ridges.append(Ridge(path(share, start - 0.15, end), rng.uniform(0.008, 0.024), rng.choice([0.018, 0.028])))
            if shape in ("gathered", "tiered"):
                marks.append(Line(path(share, 0.02, rng.uniform(0.1, 0.3)), FOLD, rng.uniform(0.2, 0.5)))
    if shape == "tiered":
        for level in (0.36, 0.68):
            row = np.stack([path(s, 0, level)[-1] for s in np.linspace(-1, 1, 16)])
            marks.append(Line(row, EDGE, 0.8))
            for share in np.linspace(-0.95, 0.95, 22) + rng.normal(0, 0.02, 22):
                marks.append(
                    Line(path(share, level + 0.01, level + rng.uniform(0.06, 0.16)), RIB, rng.uniform(0.4, 0.9))
                )
    if shape in ("pencil", "straight"):
        for side in (-1, 1):
            dart = np.array([(side * waist * 0.5, top + 0.1), (side * waist * 0.56, top + 0.3)])
            marks.append(Line(dart, "seam", 0.5))
    return tuple(marks), tuple(ridges)

"""Bags: totes, handbags, backpacks.

In: traits (words of the caption) and a random generator. Out: `Figure`. Knows nothing of colours.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fashiondistill.data.vector.curves import arc, band, beside, between, box, curve, ellipse
from fashiondistill.data.vector.figure import (
    EDGE,
    LINING,
    METAL,
    STITCH,
    TRIM,
    Figure,
    Ridge,
    lines,
)

Traits = Mapping[str, str]
FIRM = {"crumple": 0.35, "drape": 0.25}


def rounded(top: float, low: float, high: float, deep: float, by: float) -> np.ndarray:
    """Body of a bag: half width `top` above and `low` below, from y `high` to `deep`, lower corners rounded."""
    return curve(
        [
            (-top, high, "c"),
            (0, high + 0.012),
            (top, high, "c"),
            (low, deep - by, "c"),
            (low - 0.3 * by, deep - 0.3 * by),
            (low - by, deep, "c"),
            (0, deep + 0.012),
            (-low + by, deep, "c"),
            (-low + 0.3 * by, deep - 0.3 * by),
            (-low, deep - by, "c"),
        ],
        closed=True,
    )


def tote(traits: Traits, rng: np.random.Generator) -> Figure:
    """A bag with two long handles."""
    figure = Figure()
    wide, tall, drop = rng.uniform(0.62, 0.78), rng.uniform(1.3, 1.5), rng.uniform(0.55, 0.85)
    low = wide * rng.uniform(0.96, 1.12)
    x = wide * rng.uniform(0.4, 0.5)
    for role_lift, shift in ((0.0, -0.06), (0.012, 0.0)):  # the handle behind, then the one in front
        handle = curve(
            [
                (-x, 0.2),
                (-x * 0.98 + shift, -drop * 0.5),
                (-x * 0.55 + shift, -drop * 0.96),
                (shift, -drop),
                (x * 0.55 + shift, -drop * 0.96),
                (x * 0.98 + shift, -drop * 0.5),
                (x, 0.2),
            ]
        )
        if shift:
            figure.add(band(handle, 0.07), TRIM, puff=0.025, lift=0, **FIRM)
            figure.add(
                between(
                    curve([(-wide, 0, "c"), (0, -0.03), (wide, 0, "c")]), curve([(-wide, 0.08), (0, 0.1), (wide, 0.08)])
                ),
                LINING,
                puff=0.01,
                lift=0,
            )
            sag = tuple(
                Ridge(
                    curve([(s * wide * 0.9, 0.3), (s * wide * 0.6, tall * 0.5), (s * wide * 0.2, tall * 0.85)]),
                    rng.uniform(0.01, 0.03),
                    0.05,
                )
                for s in (-1, 1)
            )
            hem = curve([(-wide, 0.09), (0, 0.105), (wide, 0.09)])
            figure.add(
                rounded(wide, low, 0.02, tall, 0.06),
                puff=0.1,
                lift=0,
                lines=lines(hem, weight=0.3) + lines(hem + (0, 0.012), style=STITCH),
                ridges=sag,
                crumple=0.8,
                drape=0.8,
            )
        else:
            figure.add(
                band(handle, 0.07),
                TRIM,
                puff=0.025,
                lift=role_lift,
                lines=lines(beside(handle, 0.026), beside(handle, -0.026), style=STITCH, weight=0.5),
                **FIRM,
            )
            for side in (-1, 1):
                patch = box(side * x - 0.06, 0.06, side * x + 0.06, 0.24)
                cross = [
                    np.array([(side * x - 0.05, 0.08), (side * x + 0.05, 0.22)]),
                    np.array([(side * x + 0.05, 0.08), (side * x - 0.05, 0.22)]),
                ]
                figure.add(patch, TRIM, puff=0.01, lift=0.005, lines=lines(*cross, style=STITCH), **FIRM)
    figure.anchor, figure.print_size = (0, tall * 0.55), wide * 0.6
    return figure


def handbag(traits: Traits, rng: np.random.Generator) -> Figure:
    """A firm bag with short handles and a clasp."""
    figure = Figure()
    wide, low, tall = rng.uniform(0.56, 0.7), rng.uniform(0.74, 0.86), rng.uniform(0.95, 1.15)
    high, x = rng.uniform(0.42, 0.56), wide * 0.52
    for lift in (0.0, 0.012):
        handle = curve(
            [
                (-x, 0.1),
                (-x * 0.96, -high * 0.55),
                (-x * 0.5, -high * 0.97),
                (0, -high - 0.02),
                (x * 0.5, -high * 0.97),
                (x * 0.96, -high * 0.55),
                (x, 0.1),
            ]
        )
        figure.add(band(handle + ((-0.035, 0.03) if not lift else (0, 0)), 0.055), TRIM, puff=0.027, lift=lift, **FIRM)
    side = 0.07
    figure.add(rounded(wide + side, low + side * 0.6, 0.05, tall - 0.03, 0.12), TRIM, puff=0.05, lift=0, **FIRM)
    body = rounded(wide, low, 0.0, tall, 0.14)
    inner = (body - (0, tall / 2)) * (0.94, 0.94) + (0, tall / 2)
    figure.add(
        body, puff=0.14, lift=0.01, lines=lines(np.concatenate([inner, inner[:1]]), style=STITCH, weight=0.6), **FIRM
    )
    for s in (-1, 1):
        figure.add(box(s * x - 0.055, -0.01, s * x + 0.055, 0.13, round_by=0.02), TRIM, puff=0.012, lift=0.008, **FIRM)
        ring = np.concatenate([ellipse(s * x, 0.005, 0.05, 0.05)])
        figure.add(band(np.concatenate([ring, ring[:2]]), 0.018), METAL, puff=0.01, lift=0.006)
    style = rng.integers(3)
    if style == 0:
        flap = curve(
            [
                (-wide * 0.99, 0.0, "c"),
                (wide * 0.99, 0.0, "c"),
                (wide * 1.03, tall * 0.36),
                (wide * 0.5, tall * 0.5),
                (-wide * 0.5, tall * 0.5),
                (-wide * 1.03, tall * 0.36),
            ],
            closed=True,
        )
        rim = curve(
            [
                (wide * 0.98, tall * 0.34),
                (wide * 0.48, tall * 0.47),
                (-wide * 0.48, tall * 0.47),
                (-wide * 0.98, tall * 0.34),
            ]
        )
        figure.add(flap, puff=0.05, lift=0.02, lines=lines(rim, style=STITCH), **FIRM)
        figure.add(box(-0.08, tall * 0.42, 0.08, tall * 0.55, round_by=0.02), METAL, puff=0.03, lift=0.012)
    elif style == 1:
        zip_line = curve([(-wide * 0.94, 0.06), (0, 0.075), (wide * 0.94, 0.06)])
        figure.add(band(zip_line, 0.03), METAL, puff=0.006, lift=0.003)
        figure.add(box(wide * 0.6, 0.07, wide * 0.64, 0.2, round_by=0.015), TRIM, puff=0.012, lift=0.012, **FIRM)
    else:
        figure.add(box(-0.06, -0.02, 0.06, tall * 0.3, round_by=0.03), TRIM, puff=0.02, lift=0.015, **FIRM)
        figure.add(ellipse(0, tall * 0.25, 0.045, 0.045), METAL, puff=0.03, lift=0.006)
    for s in (-1, 1):
        figure.button(s * (low - 0.1), tall - 0.02, 0.02, METAL)
    figure.anchor, figure.print_size = (0, tall * 0.62), wide * 0.4
    return figure


def backpack(traits: Traits, rng: np.random.Generator) -> Figure:
    """A backpack from the front, with a pocket and a top loop."""
    figure = Figure()
    wide, tall = rng.uniform(0.6, 0.7), rng.uniform(1.5, 1.7)
    for side in (-1, 1):
        strap = curve(
            [
                (side * wide * 0.5, 0.02),
                (side * (wide + 0.14), 0.2),
                (side * (wide + 0.16), tall * 0.55),
                (side * wide * 0.9, tall * 0.85),
            ]
        )
        figure.add(band(strap, 0.11), TRIM, puff=0.05, lift=0, **FIRM)
    figure.add(band(arc(0, 0.02, 0.14, 0.16, 180, 360), 0.05), TRIM, puff=0.022, lift=0, **FIRM)
    body = curve(
        [
            (-wide * 0.95, 0.42),
            (-wide * 0.7, 0.07),
            (0, 0.0),
            (wide * 0.7, 0.07),
            (wide * 0.95, 0.42),
            (wide, tall - 0.14),
            (wide * 0.86, tall),
            (0, tall + 0.015),
            (-wide * 0.86, tall),
            (-wide, tall - 0.14),
        ],
        closed=True,
    )
    zip_line = curve(
        [
            (-wide * 0.82, 0.62),
            (-wide * 0.78, 0.36),
            (-wide * 0.5, 0.17),
            (0, 0.12),
            (wide * 0.5, 0.17),
            (wide * 0.78, 0.36),
            (wide * 0.82, 0.62),
        ]
    )
    figure.add(
        body,
        puff=0.2,
        lift=0.01,
        lines=lines(beside(zip_line, 0.02), beside(zip_line, -0.02), style=STITCH, weight=0.4),
        crumple=0.6,
        drape=0.5,
    )
    figure.add(band(zip_line, 0.022), TRIM, puff=0.008, lift=0.003, lines=lines(zip_line, style=EDGE), **FIRM)
    pull = zip_line[len(zip_line) // 3]
    figure.add(
        box(pull[0] - 0.02, pull[1], pull[0] + 0.02, pull[1] + 0.13, round_by=0.015), METAL, puff=0.012, lift=0.01
    )
    pocket = curve(
        [
            (-wide * 0.74, tall * 0.55, "c"),
            (wide * 0.74, tall * 0.55, "c"),
            (wide * 0.8, tall * 0.86),
            (wide * 0.68, tall * 0.95),
            (-wide * 0.68, tall * 0.95),
            (-wide * 0.8, tall * 0.86),
        ],
        closed=True,
    )
    line = np.array([(-wide * 0.7, tall * 0.61), (wide * 0.7, tall * 0.61)])
    figure.add(
        pocket,
        puff=0.1,
        lift=0.014,
        lines=lines(line, style=EDGE) + lines(line + (0, 0.02), style=STITCH),
        crumple=0.5,
        drape=0.4,
    )
    figure.add(box(-0.1, tall * 0.38, 0.1, tall * 0.46, round_by=0.015), TRIM, puff=0.01, lift=0.006, **FIRM)
    figure.anchor, figure.print_size = (0, tall * 0.36), 0.3
    return figure

"""Shoulder bags and clutches.

In: traits (words of the caption) and a random generator. Out: `Figure`. Knows nothing of colours.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fashiondistill.data.vector.bags import FIRM, rounded
from fashiondistill.data.vector.curves import band, beside, box, curve, ellipse, evenly
from fashiondistill.data.vector.figure import (
    CLOTH,
    METAL,
    STITCH,
    Figure,
    Ridge,
    lines,
)

Traits = Mapping[str, str]


def shoulder_bag(traits: Traits, rng: np.random.Generator) -> Figure:
    """A small bag with a flap on a chain or a long strap; quilted if asked."""
    figure = Figure()
    wide, tall, drop = rng.uniform(0.66, 0.8), rng.uniform(0.78, 0.98), rng.uniform(0.85, 1.15)
    path = curve(
        [
            (-wide * 0.86, 0.12),
            (-wide * 0.8, -drop * 0.55),
            (-wide * 0.3, -drop * 0.98),
            (wide * 0.25, -drop),
            (wide * 0.78, -drop * 0.5),
            (wide * 0.86, 0.12),
        ]
    )
    if traits.get("strap") == "chain strap":
        links = evenly(path, 46)
        for number, (x, y) in enumerate(links):
            step = links[min(number + 1, 45)] - links[max(number - 1, 0)]
            turn = float(np.rad2deg(np.arctan2(step[1], step[0])))
            figure.add(
                ellipse(x, y, 0.032, 0.022 if number % 2 else 0.011, turn=turn, count=14), METAL, puff=0.012, lift=0
            )
    else:
        figure.add(
            band(path, 0.05),
            CLOTH,
            puff=0.02,
            lift=0,
            lines=lines(beside(path, 0.017), beside(path, -0.017), style=STITCH, weight=0.5),
            **FIRM,
        )
    by = rng.uniform(0.1, 0.3)
    figure.add(rounded(wide, wide * 1.02, 0.04, tall, by), puff=0.12, lift=0.006, **FIRM)
    low = tall * rng.uniform(0.55, 0.72)
    flap = rounded(wide * 1.01, wide * 1.02, 0.0, low, min(by * 1.4, 0.32))
    inner = (flap - (0, low / 2)) * (0.95, 0.92) + (0, low / 2)
    marks, swells = lines(np.concatenate([inner, inner[:1]]), style=STITCH, weight=0.6), ()
    if traits.get("finish") == "quilted":
        marks = tuple(
            ln
            for k in np.arange(-2.4, 2.4, 0.2)
            for ln in lines(np.array([(k, 0.0), (k + 1.2, 1.2)]), np.array([(k + 1.2, 0.0), (k, 1.2)]), weight=0.7)
        )
        swells = tuple(
            Ridge(np.array([(k - 0.05, y), (k, y), (k + 0.05, y)]), 0.03, 0.04)
            for y in np.arange(0.1, low, 0.1)
            for k in np.arange(-0.8 + (0.1 if round(y * 10) % 2 else 0), 0.9, 0.2)
        )
    figure.add(flap, puff=0.1, lift=0.02, lines=marks, ridges=swells, **FIRM)
    figure.add(box(-0.075, low - 0.1, 0.075, low + 0.02, round_by=0.02), METAL, puff=0.03, lift=0.012)
    figure.anchor, figure.print_size = (0, low * 0.5), 0.3
    return figure


def clutch(traits: Traits, rng: np.random.Generator) -> Figure:
    """A flat bag without handles, its flap an envelope or a frame with a clasp."""
    figure = Figure()
    wide, tall = 0.95, rng.uniform(0.9, 1.2)
    figure.add(box(-wide, 0.0, wide, tall, round_by=0.05), puff=0.1, lift=0, **FIRM)
    if rng.random() < 0.6:
        flap = curve(
            [
                (-wide * 1.005, 0.0, "c"),
                (wide * 1.005, 0.0, "c"),
                (wide, 0.06, "c"),
                (0.05, tall * 0.66),
                (-0.05, tall * 0.66),
                (-wide, 0.06, "c"),
            ],
            closed=True,
        )
        rim = curve([(wide * 0.95, 0.06, "c"), (0.05, tall * 0.62), (-0.05, tall * 0.62), (-wide * 0.95, 0.06, "c")])
        figure.add(flap, puff=0.05, lift=0.02, lines=lines(rim, style=STITCH), **FIRM)
        figure.add(ellipse(0, tall * 0.58, 0.05, 0.05), METAL, puff=0.03, lift=0.012)
    else:
        figure.add(box(-wide, -0.05, wide, 0.05, round_by=0.03), METAL, puff=0.04, lift=0.01)
        for side in (-1, 1):
            figure.add(ellipse(side * 0.035, -0.08, 0.05, 0.05), METAL, puff=0.04, lift=0.006)
    figure.anchor, figure.print_size = (0, tall * 0.6), 0.4
    return figure

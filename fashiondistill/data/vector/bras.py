"""Bras: underwired, triangle, balconette and sports bras.

In: traits (words of the caption) and a random generator. Out: `Figure`. Knows nothing of colours.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fashiondistill.data.vector.curves import band, beside, between, box, curve, mirrored
from fashiondistill.data.vector.figure import (
    LINING,
    METAL,
    PLAIN,
    STITCH,
    TRIM,
    Figure,
    Ridge,
    lines,
)
from fashiondistill.data.vector.underwear import bow

Traits = Mapping[str, str]


def bra(traits: Traits, rng: np.random.Generator) -> Figure:
    """Underwired, triangle, balconette and sports bras."""
    figure, style = Figure(), traits["style"]
    if style == "sports":
        return _sports_bra(figure, rng)
    wide, deep = rng.uniform(0.36, 0.42), rng.uniform(0.36, 0.44)
    band_low = deep * 0.92
    tall = {"triangle": -0.16, "balconette": 0.1, "underwired": -0.04}[style]
    wing_top = curve([(wide * 1.72, deep * 0.42, "c"), (wide * 2.25, deep * 0.5), (wide * 2.75, deep * 0.66, "c")])
    wing_low = curve([(wide * 2.75, deep * 0.94, "c"), (wide * 2.2, deep * 0.98), (wide * 1.45, band_low + 0.02, "c")])
    back = between(
        curve([(0, deep * 0.6), (wide * 1.4, deep * 0.62)]), curve([(0, deep * 0.9), (wide * 1.4, deep * 0.92)])
    )
    figure.add_pair(back, LINING, puff=0.02, lift=0)
    figure.add_pair(
        np.concatenate([wing_top, wing_low]),
        puff=0.03,
        lift=0.006,
        crumple=0.6,
        turn=-6,
        lines=lines(beside(wing_top, 0.022), style=STITCH, weight=0.4),
    )
    for side in (-1, 1):
        hook = (side * wide * 2.73, deep * 0.8)
        figure.add(box(hook[0] - 0.025, deep * 0.67, hook[0] + 0.025, deep * 0.93), PLAIN, puff=0.01, lift=0.006)
    _straps(figure, wide, deep, tall, rng)
    under = curve(
        [(0.0, deep * 0.84, "c"), (wide * 0.5, deep * 1.08), (wide * 1.1, deep * 1.1), (wide * 1.72, deep * 0.66, "c")]
    )
    bridge = mirrored([(0, deep * 0.6), (0.07, deep * 0.56, "c"), (0.13, deep * 1.0, "c"), (0, deep * 1.0)])
    figure.add(bridge, puff=0.02, lift=0.004)
    lace_cup = traits.get("trim") == "lace trim"
    top_edge = curve(
        [
            (0.04, deep * 0.5, "c"),
            (wide * 0.36, deep * (0.2 if style != "triangle" else 0.16)),
            (wide * 1.02, tall, "c"),
        ]
    )
    side_edge = curve([(wide * 1.02, tall, "c"), (wide * 1.42, deep * 0.1), (wide * 1.74, deep * 0.44, "c")])
    low = curve(
        [
            (wide * 1.74, deep * 0.44, "c"),
            (wide * 1.5, deep * 0.86),
            (wide * 0.9, deep * 1.1),
            (wide * 0.3, deep * 0.94),
            (0.04, deep * 0.5, "c"),
        ]
    )
    cup = np.concatenate([top_edge, side_edge[1:], low[1:]])
    middle = np.array([wide * 0.92, deep * 0.58])
    seams = (
        [] if style == "triangle" else [curve([(wide * 0.14, deep * 0.7), tuple(middle), (wide * 1.66, deep * 0.5)])]
    )
    if style == "underwired":
        seams.append(curve([tuple(middle), (wide * 0.96, deep * 1.06)]))
    dome = tuple(
        Ridge(np.array([middle + (-wide * 0.3, s), middle + (0, s + 0.01), middle + (wide * 0.35, s)]), 0.05, 0.11)
        for s in (0.0, 0.08)
    )
    wire = lines(beside(low, 0.03), style=STITCH, weight=0.5) if style != "triangle" else ()
    figure.add_pair(
        cup, puff=0.16, lift=0.01, crumple=0.25, drape=0.15, turn=8, ridges=dome, lines=lines(*seams, weight=0.5) + wire
    )
    if lace_cup:
        figure.add_pair(
            between(top_edge, np.stack([top_edge[:, 0] + 0.03, top_edge[:, 1] + 0.1], axis=1)),
            PLAIN,
            texture="lace",
            puff=0.01,
            lift=0.003,
            crumple=0,
            drape=0,
        )
    strip = band(under, 0.03)
    figure.add_pair(strip, TRIM, puff=0.012, lift=0.004, crumple=0, drape=0)
    if rng.random() < 0.6:
        bow(figure, 0.0, deep * 0.62)
    figure.anchor, figure.print_size = (0, deep * 0.6), 0.2
    return figure


def _straps(figure: Figure, wide: float, deep: float, tall: float, rng: np.random.Generator) -> None:
    """Straps that loop up from the cups to the wings."""
    high = rng.uniform(0.5, 0.75)
    for side in (-1, 1):
        path = curve(
            [
                (wide * 1.02, tall + 0.02),
                (wide * 1.06, tall - high * 0.6),
                (wide * 1.25, tall - high),
                (wide * 1.62, tall - high * 0.75),
                (wide * 2.2, deep * 0.5),
            ]
        ) * (side, 1)
        figure.add(band(path, 0.034), TRIM, puff=0.012, lift=0.008, crumple=0, drape=0)
        spot = path[16]
        figure.add(
            box(spot[0] - 0.028, spot[1] - 0.02, spot[0] + 0.028, spot[1] + 0.02, round_by=0.008),
            METAL,
            puff=0.01,
            lift=0.006,
        )


def _sports_bra(figure: Figure, rng: np.random.Generator) -> Figure:
    """A cropped top with broad straps and an elastic band."""
    wide, low = rng.uniform(0.46, 0.5), rng.uniform(0.74, 0.86)
    strap, dip = rng.uniform(0.1, 0.14), rng.uniform(0.36, 0.44)
    x = 0.27
    back = mirrored(
        [
            (0, dip * 0.6),
            (x - strap * 0.5, 0.02, "c"),
            (x + strap * 0.5, 0.02, "c"),
            (wide * 0.8, dip * 0.9),
            (wide * 0.9, low * 0.8, "c"),
            (0, low * 0.8),
        ]
    )
    figure.add(back, LINING, puff=0.02, lift=0)
    half = [
        (0, dip),
        (x - strap * 1.2, dip * 0.6),
        (x - strap * 0.5, 0.0, "c"),
        (x + strap * 0.5, 0.0, "c"),
        (x + strap * 0.7, dip * 0.6),
        (wide, dip * 1.1, "c"),
        (wide * 0.97, low * 0.85),
        (wide * 0.9, low, "c"),
        (0, low + 0.015),
    ]
    outline = mirrored(half)
    edge = curve(half[:3])
    inner = [beside(edge, s * 0.03) for s in (-1, 1)]
    inner = min(inner, key=lambda path: -path[:, 1].mean())
    princess = curve([(x * 0.95, dip * 0.75), (x * 0.86, low * 0.75), (x * 0.9, low)])
    dome = tuple(
        Ridge(np.array([(s * 0.12, dip * 1.35), (s * 0.25, dip * 1.4), (s * 0.38, dip * 1.32)]), 0.04, 0.09)
        for s in (-1, 1)
    )
    marks = lines(inner, inner * (-1, 1), style=STITCH, weight=0.5) + lines(princess, princess * (-1, 1), weight=0.5)
    figure.add(outline, puff=0.06, lift=0.008, crumple=0.5, drape=0.3, lines=marks, ridges=dome)
    top = curve([(-wide * 0.9, low - 0.01), (0, low + 0.005), (wide * 0.9, low - 0.01)])
    base = top * (0.99, 1) + (0, 0.14)
    figure.add(
        between(top, base),
        TRIM,
        puff=0.025,
        lift=0.006,
        crumple=0.3,
        lines=lines(top + (0, 0.02), base - (0, 0.02), style=STITCH, weight=0.5),
    )
    figure.anchor, figure.print_size = (0, low * 0.72), 0.26
    return figure

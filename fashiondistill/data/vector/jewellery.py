"""Necklaces, earrings, bracelets.

In: traits (words of the caption) and a random generator. Out: `Figure`. Knows nothing of colours.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fashiondistill.data.vector.curves import (
    arc,
    band,
    curve,
    ellipse,
    evenly,
)
from fashiondistill.data.vector.figure import (
    CLOTH,
    HOLE,
    METAL,
    Figure,
)

Traits = Mapping[str, str]


def necklace(traits: Traits, rng: np.random.Generator) -> Figure:
    """Beads on a string, or a chain with a pendant."""
    figure = Figure()
    wide, deep = rng.uniform(0.6, 0.72), rng.uniform(1.2, 1.5)
    path = curve(
        [
            (0, -0.05),
            (-wide * 0.62, 0.06),
            (-wide, 0.45),
            (-wide * 0.8, 0.9),
            (0, deep),
            (wide * 0.8, 0.9),
            (wide, 0.45),
            (wide * 0.62, 0.06),
            (0, -0.05),
        ],
        steps=24,
    )
    if traits["style"] == "beads":
        size = rng.uniform(0.042, 0.062)
        growth = rng.choice([0.0, 0.5])
        count = round(4.1 / (2 * size * (1 + growth * 0.4)))
        for x, y in evenly(path, count)[:-1]:
            own = size * (1 + growth * max(0.0, y / deep - 0.4))
            figure.add(ellipse(x, y, own, own, count=24), CLOTH, puff=own, lift=0.01, crumple=0, drape=0)
    else:
        links = evenly(path, 96)
        for number in range(95):
            step = links[number + 1] - links[number]
            turn = float(np.rad2deg(np.arctan2(step[1], step[0])))
            figure.add(
                ellipse(*links[number], 0.03, 0.017 if number % 2 else 0.009, turn=turn, count=12),
                METAL,
                puff=0.01,
                lift=0,
            )
        figure.add(ellipse(0, deep + 0.03, 0.03, 0.04), METAL, puff=0.02, lift=0.004)
        _pendant(figure, deep + 0.07, rng)
    figure.anchor, figure.print_size = (0, deep), 0.1
    return figure


def _pendant(figure: Figure, top: float, rng: np.random.Generator) -> None:
    size, kind = rng.uniform(0.13, 0.2), rng.integers(3)
    if kind == 0:
        stone = curve(
            [
                (0, top, "c"),
                (size * 0.7, top + size * 1.1),
                (size * 0.6, top + size * 1.8),
                (0, top + size * 2.1),
                (-size * 0.6, top + size * 1.8),
                (-size * 0.7, top + size * 1.1),
            ],
            closed=True,
        )
    elif kind == 1:
        stone = ellipse(0, top + size, size, size)
    else:
        stone = curve(
            [
                (0, top + size * 0.5, "c"),
                (size * 0.6, top),
                (size * 1.1, top + size * 0.5),
                (0, top + size * 1.9, "c"),
                (-size * 1.1, top + size * 0.5),
                (-size * 0.6, top),
            ],
            closed=True,
        )
    middle = stone.mean(axis=0)
    figure.add((stone - middle) * 1.16 + middle, METAL, puff=0.05, lift=0.014)
    figure.add(stone, CLOTH, puff=0.12, lift=0.004, crumple=0, drape=0)


def earrings(traits: Traits, rng: np.random.Generator) -> Figure:
    """A pair: hoops, drops or studs with stones."""
    figure, style = Figure(), traits["style"]
    size = rng.uniform(0.3, 0.38)
    for x in (-0.48, 0.48):
        if style == "hoops":
            ring = ellipse(x, 0.0, size, size * 1.08, count=60)
            figure.add((ring - (x, 0)) * 1.12 + (x, 0), CLOTH, puff=0.035, lift=0, crumple=0, drape=0)
            figure.add((ring - (x, 0)) * 0.88 + (x, 0), HOLE)
            figure.button(x, -size * 1.16, 0.035, METAL)
            continue
        figure.add(band(arc(x, -0.62, 0.09, 0.12, 180, 380), 0.022), METAL, puff=0.01, lift=0)
        figure.add(ellipse(x, -0.48, 0.05, 0.05), METAL, puff=0.03, lift=0.004)
        parts = 3 if style == "long drops" else 1
        y = -0.4
        for number in range(parts):
            own = size * (0.3 + 0.22 * number) if parts > 1 else size * 0.8
            stone = curve(
                [
                    (x, y, "c"),
                    (x + own * 0.66, y + own * 1.0),
                    (x + own * 0.56, y + own * 1.6),
                    (x, y + own * 1.9),
                    (x - own * 0.56, y + own * 1.6),
                    (x - own * 0.66, y + own),
                ],
                closed=True,
            )
            middle = stone.mean(axis=0)
            figure.add((stone - middle) * 1.13 + middle, METAL, puff=0.04, lift=0.006)
            figure.add(stone, CLOTH, puff=0.12, lift=0.003, crumple=0, drape=0)
            y += own * 2.1
    figure.anchor, figure.print_size = (0, 0), 0.1
    return figure


def bracelet(traits: Traits, rng: np.random.Generator) -> Figure:
    """Bangles or beads, lying as a ring."""
    figure = Figure()
    ring = ellipse(0, 0, 0.8, 0.56, count=90)
    if traits["style"] == "bangle":
        thick = rng.uniform(0.06, 0.13)
        figure.add(ring * (1 + thick), CLOTH, puff=thick * 0.7, lift=0, crumple=0, drape=0)
        figure.add(ring * (1 - thick), HOLE)
    else:
        for x, y in evenly(np.concatenate([ring, ring[:1]]), 27)[:-1]:
            figure.add(ellipse(x, y, 0.085, 0.085, count=24), CLOTH, puff=0.085, lift=0.012, crumple=0, drape=0)
    figure.anchor, figure.print_size = (0, 0), 0.1
    return figure

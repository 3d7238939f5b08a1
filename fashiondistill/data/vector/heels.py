"""Pumps and heeled sandals from the side, toe left.

In: traits (words of the caption) and a random generator. Out: `Figure`. Knows nothing of colours.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fashiondistill.data.vector.curves import (
    band,
    between,
    box,
    curve,
    ellipse,
)
from fashiondistill.data.vector.figure import (
    CLOTH,
    HEEL,
    LINING,
    METAL,
    PLAIN,
    STITCH,
    TRIM,
    Figure,
    lines,
)

Traits = Mapping[str, str]
STIFF = {"crumple": 0.25, "drape": 0.15}


def heel(figure: Figure, traits: Traits, rng: np.random.Generator) -> None:
    """Pumps and heeled sandals: everything follows the line of the foot above the ground at y = 0.55."""
    rise = rng.uniform(0.35, 0.85)
    foot = curve(
        [
            (-1.04, 0.5),
            (-0.85, 0.545),
            (-0.42, 0.545),
            (0.0, 0.52 - 0.38 * rise),
            (0.45, 0.53 - 0.86 * rise),
            (0.72, 0.53 - rise),
            (0.97, 0.5 - rise),
        ]
    )

    def over(x: float, by: float) -> tuple[float, float]:
        return x, float(np.interp(x, foot[:, 0], foot[:, 1])) - by

    tip = 0.035 if rng.random() < 0.6 else 0.11
    block = curve(
        [
            (*over(0.5, -0.01), "c"),
            over(0.75, 0.0),
            (*over(0.965, 0.03), "c"),
            (0.955, 0.55 - 0.5 * rise),
            (0.93, 0.55, "c"),
            (0.93 - 2 * tip, 0.55, "c"),
            (0.86 - 2 * tip, 0.55 - 0.45 * rise),
            (0.7, 0.56 - 0.75 * rise),
        ],
        closed=True,
    )
    figure.add(block, CLOTH if rng.random() < 0.7 else HEEL, puff=0.06, lift=0, **STIFF)
    if traits["style"] == "heeled sandals":
        figure.add(between(foot, foot - (0, 0.055)), PLAIN, puff=0.02, lift=0.004, **STIFF)
        counter = curve(
            [
                (*over(0.62, 0.03), "c"),
                over(0.74, 0.24),
                (*over(0.84, 0.42), "c"),
                (*over(0.95, 0.42), "c"),
                over(0.985, 0.2),
                (*over(0.965, 0.0), "c"),
            ],
            closed=True,
        )
        figure.add(counter, CLOTH, puff=0.08, lift=0.006, **STIFF)
        for x in (-0.72, -0.46) if rng.random() < 0.5 else (-0.6,):
            wide = 0.08 if x != -0.6 else 0.16
            strap = curve(
                [
                    (*over(x - wide, 0.0), "c"),
                    over(x - wide * 0.3, 0.16),
                    (*over(x + 0.12 - wide * 0.2, 0.27), "c"),
                    (*over(x + 0.16 + wide, 0.25), "c"),
                    over(x + wide * 1.2, 0.1),
                    (*over(x + wide, 0.0), "c"),
                ],
                closed=True,
            )
            figure.add(strap, CLOTH, puff=0.06, lift=0.012, **STIFF)
        ankle = curve([over(0.93, 0.38), over(0.7, 0.5), over(0.48, 0.5), over(0.4, 0.42)])
        figure.add(band(ankle, 0.05), CLOTH, puff=0.02, lift=0.01, **STIFF)
        x, y = over(0.5, 0.5)
        figure.add(box(x - 0.04, y - 0.035, x + 0.04, y + 0.035, round_by=0.012), METAL, puff=0.02, lift=0.006)
        return
    throat = rng.uniform(-0.5, -0.36)
    edge = curve(
        [
            (*over(0.97, 0.4), "c"),
            over(0.72, 0.31),
            over(0.35, 0.2),
            over(0.0, 0.16),
            over((throat - 0.1) / 2, 0.19),
            (*over(throat, 0.29), "c"),
        ]
    )
    vamp = curve([over(throat, 0.29), over(-0.7, 0.2), over(-0.95, 0.1), (-1.07, 0.49)])
    far = np.concatenate([edge + (0.0, -0.001), (edge - (0, 0.06))[::-1]])
    figure.add(far, LINING, puff=0.02, lift=0)
    upper = np.concatenate([edge, vamp[1:], foot[1:], [over(0.99, 0.15), over(0.99, 0.3)]])
    rim = edge + (0.0, 0.028)
    figure.add(upper, CLOTH, puff=0.14, lift=0.008, lines=lines(rim, style=STITCH, weight=0.4), crumple=0.15, drape=0.1)
    figure.add(between(foot, foot + (0, 0.03)), HEEL, puff=0.012, lift=0.003, **STIFF)
    if rng.random() < 0.3:
        x, y = over(throat, 0.28)
        figure.add(ellipse(x, y, 0.1, 0.045, turn=20), TRIM, puff=0.03, lift=0.01, **STIFF)

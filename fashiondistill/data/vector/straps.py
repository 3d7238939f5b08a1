"""Tops on thin straps, and the strappy front that dresses and camisoles share.

In: traits (words of the caption) and a random generator. Out: `Figure`. Knows nothing of colours.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fashiondistill.data.vector.body import (
    FIT,
    Torso,
    body_folds,
    stitched_hem,
    torso,
)
from fashiondistill.data.vector.curves import band, curve, evenly
from fashiondistill.data.vector.figure import (
    LINING,
    PLAIN,
    Figure,
    Line,
)

Traits = Mapping[str, str]


def camisole_top(traits: Traits, rng: np.random.Generator) -> Figure:
    """Tops on thin straps."""
    figure = Figure()
    fit = traits["fit"]
    body = torso(rng, fit, traits.get("length", ""))
    strap_front(figure, body, traits["neck"], rng, marks=stitched_hem(body, deep=0.04), strength=FIT[fit][4])
    figure.anchor, figure.print_size = (0.0, 0.85), 0.42
    return figure


def strap_front(
    figure: Figure,
    body: Torso,
    neck_word: str,
    rng: np.random.Generator,
    *,
    marks: tuple[Line, ...] = (),
    strength: float = 1.0,
    lace: bool = False,
) -> np.ndarray:
    """The front of a strappy top and its two straps; returns the front's upper edge, left to right."""
    top, pit = body.slope + 0.2, body.slope + body.armhole * 0.92
    x = body.shoulder * 0.55
    dip = {"v-neck": 0.16, "scoop neck": 0.12, "square neck": 0.0}.get(neck_word, 0.05)
    back = curve(
        [(-body.chest + 0.03, pit), (-x, top + 0.14), (0, top + 0.16), (x, top + 0.14), (body.chest - 0.03, pit)]
    )
    corner = "c" if neck_word in ("v-neck", "square neck") else None
    middle = (0, top + dip, "c") if corner and dip else (0, top + dip)
    upper = curve(
        [
            (-body.chest, pit, "c"),
            (-x - 0.04, top + 0.02, "c"),
            (-x + 0.02, top, "c"),
            middle,
            (x - 0.02, top, "c"),
            (x + 0.04, top + 0.02, "c"),
            (body.chest, pit, "c"),
        ]
    )
    low = curve(
        [
            (body.chest, pit, "c"),
            (body.waist, 0.5 * (pit + body.length)),
            (body.hem, body.length, "c"),
            (0, body.length + body.hem_curve),
            (-body.hem, body.length, "c"),
            (-body.waist, 0.5 * (pit + body.length)),
            (-body.chest, pit, "c"),
        ]
    )
    figure.add(
        np.concatenate([back, [(body.chest - 0.03, pit + 0.1), (-body.chest + 0.03, pit + 0.1)]]),
        LINING,
        puff=0.01,
        lift=0,
    )
    for side in (-1, 1):
        strap = curve(
            [
                (side * x, top + 0.03),
                (side * x * 0.96, top - 0.14),
                (side * x * 0.84, top - 0.26),
                (side * x * 0.8, top - 0.12),
                (side * x * 0.86, top + 0.16),
            ]
        )
        figure.add(band(strap, 0.026), PLAIN, puff=0.01, lift=0.004, crumple=0, drape=0)
    ridges = body_folds(rng, body, strength, sleeves=False)
    figure.add(np.concatenate([upper, low[1:]]), puff=0.06, lift=0.01, lines=marks, ridges=ridges)
    if lace:
        trim = evenly(upper, 60)
        figure.add(band(trim + (0, 0.035), 0.075), PLAIN, puff=0.01, lift=0.004, texture="lace", crumple=0, drape=0)
    return upper

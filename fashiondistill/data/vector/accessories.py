"""Scarves, belts, ties, gloves, sunglasses.

In: traits (words of the caption) and a random generator. Out: `Figure`. Knows nothing of colours.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fashiondistill.data.vector.curves import (
    arc,
    band,
    beside,
    box,
    curve,
    ellipse,
    evenly,
    ticks,
)
from fashiondistill.data.vector.figure import (
    CLOTH,
    FOLD,
    GLASS,
    LINING,
    METAL,
    RIB,
    STITCH,
    TRIM,
    Figure,
    Ridge,
    lines,
)

Traits = Mapping[str, str]


def scarf(traits: Traits, rng: np.random.Generator) -> Figure:
    """A long scarf hung in a loop, folded, or a square one laid as a triangle."""
    figure = Figure()
    if traits["style"] == "square":
        return _square_scarf(figure, rng)
    wide = rng.uniform(0.3, 0.38)
    fringe = traits.get("edge") == "fringes"
    ends = rng.uniform(1.35, 1.6), rng.uniform(1.5, 1.85)
    for side, low, lift in ((-1, ends[0], 0.0), (1, ends[1], 0.02)):
        x0, x1 = side * rng.uniform(0.2, 0.26), side * rng.uniform(0.22, 0.4)
        path = curve([(x0 * 0.7, 0.02), (x0, 0.45), ((x0 + x1) / 2, 1.0), (x1, low)])
        widths = np.interp(np.linspace(0, 1, len(path)), [0, 0.2, 1], [wide * 0.8, wide * 0.95, wide * 1.15])
        if fringe:
            end = np.stack([beside(path, wide * 0.56)[-1], beside(path, -wide * 0.56)[-1]])
            for x, y in evenly(end, 13):
                thread = curve(
                    [
                        (x, y - 0.02),
                        (x + rng.normal(0, 0.01), y + 0.09),
                        (x + rng.normal(0, 0.022), y + rng.uniform(0.16, 0.2)),
                    ]
                )
                figure.add(
                    band(thread, np.linspace(0.022, 0.014, len(thread))), CLOTH, puff=0.008, lift=0, crumple=0, drape=0
                )
        folds = tuple(
            Ridge(beside(path, wide * s)[6:], rng.uniform(0.012, 0.03), 0.022) for s in rng.uniform(-0.4, 0.4, 3)
        )
        figure.add(band(path, widths), turn=-4 * side, puff=0.08, lift=lift, crumple=0.7, drape=0.9, ridges=folds)
    loop = curve(
        [(-0.34, 0.1), (-0.2, -0.08), (0, -0.12), (0.2, -0.08), (0.34, 0.1), (0.28, 0.34), (0, 0.46), (-0.28, 0.34)],
        closed=True,
    )
    hole = curve([(-0.16, 0.08), (0, 0.0), (0.16, 0.08), (0.1, 0.17), (0, 0.2), (-0.1, 0.17)], closed=True)
    wraps = tuple(
        Ridge(
            curve([(-0.32, 0.06 + d), (-0.16, 0.26 + d), (0, 0.32 + d), (0.16, 0.26 + d), (0.32, 0.06 + d)]),
            0.035,
            0.026,
        )
        for d in (-0.03, 0.05, 0.12)
    )
    marks = lines(
        *(curve([(-0.3, 0.1 + d), (-0.14, 0.27 + d), (0.04, 0.31 + d), (0.2, 0.24 + d)]) for d in (-0.02, 0.06)),
        style=FOLD,
        weight=0.6,
    )
    figure.add(loop, turn=70, puff=0.1, lift=0.03, crumple=0.5, drape=0.4, ridges=wraps, lines=marks)
    figure.add(hole, LINING, puff=0.04, lift=0)
    figure.anchor, figure.print_size = (0.2, 1.0), 0.14
    return figure


def _square_scarf(figure: Figure, rng: np.random.Generator) -> Figure:
    """A silk square with a border, lying open and a little askew."""
    corner = [np.array(c) + rng.normal(0, 0.03, 2) for c in ((-0.8, -0.9), (0.8, -0.86), (0.84, 0.9), (-0.78, 0.88))]
    side = [tuple(c) + ("c",) for c in corner]
    outline = curve(side, closed=True)  # type: ignore[arg-type]
    middle = outline.mean(axis=0)
    inner = (outline - middle) * 0.84 + middle
    creases = tuple(
        Ridge(np.array([(x, -0.9), (x + rng.normal(0, 0.02), 0), (x, 0.9)]), rng.choice([-1, 1]) * 0.012, 0.012)
        for x in (-0.27, 0.27)
    ) + (Ridge(np.array([(-0.8, 0.0), (0, 0.01), (0.8, 0.0)]), 0.012, 0.012),)
    figure.add(
        outline,
        TRIM,
        puff=0.015,
        lift=0,
        crumple=0.9,
        drape=0.5,
        lines=lines(
            np.concatenate([(outline - middle) * 0.97 + middle, ((outline - middle) * 0.97 + middle)[:1]]),
            style=STITCH,
            weight=0.5,
        ),
    )
    figure.add(inner, CLOTH, puff=0.0, lift=0.0, crumple=0.9, drape=0.5, ridges=creases)
    figure.anchor, figure.print_size = (float(middle[0]), float(middle[1])), 0.5
    return figure


def belt(traits: Traits, rng: np.random.Generator) -> Figure:
    """A belt rolled up, or lying as an open ring."""
    figure = Figure()
    wide = {"wide": 0.2, "": 0.14, "thin": 0.09}[traits.get("width", "")]
    if rng.random() < 0.5:
        angle = np.linspace(0.2, 2 * np.pi * 2.1, 150)
        radius = 0.34 + 0.05 * angle
        spiral = np.stack([radius * np.cos(angle) * 1.15, radius * np.sin(angle) * 0.62], axis=1)
        tail = curve(
            [
                tuple(spiral[-1]),
                (spiral[-1][0] + 0.25, spiral[-1][1] + 0.3),
                (spiral[-1][0] + 0.1, spiral[-1][1] + 0.62),
                (spiral[-1][0] - 0.5, spiral[-1][1] + 0.72),
            ]
        )
        path = np.concatenate([spiral, tail[1:]])
    else:
        path = np.concatenate([arc(0, 0, 0.95, 0.62, 100, 430), curve([(0.32, 0.6), (0.0, 0.69), (-0.5, 0.72)])])
    outline_parts = np.array_split(path, 6)
    for number, part in enumerate(outline_parts):  # in pieces, so that inner turns lie below outer ones
        piece = part if number == 5 else np.concatenate([part, outline_parts[number + 1][:2]])
        marks = lines(beside(piece, wide * 0.38), beside(piece, -wide * 0.38), style=STITCH, weight=0.7)
        figure.add(
            band(piece, wide),
            puff=wide * 0.3,
            lift=0.012 if number in (0, 3, 5) else 0.0,
            crumple=0.2,
            drape=0.1,
            lines=marks,
            edges=(beside(piece, wide / 2), beside(piece, -wide / 2)),
        )
    end = path[-1]
    for k in range(5):
        spot = path[-4 - 4 * k] if len(path) > 30 else end
        figure.add(ellipse(float(spot[0]), float(spot[1]), 0.016, 0.016), LINING, puff=0.004, lift=0)
    place = path[len(path) - 40] if len(path) > 60 else path[0]
    x, y = float(place[0]), float(place[1])
    half = wide * 0.72
    figure.add(box(x - half, y - half, x + half, y + half, round_by=half * 0.4), METAL, puff=0.035, lift=0.016)
    figure.add(
        box(x - half * 0.62, y - half * 0.62, x + half * 0.62, y + half * 0.62, round_by=half * 0.2),
        CLOTH,
        puff=0.01,
        lift=0,
        crumple=0.2,
        drape=0,
    )
    figure.add(band(np.array([(x - half * 0.1, y), (x + half * 0.95, y)]), 0.03), METAL, puff=0.014, lift=0.008)
    figure.anchor, figure.print_size = (0, 0), 0.1
    return figure


def tie(traits: Traits, rng: np.random.Generator) -> Figure:
    """A tie, knotted."""
    figure = Figure()
    wide, long = rng.uniform(0.15, 0.2), rng.uniform(1.9, 2.2)
    for side in (-1, 1):
        loop = curve([(side * 0.05, 0.0), (side * 0.2, -0.2), (side * 0.13, -0.34), (0, -0.38)])
        figure.add(band(loop, 0.075), turn=side * 50, puff=0.025, lift=0, crumple=0.2)
    blade = curve(
        [(-0.06, 0.12, "c"), (0.06, 0.12, "c"), (wide, long - 0.24, "c"), (0, long, "c"), (-wide, long - 0.24, "c")],
        closed=True,
    )
    figure.add(
        blade,
        turn=-38,
        puff=0.06,
        lift=0,
        crumple=0.35,
        drape=0.3,
        lines=lines(np.array([(-0.02, 0.14), (0.03, 0.4)]), style=FOLD, weight=0.6),
    )
    knot = curve([(-0.12, -0.06, "c"), (0.12, -0.06, "c"), (0.065, 0.15, "c"), (-0.065, 0.15, "c")], closed=True)
    figure.add(knot, turn=38, puff=0.05, lift=0.012, crumple=0.2, drape=0.2)
    figure.anchor, figure.print_size = (0, 1.0), 0.1
    return figure


def gloves(traits: Traits, rng: np.random.Generator) -> Figure:
    """A pair of gloves or mittens."""
    figure, mittens = Figure(), traits["style"] == "mittens"
    for side in (-1, 1):
        shift = np.array([side * 0.42, rng.normal(0, 0.02)])
        thumb = (
            curve([(0.2, 0.1), (0.4, -0.08), (0.5, -0.3), (0.4, -0.36), (0.28, -0.2), (0.14, -0.06)], closed=True)
            * (-side, 1)
            + shift
        )
        figure.add(thumb, puff=0.08, lift=0, crumple=0.5, turn=side * 25)
        if mittens:
            hand = curve(
                [
                    (-0.27, 0.42, "c"),
                    (-0.29, 0.0),
                    (-0.26, -0.45),
                    (-0.02, -0.66),
                    (0.22, -0.45),
                    (0.27, 0.0),
                    (0.25, 0.42, "c"),
                ],
                closed=True,
            )
            marks = ()
        else:
            tips = ((-0.22, -0.52), (-0.075, -0.7), (0.07, -0.72), (0.21, -0.58))
            points: list = [(-0.27, 0.42, "c"), (-0.3, 0.0)]
            for x, y in tips:
                points += [
                    (x - 0.066, -0.14, "c"),
                    (x - 0.06, y + 0.05),
                    (x, y),
                    (x + 0.06, y + 0.05),
                    (x + 0.066, -0.14, "c"),
                ]
            hand = curve([*points, (0.28, 0.0), (0.25, 0.42, "c")], closed=True)
            marks = lines(
                *(np.array([(x, 0.12), (x + 0.01, -0.08)]) for x in (-0.12, 0.0, 0.12)), style=STITCH, weight=0.6
            )
        hand_marks = tuple(type(m)(m.points * (-side, 1) + shift, m.style, m.weight) for m in marks)
        figure.add(hand * (-side, 1) + shift, puff=0.08, lift=0.01, crumple=0.6, drape=0.3, lines=hand_marks)
        edge = np.array([(-0.27, 0.4), (0.26, 0.4)]) * (-side, 1) + shift
        cuff = np.concatenate([edge, (edge + (0, 0.28))[::-1]])
        figure.add(
            cuff, TRIM, puff=0.06, lift=0.006, crumple=0.2, lines=lines(*ticks(edge, 0.035, -0.3, 0.3), style=RIB)
        )
    figure.anchor, figure.print_size = (0, 0), 0.1
    return figure


def sunglasses(traits: Traits, rng: np.random.Generator) -> Figure:
    """Sunglasses from the front, arms folded behind."""
    figure = Figure()
    wide, tall = rng.uniform(0.4, 0.46), rng.uniform(0.34, 0.42)
    for side in (-1, 1):
        figure.add(
            band(curve([(side * 0.98, -0.1), (side * 0.6, -0.03), (-side * 0.2, 0.02)]), 0.05),
            CLOTH,
            puff=0.02,
            lift=0,
            crumple=0,
        )
        x = side * 0.5
        frame = curve(
            [
                (x - wide, -tall * 0.8),
                (x + wide, -tall * 0.86),
                (x + wide * 0.93, tall * 0.3),
                (x + wide * 0.3, tall * 0.9),
                (x - wide * 0.5, tall * 0.86),
                (x - wide * 0.96, tall * 0.2),
            ],
            closed=True,
        )
        middle = frame.mean(axis=0)
        figure.add(frame, CLOTH, puff=0.06, lift=0.012, crumple=0, drape=0)
        figure.add((frame - middle) * 0.82 + middle, GLASS, puff=0.02, lift=0, crumple=0, drape=0)
        figure.button(side * (0.5 + wide * 0.9), -tall * 0.66, 0.024, METAL)
    figure.add(
        band(curve([(-0.12, -tall * 0.5), (0, -tall * 0.68), (0.12, -tall * 0.5)]), 0.08),
        CLOTH,
        puff=0.035,
        lift=0.008,
        crumple=0,
        drape=0,
    )
    figure.anchor, figure.print_size = (0, 0), 0.1
    return figure

"""Briefs, boxer shorts, camisoles, bodysuits.

In: traits (words of the caption) and a random generator. Out: `Figure`. Knows nothing of colours.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fashiondistill.data.vector.body import Torso, stitched_hem, torso
from fashiondistill.data.vector.curves import band, beside, between, box, curve, evenly, mirrored
from fashiondistill.data.vector.figure import (
    CLOTH,
    EDGE,
    LINING,
    PLAIN,
    RIB,
    STITCH,
    TRIM,
    Figure,
    Ridge,
    lines,
)
from fashiondistill.data.vector.straps import strap_front

Traits = Mapping[str, str]


def bow(figure: Figure, x: float, y: float) -> None:
    for side in (-1, 1):
        loop = curve([(x, y), (x + side * 0.05, y - 0.035), (x + side * 0.055, y + 0.03)], closed=True)
        figure.add(loop, TRIM, puff=0.015, lift=0.006, crumple=0)
    figure.button(x, y, 0.012, TRIM)


def briefs(traits: Traits, rng: np.random.Generator) -> Figure:
    """Briefs, high-waisted briefs, Brazilian briefs and thongs; with lace if asked."""
    figure, style = Figure(), traits["style"]
    waist, hip = rng.uniform(0.56, 0.62), rng.uniform(0.68, 0.74)
    top, side = (-0.2, 0.3) if style == "high-waisted" else (0.0, 0.26) if style == "classic" else (0.08, 0.12)
    low, gusset = rng.uniform(0.78, 0.86), {"thong": 0.07, "brazilian": 0.1}.get(style, 0.14)
    back = mirrored(
        [
            (0, top + 0.0),
            (waist, top - 0.03, "c"),
            (hip, top + side, "c"),
            (gusset + 0.16, low - 0.22),
            (gusset, low - 0.03, "c"),
            (0, low),
        ]
    )
    figure.add(
        back,
        LINING,
        puff=0.03,
        lift=0,
        lines=lines(curve([(-waist * 0.9, top + 0.06), (0, top + 0.06), (waist * 0.9, top + 0.06)]), weight=0.5),
    )
    half = [
        (0, top + 0.1),
        (waist * 0.6, top + 0.06),
        (waist, top - 0.03, "c"),
        (hip, top + side, "c"),
        (hip * 0.62, low * 0.62),
        (gusset + 0.04, low - 0.12),
        (gusset, low, "c"),
        (0, low + 0.02),
    ]
    outline = mirrored(half)
    leg = curve(half[3:7])
    inside = beside(leg, 0.03)
    if inside[len(leg) // 2, 0] > leg[len(leg) // 2, 0]:
        inside = beside(leg, -0.03)
    gus = curve([(-gusset - 0.06, low - 0.17), (0, low - 0.22), (gusset + 0.06, low - 0.17)])
    pulls = tuple(
        Ridge(
            curve([(s * 0.08, low - 0.1), (s * 0.22, low * 0.6), (s * 0.42, top + side * 1.1)]),
            rng.uniform(0.006, 0.014),
            0.02,
        )
        for s in (-1, 1)
    )
    figure.add(outline, puff=0.06, lift=0.008, crumple=0.6, drape=0.3, ridges=pulls, lines=lines(gus, weight=0.6))
    lace = traits.get("trim") == "lace trim"
    figure.add_pair(
        between(leg, inside),
        PLAIN if lace else TRIM,
        puff=0.015,
        lift=0.003,
        crumple=0,
        drape=0,
        texture="lace" if lace else "",
    )
    edge = curve(
        [
            (-waist, top - 0.03),
            (-waist * 0.6, top + 0.06),
            (0, top + 0.1),
            (waist * 0.6, top + 0.06),
            (waist, top - 0.03),
        ]
    )
    deep = 0.12 if lace else rng.uniform(0.035, 0.07)
    marks = (
        ()
        if lace
        else lines(
            *(np.stack([a, b]) for a, b in zip(evenly(edge, 70), evenly(edge + (0, deep), 70), strict=True)),
            style=RIB,
            weight=0.5,
        )
    )
    figure.add(
        between(edge, edge * (1.02, 1) + (0, deep)),
        PLAIN if lace else TRIM,
        puff=0.015,
        lift=0.004,
        crumple=0.1,
        drape=0,
        lines=marks,
        texture="lace" if lace else "",
    )
    if rng.random() < 0.4 and style != "classic":
        bow(figure, 0.0, top + 0.13)
    figure.anchor, figure.print_size = (0, 0.42), 0.26
    return figure


def boxers(traits: Traits, rng: np.random.Generator) -> Figure:
    """Boxer shorts: close-fitting trunks or loose woven ones."""
    figure = Figure()
    loose = traits["fit"] == "loose fit"
    waist, hip, low = rng.uniform(0.5, 0.55), rng.uniform(0.62, 0.68), rng.uniform(0.9, 1.05)
    if loose:
        hip, low = hip + 0.08, low + 0.15
    rise = low * 0.66
    back = mirrored([(0, 0.0), (waist, -0.01, "c"), (waist, 0.1, "c"), (0, 0.12)])
    figure.add(back, LINING, puff=0.02, lift=0)
    for side in (-1, 1):
        outline = curve(
            [
                (0, 0.06, "c"),
                (waist, 0.02, "c"),
                (hip, rise * 0.9),
                (hip + 0.03, low, "c"),
                (0.15, low + 0.05, "c"),
                (0.03, rise + 0.05),
                (0, rise, "c"),
            ],
            closed=True,
        ) * (side, 1)
        hem = curve([(hip + 0.03, low - 0.05), (0.14, low)]) * (side, 1)
        pulls = tuple(
            Ridge(
                np.array([(0.02, rise), (0.2, rise - t), (0.42, rise - 1.6 * t)]) * (side, 1),
                rng.uniform(0.006, 0.012),
                0.018,
            )
            for t in (0.02, 0.12)
        )
        figure.add(
            outline,
            puff=0.07,
            lift=0.004,
            crumple=1.0 if loose else 0.5,
            drape=0.6,
            lines=lines(hem, style=STITCH),
            ridges=pulls,
        )
    pouch = curve(
        [
            (0.0, 0.1),
            (0.17, 0.22),
            (0.18, rise * 0.75),
            (0.03, rise + 0.02),
            (-0.03, rise + 0.02),
            (-0.18, rise * 0.75),
            (-0.17, 0.22),
        ],
        closed=True,
    )
    if loose:
        fly = curve([(0.08, 0.1), (0.08, rise * 0.66), (0.0, rise * 0.8)])
        figure.change_last(lines=figure.panels[-1].lines + lines(fly, style=EDGE, weight=0.7))
        figure.button(0.03, rise * 0.4, 0.018)
    else:
        fly = curve([(0.1, 0.16), (0.02, rise * 0.5), (0.03, rise)])
        figure.add(
            pouch,
            puff=0.09,
            lift=0.004,
            crumple=0.3,
            drape=0.2,
            lines=lines(fly, style=EDGE, weight=0.6) + lines(beside(fly, 0.02), style=STITCH),
        )
    top = curve([(-waist - 0.005, 0.0), (0, 0.05), (waist + 0.005, 0.0)])
    marks = lines(top + (0, 0.03), top + (0, 0.085), style=STITCH, weight=0.7)
    figure.add(
        between(top, top + (0, 0.11)), TRIM, puff=0.02, lift=0.008, crumple=0.3, drape=0.1, cross=0.2, lines=marks
    )
    figure.anchor, figure.print_size = (0.3, 0.5), 0.14
    return figure


def camisole(traits: Traits, rng: np.random.Generator) -> Figure:
    """Camisoles with thin straps, some edged with lace."""
    figure = Figure()
    body = torso(rng, "slim fit", hem_curve=0.04)
    body = Torso(**(body.__dict__ | {"length": body.length * 0.92}))
    strap_front(
        figure,
        body,
        traits["neck"],
        rng,
        marks=stitched_hem(body, deep=0.04),
        strength=0.9,
        lace=traits.get("trim") == "lace trim",
    )
    figure.anchor, figure.print_size = (0, 0.8), 0.4
    return figure


def bodysuit(traits: Traits, rng: np.random.Generator) -> Figure:
    """Bodysuits: a camisole that closes between the legs."""
    figure = Figure()
    wide, deep, low = rng.uniform(0.42, 0.47), rng.uniform(0.28, 0.44), rng.uniform(1.72, 1.86)
    x, waist, hip = 0.27, wide * 0.84, wide * 1.04
    sharp = ("c",) if traits["neck"] == "v-neck" else ()
    back = mirrored(
        [
            (0, 0.5),
            (x, 0.16),
            (wide, 0.5, "c"),
            (waist, 0.95),
            (hip, 1.36, "c"),
            (0.2, low - 0.22),
            (0.1, low - 0.03, "c"),
            (0, low),
        ]
    )
    figure.add(back, LINING, puff=0.03, lift=0)
    half = [
        (0, deep, *sharp),
        (x * 0.75, deep * 0.66),
        (x - 0.02, 0.06, "c"),
        (x + 0.03, 0.06, "c"),
        (x + 0.08, 0.34),
        (wide, 0.52, "c"),
        (waist, 0.95),
        (hip, 1.34, "c"),
        (hip * 0.62, low - 0.34),
        (0.12, low - 0.08),
        (0.09, low, "c"),
        (0, low + 0.02),
    ]
    outline = mirrored(half)
    pulls = tuple(
        Ridge(curve([(s * waist * 0.8, 0.9 + t), (s * 0.2, 0.98 + t), (0, 1.0 + t)]), rng.uniform(0.004, 0.01), 0.018)
        for s in (-1, 1)
        for t in (0, 0.14)
    )
    seams = [curve([(s * x * 0.9, 0.5), (s * waist * 0.55, 0.95), (s * hip * 0.55, low - 0.3)]) for s in (-1, 1)]
    dome = tuple(Ridge(np.array([(s * 0.12, 0.62), (s * 0.22, 0.64), (s * 0.33, 0.62)]), 0.03, 0.08) for s in (-1, 1))
    for side in (-1, 1):
        strap = curve(
            [
                (side * x, 0.1),
                (side * x * 0.98, -0.1),
                (side * x * 0.9, -0.22),
                (side * x * 0.86, -0.08),
                (side * x * 0.92, 0.3),
            ]
        )
        figure.add(band(strap, 0.034), TRIM, puff=0.012, lift=0.005, crumple=0)
    figure.add(
        outline, puff=0.07, lift=0.008, crumple=0.5, drape=0.4, ridges=pulls + dome, lines=lines(*seams, weight=0.45)
    )
    leg = curve(half[7:11])
    figure.add_pair(band(leg, 0.04), TRIM, puff=0.012, lift=0.003, crumple=0)
    edge = curve(half[:3])
    if traits.get("trim") == "lace trim":
        figure.add_pair(
            between(edge, edge + (0.02, 0.1)), PLAIN, texture="lace", puff=0.01, lift=0.003, crumple=0, drape=0
        )
    else:
        figure.add_pair(band(edge, 0.03), TRIM, puff=0.012, lift=0.003, crumple=0)
    snaps = curve([(-0.09, low - 0.05), (0.09, low - 0.05)])
    figure.add(box(-0.1, low - 0.09, 0.1, low + 0.005), CLOTH, puff=0.015, lift=0.004, lines=lines(snaps, style=STITCH))
    figure.anchor, figure.print_size = (0, 0.85), 0.26
    return figure

"""Hats: caps, beanies, bucket hats, brimmed hats, berets.

In: traits (words of the caption) and a random generator. Out: `Figure`. Knows nothing of colours.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fashiondistill.data.vector.curves import band, beside, between, box, curve, ellipse, ticks
from fashiondistill.data.vector.figure import (
    CLOTH,
    FOLD,
    LINING,
    METAL,
    PLAIN,
    RIB,
    STITCH,
    TRIM,
    Figure,
    Ridge,
    lines,
)

Traits = Mapping[str, str]


def cap(traits: Traits, rng: np.random.Generator) -> Figure:
    """A baseball cap from the front, its peak towards the viewer."""
    figure = Figure()
    wide, tall = rng.uniform(0.72, 0.78), rng.uniform(0.8, 0.92)
    peak, flat = rng.uniform(0.42, 0.54), rng.random() < 0.4
    crown = curve(
        [
            (0, -tall),
            (wide * 0.5, -tall * 0.92),
            (wide * 0.88, -tall * 0.5),
            (wide, 0.02),
            (wide * 0.96, 0.16, "c"),
            (0, 0.06),
            (-wide * 0.96, 0.16, "c"),
            (-wide, 0.02),
            (-wide * 0.88, -tall * 0.5),
            (-wide * 0.5, -tall * 0.92),
        ],
        closed=True,
    )
    seams = []
    for x in (0.52, 0.98):
        seam = curve([(0, -tall + 0.01), (wide * x * 0.62, -tall * 0.72), (wide * x, -0.1), (wide * x, 0.2)])
        seams += [seam, seam * (-1, 1)]
    middle = np.array([(0.0, -tall), (0.0, 0.1)])
    stitches = [beside(s, d) for s in (middle, *seams[:2]) for d in (-0.022, 0.022)]
    figure.add(
        crown,
        puff=0.42,
        lift=0,
        crumple=0.3,
        drape=0.2,
        lines=lines(middle, *seams, weight=0.8) + lines(*stitches, style=STITCH, weight=0.5),
    )
    for x, y in ((0.3, -0.62), (-0.3, -0.62), (0.64, -0.42), (-0.64, -0.42)):
        figure.add(ellipse(x * wide / 0.75, y * tall / 0.86, 0.026, 0.026), LINING, puff=0.004, lift=0)
    figure.button(0, -tall, 0.055, CLOTH)
    brow = curve([(-wide * 0.97, 0.15), (-wide * 0.6, 0.05), (0, 0.0), (wide * 0.6, 0.05), (wide * 0.97, 0.15)])
    rim = curve(
        [
            (wide * 1.02, 0.15, "c"),
            (wide * (1.08 if flat else 1.0), peak * 0.62),
            (wide * 0.6, peak * 0.98),
            (0, peak * 1.05),
            (-wide * 0.6, peak * 0.98),
            (-wide * (1.08 if flat else 1.0), peak * 0.62),
            (-wide * 1.02, 0.15, "c"),
        ]
    )
    rows = [brow * (1 - 0.03 * k, 1) + (0, peak * 0.15 * k) for k in range(1, 6)]
    figure.add(
        np.concatenate([brow, rim]),
        traits.get("peak", CLOTH),
        puff=0.1,
        lift=0.03,
        crumple=0.2,
        drape=0.1,
        lines=lines(*rows, style=STITCH, weight=0.5),
    )
    figure.anchor, figure.print_size = (0, -tall * 0.4), 0.34
    return figure


def beanie(traits: Traits, rng: np.random.Generator) -> Figure:
    """A knitted hat with a turned-up edge, some with a bobble."""
    figure = Figure()
    wide, tall, cuff = rng.uniform(0.66, 0.72), rng.uniform(0.72, 0.95), rng.uniform(0.26, 0.34)
    if traits.get("top") == "pompom":
        blob = ellipse(0, -tall - 0.13, 0.23, 0.21, count=64)
        jitter = 1 + 0.07 * rng.standard_normal(64)[:, None]
        figure.add(
            (blob - (0, -tall - 0.13)) * jitter + (0, -tall - 0.13),
            TRIM,
            puff=0.2,
            lift=0,
            texture="fleece",
            crumple=1.2,
            drape=0,
        )
    crown = curve(
        [
            (0, -tall),
            (wide * 0.42, -tall * 0.95),
            (wide * 0.82, -tall * 0.6),
            (wide * 0.97, 0.0),
            (wide * 0.97, 0.1, "c"),
            (-wide * 0.97, 0.1, "c"),
            (-wide * 0.97, 0.0),
            (-wide * 0.82, -tall * 0.6),
            (-wide * 0.42, -tall * 0.95),
        ],
        closed=True,
    )
    ribs = []
    for x in np.linspace(-0.97, 0.97, 31):
        ribs.append(curve([(x * wide * 0.25, -tall), (x * wide * 0.84, -tall * 0.55), (x * wide, 0.1)]))
    gathered = tuple(
        Ridge(curve([(0, -tall), (x * 0.35, -tall * 0.8), (x * 0.6, -tall * 0.4)]), 0.02, 0.02)
        for x in np.linspace(-0.9, 0.9, 7)
    )
    figure.add(
        crown, puff=0.3, lift=0, crumple=0.6, drape=0.2, lines=lines(*ribs, style=RIB, weight=0.8), ridges=gathered
    )
    top = curve([(-wide, 0.02), (0, 0.06), (wide, 0.02)])
    fold = np.concatenate([top, curve([(wide * 1.01, cuff, "c"), (0, cuff + 0.05), (-wide * 1.01, cuff, "c")])])
    figure.add(
        fold,
        TRIM if traits.get("edge") else CLOTH,
        puff=0.09,
        lift=0.03,
        crumple=0.3,
        drape=0.1,
        lines=lines(*ticks(top, 0.045, -0.1, cuff + 0.1), style=RIB),
    )
    if rng.random() < 0.3:
        figure.add(box(0.12, cuff * 0.4, 0.3, cuff * 0.78), PLAIN, puff=0.01, lift=0.008, crumple=0, drape=0)
    figure.anchor, figure.print_size = (0, -tall * 0.3), 0.3
    return figure


def bucket(traits: Traits, rng: np.random.Generator) -> Figure:
    """A bucket hat."""
    figure = Figure()
    top, wide, tall, brim = (
        rng.uniform(0.42, 0.48),
        rng.uniform(0.56, 0.62),
        rng.uniform(0.6, 0.7),
        rng.uniform(0.34, 0.44),
    )
    low = curve([(-wide, 0.0), (0, 0.1), (wide, 0.0)])
    edge = curve(
        [
            (wide + 0.3, brim, "c"),
            (wide * 0.6, brim + 0.15),
            (0, brim + 0.19),
            (-wide * 0.6, brim + 0.15),
            (-wide - 0.3, brim, "c"),
        ]
    )
    rows = [low * (1 + 0.1 * k, 1) + (0, brim * 0.2 * k + 0.012 * k) for k in range(1, 6)]
    side = curve(
        [(-top, -tall, "c"), (0, -tall - 0.09), (top, -tall, "c"), (wide, 0.0, "c"), (0, 0.1), (-wide, 0.0, "c")],
        closed=True,
    )
    seam = curve([(-top, -tall + 0.01), (0, -tall + 0.08), (top, -tall + 0.01)])
    figure.add(
        side,
        puff=0.22,
        lift=0,
        crumple=0.7,
        drape=0.5,
        lines=lines(seam) + lines(beside(seam, 0.02), style=STITCH, weight=0.5),
    )
    figure.add(
        np.concatenate([low, edge]),
        puff=0.08,
        lift=0.02,
        crumple=0.7,
        drape=0.5,
        lines=lines(*rows, style=STITCH, weight=0.5),
    )
    for x in (-0.3, -0.36):
        figure.add(ellipse(x, -tall * 0.4, 0.02, 0.02), METAL, puff=0.008, lift=0.003)
    figure.anchor, figure.print_size = (0, -tall * 0.42), 0.26
    return figure


def brimmed(traits: Traits, rng: np.random.Generator) -> Figure:
    """A hat with a wide brim: felt or straw."""
    figure = Figure()
    wide, tall, brim = rng.uniform(0.46, 0.52), rng.uniform(0.58, 0.68), rng.uniform(0.95, 1.15)
    back = ellipse(0, 0.05, brim, 0.26)
    rings = [ellipse(0, 0.05, brim * s, 0.26 * s) for s in (0.97, 0.9, 0.83, 0.76)]
    figure.add(
        back,
        puff=0.06,
        lift=0,
        crumple=0.15,
        drape=0.2,
        lines=lines(*(np.concatenate([r, r[:1]]) for r in rings[:1]), style=STITCH, weight=0.5)
        + lines(*rings[1:], style=RIB, weight=0.3),
    )
    dent = rng.random() < 0.6
    peak = -tall + (0.1 if dent else 0.0)
    crown = curve(
        [
            (-wide, 0.06, "c"),
            (-wide * 0.92, -tall * 0.5),
            (-wide * 0.66, -tall),
            (0, peak),
            (wide * 0.66, -tall),
            (wide * 0.92, -tall * 0.5),
            (wide, 0.06, "c"),
            (0, 0.17),
        ],
        closed=True,
    )
    ridges = (
        (
            Ridge(curve([(-0.14, -tall * 0.95), (-0.2, -tall * 0.6), (-0.16, -tall * 0.35)]), -0.03, 0.05),
            Ridge(curve([(0.14, -tall * 0.95), (0.2, -tall * 0.6), (0.16, -tall * 0.35)]), -0.03, 0.05),
        )
        if dent
        else ()
    )
    figure.add(crown, puff=0.3, lift=0.03, crumple=0.15, drape=0.2, ridges=ridges)
    low = curve([(-wide * 1.0, 0.05), (-wide * 0.5, 0.14), (0, 0.165), (wide * 0.5, 0.14), (wide * 1.0, 0.05)])
    upper = low * (0.975, 1) + (0, -rng.uniform(0.1, 0.16))
    figure.add(between(upper, low), TRIM, puff=0.03, lift=0.006, crumple=0.1, drape=0, texture="smooth")
    figure.anchor, figure.print_size = (0, -tall * 0.5), 0.2
    return figure


def beret(traits: Traits, rng: np.random.Generator) -> Figure:
    """A beret, lying a little to one side."""
    figure = Figure()
    side = float(rng.choice([-1, 1]))
    disc = curve(
        [
            (-0.72, 0.12),
            (-0.8, -0.12),
            (-0.5, -0.42),
            (0.1, -0.52),
            (0.66, -0.4),
            (0.9, -0.1),
            (0.74, 0.18),
            (0.3, 0.28),
            (-0.3, 0.26),
        ],
        closed=True,
    ) * (side, 1)
    folds = tuple(
        Ridge(curve([(x, 0.2), (x * 1.15, 0.02), (x * 1.25, -0.18)]) * (side, 1), rng.uniform(0.012, 0.03), 0.03)
        for x in np.linspace(-0.5, 0.55, 7)
    )
    figure.add(
        disc,
        puff=0.26,
        lift=0,
        crumple=0.4,
        drape=0.2,
        ridges=folds,
        lines=lines(curve([(-0.5, 0.2), (0, 0.1), (0.6, 0.2)]) * (side, 1), style=FOLD, weight=0.4),
    )
    low = curve([(-0.52, 0.17), (0, 0.24), (0.5, 0.18)]) * (side, 1)
    figure.add(
        between(low, low * (0.95, 1) + (0, 0.11)),
        CLOTH,
        puff=0.03,
        lift=0.01,
        crumple=0.3,
        drape=0,
        lines=lines(low + (0, 0.09), style=STITCH, weight=0.5),
    )
    stalk = band(curve([(0.1 * side, -0.5), (0.11 * side, -0.6)]), 0.035)
    figure.add(stalk, CLOTH, puff=0.015, lift=0.004)
    figure.anchor, figure.print_size = (0, -0.1), 0.2
    return figure

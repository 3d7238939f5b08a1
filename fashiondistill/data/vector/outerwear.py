"""Jackets, blazers and coats.

In: traits (words of the caption) and a random generator. Out: `Figure`. Knows nothing of colours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from fashiondistill.data.vector.body import FIT, Torso, body_folds, front_of, hem_band, sleeves, stitched_hem, torso
from fashiondistill.data.vector.curves import band, beside, box, curve
from fashiondistill.data.vector.figure import (
    CLOTH,
    EDGE,
    LINING,
    METAL,
    PLAIN,
    STITCH,
    Figure,
    Line,
    Ridge,
    lines,
)
from fashiondistill.data.vector.necks import collar_stand, hood, neckline, rolled_neck, shirt_collar
from fashiondistill.data.vector.tops import zip_down

Traits = Mapping[str, str]


def blazer(traits: Traits, rng: np.random.Generator) -> Figure:
    """Blazers and coats with lapels, one or two rows of buttons."""
    figure = Figure()
    long = traits.get("length") in ("knee length", "long")
    body = torso(rng, traits["fit"], hem_curve=0.0)
    length = {"knee length": 2.2, "long": 2.6}.get(traits.get("length", ""), rng.uniform(1.5, 1.66))
    hem = body.hem * (1.16 if long else 1.0)
    body = Torso(**(body.__dict__ | {"length": length, "hem": hem, "waist": body.chest * 0.9, "hem_curve": 0.02}))
    close, double = rng.uniform(0.72, 0.92), traits["closure"] == "double-breasted"
    collar_stand(figure, body.neck)
    figure.add(
        curve(
            [
                (-body.neck - 0.05, 0.0, "c"),
                (body.neck + 0.05, 0.0, "c"),
                (0.06, close + 0.05, "c"),
                (-0.06, close + 0.05, "c"),
            ],
            closed=True,
        ),
        LINING,
        puff=0.02,
        lift=0,
        crumple=0.5,
    )
    sleeves(figure, body, "long sleeves", rng, cuff="hem", wide=1.18)
    overlap = 0.17 if double else 0.05
    _fronts(figure, body, close, overlap, rng, FIT[traits["fit"]][4])
    _lapels(figure, body.neck, close, overlap, wide=rng.uniform(0.15, 0.2) + (0.04 if double else 0))
    rows = (-overlap * 0.75, overlap * 0.75) if double else (0.0,)
    for y in np.linspace(close + 0.06, close + (0.75 if long else 0.34), int(rng.integers(2, 4)) + (1 if long else 0)):
        for x in rows:
            figure.button(x, float(y), 0.027)
    for side in (-1, 1):
        _flap(figure, side * body.waist * 0.58, body.length * (0.7 if not long else 0.55), 0.15, slant=side * 0.015)
    welt = np.array([(0.22, 0.5), (0.36, 0.47), (0.366, 0.505), (0.225, 0.535)])
    figure.add(welt, CLOTH, puff=0.008, lift=0.006, crumple=0)
    figure.anchor, figure.print_size = (0.0, 0.9), 0.3
    return figure


def _fronts(
    figure: Figure, body: Torso, close: float, overlap: float, rng: np.random.Generator, strength: float
) -> None:
    """Left and right front; the one on the picture's right lies on top, as a man's; edges round off at the hem."""
    for side, over in ((-1, 0.0), (1, overlap)):
        edge = [
            (-over, body.length - 0.06, "c"),
            (-over, close, "c"),
            (body.neck * 0.9, 0.03, "c"),
            (body.neck, 0.0, "c"),
        ]
        right = [
            *body.shoulder_line(sleeveless=False),
            *body.side(),
            (body.hem * 0.5, body.length + 0.02),
            (0.14 - over, body.length + 0.02),
            (0.04 - over, body.length - 0.005),
        ]
        outline = curve([*right, *edge], closed=True) * (side, 1)
        dart = curve(
            [
                (body.chest * 0.5, body.slope + body.armhole * 0.9),
                (body.waist * 0.52, body.length * 0.6),
                (body.waist * 0.56, body.length * 0.7),
            ]
        )
        folds = tuple(ridge for ridge in body_folds(rng, body, strength * 0.8) if ridge.points[:, 0].mean() * side > 0)
        figure.add(outline, puff=0.07, lift=0.014, lines=lines(dart * (side, 1), weight=0.5), ridges=folds)


def _lapels(figure: Figure, neck: float, close: float, overlap: float, *, wide: float) -> None:
    notch = 0.3
    lapel = curve(
        [
            (neck * 0.75, 0.06, "c"),
            (neck * 0.5, close * 0.45),
            (-overlap * 0.4, close, "c"),
            (neck * 0.4 + wide * 0.9, close * 0.56),
            (neck + wide * 0.95, notch + 0.02, "c"),
            (neck + wide * 0.3, notch - 0.06, "c"),
        ],
        closed=True,
    )
    figure.add_pair(lapel, turn=-12, puff=0.02, lift=0.018, crumple=0.4, drape=0.3)
    collar = curve(
        [
            (neck * 0.5, 0.1, "c"),
            (neck * 0.78, -0.12),
            (neck * 0.6, -0.15, "c"),
            (neck + 0.04, -0.08),
            (neck + 0.09, 0.06),
            (neck + wide * 0.78, notch - 0.1, "c"),
            (neck + wide * 0.28, notch - 0.05, "c"),
            (neck * 0.72, 0.13),
        ],
        closed=True,
    )
    figure.add_pair(collar, turn=-25, puff=0.02, lift=0.016, crumple=0.4, drape=0.3)


def _flap(figure: Figure, x: float, y: float, half: float, *, slant: float) -> None:
    outline = curve(
        [
            (x - half, y + slant, "c"),
            (x + half, y - slant, "c"),
            (x + half, y + 0.1 - slant),
            (x + half - 0.02, y + 0.115),
            (x - half + 0.02, y + 0.115),
            (x - half, y + 0.1 + slant),
        ],
        closed=True,
    )
    figure.add(outline, CLOTH, puff=0.01, lift=0.008, crumple=0.4, drape=0.2)


def jacket(traits: Traits, rng: np.random.Generator) -> Figure:
    """Bomber, denim, biker and puffer jackets, parkas and trench-like coats: one front with a zip or buttons."""
    style = traits["style"]
    figure = Figure()
    length = {"parka": 1.95, "puffer": 1.45}.get(style, rng.uniform(1.2, 1.34))
    if traits.get("length") == "long":
        length += 0.6
    body = torso(rng, traits["fit"])
    body = Torso(
        **(body.__dict__ | {"length": length, "hem": body.hem * (0.94 if style in ("bomber", "denim") else 1.0)})
    )
    quilted = style == "puffer"
    neck = traits["neck"]
    if neck == "hood":
        hood(figure, body.neck, rng, drawn=False)
    else:
        collar_stand(figure, body.neck)
    first = len(figure.panels)
    cuff = {"bomber": "rib", "denim": "buttoned", "puffer": "raw"}.get(style, "hem")
    sleeves(figure, body, "long sleeves", rng, cuff=cuff, wide=1.25 if quilted else 1.12)
    front = neckline("crew neck", body.neck, rng)
    ridges = body_folds(rng, body, FIT[traits["fit"]][4])
    marks = () if style == "bomber" or quilted else stitched_hem(body)
    front_of(
        figure,
        body,
        front,
        sleeveless=False,
        options={"ridges": ridges, "lines": marks, "puff": 0.1 if quilted else 0.07},
    )
    if quilted:
        _quilt(figure, first, body)
    _details(figure, style, body, rng)
    if style == "bomber":
        hem_band(figure, body, take=0.92)
    bottom = body.length + (0.09 if style == "bomber" else 0.02)
    if style == "denim":
        _studs(figure, body, bottom)
    else:
        zip_down(figure, 0.14, bottom)
    if neck == "hood":
        hood(figure, body.neck, rng, drawn=True)
    elif neck == "collar":
        shirt_collar(figure, body.neck, spread=0.24, drop=0.3, open_by=0.02)
    else:
        rolled_neck(figure, body.neck, high=0.13)
        figure.add(box(-0.012, -0.08, 0.012, 0.16), PLAIN, puff=0.006, lift=0.004)
    figure.anchor, figure.print_size = (0.0, 0.62), 0.36
    return figure


def _quilt(figure: Figure, first: int, body: Torso) -> None:
    """Seams across, with the cloth swelling between them: a ridge between every two seams."""
    step = 0.15
    for index in range(first, len(figure.panels)):
        panel = figure.panels[index]
        if panel.role != CLOTH:
            continue
        low, high = panel.outline.min(axis=0), panel.outline.max(axis=0)
        levels = np.arange(body.slope + 0.05, high[1], step)
        sag = 0.012
        seams = [curve([(low[0], y), ((low[0] + high[0]) / 2, y + sag), (high[0], y)]) for y in levels]
        swells = [
            Ridge(
                np.array(
                    [
                        (low[0] - 0.4, y + step / 2),
                        (0.5 * (low[0] + high[0]), y + step / 2 + sag),
                        (high[0] + 0.4, y + step / 2),
                    ]
                ),
                0.035,
                0.03,
            )
            for y in levels
        ]
        figure.panels[index] = replace(
            panel, lines=panel.lines + lines(*seams, weight=0.9), ridges=(*panel.ridges, *swells)
        )


def _details(figure: Figure, style: str, body: Torso, rng: np.random.Generator) -> None:
    """Pockets and seams of each style."""
    if style == "denim":
        return
    for side in (-1, 1):
        if style == "biker":
            path = np.array([(0.2, body.length * 0.62), (0.42, body.length * 0.54)]) * (side, 1)
            figure.add(band(path, 0.03), METAL, puff=0.008, lift=0.004)
        elif style == "parka":
            x, y = side * body.waist * 0.55, body.length * 0.62
            figure.add(box(x - 0.16, y, x + 0.16, y + 0.3), CLOTH, puff=0.015, lift=0.008, crumple=0.6)
            _flap(figure, x, y - 0.01, 0.17, slant=0.0)
        else:
            path = np.array([(0.3, body.length * 0.86), (0.38, body.length * 0.62)]) * (side, 1)
            figure.add(band(path, 0.035), CLOTH, puff=0.008, lift=0.006, lines=lines(path, style=EDGE, weight=0.8))
    if style == "parka" and rng.random() < 0.6:
        level = body.length * 0.55
        cord = curve([(-body.waist * 0.96, level), (0, level + 0.03), (body.waist * 0.96, level)])
        body_panel = max(range(len(figure.panels)), key=lambda n: np.ptp(figure.panels[n].outline, axis=0).prod())
        panel = figure.panels[body_panel]
        marks = (Line(cord, EDGE, 0.5), *lines(cord + (0, 0.03), style=STITCH, weight=0.4))
        figure.panels[body_panel] = replace(panel, lines=panel.lines + marks)


def _studs(figure: Figure, body: Torso, bottom: float) -> None:
    """A denim jacket's placket, chest pockets with flaps, V seams and waistband."""
    for side in (-1, 1):
        x = side * 0.28
        yoke = np.array([(side * 0.03, 0.42), (side * (body.shoulder - 0.05), 0.42)])
        figure.add(band(yoke, 0.012), CLOTH, puff=0.004, lift=0.004, lines=lines(yoke + (0, 0.016), style=STITCH))
        flap = curve(
            [(x - 0.13, 0.42, "c"), (x + 0.13, 0.42, "c"), (x + 0.13, 0.5, "c"), (x, 0.56, "c"), (x - 0.13, 0.5, "c")],
            closed=True,
        )
        for share in (0.09, 0.3):
            seam = curve([(side * (share + 0.08), 0.44), (side * share, body.length - 0.1)])
            figure.add(band(seam, 0.008), CLOTH, puff=0.003, lift=0.003, lines=lines(beside(seam, 0.014), style=STITCH))
        figure.add(
            flap, CLOTH, puff=0.012, lift=0.01, lines=lines(flap * (1, 1) - (0, 0.012), style=STITCH, weight=0.6)
        )
        figure.button(x, 0.525, 0.018, METAL)
    hem = np.array([(-body.hem, body.length - 0.05), (body.hem, body.length - 0.05)])
    low = curve(
        [(body.hem * 0.99, body.length + 0.05), (0, body.length + 0.07), (-body.hem * 0.99, body.length + 0.05)]
    )
    figure.add(
        np.concatenate([hem, low]),
        CLOTH,
        puff=0.015,
        lift=0.008,
        crumple=0.5,
        lines=lines(hem + (0, 0.012), style=STITCH),
    )
    placket = box(-0.04, 0.1, 0.04, bottom + 0.04)
    marks = lines(*(np.array([(x, 0.1), (x, bottom)]) for x in (-0.03, 0.03)), style=STITCH)
    figure.add(placket, CLOTH, puff=0.012, lift=0.008, crumple=0.5, lines=marks)
    for y in np.linspace(0.18, bottom, 6):
        figure.button(0, float(y), 0.02, METAL)

"""Tops: t-shirts, shirts, polo shirts, tank tops, blouses, sweaters, cardigans, hoodies.

In: traits (words of the caption) and a random generator. Out: `Figure`. Knows nothing of colours.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fashiondistill.data.vector.body import (
    FIT,
    RIB_SPACING,
    Torso,
    body_folds,
    front_of,
    hem_band,
    sleeves,
    stitched_hem,
    torso,
)
from fashiondistill.data.vector.curves import band, beside, box, curve, flipped, ticks
from fashiondistill.data.vector.figure import (
    CLOTH,
    EDGE,
    METAL,
    PLAIN,
    RIB,
    STITCH,
    TRIM,
    Figure,
    Line,
    lines,
)
from fashiondistill.data.vector.necks import (
    back_of_neck,
    bound_neck,
    collar_stand,
    hood,
    neckline,
    rolled_neck,
    shirt_collar,
)

Traits = Mapping[str, str]


def simple_top(traits: Traits, rng: np.random.Generator) -> Figure:
    """T-shirts, long-sleeved tops, tank tops, sweaters and blouses without a closure."""
    figure = Figure()
    neck_word, sleeve, fit = traits["neck"], traits["sleeve"], traits["fit"]
    knitted, blouse = traits.get("style") == "knit", traits.get("style") == "blouse"
    sleeveless = sleeve == "sleeveless"
    body = torso(rng, fit, traits.get("length", ""))
    neck = body.neck * {"boat neck": 1.65, "scoop neck": 1.25, "square neck": 1.3}.get(neck_word, 1.0)
    if sleeveless and neck_word != "turtleneck":
        neck = min(neck * 1.12, body.shoulder - 0.2)
    body = Torso(**(body.__dict__ | {"neck": neck}))
    front = neckline("crew neck" if neck_word in ("turtleneck", "mock neck") else neck_word, neck, rng)
    back_of_neck(figure, front, neck)
    if not sleeveless:
        cuff = "rib" if knitted else "buttoned" if blouse and sleeve == "long sleeves" else "hem"
        sleeves(figure, body, sleeve, rng, cuff=cuff, wide=1.35 if blouse else FIT[fit][0] ** 0.6)
    marks = () if knitted else stitched_hem(body)
    if blouse:
        marks += _gathers(neck, rng)
    outline = front_of(
        figure,
        body,
        front,
        sleeveless=sleeveless,
        options={"lines": marks, "ridges": body_folds(rng, body, FIT[fit][4], sleeves=not sleeveless)},
    )
    if knitted:
        hem_band(figure, body)
    if neck_word in ("turtleneck", "mock neck"):
        rolled_neck(figure, neck, high=0.3 if neck_word == "turtleneck" else 0.12)
    elif not blouse:
        bound_neck(figure, front, wide=0.06 if knitted else 0.042)
    else:
        bound_neck(figure, front, wide=0.03, ribbed=False, role=CLOTH)
    if sleeveless:
        _bind_armholes(figure, outline, body)
    elif traits.get("pocket"):
        _patch_pocket(figure, 0.25, 0.5, 0.13)
    figure.anchor, figure.print_size = (0.0, 0.5 * body.length * 0.98), 0.58 * body.waist
    return figure


def _gathers(neck: float, rng: np.random.Generator) -> tuple[Line, ...]:
    """Short folds that start at the neck."""
    marks = []
    for x in np.linspace(-0.8, 0.8, 11):
        reach = rng.uniform(0.12, 0.28)
        top = 0.17 - 0.1 * abs(x)
        marks.append(
            Line(
                curve([(x * neck, top), (x * neck * 1.25, top + reach * 0.5), (x * neck * 1.3, top + reach)]),
                RIB,
                rng.uniform(0.4, 0.8),
            )
        )
    return tuple(marks)


def _bind_armholes(figure: Figure, outline: np.ndarray, body: Torso) -> None:
    """A strip along each armhole: the part of the outline between shoulder and armpit."""
    right = outline[outline[:, 0] > 0]
    part = right[(right[:, 1] < body.armpit[1] + 0.01) & (right[:, 0] > body.shoulder - 0.22)]
    part = part[part[:, 1] > body.slope * 0.6]
    if len(part) > 3:
        figure.add_pair(band(beside(part, 0.014), 0.03), TRIM, puff=0.012, lift=0.003, crumple=0, drape=0)


def _patch_pocket(
    figure: Figure, x: float, y: float, half: float, *, deep: float = 0.3, flap: bool = False, role: str = CLOTH
) -> None:
    """A pocket sewn on, at (x, y) of its upper middle."""
    outline = curve(
        [
            (x - half, y, "c"),
            (x + half, y, "c"),
            (x + half, y + deep * 0.82, "c"),
            (x, y + deep, "c"),
            (x - half, y + deep * 0.82, "c"),
        ],
        closed=True,
    )
    inner = (outline - (x, y + deep / 2)) * (0.88, 0.93) + (x, y + deep / 2)
    marks = lines(np.concatenate([inner, inner[:1]]), style=STITCH, weight=0.5)
    marks += lines(np.array([(x - half, y + 0.045), (x + half, y + 0.045)]), style=STITCH, weight=0.4)
    figure.add(outline, role, puff=0.012, lift=0.008, crumple=0.5, drape=0.4, lines=marks)
    if flap:
        cover = curve(
            [
                (x - half - 0.008, y - 0.02, "c"),
                (x + half + 0.008, y - 0.02, "c"),
                (x + half + 0.008, y + 0.09, "c"),
                (x, y + 0.13, "c"),
                (x - half - 0.008, y + 0.09, "c"),
            ],
            closed=True,
        )
        figure.add(cover, role, puff=0.012, lift=0.012, crumple=0.4, drape=0.2)
        figure.button(x, y + 0.085, 0.014)


def shirt(traits: Traits, rng: np.random.Generator) -> Figure:
    """Woven shirts with a collar, a placket and buttons."""
    figure = Figure()
    fit, sleeve = traits["fit"], traits["sleeve"]
    body = torso(rng, fit, traits.get("length", ""), hem_curve=rng.uniform(0.04, 0.1))
    collar_stand(figure, body.neck)
    sleeves(figure, body, sleeve, rng, cuff="buttoned" if sleeve == "long sleeves" else "hem")
    front = neckline("crew neck", body.neck, rng)
    yoke = curve([(-body.shoulder, body.slope + 0.09), (-body.neck, 0.07)])
    marks = stitched_hem(body, deep=0.035) + lines(yoke, flipped(yoke), weight=0.6)
    front_of(
        figure, body, front, sleeveless=False, options={"lines": marks, "ridges": body_folds(rng, body, FIT[fit][4])}
    )
    _placket(figure, 0.1, body.length + body.hem_curve - 0.005, 0.036, rng)
    shirt_collar(figure, body.neck, spread=rng.uniform(0.16, 0.24), drop=rng.uniform(0.24, 0.3))
    if traits.get("pocket"):
        for x in (0.27, -0.27) if traits["pocket"] == "two chest pockets" else (0.27,):
            _patch_pocket(figure, x, 0.47, 0.12, deep=0.27, flap=traits["pocket"] == "two chest pockets")
    figure.anchor, figure.print_size = (0.0, 0.75), 0.4
    return figure


def _placket(
    figure: Figure,
    top: float,
    bottom: float,
    half: float,
    rng: np.random.Generator,
    *,
    count: int = 0,
    role: str = CLOTH,
    radius: float = 0.017,
) -> None:
    """A strip down the front with buttons."""
    marks = lines(*(np.array([(x, top), (x, bottom)]) for x in (-half * 0.75, half * 0.75)), style=STITCH, weight=0.4)
    figure.add(box(-half, top, half, bottom), role, puff=0.012, lift=0.006, crumple=0.6, drape=0.3, lines=marks)
    for y in np.linspace(top + 0.05, bottom - 0.16, count or round((bottom - top) / 0.21)):
        figure.button(float(rng.normal(0, 0.001)), float(y), radius)


def polo(traits: Traits, rng: np.random.Generator) -> Figure:
    """Polo shirts: knitted collar, short placket."""
    figure = Figure()
    fit = traits["fit"]
    body = torso(rng, fit)
    collar_stand(figure, body.neck)
    sleeves(figure, body, traits["sleeve"], rng, cuff="rib")
    front = neckline("crew neck", body.neck, rng)
    front_of(
        figure,
        body,
        front,
        sleeveless=False,
        options={"lines": stitched_hem(body), "ridges": body_folds(rng, body, FIT[fit][4])},
    )
    _placket(figure, 0.1, rng.uniform(0.46, 0.56), 0.04, rng, count=int(rng.integers(2, 4)))
    shirt_collar(figure, body.neck, spread=0.21, drop=0.25, open_by=rng.uniform(0, 0.03), role=TRIM)
    figure.anchor, figure.print_size = (0.0, 0.8), 0.5
    return figure


def cardigan(traits: Traits, rng: np.random.Generator) -> Figure:
    """Knitted jackets with a v-shaped button band."""
    figure = Figure()
    fit = traits["fit"]
    body = torso(rng, fit, traits.get("length", ""))
    deep = rng.uniform(0.45, 0.7)
    edge = curve([(body.neck, 0, "c"), (body.neck * 0.72, deep * 0.45), (0.02, deep), (0.02, body.length + 0.1)])
    front = np.array([(-body.neck, 0.0), (0.0, deep), (body.neck, 0.0)])
    back_of_neck(figure, front, body.neck)
    sleeves(figure, body, traits["sleeve"], rng, cuff="rib")
    front_of(figure, body, front, sleeveless=False, options={"ridges": body_folds(rng, body, FIT[fit][4])})
    hem_band(figure, body)
    for side, lift in ((-1, 0.004), (1, 0.012)):  # the right band lies over the left
        path = edge * (side, 1)
        marks = lines(*ticks(path, RIB_SPACING, -0.045, 0.045), style=RIB, weight=0.8)
        figure.add(band(path, 0.085), TRIM, puff=0.02, lift=lift, crumple=0.1, drape=0.1, lines=marks)
    for y in np.linspace(deep + 0.08, body.length + 0.03, int(rng.integers(4, 7))):
        figure.button(0.02, float(y), 0.022)
    if traits.get("pocket"):
        for x in (0.3, -0.3):
            _patch_pocket(figure, x, body.length * 0.68, 0.14)
    figure.anchor, figure.print_size = (0.0, 0.8), 0.4
    return figure


def hoodie(traits: Traits, rng: np.random.Generator) -> Figure:
    """Sweatshirts with a hood and a pouch pocket, some with a zip."""
    figure = Figure()
    fit = traits["fit"]
    body = torso(rng, fit, traits.get("length", ""))
    hood(figure, body.neck, rng, drawn=False)
    sleeves(figure, body, "long sleeves", rng, cuff="rib", wide=1.12)
    front_of(
        figure,
        body,
        neckline("crew neck", body.neck, rng),
        sleeveless=False,
        options={"ridges": body_folds(rng, body, FIT[fit][4]), "puff": 0.09},
    )
    hem_band(figure, body, take=0.9)
    low, wide = body.length - 0.01, 0.3 * body.waist / 0.5
    pouch = curve(
        [
            (-wide * 0.62, low - 0.42, "c"),
            (wide * 0.62, low - 0.42, "c"),
            (wide, low - 0.16, "c"),
            (wide, low, "c"),
            (-wide, low, "c"),
            (-wide, low - 0.16, "c"),
        ],
        closed=True,
    )
    hem = [curve([(s * wide * 0.56, low - 0.41), (s * wide * 0.93, low - 0.15)]) for s in (-1, 1)]
    figure.add(pouch, CLOTH, puff=0.03, lift=0.01, crumple=0.7, lines=lines(*hem, style=STITCH, weight=0.6))
    if traits["closure"] == "zip":
        zip_down(figure, 0.24, body.length + 0.09)
    hood(figure, body.neck, rng, drawn=True)
    figure.anchor, figure.print_size = (0.0, 0.62), 0.4
    return figure


def zip_down(figure: Figure, top: float, bottom: float, *, x: float = 0.0) -> None:
    """A zip with its tape, teeth and slider."""
    path = np.array([(x, top), (x, bottom)])
    marks = lines(*ticks(path, 0.014, -0.011, 0.011), style=RIB) + lines(
        *(path + (side * 0.03, 0) for side in (-1, 1)), style=STITCH, weight=0.4
    )
    figure.add(
        band(path, 0.045), PLAIN, puff=0.006, lift=0.002, crumple=0.3, drape=0, lines=marks + lines(path, style=EDGE)
    )
    figure.add(box(x - 0.014, top + 0.02, x + 0.014, top + 0.09, round_by=0.01), METAL, puff=0.008, lift=0.008)

"""Trousers, jeans, leggings and shorts, and the lower half of jumpsuits.

In: traits (words of the caption) and a random generator. Out: `Figure`. Knows nothing of colours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from fashiondistill.data.vector.body import RIB_SPACING
from fashiondistill.data.vector.curves import band, between, box, curve, evenly, ticks
from fashiondistill.data.vector.figure import (
    CLOTH,
    CREASE,
    EDGE,
    HIDE,
    LINING,
    METAL,
    RIB,
    STITCH,
    TRIM,
    Figure,
    Line,
    Ridge,
    lines,
)

Traits = Mapping[str, str]
# Half width of the hem and of the knee, and how far the legs stand apart.
LEGS = {
    "skinny": (0.115, 0.15),
    "slim": (0.14, 0.175),
    "straight": (0.2, 0.205),
    "tapered": (0.14, 0.215),
    "wide": (0.32, 0.27),
    "flared": (0.3, 0.18),
}
LEG_LENGTH = {"": 1.95, "cropped": 1.55, "short": 0.5, "knee length": 0.92, "mid-thigh": 0.66}


def trousers(traits: Traits, rng: np.random.Generator) -> Figure:
    """Trousers, jeans, leggings and shorts."""
    figure, style = Figure(), traits["style"]
    waist, hip = rng.uniform(0.37, 0.42), rng.uniform(0.5, 0.55)
    if style == "leggings":
        waist, hip = waist - 0.05, hip - 0.1
    rise = rng.uniform(0.5, 0.62) + (0.1 if traits.get("waist") == "high waist" else 0)
    length = LEG_LENGTH[traits.get("length", "")] * rng.uniform(0.96, 1.05)
    waist_back(figure, waist, style)
    _legs(figure, (waist, hip, rise, length), traits, rng)
    waistband(figure, waist, style, rng)
    if style in ("jeans", "chinos"):
        _fly_and_pockets(figure, waist, hip, rise, style)
    figure.anchor, figure.print_size = (0.0, 0.5), 0.3
    return figure


def waist_back(figure: Figure, waist: float, style: str) -> None:
    top = curve([(-waist, 0, "c"), (-waist * 0.5, -0.025), (0, -0.03), (waist * 0.5, -0.025), (waist, 0, "c")])
    low = curve([(-waist, 0.08), (0, 0.13), (waist, 0.08)])
    figure.add(between(top, low), LINING, puff=0.01, lift=0, crumple=0.3)
    if style == "jeans":
        figure.add(box(-0.05, 0.0, 0.05, 0.045), HIDE, puff=0.005, lift=0.003, crumple=0, drape=0)


def _legs(figure: Figure, sizes: tuple[float, float, float, float], traits: Traits, rng: np.random.Generator) -> None:
    """Two legs, each its own piece, so that folds and light differ between them."""
    waist, hip, rise, length = sizes
    hem_half, knee_half = LEGS[traits["leg"]]
    short = length < 1.1
    spread = rng.uniform(0.0, 0.05) + (0.06 if traits["leg"] in ("wide", "flared") else 0)
    end = rise + length * (0.62 if short else 0.9)
    if short:
        share = min(1.0, (end - rise) / 0.9)
        hem_half = (0.27 - share * 0.04) * (
            1.25 if traits["leg"] == "wide" else 0.92 if traits["leg"] in ("slim", "skinny") else 1
        )
        knee_half = hem_half + 0.01
    knee = rise + (end - rise) * 0.5
    for side in (-1, 1):
        lean = spread + rng.normal(0, 0.012)
        centre_knee, centre_hem = hip * 0.5 + lean * 0.5, hip * 0.47 + lean + (hem_half - 0.14) * 0.25
        if short:
            centre_hem = min(centre_hem, hip * 1.06 - hem_half + (0.05 if traits["leg"] == "wide" else 0))
        outer = [
            (waist, 0.0, "c"),
            (hip * 0.93, rise * 0.4),
            (hip, rise * 0.8),
            (centre_knee + knee_half, knee),
            (centre_hem + hem_half, end, "c"),
        ]
        inner = [
            (centre_hem - hem_half, end + 0.012, "c"),
            (centre_knee - knee_half, knee),
            (0.045, rise + 0.09),
            (0.0, rise, "c"),
            (0.0, 0.05, "c"),
        ]
        top = curve([(0.0, 0.05), (waist * 0.6, 0.035), (waist, 0.0)])
        outline = np.concatenate([top, curve(outer + inner)[1:]]) * (side, 1)
        marks = _leg_lines(traits, (centre_knee, centre_hem, hem_half, knee, end, hip, rise), side)
        figure.add(
            outline,
            turn=-side * 2.0,
            puff=0.1,
            lift=0.006 if side > 0 else 0,
            cross=0.0 if short else 0.35,
            drape=0.9,
            lines=marks,
            ridges=_leg_folds(rng, rise, end, hip, side, traits),
        )
        if traits.get("hem") == "turned up":
            _turn_up(figure, centre_hem, hem_half, end, side)
        elif traits.get("hem") == "ribbed cuffs":
            _leg_cuff(figure, centre_hem, hem_half, end, side)


def _leg_lines(traits: Traits, sizes: tuple[float, ...], side: int) -> tuple[Line, ...]:
    centre_knee, centre_hem, hem_half, knee, end, hip, rise = sizes
    mirror = (side, 1)
    hem = np.array([(centre_hem - hem_half, end - 0.045), (centre_hem + hem_half, end - 0.05)]) * mirror
    marks: tuple[Line, ...] = ()
    if not traits.get("hem"):
        marks += lines(hem, weight=0.4) + lines(hem + (0, 0.01), style=STITCH, weight=0.6)
    if traits["style"] == "tailored":
        crease = curve([(hip * 0.5, 0.12), (centre_knee, knee), (centre_hem, end)]) * mirror
        marks += lines(crease, style=CREASE)
    if traits["style"] == "jeans":
        seam = (
            curve([(hip * 0.99 - 0.05, rise * 0.9), (centre_knee + 0.12, knee), (centre_hem + hem_half - 0.02, end)])
            * mirror
        )
        marks += lines(seam, style=STITCH, weight=0.3)
    if traits["style"] == "cargo":
        x, y = hip * 0.78, rise + 0.16
        pocket = box(x - 0.13, y, x + 0.12, y + 0.3) * mirror
        flap = np.array([(x - 0.14, y + 0.09), (x + 0.13, y + 0.09)]) * mirror
        marks += lines(np.concatenate([pocket, pocket[:1]]), style=EDGE, weight=0.7) + lines(
            flap, style=EDGE, weight=0.6
        )
    return marks


def _leg_folds(
    rng: np.random.Generator, rise: float, end: float, hip: float, side: int, traits: Traits
) -> tuple[Ridge, ...]:
    """Whiskers from the crotch, folds across the knee, and long ones that hang."""
    ridges = []
    for _ in range(int(rng.integers(2, 5))):
        turn = rng.uniform(-0.35, 0.9)
        reach = rng.uniform(0.2, 0.36)
        start = np.array([0.02, rise - 0.03 + rng.uniform(-0.1, 0.06)])
        path = np.stack(
            [
                start,
                start + (reach * 0.5 * np.cos(turn), reach * 0.45 * np.sin(turn)),
                start + (reach * np.cos(turn), reach * np.sin(turn)),
            ]
        ) * (side, 1)
        ridges.append(Ridge(path, rng.uniform(0.006, 0.012), 0.015))
    if end - rise > 0.8:
        for _ in range(int(rng.integers(2, 5))):
            y = rise + (end - rise) * rng.uniform(0.3, 0.75)
            slant = rng.normal(0, 0.06)
            x = hip * 0.5 + rng.normal(0, 0.03)
            path = curve([(x - 0.15, y - slant), (x, y + 0.015), (x + 0.15, y + slant)]) * (side, 1)
            ridges.append(Ridge(path, rng.uniform(0.004, 0.01), 0.015))
    for _ in range(2 if traits["leg"] in ("wide", "flared") else 1):
        x = hip * rng.uniform(0.25, 0.75)
        path = curve([(x, rise * 0.8), (x + rng.normal(0, 0.03), (rise + end) / 2), (x + rng.normal(0, 0.05), end)])
        ridges.append(Ridge(path * (side, 1), rng.uniform(0.006, 0.014), 0.03))
    return tuple(ridges)


def _turn_up(figure: Figure, centre: float, half: float, end: float, side: int) -> None:
    deep = 0.075
    outline = curve(
        [
            (centre - half - 0.012, end - deep, "c"),
            (centre + half + 0.012, end - deep - 0.01, "c"),
            (centre + half + 0.006, end + 0.004, "c"),
            (centre - half - 0.006, end + 0.016, "c"),
        ],
        closed=True,
    )
    figure.add(outline * (side, 1), puff=0.03, lift=0.01, crumple=0.5, drape=0.3)


def _leg_cuff(figure: Figure, centre: float, half: float, end: float, side: int) -> None:
    edge = np.array([(centre - half, end - 0.01), (centre + half, end - 0.01)]) * (side, 1)
    low = (edge - (centre * side, end)) * (0.86, 1) + (centre * side, end + 0.1)
    marks = lines(*ticks(edge, RIB_SPACING, -0.11, 0.11), style=RIB)
    figure.add(between(edge, low), TRIM, puff=0.04, crumple=0.2, drape=0.1, lines=marks)


def waistband(figure: Figure, waist: float, style: str, rng: np.random.Generator) -> None:
    """An elastic band with cord, or a band with loops, button and stitches."""
    deep = 0.09 if style in ("jeans", "chinos", "tailored", "cargo") else 0.1
    top = curve([(-waist - 0.004, 0.0), (-waist * 0.6, 0.035), (0, 0.05), (waist * 0.6, 0.035), (waist + 0.004, 0.0)])
    low = top * (1.03, 1) + (0, deep)
    if style in ("sweat", "leggings", "elastic"):
        marks = (
            ()
            if style == "leggings"
            else lines(
                *(np.stack([a, b]) for a, b in zip(evenly(top, 44), evenly(low, 44), strict=True)),
                style=RIB,
                weight=0.7,
            )
        )
        figure.add(between(top, low), puff=0.025, lift=0.01, crumple=0.5, drape=0.3, cross=0.2, lines=marks)
        if style == "sweat":
            for side in (-1, 1):
                x = side * 0.03
                cord = curve(
                    [(x, 0.1), (x + side * 0.02, 0.2), (x + side * rng.uniform(0, 0.06), rng.uniform(0.28, 0.36))]
                )
                figure.add(band(cord, 0.02), TRIM, puff=0.008, lift=0.008, crumple=0, drape=0)
        return
    marks = lines(top + (0, 0.012), low - (0, 0.012), style=STITCH, weight=0.6)
    figure.add(between(top, low), puff=0.02, lift=0.006, crumple=0.4, drape=0.2, lines=marks)
    for x in (-0.72, -0.34, 0.34, 0.72):
        y = float(np.interp(x * waist, top[:, 0], top[:, 1]))
        figure.add(
            box(x * waist - 0.016, y - 0.008, x * waist + 0.016, y + deep + 0.012),
            CLOTH,
            puff=0.01,
            lift=0.006,
            crumple=0,
            drape=0,
        )
    figure.button(0.02, 0.05 + deep / 2, 0.024, METAL if style == "jeans" else "button")


def _fly_and_pockets(figure: Figure, waist: float, hip: float, rise: float, style: str) -> None:
    """Fly and front pockets, painted as open lines on the pieces that are there already."""
    fly = curve([(0.075, 0.14), (0.075, rise * 0.62), (0.05, rise * 0.76), (0.004, rise * 0.82)])
    marks = {1: lines(fly, style=STITCH, weight=0.9) + lines(fly, weight=0.15)}
    if style == "jeans":
        pocket = curve([(waist * 0.42, 0.13), (waist * 0.5, 0.26), (waist * 0.78, 0.32), (hip * 0.99, 0.27)])
        second = pocket + (-0.012, 0.014)
        shared = lines(pocket, style=EDGE, weight=0.8) + lines(second, style=STITCH, weight=0.9)
    else:
        pocket = np.array([(waist * 0.72, 0.12), (hip * 0.955, 0.42)])
        shared = lines(pocket, style=EDGE, weight=0.8) + lines(pocket - (0.014, 0), style=STITCH, weight=0.5)
    for index, panel in enumerate(figure.panels):
        middle = panel.outline[:, 0].mean()
        if panel.role == CLOTH and abs(middle) > 0.1 and np.ptp(panel.outline[:, 1]) > rise:
            side = 1 if middle > 0 else -1
            own = tuple(Line(ln.points * (side, 1), ln.style, ln.weight) for ln in shared) + marks.get(side, ())
            figure.panels[index] = replace(panel, lines=panel.lines + own)
    if style == "jeans":
        for x in (waist * 0.45, hip * 0.9):
            figure.button(x, 0.3, 0.009, METAL)
            figure.button(-x, 0.3, 0.009, METAL)

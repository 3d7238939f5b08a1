"""Shoes from the side, toe left: sneakers, boots, pumps, heeled sandals; one, or a pair behind each other.

In: traits (words of the caption) and a random generator. Out: `Figure`. Knows nothing of colours.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fashiondistill.data.vector.curves import (
    band,
    beside,
    curve,
    ellipse,
)
from fashiondistill.data.vector.figure import (
    CLOTH,
    HEEL,
    LINING,
    METAL,
    PLAIN,
    RIB,
    SOLE,
    STITCH,
    TRIM,
    Figure,
    Ridge,
    lines,
)
from fashiondistill.data.vector.heels import heel

Traits = Mapping[str, str]
STIFF = {"crumple": 0.25, "drape": 0.15}


def from_side(traits: Traits, rng: np.random.Generator) -> Figure:
    """One shoe, or a pair of which the other stands behind, seen from the side, toe left."""
    draw = {
        "sneakers": _sneaker_side,
        "high-top sneakers": _sneaker_side,
        "ankle boots": _boot,
        "tall boots": _boot,
        "lace-up boots": _boot,
        "pumps": heel,
        "heeled sandals": heel,
    }[traits["style"]]
    front = Figure()
    draw(front, traits, rng)
    if rng.random() < 0.5:
        front.anchor, front.print_size = (0.2, 0.1), 0.2
        return front
    pair = Figure()
    shift = np.array([rng.uniform(0.2, 0.34), -rng.uniform(0.16, 0.24)])
    pair.panels += [panel.moved(lambda points: points + shift) for panel in front.panels]
    pair.panels += front.panels
    pair.anchor, pair.print_size = (0.2, 0.1), 0.2
    return pair


def _laces(
    figure: Figure, top: tuple[float, float], low: tuple[float, float], count: int, wide: float, role: str
) -> None:
    path = np.linspace(top, low, count)
    for x, y in path:
        lace = curve([(x - wide * 0.75, y + wide * 0.1), (x, y - 0.02), (x + wide, y + wide * 0.55)])
        figure.add(band(lace, 0.042), role, puff=0.016, lift=0.012, crumple=0, drape=0)
        figure.button(float(x + wide), float(y + wide * 0.55), 0.022, METAL)


def _sneaker_side(figure: Figure, traits: Traits, rng: np.random.Generator) -> None:
    high = -0.85 if traits["style"] == "high-top sneakers" else -0.32
    thick = rng.uniform(0.14, 0.22)
    inside = curve(
        [(0.4, high - 0.08, "c"), (0.62, high - 0.14), (0.9, high + 0.02, "c"), (0.85, -0.1), (0.5, -0.1)], closed=True
    )
    figure.add(inside, LINING, puff=0.04, lift=0)
    tongue = curve(
        [(0.2, high + 0.0), (0.34, high - 0.16), (0.5, high - 0.13), (0.4, 0.0), (-0.3, 0.14), (-0.35, 0.05)],
        closed=True,
    )
    figure.add(tongue, PLAIN, puff=0.06, lift=0.006, **STIFF)
    upper = curve(
        [
            (0.36, high, "c"),
            (0.55, high + 0.1),
            (0.72, high + 0.06),
            (0.9, high + 0.0, "c"),
            (0.96, high * 0.4),
            (0.98, 0.4, "c"),
            (-1.0, 0.42, "c"),
            (-1.02, 0.26),
            (-0.86, 0.12),
            (-0.5, 0.04),
            (-0.2, -0.08),
            (0.12, high * 0.62),
        ],
        closed=True,
    )
    stripe = [curve([(0.05 + d, -0.02 + 0.04 * d), (0.22 + d, 0.2), (0.3 + d, 0.36)]) for d in (0, 0.14, 0.28)]
    counter = curve([(0.66, high + 0.08), (0.62, 0.1), (0.7, 0.4)])
    toe = curve([(-0.52, 0.05), (-0.44, 0.2), (-0.5, 0.42)])
    figure.add(
        upper,
        CLOTH,
        puff=0.1,
        lift=0.01,
        lines=lines(counter, toe) + lines(beside(counter, 0.025), beside(toe, 0.025), style=STITCH),
        **STIFF,
    )
    if rng.random() < 0.7:
        for path in stripe:
            figure.add(band(path, 0.07), TRIM, puff=0.012, lift=0.004, **STIFF)
    foxing = curve(
        [(0.64, 0.3, "c"), (0.84, 0.12), (0.97, 0.06, "c"), (0.99, 0.42, "c"), (0.62, 0.42, "c")], closed=True
    )
    figure.add(foxing, rng.choice([CLOTH, TRIM]), puff=0.04, lift=0.005, **STIFF)
    stay = curve(
        [
            (0.38, high + 0.03, "c"),
            (0.5, high + 0.14, "c"),
            (0.12, 0.1),
            (-0.24, 0.16, "c"),
            (-0.28, 0.02, "c"),
            (0.1, high * 0.5),
        ],
        closed=True,
    )
    figure.add(stay, rng.choice([CLOTH, TRIM]), puff=0.03, lift=0.006, **STIFF)
    _laces(figure, (0.34, high + 0.06), (-0.2, 0.02), 7 if high < -0.5 else 5, 0.1, SOLE)
    sole = curve(
        [
            (-1.06, 0.36, "c"),
            (-0.6, 0.4),
            (0.3, 0.38),
            (1.02, 0.34, "c"),
            (1.05, 0.36 + thick, "c"),
            (0.3, 0.4 + thick),
            (-0.7, 0.4 + thick),
            (-1.04, 0.34 + thick, "c"),
        ],
        closed=True,
    )
    line = curve([(-1.05, 0.4 + thick * 0.3), (-0.5, 0.43 + thick * 0.3), (1.03, 0.38 + thick * 0.35)])
    figure.add(sole, SOLE, puff=0.04, lift=0.008, lines=lines(line, weight=0.6), **STIFF)


def _boot(figure: Figure, traits: Traits, rng: np.random.Generator) -> None:
    tall = {"ankle boots": -0.72, "lace-up boots": -0.95, "tall boots": -1.9}[traits["style"]]
    raised = rng.uniform(0.12, 0.34)
    inside = ellipse(0.58, tall, 0.3, 0.05)
    figure.add(inside, LINING, puff=0.02, lift=0)
    wide = 0.3 if tall > -1.2 else 0.36
    upper = curve(
        [
            (0.58 - wide, tall, "c"),
            (0.58, tall + 0.04),
            (0.58 + wide * 0.98, tall - 0.01, "c"),
            (0.86, tall * 0.45),
            (0.85, -0.1),
            (0.94, 0.2),
            (0.95, 0.5, "c"),
            (0.4, 0.56),
            (-0.4, 0.56),
            (-0.96, 0.56, "c"),
            (-1.0, 0.38),
            (-0.86, 0.22),
            (-0.4, 0.1),
            (0.0, -0.06),
            (0.22, -0.36),
            (0.58 - wide * 0.94, tall * 0.6),
        ],
        closed=True,
    )
    folds = tuple(
        Ridge(np.array([(0.2, y), (0.45, y + 0.05), (0.72, y + 0.02)]), rng.uniform(0.014, 0.03), 0.03)
        for y in (-0.28, -0.16, -0.05)
    )
    seams = lines(curve([(0.62, tall + 0.04), (0.64, tall * 0.4), (0.6, 0.55)]), weight=0.7)
    figure.add(upper, CLOTH, puff=0.14, lift=0.01, lines=seams, ridges=folds, crumple=0.5, drape=0.4)
    if traits["style"] == "ankle boots" and rng.random() < 0.7:
        gore = curve(
            [(0.42, tall + 0.06, "c"), (0.72, tall + 0.06, "c"), (0.66, -0.1), (0.57, 0.0), (0.47, -0.1)], closed=True
        )
        ribs = [np.array([(x, tall), (0.57 + (x - 0.57) * 0.5, 0)]) for x in np.linspace(0.43, 0.71, 14)]
        figure.add(gore, PLAIN, puff=0.02, lift=0.004, lines=lines(*ribs, style=RIB), **STIFF)
    elif traits["style"] == "lace-up boots":
        tongue = curve(
            [(0.24, tall - 0.05), (0.42, tall - 0.06), (0.45, tall * 0.5), (0.1, 0.06), (-0.18, 0.12)], closed=True
        )
        figure.add(tongue, CLOTH, puff=0.03, lift=0.006, **STIFF)
        _laces(figure, (0.32, tall + 0.1), (-0.06, 0.0), 8, 0.1, TRIM)
    elif traits["style"] == "tall boots" and rng.random() < 0.4:
        figure.add(band(np.array([(0.7, tall + 0.05), (0.74, 0.3)]), 0.02), METAL, puff=0.006, lift=0.003)
    thick = 0.07 if raised > 0.2 else 0.1
    sole = curve(
        [
            (-1.02, 0.52, "c"),
            (-0.3, 0.56),
            (0.38, 0.54, "c"),
            (0.98, 0.46, "c"),
            (0.98, 0.46 + thick, "c"),
            (0.4, 0.55 + thick, "c"),
            (-0.4, 0.55 + thick),
            (-1.0, 0.52 + thick, "c"),
        ],
        closed=True,
    )
    figure.add(sole, HEEL, puff=0.03, lift=0.006, **STIFF)
    block = curve(
        [
            (0.42, 0.54 + thick * 0.6, "c"),
            (0.98, 0.46 + thick * 0.6, "c"),
            (0.96, 0.5 + raised + thick, "c"),
            (0.48, 0.5 + raised + thick, "c"),
        ],
        closed=True,
    )
    tread = [np.array([(0.42, y), (1.0, y - 0.02)]) for y in np.arange(0.6 + thick, 0.5 + raised + thick, 0.045)]
    figure.add(block, HEEL, puff=0.04, lift=0.004, lines=lines(*tread, style=RIB, weight=0.6), **STIFF)
    if raised < 0.2:
        front = curve(
            [
                (-1.0, 0.56, "c"),
                (0.46, 0.57, "c"),
                (0.44, 0.47 + raised + thick),
                (0.2, 0.45 + raised + thick),
                (0.05, 0.5 + raised + thick, "c"),
                (-0.92, 0.5 + raised + thick, "c"),
            ],
            closed=True,
        )
        figure.add(front, HEEL, puff=0.03, lift=0, **STIFF)

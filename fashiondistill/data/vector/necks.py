"""Necklines, collars, rolled necks and hoods of tops, dresses and jackets.

In: half widths in free units and words for the parts. Out: paths, or panels added to a `Figure`. Knows nothing of
colours.
"""

from __future__ import annotations

import numpy as np

from fashiondistill.data.vector.body import RIB_SPACING
from fashiondistill.data.vector.curves import (
    Point,
    band,
    beside,
    between,
    curve,
    flipped,
    ticks,
)
from fashiondistill.data.vector.figure import (
    CLOTH,
    EDGE,
    FOLD,
    LINING,
    PLAIN,
    RIB,
    SEAM,
    STITCH,
    TRIM,
    Figure,
    Line,
    lines,
)


def neckline(word: str, neck: float, rng: np.random.Generator) -> np.ndarray:
    """Front edge of the neck from left to right: "crew neck", "v-neck", "scoop neck", "boat neck" or "square neck"."""
    if word == "v-neck":
        deep = rng.uniform(0.34, 0.46)
        right: list[Point] = [(0, deep, "c"), (neck * 0.55, deep * 0.5), (neck, 0, "c")]
    elif word == "scoop neck":
        deep = rng.uniform(0.28, 0.36)
        right = [(0, deep), (neck * 0.7, deep * 0.72), (neck, 0, "c")]
    elif word == "boat neck":
        right = [(0, 0.07), (neck * 0.6, 0.055), (neck, 0, "c")]
    elif word == "square neck":
        deep = rng.uniform(0.2, 0.28)
        right = [(0, deep, "c"), (neck * 0.88, deep, "c"), (neck, 0, "c")]
    else:
        deep = rng.uniform(0.12, 0.16)
        right = [(0, deep), (neck * 0.66, deep * 0.66), (neck, 0, "c")]
    half = curve(right)
    return np.concatenate([flipped(half)[::-1], half[1:]])


def back_of_neck(figure: Figure, front: np.ndarray, neck: float, *, rise: float = 0.035, bound: bool = True) -> None:
    """The inside of the back, seen through the neck opening; drawn before the front."""
    back = curve([(-neck, 0, "c"), (-0.5 * neck, 0.55 * rise), (0, rise), (0.5 * neck, 0.55 * rise), (neck, 0, "c")])
    outline = between(back, front)
    inner = (Line(beside(back, 0.035), SEAM, 0.7),) if bound else ()
    figure.add(outline, LINING, puff=0.01, lift=0, crumple=0.4, drape=0.3, lines=inner)
    label = np.array([(-0.035, rise + 0.05), (0.035, rise + 0.05), (0.035, rise + 0.11), (-0.035, rise + 0.11)])
    if float(front[:, 1].max()) > rise + 0.13:
        figure.add(label, PLAIN, puff=0, lift=0.003, crumple=0, drape=0)


def bound_neck(
    figure: Figure, front: np.ndarray, *, wide: float = 0.045, ribbed: bool = True, role: str = TRIM
) -> None:
    """A band along the front of the neck."""
    middle = len(front) // 2
    sign = 1.0 if beside(front, wide)[middle, 1] > front[middle, 1] else -1.0
    lower = beside(front, sign * wide)
    marks = lines(*ticks(front, RIB_SPACING, 0, sign * wide), style=RIB, weight=0.8) if ribbed else ()
    figure.add(between(front, lower), role, puff=0.015, lift=0.004, crumple=0.1, drape=0, lines=marks)


def shirt_collar(
    figure: Figure, neck: float, *, spread: float = 0.2, drop: float = 0.27, open_by: float = 0.0, role: str = CLOTH
) -> None:
    """Two collar leaves that meet in front, or stand apart by `open_by`."""
    leaf = curve(
        [
            (0.008 + open_by, 0.1, "c"),
            (neck * 0.55 + open_by * 0.5, 0.0),
            (neck - 0.01, -0.12),
            (neck * 0.72, -0.15, "c"),
            (neck + 0.035, -0.1),
            (neck + 0.075, 0.01, "c"),
            (spread + open_by, drop, "c"),
        ],
        closed=True,
    )
    hem = curve([(neck + 0.058, 0.0), (spread + open_by - 0.004, drop - 0.03), (0.03 + open_by, 0.115)])
    figure.add_pair(
        leaf, role, turn=-20, puff=0.025, lift=0.02, crumple=0.4, drape=0.3, lines=lines(hem, style=STITCH, weight=0.5)
    )


def collar_stand(figure: Figure, neck: float) -> None:
    """The inside of a collar at the back of the neck; drawn before the front."""
    top = curve([(-neck * 0.97, -0.125), (-neck * 0.6, -0.15), (0, -0.135), (neck * 0.6, -0.15), (neck * 0.97, -0.125)])
    low = curve([(-neck - 0.03, 0.06), (0, 0.16), (neck + 0.03, 0.06)])
    seam = curve([(-neck, -0.02), (0, 0.02), (neck, -0.02)])
    figure.add(between(top, low), LINING, puff=0.01, lift=0, crumple=0.2, drape=0.2, lines=lines(seam))
    figure.add(np.array([(-0.05, 0.035), (0.05, 0.035), (0.05, 0.085), (-0.05, 0.085)]), PLAIN, puff=0, lift=0.003)


def rolled_neck(figure: Figure, neck: float, *, high: float) -> None:
    """A turtleneck (`high` about 0.3, turned down) or a stand-up neck (about 0.13)."""
    rolled = high > 0.2
    top, wide = -high * (0.6 if rolled else 1.0), neck * (0.86 if rolled else 0.9)
    outline = curve(
        [
            (-wide, top, "c"),
            (0, top - 0.012),
            (wide, top, "c"),
            (neck + 0.03, 0.02, "c"),
            (neck * 0.6, 0.1),
            (0, 0.13),
            (-neck * 0.6, 0.1),
            (-neck - 0.03, 0.02, "c"),
        ],
        closed=True,
    )
    ribs = [np.array([(x * wide, top), (x * (neck + 0.02), 0.13)]) for x in np.linspace(-0.95, 0.95, 19)]
    opening = curve([(-wide, top + 0.005), (0, top + 0.03), (wide, top + 0.005)])
    figure.add(
        outline,
        TRIM,
        puff=0.05,
        lift=0.014,
        crumple=0.1,
        drape=0.3,
        lines=lines(*ribs, style=RIB) + lines(opening, style=FOLD),
    )
    if rolled:
        fold = curve([(-wide - 0.015, top + 0.14), (0, top + 0.18), (wide + 0.015, top + 0.14)])
        figure.change_last(lines=(*figure.panels[-1].lines, Line(fold, EDGE, 0.6)))


def hood(figure: Figure, neck: float, rng: np.random.Generator, *, drawn: bool) -> None:
    """A hood lying up behind the neck, drawn before the front; `drawn` for its front part, drawn after it."""
    high, wide = rng.uniform(0.42, 0.5), neck * rng.uniform(1.5, 1.75)
    if not drawn:
        outline = curve(
            [
                (-neck - 0.12, 0.1, "c"),
                (-wide, -0.12),
                (-wide * 0.8, -high * 0.85),
                (0, -high),
                (wide * 0.8, -high * 0.85),
                (wide, -0.12),
                (neck + 0.12, 0.1, "c"),
                (0, 0.25),
            ],
            closed=True,
        )
        seam = curve([(0, -high), (0.012, -high * 0.6), (0, -0.1)])
        figure.add(outline, puff=0.12, lift=0, crumple=0.8, lines=lines(seam, weight=0.5))
        inside = curve(
            [
                (-neck * 0.95, 0.05),
                (-wide * 0.66, -0.14),
                (-wide * 0.46, -high * 0.66),
                (0, -high * 0.8),
                (wide * 0.46, -high * 0.66),
                (wide * 0.66, -0.14),
                (neck * 0.95, 0.05),
                (0, 0.3),
            ],
            closed=True,
        )
        figure.add(inside, LINING, puff=0.05, lift=0, crumple=0.6)
        return
    flap = curve(
        [
            (0.0, 0.27, "c"),
            (neck * 0.6, 0.12),
            (neck * 1.02, -0.06),
            (wide * 0.8, -0.14),
            (neck + 0.13, 0.08),
            (neck * 0.75, 0.22),
        ],
        closed=True,
    )
    figure.add_pair(
        flap,
        puff=0.04,
        lift=0.012,
        crumple=0.4,
        lines=lines(curve([(0.05, 0.25), (neck * 0.7, 0.16), (neck * 1.1, -0.04)]), style=STITCH, weight=0.5),
    )
    for side in (-1, 1):
        x = side * 0.07
        cord = curve([(x, 0.22), (x + side * rng.uniform(0, 0.03), 0.36), (x + rng.normal(0, 0.02), 0.5)])
        figure.add(band(cord, 0.018), TRIM, puff=0.008, lift=0.008, crumple=0, drape=0)

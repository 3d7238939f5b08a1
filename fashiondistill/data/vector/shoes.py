"""Shoes in pairs from above: sneakers, ballet flats, loafers, sandals, flip-flops, clogs.

In: traits (words of the caption) and a random generator. Out: `Figure`. Knows nothing of colours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from fashiondistill.data.vector.curves import (
    arc,
    band,
    beside,
    box,
    curve,
    ellipse,
    turned,
)
from fashiondistill.data.vector.figure import (
    CLOTH,
    HEEL,
    HIDE,
    LINING,
    METAL,
    PLAIN,
    RIB,
    SOLE,
    STITCH,
    TRIM,
    Figure,
    Panel,
    lines,
)

Traits = Mapping[str, str]
STIFF = {"crumple": 0.25, "drape": 0.15}
# Right half outline of a last from above, heel at the top: (x of the outer side, x of the inner side, y).
LAST = (
    (0.0, 0.0, 0.0),
    (0.125, -0.115, 0.06),
    (0.15, -0.135, 0.2),
    (0.14, -0.115, 0.42),
    (0.18, -0.15, 0.62),
    (0.195, -0.175, 0.76),
    (0.15, -0.15, 0.92),
    (0.0, 0.0, 1.0),
)


def last(*, grow: float = 0.0, toe: float = 0.0, narrow: float = 1.0) -> np.ndarray:
    """Outline of a shoe from above, heel up; `toe` > 0 makes it pointed."""
    outer = [(o * narrow * (1 - toe * max(0.0, y - 0.6) * 1.6) + grow * np.sign(o), y) for o, _, y in LAST[1:-1]]
    inner = [(i * narrow * (1 - toe * max(0.0, y - 0.6) * 1.6) + grow * np.sign(i), y) for _, i, y in LAST[1:-1]]
    return curve([(0.0, -grow), *outer, (0.0, 1.0 + grow + 0.1 * toe), *reversed(inner)], closed=True)


def above(traits: Traits, rng: np.random.Generator) -> Figure:
    """A pair seen from above."""
    one: Callable[[Figure, Traits, np.random.Generator], None] = {
        "sneakers": _sneaker_above,
        "ballet flats": _flat_above,
        "loafers": _loafer_above,
        "sandals": _sandal_above,
        "flip-flops": _flip_flop,
        "clogs": _clog_above,
    }[traits["style"]]
    single = Figure()
    one(single, traits, rng)
    pair, gap, spread = Figure(), rng.uniform(0.225, 0.27), rng.uniform(-6, 9)
    for side in (-1, 1):
        lean, drop = side * -spread + rng.normal(0, 1.5), rng.normal(0, 0.015)
        for panel in single.panels:
            pair.panels.append(_laid(panel, side, gap, lean, drop))
    pair.anchor, pair.print_size = (gap, 0.75), 0.1
    return pair


def _laid(panel: Panel, side: int, gap: float, lean: float, drop: float) -> Panel:
    """One shoe's panel, mirrored for the left, turned and moved to its place."""

    def put(points: np.ndarray) -> np.ndarray:
        return turned(points * (side, 1), lean, (0.0, 0.5)) + (side * gap, drop)

    return panel.moved(put, turn=panel.turn * side + lean)


def _opening(figure: Figure, low: float, half: float, *, insole: str = HIDE) -> np.ndarray:
    """The mouth of a shoe from above with its insole; returns its edge."""
    mouth = curve(
        [
            (0, 0.035),
            (half * 0.8, 0.07),
            (half, 0.2),
            (half * 0.7, low - 0.08),
            (0, low),
            (-half * 0.7, low - 0.08),
            (-half, 0.2),
            (-half * 0.8, 0.07),
        ],
        closed=True,
    )
    figure.add(mouth, LINING, puff=0.02, lift=0, crumple=0.2, drape=0)
    inner = (mouth - (0, 0.2)) * (0.8, 0.84) + (0, 0.215)
    figure.add(
        inner,
        insole,
        puff=0.03,
        lift=0,
        crumple=0.2,
        drape=0,
        lines=lines(ellipse(0, 0.15, 0.035, 0.02), style=STITCH, weight=0.5),
    )
    return mouth


def _sneaker_above(figure: Figure, traits: Traits, rng: np.random.Generator) -> None:
    figure.add(last(grow=0.022), SOLE, puff=0.02, **STIFF)
    figure.add(
        last(),
        CLOTH,
        puff=0.08,
        lift=0.006,
        lines=lines(curve([(-0.12, 0.42), (-0.06, 0.5), (0, 0.52)]), weight=0.4),
        **STIFF,
    )
    cap_at = rng.uniform(0.74, 0.8)
    cap = last()
    toe = cap[cap[:, 1] > cap_at]
    toe = toe[np.argsort(np.arctan2(toe[:, 1] - cap_at, toe[:, 0]))]
    inner = curve([(toe[-1][0], toe[-1][1]), (0, cap_at - 0.06), (toe[0][0], toe[0][1])])
    figure.add(
        np.concatenate([toe, inner[1:-1]]),
        rng.choice([CLOTH, TRIM, SOLE]),
        puff=0.06,
        lift=0.004,
        lines=lines(inner + (0, 0.014), style=STITCH, weight=0.5),
        **STIFF,
    )
    tongue = curve(
        [(-0.07, 0.2, "c"), (0.07, 0.2, "c"), (0.085, 0.4), (0.05, 0.64), (-0.05, 0.64), (-0.085, 0.4)], closed=True
    )
    _opening(figure, 0.4, 0.1, insole=LINING)
    figure.add(tongue, PLAIN, puff=0.03, lift=0.008, **STIFF)
    for side in (-1, 1):
        stay = curve(
            [
                (side * 0.125, 0.33, "c"),
                (side * 0.06, 0.33),
                (side * 0.035, 0.46),
                (side * 0.03, 0.64, "c"),
                (side * 0.07, 0.665),
                (side * 0.13, 0.5),
            ],
            closed=True,
        )
        figure.add(
            stay,
            rng.choice([CLOTH, TRIM]),
            puff=0.012,
            lift=0.006,
            lines=lines(
                curve([(side * 0.07, 0.35), (side * 0.05, 0.47), (side * 0.045, 0.63)]), style=STITCH, weight=0.5
            ),
            **STIFF,
        )
        out = 1.0 if side > 0 else 0.8
        swoosh = curve([(side * 0.125 * out, 0.36), (side * 0.11 * out, 0.5), (side * 0.14 * out, 0.64)])
        figure.add(band(swoosh, 0.02), TRIM, puff=0.006, lift=0.002, **STIFF)
    for number, y in enumerate(np.linspace(0.36, 0.61, 5)):
        wide = 0.068 - 0.007 * number
        for side in (-1, 1):
            lace = curve([(-side * wide, float(y)), (0, float(y) + 0.012), (side * wide, float(y) + 0.03)])
            figure.add(
                band(lace, 0.019), TRIM if traits.get("laces") else SOLE, puff=0.008, lift=0.006, crumple=0, drape=0
            )
    for side in (-1, 1):
        loop = curve([(0, 0.345), (side * 0.07, 0.29), (side * 0.1, 0.37), (side * 0.02, 0.36)])
        figure.add(band(loop, 0.015), SOLE, puff=0.007, lift=0.008, crumple=0, drape=0)


def _flat_above(figure: Figure, traits: Traits, rng: np.random.Generator) -> None:
    toe = float(rng.choice([0.0, 0.0, 0.5]))
    figure.add(last(grow=0.008, toe=toe, narrow=0.9), HEEL, puff=0.01, **STIFF)
    figure.add(
        last(toe=toe, narrow=0.9), CLOTH, puff=0.07, lift=0.004, lines=lines(curve([(0, 0.0), (0, 0.05)])), **STIFF
    )
    mouth = _opening(figure, rng.uniform(0.66, 0.74), 0.1)
    figure.add(
        np.concatenate([band(mouth, 0.014)[: len(mouth)], band(mouth, 0.014)[len(mouth) :]]),
        TRIM,
        puff=0.006,
        lift=0.003,
        **STIFF,
    )
    if rng.random() < 0.6:
        y = mouth[:, 1].max() + 0.03
        for side in (-1, 1):
            loop = curve([(0, y), (side * 0.055, y - 0.035), (side * 0.065, y + 0.03)], closed=True)
            figure.add(loop, TRIM, puff=0.02, lift=0.008, **STIFF)
        figure.button(0, y, 0.016, TRIM)


def _loafer_above(figure: Figure, traits: Traits, rng: np.random.Generator) -> None:
    figure.add(last(grow=0.016), HEEL, puff=0.015, **STIFF)
    vamp = curve([(-0.1, 0.5), (-0.13, 0.68), (-0.1, 0.85), (0, 0.92), (0.1, 0.85), (0.13, 0.68), (0.1, 0.5)])
    figure.add(
        last(), CLOTH, puff=0.08, lift=0.006, lines=lines(vamp) + lines(beside(vamp, 0.012), style=STITCH), **STIFF
    )
    _opening(figure, 0.5, 0.1)
    tongue = curve(
        [(-0.085, 0.4, "c"), (-0.06, 0.36), (0, 0.35), (0.06, 0.36), (0.085, 0.4, "c"), (0.1, 0.55), (-0.1, 0.55)],
        closed=True,
    )
    figure.add(tongue, CLOTH, puff=0.03, lift=0.008, **STIFF)
    strap = curve([(-0.155, 0.56), (0, 0.6), (0.165, 0.56)])
    figure.add(
        band(strap, 0.07),
        CLOTH,
        puff=0.014,
        lift=0.008,
        lines=lines(beside(strap, 0.026), beside(strap, -0.026), style=STITCH),
        **STIFF,
    )
    if rng.random() < 0.5:
        figure.add(box(-0.05, 0.57, 0.05, 0.625, round_by=0.015), METAL, puff=0.012, lift=0.006)
    else:
        figure.add(ellipse(0, 0.598, 0.035, 0.012), LINING, puff=0, lift=0)


def _clog_above(figure: Figure, traits: Traits, rng: np.random.Generator) -> None:
    figure.add(last(grow=0.025), SOLE, puff=0.02, **STIFF)
    figure.add(last(grow=0.01), PLAIN, puff=0.05, lift=0, **STIFF)
    whole = last(grow=0.018)
    front = whole[whole[:, 1] > 0.46]
    front = front[np.argsort(np.arctan2(front[:, 1] - 0.46, front[:, 0]))]
    edge = curve([tuple(front[-1]), (-0.05, 0.42), (0.05, 0.42), tuple(front[0])])
    holes = [
        ellipse(x, y, 0.016, 0.012)
        for y, xs in ((0.6, (-0.09, 0.0, 0.09)), (0.7, (-0.1, -0.035, 0.035, 0.1)), (0.8, (-0.06, 0.06)))
        for x in xs
    ]
    figure.add(np.concatenate([front, edge[1:-1]]), CLOTH, puff=0.11, lift=0.014, **STIFF)
    for hole in holes:
        figure.add(hole, LINING, puff=0.004, lift=0)
    strap = arc(0, 0.24, 0.165, 0.25, 180, 360)
    figure.add(band(strap, 0.045), CLOTH, puff=0.016, lift=0.01, **STIFF)
    for side in (-1, 1):
        figure.button(side * 0.163, 0.42, 0.02, rng.choice([METAL, TRIM]))


def _sandal_above(figure: Figure, traits: Traits, rng: np.random.Generator) -> None:
    figure.add(last(grow=0.014), SOLE, puff=0.02, **STIFF)
    figure.add(
        last(grow=-0.004),
        PLAIN,
        puff=0.03,
        lift=0.003,
        lines=lines(last(grow=-0.02), style=STITCH, weight=0.4),
        **STIFF,
    )
    crossed = rng.random() < 0.4
    rows = (
        [((-0.185, 0.62), (0.2, 0.74)), ((0.2, 0.6), (-0.18, 0.76))]
        if crossed
        else [((-0.165, 0.62), (0.19, 0.6)), ((-0.19, 0.77), (0.21, 0.77))]
    )
    for (x0, y0), (x1, y1) in rows:
        strap = curve([(x0, y0), ((x0 + x1) / 2, (y0 + y1) / 2 - 0.02), (x1, y1)])
        figure.add(
            band(strap, 0.075),
            CLOTH,
            puff=0.03,
            lift=0.016,
            lines=lines(beside(strap, 0.028), beside(strap, -0.028), style=STITCH, weight=0.6),
            **STIFF,
        )
    ankle = curve([(-0.145, 0.3), (-0.1, 0.22), (0.0, 0.2), (0.1, 0.22), (0.15, 0.3)])
    figure.add(band(ankle, 0.04), CLOTH, puff=0.016, lift=0.014, **STIFF)
    back = arc(0, 0.14, 0.135, 0.16, 180, 360)
    figure.add(band(back, 0.04), CLOTH, puff=0.016, lift=0.01, **STIFF)
    figure.add(np.concatenate([box(0.1, 0.2, 0.16, 0.28, round_by=0.012)]), METAL, puff=0.012, lift=0.006)
    figure.add(box(0.115, 0.215, 0.145, 0.265, round_by=0.006), CLOTH, puff=0.005, lift=0, **STIFF)


def _flip_flop(figure: Figure, traits: Traits, rng: np.random.Generator) -> None:
    figure.add(last(grow=0.012), SOLE, puff=0.02, **STIFF)
    ribs = [np.array([(-0.2, y), (0.2, y)]) for y in np.linspace(0.05, 0.97, 26)]
    figure.add(last(), CLOTH, puff=0.03, lift=0.003, lines=lines(*ribs, style=RIB, weight=0.5), **STIFF)
    for x1, mid in ((0.16, (0.13, 0.5)), (-0.15, (-0.12, 0.5))):
        strap = curve([(-0.02, 0.76), (mid[0] * 0.7, 0.62), mid, (x1, 0.4)])
        figure.add(band(strap, np.linspace(0.028, 0.06, len(strap))), TRIM, puff=0.018, lift=0.016, **STIFF)
    figure.button(-0.02, 0.765, 0.024, TRIM)

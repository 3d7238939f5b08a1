"""Shoes: sneakers, boots, heels, ballet flats, loafers and sandals; pairs seen from above or shoes from the side.

In: traits (words of the caption) and a random generator. Out: `Figure`. Knows nothing of colours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from fashiondistill.data.vector.curves import (
    arc,
    band,
    beside,
    between,
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
    Ridge,
    lines,
)

Traits = Mapping[str, str]
STIFF = {"crumple": 0.25, "drape": 0.15}
# Right half outline of a last from above, heel at the top: (x of the outer side, x of the inner side, y).
LAST = ((0.0, 0.0, 0.0), (0.125, -0.115, 0.06), (0.15, -0.135, 0.2), (0.14, -0.115, 0.42), (0.18, -0.15, 0.62),
        (0.195, -0.175, 0.76), (0.15, -0.15, 0.92), (0.0, 0.0, 1.0))  # fmt: skip


def last(*, grow: float = 0.0, toe: float = 0.0, narrow: float = 1.0) -> np.ndarray:
    """Outline of a shoe from above, heel up; `toe` > 0 makes it pointed."""
    outer = [(o * narrow * (1 - toe * max(0.0, y - 0.6) * 1.6) + grow * np.sign(o), y) for o, _, y in LAST[1:-1]]
    inner = [(i * narrow * (1 - toe * max(0.0, y - 0.6) * 1.6) + grow * np.sign(i), y) for _, i, y in LAST[1:-1]]
    return curve([(0.0, -grow), *outer, (0.0, 1.0 + grow + 0.1 * toe), *reversed(inner)], closed=True)


def above(traits: Traits, rng: np.random.Generator) -> Figure:
    """A pair seen from above."""
    one: Callable[[Figure, Traits, np.random.Generator], None] = {
        "sneakers": _sneaker_above, "ballet flats": _flat_above, "loafers": _loafer_above, "sandals": _sandal_above,
        "flip-flops": _flip_flop, "clogs": _clog_above,
    }[traits["style"]]  # fmt: skip
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
    mouth = curve([(0, 0.035), (half * 0.8, 0.07), (half, 0.2), (half * 0.7, low - 0.08), (0, low), (-half * 0.7, low - 0.08),
                   (-half, 0.2), (-half * 0.8, 0.07)], closed=True)  # fmt: skip
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
    figure.add(np.concatenate([toe, inner[1:-1]]), rng.choice([CLOTH, TRIM, SOLE]), puff=0.06, lift=0.004,
               lines=lines(inner + (0, 0.014), style=STITCH, weight=0.5), **STIFF)  # fmt: skip
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
    figure.add(last(grow=0.01), LINING, puff=0.05, lift=0, **STIFF)
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


def from_side(traits: Traits, rng: np.random.Generator) -> Figure:
    """One shoe, or a pair of which the other stands behind, seen from the side, toe left."""
    draw = {"sneakers": _sneaker_side, "high-top sneakers": _sneaker_side, "ankle boots": _boot, "tall boots": _boot,
            "lace-up boots": _boot, "pumps": _pump, "heeled sandals": _pump}[traits["style"]]  # fmt: skip
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
    upper = curve([(0.36, high, "c"), (0.55, high + 0.1), (0.72, high + 0.06), (0.9, high + 0.0, "c"), (0.96, high * 0.4), (0.98, 0.4, "c"),
                   (-1.0, 0.42, "c"), (-1.02, 0.26), (-0.86, 0.12), (-0.5, 0.04), (-0.2, -0.08), (0.12, high * 0.62)], closed=True)  # fmt: skip
    stripe = [curve([(0.05 + d, -0.02 + 0.04 * d), (0.22 + d, 0.2), (0.3 + d, 0.36)]) for d in (0, 0.14, 0.28)]
    heel = curve([(0.66, high + 0.08), (0.62, 0.1), (0.7, 0.4)])
    toe = curve([(-0.52, 0.05), (-0.44, 0.2), (-0.5, 0.42)])
    figure.add(
        upper,
        CLOTH,
        puff=0.1,
        lift=0.01,
        lines=lines(heel, toe) + lines(beside(heel, 0.025), beside(toe, 0.025), style=STITCH),
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
    heel = rng.uniform(0.12, 0.34)
    inside = ellipse(0.58, tall, 0.3, 0.05)
    figure.add(inside, LINING, puff=0.02, lift=0)
    wide = 0.3 if tall > -1.2 else 0.36
    upper = curve([(0.58 - wide, tall, "c"), (0.58, tall + 0.04), (0.58 + wide * 0.98, tall - 0.01, "c"), (0.86, tall * 0.45), (0.85, -0.1), (0.94, 0.2), (0.95, 0.5, "c"),
                   (0.4, 0.56), (-0.4, 0.56), (-0.96, 0.56, "c"), (-1.0, 0.38), (-0.86, 0.22), (-0.4, 0.1), (0.0, -0.06), (0.22, -0.36), (0.58 - wide * 0.94, tall * 0.6)], closed=True)  # fmt: skip
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
    thick = 0.07 if heel > 0.2 else 0.1
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
            (0.96, 0.5 + heel + thick, "c"),
            (0.48, 0.5 + heel + thick, "c"),
        ],
        closed=True,
    )
    tread = [np.array([(0.42, y), (1.0, y - 0.02)]) for y in np.arange(0.6 + thick, 0.5 + heel + thick, 0.045)]
    figure.add(block, HEEL, puff=0.04, lift=0.004, lines=lines(*tread, style=RIB, weight=0.6), **STIFF)
    if heel < 0.2:
        front = curve(
            [
                (-1.0, 0.56, "c"),
                (0.46, 0.57, "c"),
                (0.44, 0.47 + heel + thick),
                (0.2, 0.45 + heel + thick),
                (0.05, 0.5 + heel + thick, "c"),
                (-0.92, 0.5 + heel + thick, "c"),
            ],
            closed=True,
        )
        figure.add(front, HEEL, puff=0.03, lift=0, **STIFF)


def _pump(figure: Figure, traits: Traits, rng: np.random.Generator) -> None:
    """Pumps and heeled sandals: everything follows the line of the foot above the ground at y = 0.55."""
    rise = rng.uniform(0.35, 0.85)
    foot = curve(
        [
            (-1.04, 0.5),
            (-0.85, 0.545),
            (-0.42, 0.545),
            (0.0, 0.52 - 0.38 * rise),
            (0.45, 0.53 - 0.86 * rise),
            (0.72, 0.53 - rise),
            (0.97, 0.5 - rise),
        ]
    )

    def over(x: float, by: float) -> tuple[float, float]:
        return x, float(np.interp(x, foot[:, 0], foot[:, 1])) - by

    tip = 0.035 if rng.random() < 0.6 else 0.11
    block = curve(
        [(*over(0.5, -0.01), "c"), over(0.75, 0.0), (*over(0.965, 0.03), "c"), (0.955, 0.55 - 0.5 * rise), (0.93, 0.55, "c"), (0.93 - 2 * tip, 0.55, "c"),
         (0.86 - 2 * tip, 0.55 - 0.45 * rise), (0.7, 0.56 - 0.75 * rise)],
        closed=True,
    )  # fmt: skip
    figure.add(block, CLOTH if rng.random() < 0.7 else HEEL, puff=0.06, lift=0, **STIFF)
    if traits["style"] == "heeled sandals":
        figure.add(between(foot, foot - (0, 0.055)), PLAIN, puff=0.02, lift=0.004, **STIFF)
        counter = curve(
            [
                (*over(0.62, 0.03), "c"),
                over(0.74, 0.24),
                (*over(0.84, 0.42), "c"),
                (*over(0.95, 0.42), "c"),
                over(0.985, 0.2),
                (*over(0.965, 0.0), "c"),
            ],
            closed=True,
        )
        figure.add(counter, CLOTH, puff=0.08, lift=0.006, **STIFF)
        for x in (-0.72, -0.46) if rng.random() < 0.5 else (-0.6,):
            wide = 0.08 if x != -0.6 else 0.16
            strap = curve(
                [
                    (*over(x - wide, 0.0), "c"),
                    over(x - wide * 0.3, 0.16),
                    (*over(x + 0.12 - wide * 0.2, 0.27), "c"),
                    (*over(x + 0.16 + wide, 0.25), "c"),
                    over(x + wide * 1.2, 0.1),
                    (*over(x + wide, 0.0), "c"),
                ],
                closed=True,
            )
            figure.add(strap, CLOTH, puff=0.06, lift=0.012, **STIFF)
        ankle = curve([over(0.93, 0.38), over(0.7, 0.5), over(0.48, 0.5), over(0.4, 0.42)])
        figure.add(band(ankle, 0.05), CLOTH, puff=0.02, lift=0.01, **STIFF)
        x, y = over(0.5, 0.5)
        figure.add(box(x - 0.04, y - 0.035, x + 0.04, y + 0.035, round_by=0.012), METAL, puff=0.02, lift=0.006)
        return
    throat = rng.uniform(-0.5, -0.36)
    edge = curve(
        [
            (*over(0.97, 0.4), "c"),
            over(0.72, 0.31),
            over(0.35, 0.2),
            over(0.0, 0.16),
            over((throat - 0.1) / 2, 0.19),
            (*over(throat, 0.29), "c"),
        ]
    )
    vamp = curve([over(throat, 0.29), over(-0.7, 0.2), over(-0.95, 0.1), (-1.07, 0.49)])
    far = np.concatenate([edge + (0.0, -0.001), (edge - (0, 0.06))[::-1]])
    figure.add(far, LINING, puff=0.02, lift=0)
    upper = np.concatenate([edge, vamp[1:], foot[1:], [over(0.99, 0.15), over(0.99, 0.3)]])
    rim = edge + (0.0, 0.028)
    figure.add(upper, CLOTH, puff=0.14, lift=0.008, lines=lines(rim, style=STITCH, weight=0.4), crumple=0.15, drape=0.1)
    figure.add(between(foot, foot + (0, 0.03)), HEEL, puff=0.012, lift=0.003, **STIFF)
    if rng.random() < 0.3:
        x, y = over(throat, 0.28)
        figure.add(ellipse(x, y, 0.1, 0.045, turn=20), TRIM, puff=0.03, lift=0.01, **STIFF)

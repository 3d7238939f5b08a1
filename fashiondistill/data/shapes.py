"""Outlines and seams of drawn garments: what each kind looks like, as curves.

In: a kind and a random generator (for proportions). Out: `Shape`, parts and seam lines in free units, y down. Knows
nothing of colours or pixels; `data.drawings` renders.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

CLOTH, TRIM, METAL, INSIDE, HOLE = "cloth", "trim", "metal", "inside", "hole"
Point = tuple[float, float] | tuple[float, float, str]  # a third element "c" marks a sharp corner


@dataclass(frozen=True, eq=False)
class Part:
    """A closed curve [N, 2] and what it is made of: cloth, trim (darker cloth), metal, the inside of an opening,
    or a hole that shows the ground.
    """

    outline: np.ndarray
    material: str = CLOTH


@dataclass(frozen=True, eq=False)
class Shape:
    """Parts in painting order and seam lines, each [N, 2]."""

    parts: list[Part]
    seams: list[np.ndarray]


def curve(points: list[Point], *, closed: bool = False) -> np.ndarray:
    """Catmull-Rom curve through the points [N, 2]; straight up to and away from those marked "c"."""
    xy = np.array([p[:2] for p in points], float)
    sharp = [len(p) == 3 for p in points]
    count = len(points)
    pieces = []
    for i in range(count if closed else count - 1):
        j = (i + 1) % count
        start, end = xy[i], xy[j]
        before = start if sharp[i] or (not closed and i == 0) else xy[i - 1]
        after = end if sharp[j] or (not closed and j == count - 1) else xy[(j + 1) % count]
        t = np.linspace(0, 1, 16, endpoint=False)[:, None]
        slope_start, slope_end = (end - before) / 2, (after - start) / 2
        pieces.append(
            (2 * t**3 - 3 * t**2 + 1) * start
            + (t**3 - 2 * t**2 + t) * slope_start
            + (-2 * t**3 + 3 * t**2) * end
            + (t**3 - t**2) * slope_end
        )
    if not closed:
        pieces.append(xy[-1:])
    return np.concatenate(pieces)


def mirrored(half: list[Point]) -> np.ndarray:
    """Closed curve from its right half, given from top to bottom; points on the axis (x = 0) are not doubled."""
    left = [(-p[0], *p[1:]) for p in reversed(half) if abs(p[0]) > 1e-9]
    return curve([*half, *left], closed=True)


def flipped(line: np.ndarray) -> np.ndarray:
    """Mirror image about x = 0."""
    return line * (-1, 1)


def both(line: np.ndarray) -> list[np.ndarray]:
    """A seam and its mirror image."""
    return [line, flipped(line)]


def ellipse(x: float, y: float, rx: float, ry: float) -> np.ndarray:
    """Closed ellipse [48, 2]."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def band(path: np.ndarray, width: float | np.ndarray) -> np.ndarray:
    """Closed outline of a strip of `width` along a path [N, 2]."""
    step = np.gradient(path, axis=0)
    normal = np.stack([-step[:, 1], step[:, 0]], axis=1) / (np.linalg.norm(step, axis=1, keepdims=True) + 1e-9)
    half = np.broadcast_to(np.asarray(width) / 2, (len(path),))[:, None]
    return np.concatenate([path + normal * half, (path - normal * half)[::-1]])


def _t_shirt(rng: np.random.Generator) -> Shape:
    wide, long, sleeve = rng.uniform(0.92, 1.1), rng.uniform(0.95, 1.1), rng.uniform(0.8, 1.2)
    neck = rng.uniform(0.26, 0.34)
    deep = rng.uniform(0.1, 0.24)
    cuff = ((0.62 + 0.5 * sleeve) * wide, -0.52 + 0.36 * sleeve)
    half: list[Point] = [
        (0, -0.98 + deep), (0.6 * neck, -0.98 + 0.72 * deep), (neck, -1.0, "c"), (0.55 * wide, -0.9),
        (0.72 * wide, -0.8), (*cuff, "c"), (cuff[0] - 0.26, cuff[1] + 0.18, "c"), (0.62 * wide, -0.3, "c"),
        (0.6 * wide, 0.3), (0.63 * wide, 0.98 * long, "c"), (0, 1.01 * long),
    ]  # fmt: skip
    back = mirrored([(0, -0.93), (neck, -1.0, "c"), (0.5 * neck, -0.98 + 0.8 * deep), (0, -0.97 + deep)])
    armhole = curve([(0.66 * wide, -0.83), (0.56 * wide, -0.55), (0.62 * wide, -0.3)])
    hem = curve([(-0.62 * wide, 0.92 * long), (0, 0.95 * long), (0.62 * wide, 0.92 * long)])
    collar = curve([(-neck - 0.05, -0.98), (0, -0.9 + deep), (neck + 0.05, -0.98)])
    edge = curve([(cuff[0] - 0.05, cuff[1] - 0.03), (cuff[0] - 0.3, cuff[1] + 0.14)])
    return Shape([Part(mirrored(half)), Part(back, INSIDE)], [*both(armhole), hem, collar, *both(edge)])


def _trousers(rng: np.random.Generator) -> Shape:
    leg, rise, waist = rng.uniform(0.22, 0.42), rng.uniform(-0.45, -0.3), rng.uniform(0.36, 0.44)
    spread = rng.uniform(0.42, 0.56)
    half: list[Point] = [
        (0, -0.97), (waist, -1.0, "c"), (waist + 0.02, -0.88), (0.54, -0.45), (spread + leg / 2, 1.0, "c"),
        (spread - leg / 2, 1.02, "c"), (0.14, 0.1), (0, rise, "c"),
    ]  # fmt: skip
    band_line = curve([(-waist - 0.01, -0.88), (0, -0.86), (waist + 0.01, -0.88)])
    pocket = curve([(0.3, -0.87), (0.36, -0.7), (0.49, -0.62)])
    fly = curve([(0, -0.86), (0, rise)])
    j_stitch = curve([(0.09, -0.86), (0.09, rise - 0.12), (0, rise - 0.02)])
    crease = curve([(0.28, -0.6), (spread, 0.98)])
    hem = curve([(spread + leg / 2 - 0.02, 0.94), (spread - leg / 2 - 0.01, 0.96)])
    return Shape(
        [Part(mirrored(half))],
        [band_line, *both(pocket), fly, j_stitch, *(both(crease) if rng.random() < 0.5 else []), *both(hem)],
    )


def _skirt(rng: np.random.Generator) -> Shape:
    flare, long, waist = rng.uniform(0.5, 0.95), rng.uniform(0.5, 1.0), rng.uniform(0.32, 0.42)
    half: list[Point] = [
        (0, -0.98), (waist, -1.0, "c"), (waist + 0.02, -0.86), ((waist + flare) / 2 + 0.08, 0.2 * long),
        (flare, long, "c"), (flare / 2, long + 0.05), (0, long + 0.06),
    ]  # fmt: skip
    waistband = curve([(-waist - 0.01, -0.87), (0, -0.85), (waist + 0.01, -0.87)])
    folds = [
        curve([(waist * f, -0.84), ((waist + flare) / 2 * f, 0.2 * long), (flare * f, long * 1.02)])
        for f in rng.uniform(0.2, 0.8, 2)
    ]
    return Shape([Part(mirrored(half))], [waistband, *[line for fold in folds for line in both(fold)]])


def _dress(rng: np.random.Generator) -> Shape:
    flare, waist = rng.uniform(0.4, 0.72), rng.uniform(0.2, 0.27)
    sleeve, deep = rng.random() < 0.55, rng.uniform(0.08, 0.2)
    top: list[Point] = [(0, -0.98 + deep), (0.13, -0.92), (0.17, -1.0, "c"), (0.3, -0.95, "c")]
    if sleeve:
        long = rng.uniform(0.2, 0.6)
        top += [(0.36 + 0.3 * long, -0.9 + long, "c"), (0.24 + 0.3 * long, -0.86 + long, "c"), (0.3, -0.7, "c")]
    else:
        top += [(0.25, -0.82), (0.3, -0.7, "c")]
    half = [*top, (waist, -0.3), ((waist + flare) / 2 + 0.05, 0.2), (flare, 0.98, "c"), (0, 1.03)]
    back = mirrored([(0, -0.95), (0.17, -1.0, "c"), (0.11, -0.9), (0, -0.97 + deep)])
    waist_line = curve([(-waist, -0.3), (0, -0.27), (waist, -0.3)])
    folds = [
        curve([(waist * f, -0.27), ((waist + flare) / 2 * f, 0.3), (flare * f, 1.0)]) for f in rng.uniform(0.2, 0.8, 2)
    ]
    return Shape([Part(mirrored(half)), Part(back, INSIDE)], [waist_line, *[x for f in folds for x in both(f)]])


def _shoe(rng: np.random.Generator) -> Shape:
    thick, high = rng.uniform(0.09, 0.18), rng.uniform(0.0, 0.3)
    upper = curve(
        [(-0.92, 0.36, "c"), (-0.96, 0.1), (-0.9, -0.2 - high), (-0.93, -0.34 - high, "c"), (-0.62, -0.27 - high),
         (-0.3, -0.36 - high, "c"), (-0.16, -0.26), (0.18, -0.06), (0.6, 0.03), (0.9, 0.16), (0.98, 0.36, "c")],
        closed=True,
    )  # fmt: skip
    sole = curve(
        [(-0.96, 0.32, "c"), (0, 0.36), (0.6, 0.34), (1.0, 0.28, "c"), (1.04, 0.34), (0.98, 0.34 + thick),
         (0.8, 0.38 + thick), (-0.94, 0.38 + thick, "c")],
        closed=True,
    )  # fmt: skip
    start, end = np.array([-0.2, -0.3 - 0.9 * high]), np.array([0.2, -0.04])
    laces = []
    for k in np.linspace(0, 1, 5):
        top = start + (end - start) * k
        laces.append(curve([tuple(top), tuple(top + (-0.14, 0.14))]))
    facing = curve([(-0.42, -0.28 - high), (-0.34, -0.12 - 0.7 * high), (0.06, 0.14), (0.34, 0.0)])
    heel = curve([(-0.7, -0.29 - high), (-0.62, 0.0), (-0.74, 0.34)])
    cap = curve([(0.56, 0.04), (0.52, 0.2), (0.62, 0.35)])
    welt = curve([(-0.94, 0.4), (0.6, 0.42), (1.0, 0.36)])
    return Shape([Part(upper), Part(sole, TRIM)], [*laces, facing, heel, cap, welt])


def _briefs(rng: np.random.Generator) -> Shape:
    high, leg = rng.uniform(-0.75, -0.35), rng.uniform(0.28, 0.5)
    half: list[Point] = [
        (0, high + 0.05), (0.9, high, "c"), (0.96, high + 0.2), (0.93, high + leg, "c"), (0.55, 0.25), (0.22, 0.6),
        (0.16, 0.72, "c"), (0, 0.74),
    ]  # fmt: skip
    waist = curve([(-0.93, high + 0.12), (0, high + 0.17), (0.93, high + 0.12)])
    edge = curve([(0.88, high + leg - 0.05), (0.5, 0.2), (0.16, 0.58)])
    gusset = curve([(-0.27, 0.5), (0, 0.42), (0.27, 0.5)])
    back = mirrored([(0, high - 0.03), (0.86, high - 0.02, "c"), (0.5, high + 0.035), (0, high + 0.055)])
    return Shape([Part(mirrored(half)), Part(back, INSIDE)], [waist, *both(edge), gusset])


def _boxers(rng: np.random.Generator) -> Shape:
    leg, long = rng.uniform(0.5, 0.62), rng.uniform(0.5, 0.75)
    half: list[Point] = [
        (0, -0.66), (0.74, -0.7, "c"), (0.78, -0.5), (0.9, 0.1), (0.3 + leg, long, "c"), (0.16, long + 0.06, "c"),
        (0, 0.2, "c"),
    ]  # fmt: skip
    waist = curve([(-0.76, -0.54), (0, -0.5), (0.76, -0.54)])
    waist_low = curve([(-0.77, -0.5), (0, -0.46), (0.77, -0.5)])
    pouch = curve([(0.24, -0.46), (0.27, -0.1), (0.06, 0.22)])
    hem = curve([(0.28 + leg, long - 0.07), (0.15, long - 0.01)])
    return Shape([Part(mirrored(half))], [waist, waist_low, *both(pouch), *both(hem)])


def _bra(rng: np.random.Generator) -> Shape:
    deep, wing, drop = rng.uniform(-0.1, 0.1), rng.uniform(0.86, 1.0), rng.uniform(0.3, 0.42)
    cup = curve(
        [(0.03, deep, "c"), (0.25, -0.16), (0.44, -0.4, "c"), (0.6, -0.14), (0.78, 0.04, "c"), (0.72, 0.34),
         (0.4, 0.3 + drop / 2), (0.1, 0.36), (0.03, 0.2, "c")],
        closed=True,
    )  # fmt: skip
    side = curve(
        [(0.77, 0.02, "c"), (wing, 0.1, "c"), (wing, 0.36, "c"), (0.6, 0.52), (0, 0.46), (0, 0.3), (0.4, 0.46)],
        closed=True,
    )
    strap_path = curve([(0.44, -0.38), (0.46, -0.7), (0.36, -0.98), (0.3, -0.7), (0.3, 0.02)])
    strap = band(strap_path, rng.uniform(0.035, 0.07))
    seam = curve([(0.1, 0.1), (0.42, 0.02), (0.74, 0.1)])
    edge = curve([(0.08, deep + 0.02), (0.27, -0.1), (0.42, -0.32)])
    parts = [Part(p, material) for p, material in ((strap, TRIM), (side, TRIM), (cup, CLOTH))]
    parts = [q for p in parts for q in (p, Part(flipped(p.outline), p.material))]
    return Shape(parts, [*both(seam), *both(edge)])


def _camisole(rng: np.random.Generator) -> Shape:
    long, flare, deep = rng.uniform(0.75, 1.0), rng.uniform(0.5, 0.66), rng.uniform(-0.45, -0.3)
    half: list[Point] = [
        (0, deep), (0.2, deep - 0.12), (0.36, -0.62, "c"), (0.46, -0.4), (0.56, -0.28, "c"), (0.47, 0.1),
        (flare, long, "c"), (0, long + 0.05),
    ]  # fmt: skip
    strap = band(curve([(0.36, -0.6), (0.36, -0.82), (0.3, -1.0), (0.26, -0.8), (0.26, -0.5)]), 0.035)
    lace = curve([(-flare * 0.97, long - 0.1), (0, long - 0.05), (flare * 0.97, long - 0.1)])
    bust = curve([(-0.5, -0.12), (0, -0.06), (0.5, -0.12)])
    return Shape([Part(strap, TRIM), Part(flipped(strap), TRIM), Part(mirrored(half))], [lace, bust])


def _handbag(rng: np.random.Generator) -> Shape:
    top, height, bulge = rng.uniform(0.62, 0.85), rng.uniform(0.6, 0.85), rng.uniform(0.0, 0.12)
    body = mirrored([(0, -0.2), (top, -0.2, "c"), (0.92 + bulge, 0.3), (0.9, height, "c"), (0, height + 0.03)])
    handle = band(
        curve(
            [(0.45, -0.15), (0.44, -0.55), (0.25, -0.88), (0, -0.95), (-0.25, -0.88), (-0.44, -0.55), (-0.45, -0.15)]
        ),
        rng.uniform(0.06, 0.1),
    )
    depth = rng.uniform(0.1, 0.35)
    flap = mirrored([(0, -0.22), (top + 0.01, -0.22, "c"), (top + 0.06, depth), (0.3, depth + 0.14), (0, depth + 0.16)])
    clasp = ellipse(0, depth + 0.12, 0.07, 0.06)
    stitch = mirrored(
        [(0, -0.17), (top - 0.03, -0.17, "c"), (top + 0.01, depth - 0.03), (0.28, depth + 0.09), (0, depth + 0.1)]
    )
    base = curve([(-0.9, height - 0.12), (0, height - 0.08), (0.9, height - 0.12)])
    return Shape([Part(handle, TRIM), Part(body), Part(flap, TRIM), Part(clasp, METAL)], [stitch, base])


def _tote(rng: np.random.Generator) -> Shape:
    wide, low = rng.uniform(0.66, 0.86), rng.uniform(0.56, 0.9)
    body = mirrored([(0, -0.12), (wide, -0.12, "c"), (wide * low**0.3, 0.95, "c"), (0, 0.98)])
    arch = curve([(0.36, -0.02), (0.36, -0.6), (0.2, -0.92), (-0.2, -0.92), (-0.36, -0.6), (-0.36, -0.02)])
    handle = band(arch, 0.075)
    top = curve([(-wide, -0.03), (wide, -0.03)])
    patches = [
        curve(
            [(x - 0.06, 0.14, "c"), (x - 0.06, -0.02, "c"), (x + 0.06, -0.02, "c"), (x + 0.06, 0.14, "c")], closed=True
        )
        for x in (0.36, -0.36)
    ]
    return Shape([Part(handle, TRIM), Part(body)], [top, *patches])


def _scarf(rng: np.random.Generator) -> Shape:
    left, right = rng.uniform(0.75, 1.0), rng.uniform(0.6, 0.95)
    width = rng.uniform(0.3, 0.4)
    loop = curve(
        [
            (0, -0.98),
            (0.42, -0.9),
            (0.56, -0.62),
            (0.36, -0.36),
            (0, -0.28),
            (-0.36, -0.36),
            (-0.56, -0.62),
            (-0.42, -0.9),
        ],
        closed=True,
    )
    hole = ellipse(0, -0.76, 0.26, 0.1)
    ends = []
    for x, low in ((-0.22, left), (0.2, right)):
        lean = rng.uniform(-0.1, 0.1)
        ends.append(
            curve(
                [(x - width / 2, -0.42, "c"), (x + width / 2, -0.42, "c"), (x + width * 0.6 + lean / 2, 0.2),
                 (x + width * 0.62 + lean, low, "c"), (x - width * 0.6 + lean, low + 0.03, "c"),
                 (x - width * 0.56 + lean / 2, 0.2)],
                closed=True,
            )
        )  # fmt: skip
    seams = [curve([(-0.5, -0.6), (0, -0.42), (0.46, -0.72)]), curve([(-0.44, -0.78), (0, -0.56), (0.52, -0.6)])]
    fringe = []
    for end in ends:
        low = end[end[:, 1] > end[:, 1].max() - 0.06]
        for x in np.linspace(low[:, 0].min() + 0.015, low[:, 0].max() - 0.015, 9):
            strand = np.array([[x, low[:, 1].mean() - 0.02], [x + rng.normal(0, 0.008), low[:, 1].mean() + 0.1]])
            fringe.append(Part(band(strand, 0.024)))
    return Shape([*fringe, Part(ends[0]), Part(ends[1]), Part(loop), Part(hole, INSIDE)], seams)


def _belt(rng: np.random.Generator) -> Shape:
    radius, wide = rng.uniform(0.34, 0.5), rng.uniform(0.14, 0.22)
    arc = np.linspace(0, np.pi, 40)
    front = np.stack([0.95 * np.cos(arc), radius * np.sin(arc)], axis=1)
    body = np.concatenate([front * (1, -1), front[::-1] + (0, wide)])
    rim = ellipse(0, 0, 0.92, radius - 0.02)
    x = np.linspace(-0.92, 0.92, 81)
    reach = (radius - 0.02) * np.sqrt(1 - (x / 0.92) ** 2)
    seen = reach * 2 > wide  # the back of the belt hides the ground to this depth
    hole = np.concatenate([
        np.stack([x, -reach + wide], axis=1)[seen], np.stack([x, reach], axis=1)[seen][::-1]
    ])  # fmt: skip
    size, middle = wide * 0.75, np.array([0, radius + wide * 0.5])
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    pin = np.array([[-size * 0.6, 0], [size, 0]]) + middle
    edges = [front[3:-3] * (0.985, 1) + (0, 0.03), front[3:-3] * (0.985, 1) + (0, wide - 0.03)]
    holes = []
    for k in range(4):
        along = 0.3 + 0.09 * k
        holes.append(ellipse(along, radius * np.sqrt(1 - (along / 0.95) ** 2) + wide * 0.5, 0.012, 0.012))
    parts = [Part(body), Part(rim, INSIDE), Part(hole, HOLE), Part(square * size + middle, METAL)]
    return Shape([*parts, Part(square * size * 0.6 + middle)], [*edges, pin, *holes])


def _necklace(rng: np.random.Generator) -> Shape:
    drop, wide = rng.uniform(0.5, 0.85), rng.uniform(0.5, 0.7)
    path = curve(
        [
            (-wide, -0.95),
            (-wide * 0.9, -0.3),
            (-0.3, drop - 0.25),
            (0, drop),
            (0.3, drop - 0.25),
            (wide * 0.9, -0.3),
            (wide, -0.95),
        ]
    )
    if rng.random() < 0.5:
        away = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
        size = rng.uniform(0.045, 0.075)
        where = np.arange(size, away[-1], 2.02 * size)
        beads = [
            Part(ellipse(np.interp(a, away, path[:, 0]), np.interp(a, away, path[:, 1]), size, size)) for a in where
        ]
        return Shape(beads, [])
    chain = Part(band(path, 0.024), METAL)
    tall = rng.uniform(0.12, 0.2)
    pendant = curve(
        [(0, drop - 0.02, "c"), (tall * 0.75, drop + tall), (0, drop + 2 * tall), (-tall * 0.75, drop + tall)],
        closed=True,
    )
    return Shape(
        [chain, Part(pendant)],
        [curve([(-tall * 0.3, drop + tall * 0.8), (0, drop + tall * 0.5), (tall * 0.3, drop + tall * 0.8)])],
    )


def _earrings(rng: np.random.Generator) -> Shape:
    size, long = rng.uniform(0.2, 0.32), rng.uniform(0.1, 0.5)
    parts, seams = [], []
    hoop = rng.random() < 0.4
    for x in (-0.45, 0.45):
        hook = curve([(x, -0.75), (x + 0.06, -0.9), (x + 0.13, -0.8), (x + 0.12, -0.6)])
        parts.append(Part(band(hook, 0.025), METAL))
        if hoop:
            angle = np.linspace(0, 2 * np.pi, 65)
            ring = np.stack(
                [
                    x + size * 1.2 * np.cos(angle),
                    -0.75 + size * 1.2 * (1 - np.cos(0)) + size * 1.2 + size * 1.2 * np.sin(angle),
                ],
                axis=1,
            )
            parts.append(Part(band(ring, 0.07)))
        else:
            parts.append(Part(band(np.array([[x, -0.76], [x, -0.7 + long]]), 0.025), METAL))
            low = -0.7 + long
            drop = curve(
                [(x, low, "c"), (x + size, low + size * 1.5), (x, low + size * 2.3), (x - size, low + size * 1.5)],
                closed=True,
            )
            parts += [Part(drop), Part(ellipse(x, -0.76, 0.06, 0.06), METAL)]
            seams.append(
                curve([(x - size * 0.5, low + size * 1.3), (x, low + size * 0.9), (x + size * 0.5, low + size * 1.3)])
            )
    return Shape(parts, seams)


SHAPES: dict[str, Callable[[np.random.Generator], Shape]] = {
    "t-shirt": _t_shirt,
    "trousers": _trousers,
    "skirt": _skirt,
    "dress": _dress,
    "shoes": _shoe,
    "briefs": _briefs,
    "boxer shorts": _boxers,
    "bra": _bra,
    "camisole": _camisole,
    "handbag": _handbag,
    "tote bag": _tote,
    "scarf": _scarf,
    "belt": _belt,
    "necklace": _necklace,
    "earrings": _earrings,
}

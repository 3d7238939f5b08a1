"""Parts that tops, dresses, coats and underwear share: torso, sleeves, hems.

In: sizes in free units (shoulders about 1 wide, y down, 0 at the neck) and words for the parts. Out: panels added to
a `Figure`. Knows nothing of colours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fashiondistill.data.vector.curves import (
    Point,
    between,
    curve,
    ticks,
)
from fashiondistill.data.vector.figure import (
    RIB,
    STITCH,
    TRIM,
    Figure,
    Line,
    Ridge,
    lines,
)

RIB_SPACING = 0.022


@dataclass(frozen=True)
class Torso:
    """Half widths and heights of a torso: neck, shoulder, chest, waist, hem; slope of the shoulder, depth of the
    armhole, length, and how far the hem curves down in its middle.
    """

    neck: float = 0.19
    shoulder: float = 0.5
    chest: float = 0.53
    waist: float = 0.5
    hem: float = 0.53
    slope: float = 0.1
    armhole: float = 0.46
    length: float = 1.52
    hem_curve: float = 0.02

    @property
    def armpit(self) -> tuple[float, float]:
        return self.chest, self.slope + self.armhole

    def side(self) -> list[Point]:
        """Right side from armpit to hem."""
        low = self.slope + self.armhole
        middle = low + 0.45 * (self.length - low)
        return [(*self.armpit, "c"), (self.waist, middle), (self.hem, self.length, "c")]

    def shoulder_line(self, *, sleeveless: bool) -> list[Point]:
        """Right shoulder and armhole; without a sleeve the armhole is cut in."""
        cut = 0.045 if sleeveless else 0.035
        half = self.slope + 0.55 * self.armhole
        tip = self.shoulder - (0.1 if sleeveless else 0.075)  # a sleeve rounds the shoulder off
        near = min(self.shoulder - (0.1 if sleeveless else 0.02), self.chest) - cut
        return [
            (tip, self.slope * tip / self.shoulder, "c"),
            (near, half),
            (near + 0.3 * (self.chest - near), half + 0.3 * self.armhole),
        ]


FIT = {  # chest, waist and hem of each fit, relative; shoulder drop; how much the cloth falls in folds
    "slim fit": (0.9, 0.84, 0.88, 0.96, 0.8),
    "regular fit": (1.0, 0.98, 1.0, 1.0, 1.0),
    "oversized": (1.16, 1.2, 1.18, 1.14, 1.3),
}
LENGTH = {"cropped": 0.74, "": 1.0, "long": 1.2}


def torso(rng: np.random.Generator, fit: str, length: str = "", **changes: float) -> Torso:
    """A torso of a fit and a length, with the small differences between garments."""
    chest, waist, hem, shoulder, _ = FIT[fit]
    wide = rng.uniform(0.96, 1.05)
    base = Torso(
        neck=rng.uniform(0.17, 0.2),
        shoulder=0.5 * shoulder * wide,
        chest=0.53 * chest * wide,
        waist=0.51 * waist * wide,
        hem=0.53 * hem * wide * rng.uniform(0.97, 1.05),
        slope=rng.uniform(0.09, 0.13),
        armhole=0.45 * (0.5 + 0.5 * chest),
        length=1.52 * LENGTH[length] * rng.uniform(0.95, 1.06),
        hem_curve=rng.uniform(0.0, 0.035),
    )
    return Torso(**(base.__dict__ | changes))


def front_of(
    figure: Figure, body: Torso, front: np.ndarray, *, sleeveless: bool, options: dict | None = None
) -> np.ndarray:
    """Add the front of a torso; returns its outline."""
    right: list[Point] = [*body.shoulder_line(sleeveless=sleeveless), *body.side(), (0, body.length + body.hem_curve)]
    left: list[Point] = [(-p[0], *p[1:]) for p in reversed(right[:-1])]  # type: ignore[misc]
    half = curve([*right, *left])
    outline = np.concatenate([front, half])
    figure.add(outline, **({"puff": 0.07, "lift": 0.012} | (options or {})))
    return outline


def body_folds(rng: np.random.Generator, body: Torso, strength: float, *, sleeves: bool = True) -> tuple[Ridge, ...]:
    """Folds that pull from the armpits towards the chest and waist, and a few that hang from there."""
    ridges = []
    x, y = body.armpit
    for side in (-1, 1):
        for _ in range(int(rng.integers(2, 4)) if sleeves else 1):
            reach = rng.uniform(0.25, 0.55)
            tilt = rng.uniform(0.1, 1.0)
            start = np.array([side * (x - 0.03), y - rng.uniform(0.02, 0.16)])
            end = start + reach * np.array([-side * np.cos(tilt), np.sin(tilt)])
            middle = (start + end) / 2 + rng.normal(0, 0.02, 2)
            height = strength * rng.uniform(0.008, 0.018)
            ridges.append(Ridge(curve([tuple(start), tuple(middle), tuple(end)]), height, rng.uniform(0.014, 0.024)))
    for _ in range(int(rng.integers(2, 5))):
        start_x = rng.uniform(-0.75, 0.75) * body.waist
        top = rng.uniform(0.45, 0.75) * body.length
        tilt = rng.normal(0, 0.12)
        path = curve([(start_x, top), (start_x + tilt * 0.3, top + 0.25), (start_x + tilt, body.length)])
        ridges.append(Ridge(path, strength * rng.uniform(0.006, 0.014) * rng.choice([-1, 1]), rng.uniform(0.02, 0.035)))
    return tuple(ridges)


SLEEVE_LENGTH = {"short sleeves": 0.3, "three-quarter sleeves": 0.84, "long sleeves": 1.2, "cap sleeves": 0.1}


def sleeves(
    figure: Figure,
    body: Torso,
    word: str,
    rng: np.random.Generator,
    *,
    cuff: str = "hem",
    wide: float = 1.0,
    options: dict | None = None,
) -> None:
    """A pair of sleeves, drawn before the front.

    Args:
        figure, body: what they are added to.
        word: key of `SLEEVE_LENGTH`.
        rng: for angle and folds.
        cuff: "hem" (stitched), "rib" (knitted band), "buttoned" (shirt cuff), "raw" (nothing).
        wide: of the cuff, relative.
        options: further fields of the panels.
    """
    reach = SLEEVE_LENGTH[word] * rng.uniform(0.95, 1.05)
    short = word in ("short sleeves", "cap sleeves")
    angle = rng.uniform(38, 54) if short else rng.uniform(7, 19)
    shape = (0.21 if short else 0.14 if "three" in word else 0.112) * wide, reach, short, cuff
    for side in (1, -1):  # laid down by hand: the two never lie alike
        _sleeve(figure, body, shape, side, angle + rng.normal(0, 2.5), rng, options or {})


def _sleeve(
    figure: Figure,
    body: Torso,
    shape: tuple[float, float, bool, str],
    side: int,
    angle: float,
    rng: np.random.Generator,
    options: dict,
) -> None:
    """One sleeve, built on the right and mirrored if `side` is -1; `angle` in degrees from hanging."""
    half, reach, short, cuff = shape
    turn = np.deg2rad(angle)
    down, out = np.array([np.sin(turn), np.cos(turn)]), np.array([np.cos(turn), -np.sin(turn)])
    tip, pit = np.array([body.shoulder, body.slope]), np.array(body.armpit)
    along_shoulder = np.array([body.shoulder, body.slope]) / np.hypot(body.shoulder, body.slope)
    end = (tip + pit) / 2 + down * (reach + (0.06 if short else 0.12))
    outer, inner = end + out * half, end - out * half
    upper = tip + (outer - tip) * 0.45 + out * (0.03 if short else 0.05)
    lower = pit + (inner - pit) * 0.5 + out * 0.02
    start, near, cap = tip - 0.2 * along_shoulder, tip - 0.09 * along_shoulder, tip + 0.07 * down
    outline = curve(
        [
            (*start, "c"),
            (*near,),
            (*cap,),
            (*upper,),
            (*outer, "c"),
            (*inner, "c"),
            (*lower,),
            (*pit, "c"),
            (pit[0] - 0.14, pit[1] - 0.02, "c"),
        ],
        closed=True,
    )
    mirror = np.array([side, 1])
    edge = np.stack([outer, inner])
    marks: tuple[Line, ...] = ()
    if cuff == "hem":
        back = (edge - down * 0.05) * mirror
        marks = lines(back, weight=0.4) + lines(back + down * mirror * 0.012, style=STITCH, weight=0.5)
    folds = _sleeve_folds(rng, tip, pit, down, out, reach)
    figure.add(
        outline * mirror,
        turn=-angle * side,
        lines=marks,
        ridges=tuple(Ridge(ridge.points * mirror, ridge.height, ridge.width) for ridge in folds),
        **({"puff": 0.09, "cross": 0.2 if short else 0.55, "drape": 0.7} | options),
    )
    if cuff in ("rib", "buttoned"):
        _cuff(figure, edge, down, out, side, cuff)


def _sleeve_folds(
    rng: np.random.Generator, tip: np.ndarray, pit: np.ndarray, down: np.ndarray, out: np.ndarray, reach: float
) -> tuple[Ridge, ...]:
    """Folds that fan out from the armpit, and across the elbow of long sleeves."""
    ridges = []
    for _ in range(3):
        turn = rng.uniform(-0.5, 0.7)
        start = pit - out * rng.uniform(0.0, 0.05)
        way = down * np.cos(turn) + out * np.sin(turn)
        path = np.stack([start, start + way * reach * 0.3, start + way * reach * rng.uniform(0.5, 0.8)])
        ridges.append(Ridge(curve([tuple(p) for p in path]), rng.uniform(0.006, 0.014), 0.018))
    for _ in range(0 if reach < 0.7 else int(rng.integers(3, 6))):
        centre = (tip + pit) / 2 + down * reach * rng.uniform(0.3, 0.85) + out * rng.normal(0.03, 0.02)
        slant = rng.normal(0, 0.05)
        path = np.stack([centre - out * 0.11 - down * slant, centre + down * 0.02, centre + out * 0.11 + down * slant])
        ridges.append(Ridge(curve([tuple(p) for p in path]), rng.uniform(0.006, 0.012), 0.016))
    return tuple(ridges)


def _cuff(figure: Figure, edge: np.ndarray, down: np.ndarray, out: np.ndarray, side: int, cuff: str) -> None:
    deep, take = (0.1, 0.012) if cuff == "rib" else (0.12, -0.004)
    outer, inner = edge
    mirror, grain = np.array([side, 1]), -side * float(np.rad2deg(np.arctan2(down[0], down[1])))
    outline = curve(
        [
            (*(outer - down * 0.02), "c"),
            (*(outer + down * deep - out * take), "c"),
            (*(inner + down * deep + out * take), "c"),
            (*(inner - down * 0.02), "c"),
        ],
        closed=True,
    )
    if cuff == "rib":
        count = round(2 * float(np.linalg.norm(outer - inner)) / RIB_SPACING / 2)
        ribs = [(outer + (inner - outer) * t) for t in np.linspace(0.04, 0.96, count)]
        marks = lines(*(np.stack([p - down * 0.02, p + down * deep]) * mirror for p in ribs), style=RIB)
        figure.add(outline * mirror, TRIM, turn=grain, puff=0.05, crumple=0.2, drape=0.2, lines=marks)
        return
    inset = np.stack([outer + down * (deep - 0.014), inner + down * (deep - 0.014)]) * mirror
    figure.add(
        outline * mirror, turn=grain, puff=0.04, crumple=0.4, drape=0.3, lines=lines(inset, style=STITCH, weight=0.5)
    )
    spot = (inner + down * deep * 0.5 + out * 0.03) * mirror
    figure.button(float(spot[0]), float(spot[1]), 0.013)


def hem_band(figure: Figure, body: Torso, *, deep: float = 0.1, take: float = 0.93) -> None:
    """A ribbed band below the hem."""
    top = curve([(-body.hem, body.length - 0.01), (0, body.length + body.hem_curve), (body.hem, body.length - 0.01)])
    low = curve(
        [
            (-body.hem * take, body.length + deep),
            (0, body.length + body.hem_curve + deep),
            (body.hem * take, body.length + deep),
        ]
    )
    marks = lines(*ticks(top, RIB_SPACING, 0, deep * 1.2), style=RIB)
    figure.add(between(top, low), TRIM, puff=0.05, crumple=0.2, drape=0.2, lines=marks)


def stitched_hem(body: Torso, *, deep: float = 0.06) -> tuple[Line, ...]:
    """Lines of a sewn hem."""
    path = curve(
        [(-body.hem, body.length - deep), (0, body.length + body.hem_curve - deep), (body.hem, body.length - deep)]
    )
    return lines(path, weight=0.35) + lines(path + (0, 0.012), style=STITCH, weight=0.5)

"""Rough human strokes: test sketches as an unsteady, hasty or heavy hand draws them, and what becomes of them.

In: sketches (float [H, W], 1 = stroke) and masks. Out: variants of both, and the outline IoU of the designs drawn from
them. A variant of the sketch that moves lines moves the mask alike: the design is to follow the line that was drawn.
All but `thin` are other operations than those that training uses (`augment.rough_sketch`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from skimage.morphology import skeletonize

from train.starter.bench import Bench, Case, PartResult, Task, own_words, spread
from train.starter.figures import figure, iou, mask_on_ground
from train.starter.sheets import cell, paper, sheet

WOBBLE = 4.0  # pixels, standard deviation of a smooth displacement; strokes are 2 wide
WOBBLE_LENGTH = 18.0  # pixels, over which it changes
GAP = 22  # pixels: diameter of what `broken` rubs out; a closed outline bridges 9 (region.GAP)
BROKEN_SHARE = 0.3  # of the stroke pixels rubbed out, about
THICK = 9  # pixels added to a stroke's width

Rough = tuple[np.ndarray, np.ndarray]  # sketch, mask


def wobbly(sketch: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> Rough:
    """Every line displaced smoothly; the mask moves along."""
    noise = [cv2.GaussianBlur(rng.normal(size=sketch.shape).astype(np.float32), (0, 0), WOBBLE_LENGTH) for _ in "xy"]
    shift_x, shift_y = (WOBBLE * field / field.std() for field in noise)
    rows, columns = np.mgrid[: sketch.shape[0], : sketch.shape[1]].astype(np.float32)
    bend = (columns + shift_x, rows + shift_y)
    moved = cv2.remap(sketch.astype(np.float32), *bend, cv2.INTER_LINEAR, borderValue=0)
    region = cv2.remap(inside.astype(np.uint8), *bend, cv2.INTER_NEAREST, borderValue=0)
    return moved.clip(0, 1), region > 0


def broken(sketch: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> Rough:
    """Gaps all over the lines, most of them wider than the studio closes."""
    result = sketch.astype(np.float32).copy()
    strokes = np.argwhere(sketch > 0.5)
    for row, column in strokes[rng.permutation(len(strokes))]:
        if (result > 0.5).sum() <= (1 - BROKEN_SHARE) * len(strokes):
            break
        cv2.circle(result, (int(column), int(row)), GAP // 2, 0.0, -1)
    return result, inside


def thick(sketch: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> Rough:  # noqa: ARG001
    """As with a felt pen."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (THICK, THICK))
    return cv2.dilate(sketch.astype(np.float32), disc), inside


def thin(sketch: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> Rough:  # noqa: ARG001
    """Hairlines of one pixel."""
    return skeletonize(sketch > 0.5).astype(np.float32), inside


def one_sided(sketch: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> Rough:  # noqa: ARG001
    """Only the left half is drawn; the whole garment is still what should come out."""
    columns = np.flatnonzero(inside.any(axis=0))
    result = sketch.astype(np.float32).copy()
    result[:, (columns[0] + columns[-1]) // 2 :] = 0
    return result, inside


VARIANTS: dict[str, Callable[[np.ndarray, np.ndarray, np.random.Generator], Rough]] = {
    "wobbly": wobbly,
    "broken": broken,
    "thick": thick,
    "thin": thin,
    "one_sided": one_sided,
}


@dataclass(frozen=True, eq=False)
class Version:
    """One way of drawing a case's sketch, and the garment that should come out."""

    name: str
    task: Task
    inside: np.ndarray


def measure_rough(bench: Bench, count: int) -> PartResult:
    """Outline IoU of `count` sketches as extracted and in each variant, with the same words."""
    rows, cells = [], []
    cases = spread(bench.cases, count)
    versions = [_versions(case, number) for number, case in enumerate(cases)]
    designs = iter(bench.artist.draw([one.task for of_case in versions for one in of_case]))
    for case, of_case in zip(cases, versions, strict=True):
        row: dict[str, str | float] = {"name": case.name, "category": case.category, "prompt": case.caption}
        for one in of_case:
            design = next(designs)
            value = row[f"rough_iou_{one.name}"] = iou(mask_on_ground(design), one.inside)
            cells += [cell(paper(one.task.sketch), [one.name]), cell(design, [f"outline IoU {value:.3f}"])]
        rows.append(row)
    names = [name for name in rows[0] if name.startswith("rough_iou_")]
    return PartResult({name: figure([row[name] for row in rows]) for name in names}, rows, sheet(cells, columns=12))


def _versions(case: Case, number: int) -> list[Version]:
    rng = np.random.default_rng((17, number))
    versions = [Version("extracted", own_words(case), case.inside)]
    for name, vary in VARIANTS.items():
        sketch, inside = vary(case.sketch, case.inside, rng)
        versions.append(Version(name, replace(own_words(case), name=f"{case.name}-{name}", sketch=sketch), inside))
    return versions

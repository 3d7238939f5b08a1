"""A raster sketch as strokes: centre lines with a width, smooth enough to be edited in a drawing program.

In: float32 [H, W] in [0, 1], 1 = stroke. Out: `Stroke`s in pixels, x to the right and y down, pixel centres at .5.
Lines are thinned to skeletons (Zhang and Suen 1984) at twice the size, followed from end to end and through crossings,
and cleaned of the barbs that thinning leaves. Areas that are filled rather than drawn come out as `Area`s.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import cv2
import numpy as np
from skimage.morphology import skeletonize

SCALE = 2  # lines are followed at twice the size, for half pixels
INK = 0.35  # a pixel darker than this belongs to a line: lines of one soft pixel still hold together
WIDE = 9.0  # pixels; what is wider is an area and no line
STRAIGHT = np.cos(np.radians(50))  # a line goes on through a crossing where it turns by less than this
REACH = 4  # steps along a line by which its direction at the end is measured
CENTRE = 2.0  # pixels of the larger picture: width of the window in which a line's middle is sought
NUM_MOVES = 4
SMOOTHING = 4  # points on either side that are averaged, by binomial weights
SHORTEST = 2.0  # pixels; shorter strokes are specks
NEIGHBOURS = ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))

Pixel = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Stroke:
    """A line: points [N, 2] (x, y) half a pixel apart, its width in pixels, how dark it is (0..1) and whether its
    end is its start."""

    points: np.ndarray
    width: float
    ink: float
    closed: bool


@dataclass(frozen=True, eq=False)
class Area:
    """A filled outline: points [N, 2] (x, y) half a pixel apart; the last leads to the first."""

    points: np.ndarray


def trace(sketch: np.ndarray) -> tuple[tuple[Stroke, ...], tuple[Area, ...]]:
    """Strokes and areas of a sketch; both empty for white paper."""
    size = (sketch.shape[1] * SCALE, sketch.shape[0] * SCALE)
    soft = cv2.resize(sketch.astype(np.float32), size, interpolation=cv2.INTER_CUBIC).clip(0, 1)
    ink = (soft > INK).astype(np.uint8)
    areas = _areas(ink)
    if areas.any():
        ink = ink & ~cv2.dilate(areas, np.ones((3, 3), np.uint8))
    reach = cv2.distanceTransform(np.pad(ink, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    paths = _joined(_without_barbs(_paths(skeletonize(ink > 0)), reach))
    shifts = _shifts(soft)
    strokes = [_stroke(path, reach, soft, shifts) for path in paths]
    outlines, _ = cv2.findContours(areas, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return (
        tuple(stroke for stroke in strokes if _length(stroke.points) + stroke.width >= SHORTEST),
        tuple(Area(_smooth(_pixels(outline[:, 0]), closed=False)) for outline in outlines if len(outline) > 2),
    )


def _areas(ink: np.ndarray) -> np.ndarray:
    """Where ink is wider than a line can be: opened with a disc of that width."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (round(WIDE * SCALE),) * 2)
    return cv2.morphologyEx(ink, cv2.MORPH_OPEN, disc)


def _paths(skeleton: np.ndarray) -> list[list[Pixel]]:
    """Chains of skeleton pixels between ends and crossings, and closed loops (first pixel repeated)."""
    pixels = {(int(y), int(x)) for y, x in zip(*np.nonzero(skeleton), strict=True)}
    links = {pixel: _links(pixel, pixels) for pixel in pixels}
    nodes = {pixel for pixel, near in links.items() if len(near) != 2}
    used: set[frozenset[Pixel]] = set()
    paths = []
    for start in [*sorted(nodes), *sorted(pixels - nodes)]:  # loops without a node come last, from wherever they start
        for second in links[start]:
            if frozenset((start, second)) in used:
                continue
            path = [start, second]
            used.add(frozenset((start, second)))
            while path[-1] not in nodes and path[-1] != start:
                following = next(p for p in links[path[-1]] if p != path[-2])
                used.add(frozenset((path[-1], following)))
                path.append(following)
            paths.append(path)
    return paths


def _links(pixel: Pixel, pixels: set[Pixel]) -> list[Pixel]:
    """Neighbours in the skeleton; a diagonal that a straight neighbour leads to as well is none."""
    y, x = pixel
    straight = [(y + dy, x + dx) for dy, dx in NEIGHBOURS[:4] if (y + dy, x + dx) in pixels]
    diagonal = [
        (y + dy, x + dx)
        for dy, dx in NEIGHBOURS[4:]
        if (y + dy, x + dx) in pixels and (y + dy, x) not in pixels and (y, x + dx) not in pixels
    ]
    return straight + diagonal


def _without_barbs(paths: list[list[Pixel]], reach: np.ndarray) -> list[list[Pixel]]:
    """Drop chains that end freely within the ink of the crossing they leave: thinning made them, not the pen."""
    degree = _degrees(paths)
    kept = []
    for path in paths:
        free = [end for end in (path[0], path[-1]) if degree[end] == 1]
        crossing = path[-1] if free and free[0] == path[0] else path[0]
        barb = len(free) == 1 and degree[crossing] > 2 and len(path) <= reach[crossing] * 1.6 + 1
        if not barb:
            kept.append(path)
    return kept


def _degrees(paths: list[list[Pixel]]) -> dict[Pixel, int]:
    degree: dict[Pixel, int] = {}
    for path in paths:
        for end in (path[0], path[-1]):
            degree[end] = degree.get(end, 0) + 1
    return degree


def _joined(paths: list[list[Pixel]]) -> list[list[Pixel]]:
    """Chains that go straight on through a crossing become one, the straightest pairs first."""
    ends: dict[Pixel, list[int]] = {}
    for number, path in enumerate(paths):
        if path[0] != path[-1]:
            for end in (path[0], path[-1]):
                ends.setdefault(end, []).append(number)
    pairs = []
    for node, near in ends.items():
        outward = {number: _direction(paths[number], node) for number in near}
        for place, one in enumerate(near):
            for other in near[place + 1 :]:
                straightness = -float(outward[one] @ outward[other])
                if one != other and (straightness > STRAIGHT or len(near) == 2):
                    pairs.append((straightness, node, one, other))
    owner = {number: number for number in range(len(paths))}
    chains = dict(enumerate(paths))
    taken: set[tuple[Pixel, int]] = set()
    for _, node, one, other in sorted(pairs, reverse=True):
        if (node, one) in taken or (node, other) in taken:
            continue
        taken |= {(node, one), (node, other)}
        first, second = owner[one], owner[other]
        if first == second:
            continue  # the two ends of one chain: a loop, closed already by sharing the pixel
        chains[first] = _linked(chains[first], chains.pop(second), node)
        owner = {number: first if group == second else group for number, group in owner.items()}
    return list(chains.values())


def _linked(first: list[Pixel], second: list[Pixel], node: Pixel) -> list[Pixel]:
    head = first if first[-1] == node else first[::-1]
    tail = second if second[0] == node else second[::-1]
    return head + tail[1:]


def _direction(path: list[Pixel], node: Pixel) -> np.ndarray:
    """Unit vector from the node along the path."""
    ahead = path[: REACH + 1] if path[0] == node else path[::-1][: REACH + 1]
    vector = np.subtract(ahead[-1], ahead[0]).astype(float)
    return vector / max(float(np.linalg.norm(vector)), 1e-9)


def _stroke(path: list[Pixel], reach: np.ndarray, soft: np.ndarray, shifts: list[np.ndarray]) -> Stroke:
    rows = np.array(path)
    # Half a pixel less: distances are measured to the middle of the first white pixel.
    width = (2 * float(np.median(reach[rows[:, 0], rows[:, 1]])) - 1) / SCALE
    closed = len(path) > 3 and path[0] == path[-1]
    points = _smooth(_pixels(_centred(rows[:, ::-1], shifts)), closed=closed)
    return Stroke(points, max(0.5, width), float(np.median(soft[rows[:, 0], rows[:, 1]])), closed)


def _shifts(soft: np.ndarray) -> list[np.ndarray]:
    """From each pixel to the middle of the ink around it, [H, W] in x and in y."""
    weight = cv2.GaussianBlur(soft, (0, 0), CENTRE) + 1e-6
    ys, xs = np.mgrid[: soft.shape[0], : soft.shape[1]].astype(np.float32)
    return [cv2.GaussianBlur(soft * axis, (0, 0), CENTRE) / weight - axis for axis in (xs, ys)]


def _centred(points: np.ndarray, shifts: list[np.ndarray]) -> np.ndarray:
    """Points (x, y) moved, by at most a pixel, to the middle of the soft ink around them: a skeleton has stairs."""
    moved = points.astype(np.float32)
    for _ in range(NUM_MOVES):
        moved += np.stack([cv2.remap(s, moved[:, :1], moved[:, 1:], cv2.INTER_LINEAR)[:, 0] for s in shifts], axis=1)
    return points + (moved - points).clip(-1, 1)


def _pixels(points: np.ndarray) -> np.ndarray:
    """(x, y) of the larger picture -> pixels of the sketch, where the middle of the first pixel is at .5."""
    return (points.astype(np.float64) + 0.5) / SCALE


def _smooth(points: np.ndarray, *, closed: bool) -> np.ndarray:
    """The stairs of the skeleton averaged out, ends kept."""
    if len(points) < 2 * SMOOTHING:
        return points
    ring = points[:-1] if closed else points
    if closed:
        padded = np.pad(ring, ((SMOOTHING, SMOOTHING), (0, 0)), mode="wrap")
    else:
        padded = np.pad(ring, ((SMOOTHING, SMOOTHING), (0, 0)), mode="reflect", reflect_type="odd")
    weights = np.array([comb(2 * SMOOTHING, k) for k in range(2 * SMOOTHING + 1)]) / 4**SMOOTHING
    even = np.stack([np.convolve(padded[:, axis], weights, mode="valid") for axis in (0, 1)], axis=1)
    return np.concatenate([even, even[:1]]) if closed else even


def _length(points: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())

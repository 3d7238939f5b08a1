"""Points along a drawn line -> few cubic Bezier curves that stay near them (Schneider, Graphics Gems, 1990).

In: float [N, 2] points, densely along the line. Out: float [M, 4, 2] curves, each starting where the last one ends;
corners of the line are ends of curves, elsewhere the curves meet with one direction.
"""

from __future__ import annotations

import numpy as np

TOLERANCE = 0.5  # pixels by which a curve may leave the points
CORNER = np.cos(np.radians(42))  # a point where the line turns by more, measured over `ARM`, is a corner
ARM = 7  # points on either side by which a turn is measured: 3.5 pixels, longer than the stairs of a skeleton
NUM_ROUNDS = 4  # of moving the points along the curve before it is split


def fit_curves(points: np.ndarray, *, closed: bool) -> np.ndarray:
    """Curves through all of a line; a closed one starts at a corner if it has one."""
    if len(points) < 3:
        return np.stack([_straight(points[0], points[-1])])
    if closed:
        ring = points[:-1] if np.array_equal(points[0], points[-1]) else points
        first = int(np.argmin(_turns(ring, closed=True)))
        points = np.concatenate([np.roll(ring, -first, axis=0), ring[first : first + 1]])
    ends = [0, *_corners(points), len(points) - 1]
    smooth_seam = closed and _turns(points[:-1], closed=True)[0] >= CORNER
    seam = _unit(points[1] - points[-2]) if smooth_seam else None
    curves: list[np.ndarray] = []
    for start, end in zip(ends[:-1], ends[1:], strict=True):
        piece = points[start : end + 1]
        into = seam if seam is not None and start == 0 else _lead(piece)
        out = -seam if seam is not None and end == len(points) - 1 else _lead(piece[::-1])
        curves += _fit(piece, into, out)
    return np.stack(curves)


def _turns(points: np.ndarray, *, closed: bool) -> np.ndarray:
    """Cosine of the turn at each point [N], 1 = straight on; 1 at the ends of an open line."""
    arm = min(ARM, (len(points) - 1) // 2)
    if closed:
        before, after = np.roll(points, arm, axis=0), np.roll(points, -arm, axis=0)
        return (_unit(points - before) * _unit(after - points)).sum(axis=1)
    turns = np.ones(len(points))
    middle = points[arm : len(points) - arm]
    into, out = middle - points[: len(middle)], points[2 * arm :] - middle
    turns[arm : len(points) - arm] = (_unit(into) * _unit(out)).sum(axis=1)
    return turns


def _corners(points: np.ndarray) -> list[int]:
    """Inner points that turn most within an arm's length."""
    turns = _turns(points, closed=False)
    sharp = [int(n) for n in np.flatnonzero(turns < CORNER)]
    return [n for n in sharp if turns[n] == turns[max(0, n - ARM) : n + ARM + 1].min() and 2 < n < len(points) - 3]


def _fit(points: np.ndarray, into: np.ndarray, out: np.ndarray) -> list[np.ndarray]:
    """Curves over a piece without corners; `into` and `out` point from its ends along it."""
    if len(points) <= 3:
        return [_straight(points[0], points[-1])]
    steps = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    places = steps / max(steps[-1], 1e-9)
    for _ in range(NUM_ROUNDS):
        curve = _least_squares(points, places, into, out)
        errors = np.linalg.norm(_at(curve, places) - points, axis=1)
        worst = int(np.argmax(errors))
        if errors[worst] <= TOLERANCE:
            return [curve]
        places = _moved(curve, points, places)
    worst = min(max(worst, 2), len(points) - 3) if len(points) > 5 else len(points) // 2
    across = _unit(points[max(0, worst - 3)] - points[min(len(points) - 1, worst + 3)])
    return _fit(points[: worst + 1], into, across) + _fit(points[worst:], -across, out)


def _least_squares(points: np.ndarray, places: np.ndarray, into: np.ndarray, out: np.ndarray) -> np.ndarray:
    """The curve [4, 2] whose arms lie along `into` and `out` and whose lengths fit best."""
    weights = _weights(places)
    first, second = weights[:, 1:2] * into, weights[:, 2:3] * out
    rest = points - (weights[:, :2].sum(1)[:, None] * points[0] + weights[:, 2:].sum(1)[:, None] * points[-1])
    gram = np.array(
        [[(first * first).sum(), (first * second).sum()], [(first * second).sum(), (second * second).sum()]]
    )
    target = np.array([(first * rest).sum(), (second * rest).sum()])
    chord = float(np.linalg.norm(points[-1] - points[0]))
    arms = np.full(2, chord / 3)
    if abs(np.linalg.det(gram)) > 1e-9:
        found = np.linalg.solve(gram, target)
        if (found > 1e-3 * chord).all() and (found < 3 * chord + 1).all():
            arms = found
    return np.stack([points[0], points[0] + arms[0] * into, points[-1] + arms[1] * out, points[-1]])


def _moved(curve: np.ndarray, points: np.ndarray, places: np.ndarray) -> np.ndarray:
    """One step of Newton towards the places of the curve that are nearest to the points."""
    speed, change = 3 * np.diff(curve, axis=0), 6 * np.diff(curve, n=2, axis=0)
    rest = _at(curve, places) - points
    u, v = places[:, None], 1 - places[:, None]
    along = v**2 * speed[0] + 2 * u * v * speed[1] + u**2 * speed[2]
    bend = v * change[0] + u * change[1]
    slope = (along * along).sum(1) + (rest * bend).sum(1)
    step = (rest * along).sum(1) / np.where(np.abs(slope) < 1e-9, np.inf, slope)
    return np.maximum.accumulate(np.clip(places - step, 0, 1))


def _weights(places: np.ndarray) -> np.ndarray:
    """Bernstein's polynomials [N, 4]."""
    u, v = places, 1 - places
    return np.stack([v**3, 3 * u * v**2, 3 * u**2 * v, u**3], axis=1)


def _at(curve: np.ndarray, places: np.ndarray) -> np.ndarray:
    return _weights(places) @ curve


def _lead(points: np.ndarray) -> np.ndarray:
    """Direction in which a piece leaves its first point."""
    return _unit(points[min(len(points) - 1, 4)] - points[0])


def _straight(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    return np.stack([start, start + (end - start) / 3, start + (end - start) * 2 / 3, end])


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)

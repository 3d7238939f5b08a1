"""Curves of garments: smooth outlines with corners, their mirror images, strips along paths.

In: points in free units, y down. Out: float [N, 2] polylines. Knows nothing of garments or pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Point = tuple[float, float] | tuple[float, float, str]  # a third element "c" marks a sharp corner


def curve(points: Sequence[Point], *, closed: bool = False, steps: int = 14) -> np.ndarray:
    """Catmull-Rom curve through the points [N, 2]; straight up to and away from those marked "c"."""
    xy = np.array([p[:2] for p in points], float)
    sharp = [len(p) == 3 for p in points]
    count = len(points)
    pieces = []
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    for i in range(count if closed else count - 1):
        j = (i + 1) % count
        start, end = xy[i], xy[j]
        before = start if sharp[i] or (not closed and i == 0) else xy[i - 1]
        after = end if sharp[j] or (not closed and j == count - 1) else xy[(j + 1) % count]
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


def mirrored(half: Sequence[Point]) -> np.ndarray:
    """Closed curve from its right half, given from top to bottom; points on the axis (x = 0) are not doubled."""
    left = [(-p[0], *p[1:]) for p in reversed(half) if abs(p[0]) > 1e-9]
    return curve([*half, *left], closed=True)


def flipped(line: np.ndarray) -> np.ndarray:
    """Mirror image about x = 0."""
    return line * (-1, 1)


def both(*lines: np.ndarray) -> list[np.ndarray]:
    """Lines and their mirror images."""
    return [image for line in lines for image in (line, flipped(line))]


def ellipse(x: float, y: float, rx: float, ry: float, *, turn: float = 0.0, count: int = 40) -> np.ndarray:
    """Closed ellipse [count, 2], turned by `turn` degrees."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return turned(np.stack([rx * np.cos(angle), ry * np.sin(angle)], axis=1), turn) + (x, y)


def arc(x: float, y: float, rx: float, ry: float, start: float, end: float) -> np.ndarray:
    """Part of an ellipse [32, 2], from `start` to `end` degrees; 0 points right, 90 down."""
    angle = np.deg2rad(np.linspace(start, end, 32))
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def box(left: float, top: float, right: float, bottom: float, *, round_by: float = 0.0) -> np.ndarray:
    """Closed rectangle, corners cut by curves of `round_by`."""
    if round_by <= 0:
        return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], float)
    r = round_by
    corners = (
        (right - r, top + r, -90),
        (right - r, bottom - r, 0),
        (left + r, bottom - r, 90),
        (left + r, top + r, 180),
    )
    return np.concatenate([arc(x, y, r, r, start, start + 90)[::4] for x, y, start in corners])


def turned(points: np.ndarray, degrees: float, about: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """Points turned clockwise (y is down)."""
    angle = np.deg2rad(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    return (points - about) @ np.array([[cos, sin], [-sin, cos]]) + about


def normals(path: np.ndarray) -> np.ndarray:
    """Unit normals [N, 2] of a path."""
    step = np.gradient(path, axis=0)
    return np.stack([-step[:, 1], step[:, 0]], axis=1) / (np.linalg.norm(step, axis=1, keepdims=True) + 1e-9)


def beside(path: np.ndarray, distance: float | np.ndarray) -> np.ndarray:
    """The path moved along its normals."""
    return path + normals(path) * np.broadcast_to(np.asarray(distance, float), (len(path),))[:, None]


def band(path: np.ndarray, width: float | np.ndarray) -> np.ndarray:
    """Closed outline of a strip of `width` along a path [N, 2]."""
    half = np.asarray(width) / 2
    return np.concatenate([beside(path, half), beside(path, -half)[::-1]])


def between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Closed outline of the strip between two paths that run the same way."""
    return np.concatenate([first, second[::-1]])


def length_of(path: np.ndarray) -> float:
    """Length of a path."""
    return float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())


def along(path: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """Points [M, 2] of a path at given distances from its start."""
    walked = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    return np.stack([np.interp(distances, walked, path[:, axis]) for axis in (0, 1)], axis=1)


def evenly(path: np.ndarray, count: int) -> np.ndarray:
    """`count` points [count, 2] spread evenly over a path, ends included."""
    return along(path, np.linspace(0, length_of(path), count))


def ticks(path: np.ndarray, spacing: float, first: float, second: float) -> list[np.ndarray]:
    """Short strokes across a path every `spacing`, from `first` to `second` along the normal: ribs of a band."""
    count = max(2, round(length_of(path) / spacing))
    places = evenly(path, count)
    across = normals(places)
    return [np.stack([p + n * first, p + n * second]) for p, n in zip(places, across, strict=True)]

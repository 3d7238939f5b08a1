"""A figure as it lies on the ground: bent a little as by hand, scaled and set into the frame.

In: `Figure` in free units. Out: `Figure` in pixels of the enlarged picture. Knows nothing of colours.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fashiondistill.config import IMAGE_HEIGHT, IMAGE_WIDTH
from fashiondistill.data.vector import figure as fig
from fashiondistill.data.vector.figure import Figure, Ridge

SCALE = 2  # pictures are drawn at twice the size and reduced, which smooths every edge
FILL = 0.88  # share of the frame that the garment takes along its tighter side, as `placing.FILL` of photos


def place(figure: Figure) -> tuple[Figure, float]:
    """Scale and centre a figure into the enlarged frame; the zoom is pixels per unit."""
    points = np.concatenate([panel.outline for panel in figure.panels if panel.role != fig.HOLE])
    low, high = points.min(axis=0), points.max(axis=0)
    frame = np.array([IMAGE_WIDTH, IMAGE_HEIGHT]) * SCALE
    zoom = float(FILL * (frame / (high - low)).min())
    shift = frame / 2 - zoom * (low + high) / 2
    panels = [panel.moved(lambda points: points * zoom + shift) for panel in figure.panels]
    anchor = np.array(figure.anchor) * zoom + shift
    return Figure(panels, (float(anchor[0]), float(anchor[1])), figure.print_size * zoom), zoom


def laid_down(figure: Figure, rng: np.random.Generator) -> Figure:
    """The figure as it lies: turned a little, stretched and bent by a smooth field, edges not quite straight."""
    points = np.concatenate([panel.outline for panel in figure.panels])
    middle, size = points.mean(axis=0), float(np.ptp(points, axis=0).max())
    angle = np.deg2rad(rng.normal(0, 1.6))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    waves = [
        (rng.normal(0, 1, 2), rng.uniform(0, 2 * np.pi, 2), scale, share)
        for scale, share in ((2.5, 0.007), (5.0, 0.0035), (14.0, 0.0011), (22.0, 0.0007))
    ]

    def bend(path: np.ndarray) -> np.ndarray:
        local = (path - middle) / size
        moved = path - middle
        for way, phase, scale, share in waves:
            wave = np.sin(scale * (local @ (way / np.hypot(*way)))[:, None] + phase)
            cross = np.sin(scale * (local @ (np.array([-way[1], way[0]]) / np.hypot(*way)))[:, None] + phase[::-1])
            moved = moved + share * size * (wave + cross)
        return moved @ turn + middle

    def lay(path: np.ndarray) -> np.ndarray:
        return bend(_dense(path, 0.012 * size))

    panels = [
        replace(
            panel.moved(lay),
            outline=bend(_dense(panel.outline, 0.012 * size, closed=True)),
            ridges=tuple(Ridge(bend(ridge.points), ridge.height, ridge.width) for ridge in panel.ridges),
        )
        for panel in figure.panels
    ]
    return Figure(panels, figure.anchor, figure.print_size)


def _dense(path: np.ndarray, spacing: float, *, closed: bool = False) -> np.ndarray:
    """The path with points at most `spacing` apart; its corners stay."""
    ends = np.roll(path, -1, axis=0) if closed else path[1:]
    starts = path if closed else path[:-1]
    counts = np.maximum(1, np.ceil(np.linalg.norm(ends - starts, axis=1) / spacing)).astype(int)
    if counts.max(initial=1) == 1:
        return path
    share = np.concatenate([np.arange(count) / count for count in counts])[:, None]
    dense = np.repeat(starts, counts, axis=0) * (1 - share) + np.repeat(ends, counts, axis=0) * share
    return dense if closed else np.concatenate([dense, path[-1:]])

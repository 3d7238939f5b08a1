"""Picture sheets: what was measured, beside its figure, so that a person can check the figure.

In: uint8 pictures [512, 384, 3], masks or sketches, and short lines of text. Out: one uint8 picture.
"""

from __future__ import annotations

import cv2
import numpy as np

from fashiondistill.images import tile

CELL_WIDTH, CELL_HEIGHT = 192, 256
LINE_HEIGHT, FONT_SCALE = 15, 0.37
GREEN, RED, GREY = (40, 150, 60), (205, 50, 45), (90, 90, 90)


def cell(picture: np.ndarray, lines: list[str], *, right: bool | None = None) -> np.ndarray:
    """A picture at half its size with lines of text beneath it, in green or red where it was right or wrong."""
    small = cv2.resize(picture, (CELL_WIDTH, CELL_HEIGHT), interpolation=cv2.INTER_AREA)
    strip = np.full((LINE_HEIGHT * len(lines) + 4, CELL_WIDTH, 3), 255, np.uint8)
    colour = GREY if right is None else GREEN if right else RED
    for number, line in enumerate(lines):
        (width, _), _ = cv2.getTextSize(line, cv2.FONT_HERSHEY_SIMPLEX, FONT_SCALE, 1)
        scale = FONT_SCALE * min(1.0, (CELL_WIDTH - 6) / max(width, 1))  # a long line becomes small, not short
        place = (3, LINE_HEIGHT * (number + 1) - 2)
        cv2.putText(strip, line, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)
    return np.concatenate([small, strip])


def sheet(cells: list[np.ndarray], *, columns: int) -> np.ndarray:
    """Equal cells in rows, with white between them."""
    return tile([np.pad(one, ((3, 3), (3, 3), (0, 0)), constant_values=255) for one in cells], columns=columns)


def paper(sketch: np.ndarray) -> np.ndarray:
    """Float strokes [H, W] as dark lines on white, uint8 [H, W, 3]."""
    return np.repeat(np.round(255 - sketch * 255).astype(np.uint8)[..., None], 3, axis=2)


def marked(picture: np.ndarray, strokes: np.ndarray, found: np.ndarray) -> np.ndarray:
    """The picture paled, strokes that were found in green and the others in red; both bool [H, W]."""
    pale = (picture * 0.5 + 127).astype(np.uint8)
    pale[cv2.dilate((strokes & ~found).astype(np.uint8), np.ones((2, 2), np.uint8)) > 0] = RED
    pale[cv2.dilate((strokes & found).astype(np.uint8), np.ones((2, 2), np.uint8)) > 0] = GREEN
    return pale


def outlined(picture: np.ndarray, region: np.ndarray) -> np.ndarray:
    """The picture with the border of a bool region [H, W] in red."""
    border = cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    result = picture.copy()
    result[border] = RED
    return result

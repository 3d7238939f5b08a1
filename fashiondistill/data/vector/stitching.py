"""Seams, thread and ribs while a figure is painted: what of them is seen, what a sketch shows, how they look in light.

In: panels in painting order, each in its own frame. Out: `ink` for the sketch, and darker and lighter lines laid on the
picture. A panel hides the lines below it. Knows nothing of cloth.
"""

from __future__ import annotations

import cv2
import numpy as np

from fashiondistill.data.vector import figure as fig
from fashiondistill.data.vector.figure import Panel

SUBPIXEL_BITS = 4
GROOVE, SOFT, THREAD, RIB, CREASE, INK = range(6)
# Style -> (layer, width in pixels of the enlarged picture)
DRAWN_AS = {
    fig.SEAM: (GROOVE, 2),
    fig.EDGE: (GROOVE, 3),
    fig.FOLD: (SOFT, 3),
    fig.RIB: (RIB, 2),
    fig.CREASE: (CREASE, 2),
}
INK_WIDTH = 3  # thinner than the outline, as in the sketches made of photos
DASH, GAP = 5.0, 4.0


class Stitching:
    """Layers of lines over the enlarged picture, uint8 [H, W] each."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.layers = np.zeros((6, *shape), np.uint8)

    @property
    def ink(self) -> np.ndarray:
        """uint8 [H, W]: seams and edges of panels that a sketch shows."""
        return self.layers[INK]

    def add(self, panel: Panel, frame: tuple[slice, slice], alpha: np.ndarray) -> None:
        """Hide what lies under the panel, then draw its lines inside it and its outline.

        `panel` is in pixels of `alpha`, whose place in the picture is `frame`.
        """
        layers = self.layers[(slice(None), *frame)]
        layers[:, alpha > 127] = 0
        if panel.role != fig.HOLE:
            for layer in {DRAWN_AS[line.style][0] for line in panel.lines if line.style != fig.STITCH}:
                self._draw(
                    layers[layer], [ln for ln in panel.lines if DRAWN_AS.get(ln.style, (-1,))[0] == layer], alpha
                )
            self._sew(layers[THREAD], panel, alpha)
            inked = [line for line in panel.lines if line.style in fig.SKETCHED]
            self._draw(layers[INK], inked, alpha, width=INK_WIDTH)
        paths = [_fixed(path) for path in ((panel.outline,) if panel.edges is None else panel.edges)]
        cv2.polylines(layers[INK], paths, panel.edges is None, 255, INK_WIDTH, cv2.LINE_AA, SUBPIXEL_BITS)

    def _draw(self, layer: np.ndarray, lines: list[fig.Line], alpha: np.ndarray, *, width: int = 0) -> None:
        if not lines:
            return
        canvas = np.zeros_like(alpha)
        for line in lines:
            own = width or DRAWN_AS[line.style][1]
            value = 255 if width else round(255 * line.weight)
            cv2.polylines(canvas, [_fixed(line.points)], False, value, own, cv2.LINE_AA, SUBPIXEL_BITS)
        np.maximum(layer, np.minimum(canvas, alpha), out=layer)

    def _sew(self, layer: np.ndarray, panel: Panel, alpha: np.ndarray) -> None:
        """Dashes of thread."""
        threads = [line for line in panel.lines if line.style == fig.STITCH]
        if not threads:
            return
        canvas = np.zeros_like(alpha)
        for line in threads:
            for dash in _dashes(line.points):
                cv2.polylines(canvas, [_fixed(dash)], False, round(255 * line.weight), 2, cv2.LINE_AA, SUBPIXEL_BITS)
        np.maximum(layer, np.minimum(canvas, alpha), out=layer)

    def apply(self, image: np.ndarray, whole: np.ndarray, cloth: tuple[float, float, float]) -> None:
        """Lay the lines on the picture, float32 [H, W, 3], in place."""
        rows, columns = np.flatnonzero(whole.any(1)), np.flatnonzero(whole.any(0))
        frame = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        part, solid = image[frame], whole[frame] > 127
        layers = self.layers[(slice(None), *frame)]
        bright, unit = float(np.mean(cloth)), np.float32(1 / 255)
        dark, light = np.zeros(solid.shape, np.float32), np.zeros(solid.shape, np.float32)
        if layers[GROOVE].any():
            groove = layers[GROOVE]
            dark += 0.42 * unit * cv2.GaussianBlur(groove, (0, 0), 0.9) + 0.5 * unit * cv2.GaussianBlur(
                groove, (0, 0), 3.5
            )
            light += unit * _shifted(cv2.GaussianBlur(groove, (0, 0), 1.2), 2.5)
        if layers[SOFT].any():
            dark += 0.9 * unit * cv2.GaussianBlur(layers[SOFT], (0, 0), 4)
        if layers[RIB].any():
            dark += 0.3 * unit * cv2.GaussianBlur(layers[RIB], (0, 0), 0.8)
            light += 0.6 * unit * _shifted(layers[RIB], 2.5)
        if layers[CREASE].any():
            light += 0.8 * unit * cv2.GaussianBlur(layers[CREASE], (0, 0), 1)
            dark += 0.5 * unit * _shifted(cv2.GaussianBlur(layers[CREASE], (0, 0), 2), 3)
        dark, light = np.minimum(dark, 0.75) * solid, light * solid
        part *= (1 - dark)[..., None]
        part += ((0.10 * min(bright, 150) + 9) * light)[..., None]
        if layers[THREAD].any():
            rows, columns = np.nonzero((layers[THREAD] > 8) & solid)
            weight = (0.8 * unit * layers[THREAD][rows, columns].astype(np.float32))[:, None]
            part[rows, columns] += weight * (np.array(thread_colour(cloth), np.float32) - part[rows, columns])


def thread_colour(cloth: tuple[float, float, float]) -> tuple[float, float, float]:
    """Ochre on blue cloth, as jeans are sewn; else a little lighter or darker than the cloth."""
    red, green, blue = cloth
    if blue > red + 18 and green > red and np.mean(cloth) < 150:
        return (198.0, 150.0, 92.0)
    return tuple(0.78 * c for c in cloth) if np.mean(cloth) > 120 else tuple(c + 46 for c in cloth)


def _shifted(layer: np.ndarray, pixels: float) -> np.ndarray:
    shift = np.float32([[1, 0, 0.6 * pixels], [0, 1, pixels]])
    return cv2.warpAffine(layer, shift, layer.shape[::-1])


def _dashes(path: np.ndarray) -> list[np.ndarray]:
    walked = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    starts = np.arange(0, walked[-1], DASH + GAP)
    x = np.interp(np.stack([starts, starts + DASH], axis=1), walked, path[:, 0])
    y = np.interp(np.stack([starts, starts + DASH], axis=1), walked, path[:, 1])
    return list(np.stack([x, y], axis=2))


def _fixed(points: np.ndarray) -> np.ndarray:
    return (points * 2**SUBPIXEL_BITS).round().astype(np.int32)

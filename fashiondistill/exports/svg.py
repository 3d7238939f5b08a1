"""A sketch as SVG: smooth vector strokes that Illustrator, Inkscape and a browser open.

In: float32 [512, 384] in [0, 1], 1 = stroke. Out: SVG 1.1 text in pixels of the sketch; one path a stroke, round ends,
with its own width.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

import numpy as np

from fashiondistill.exports.curves import fit_curves
from fashiondistill.exports.strokes import trace

SOLID = 0.95  # ink from which a line is simply black


def sketch_svg(sketch: np.ndarray, *, title: str = "") -> str:
    """The whole file; `title` is what a program shows as its name."""
    height, width = sketch.shape
    strokes, areas = trace(sketch)
    lines = [
        f'<path d="{bezier_path(one.points, closed=one.closed)}" stroke-width="{one.width:.2f}"'
        + ("/>" if one.ink > SOLID else f' stroke-opacity="{one.ink:.2f}"/>')
        for one in strokes
    ]
    filled = [f'<path d="{bezier_path(one.points, closed=True)}"/>' for one in areas]
    name = f"<title>{escape(_printable(title))}</title>" if title else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{name}\n'
        '<g id="strokes" fill="none" stroke="#000000" stroke-linecap="round" stroke-linejoin="round">\n'
        + "\n".join(lines)
        + '\n</g>\n<g id="areas" fill="#000000" stroke="none">\n'
        + "\n".join(filled)
        + "\n</g>\n</svg>\n"
    )


def bezier_path(points: np.ndarray, *, closed: bool) -> str:
    """Points [N, 2] densely along a line -> the "d" of an SVG path near all of them."""
    if len(points) == 1:
        return f"M{_at(points[0])}l0.01 0"  # a dot: round ends draw it
    curves = fit_curves(points, closed=closed)
    pieces = [f"C{_at(first)} {_at(second)} {_at(end)}" for _, first, second, end in curves]
    return f"M{_at(curves[0, 0])}" + "".join(pieces) + ("Z" if closed else "")


def _at(point: np.ndarray) -> str:
    return f"{point[0]:.2f} {point[1]:.2f}"


def _printable(text: str) -> str:
    """Without the control characters that XML forbids."""
    return "".join(letter if letter.isprintable() else " " for letter in text)

"""The sketch canvas's value, a PNG data URL of dark strokes on white, to the sketch array and back.

In: the text that `components.SketchCanvas` holds. Out: float32 [512, 384] in [0, 1], 1 = stroke. Treats the text as
hostile: it comes from a browser, or from anybody who calls the API. Knows nothing of gradio.
"""

from __future__ import annotations

import base64
import binascii
import io

import numpy as np
from PIL import Image

from fashiondistill.config import IMAGE_HEIGHT, IMAGE_WIDTH
from fashiondistill.images import fit, read_image

PREFIX = "data:image/png;base64,"
MAX_BYTES = 4 * 1024 * 1024  # a dense 384 x 512 drawing is about 60 kB; noise in RGBA, the worst case, is 0.8 MB
WHITE = 255


def decode_canvas(value: str | None) -> np.ndarray:
    """Read the canvas's value; a picture of another size is fitted onto the paper, nothing is cut off.

    Args:
        value: PNG data URL of dark strokes on white; None or "" for an untouched canvas.

    Returns:
        float32 [512, 384] in [0, 1], 1 = stroke; all zero for an untouched canvas.

    Raises:
        ValueError: opening with "canvas: " - not a PNG data URL, damaged, or more than 4 MB.
    """
    if value is None or value == "":
        return np.zeros((IMAGE_HEIGHT, IMAGE_WIDTH), np.float32)
    if not isinstance(value, str) or not value.startswith(PREFIX):
        shown = value[:24] if isinstance(value, str) else type(value).__name__
        raise ValueError(f'canvas: the value opens with {shown!r}; give a PNG data URL ("{PREFIX}...").')
    encoded = value[len(PREFIX) :]
    if len(encoded) > MAX_BYTES * 4 / 3 + 4:
        raise ValueError(
            f"canvas: the drawing has {len(encoded) * 3 / 4e6:.1f} MB; give at most 4 MB, that is 384 x 512 pixels."
        )
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(
            f"canvas: the drawing is not valid base64 ({error}). Reload the page and draw again."
        ) from error
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        raise ValueError("canvas: the drawing is not a PNG file. Give a PNG of dark strokes on white.")
    image = read_image(data, field="canvas")
    grey = np.asarray(image.convert("L"), np.uint8)
    if grey.shape != (IMAGE_HEIGHT, IMAGE_WIDTH):
        grey = fit(grey, ground=WHITE)
    return 1 - grey.astype(np.float32) / WHITE


def encode_canvas(sketch: np.ndarray) -> str:
    """Write a sketch, float [512, 384] in [0, 1] with 1 = stroke, as the canvas's value.

    Raises:
        ValueError: for another shape or values outside [0, 1].
    """
    if sketch.shape != (IMAGE_HEIGHT, IMAGE_WIDTH):
        raise ValueError(
            f"canvas: the sketch has shape {sketch.shape}; give [height, width] = {[IMAGE_HEIGHT, IMAGE_WIDTH]}."
        )
    if not (np.isfinite(sketch).all() and sketch.min() >= 0 and sketch.max() <= 1):
        raise ValueError("canvas: the sketch has values outside 0 to 1; give 1 = stroke and 0 = paper.")
    grey = ((1 - sketch.astype(np.float32)) * WHITE).round().astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, format="PNG")
    return PREFIX + base64.b64encode(buffer.getvalue()).decode("ascii")

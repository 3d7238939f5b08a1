"""The sketch canvas's values, PNG data URLs, to arrays and back: the sketch, the repaint area, the picture under it.

In: the texts that `components.SketchCanvas` and `CanvasOutlet` hold. Out: float32 [512, 384] in [0, 1], 1 = stroke or
1 = repaint, and uint8 [512, 384, 3]. Treats the texts as hostile: they come from a browser, or from anybody who calls
the API. Knows nothing of gradio.
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
MASK_FIELD, PICTURE_FIELD = "repaint area", "picture to repaint"  # as the page calls them


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
    data = _png_of(value, field="canvas", wanted="a PNG of dark strokes on white")
    grey = np.asarray(read_image(data, field="canvas").convert("L"), np.uint8)
    if grey.shape != (IMAGE_HEIGHT, IMAGE_WIDTH):
        grey = fit(grey, ground=WHITE)
    return 1 - grey.astype(np.float32) / WHITE


def decode_mask(value: str | None) -> np.ndarray | None:
    """Read the repaint area: float32 [512, 384] of 0 and 1, 1 = repaint; None where there is none.

    Args:
        value: PNG data URL of 384 x 512 pixels, white where to repaint and black elsewhere; None or "" for none.

    Raises:
        ValueError: opening with "repaint area: " - not a PNG data URL, damaged, of another size, or black throughout.
    """
    if value is None or value == "":
        return None
    pixels = _read_exact(value, field=MASK_FIELD, wanted="a PNG with white where to repaint")
    mask = (pixels.max(axis=2) >= (WHITE + 1) // 2).astype(np.float32)
    if not mask.any():
        raise ValueError(f"{MASK_FIELD}: nothing is marked. Paint over the part of the picture that is to change.")
    return mask


def decode_picture(value: str | None) -> np.ndarray | None:
    """Read the picture to repaint: uint8 [512, 384, 3]; None where there is none.

    Raises:
        ValueError: opening with "picture to repaint: " - not a PNG data URL, damaged, or of another size.
    """
    if value is None or value == "":
        return None
    return _read_exact(value, field=PICTURE_FIELD, wanted="a PNG")


def encode_picture(image: np.ndarray) -> str:
    """uint8 [H, W, 3], or [H, W] in grey, as a PNG data URL."""
    return _url_of(image)


def _read_exact(value: str, *, field: str, wanted: str) -> np.ndarray:
    """uint8 [512, 384, 3]; nothing is fitted, for mask and picture must lie on each other pixel by pixel."""
    image = read_image(_png_of(value, field=field, wanted=wanted), field=field)
    if image.size != (IMAGE_WIDTH, IMAGE_HEIGHT):
        raise ValueError(
            f"{field}: it has {image.width} x {image.height} pixels; give exactly {IMAGE_WIDTH} x {IMAGE_HEIGHT}."
        )
    return np.asarray(image, np.uint8)


def _png_of(value: object, *, field: str, wanted: str) -> bytes:
    """The bytes behind a PNG data URL."""
    if not isinstance(value, str) or not value.startswith(PREFIX):
        shown = value[:24] if isinstance(value, str) else type(value).__name__
        raise ValueError(f'{field}: the value opens with {shown!r}; give a PNG data URL ("{PREFIX}...").')
    encoded = value[len(PREFIX) :]
    if len(encoded) > MAX_BYTES * 4 / 3 + 4:
        raise ValueError(
            f"{field}: the drawing has {len(encoded) * 3 / 4e6:.1f} MB; give at most 4 MB, that is 384 x 512 pixels."
        )
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(
            f"{field}: the drawing is not valid base64 ({error}). Reload the page and draw again."
        ) from error
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        raise ValueError(f"{field}: the drawing is not a PNG file. Give {wanted}.")
    return data


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
    return _url_of(grey)


def _url_of(pixels: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return PREFIX + base64.b64encode(buffer.getvalue()).decode("ascii")

"""Pictures: files and uint8 HWC arrays on one side, float CHW in [-1, 1] on the other. Nobody else converts.

In: files, bytes or arrays of any size. Out: arrays of the size asked for. Refuses what is not a picture, and
pictures whose header alone says that they are too large, before a pixel is decoded.
"""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from fashiondistill.config import GROUND, IMAGE_HEIGHT, IMAGE_WIDTH

MAX_PIXELS = 16_000_000  # 4000 x 4000; larger uploads are refused before decoding (SPEED-AND-RELIABILITY, section 5)
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


def read_image(source: Path | bytes, *, field: str, enough: tuple[int, int] | None = None) -> Image.Image:
    """Open and fully decode a picture, upright (EXIF), as RGB; transparent parts become white.

    Args:
        source: a file or its bytes.
        field: what the user calls this input; it opens every error message.
        enough: (width, height) that the caller needs; a JPEG may come back smaller than it is, but not than this, which
            takes a quarter of the time for a large one.

    Raises:
        FileNotFoundError: naming the field and the file.
        ValueError: not a picture, damaged, or more than `MAX_PIXELS`.
    """
    if isinstance(source, Path) and not source.is_file():
        raise FileNotFoundError(f"{field}: there is no file {source}. Check the path.")
    name = str(source) if isinstance(source, Path) else "the upload"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own, stricter limit follows
            image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise ValueError(f"{field}: {name} is too large ({error}). Give a picture of at most 16 megapixels.") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise ValueError(
            f"{field}: {name} is not a picture that can be read. Give a PNG, JPEG or WebP file."
        ) from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ValueError(
            f"{field}: {name} has {width} x {height} = {width * height / 1e6:.0f} megapixels."
            " Give at most 16 megapixels."
        )
    if min(width, height) < 16:
        raise ValueError(f"{field}: {name} is only {width} x {height} pixels. Give at least 16 x 16.")
    if image.mode in ("I", "F"):  # nothing says which value is white; Pillow would clip at 255
        raise ValueError(f"{field}: {name} has 32 bits per pixel and channel. Export it with 8 or 16 bits.")
    try:
        if enough is not None:
            image.draft(None, enough)
        image.load()
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I;16"):
            image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
        if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
            rgba = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
        return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, EOFError, struct.error) as error:  # the last: EXIF with odd types
        raise ValueError(f"{field}: {name} is damaged or cut off ({error}). Export it again and retry.") from error


def fit(image: np.ndarray, *, height: int = IMAGE_HEIGHT, width: int = IMAGE_WIDTH, ground: int = GROUND) -> np.ndarray:
    """Scale uint8 [H, W] or [H, W, 3] to fit and pad with `ground`; the aspect ratio is kept, nothing is cut off."""
    scale = min(height / image.shape[0], width / image.shape[1])
    new_width, new_height = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(image, (new_width, new_height), interpolation=method)
    result = np.full((height, width, *image.shape[2:]), ground, np.uint8)
    top, left = (height - new_height) // 2, (width - new_width) // 2
    result[top : top + new_height, left : left + new_width] = resized
    return result


def sketch_from_edge_map(image: np.ndarray) -> np.ndarray:
    """Edge map of either polarity, uint8 [H, W] or [H, W, 3] -> float32 [512, 384] in [0, 1], 1 = stroke.

    The rarer tone is taken for the stroke: lines cover less paper than they leave. Files of the published data set
    (bright on black) and a designer's scan (dark on white) both come out right.

    Raises:
        ValueError: if the picture is one flat tone, so that it holds no strokes.
    """
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    scale = min(IMAGE_HEIGHT / grey.shape[0], IMAGE_WIDTH / grey.shape[1])
    if scale < 1:  # first, or a hairline on a large scan would cover too little of it to be seen by the percentiles
        size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    low, high = (float(v) for v in np.percentile(grey, (0.2, 99.8)))
    if high - low < 24:
        raise ValueError(
            "edge map: the picture is one flat tone and holds no strokes. Give dark lines on white, or bright on black."
        )
    strokes = np.clip((grey.astype(np.float32) - low) / (high - low), 0, 1)
    bright_on_dark = np.median(strokes) < 0.5
    if not bright_on_dark:
        strokes = 1 - strokes
    fitted = fit((strokes * 255).round().astype(np.uint8), ground=0)
    return fitted.astype(np.float32) / 255


def to_model(image: np.ndarray) -> np.ndarray:
    """uint8 [..., H, W, 3] -> float32 [..., 3, H, W] in [-1, 1]."""
    return np.moveaxis(image.astype(np.float32) / 127.5 - 1, -1, -3)


def from_model(pixels: np.ndarray) -> np.ndarray:
    """float [..., 3, H, W] in [-1, 1] -> uint8 [..., H, W, 3]; values outside are clipped."""
    return np.moveaxis(((np.asarray(pixels, np.float32) + 1) * 127.5).round().clip(0, 255).astype(np.uint8), -3, -1)


def read_product_picture(path: Path) -> np.ndarray:
    """A shop's product picture as uint8 [512, 384, 3], scaled to fit on the ground.

    Raises:
        FileNotFoundError, ValueError: as `read_image`.
    """
    return fit(np.asarray(read_image(path, field="product picture")))

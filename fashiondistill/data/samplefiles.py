"""One picture, sketch or mask file of a data set -> uint8 array of 512 x 384; what cannot be read is named.

In: files of ours or of the published data set. Out: arrays. Sketches of either polarity come out bright on black; masks
are index or grey pictures whose class 0 is the background.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from fashiondistill.config import IMAGE_HEIGHT, IMAGE_WIDTH
from fashiondistill.images import MAX_PIXELS, fit, read_image

SIZE = (IMAGE_WIDTH, IMAGE_HEIGHT)
SAME_SHAPE = 0.015  # relative difference of width / height; 1166 x 1750 and 384 x 576 differ by 0.0005


@dataclass(frozen=True, eq=False)
class Picture:
    """uint8 [512, 384, 3] pixels, and width over height of the file."""

    pixels: np.ndarray
    file_shape: float


def read_picture(path: Path, shape: str) -> Picture:
    """Read a picture.

    Args:
        path: JPEG, PNG or WebP.
        shape: "pad" keeps the proportions and adds a border of the picture's own border grey; "pull" does not.

    Raises:
        FileNotFoundError, ValueError: naming the file.
    """
    pixels = np.asarray(read_image(path, field="picture", enough=SIZE))
    proportion = pixels.shape[1] / pixels.shape[0]
    if pixels.shape[:2] == (IMAGE_HEIGHT, IMAGE_WIDTH):
        return Picture(pixels, proportion)
    if shape == "pull":
        return Picture(cv2.resize(pixels, SIZE, interpolation=_method(pixels)), proportion)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return Picture(fit(pixels, ground=round(float(np.median(border)))), proportion)


def read_sketch(path: Path, shape: str, *, like: float) -> np.ndarray:
    """Read a sketch as uint8 [512, 384], 255 = stroke.

    Args:
        path: grey or RGB PNG, bright on black as published, or dark on white.
        shape: as in `read_picture`.
        like: width over height of the picture that it belongs to.

    Raises:
        FileNotFoundError, ValueError: naming the file; also if most of it is neither near black nor near white.
    """
    grey = read_grey(path)
    if is_dark_on_white(grey, path):
        grey = 255 - grey
    _require_shape(path, grey, shape, like)
    if grey.shape == (IMAGE_HEIGHT, IMAGE_WIDTH):
        return grey
    return cv2.resize(grey, SIZE, interpolation=_method(grey)) if shape == "pull" else fit(grey, ground=0)


def read_grey(path: Path) -> np.ndarray:
    """A sketch as it stands in its file, uint8 [H, W].

    Raises:
        FileNotFoundError, ValueError: naming the file.
    """
    with _opened(path, "sketch") as file:
        return np.asarray(file.convert("L"))


def is_dark_on_white(grey: np.ndarray, path: Path) -> bool:
    """Polarity of a sketch: paper covers more than strokes, so the median is the paper's tone.

    Raises:
        ValueError: naming the file, if its paper is neither dark nor bright.
    """
    paper = float(np.median(grey[::3, ::3]))
    if 64 < paper < 191:
        raise ValueError(
            f"sketch: {path} is no line drawing: its commonest tone is {paper:.0f}, neither black nor white paper."
            " Draw it again."
        )
    return paper >= 191


def read_mask(path: Path, shape: str, *, like: float) -> np.ndarray:
    """Read a mask as uint8 [512, 384], 255 = garment (any class above 0).

    Args: as `read_sketch`.

    Raises:
        FileNotFoundError, ValueError: naming the file; also if it is empty, or a colour picture that holds no classes.
    """
    with _opened(path, "mask") as file:
        if file.mode not in ("1", "L", "P"):
            raise ValueError(f"mask: {path} has colours ({file.mode}), not classes. Save it as index or grey PNG.")
        classes = np.asarray(file) > 0
    if not classes.any():
        raise ValueError(
            f"mask: {path} is empty: no pixel belongs to a garment. Make it again or take the picture out."
        )
    mask = classes.astype(np.uint8) * 255
    _require_shape(path, mask, shape, like)
    if mask.shape == (IMAGE_HEIGHT, IMAGE_WIDTH):
        return mask
    fitted = cv2.resize(mask, SIZE, interpolation=_method(mask)) if shape == "pull" else fit(mask, ground=0)
    return np.where(fitted > 127, 255, 0).astype(np.uint8)


def _opened(path: Path, field: str) -> Image.Image:
    """Opened and decoded, as it stands in the file; a mask's classes must not become colours."""
    if not path.is_file():
        raise FileNotFoundError(f"{field}: there is no file {path}. Run prepare again.")
    try:
        file = Image.open(io.BytesIO(path.read_bytes()), formats=("PNG", "WEBP"))
        if file.width * file.height > MAX_PIXELS:
            raise ValueError(f"it has {file.width} x {file.height} pixels; at most 16 megapixels are read")
        file.load()
    except UnidentifiedImageError as error:
        raise ValueError(f"{field}: {path} cannot be read: it is neither PNG nor WebP. Make it again.") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{field}: {path} cannot be read ({error}). Make it again.") from error
    return file


def _require_shape(path: Path, pixels: np.ndarray, shape: str, like: float) -> None:
    own = pixels.shape[1] / pixels.shape[0]
    if shape == "pad" and abs(own / like - 1) > SAME_SHAPE:
        raise ValueError(
            f"{path} has other proportions ({own:.3f} wide over high) than its picture ({like:.3f}). If all three were"
            " pulled from one picture, choose --shape pull; else make it again."
        )


def _method(pixels: np.ndarray) -> int:
    return cv2.INTER_AREA if pixels.shape[0] >= IMAGE_HEIGHT else cv2.INTER_CUBIC

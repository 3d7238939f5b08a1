"""One photo of a garment -> picture on the flat ground, mask, line sketch and caption; or the reason why not.

In: uint8 [H, W, 3] RGB and a label. Out: `PreparedPhoto`, or `PhotoRejected` raised. Knows nothing of folders.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from fashiondistill.data.attributes import compose_caption
from fashiondistill.data.categories import PHOTO_LABELS
from fashiondistill.data.cues import cues
from fashiondistill.data.learnedmask import learned_mask
from fashiondistill.data.lines import draw_lines
from fashiondistill.data.masks import GarmentMask, garment_mask, rembg_mask
from fashiondistill.data.measure import measure_colours, measure_pattern
from fashiondistill.data.placing import place_garment
from fashiondistill.data.vitonhd import ArticlePictures

SEGMENTERS: dict[str, Callable[[np.ndarray], GarmentMask]] = {
    "learned": learned_mask, "grabcut": garment_mask, "rembg": rembg_mask,
}  # fmt: skip
MIN_GARMENT_PIXELS = 120  # long side of the garment in the photo; smaller ones are blurred when enlarged to 450


class PhotoRejected(ValueError):
    """The photo cannot be used; the message is the reason, in words."""


@dataclass(frozen=True, eq=False)
class PreparedPhoto:
    """What a photo became; colours as (word, sRGB) pairs, the dominant one first."""

    pictures: ArticlePictures
    caption: str
    category: str
    garment: str
    colours: tuple[str, ...]
    colour_rgb: tuple[tuple[int, int, int], ...]
    pattern: str
    score: float


def prepare_photo(image: np.ndarray, label: str, *, min_score: float, segmenter: str = "grabcut") -> PreparedPhoto:
    """Mask, place, draw, measure and describe.

    Args:
        image: uint8 [H, W, 3] RGB photo of one garment.
        label: key of `categories.PHOTO_LABELS`.
        min_score: masks trusted less than this are rejected, 0 to 1.
        segmenter: key of `SEGMENTERS`.

    Raises:
        PhotoRejected: with the reason.
    """
    if label not in PHOTO_LABELS:
        raise PhotoRejected(f"label {label!r} names no garment")
    category, garment = PHOTO_LABELS[label]
    found = SEGMENTERS[segmenter](image)
    if found.score < min_score:
        raise PhotoRejected(f"mask score {found.score:.2f} is below {min_score}: {found.weakness}")
    _, _, width, height = cv2.boundingRect(found.mask)
    if max(width, height) < MIN_GARMENT_PIXELS:
        raise PhotoRejected(f"garment is only {max(width, height)} pixels long")
    picture, mask = place_garment(image, found.mask)
    colours = measure_colours(picture, mask)
    words = tuple(colour.word for colour in colours)
    pattern = measure_pattern(picture, mask)
    caption = photo_caption(picture, mask, garment=garment, colours=words, pattern=pattern)
    return PreparedPhoto(
        pictures=ArticlePictures(image=picture, sketch=draw_lines(picture, mask), mask=mask),
        caption=caption,
        category=category,
        garment=garment,
        colours=words,
        colour_rgb=tuple(colour.rgb for colour in colours),
        pattern=pattern,
        score=found.score,
    )


def photo_caption(
    picture: np.ndarray, mask: np.ndarray, *, garment: str, colours: tuple[str, ...], pattern: str
) -> str:
    """The caption of a placed photo: colours, pattern and noun, then what mask, cloth and label tell.

    Args:
        picture: uint8 [512, 384, 3] RGB.
        mask: uint8 [512, 384], 255 = garment.
        garment: noun of `categories.PHOTO_LABELS`.
        colours, pattern: measured words.
    """
    told = cues(picture, mask, garment=garment, colour=colours[0], pattern=pattern)
    details = tuple(dict.fromkeys((*_details(garment, mask), *told)))
    return compose_caption(colours=list(colours), pattern=pattern, garment=garment, details=details)


def lines_from_photo(image: np.ndarray, *, min_score: float = 0.3, keep_place: bool = False) -> np.ndarray:
    """Sketch of the garment in a photo, float32 [512, 384] in [0, 1], 1 = stroke.

    Args:
        image: uint8 [H, W, 3] RGB; [512, 384, 3] with `keep_place`.
        min_score: masks trusted less than this are refused, 0 to 1.
        keep_place: draw the lines where the garment is, instead of in the middle and as large as the paper allows.

    Raises:
        ValueError: if no garment stands out from the background.
    """
    found = garment_mask(image)
    if found.score < min_score:
        raise ValueError(
            f"photo: no garment stands out from the background ({found.weakness}). Use a photo of one garment on a "
            "plain ground of another colour, or upload an edge map instead."
        )
    if keep_place:
        return draw_lines(image, found.mask).astype(np.float32) / 255
    picture, mask = place_garment(image, found.mask)
    return draw_lines(picture, mask).astype(np.float32) / 255


# Height over width of the placed garment -> phrase; limits are near the terciles of the photo set's accepted items.
LENGTHS: dict[str, tuple[tuple[float, str], ...]] = {
    "skirt": ((1.05, "short"), (1.5, "knee length"), (9, "long")),
    "dress": ((1.45, "short"), (1.95, "knee length"), (9, "long")),
    "trousers": ((1.6, "wide"), (2.3, "regular fit"), (9, "slim")),
    "shorts": ((0.8, "short"), (1.05, "regular fit"), (9, "long")),
}
SLEEVES = {
    "t-shirt": "short sleeves", "polo shirt": "short sleeves", "tank top": "sleeveless", "blazer": "long sleeves",
    "hoodie": "long sleeves",
}  # fmt: skip


def _details(garment: str, mask: np.ndarray) -> tuple[str, ...]:
    if garment in SLEEVES:
        return (SLEEVES[garment],)
    if garment not in LENGTHS:
        return ()
    _, _, width, height = cv2.boundingRect(mask)
    return (next(phrase for limit, phrase in LENGTHS[garment] if height / width < limit),)

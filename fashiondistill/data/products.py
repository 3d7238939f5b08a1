"""A shop's product picture -> picture on the flat ground, mask and line sketch; or the reason why not.

In: uint8 [H, W, 3] RGB of one article, lying, hanging or worn, and its category. Out: `ProductShot`, or
`ShotRejected` raised. Who masks and who draws can be given (`annotators` loads models for it); the default needs no
model. Knows nothing of folders, weeks and captions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from fashiondistill.config import ProductShotConfig
from fashiondistill.data.categories import get_category
from fashiondistill.data.lines import draw_lines
from fashiondistill.data.masks import GarmentMask
from fashiondistill.data.placing import place_garment
from fashiondistill.data.studiomasks import studio_mask
from fashiondistill.data.vitonhd import ArticlePictures
from fashiondistill.images import fit

Segment = Callable[[np.ndarray, str], GarmentMask]  # picture and category folder -> mask of the picture's size
Draw = Callable[[np.ndarray, np.ndarray], np.ndarray]  # picture and mask -> sketch, bright on black
MIN_GARMENT_PIXELS = 80  # long side of the garment in the picture; smaller ones are blurred when enlarged to 450


class ShotRejected(ValueError):
    """The picture cannot be used; the message is the reason, in words."""


@dataclass(frozen=True, eq=False)
class ProductShot:
    """Pictures of one article, and how far its mask can be trusted (0 to 1)."""

    pictures: ArticlePictures
    score: float


def prepare_product_shot(
    image: np.ndarray,
    category: str,
    *,
    min_score: float = ProductShotConfig.min_shot_score,
    segment: Segment = studio_mask,
    draw: Draw = draw_lines,
    keep_picture: bool = ProductShotConfig.keep_picture,
) -> ProductShot:
    """Mask, place and draw.

    Args:
        image: uint8 [H, W, 3] RGB, one article on a light plain ground, worn or not.
        category: folder name, for example "top5gub"; says which part of a worn outfit is meant.
        min_score: masks trusted less than this are rejected, 0 to 1.
        segment: who cuts the garment out.
        draw: who draws the sketch.
        keep_picture: leave the picture whole, as the published data set does, instead of setting the garment alone on
            the flat ground, as the bundled model knows it.

    Raises:
        ShotRejected: with the reason.
        ValueError: for an unknown category.
    """
    folder = get_category(category).folder
    found = segment(image, folder)
    if found.score < min_score:
        raise ShotRejected(f"mask score {found.score:.2f} is below {min_score}: {found.weakness}")
    if not found.mask.any():
        raise ShotRejected("mask is empty: no garment found")
    _, _, width, height = cv2.boundingRect(found.mask)
    if max(width, height) < MIN_GARMENT_PIXELS:
        raise ShotRejected(f"garment is only {max(width, height)} pixels long")
    picture, mask = _whole(image, found.mask) if keep_picture else place_garment(image, found.mask)
    return ProductShot(ArticlePictures(image=picture, sketch=draw(picture, mask), mask=mask), found.score)


def _whole(image: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Picture and mask of 512 x 384; what the picture's shape leaves free gets the grey of its own border."""
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    return fit(image, ground=round(float(np.median(border)))), np.where(fit(mask, ground=0) > 127, 255, 0).astype(
        np.uint8
    )

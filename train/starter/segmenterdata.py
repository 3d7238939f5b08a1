"""Photos with the masks that prepare photos accepted, in the photo's own place, and how they are varied.

In: a set of `prepare photos` (whose masks are placed on the flat ground) and the photos. Out: `Example`s of 192 x 144.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from fashiondistill.data.learned import NET_SIZE
from fashiondistill.data.masks import Small, iou, three_cuts
from fashiondistill.data.photoset import photo_path
from fashiondistill.data.placing import place_garment
from fashiondistill.data.vitonhd import DRAWING, ArticleRecord, read_article, read_manifest
from fashiondistill.data.workers import run_all
from fashiondistill.images import read_image

SAME = 0.96  # IoU with the stored mask above which a mask cut again is the same one; they differ by refinement


@dataclass(frozen=True, eq=False)
class Example:
    """A photo uint8 [192, 144, 3], its mask uint8 [192, 144] and the split of its sender."""

    image: np.ndarray
    mask: np.ndarray
    split: str


def read_examples(dataset: Path, photos: Path, *, num_workers: int) -> list[Example]:
    """All photos of a prepared set whose mask could be cut again; the set keeps masks only where they were placed.

    Raises:
        FileNotFoundError: if the set or a photo is missing.
    """
    records = [record for record in read_manifest(dataset) if record.sender != DRAWING]
    jobs = [(record, dataset, photos) for record in records]
    made = run_all(_read_one, jobs, num_workers=num_workers)
    found = [example for example in tqdm(made, total=len(jobs), desc="cutting out again", unit="photo")]
    return [example for example in found if example is not None]


def _read_one(job: tuple[ArticleRecord, Path, Path]) -> Example | None:
    """None if none of the three GrabCut starts gives the mask of the set."""
    record, dataset, photos = job
    image = np.asarray(read_image(photo_path(photos / "images", record.source), field="photo"))
    stored = (read_article(dataset, record).mask > 0).astype(np.uint8)
    small = Small.of(image)
    for mask in three_cuts(small):
        if mask.any() and iou((place_garment(small.rgb, mask * 255)[1] > 0).astype(np.uint8), stored) > SAME:
            size = NET_SIZE[::-1]
            soft = cv2.resize(mask * np.uint8(255), size, interpolation=cv2.INTER_AREA)
            return Example(cv2.resize(small.rgb, size, interpolation=cv2.INTER_AREA), soft, record.split)
    return None


def changed(example: Example, other: Example, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One variation: moved, turned, mirrored, recoloured; garments near their ground's colour; other grounds.

    Args:
        example: what is varied.
        other: a strip of its border may become the ground.
        rng: where chance comes from.

    Returns:
        uint8 [192, 144, 3] and uint8 [192, 144].
    """
    image, mask = _moved(example, rng)
    picture = image.astype(np.float32)
    soft = cv2.GaussianBlur(mask, (0, 0), 0.6).astype(np.float32)[..., None] / 255
    if rng.random() < 0.2:
        ground = _ground(other, rng).astype(np.float32)
        picture = picture * soft + ground * (1 - soft)
    if rng.random() < 0.3:  # the garment alone takes another colour
        picture = picture * (1 + soft * (rng.uniform(0.5, 1.5, 3).astype(np.float32) - 1))
    if rng.random() < 0.4:  # and may come near the ground's, which is what GrabCut fails at
        picture = picture + soft * rng.uniform(0, 0.9) * _gap(picture, soft)
    gain = rng.uniform(0.6, 1.35) * rng.uniform(0.85, 1.15, 3)
    picture = (
        picture * gain.astype(np.float32)
        + rng.uniform(-25, 25)
        + rng.normal(0, rng.uniform(0, 7), mask.shape)[..., None]
    )
    if rng.random() < 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.2))
    return picture.clip(0, 255).astype(np.uint8), mask


def _moved(example: Example, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    height, width = example.mask.shape
    turn, grow, stretch = rng.normal(0, 8), np.exp(rng.normal(0, 0.15)), np.exp(rng.normal(0, 0.08))
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), turn, grow)
    matrix[0] *= stretch
    matrix[:, 2] += rng.normal(0, 0.05, 2) * (width, height)
    if rng.random() < 0.5:
        matrix[0] *= -1
        matrix[0, 2] += width - 1
    size = (width, height)
    how = {"flags": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REFLECT_101}
    return cv2.warpAffine(example.image, matrix, size, **how), cv2.warpAffine(example.mask, matrix, size, **how)


def _ground(other: Example, rng: np.random.Generator) -> np.ndarray:
    """A strip at the border of another photo, stretched over the whole picture."""
    height, width = other.mask.shape
    strip = other.image[:, : width // 6] if rng.random() < 0.5 else other.image[: height // 6]
    return cv2.resize(strip, (width, height), interpolation=cv2.INTER_CUBIC)


def _gap(picture: np.ndarray, soft: np.ndarray) -> np.ndarray:
    """Mean colour of the ground minus the garment's, [3]."""
    inside = (picture * soft).sum((0, 1)) / max(float(soft.sum()), 1)
    return (picture * (1 - soft)).sum((0, 1)) / max(float((1 - soft).sum()), 1) - inside

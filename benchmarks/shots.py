"""python -m benchmarks.shots: how well product shots are masked, on cutouts of a prepared data set with known masks.

Each cutout is laid on a studio ground, or put on a drawn figure with other garments, and masked by the default and by
GrabCut. The cutouts' own masks are about 97 % right (docs/LOG.md), so the last points are theirs. --sheet writes what
it saw.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from fashiondistill.config import ProductShotConfig
from fashiondistill.data.masks import GarmentMask, garment_mask
from fashiondistill.data.studiomasks import studio_mask
from fashiondistill.data.vitonhd import ArticleRecord, read_article, read_manifest
from tests.shots import HEIGHT, SKIN, lying, worn

PALE = ("white", "light grey", "cream")
LEGS = slice(round(0.42 * HEIGHT), None)  # a picture of the lower half of a person
Shot = tuple[np.ndarray, np.ndarray, str]  # picture, true mask, category


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset_path", required=True, help="prepared data set, for its cutouts")
    parser.add_argument("--num_shots", type=int, default=60, help="pictures of each kind")
    parser.add_argument("--seed", type=int, default=0, help="which cutouts")
    parser.add_argument("--sheet", default="", help="PNG to write: picture and mask, in turns")
    arguments = parser.parse_args()
    root, rng = Path(arguments.dataset_path), np.random.default_rng(arguments.seed)
    records = read_manifest(root)
    kinds = _kinds(root, records, rng)
    tiles: list[np.ndarray] = []
    print("IoU with the true mask:")
    print(f"{'shots':12} {'by':8} {'n':>4} {'median':>7} {'> 0.9':>6} {'accepted':>8} {'these < 0.8':>14} {'CPU s':>6}")
    for name, make in kinds.items():
        shots = [make() for _ in range(arguments.num_shots)]
        for by, segment in (("ground", studio_mask), ("grabcut", lambda image, category: garment_mask(image))):
            start = time.process_time()
            found = [segment(image, category) for image, _, category in shots]
            seconds = (time.process_time() - start) / len(shots)
            print(f"{name:12} {by:8} {_row(shots, found)} {seconds:6.2f}", flush=True)
            if by == "ground":
                tiles += [
                    tile for shot, mask in list(zip(shots, found, strict=True))[:12] for tile in _tiles(shot, mask)
                ]
    if arguments.sheet:
        rows = [np.hstack(tiles[start : start + 12]) for start in range(0, len(tiles), 12)]
        Image.fromarray(np.vstack(rows)).save(arguments.sheet)


def _kinds(root: Path, records: list[ArticleRecord], rng: np.random.Generator) -> dict[str, Callable[[], Shot]]:
    tones = list(SKIN)
    upper = [record for record in records if record.category == "top5gub"]
    lower = [record for record in records if record.category == "top5glb"]
    dresses = [record for record in records if record.garment == "dress"]
    pale = [record for record in records if record.colours[0] in PALE]

    def cutout(pool: list[ArticleRecord]) -> tuple[np.ndarray, np.ndarray, str]:
        record = pool[int(rng.integers(len(pool)))]
        pictures = read_article(root, record)
        return pictures.image, pictures.mask, record.category

    def alone(pool: list[ArticleRecord]) -> Shot:
        picture, mask, category = cutout(pool)
        return *lying(picture, mask, seed=int(rng.integers(999)), level=float(rng.uniform(226, 248))), category

    def on_figure(wanted: str, category: str, rows: slice = slice(None)) -> Shot:
        worn_now = {"full": cutout(dresses)[:2]} if wanted == "full" else {
            "lower": cutout(lower)[:2], "upper": cutout(upper)[:2]
        }  # fmt: skip
        image, truth = worn(worn_now, wanted, skin=tones[int(rng.integers(len(tones)))], seed=int(rng.integers(999)))
        return image[rows], truth[rows], category

    return {
        "alone": lambda: alone(records),
        "alone, pale": lambda: alone(pale),
        "worn upper": lambda: on_figure("upper", "top5gub"),
        "worn lower": lambda: on_figure("lower", "top5glb"),
        "worn dress": lambda: on_figure("full", "top5gfb"),
        "legs only": lambda: on_figure("lower", "top5glb", LEGS),
    }


def _row(shots: list[Shot], found: list[GarmentMask]) -> str:
    overlaps = np.array([_iou(mask.mask, truth) for mask, (_, truth, _) in zip(found, shots, strict=True)])
    accepted = np.array([mask.score >= ProductShotConfig.min_shot_score for mask in found])
    bad = int((accepted & (overlaps < 0.8)).sum())
    return (
        f"{len(shots):4} {np.median(overlaps):7.3f} {(overlaps > 0.9).mean():6.2f} {accepted.mean():8.2f}"
        f" {f'{bad} of {accepted.sum()}':>14}"
    )


def _iou(first: np.ndarray, second: np.ndarray) -> float:
    return np.count_nonzero((first > 0) & (second > 0)) / max(np.count_nonzero((first > 0) | (second > 0)), 1)


def _tiles(shot: Shot, found: GarmentMask) -> list[np.ndarray]:
    image, truth, _ = shot
    shown = np.where(found.mask[..., None] > 0, image, (0.3 * image + (140, 0, 140)).astype(np.uint8))
    cv2.putText(shown, f"{_iou(found.mask, truth):.2f} s{found.score:.2f}", (8, 40), 0, 1.2, (0, 110, 0), 3)
    return [cv2.resize(tile, (120, 180), interpolation=cv2.INTER_AREA) for tile in (image, shown)]


if __name__ == "__main__":
    main()

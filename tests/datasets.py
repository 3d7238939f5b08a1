"""Small data sets for the tests, as they were published and as we write them; pictures are drawn.

In: a folder. Out: the folder, filled. The published form has unpadded weeks, PiDiNet-like grey strokes on near-black
paper, masks as {id}.png or {id}_final_seg.png, pictures of H&M's own shape, and gaps in its weeks.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from fashiondistill.data.attributes import COLOURS
from fashiondistill.data.drawings import draw_garment

# split -> week -> number of articles; 2020-week5 is missing, and validation begins right after training
WEEKS = {
    "train": {"2019-week51": 2, "2019-week52": 2, "2020-week1": 2, "2020-week4": 1, "2020-week6": 2, "2020-week7": 2},
    "val": {"2020-week8": 2, "2020-week9": 2, "2020-week10": 1},
    "test": {"2020-week23": 1, "2020-week24": 2},
}
DARK = [colour.word for colour in COLOURS if max(colour.rgb) < 180]  # they stand out from the ground at every pixel
KIND_OF = {"top5gub": "t-shirt", "top5shoe": "shoes"}


def save_published(
    root: Path, *, size: tuple[int, int] = (200, 300), categories: tuple[str, ...] = ("top5gub",)
) -> Path:
    """The published layout; `size` is width and height of the pictures."""
    captions, number = {}, 0
    for split, weeks in WEEKS.items():
        for week, count in weeks.items():
            for category in categories:
                for _ in range(count):
                    article_id = f"{633148001 + 1000 * number:010d}"
                    save_item(root, (split, category, week, article_id), size=size, seed=number, final=number % 2 == 0)
                    captions[article_id] = [f"Sleek top number {number}.", "Cotton, black.", "Casual wear."]
                    number += 1
    (root / "captions.json").write_text(json.dumps(captions), encoding="utf-8")
    return root


def save_item(
    root: Path, place: tuple[str, str, str, str], *, size: tuple[int, int], seed: int, final: bool = False
) -> None:
    """One article's picture, sketch and mask."""
    split, category, week, article_id = place
    colours = (DARK[seed % len(DARK)],)
    drawn = draw_garment(KIND_OF.get(category, "t-shirt"), colours=colours, pattern="plain", seed=seed)
    picture, sketch, mask = (
        cv2.resize(values, size, interpolation=cv2.INTER_AREA) for values in (drawn.image, drawn.sketch, drawn.mask)
    )
    paper = np.random.default_rng(seed).integers(0, 14, sketch.shape, np.uint8)
    ending = "_final_seg.png" if final else ".png"
    for kind, name, values in (
        ("images", f"{article_id}.jpg", Image.fromarray(picture)),
        ("im_sketch", f"{article_id}.png", Image.fromarray(np.maximum(sketch, paper))),
        ("im_seg", f"{article_id}{ending}", index_picture((mask > 127).astype(np.uint8) * 3)),
    ):
        path = root / split / kind / category / week / name
        path.parent.mkdir(parents=True, exist_ok=True)
        values.save(path)


def index_picture(classes: np.ndarray) -> Image.Image:
    """Classes as a palette PNG."""
    picture = Image.fromarray(classes).convert("P")
    picture.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0])
    return picture

"""The folder layout of the published data set: pictures, sketches, masks, captions, and our manifest beside them.

    {split}/images/{category}/{week}/{article_id}.jpg      512 x 384 RGB
    {split}/im_sketch/{category}/{week}/{article_id}.png   bright strokes on black
    {split}/im_seg/{category}/{week}/{article_id}.png      index image, class 1 = garment
    captions.json                                          {article_id: [style, colour and pattern, garment]}
    manifest.jsonl                                         one `ArticleRecord` a line

Photos carry no sales date; they stand in the week folder "undated". Knows nothing of models.
"""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

SPLITS = ("train", "val", "test")
KINDS_OF_FILE = ("images", "im_sketch", "im_seg")
UNDATED = "undated"
DRAWING = "drawing"  # what stands as sender of a drawn garment


@dataclass(frozen=True)
class ArticleRecord:
    """One garment of a prepared data set.

    Attributes:
        article_id: 10 digits, starting with 0.
        split: "train", "val" or "test".
        category: folder name, for example "top5gub".
        week: folder name of the week, or "undated".
        garment: noun of the caption.
        caption: one sentence.
        colours: words, the dominant one first.
        colour_rgb: measured sRGB (0..255) of each word.
        pattern: key of `attributes.PATTERNS`.
        source: where it came from: photo name, or kind and seed of a drawing.
        sender: who took the photo; splits of photos never share one.
        score: how far the mask can be trusted, 0 to 1.
    """

    article_id: str
    split: str
    category: str
    week: str
    garment: str
    caption: str
    colours: tuple[str, ...]
    colour_rgb: tuple[tuple[int, int, int], ...]
    pattern: str
    source: str
    sender: str
    score: float


@dataclass(frozen=True, eq=False)
class ArticlePictures:
    """uint8 [512, 384, 3] picture, uint8 [512, 384] sketch (bright on black) and mask (255 = garment)."""

    image: np.ndarray
    sketch: np.ndarray
    mask: np.ndarray


def article_path(root: Path, record: ArticleRecord, kind: str) -> Path:
    """Where a file of `kind` ("images", "im_sketch" or "im_seg") stands."""
    suffix = ".jpg" if kind == "images" else ".png"
    return root / record.split / kind / record.category / record.week / f"{record.article_id}{suffix}"


def write_article(root: Path, record: ArticleRecord, pictures: ArticlePictures) -> None:
    """Write picture, sketch and mask; a killed run leaves no half-written file behind."""
    mask = Image.fromarray((pictures.mask > 0).astype(np.uint8)).convert("P")
    mask.putpalette([0, 0, 0, 255, 255, 255])
    _save(
        Image.fromarray(pictures.image), article_path(root, record, "images"), format="JPEG", quality=95, subsampling=0
    )
    _save(Image.fromarray(pictures.sketch), article_path(root, record, "im_sketch"), format="PNG")
    _save(mask, article_path(root, record, "im_seg"), format="PNG", bits=1)


def remove_article(root: Path, record: ArticleRecord) -> None:
    """Delete picture, sketch and mask, as far as they are there."""
    for kind in KINDS_OF_FILE:
        article_path(root, record, kind).unlink(missing_ok=True)


def read_article(root: Path, record: ArticleRecord) -> ArticlePictures:
    """Read picture, sketch and mask.

    Raises:
        FileNotFoundError: naming the file that is missing.
    """
    paths = {kind: article_path(root, record, kind) for kind in KINDS_OF_FILE}
    for kind, path in paths.items():
        if not path.is_file():
            raise FileNotFoundError(f"{kind} of article {record.article_id} is missing: {path}. Run prepare again.")
    with (
        Image.open(paths["images"]) as image,
        Image.open(paths["im_sketch"]) as sketch,
        Image.open(paths["im_seg"]) as seg,
    ):
        classes = np.asarray(seg)
        return ArticlePictures(
            image=np.asarray(image.convert("RGB")),
            sketch=np.asarray(sketch.convert("L")),
            mask=np.where(classes > 0, 255, 0).astype(np.uint8),
        )


def write_manifest(root: Path, records: list[ArticleRecord], *, captions: dict[str, list[str]] | None = None) -> None:
    """Write manifest.jsonl and captions.json, ordered by article id, then by week.

    Args:
        root: of the data set.
        records: of all its garments; an article that stands in several weeks has one for each.
        captions: article id -> three strings, where they are not to be made of the record's words.
    """
    ordered = sorted(records, key=lambda record: (record.article_id, record.split, record.week))
    lines = [json.dumps(dataclasses.asdict(record)) for record in ordered]
    words = {r.article_id: [r.caption, f"{', '.join(r.colours)}, {r.pattern}", r.garment] for r in ordered}
    captions = words | (captions or {})
    write_text(root / "manifest.jsonl", "".join(line + "\n" for line in lines))
    write_text(root / "captions.json", json.dumps(captions, indent=1) + "\n")


def read_manifest(root: Path) -> list[ArticleRecord]:
    """Read manifest.jsonl.

    Raises:
        FileNotFoundError: if `root` holds no prepared data set.
    """
    path = root / "manifest.jsonl"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: make a data set with python -m fashiondistill.prepare photos.")
    return [record_from_json(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def drawings_of(root: Path) -> list[ArticleRecord]:
    """Drawn garments that another command added to the data set; none if there is no data set yet."""
    if not (root / "manifest.jsonl").is_file():
        return []
    return [record for record in read_manifest(root) if record.sender == DRAWING]


def record_from_json(values: dict) -> ArticleRecord:
    """Undo what JSON does to tuples."""
    colour_rgb = tuple(tuple(int(v) for v in rgb) for rgb in values["colour_rgb"])
    return ArticleRecord(**(values | {"colours": tuple(values["colours"]), "colour_rgb": colour_rgb}))


def _save(image: Image.Image, path: Path, **options) -> None:  # noqa: ANN003 - Pillow's own options
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    image.save(part, **options)
    os.replace(part, path)


def write_text(path: Path, text: str) -> None:
    """Write a text file; a killed run leaves the old one or the new one, never half of it."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)

"""Designs as files that open elsewhere: PNG with everything that made it inside, ranking.json, a contact sheet.

In: `ScoredDesign`s. Out: files or bytes. Knows nothing of models or pages.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin, UnidentifiedImageError

from fashiondistill.config import GROUND, IMAGE_HEIGHT, IMAGE_WIDTH
from fashiondistill.design import Design, DesignRequest, ScoredDesign

CHUNK = "fashiondistill"  # name of the PNG text chunk; the pictures that belong to it add "-sketch", "-mask", "-image"
VERSION = 1  # of what stands in the chunk; files before it had neither a number nor the sketch
HEADER = 33  # bytes of a PNG's signature and IHDR chunk, which text may follow
LABEL_HEIGHT = 40  # pixels under each picture of a contact sheet
GAP = 12


def describe(scored: ScoredDesign, *, model: str, references: tuple[str, ...] = (), notes: str = "") -> dict:
    """Everything that a design came from and how it was ranked, as plain JSON values.

    Args:
        model: id of the model, which opens with its name and holds its hash.
        references: ids of the articles that CLIP-I compared with; empty where they were not kept.
        notes: what the designer wrote about it.
    """
    request = scored.design.request
    return {
        "version": VERSION,
        "rank": scored.rank,
        "clip_i": round(scored.clip_i, 4),
        "clip_t": round(scored.clip_t, 4),
        "combined": round(scored.combined, 4),
        "nearest_article_id": scored.nearest_article_id,
        "references": list(references),
        "candidate": scored.design.index,
        "seed": request.seed,
        "category": request.category,
        "week": request.week,
        "prompt": request.prompt,
        "model": model,
        "settings": dataclasses.asdict(request.config),
        "notes": notes,
    }


def png_bytes(scored: ScoredDesign, *, model: str, references: tuple[str, ...] = (), notes: str = "") -> bytes:
    """A PNG that `exports.passport.read_passport` restores the whole request and its scores from.

    The text chunk "fashiondistill" holds `describe` as JSON; compressed text chunks beside it hold the sketch and,
    where a part of a picture was repainted, mask and picture, each as a PNG in base64. Strokes keep 8 bits, as drawn.
    """
    text = PngImagePlugin.PngInfo()
    text.add_text(CHUNK, json.dumps(describe(scored, model=model, references=references, notes=notes)))
    picture = _picture(scored.design)
    return picture[:HEADER] + _chunks(text) + _drawn_from(scored.design.request) + picture[HEADER:]


@lru_cache(maxsize=16)
def _picture(design: Design) -> bytes:
    """PNG of a design's picture alone. Kept, since page, store and exports ask for each one several times."""
    # Z_RLE: 13 ms instead of 27, and 5 % larger files, on drawn garments.
    return _png(design.image, compress_type=zlib.Z_RLE)


@lru_cache(maxsize=4)
def _drawn_from(request: DesignRequest) -> bytes:
    """Chunks with the pictures of a request, the same in each of its designs."""
    text = PngImagePlugin.PngInfo()
    for name, picture in (("sketch", request.sketch), ("mask", request.mask), ("image", request.image)):
        if picture is not None:
            text.add_text(f"{CHUNK}-{name}", _png_text(picture), zip=True)
    return _chunks(text)


def _chunks(text: PngImagePlugin.PngInfo) -> bytes:
    """The chunks as they stand in a PNG file."""
    buffer = io.BytesIO()
    for name, data, *_ in text.chunks:
        PngImagePlugin.putchunk(buffer, name, data)
    return buffer.getvalue()


def write_png(path: Path, scored: ScoredDesign, *, model: str, references: tuple[str, ...] = ()) -> None:
    """Write `png_bytes` to a file."""
    path.write_bytes(png_bytes(scored, model=model, references=references))


def _png_text(picture: np.ndarray) -> str:
    grey = picture if picture.dtype == np.uint8 else (picture * 255).round().astype(np.uint8)
    return base64.b64encode(_png(grey, optimize=True)).decode("ascii")


def _png(picture: np.ndarray, **settings: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", **settings)
    return buffer.getvalue()


def read_png_metadata(path: Path) -> dict:
    """What `write_png` embedded.

    Raises:
        ValueError: if the file is no PNG of this studio.
    """
    try:
        with Image.open(path, formats=("PNG",)) as image:
            text = image.info.get(CHUNK)
    except UnidentifiedImageError as error:
        raise ValueError(f"{path} is no PNG: give a file that this studio saved.") from error
    if text is None:
        raise ValueError(f"{path} holds no {CHUNK} text: it was not saved by this studio, or was re-encoded since.")
    return json.loads(text)


def write_ranking(path: Path, ranked: list[ScoredDesign], *, model: str) -> None:
    """Write the whole ranking as JSON, best first."""
    rows = [describe(scored, model=model) for scored in ranked]
    path.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def contact_sheet(sketch: np.ndarray, ranked: list[ScoredDesign]) -> Image.Image:
    """The sketch and the ranked designs side by side, with rank and scores beneath."""
    pictures = [Image.fromarray((255 - sketch * 255).round().astype(np.uint8)).convert("RGB")]
    labels = ["sketch"]
    for scored in ranked:
        pictures.append(Image.fromarray(scored.design.image))
        labels.append(
            f"#{scored.rank}  CLIP-I {scored.clip_i:.3f}  CLIP-T {scored.clip_t:.3f}  combined {scored.combined:.3f}"
        )
    width = len(pictures) * (IMAGE_WIDTH + GAP) + GAP
    sheet = Image.new("RGB", (width, IMAGE_HEIGHT + LABEL_HEIGHT + 2 * GAP), (GROUND,) * 3)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for number, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        left = GAP + number * (IMAGE_WIDTH + GAP)
        sheet.paste(picture, (left, GAP))
        pen.text((left + 4, GAP + IMAGE_HEIGHT + 10), label, fill=(40, 40, 40), font=font)
    return sheet

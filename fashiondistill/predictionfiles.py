"""The files of temporal inference, in the published form: pictures, captions_used.txt, metadata, statistics, sheets.

In: `Prediction`s. Out: files under the output folder. Knows nothing of models or data sets.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fashiondistill.config import GROUND, IMAGE_HEIGHT, IMAGE_WIDTH

METADATA, CAPTIONS, STATISTICS, PROGRESS = (
    "predictions_metadata.json", "captions_used.txt", "category_statistics.json", "progress.jsonl",
)  # fmt: skip
SHEETS = "contact_sheets"
# Heading of a line in captions_used.txt -> key of the metadata, in the published order.
LINES = {
    "Image": "prediction_file",
    "Product ID": "product_id",
    "Category": "category",
    "Approach": "mode",
    "Pipeline": "pipeline_used",
    "Generation Method": "generation_method",
    "Mask Type": "mask_type",
    "Detected Garment Category": "garment_category_detected",
    "Base Style (for reference only)": "base_style",
    "Final Generation Prompt": "style_prompt",
    "Temporal Weights": "temporal_weights",
    "Evolution Source": "evolution_source",
    "Evolution Base Text": "evolution_base_text",
    "Text Used for Evolution": "base_text_for_evolution",
    "Actual Text Source Product": "actual_text_source_product",
    "Actual Text Source Week": "actual_text_source_week",
}
TITLES = {
    "forecast": "Temporal inference, FORECAST mode: prompts from past weeks only",
    "oracle": "Temporal inference, ORACLE mode: prompts are the true captions of the week to come",
}
GAP, LABEL, LINE = 10, 34, 16  # pixels


@dataclass(frozen=True)
class Prediction:
    """One row of predictions_metadata.json: the published 17 keys, then ours.

    Attributes:
        mode: "forecast" or "oracle".
        week: key of the week of the base picture; target_week: of the week that is drawn.
        sources: word of the prompt -> articles that it came from; empty in oracle mode.
    """

    prediction_file: str
    style_prompt: str
    base_style: str
    base_image: str
    temporal_weights: tuple[float, ...]
    category: str
    product_id: str
    is_actual_next_week_text: bool
    mask_type: str
    garment_category_detected: str
    pipeline_used: str
    generation_method: str
    evolution_source: str
    evolution_base_text: str
    base_text_for_evolution: str
    actual_text_source_product: str
    actual_text_source_week: str
    mode: str
    week: str
    target_week: str
    seed: int
    sources: dict[str, tuple[str, ...]]


def write_picture(out: Path, name: str, picture: np.ndarray) -> None:
    """Write a JPEG so that a killed run leaves no half-written file."""
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    Image.fromarray(picture).save(part, format="JPEG", quality=95, subsampling=0)
    os.replace(part, path)


def note_done(out: Path, done: Sequence[Prediction]) -> None:
    """Append rows to progress.jsonl, once their pictures are written."""
    with open(out / PROGRESS, "a", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(one)) + "\n" for one in done)


def read_done(out: Path) -> dict[str, dict]:
    """Rows of an earlier run whose pictures are there, by prediction file; a line cut off by a kill does not count."""
    path = out / PROGRESS
    found: dict[str, dict] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if (out / row["prediction_file"]).is_file():
            found[row["prediction_file"]] = row
    return found


def write_tables(out: Path, rows: Sequence[dict], *, mode: str) -> None:
    """predictions_metadata.json, captions_used.txt and category_statistics.json."""
    counts = Counter(row["category"] for row in rows)
    _write(out / METADATA, json.dumps(list(rows), indent=2) + "\n")
    _write(out / STATISTICS, json.dumps(dict(sorted(counts.items())), indent=2) + "\n")
    lines = [TITLES[mode], "=" * 50, ""]
    for row in rows:
        shown = row | {"prediction_file": Path(row["prediction_file"]).name}
        lines += [f"{heading}: {_one_line(shown[key])}" for heading, key in LINES.items()]
        lines += ["-" * 40, ""]
    lines += [f"Total predictions: {len(rows)}", *(f"{name}: {count}" for name, count in sorted(counts.items()))]
    _write(out / CAPTIONS, "\n".join(lines) + "\n")


def write_sheet(out: Path, rows: Sequence[dict], *, name: str, title: str) -> None:
    """Base picture above prediction above its prompt for each row, under a title that names the mode."""
    width = len(rows) * (IMAGE_WIDTH // 2 + GAP) + GAP
    small_font = ImageFont.load_default(12)
    prompts = [_wrapped(row["style_prompt"], small_font, IMAGE_WIDTH // 2) for row in rows]
    foot = LINE * max(len(lines) for lines in prompts) + GAP
    sheet = Image.new("RGB", (max(width, 560), LABEL + 2 * (IMAGE_HEIGHT // 2 + GAP) + foot), (GROUND,) * 3)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    pen.text((GAP, 9), title, fill=(40, 40, 40), font=font)
    for number, row in enumerate(rows):
        left = GAP + number * (IMAGE_WIDTH // 2 + GAP)
        for place, path in enumerate((Path(row["base_image"]), out / row["prediction_file"])):
            with Image.open(path) as picture:
                small = picture.convert("RGB")
                small.thumbnail((IMAGE_WIDTH // 2, IMAGE_HEIGHT // 2))
            sheet.paste(small, (left, LABEL + place * (IMAGE_HEIGHT // 2 + GAP)))
        below = LABEL + 2 * (IMAGE_HEIGHT // 2 + GAP)
        for line, words in enumerate(prompts[number]):
            pen.text((left, below + line * LINE), words, fill=(40, 40, 40), font=small_font)
    path = out / SHEETS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    sheet.save(part, format="PNG")
    os.replace(part, path)


def _wrapped(text: str, font: ImageFont.ImageFont, width: int) -> list[str]:
    """Lines of at most `width` pixels, unless a single word is wider."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _one_line(value: object) -> str:
    return " ".join(str(value).split())


def _write(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)

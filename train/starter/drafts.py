"""python -m train.starter.drafts: articles for the demo catalogue, drawn by the starter model itself.

In: a pipeline folder and a prepared data set (for its sketches). Out: OUT/{article_id}.jpg, OUT/drafts.jsonl with
words and scores, OUT/sheet.jpg to look at. Of several candidates per article the one with the best CLIP-T whose
outline follows the sketch is kept. `train.starter.demo` makes the catalogue from what a person did not turn down.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from fashiondistill.cli import run_command, write_run
from fashiondistill.config import GenerateConfig, option, require
from fashiondistill.data.attributes import COLOURS, compose_caption
from fashiondistill.data.categories import CATEGORIES
from fashiondistill.data.drawings import KINDS
from fashiondistill.data.vitonhd import DRAWING, ArticleRecord, read_article, read_manifest
from fashiondistill.diffusion.loading import load_pipeline
from fashiondistill.diffusion.pipeline import GarmentPipeline
from fashiondistill.images import tile
from fashiondistill.scoring import ClipScorer
from train.starter.figures import iou, mask_on_ground

PATTERN_SHARES = {"plain": 0.6, "striped": 0.14, "checked": 0.1, "patterned": 0.16}
# What a shop would sell: bright greens and purples are rarer than navy and beige.
COLOUR_SHARES = {
    "black": 3, "navy": 3, "white": 2, "beige": 3, "grey": 2, "denim blue": 2, "burgundy": 2, "light blue": 2,
}  # fmt: skip
OUTLINE_FLOOR = 0.85  # below this the score is cut: a garment that left its sketch is no article
FIRST_ID = 100_000_000  # the last three digits are H&M's colourway, so every draft is a design of its own


@dataclass(frozen=True)
class DraftsConfig:
    """What the articles are drawn from."""

    model: str = option("", "pipeline folder with clip/")
    dataset_path: str = option("", "prepared data set whose sketches are used")
    out: str = option("", "folder to write")
    drafts_per_category: int = option(40, "articles drawn per category")
    num_candidates: int = option(4, "candidates per article, of which one is kept")
    num_inference_steps: int = option(GenerateConfig.num_inference_steps, "denoising steps")
    guidance_scale: float = option(GenerateConfig.guidance_scale, "classifier-free guidance")
    seed: int = option(7, "seed of words, sketches and noise")
    device: str = option("auto", "where to run", choices=("auto", "cpu", "cuda"))

    def __post_init__(self) -> None:
        for name in ("model", "dataset_path", "out"):
            require(bool(getattr(self, name)), name, repr(getattr(self, name)), "give a folder.")
        for name in ("drafts_per_category", "num_candidates"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "choose at least 1.")


def choose_sketches(records: list[ArticleRecord], count: int, rng: np.random.Generator) -> list[ArticleRecord]:
    """`count` records, spread evenly over the garments of a category."""
    by_garment: dict[str, list[ArticleRecord]] = {}
    for record in records:
        by_garment.setdefault(record.garment, []).append(record)
    queues = [[group[i] for i in rng.permutation(len(group))] for group in by_garment.values()]
    chosen: list[ArticleRecord] = []
    while len(chosen) < count and any(queues):
        chosen += [queue.pop() for queue in queues if queue]
    return chosen[:count]


def choose_words(garment: str, rng: np.random.Generator) -> tuple[tuple[str, ...], str]:
    """Colours and pattern for a garment, by the shares above."""
    allowed = KINDS[garment].patterns if garment in KINDS else tuple(PATTERN_SHARES)
    patterns = [word for word in PATTERN_SHARES if word in allowed]
    shares = np.array([PATTERN_SHARES[word] for word in patterns])
    pattern = str(rng.choice(patterns, p=shares / shares.sum()))
    weights = np.array([COLOUR_SHARES.get(colour.word, 1) for colour in COLOURS], float)
    count = 1 if pattern == "plain" else 2
    words = rng.choice([c.word for c in COLOURS], size=count, replace=False, p=weights / weights.sum())
    return tuple(str(word) for word in words), pattern


def draw_draft(
    number: int, record: ArticleRecord, config: DraftsConfig, models: tuple[GarmentPipeline, ClipScorer]
) -> tuple[dict, np.ndarray]:
    """Give a sketch new words, draw candidates; returns the best one's description and picture."""
    pipeline, scorer = models
    rng = np.random.default_rng((config.seed, number))
    colours, pattern = choose_words(record.garment, rng)
    caption = compose_caption(colours=list(colours), pattern=pattern, garment=record.garment)
    pictures = read_article(Path(config.dataset_path), record)
    generators = [torch.Generator().manual_seed(int(rng.integers(2**62))) for _ in range(config.num_candidates)]
    result = pipeline(
        caption,
        pictures.sketch.astype(np.float32) / 255,
        num_inference_steps=config.num_inference_steps,
        guidance_scale=config.guidance_scale,
        generator=generators,
    )
    images = [np.asarray(image) for image in result.images]
    clip_t = scorer.embed_images(images) @ scorer.embed_texts([caption])[0]
    outline = np.array([iou(mask_on_ground(image), pictures.mask > 0) for image in images])
    score = clip_t - 2.0 * np.maximum(0, OUTLINE_FLOOR - outline)
    best = int(score.argmax())
    description = {
        "article_id": f"{FIRST_ID + 1000 * number + 1:010d}",
        "category": record.category,
        "garment": record.garment,
        "colours": list(colours),
        "pattern": pattern,
        "caption": caption,
        "clip_t": round(float(clip_t[best]), 4),
        "outline_iou": round(float(outline[best]), 4),
        "score": round(float(score[best]), 4),
        "sketch_of": record.source,
    }
    return description, images[best]


def draw_drafts(config: DraftsConfig) -> int:
    """Draw and write all articles; returns their number.

    Raises:
        FileNotFoundError, ValueError: if model or data set are missing or damaged.
    """
    rng, out = np.random.default_rng(config.seed), Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    model = Path(config.model)
    models = load_pipeline(model, config.device), ClipScorer.load(model / "clip", config.device)
    models[0].set_progress_bar_config(disable=True)
    records = [record for record in read_manifest(Path(config.dataset_path)) if record.score >= 0.95]
    jobs: list[ArticleRecord] = []
    for category in CATEGORIES:
        own = [record for record in records if record.category == category.folder]
        drawn, photos = [r for r in own if r.sender == DRAWING], [r for r in own if r.sender != DRAWING]
        from_drawings = (
            config.drafts_per_category if not photos else config.drafts_per_category * 3 // 4 if drawn else 0
        )
        jobs += choose_sketches(drawn, from_drawings, rng)
        jobs += choose_sketches(photos, config.drafts_per_category - from_drawings, rng)
    pictures = []
    with open(out / "drafts.jsonl", "w", encoding="utf-8") as handle:
        for number, job in enumerate(tqdm(jobs, desc="drawing", unit="article")):
            description, picture = draw_draft(number, job, config, models)
            handle.write(json.dumps(description) + "\n")
            Image.fromarray(picture).save(out / f"{description['article_id']}.jpg", quality=90, subsampling=0)
            pictures.append(picture[::2, ::2])
    Image.fromarray(tile(pictures, columns=20)).save(out / "sheet.jpg", quality=85)
    write_run(out, config)
    return len(jobs)


def _report(config: DraftsConfig) -> str:
    return f"drafts: {draw_drafts(config)} articles -> {config.out}"


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    return run_command(
        argv, _report, DraftsConfig, prog="python -m train.starter.drafts", description=__doc__.splitlines()[0]
    )


if __name__ == "__main__":
    sys.exit(main())

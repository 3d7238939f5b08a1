"""python -m train.starter.demo: the bundled demo catalogue, drawn by the starter model itself.

In: a pipeline folder and a prepared data set (for its sketches). Out: OUT/images in H&M's layout, articles.csv,
customers.csv, transactions, truth.json and sheet.jpg to look at. Of several candidates per article the one with the
best CLIP-T whose outline follows the sketch is kept.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from fashiondistill.cli import add_flags, config_from, write_run
from fashiondistill.config import CatalogueConfig, GenerateConfig, option, require
from fashiondistill.data.attributes import COLOURS, compose_caption
from fashiondistill.data.catalogue import ArticleSpec, image_path, make_catalogue
from fashiondistill.data.categories import CATEGORIES
from fashiondistill.data.drawings import KINDS
from fashiondistill.data.vitonhd import DRAWING, ArticleRecord, read_article, read_manifest
from fashiondistill.design import Design, DesignRequest
from fashiondistill.diffusion.pipeline import GarmentPipeline, load_pipeline
from fashiondistill.scoring import ClipScorer
from train.starter.evaluate import tile
from train.starter.figures import iou, mask_on_ground

PATTERN_SHARES = {"plain": 0.6, "striped": 0.14, "checked": 0.1, "patterned": 0.16}
# What a shop would sell: bright greens and purples are rarer than navy and beige.
COLOUR_SHARES = {
    "black": 3,
    "navy": 3,
    "white": 2,
    "beige": 3,
    "grey": 2,
    "denim blue": 2,
    "burgundy": 2,
    "light blue": 2,
}
OUTLINE_FLOOR = 0.85


@dataclass(frozen=True)
class DemoConfig:
    """What the catalogue is made from."""

    model: str = option("", "pipeline folder with clip/")
    dataset_path: str = option("", "prepared data set whose sketches are used")
    out: str = option("", "folder to write")
    drafts_per_category: int = option(32, "articles drawn per category; the best --articles_per_category are kept")
    reject: str = option("", "text file with article ids that a person turned down, one a line")
    device: str = option("auto", "where to run", choices=("auto", "cpu", "cuda"))

    def __post_init__(self) -> None:
        for name in ("model", "dataset_path", "out"):
            require(bool(getattr(self, name)), name, repr(getattr(self, name)), "give a folder.")


@dataclass(frozen=True, eq=False)
class Draft:
    """An article before the choice: its words, its picture and how good it is."""

    spec: ArticleSpec
    picture: np.ndarray
    score: float


def choose_sketches(records: list[ArticleRecord], count: int, rng: np.random.Generator) -> list[ArticleRecord]:
    """`count` records, spread evenly over the garments of a category."""
    by_garment: dict[str, list[ArticleRecord]] = {}
    for record in records:
        by_garment.setdefault(record.garment, []).append(record)
    queues = [list(rng.permutation(np.array(group, dtype=object))) for group in by_garment.values()]
    chosen: list[ArticleRecord] = []
    while len(chosen) < count and any(queues):
        chosen += [queue.pop() for queue in queues if queue]
    return chosen[:count]


def draw_draft(
    number: int, record: ArticleRecord, root: Path, models: tuple[GarmentPipeline, ClipScorer], rng: np.random.Generator
) -> Draft:
    """Give a sketch new words, draw candidates and keep the best."""
    pipeline, scorer = models
    allowed = KINDS[record.garment].patterns if record.garment in KINDS else tuple(PATTERN_SHARES)
    patterns = [word for word in PATTERN_SHARES if word in allowed]
    shares = np.array([PATTERN_SHARES[word] for word in patterns])
    pattern = str(rng.choice(patterns, p=shares / shares.sum()))
    weights = np.array([COLOUR_SHARES.get(colour.word, 1) for colour in COLOURS], float)
    count = 1 if pattern in ("plain", "patterned") else 2
    colours = tuple(
        str(w) for w in rng.choice([c.word for c in COLOURS], size=count, replace=False, p=weights / weights.sum())
    )
    caption = compose_caption(colours=list(colours), pattern=pattern, garment=record.garment)
    pictures = read_article(root, record)
    sketch = pictures.sketch.astype(np.float32) / 255
    settings = GenerateConfig(num_candidates=4, num_inference_steps=20)
    request = DesignRequest(record.category, "2020-W10", caption, sketch, seed=number, config=settings)
    images = [event.image for event in pipeline.stream(request) if isinstance(event, Design)]
    clip_t = scorer.embed_images(images) @ scorer.embed_texts([caption])[0]
    outline = np.array([iou(mask_on_ground(image), pictures.mask > 0) for image in images])
    score = clip_t - 2.0 * np.maximum(0, OUTLINE_FLOOR - outline)
    best = int(score.argmax())
    spec = ArticleSpec(f"{100_000_000 + number:010d}", record.category, record.garment, colours, pattern, caption)
    return Draft(spec, images[best], float(score[best]))


def make_demo(config: DemoConfig, catalogue: CatalogueConfig) -> list[Draft]:
    """Draw, choose and write the catalogue.

    Raises:
        FileNotFoundError, ValueError: if model, data set or reject list are missing or too small.
    """
    rng = np.random.default_rng(catalogue.seed)
    root, out = Path(config.dataset_path), Path(config.out)
    rejected = set(Path(config.reject).read_text(encoding="utf-8").split()) if config.reject else set()
    models = (
        load_pipeline(Path(config.model), config.device),
        ClipScorer.load(Path(config.model) / "clip", config.device),
    )
    records = read_manifest(root)
    jobs: list[ArticleRecord] = []
    for category in CATEGORIES:
        own = [r for r in records if r.category == category.folder and r.score >= 0.95]
        drawn, photos = [r for r in own if r.sender == DRAWING], [r for r in own if r.sender != DRAWING]
        half = config.drafts_per_category if not photos else config.drafts_per_category * 2 // 3 if drawn else 0
        jobs += choose_sketches(drawn, half, rng) + choose_sketches(photos, config.drafts_per_category - half, rng)
    drafts = [draw_draft(n, job, root, models, rng) for n, job in enumerate(tqdm(jobs, desc="drawing", unit="article"))]
    kept: list[Draft] = []
    for category in CATEGORIES:
        own = [d for d in drafts if d.spec.category == category.folder and d.spec.article_id not in rejected]
        own.sort(key=lambda draft: -draft.score)
        if len(own) < catalogue.articles_per_category:
            raise ValueError(f"--drafts_per_category {config.drafts_per_category}: too few are left. Draw more.")
        kept += own[: catalogue.articles_per_category]
    if out.exists():
        shutil.rmtree(out)
    for draft in kept:
        path = image_path(out, draft.spec.article_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draft.picture).save(path, quality=88)
    make_catalogue(catalogue, out, articles=[draft.spec for draft in kept], transactions_format="parquet")
    Image.fromarray(tile([draft.picture[::2, ::2] for draft in kept], columns=12)).save(out / "sheet.jpg", quality=85)
    index = [[draft.spec.article_id, draft.spec.caption, round(draft.score, 3)] for draft in kept]
    (out / "sheet.json").write_text(json.dumps(index, indent=0) + "\n", encoding="utf-8")
    write_run(out, config, catalogue)
    return kept


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    parser = argparse.ArgumentParser(prog="python -m train.starter.demo", description=__doc__.splitlines()[0])
    add_flags(parser, DemoConfig)
    add_flags(parser, CatalogueConfig)
    arguments = parser.parse_args(argv)
    try:
        kept = make_demo(config_from(arguments, DemoConfig), config_from(arguments, CatalogueConfig))
    except (ValueError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"catalogue: {len(kept)} articles -> {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

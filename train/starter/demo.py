"""python -m train.starter.demo: the bundled demo catalogue, from drafts that a person has looked at.

In: the folder of train.starter.drafts and the ids that were turned down. Out: a catalogue in H&M's layout
(articles.csv, customers.csv, transactions_train.parquet, truth.json, images/), sold with known trends.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from fashiondistill.cli import run_command
from fashiondistill.config import CatalogueConfig, option, require
from fashiondistill.data.articles import ArticleSpec
from fashiondistill.data.catalogue import make_catalogue
from fashiondistill.data.categories import CATEGORIES
from fashiondistill.data.shop import image_path

JPEG_QUALITY = 82  # 512 x 384 in about 12 KB; tiles on the page are smaller


@dataclass(frozen=True)
class DemoConfig:
    """Which drafts become articles."""

    drafts: str = option("", "folder of train.starter.drafts")
    out: str = option("", "catalogue folder to write; its images are replaced")
    reject: str = option("", "text file with the article ids turned down by eye, one a line")

    def __post_init__(self) -> None:
        for name in ("drafts", "out"):
            require(bool(getattr(self, name)), name, repr(getattr(self, name)), "give a folder.")


def choose(drafts: list[dict], rejected: set[str], count: int) -> list[dict]:
    """The `count` best-scored drafts of each category that were not turned down, the garments mixed.

    Raises:
        ValueError: if a category has fewer left than `count`, or an id turned down is unknown.
    """
    unknown = rejected - {draft["article_id"] for draft in drafts}
    if unknown:
        raise ValueError(f"--reject names {sorted(unknown)[0]}, which is no draft. Correct the list.")
    chosen = []
    for category in CATEGORIES:
        own = [d for d in drafts if d["category"] == category.folder and d["article_id"] not in rejected]
        if len(own) < count:
            raise ValueError(f"{category.folder} has {len(own)} drafts left, {count} are needed: draw more drafts.")
        own.sort(key=lambda draft: -draft["score"])
        order: dict[str, int] = {}
        places = []
        for draft in own:  # the first of every garment, then the second of every garment, and so on
            places.append(order.setdefault(draft["garment"], 0))
            order[draft["garment"]] += 1
        ranked = sorted(range(len(own)), key=lambda i: (places[i], -own[i]["score"]))
        chosen += [own[i] for i in ranked[:count]]
    return chosen


def make_demo(config: DemoConfig, catalogue: CatalogueConfig) -> int:
    """Write pictures and sales; returns the number of articles."""
    drafts, out = Path(config.drafts), Path(config.out)
    listing = drafts / "drafts.jsonl"
    if not listing.is_file():
        raise FileNotFoundError(f"{listing} is missing: run python -m train.starter.drafts first.")
    rows = [json.loads(line) for line in listing.read_text(encoding="utf-8").splitlines()]
    rejected = set(Path(config.reject).read_text(encoding="utf-8").split()) if config.reject else set()
    chosen = choose(rows, rejected, catalogue.articles_per_category)
    shutil.rmtree(out / "images", ignore_errors=True)
    specs = []
    for row in chosen:
        path = image_path(out, row["article_id"])
        path.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(drafts / f"{row['article_id']}.jpg") as picture:
            picture.save(path, quality=JPEG_QUALITY, optimize=True)
        names = ("article_id", "category", "garment", "pattern", "caption")
        specs.append(ArticleSpec(**{name: row[name] for name in names}, colours=tuple(row["colours"])))
    make_catalogue(catalogue, out, articles=specs, transactions_format="parquet")
    return len(specs)


def _report(config: DemoConfig, catalogue: CatalogueConfig) -> str:
    return f"demo: {make_demo(config, catalogue)} articles -> {config.out}"


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    return run_command(
        argv,
        _report,
        DemoConfig,
        CatalogueConfig,
        prog="python -m train.starter.demo",
        description=__doc__.splitlines()[0],
    )


if __name__ == "__main__":
    sys.exit(main())

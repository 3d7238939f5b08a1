"""Articles that come with pictures: drawn garments, or the photos of a prepared data set.

In: `CatalogueConfig` and a catalogue folder. Out: `ArticleSpec`s to sell, their pictures written in H&M's layout.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from fashiondistill.config import CatalogueConfig
from fashiondistill.data.articles import ArticleSpec, stream
from fashiondistill.data.attributes import COLOURS
from fashiondistill.data.categories import CATEGORIES
from fashiondistill.data.drawings import KINDS, draw_garment
from fashiondistill.data.shop import image_path
from fashiondistill.data.vitonhd import article_path, read_manifest

NONE, DRAWN = "none", "drawn"
FIRST_DRAWN = 800_000_000


def draw_articles(config: CatalogueConfig, folder: Path) -> list[ArticleSpec]:
    """Draw `config.articles_per_category` garments of each category and write their pictures below `folder`."""
    rng = stream(config, "drawn")
    specs = []
    for category in CATEGORIES:
        kinds = [kind for kind, about in KINDS.items() if about.category == category.folder]
        for number in range(config.articles_per_category):
            kind = kinds[number % len(kinds)]
            pattern = str(rng.choice(KINDS[kind].patterns))
            words = rng.choice([colour.word for colour in COLOURS], 1 if pattern == "plain" else 2, replace=False)
            colours = tuple(str(word) for word in words)
            drawn = draw_garment(kind, colours=colours, pattern=pattern, seed=int(rng.integers(2**31)))
            article_id = f"{FIRST_DRAWN + 1000 * len(specs) + 1:010d}"
            path = _place(folder, article_id)
            Image.fromarray(drawn.image).save(path, quality=90)
            specs.append(ArticleSpec(article_id, category.folder, kind, colours, pattern, drawn.caption))
    return specs


def articles_of_dataset(root: Path, config: CatalogueConfig, folder: Path) -> list[ArticleSpec]:
    """Take up to `config.articles_per_category` articles of each category from a prepared data set.

    Raises:
        FileNotFoundError: if `root` is no prepared data set, or a picture is missing.
    """
    rng = stream(config, "dataset")
    records = read_manifest(root)
    specs = []
    for category in CATEGORIES:
        own = [record for record in records if record.category == category.folder]
        for index in np.sort(rng.permutation(len(own))[: config.articles_per_category]):
            record = own[index]
            shutil.copyfile(article_path(root, record, "images"), _place(folder, record.article_id))
            specs.append(
                ArticleSpec(
                    record.article_id, record.category, record.garment, record.colours, record.pattern, record.caption
                )
            )
    return specs


def _place(folder: Path, article_id: str) -> Path:
    path = image_path(folder, article_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path

"""Drawn garments as a data set: what the photos lack (underwear, bags, scarves, belts, jewellery), with exact captions.

In: a number and a seed. Out: the layout of `data.vitonhd`, added to the photos that the folder already holds. Drawings
of an earlier run with another number or seed are taken out, with their files.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from tqdm import tqdm

from fashiondistill.config import PrepareDrawingsConfig
from fashiondistill.data.attributes import COLOUR_BY_WORD, COLOURS
from fashiondistill.data.drawings import KINDS, TRAINING_KINDS, draw_garment
from fashiondistill.data.vitonhd import (
    DRAWING,
    UNDATED,
    ArticlePictures,
    ArticleRecord,
    read_manifest,
    remove_article,
    write_article,
    write_manifest,
)
from fashiondistill.data.workers import run_all

FIRST_ID = 900_000_000  # photo ids are hashes below 10^9 and may lie here too; a clash is refused
PATTERN_SHARES = {"plain": 0.6, "striped": 0.12, "checked": 0.08, "patterned": 0.15, "printed": 0.05}
SPLIT_OF_ROUND = {8: "val", 9: "test"}  # of twenty rounds over all kinds; the rest train


def prepare_drawings(config: PrepareDrawingsConfig) -> list[ArticleRecord]:
    """Draw, write and list the garments; drawings of an earlier run are replaced, those that are too many are deleted.

    Before the first is drawn, the manifest forgets whatever the run will change: were it killed, an old caption would
    else stand beside a new picture.

    Raises:
        ValueError: if a photo of the data set has an id that a drawing needs.
    """
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    present = read_manifest(out) if (out / "manifest.jsonl").is_file() else []
    photos = [record for record in present if record.sender != DRAWING]
    captions = _captions_of(out, photos)
    clash = {r.article_id for r in photos} & {_article_id(number) for number in range(config.num_drawings)}
    if clash:
        raise ValueError(f"--num_drawings {config.num_drawings}: ids {sorted(clash)[:3]} belong to photos. Draw fewer.")
    same = {(_article_id(number), _source(number, config.seed)) for number in range(config.num_drawings)}
    stale = [r for r in present if r.sender == DRAWING and (r.article_id, r.source) not in same]
    if stale:
        for record in stale:
            remove_article(out, record)
        write_manifest(
            out, [r for r in present if r.sender != DRAWING or (r.article_id, r.source) in same], captions=captions
        )
    jobs = [(number, config.seed, out) for number in range(config.num_drawings)]
    results = run_all(_draw_one, jobs, num_workers=config.num_workers)
    records = list(tqdm(results, total=len(jobs), desc="drawing", unit="garment"))
    write_manifest(out, [*photos, *records], captions=captions)
    return records


def split_of(number: int) -> str:
    """Split of drawing `number`; kinds follow each other, so that each kind has its share in every split."""
    return SPLIT_OF_ROUND.get(number // len(TRAINING_KINDS) % 20, "train")


def _captions_of(out: Path, records: list[ArticleRecord]) -> dict[str, list[str]]:
    """What captions.json says of articles: a shop's own words stand there and nowhere else."""
    if not records:
        return {}
    words = json.loads((out / "captions.json").read_text(encoding="utf-8"))
    return {record.article_id: words[record.article_id] for record in records}


def _article_id(number: int) -> str:
    return f"{FIRST_ID + number:010d}"


def _source(number: int, seed: int) -> str:
    return f"drawing:{TRAINING_KINDS[number % len(TRAINING_KINDS)]}:{seed}:{number}"


def _draw_one(job: tuple[int, int, Path]) -> ArticleRecord:
    number, seed, out = job
    rng = np.random.default_rng((seed, number))
    kind = TRAINING_KINDS[number % len(TRAINING_KINDS)]
    patterns = KINDS[kind].patterns
    shares = np.array([PATTERN_SHARES[word] for word in patterns])
    pattern = str(rng.choice(patterns, p=shares / shares.sum()))
    count = 1 if pattern == "plain" else 2
    colours = tuple(str(word) for word in rng.choice([c.word for c in COLOURS], size=count, replace=False))
    drawn = draw_garment(kind, colours=colours, pattern=pattern, seed=int(rng.integers(2**31)))
    record = ArticleRecord(
        article_id=_article_id(number),
        split=split_of(number),
        category=drawn.category,
        week=UNDATED,
        garment=drawn.garment,
        caption=drawn.caption,
        colours=colours,
        colour_rgb=tuple(COLOUR_BY_WORD[word].rgb for word in colours),
        pattern=pattern,
        source=_source(number, seed),
        sender=DRAWING,
        score=1.0,
    )
    write_article(out, record, ArticlePictures(image=drawn.image, sketch=drawn.sketch, mask=drawn.mask))
    return record

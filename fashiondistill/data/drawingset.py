"""Drawn garments as a data set, with exact captions: most of the categories that photos lack, some of every other.

In: a number, shares and a seed. Out: the layout of `data.vitonhd`, added to the photos that the folder already holds.
What is finished stands in drawn.jsonl, so that a run that was stopped goes on. Drawings of an earlier run with another
number, seed or shares are taken out, with their files.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
from tqdm import tqdm

from fashiondistill.config import PrepareDrawingsConfig
from fashiondistill.data.attributes import COLOUR_BY_WORD, COLOURS
from fashiondistill.data.categories import CATEGORIES
from fashiondistill.data.drawings import KINDS, draw_garment
from fashiondistill.data.vitonhd import (
    DRAWING,
    KINDS_OF_FILE,
    UNDATED,
    ArticlePictures,
    ArticleRecord,
    article_path,
    read_manifest,
    record_from_json,
    remove_article,
    write_article,
    write_manifest,
    write_text,
)
from fashiondistill.data.workers import run_all

FIRST_ID = 900_000_000  # photo ids are hashes below 10^9 and may lie here too; a clash is refused
FINISHED = "drawn.jsonl"
GENERATION = "curves1"  # stands in the source; a change of how garments look takes another word, and all are redrawn
PATTERN_SHARES = {"plain": 0.52, "striped": 0.14, "checked": 0.1, "patterned": 0.15, "printed": 0.09}
SPLIT_OF_ROUND = {8: "val", 9: "test"}  # of twenty rounds over the kinds of a category; the rest train


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
    wanted = {_article_id(n): _source(n, config) for n in range(config.num_drawings)}
    earlier = {record.article_id: record for record in (*present, *_finished(out)) if record.sender == DRAWING}
    kept = {i: r for i, r in earlier.items() if wanted.get(i) == r.source and _is_whole(out, r)}
    for record in earlier.values():
        if record.article_id not in kept:
            remove_article(out, record)
    write_text(out / FINISHED, "".join(map(_as_line, kept.values())))
    write_manifest(out, [*photos, *(r for r in present if r.article_id in kept)], captions=captions)
    jobs = [(number, config, out) for number in range(config.num_drawings) if _article_id(number) not in kept]
    for record in _drawn(jobs, config, len(kept)):
        kept[record.article_id] = record
    records = [kept[article_id] for article_id in wanted]
    write_manifest(out, [*photos, *records], captions=captions)
    return records


def _drawn(jobs: list[tuple[int, PrepareDrawingsConfig, Path]], config: PrepareDrawingsConfig, done: int) -> Iterator:
    """Draw on all cores; every garment is noted as soon as its files are written."""
    results = run_all(_draw_one, jobs, num_workers=config.num_workers)
    with open(Path(config.out) / FINISHED, "a", encoding="utf-8") as handle:
        for record in tqdm(results, total=config.num_drawings, initial=done, desc="drawing", unit="garment"):
            handle.write(_as_line(record))
            handle.flush()
            yield record


def _finished(out: Path) -> list[ArticleRecord]:
    """What an earlier run noted; a last line that was cut off when it was killed is left out."""
    if not (out / FINISHED).is_file():
        return []
    text = (out / FINISHED).read_text(encoding="utf-8")
    return [record_from_json(json.loads(line)) for line in text[: text.rfind("\n") + 1].splitlines()]


def _as_line(record: ArticleRecord) -> str:
    return json.dumps(dataclasses.asdict(record)) + "\n"


def _is_whole(out: Path, record: ArticleRecord) -> bool:
    return all(article_path(out, record, kind).is_file() for kind in KINDS_OF_FILE)


@cache
def _order(shares: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """Category and its count so far, for each place of one round of sum(shares) drawings, well mixed."""
    total, given, order = sum(shares), [0] * len(shares), []
    for place in range(total):
        owed = [share * (place + 1) / total - count for share, count in zip(shares, given, strict=True)]
        category = int(np.argmax(owed))
        order.append((category, given[category]))
        given[category] += 1
    return tuple(order)


def place_of(number: int, shares: tuple[int, ...]) -> tuple[str, str]:
    """Kind and split of drawing `number`; it does not depend on how many are drawn.

    The kinds of a category follow each other, so that each has its share in every split.
    """
    order = _order(shares)
    category, count = order[number % len(order)]
    count += number // len(order) * shares[category]
    kinds = [kind for kind, made in KINDS.items() if made.category == CATEGORIES[category].folder]
    return kinds[count % len(kinds)], SPLIT_OF_ROUND.get(count // len(kinds) % 20, "train")


def describe(records: list[ArticleRecord]) -> str:
    """Counts by category in words."""
    counts = Counter(record.category for record in records)
    return ", ".join(f"{counts[c.folder]} {c.title.lower()}" for c in CATEGORIES if counts[c.folder])


def _captions_of(out: Path, records: list[ArticleRecord]) -> dict[str, list[str]]:
    """What captions.json says of articles: a shop's own words stand there and nowhere else."""
    if not records:
        return {}
    words = json.loads((out / "captions.json").read_text(encoding="utf-8"))
    return {record.article_id: words[record.article_id] for record in records}


def _article_id(number: int) -> str:
    return f"{FIRST_ID + number:010d}"


def _source(number: int, config: PrepareDrawingsConfig) -> str:
    return f"drawing:{place_of(number, config.shares)[0]}:{config.seed}:{number}:{GENERATION}"


def _draw_one(job: tuple[int, PrepareDrawingsConfig, Path]) -> ArticleRecord:
    number, config, out = job
    rng = np.random.default_rng((config.seed, number))
    kind, split = place_of(number, config.shares)
    patterns = KINDS[kind].patterns
    shares = np.array([PATTERN_SHARES[word] for word in patterns])
    pattern = str(rng.choice(patterns, p=shares / shares.sum()))
    count = 1 if pattern == "plain" else 2
    colours = tuple(str(word) for word in rng.choice([c.word for c in COLOURS], size=count, replace=False))
    drawn = draw_garment(kind, colours=colours, pattern=pattern, seed=int(rng.integers(2**31)))
    record = ArticleRecord(
        article_id=_article_id(number),
        split=split,
        category=drawn.category,
        week=UNDATED,
        garment=drawn.garment,
        caption=drawn.caption,
        colours=colours,
        colour_rgb=tuple(COLOUR_BY_WORD[word].rgb for word in colours),
        pattern=pattern,
        source=_source(number, config),
        sender=DRAWING,
        score=1.0,
    )
    write_article(out, record, ArticlePictures(image=drawn.image, sketch=drawn.sketch, mask=drawn.mask))
    return record

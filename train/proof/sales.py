"""Prepared photos -> simulated markets -> the pictures that sell best, split by week and by sender.

In: a data set of `fashiondistill.prepare photos` (photos only: drawings, and pictures that a model made, have no sender
who is a person). Out: OUT/data/stock: each bestseller's files once, placements.csv, market.json.

A market sells all photos; its weekly top-k is ranked among the photos of training senders up to --train_end, of
validation senders up to --val_end and of test senders after it. So neither a held-out week nor a held-out sender is in
training, while trends, which belong to words, go on through all three. Markets follow one another on the calendar, far
enough apart that no look back reaches another one; their seeds differ, and with them trends and popularity. More than
one is needed because few articles are ever among the top 5: 234 of 1,691 training photos in one market (docs/LOG.md).
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from fashiondistill.config import CatalogueConfig
from fashiondistill.data.articles import ArticleSpec
from fashiondistill.data.assortment import read_articles
from fashiondistill.data.bestsellers import Ranking, weekly_bestsellers, weekly_units_and_days
from fashiondistill.data.catalogue import make_catalogue
from fashiondistill.data.vitonhd import (
    DRAWING,
    KINDS_OF_FILE,
    SPLITS,
    UNDATED,
    ArticleRecord,
    article_path,
    read_manifest,
    write_text,
)
from fashiondistill.data.weeks import DAYS_PER_WEEK, Splits, Week
from train.proof.market import FORMAT, MARKET, PLACEMENTS, Placement, read_market, settings_of
from train.proof.settings import ProofConfig

FIRST_SEED = 100  # of the first market; no other part of the project sells with these seeds
WEEKS_APART = 156  # three years: a market lasts 105 weeks, and the season stays what it is


def make_stock(config: ProofConfig) -> dict:
    """Simulate, rank, and copy what sells best; returns market.json.

    Raises:
        FileNotFoundError, ValueError: if there are no photos, a split has no bestseller, or the stock in the folder was
            made with other settings.
    """
    found = read_market(config)
    if found is not None:
        return found
    if not config.dataset_path:
        raise ValueError("--dataset_path '' is not usable: give prepared photos, for no sales are simulated yet.")
    records = photos_of(Path(config.dataset_path))
    placements, markets = [], []
    for number in range(config.markets):
        own, about = _sell(config, number, records)
        placements += own
        markets.append(about)
    _check_splits(placements)
    _write_stock(config, records, placements)
    about = {
        "format": FORMAT,
        "settings": settings_of(config),
        "markets": markets,
        "counts": _counts(records, placements),
    }
    write_text(config.stock / MARKET, json.dumps(about, indent=1) + "\n")
    return about


def photos_of(root: Path) -> dict[str, ArticleRecord]:
    """Article id -> photo of a prepared data set.

    Raises:
        FileNotFoundError, ValueError: if there is none, or a sender is in two splits.
    """
    records = {r.article_id: r for r in read_manifest(root) if r.sender != DRAWING and r.week == UNDATED}
    if not records:
        raise ValueError(
            f"--dataset_path {root} holds no photos: make it with python -m fashiondistill.prepare photos."
        )
    senders = {split: {r.sender for r in records.values() if r.split == split} for split in SPLITS}
    for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
        both = senders[one] & senders[other]
        if both:
            raise ValueError(f"--dataset_path {root}: sender {min(both)} is in {one} and in {other}. Prepare it anew.")
    return records


def _sell(config: ProofConfig, number: int, records: dict[str, ArticleRecord]) -> tuple[list[Placement], dict]:
    """One market: its placements on the common calendar, and what was true of it."""
    specs = [
        ArticleSpec(r.article_id, r.category, r.garment, r.colours, r.pattern, r.caption)
        for r in sorted(records.values(), key=lambda record: record.article_id)
    ]
    folder = config.out / "data" / f"sales_{number}"
    seed = FIRST_SEED + number
    made = CatalogueConfig(num_transactions=config.num_transactions, seed=seed)
    truth = make_catalogue(made, folder, articles=specs, transactions_format="parquet")
    units, days, _ = weekly_units_and_days(folder, cache_dir=folder / "cache")
    articles = read_articles(folder).frame
    whole = [key for key, count in days.items() if count == DAYS_PER_WEEK]
    splits = Splits(Week.parse(config.train_end), Week.parse(config.val_end))
    ranking = Ranking(top_k=config.top_k, rank_by="units", dedupe="article")
    shift = -WEEKS_APART * (config.markets - 1 - number)
    placements = []
    for split in SPLITS:
        ids = [record.article_id for record in records.values() if record.split == split]
        own = [key for key in whole if splits.of(Week.parse(key)) == split]
        rows = units.filter(pl.col("article_id").is_in(ids) & pl.col("week").is_in(own))
        for row in weekly_bestsellers(rows, articles, ranking=ranking).iter_rows(named=True):
            week = Week.parse(row["week"]).shift(shift)
            place = (row["rank"], row["article_id"], row["units"])
            placements.append(Placement(number, split, row["category"], week, *place))
    shutil.rmtree(folder / "cache", ignore_errors=True)
    trends = [dataclasses.asdict(trend) for trend in truth.trends]
    return placements, {"seed": seed, "weeks_shifted": shift, "trends": trends}


def _check_splits(placements: Sequence[Placement]) -> None:
    for split in SPLITS:
        if not any(one.split == split for one in placements):
            raise ValueError(
                f"no photo of split {split} sold: choose other --train_end and --val_end, more --num_transactions, or "
                "prepare more photos."
            )


def _write_stock(config: ProofConfig, records: dict[str, ArticleRecord], placements: Sequence[Placement]) -> None:
    sold = sorted({one.article_id for one in placements})
    root = Path(config.dataset_path)
    for one in (one for one in sold if records[one].split in config.stock_splits):
        for kind in KINDS_OF_FILE:
            path = article_path(config.stock, records[one], kind)
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(article_path(root, records[one], kind), path)
    lines = [json.dumps(dataclasses.asdict(records[one])) + "\n" for one in sold]
    write_text(config.stock / "manifest.jsonl", "".join(lines))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([entry.name for entry in dataclasses.fields(Placement)])
    for one in placements:
        place = (one.market, one.split, one.category, one.week.key, one.rank, one.article_id, one.units)
        writer.writerow(place)
    write_text(config.stock / PLACEMENTS, text.getvalue())


def _counts(records: dict[str, ArticleRecord], placements: Sequence[Placement]) -> dict:
    """Photos, bestsellers and weeks of each split, for the report."""
    found = {}
    for split in SPLITS:
        own = [one for one in placements if one.split == split]
        found[split] = {
            "photos": sum(record.split == split for record in records.values()),
            "senders": len({record.sender for record in records.values() if record.split == split}),
            "placements": len(own),
            "articles": len({one.article_id for one in own}),
            "weeks": len({(one.market, one.week) for one in own}),
            "categories": dict(Counter(one.category for one in own)),
        }
    return found

"""A stock of bestsellers -> the weekly bestsellers as a data set in the published layout, made of hard links.

In: OUT/data/stock of `sales`, which can be carried to another machine; this module needs no polars, which that machine
may lack. Out: OUT/data/weeks. Knows nothing of how sales were simulated, nor of models.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fashiondistill.data.vitonhd import (
    KINDS_OF_FILE,
    ArticleRecord,
    article_path,
    record_from_json,
    write_text,
)
from fashiondistill.data.weeks import Week
from train.proof.settings import ProofConfig

MARKET, PLACEMENTS, COMPLETE = "market.json", "placements.csv", "complete.json"
FORMAT = 1


@dataclass(frozen=True)
class Placement:
    """A bestseller of a week (on the common calendar) in one market."""

    market: int
    split: str
    category: str
    week: Week
    rank: int
    article_id: str
    units: int


def read_market(config: ProofConfig) -> dict | None:
    """market.json of simulated sales; None if there are none.

    Raises:
        ValueError: if they were made with other settings.
    """
    path = config.stock / MARKET
    if not path.is_file():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    for name, value in settings_of(config).items():
        if found["settings"].get(name) != value:
            raise ValueError(
                f"--output_dir {config.output_dir} holds sales made with another --{name} "
                f"({found['settings'].get(name)}, not {value}). Choose another folder."
            )
    return found


def settings_of(config: ProofConfig) -> dict:
    """What decides the sales."""
    names = ("markets", "num_transactions", "top_k", "train_end", "val_end")
    return {name: getattr(config, name) for name in names}


def read_placements(config: ProofConfig) -> list[Placement]:
    """What `make_stock` wrote."""
    text = (config.stock / PLACEMENTS).read_text(encoding="utf-8")
    return [
        Placement(
            int(row["market"]), row["split"], row["category"], Week.parse(row["week"]), int(row["rank"]),
            row["article_id"], int(row["units"]),
        )
        for row in csv.DictReader(io.StringIO(text))
    ]  # fmt: skip


def read_stock(config: ProofConfig) -> dict[str, ArticleRecord]:
    """Article id -> record of every bestseller.

    Raises:
        FileNotFoundError: if there is no stock.
    """
    path = config.stock / "manifest.jsonl"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: run --stage data first, with --dataset_path.")
    records = [record_from_json(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    return {record.article_id: record for record in records}


def picture_of(config: ProofConfig, record: ArticleRecord, kind: str) -> Path:
    """A file of an article: in the stock, or else in --dataset_path.

    Raises:
        FileNotFoundError: if it is in neither.
    """
    places = [config.stock] + [Path(config.dataset_path)] * bool(config.dataset_path)
    paths = [article_path(place, record, kind) for place in places]
    found = next((path for path in paths if path.is_file()), None)
    if found is None:
        raise FileNotFoundError(
            f"{' and '.join(map(str, paths))}: no such file. The stock holds the pictures of --stock_splits of stage "
            "data; give with --dataset_path the prepared photos that hold the rest."
        )
    return found


def make_weeks(config: ProofConfig) -> None:
    """Link every bestseller into its week folders; a finished folder is left as it is.

    Raises:
        FileNotFoundError: if a picture is missing.
        OSError: if --output_dir is on another disk than --dataset_path, whose files cannot be linked then.
    """
    done = config.weeks / COMPLETE
    records, placements = read_stock(config), read_placements(config)
    wanted = {"placements": len(placements), "bare_share": config.bare_share, "format": FORMAT}
    if done.is_file() and json.loads(done.read_text(encoding="utf-8")) == wanted:
        return
    shutil.rmtree(config.weeks, ignore_errors=True)  # half of it, or of other sales
    for one in placements:
        source = records[one.article_id]
        target = dataclasses.replace(source, week=one.week.published)
        for kind in KINDS_OF_FILE:
            path = article_path(config.weeks, target, kind)
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(picture_of(config, source, kind), path)
    captions = {one: [caption_of(record, config.bare_share)] for one, record in records.items()}
    write_text(config.weeks / "captions.json", json.dumps(captions, indent=1) + "\n")
    write_text(done, json.dumps(wanted) + "\n")


def caption_of(record: ArticleRecord, bare_share: float) -> str:
    """The photo's sentence in the starter's own words; of some training photos the garment alone.

    Where the words say no colour, the past weeks are all that tells it: that is what teaches a model to look at them.
    """
    chance = int.from_bytes(hashlib.sha256(f"bare/{record.article_id}".encode()).digest()[:4], "big") / 2**32
    return record.garment if record.split == "train" and chance < bare_share else record.caption


def weeks_of(placements: Sequence[Placement], split: str) -> Iterator[tuple[tuple[int, str], list[Week]]]:
    """(market, category) -> the weeks of a split in order of time."""
    found: dict[tuple[int, str], set[Week]] = {}
    for one in placements:
        if one.split == split:
            found.setdefault((one.market, one.category), set()).add(one.week)
    return ((key, sorted(weeks)) for key, weeks in sorted(found.items()))

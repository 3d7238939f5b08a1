"""A folder of garment photos and a label CSV -> a VITON-HD style data set, on all cores, restartable.

In: images/ and a CSV with image, sender_id, label. Out: the layout of `data.vitonhd`, rejects.csv with a reason for
each photo that was left out, progress.jsonl (what lets an interrupted run go on) and run.json.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from fashiondistill.cli import write_run
from fashiondistill.config import PreparePhotosConfig
from fashiondistill.data.photos import PhotoRejected, prepare_photo
from fashiondistill.data.vitonhd import (
    KINDS_OF_FILE,
    UNDATED,
    ArticleRecord,
    article_path,
    drawings_of,
    record_from_json,
    remove_article,
    write_article,
    write_manifest,
)
from fashiondistill.data.workers import run_all
from fashiondistill.images import read_image

REQUIRED_COLUMNS = ("image", "sender_id", "label")


@dataclass(frozen=True)
class PhotoJob:
    """One row of the label CSV, with the id and split that it was given."""

    name: str
    path: Path
    label: str
    sender: str
    article_id: str
    split: str


def prepare_photos(config: PreparePhotosConfig) -> tuple[list[ArticleRecord], list[dict[str, str]]]:
    """Run the whole preparation; returns the accepted records and the rejects.

    Raises:
        FileNotFoundError, ValueError: if the photo folder or the label CSV cannot be used, or if `out` holds a data
            set that was made with other options.
    """
    out = Path(config.out)
    jobs = _read_jobs(config)
    out.mkdir(parents=True, exist_ok=True)
    done = _read_progress(out, config)
    finished = {job.name: done[job.name] for job in jobs if job.name in done and _still_holds(out, done[job.name], job)}
    waiting = [job for job in jobs if job.name not in finished]
    for job in waiting:
        _remove_files(out, done.get(job.name, {}))
    arguments = [(job, config.min_score, config.segmenter, out) for job in waiting]
    results = run_all(_prepare_one, arguments, num_workers=config.num_workers)
    with open(out / "progress.jsonl", "a", encoding="utf-8") as progress:
        for entry in tqdm(results, total=len(waiting), desc="preparing photos", unit="photo"):
            progress.write(json.dumps(entry) + "\n")
            progress.flush()
            finished[entry["name"]] = entry
    entries = [finished[job.name] for job in jobs]
    records = [record_from_json(entry["record"]) for entry in entries if "record" in entry]
    rejects = [{"image": e["name"], "label": e["label"], "reason": e["reason"]} for e in entries if "reason" in e]
    write_manifest(out, [*records, *drawings_of(out)])
    _write_rejects(out / "rejects.csv", rejects)
    write_run(out, config)
    return records, rejects


def _read_jobs(config: PreparePhotosConfig) -> list[PhotoJob]:
    folder = Path(config.photos)
    table = folder / config.labels
    if not table.is_file():
        raise FileNotFoundError(f"--labels: there is no file {table}. Give the label CSV's name inside --photos.")
    try:
        with open(table, newline="", encoding="utf-8-sig") as handle:
            reader = csv.DictReader(handle)
            rows, columns = list(reader), reader.fieldnames or ()
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"--labels {table} is no CSV text ({error}). Save it as CSV in UTF-8.") from error
    _check_rows(table, rows, columns)
    rows.sort(key=lambda row: row["image"])
    ids = _article_ids([row["image"] for row in rows])
    splits = split_senders(Counter(row["sender_id"] for row in rows), val=config.val_share, test=config.test_share)
    return [
        PhotoJob(
            name=row["image"],
            path=photo_path(folder / "images", row["image"]),
            label=row["label"],
            sender=row["sender_id"],
            article_id=ids[row["image"]],
            split=splits[row["sender_id"]],
        )
        for row in rows
    ]


def _check_rows(table: Path, rows: list[dict[str, str]], columns: Sequence[str]) -> None:
    missing = [name for name in REQUIRED_COLUMNS if name not in columns]
    if missing:
        raise ValueError(
            f"--labels {table}: columns {', '.join(missing)} are missing; it needs image, sender_id, label."
        )
    if not rows:
        raise ValueError(f"--labels {table} lists no photos: add a row for each.")
    empty = [number for number, row in enumerate(rows, start=1) if not all(row[name] for name in REQUIRED_COLUMNS)]
    if empty:
        raise ValueError(f"--labels {table}: row {empty[0]} lacks image, sender_id or label. Fill in or delete it.")
    twice = [name for name, count in Counter(row["image"] for row in rows).items() if count > 1]
    if twice:
        raise ValueError(f"--labels {table}: {twice[0]} is listed more than once. Keep one row for each photo.")


def split_senders(photos_per_sender: dict[str, int], *, val: float, test: float) -> dict[str, str]:
    """Sender -> split. Whole senders only, in the order of their SHA-256, so that no garment leaks across splits.

    A sender with more than a quarter of a split's share stays in train: one wardrobe would stand for them all.
    """
    total = sum(photos_per_sender.values())
    remaining = {"test": test * total, "val": val * total}
    limits = {name: max(1.0, 0.25 * share) for name, share in remaining.items()}
    splits = {}
    for sender in sorted(photos_per_sender, key=lambda s: hashlib.sha256(s.encode()).hexdigest()):
        count = photos_per_sender[sender]
        open_splits = [name for name in ("test", "val") if remaining[name] > 0 and count <= limits[name]]
        splits[sender] = open_splits[0] if open_splits else "train"
        if open_splits:
            remaining[open_splits[0]] -= count
    return splits


def _article_ids(names: list[str]) -> dict[str, str]:
    """Photo name -> 10-digit id starting with 0, from its SHA-256; a clash takes the next free number."""
    taken: set[int] = set()
    ids = {}
    for name in sorted(names):
        number = int(hashlib.sha256(name.encode()).hexdigest(), 16) % 10**9
        while number in taken:
            number = (number + 1) % 10**9
        taken.add(number)
        ids[name] = f"{number:010d}"
    return ids


def photo_path(folder: Path, name: str) -> Path:
    """images/NAME with the extension that stands there; .jpg if none does, so that the reject names a file."""
    if Path(name).suffix:
        return folder / name
    present = [folder / f"{name}{suffix}" for suffix in (".jpg", ".jpeg", ".png", ".webp")]
    return next((path for path in present if path.is_file()), present[0])


def _prepare_one(arguments: tuple[PhotoJob, float, str, Path]) -> dict:
    """Runs in a worker process; returns a line of progress.jsonl."""
    job, min_score, segmenter, out = arguments
    entry = {"name": job.name, "label": job.label}
    try:
        image = np.asarray(read_image(job.path, field="photo"))
        prepared = prepare_photo(image, job.label, min_score=min_score, segmenter=segmenter)
    except (PhotoRejected, FileNotFoundError, ValueError) as error:
        return entry | {"reason": str(error)}
    record = ArticleRecord(
        article_id=job.article_id,
        split=job.split,
        category=prepared.category,
        week=UNDATED,
        garment=prepared.garment,
        caption=prepared.caption,
        colours=prepared.colours,
        colour_rgb=prepared.colour_rgb,
        pattern=prepared.pattern,
        source=job.name,
        sender=job.sender,
        score=round(prepared.score, 4),
    )
    write_article(out, record, prepared.pictures)
    return entry | {"record": record.__dict__}


def _read_progress(out: Path, config: PreparePhotosConfig) -> dict[str, dict]:
    """What an earlier run finished; its first line holds the options that decide the result."""
    path = out / "progress.jsonl"
    options = {
        "segmenter": config.segmenter,
        "min_score": config.min_score,
        "splits": [config.val_share, config.test_share],
    }
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    lines = [parsed(line) for line in text.splitlines()]
    done = {entry["name"]: entry for entry in lines if "name" in entry}
    if not done:
        path.write_text(json.dumps({"options": options}) + "\n", encoding="utf-8")
        return {}
    before = lines[0].get("options")
    if before != options:
        raise ValueError(
            f"--out {out} was made with {before}, not {options}. Choose another folder or delete this one."
        )
    if not text.endswith("\n"):
        path.write_text(text + "\n", encoding="utf-8")  # a killed run may leave half a last line
    return done


def parsed(line: str) -> dict:
    """A line of progress.jsonl; empty if a killed run left only half of it."""
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return {}


def _still_holds(out: Path, entry: dict, job: PhotoJob) -> bool:
    """Whether an earlier run's result is what this run would make: the label CSV may have changed since."""
    if entry["label"] != job.label or "reason" in entry:
        return entry["label"] == job.label
    record = record_from_json(entry["record"])
    if (record.article_id, record.sender, record.split) != (job.article_id, job.sender, job.split):
        return False
    return all(article_path(out, record, kind).is_file() for kind in KINDS_OF_FILE)


def _remove_files(out: Path, entry: dict) -> None:
    """Delete what an earlier run wrote for a photo, so that a photo that changed splits does not stand in both."""
    if "record" in entry:
        remove_article(out, record_from_json(entry["record"]))


def _write_rejects(path: Path, rejects: list[dict[str, str]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, ["image", "label", "reason"])
        writer.writeheader()
        writer.writerows(rejects)

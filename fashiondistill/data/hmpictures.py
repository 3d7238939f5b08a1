"""Product pictures of bestsellers -> picture, mask and sketch in every week folder where the article stands.

In: one `PictureJob` per article. Out: files of `data.vitonhd` and progress.jsonl, one line per article: its record, or
the reason why it has none. What an earlier run made of the same picture is kept. Knows nothing of sales.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from fashiondistill.config import PrepareHmConfig, ProductShotConfig
from fashiondistill.data.attributes import PATTERNS, compose_caption
from fashiondistill.data.measure import measure_colours, measure_pattern
from fashiondistill.data.products import ProductShot, ShotRejected, prepare_product_shot
from fashiondistill.data.vitonhd import (
    KINDS_OF_FILE,
    ArticleRecord,
    article_path,
    record_from_json,
    write_article,
    write_text,
)
from fashiondistill.data.workers import run_all
from fashiondistill.images import read_image

PROGRESS = "progress.jsonl"
NO_IMAGE = "no image"
SHOP = "shop"  # what stands as sender of a shop's picture
NOT_COMPARED = ("hm_dir", "out", "cache_dir", "num_workers")  # options that change no result

Entry = dict  # a line of progress.jsonl: article_id, stamp, places, words, and either record and style or reason


@dataclass(frozen=True)
class PictureJob:
    """An article that sold best at least once.

    Attributes:
        article_id: ten digits.
        category: folder name.
        path: of its picture, which need not exist.
        places: (split, week folder) where it stands, in order of time.
        words: colour, pattern and garment, in the words of captions.
        out: root of the data set.
    """

    article_id: str
    category: str
    path: Path
    places: tuple[tuple[str, str], ...]
    words: tuple[str, str, str]
    out: Path


@dataclass(frozen=True)
class Camera:
    """Who prepares pictures; its functions must be of a module, so that other processes can import them.

    Attributes:
        shoot: picture uint8 [H, W, 3] and category folder -> `ProductShot`, or `ShotRejected` raised.
        describe: picture -> a sentence that replaces the shop's description in the caption; None keeps that one.
    """

    shoot: Callable[[np.ndarray, str], ProductShot]
    describe: Callable[[np.ndarray], str] | None


PLAIN_CAMERA = Camera(prepare_product_shot, None)


def options_of(config: PrepareHmConfig, shot: ProductShotConfig) -> dict[str, object]:
    """The options that decide the result, as JSON keeps them."""
    values = {name: v for name, v in dataclasses.asdict(config).items() if name not in NOT_COMPARED}
    return json.loads(json.dumps(values | dataclasses.asdict(shot)))


def make_pictures(
    out: Path, jobs: list[PictureJob], options: dict[str, object], *, camera: Camera, num_workers: int
) -> dict[str, Entry]:
    """Do what is left to do; returns the entry of every job.

    Files of articles that are not among the jobs, or stand elsewhere now, are removed.
    """
    done = read_progress(out, options)
    finished = {j.article_id: done[j.article_id] for j in jobs if _still_holds(j, done.get(j.article_id))}
    for article_id, entry in done.items():
        if article_id not in finished:
            _remove_files(out, entry)
    waiting = [job for job in jobs if job.article_id not in finished]
    _write_progress(out, options, finished.values())
    results = run_all(partial(_make_one, camera), waiting, num_workers=num_workers)
    with open(out / PROGRESS, "a", encoding="utf-8") as progress:
        for entry in tqdm(results, total=len(waiting), desc="preparing pictures", unit="article", disable=not waiting):
            progress.write(json.dumps(entry) + "\n")
            progress.flush()
            finished[entry["article_id"]] = entry
    return {job.article_id: finished[job.article_id] for job in jobs}


def read_progress(out: Path, options: dict[str, object]) -> dict[str, Entry]:
    """What an earlier run finished; empty if there was none.

    Raises:
        ValueError: if it ran with other options.
    """
    path = out / PROGRESS
    if not path.is_file():
        return {}
    lines = [_parsed(line) for line in path.read_text(encoding="utf-8").splitlines()]
    before = lines[0].get("options") if lines else None
    if before != options:
        changed = [name for name in options if (before or {}).get(name) != options[name]]
        names = ", ".join(f"--{name}" for name in changed) or "another command"
        raise ValueError(
            f"--out {out} was made with other options ({names}). Choose another folder or delete this one."
        )
    return {entry["article_id"]: entry for entry in lines[1:] if "article_id" in entry}


def is_current(out: Path, path: Path, entry: Entry) -> bool:
    """Whether a finished article's picture is unchanged and all its files are there."""
    return _stamp(path) == entry["stamp"] and all(file.is_file() for file in _files_of(out, entry))


def records_of(entry: Entry) -> list[ArticleRecord]:
    """One record per place; none if the article has no picture."""
    if "record" not in entry:
        return []
    record = record_from_json(entry["record"])
    return [dataclasses.replace(record, split=split, week=week) for split, week in entry["places"]]


def _still_holds(job: PictureJob, entry: Entry | None) -> bool:
    if entry is None or not is_current(job.out, job.path, entry):
        return False
    same_places = [tuple(place) for place in entry["places"]] == list(job.places)
    return same_places and tuple(entry["words"]) == job.words and entry["category"] == job.category


def _stamp(path: Path) -> list[int] | None:
    """Size and time of change as JSON keeps them; None if there is no file."""
    if not path.is_file():
        return None
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _make_one(camera: Camera, job: PictureJob) -> Entry:
    """Runs in a worker process."""
    entry: Entry = {
        "article_id": job.article_id,
        "category": job.category,
        "stamp": _stamp(job.path),
        "places": job.places,
        "words": job.words,
    }
    if entry["stamp"] is None:
        return entry | {"reason": NO_IMAGE}
    try:
        image = np.asarray(read_image(job.path, field="product picture"))
    except ValueError as error:
        return entry | {"reason": str(error)}
    try:
        shot = camera.shoot(image, job.category)
    except ShotRejected as error:
        return entry | {"reason": str(error)}
    record = _record(job, shot)
    write_article(job.out, record, shot.pictures)
    for split, week in job.places[1:]:
        _copy(job.out, record, dataclasses.replace(record, split=split, week=week))
    style = None if camera.describe is None else camera.describe(image)
    return entry | {"record": record.__dict__, "style": style}


def _record(job: PictureJob, shot: ProductShot) -> ArticleRecord:
    """The shop's words; what it has no word of ours for is measured, as is the shade of its colour."""
    colour, pattern, garment = job.words
    if pattern not in PATTERNS:
        pattern = measure_pattern(shot.pictures.image, shot.pictures.mask)
    split, week = job.places[0]
    return ArticleRecord(
        article_id=job.article_id,
        split=split,
        category=job.category,
        week=week,
        garment=garment,
        caption=compose_caption(colours=[colour], pattern=pattern, garment=garment),
        colours=(colour,),
        colour_rgb=(measure_colours(shot.pictures.image, shot.pictures.mask)[0].rgb,),
        pattern=pattern,
        source=job.path.name,
        sender=SHOP,
        score=round(shot.score, 4),
    )


def _copy(out: Path, record: ArticleRecord, other: ArticleRecord) -> None:
    for kind in KINDS_OF_FILE:
        path = article_path(out, other, kind)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        shutil.copyfile(article_path(out, record, kind), part)
        os.replace(part, path)


def _files_of(out: Path, entry: Entry) -> list[Path]:
    return [article_path(out, record, kind) for record in records_of(entry) for kind in KINDS_OF_FILE]


def _remove_files(out: Path, entry: Entry) -> None:
    """Delete an article's files, and the week folders that are empty without them."""
    for path in _files_of(out, entry):
        path.unlink(missing_ok=True)
        if path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()


def _write_progress(out: Path, options: dict[str, object], entries: Iterable[Entry]) -> None:
    lines = [json.dumps({"options": options}), *(json.dumps(entry) for entry in entries)]
    write_text(out / PROGRESS, "\n".join(lines) + "\n")


def _parsed(line: str) -> Entry:
    """A line of progress.jsonl; empty if a killed run left only half of it."""
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return {}

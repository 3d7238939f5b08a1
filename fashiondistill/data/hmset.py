"""A shop's sales and pictures in H&M's layout -> its weekly bestsellers as a data set in the published layout.

In: a folder with articles, transactions and images/. Out: the layout of `data.vitonhd`; bestsellers.csv with the fate
of every bestseller, bad_rows.csv with every row that could not be used, manifest.json (counts, weeks, splits, missing
pictures, options, hashes, versions), report.html and run.json. Restartable: progress.jsonl says which pictures are
done; a second run with the same options and unchanged files writes nothing.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from fashiondistill.cli import versions, write_run
from fashiondistill.config import PrepareHmConfig, ProductShotConfig
from fashiondistill.data.captions import article_caption
from fashiondistill.data.hmpictures import (
    NO_IMAGE,
    PLAIN_CAMERA,
    Camera,
    Entry,
    PictureJob,
    is_current,
    make_pictures,
    options_of,
    read_progress,
    records_of,
)
from fashiondistill.data.hmplan import HmPlan, plan_hm
from fashiondistill.data.report import Fate, write_report
from fashiondistill.data.shop import image_path, with_words
from fashiondistill.data.tables import TableSource, stamp
from fashiondistill.data.vitonhd import SPLITS, drawings_of, write_manifest, write_text

MANIFEST, BESTSELLERS, BAD_ROWS, REPORT = "manifest.json", "bestsellers.csv", "bad_rows.csv", "report.html"
ALWAYS_WRITTEN = (MANIFEST, BESTSELLERS, BAD_ROWS, REPORT, "captions.json", "manifest.jsonl", "run.json")
FORMAT = 1  # of manifest.json
OK = "ok"


def prepare_hm(config: PrepareHmConfig, shot: ProductShotConfig, *, camera: Camera = PLAIN_CAMERA) -> tuple[dict, bool]:
    """Run the whole preparation.

    Args:
        config: which sales, and how they are ranked.
        shot: how pictures are prepared.
        camera: who prepares and describes them.

    Returns:
        The contents of manifest.json, and whether anything had to be done.

    Raises:
        FileNotFoundError, ValueError: if the shop's files cannot be used, a flag asks for what they do not hold, or
            `out` holds a data set that was made with other options.
    """
    out, images = Path(config.out), Path(config.hm_dir) / "images"
    if not images.is_dir():
        raise FileNotFoundError(f"{images} does not exist: put the pictures there, as 010/0108775015.jpg.")
    options = options_of(config, shot)
    before = _complete_manifest(out, config, read_progress(out, options))
    if before is not None:
        return before, False
    plan = plan_hm(config)
    out.mkdir(parents=True, exist_ok=True)
    (out / MANIFEST).unlink(missing_ok=True)  # until it is back, the data set counts as unfinished
    entries = make_pictures(out, _jobs(plan, config), options, camera=camera, num_workers=config.num_workers)
    if all("reason" in entry for entry in entries.values()):
        reasons = Counter(entry["reason"] for entry in entries.values()).most_common(1)[0]
        raise ValueError(
            f"no bestseller has a picture that can be used; {reasons[1]} times: {reasons[0]}. See {images}."
        )
    manifest = _manifest(plan, options, entries)
    _write_tables(out, plan, entries)
    write_run(out, config, shot)
    fates = {a: Fate(_status(e), next(iter(records_of(e)), None)) for a, e in entries.items()}
    write_report(out / REPORT, manifest, plan, fates)
    write_text(out / MANIFEST, json.dumps(manifest, indent=1) + "\n")
    return manifest, True


def _complete_manifest(out: Path, config: PrepareHmConfig, entries: dict[str, Entry]) -> dict | None:
    """The manifest of an earlier run with the same options, if another run would change nothing."""
    if not all((out / name).is_file() for name in ALWAYS_WRITTEN):
        return None
    manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    folder = Path(config.hm_dir)
    for source in manifest["inputs"].values():
        path = folder / Path(source["path"]).name
        if not path.is_file() or stamp(path) != (source["size"], source["mtime_ns"]):
            return None
    same = all(is_current(out, image_path(folder, article_id), entry) for article_id, entry in entries.items())
    return manifest if same and len(entries) == manifest["counts"]["articles"] else None


def _jobs(plan: HmPlan, config: PrepareHmConfig) -> list[PictureJob]:
    places: dict[str, list[tuple[str, str]]] = {}
    for placement in sorted(plan.placements, key=lambda p: p.week):
        places.setdefault(placement.article_id, []).append((placement.split, placement.week.published))
    words = with_words(plan.assortment.frame).select("article_id", "category", "colour", "pattern", "type")
    return [
        PictureJob(
            article_id=article_id,
            category=category,
            path=image_path(Path(config.hm_dir), article_id),
            places=tuple(places[article_id]),
            words=(colour, pattern, garment),
            out=Path(config.out),
        )
        for article_id, category, colour, pattern, garment in words.sort("article_id").iter_rows()
        if article_id in places
    ]


def _write_tables(out: Path, plan: HmPlan, entries: dict[str, Entry]) -> None:
    records = [record for entry in entries.values() for record in records_of(entry)]
    with_pictures = {record.article_id for record in records}
    captions = {
        row["article_id"]: article_caption(row, style=entries[row["article_id"]]["style"])
        for row in plan.assortment.frame.iter_rows(named=True)
        if row["article_id"] in with_pictures
    }
    write_manifest(out, [*records, *drawings_of(out)], captions=captions)
    columns = ["category", "week", "split", "rank", "article_id", "units", "revenue", "status"]
    rows = [
        (p.category, p.week.key, p.split, p.rank, p.article_id, p.units, p.revenue, _status(entries[p.article_id]))
        for p in plan.placements
    ]
    write_text(out / BESTSELLERS, _csv(columns, rows))
    bad_rows = [*plan.assortment.source.bad_rows, *plan.sales.bad_rows]
    write_text(out / BAD_ROWS, _csv(["file", "line", "reason"], ((r.file, r.line, r.reason) for r in bad_rows)))


def _csv(columns: list[str], rows: Iterable[tuple]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _status(entry: Entry) -> str:
    return entry.get("reason", OK)


def _manifest(plan: HmPlan, options: dict[str, object], entries: dict[str, Entry]) -> dict:
    week_of = {w.week: w for w in plan.by_week.weeks}
    missing = [article_id for article_id, entry in entries.items() if entry.get("reason") == NO_IMAGE]
    rejected = {a: entry["reason"] for a, entry in entries.items() if entry.get("reason", NO_IMAGE) != NO_IMAGE}
    weeks_of = {a: [week for _, week in entry["places"]] for a, entry in entries.items()}
    return {
        "format": FORMAT,
        "options": options,
        "counts": _counts(plan, entries),
        "unseen_articles": _unseen_shares(plan, entries),
        "weeks": [
            {
                "week": week.key,
                "folder": week.published,
                "split": plan.splits.of(week),
                "days": entry.days,
                "partial": entry.partial,
            }
            for week, entry in week_of.items()
        ],
        "left_out": list(plan.by_week.left_out.iter_rows(named=True)),
        "missing_images": [{"article_id": a, "weeks": weeks_of[a]} for a in missing],
        "rejected_images": [{"article_id": a, "weeks": weeks_of[a], "reason": r} for a, r in rejected.items()],
        "inputs": {"articles": _input(plan.assortment.source), "transactions": _input(plan.sales)},
        "versions": versions(),
    }


def _counts(plan: HmPlan, entries: dict[str, Entry]) -> dict[str, object]:
    in_data = [p for p in plan.placements if _status(entries[p.article_id]) == OK]
    of_split = {split: [p for p in in_data if p.split == split] for split in SPLITS}
    return {
        "rows": plan.sales.num_rows,
        "bad_rows": len(plan.sales.bad_rows) + len(plan.assortment.source.bad_rows),
        "rows_outside_weeks": plan.num_rows_outside,
        "rows_left_out": int(plan.by_week.left_out["rows"].sum()),
        "rows_ranked": int(plan.by_week.totals["units"].sum()),
        "bestsellers": len(plan.placements),
        "articles": len(entries),
        "items": {split: len(found) for split, found in of_split.items()},
        "items_of_category": {
            category: {split: sum(p.category == category for p in found) for split, found in of_split.items()}
            for category in sorted({p.category for p in plan.placements})
        },
        "weeks": {split: sum(plan.splits.of(w.week) == split for w in plan.by_week.weeks) for split in SPLITS},
    }


def _unseen_shares(plan: HmPlan, entries: dict[str, Entry]) -> dict[str, float | None]:
    """Share of the items of val and of test whose article is not in train; None without items."""
    articles = {split: [p.article_id for p in plan.placements if p.split == split] for split in SPLITS}
    ids = {split: [a for a in found if _status(entries[a]) == OK] for split, found in articles.items()}
    seen = set(ids["train"])
    return {s: round(sum(a not in seen for a in ids[s]) / len(ids[s]), 4) if ids[s] else None for s in SPLITS[1:]}


def _input(source: TableSource) -> dict[str, object]:
    return {
        "path": source.path,
        "size": source.size,
        "mtime_ns": source.mtime_ns,
        "sha256": source.sha256,
        "rows": source.num_rows,
        "bad_rows": len(source.bad_rows),
        "notes": list(source.notes),
    }

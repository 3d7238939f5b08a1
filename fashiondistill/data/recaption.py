"""Captions of prepared photos, written again from the pictures that stand in the data set.

In: a folder in the layout of `data.vitonhd`. Out: the same folder; captions.json, manifest.jsonl and progress.jsonl say
what today's rules tell of each photo. Masks, pictures and sketches stay, which spares an hour of cutting out.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from tqdm import tqdm

from fashiondistill.config import PrepareCaptionsConfig
from fashiondistill.data.categories import PHOTO_LABELS
from fashiondistill.data.photos import photo_caption
from fashiondistill.data.photoset import parsed
from fashiondistill.data.vitonhd import ArticleRecord, read_article, read_manifest, write_manifest, write_text

PROGRESS = "progress.jsonl"


def prepare_captions(config: PrepareCaptionsConfig) -> int:
    """Write the captions of all photos again; returns how many changed. Drawings and a shop's articles stay.

    Raises:
        FileNotFoundError: if the folder is no finished set of photos, or a picture is missing.
    """
    root = Path(config.out)
    records = read_manifest(root)
    if not (root / PROGRESS).is_file():
        raise FileNotFoundError(f"{root / PROGRESS} is missing: only sets of prepare photos can be captioned again.")
    lines = [parsed(line) for line in (root / PROGRESS).read_text(encoding="utf-8").splitlines()]
    photos = {line["record"]["article_id"] for line in lines if "record" in line}
    nouns = {noun for _, noun in PHOTO_LABELS.values()}
    told = {
        record.article_id: _again(root, record)
        for record in tqdm(records, desc="captioning", unit="photo")
        if record.article_id in photos and record.garment in nouns
    }
    for line in lines:
        if line.get("record", {}).get("article_id") in told:
            line["record"]["caption"] = told[line["record"]["article_id"]]
    written = [dataclasses.replace(r, caption=told.get(r.article_id, r.caption)) for r in records]
    shop = json.loads((root / "captions.json").read_text(encoding="utf-8"))
    kept = {article_id: words for article_id, words in shop.items() if article_id not in told}
    write_text(root / PROGRESS, "".join(json.dumps(line) + "\n" for line in lines if line))
    write_manifest(root, written, captions=kept)
    return sum(old.caption != new.caption for old, new in zip(records, written, strict=True))


def _again(root: Path, record: ArticleRecord) -> str:
    pictures = read_article(root, record)
    return photo_caption(
        pictures.image, pictures.mask, garment=record.garment, colours=record.colours, pattern=record.pattern
    )

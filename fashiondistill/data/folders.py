"""What stands in a data set folder: which pictures have a sketch and a mask, their captions, and what fits nowhere.

In: a folder in the layout of `vitonhd`, ours or the published one ("2020-week7", masks as {id}.png or
{id}_final_seg.png). Out: `DataFolder`. Only names are looked at, no picture is opened.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from fashiondistill.data.categories import get_category
from fashiondistill.data.vitonhd import SPLITS, UNDATED
from fashiondistill.data.weeks import Week

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
MASK_ENDINGS = ("_final_seg.png", ".png")  # in this order where both exist: the first was made from the second
KINDS = {"images": IMAGE_SUFFIXES, "im_sketch": (".png",), "im_seg": MASK_ENDINGS}
SYSTEM_FILES = (".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Item:
    """One article in one week of one split, with its three files; `week` is None if it is undated."""

    split: str
    category: str
    week: Week | None
    article_id: str
    image: Path
    sketch: Path | None
    mask: Path | None


@dataclass(frozen=True)
class DataFolder:
    """A data set folder.

    Attributes:
        root: the folder.
        items: all pictures, ordered by split, category, week and article; sketch and mask are None where they lack.
        orphans: sketches and masks without a picture.
        strays: files that are neither picture, sketch nor mask.
        captions: article id -> its strings.
    """

    root: Path
    items: tuple[Item, ...]
    orphans: tuple[Path, ...]
    strays: tuple[Path, ...]
    captions: dict[str, tuple[str, ...]]


def open_folder(root: Path) -> DataFolder:
    """List a data set folder.

    Raises:
        FileNotFoundError: if there are no pictures or no captions.json, naming what is expected.
        ValueError: if a category or week folder has no name that is understood, or captions.json is damaged.
    """
    root = Path(root)
    items: list[Item] = []
    orphans: list[Path] = []
    strays: list[Path] = []
    for split in (split for split in SPLITS if (root / split).is_dir()):
        for category, week_name in _week_folders(root / split):
            files = {kind: _files(root / split / kind / category / week_name, KINDS[kind], strays) for kind in KINDS}
            week = None if week_name == UNDATED else _week(root / split, category, week_name)
            for article_id, image in files["images"].items():
                sketch, mask = (files[kind].pop(article_id, None) for kind in ("im_sketch", "im_seg"))
                items.append(Item(split, get_category(category).folder, week, article_id, image, sketch, mask))
            orphans += [*files["im_sketch"].values(), *files["im_seg"].values()]
    if not items:
        raise FileNotFoundError(
            f"--dataset_path {root} holds no pictures: expected {{train,val,test}}/images/CATEGORY/WEEK/ID.jpg. Make a "
            "data set with python -m fashiondistill.prepare."
        )
    items.sort(key=lambda item: (item.split, item.category, item.week or Week(1, 1), item.article_id))
    return DataFolder(root, tuple(items), tuple(sorted(orphans)), tuple(sorted(strays)), _read_captions(root))


def _week_folders(split: Path) -> list[tuple[str, str]]:
    """(category, week) of every folder that any kind of file has."""
    found = set()
    for kind in KINDS:
        for category in _folders(split / kind):
            found |= {(category, week) for week in _folders(split / kind / category)}
    return sorted(found)


def _folders(folder: Path) -> list[str]:
    return [entry.name for entry in os.scandir(folder) if entry.is_dir()] if folder.is_dir() else []


def _files(folder: Path, endings: tuple[str, ...], strays: list[Path]) -> dict[str, Path]:
    """Article id -> file; of several the one whose ending comes first."""
    found: dict[str, tuple[int, Path]] = {}
    if not folder.is_dir():
        return {}
    for entry in os.scandir(folder):
        rank = next((number for number, ending in enumerate(endings) if entry.name.lower().endswith(ending)), None)
        if rank is None or not entry.is_file():
            if entry.name not in SYSTEM_FILES:
                strays.append(Path(entry.path))
            continue
        article_id = entry.name[: -len(endings[rank])]
        if article_id not in found or rank < found[article_id][0]:
            found[article_id] = rank, Path(entry.path)
    return {article_id: path for article_id, (_, path) in sorted(found.items())}


def _week(split: Path, category: str, name: str) -> Week:
    try:
        return Week.parse(name)
    except ValueError as error:
        raise ValueError(f"{split}: folder {category}/{name} names no week ({error})") from error


def _read_captions(root: Path) -> dict[str, tuple[str, ...]]:
    path = root / "captions.json"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: it holds the words of each article. Run prepare again.")
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no JSON in UTF-8 ({error}). Restore it or run prepare again.") from error
    if not isinstance(values, dict):
        raise ValueError(f"{path} must hold an object of article ids; it holds a {type(values).__name__}.")
    for article_id, parts in values.items():
        if not (isinstance(parts, list) and parts and all(isinstance(part, str) for part in parts)):
            raise ValueError(f"{path}: the caption of {article_id} is no list of strings. Correct it.")
    return {article_id: tuple(parts) for article_id, parts in values.items()}

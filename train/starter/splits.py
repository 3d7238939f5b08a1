"""A prepared data set in memory, for the starter's training stages.

In: a prepared data set folder. Out: its pictures as tensors on the training device.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from fashiondistill.data.vitonhd import DRAWING, ArticleRecord, read_article, read_manifest

HELD_OUT = ("val", "test")


@dataclass(frozen=True, eq=False)
class StarterData:
    """Articles in memory: uint8 images [N, 3, 512, 384], sketches and masks [N, 1, 512, 384], all on one device."""

    records: list[ArticleRecord]
    images: torch.Tensor
    sketches: torch.Tensor
    masks: torch.Tensor

    def __len__(self) -> int:
        return len(self.records)


def split_records(root: Path, split: str, *, max_drawings: int | None = None, limit: int = 0) -> list[ArticleRecord]:
    """What one split of a prepared data set holds.

    Args:
        max_drawings: at most so many drawn garments beside the photos.
        limit: at most so many of all, spread evenly (0 = no limit).

    Raises:
        FileNotFoundError, ValueError: if the folder or the whole split is missing.
    """
    records = [record for record in read_manifest(root) if record.split == split]
    if max_drawings is not None:
        drawn = _spread([record for record in records if record.sender == DRAWING], max_drawings)
        records = [record for record in records if record.sender != DRAWING] + drawn
    if limit:
        records = _spread(records, limit)
    if not records:
        raise ValueError(f"--dataset_path {root} has no articles in its {split} split. Run prepare on more photos.")
    return records


def held_out_splits(root: Path) -> dict[str, list[ArticleRecord]]:
    """The photos (no drawings) of each split beside train that the data set holds.

    A machine that trains need not have all of them; what is measured there is measured on these.

    Raises:
        FileNotFoundError, ValueError: if the folder is missing, or there is none.
    """
    photos = [record for record in read_manifest(root) if record.sender != DRAWING]
    found = {split: [record for record in photos if record.split == split] for split in HELD_OUT}
    found = {split: records for split, records in found.items() if records}
    if not found:
        raise ValueError(
            f"--dataset_path {root} has no photos in its {' or '.join(HELD_OUT)} split, so nothing could be measured "
            "after training. Bring one of them, or run prepare on more photos."
        )
    return found


def _spread(records: list[ArticleRecord], count: int) -> list[ArticleRecord]:
    return records[:: max(1, len(records) // count)][:count] if count else []


def load_split(
    root: Path,
    split: str,
    *,
    device: str,
    max_drawings: int | None = None,
    limit: int = 0,
    part: tuple[int, int] = (0, 1),
) -> StarterData:
    """Read one split of a prepared data set into memory; see `split_records`.

    Args:
        part: (number, count): every count-th article from number on, for the processes that share the work.

    Raises:
        FileNotFoundError, ValueError: if the folder, a file or the whole split is missing.
    """
    records = split_records(root, split, max_drawings=max_drawings, limit=limit)[part[0] :: part[1]]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        pictures = list(
            tqdm(pool.map(lambda r: read_article(root, r), records), total=len(records), desc=f"reading {split}")
        )
    images = torch.from_numpy(np.stack([p.image for p in pictures])).permute(0, 3, 1, 2).contiguous()
    sketches = torch.from_numpy(np.stack([p.sketch for p in pictures]))[:, None]
    masks = torch.from_numpy(np.stack([p.mask for p in pictures]))[:, None]
    return StarterData(records, images.to(device), sketches.to(device), masks.to(device))

"""A data set folder and windows over its weeks -> `GarmentSample`: one article with its past and its next week.

In: the layout of `vitonhd`, ours or the published one as it is. Out: samples of uint8 arrays; torch comes in with
`diffusion.batches`. Nothing that is missing is replaced: a file that cannot be read is an error with its name. Random
choices are keyed by SHA-256 of seed, epoch and sample, so they do not depend on the process, the worker or the order;
outside training there is one choice for ever.
"""

from __future__ import annotations

import copy
import hashlib
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from fashiondistill.config import DatasetConfig
from fashiondistill.data.captions import caption_text, fit_caption
from fashiondistill.data.categories import get_category
from fashiondistill.data.folders import Item, open_folder
from fashiondistill.data.samplefiles import read_mask, read_picture, read_sketch
from fashiondistill.data.tokens import CountTokens, count_clip_tokens
from fashiondistill.data.vitonhd import SPLITS
from fashiondistill.data.weeks import Week
from fashiondistill.data.windows import Window, windows_of_split

EVALUATION_THRESHOLD = 20  # MGD evaluates with strokes of at least 255 - 20 and trains with 20 to 127 (COMPAT, 1.3)
TRAINING_THRESHOLDS = (20, 127)
LATENT_FACTOR = 8


@dataclass(frozen=True)
class SampleKey:
    """Which sample, in which epoch: what a training sampler yields, so that workers need to be told nothing else."""

    index: int
    epoch: int = 0


@dataclass(frozen=True)
class PastItems:
    """The articles of one past week, its age and weight, and the one that was drawn from them."""

    week: Week
    age: int
    weight: float
    article_ids: tuple[str, ...]
    picked: str


@dataclass(frozen=True)
class SampleFacts:
    """What is known of one article in one week without opening a picture.

    Attributes:
        article_id, split, category, week: which one; week is None if it is undated.
        caption: at most 77 tokens.
        past: past weeks in which the category has articles, oldest first; weights sum to 1.
        next_ids, next_picked: articles of the next week, and the one drawn from them; () and None if there is none.
    """

    article_id: str
    split: str
    category: str
    week: Week | None
    caption: str
    past: tuple[PastItems, ...]
    next_ids: tuple[str, ...]
    next_picked: str | None


@dataclass(frozen=True, eq=False)
class GarmentSample(SampleFacts):
    """One article in one week, with its pictures.

    Attributes:
        image: uint8 [512, 384, 3].
        sketch: uint8 [512, 384], 255 = stroke, whatever the file's polarity.
        mask: uint8 [512, 384], 255 = garment.
        pose: float32 [C, 64, 48] of zeros if it was asked for, else None.
    """

    image: np.ndarray
    sketch: np.ndarray
    mask: np.ndarray
    pose: np.ndarray | None


class GarmentDataset:
    """Samples of one split, a map-style data set as torch's DataLoader wants it.

    `dataset[3]` is the sample as evaluation sees it; `dataset[SampleKey(3, epoch)]` of the split "train" draws anew in
    each epoch.

    Args:
        root: data set folder.
        split: "train", "val" or "test".
        config: see `DatasetConfig`.
        count_tokens: of the text encoder that will read the captions.

    Raises:
        FileNotFoundError, ValueError: naming the first picture without sketch, mask or caption, and how many there are
            (with `incomplete` "leave_out" they stand in `left_out` instead).
    """

    def __init__(
        self,
        root: Path,
        split: str,
        config: DatasetConfig | None = None,
        *,
        count_tokens: CountTokens = count_clip_tokens,
    ) -> None:
        if split not in SPLITS:
            raise ValueError(f"split {split!r} is unknown: choose one of {', '.join(SPLITS)}.")
        self.config = config or DatasetConfig()
        self.split = split
        folder = open_folder(root)
        wanted = {get_category(name).folder for name in self.config.categories}
        own = [item for item in folder.items if item.split == split and (not wanted or item.category in wanted)]
        if not own:
            raise FileNotFoundError(f"--dataset_path {root} holds no pictures of split {split}{_listed(wanted)}.")
        complete = [item for item in folder.items if item.sketch and item.mask and item.article_id in folder.captions]
        kept = set(complete)
        self.items = tuple(item for item in own if item in kept)
        self.left_out = tuple(item for item in own if item not in kept)
        if self.left_out and self.config.incomplete == "error":
            _refuse(root, self.left_out, folder.captions)
        if not self.items:
            raise ValueError(f"{root}: every picture of split {split} lacks a caption, sketch or mask.")
        used = {item.article_id for item in complete}
        self.captions = {
            article_id: caption_text(fit_caption(parts[: self.config.caption_parts], count_tokens=count_tokens))
            for article_id, parts in folder.captions.items()
            if article_id in used
        }
        known = SPLITS[: SPLITS.index(split) + 1]
        self._past_articles = _articles_by_week(item for item in complete if item.split in known)
        self._own_articles = _articles_by_week(self.items)
        self._windows = {
            category: self._windows_of(_weeks(complete, category))
            for category in {item.category for item in self.items}
        }

    def __len__(self) -> int:
        return len(self.items)

    def subset(self, indices: Iterable[int]) -> GarmentDataset:
        """Some of the samples, in that order, with the neighbours that they have in the whole."""
        chosen = copy.copy(self)
        chosen.items = tuple(self.items[index] for index in indices)
        return chosen

    def __getitem__(self, key: int | SampleKey) -> GarmentSample:
        config, item = self.config, self.items[key.index if isinstance(key, SampleKey) else key]
        image = read_picture(item.image, config.shape)
        sketch = read_sketch(item.sketch, config.shape, like=image.file_shape)
        if config.binary_sketch:
            sketch = np.where(sketch >= 255 - self._threshold(item, self._epoch(key)), 255, 0).astype(np.uint8)
        height, width = sketch.shape
        pose_shape = (config.pose_channels, height // LATENT_FACTOR, width // LATENT_FACTOR)
        return GarmentSample(
            **vars(self.facts(key)),
            image=image.pixels,
            sketch=sketch,
            mask=read_mask(item.mask, config.shape, like=image.file_shape),
            pose=np.zeros(pose_shape, np.float32) if config.pose_channels else None,
        )

    def facts(self, key: int | SampleKey) -> SampleFacts:
        """All of a sample but its pictures."""
        item, epoch = self.items[key.index if isinstance(key, SampleKey) else key], self._epoch(key)
        past, next_ids = self._neighbours(item, epoch)
        return SampleFacts(
            article_id=item.article_id,
            split=item.split,
            category=item.category,
            week=item.week,
            caption=self.captions[item.article_id],
            past=past,
            next_ids=next_ids,
            next_picked=self._pick(next_ids, item, epoch, "next") if next_ids else None,
        )

    def _epoch(self, key: int | SampleKey) -> int:
        return key.epoch if isinstance(key, SampleKey) and self.split == "train" else 0

    def articles_by_week(self, category: str, until: Week) -> dict[Week, tuple[str, ...]]:
        """Articles of a category in each week up to `until`, of this split and those before it."""
        found = self._past_articles.items()
        return {week: ids for (folder, week), ids in found if folder == category and week is not None and week <= until}

    def window(self, item: Item) -> Window | None:
        """The window of an item's week; None if it is undated."""
        return None if item.week is None else self._windows[item.category][item.week]

    def _windows_of(self, weeks_of_split: dict[str, set[Week]]) -> dict[Week, Window]:
        found = windows_of_split(
            weeks_of_split,
            self.split,
            num_past_weeks=self.config.num_past_weeks,
            weight_decay=self.config.temporal_weight_decay,
        )
        return {window.target: window for window in found}

    def _neighbours(self, item: Item, epoch: int) -> tuple[tuple[PastItems, ...], tuple[str, ...]]:
        window = self.window(item)
        if window is None:
            return (), ()
        past = []
        for entry in window.past:
            ids = self._past_articles[item.category, entry.week]
            picked = self._pick(ids, item, epoch, entry.week.key)
            past.append(PastItems(entry.week, entry.age, entry.weight, ids, picked))
        return tuple(past), self._own_articles[item.category, window.next_week] if window.next_week else ()

    def _pick(self, ids: tuple[str, ...], item: Item, epoch: int, purpose: str) -> str:
        return ids[self._draw(item, epoch, purpose) % len(ids)]

    def _threshold(self, item: Item, epoch: int) -> int:
        if self.split != "train":
            return EVALUATION_THRESHOLD
        low, high = TRAINING_THRESHOLDS
        return low + self._draw(item, epoch, "threshold") % (high - low + 1)

    def _draw(self, item: Item, epoch: int, purpose: str) -> int:
        """A whole number of 64 bits from seed, epoch, sample and purpose."""
        week = item.week.key if item.week else ""
        text = f"{self.config.seed}/{epoch}/{item.category}/{week}/{item.article_id}/{purpose}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


class EpochSampler:
    """Indices of a split in a new order each epoch, from `start` samples on: what a resumed training goes on with.

    The order is keyed by (seed, epoch). Pass it to a DataLoader as `sampler`; it never ends.
    """

    def __init__(self, length: int, *, seed: int, start: int = 0) -> None:
        self.length, self.seed, self.start = length, seed, start

    def __iter__(self) -> Iterator[SampleKey]:
        position = self.start
        while True:
            epoch, offset = divmod(position, self.length)
            order = np.random.default_rng([self.seed, epoch]).permutation(self.length)
            for index in order[offset:]:
                yield SampleKey(int(index), epoch)
            position += self.length - offset


def _articles_by_week(items: Iterable[Item]) -> dict[tuple[str, Week | None], tuple[str, ...]]:
    found = defaultdict(set)
    for item in items:
        found[item.category, item.week].add(item.article_id)
    return {key: tuple(sorted(ids)) for key, ids in found.items()}


def _weeks(items: Iterable[Item], category: str) -> dict[str, set[Week]]:
    """Split -> the weeks in which a category has articles."""
    found: dict[str, set[Week]] = {split: set() for split in SPLITS}
    for item in items:
        if item.category == category and item.week is not None:
            found[item.split].add(item.week)
    return found


def _refuse(root: Path, items: Sequence[Item], captions: Container[str]) -> NoReturn:
    """Say what the first of the incomplete items lacks, how many there are, and the remedy."""
    for kind, name in (("sketch", "im_sketch"), ("mask", "im_seg")):
        missing = [item for item in items if getattr(item, kind) is None]
        if missing:
            first = missing[0]
            folder = first.image.parent.as_posix().replace("/images/", f"/{name}/")
            counts = ", ".join(f"{n} {category}" for category, n in Counter(i.category for i in missing).items())
            raise FileNotFoundError(
                f"{folder}/{first.article_id}.png is missing, the {kind} of {first.image.name}; {len(missing)} pictures"
                f" lack one ({counts}). Run prepare again, or leave them out with --incomplete leave_out."
            )
    missing = [item for item in items if item.article_id not in captions]
    raise ValueError(
        f"{root}: captions.json lacks {len(missing)} articles of split {missing[0].split}, the first is "
        f"{missing[0].article_id}. Add them, or leave them out with --incomplete leave_out."
    )


def _listed(categories: set[str]) -> str:
    return f" in {', '.join(sorted(categories))}" if categories else ""

"""The data set as training reads it: cached latents with past articles as rows of a table, batches keyed by place.

In: a `CachedDataset` and CLIP embeddings of its articles. Out: `TrainBatch`es. Place p of the endless stream holds the
same sample on every machine: order keyed by (seed, epoch), and shared out among processes by micro-batch. A resumed
run so reads on where the other stopped, whatever the number of workers. Knows nothing of models and losses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Self

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from fashiondistill.data.categories import CATEGORIES, get_category
from fashiondistill.data.dataset import SampleFacts, SampleKey
from fashiondistill.data.weeks import Week
from fashiondistill.data.windows import past_weeks
from fashiondistill.diffusion.batches import worker_context
from fashiondistill.diffusion.caches import CachedDataset
from fashiondistill.diffusion.conditioning import Conditioning
from fashiondistill.diffusion.trend import season_of

if TYPE_CHECKING:  # it brings open_clip, which workers do not need
    from train.tables import ArticleTable

CATEGORY_PLACE = {category.folder: place for place, category in enumerate(CATEGORIES)}


@dataclass(frozen=True)
class Share:
    """Which micro-batches of an update are this process's.

    Attributes:
        batch_size: samples of a micro-batch.
        accumulation: micro-batches of each process in an update.
        rank, count: this process among all.
    """

    batch_size: int
    accumulation: int
    rank: int = 0
    count: int = 1

    @property
    def samples_per_step(self) -> int:
        """Samples of all processes in an update."""
        return self.batch_size * self.accumulation * self.count

    def places(self, step: int) -> Iterator[range]:
        """Places of this process's micro-batches of update `step`."""
        for number in range(self.accumulation):
            start = step * self.samples_per_step + (number * self.count + self.rank) * self.batch_size
            yield range(start, start + self.batch_size)


@dataclass(frozen=True, eq=False)
class TrainBatch:
    """B samples as tensors.

    Attributes:
        place: int64 [B], place in the stream; noise is keyed by it.
        row: int64 [B], place in the data set.
        latents, masked_latents: [B, C, h, w], scaled.
        mask: [B, 1, h, w].
        sketch: [B, 1 (4, 16), h, w].
        text_states: [B, 77, D].
        past_rows, past_weights: [B, N], rows of past articles in the table and their weights; 0 = none.
        category: int64 [B], place in CATEGORIES.
        season: [B, 2].
    """

    place: torch.Tensor
    row: torch.Tensor
    latents: torch.Tensor
    masked_latents: torch.Tensor
    mask: torch.Tensor
    sketch: torch.Tensor
    text_states: torch.Tensor
    past_rows: torch.Tensor
    past_weights: torch.Tensor
    category: torch.Tensor
    season: torch.Tensor

    def __len__(self) -> int:
        return len(self.place)

    def rows(self, part: slice | torch.Tensor) -> Self:
        """Some of the samples."""
        return type(self)(**{entry.name: getattr(self, entry.name)[part] for entry in fields(self)})

    def to(self, device: torch.device) -> Self:
        """On `device`, floats in float32."""
        moved = {entry.name: getattr(self, entry.name).to(device, non_blocking=True) for entry in fields(self)}
        return type(self)(**{n: v.float() if v.is_floating_point() else v for n, v in moved.items()})

    def conditioning(self, *, pose_channels: int, sketch_channels: int) -> Conditioning:
        """Conditions without trend; a pose that a model expects is zeros."""
        height, width = self.latents.shape[2:]
        pose = self.latents.new_zeros(len(self), pose_channels, height, width) if pose_channels else None
        sketch = self.sketch if sketch_channels else None
        return Conditioning(self.text_states, self.mask, self.masked_latents, pose=pose, sketch=sketch)


@dataclass(frozen=True)
class Place:
    """A place of the stream and the sample that stands there."""

    place: int
    key: SampleKey


class TrainingSet(Dataset):
    """Cached samples with their past as rows of an article table.

    Args:
        cached: the samples.
        table: its rows are named.
        in_memory: a sample is read once; an article of many weeks is held once.
    """

    def __init__(self, cached: CachedDataset, table: ArticleTable, *, in_memory: bool = False) -> None:
        self.cached, self.row_of = cached, table.row_of
        self._held: dict[int, dict[str, torch.Tensor]] | None = {} if in_memory else None
        if in_memory:
            cached.hold()
        facts = [cached.dataset.facts(index) for index in range(len(cached))]
        self.past_length = max(1, max(sum(len(past.article_ids) for past in one.past) for one in facts))

    def __len__(self) -> int:
        return len(self.cached)

    def __getitem__(self, place: Place) -> dict[str, torch.Tensor]:
        row = place.key.index
        held = self._held
        if held is None:
            return {"place": torch.tensor(place.place)} | self._read(row)
        if row not in held:
            held[row] = self._read(row)
        return {"place": torch.tensor(place.place)} | held[row]

    def _read(self, row: int) -> dict[str, torch.Tensor]:
        """A sample without its place in the stream: the same in every epoch, since all past articles are given."""
        sample = self.cached[row]
        rows, weights = self.past_of(sample)
        return {
            "row": torch.tensor(row),
            "latents": sample.latents,
            "masked_latents": sample.masked_latents,
            "mask": sample.mask,
            "sketch": sample.sketch,
            "text_states": sample.text_states,
            "past_rows": rows,
            "past_weights": weights,
            "category": torch.tensor(CATEGORY_PLACE[sample.category]),
            "season": torch.tensor(season_of(sample.week)),
        }

    def past_of(self, facts: SampleFacts) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows and weights [N] of all past articles; a week's weight is shared out among its articles."""
        rows = torch.zeros(self.past_length, dtype=torch.int64)
        weights = torch.zeros(self.past_length)
        entries = [(i, past.weight / len(past.article_ids)) for past in facts.past for i in past.article_ids]
        for number, (article_id, weight) in enumerate(entries):
            rows[number], weights[number] = self.row_of[article_id], weight
        return rows, weights

    def past_before(self, category: str, week: Week) -> list[tuple[int, float]]:
        """Rows of what sold in the weeks before `week` in a category, with weights that sum to 1; [] if nothing did.

        For a design of no sample's own, such as a designer's pick; a past week's weight is shared out as in `past_of`.
        """
        dataset = self.cached.dataset
        articles = dataset.articles_by_week(get_category(category).folder, week)
        config = dataset.config
        entries = past_weeks(
            week, articles, num_past_weeks=config.num_past_weeks, weight_decay=config.temporal_weight_decay
        )
        return [(self.row_of[i], one.weight / len(articles[one.week])) for one in entries for i in articles[one.week]]


def stack(samples: Sequence[dict[str, torch.Tensor]]) -> TrainBatch:
    """One batch of samples of a `TrainingSet`."""
    return TrainBatch(**{name: torch.stack([sample[name] for sample in samples]) for name in samples[0]})


class Stream:
    """Batch sampler of the micro-batches of one process, from update `start` on; it never ends."""

    def __init__(self, length: int, share: Share, *, seed: int, start: int = 0) -> None:
        self.length, self.share, self.seed, self.start = length, share, seed, start

    def __iter__(self) -> Iterator[list[Place]]:
        step = self.start
        while True:
            for places in self.share.places(step):
                yield [Place(place, self.key_of(place)) for place in places]
            step += 1

    def key_of(self, place: int) -> SampleKey:
        """The sample at a place of the stream."""
        epoch, offset = divmod(place, self.length)
        return SampleKey(int(_order(self.length, self.seed, epoch)[offset]), epoch)


@lru_cache(maxsize=2)
def _order(length: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(length)


def stream_loader(data: TrainingSet, share: Share, *, seed: int, start: int, num_workers: int) -> DataLoader:
    """Micro-batches of this process from update `start` on, in order."""
    return DataLoader(
        data,
        batch_sampler=Stream(len(data), share, seed=seed, start=start),
        num_workers=num_workers,
        collate_fn=stack,
        pin_memory=torch.cuda.is_available(),
        persistent_workers=num_workers > 0,
        multiprocessing_context=worker_context([__name__]) if num_workers else None,
        worker_init_fn=_one_thread,
    )


def _one_thread(_: int) -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)

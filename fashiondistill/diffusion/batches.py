"""Garment samples -> one batch of tensors, of any size and with any weeks missing; and the loader that makes them.

In: `GarmentSample`s. Out: `GarmentBatch`: bytes until they are on the device, floats from there on. Knows nothing of
files and models.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from multiprocessing.context import BaseContext
from typing import Protocol, Self

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader

from fashiondistill.config import DatasetConfig
from fashiondistill.data.dataset import EpochSampler, GarmentSample, SampleFacts, SampleKey
from fashiondistill.data.weeks import Week

PREFETCHED_BATCHES = 4  # that each worker makes ahead


@dataclass(frozen=True, eq=False)
class BatchFacts:
    """What is known of B samples without their pictures; P = the longest past among them (0 if nobody has one).

    Attributes:
        article_ids, categories, weeks, captions: one for each sample.
        past_weights: float32 [B, P]; 0 where a sample has fewer past weeks, else each row sums to 1.
        past_present: bool [B, P], True where there is a past week; they stand at the end, the youngest last.
        past_picked: for each sample P article ids, None where `past_present` is False.
        past_ids: for each sample the articles of its past weeks, oldest week first, without padding.
        next_ids, next_picked: articles of the next week and the one drawn; () and None if there is none.
    """

    article_ids: tuple[str, ...]
    categories: tuple[str, ...]
    weeks: tuple[Week | None, ...]
    captions: tuple[str, ...]
    past_weights: torch.Tensor
    past_present: torch.Tensor
    past_picked: tuple[tuple[str | None, ...], ...]
    past_ids: tuple[tuple[tuple[str, ...], ...], ...]
    next_ids: tuple[tuple[str, ...], ...]
    next_picked: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.article_ids)

    def to(self, device: torch.device | str) -> Self:
        """Tensors on `device`; from pinned memory the copy does not wait."""
        return self._mapped(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> Self:
        """Tensors in page-locked memory; a DataLoader with pin_memory=True calls this."""
        return self._mapped(torch.Tensor.pin_memory)

    def _mapped(self, function: Callable[[torch.Tensor], torch.Tensor]) -> Self:
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return replace(self, **{n: function(v) for n, v in values.items() if isinstance(v, torch.Tensor)})


@dataclass(frozen=True, eq=False)
class GarmentBatch(BatchFacts):
    """B samples with their pictures.

    Attributes:
        image: uint8 [B, 3, 512, 384].
        sketch: uint8 [B, 1, 512, 384], 255 = stroke.
        mask: uint8 [B, 1, 512, 384], 255 = garment.
        pose: float32 [B, C, 64, 48] or None.
    """

    image: torch.Tensor
    sketch: torch.Tensor
    mask: torch.Tensor
    pose: torch.Tensor | None

    def pixels(self) -> torch.Tensor:
        """float32 [B, 3, 512, 384] in [-1, 1], as `images.to_model` makes them, computed where the batch is."""
        return self.image.float() / 127.5 - 1

    def strokes(self) -> torch.Tensor:
        """float32 [B, 1, 512, 384] in [0, 1], 1 = stroke."""
        return self.sketch.float() / 255

    def repaint(self) -> torch.Tensor:
        """float32 [B, 1, 512, 384], 1 = garment, the part to repaint."""
        return self.mask.float() / 255


def collate(samples: Sequence[GarmentSample]) -> GarmentBatch:
    """Stack samples; pasts of different length are filled up in front.

    Raises:
        ValueError: if there are no samples, or some have a pose and some have none.
    """
    with_pose = [sample.pose is not None for sample in samples]
    if any(with_pose) and not all(with_pose):
        raise ValueError("some samples of the batch have a pose, others none: take them from one data set.")
    return GarmentBatch(
        **vars(batch_facts(samples)),
        image=_stacked([sample.image.transpose(2, 0, 1) for sample in samples]),
        sketch=_stacked([sample.sketch[None] for sample in samples]),
        mask=_stacked([sample.mask[None] for sample in samples]),
        pose=_stacked([sample.pose for sample in samples]) if all(with_pose) else None,
    )


def batch_facts(samples: Sequence[SampleFacts]) -> BatchFacts:
    """The part of a batch that needs no pictures.

    Raises:
        ValueError: if there are no samples.
    """
    if not samples:
        raise ValueError("a batch needs at least one sample; there are none.")
    longest = max(len(sample.past) for sample in samples)
    weights = torch.zeros(len(samples), longest)
    present = torch.zeros(len(samples), longest, dtype=torch.bool)
    picked: list[tuple[str | None, ...]] = []
    for row, sample in enumerate(samples):
        count = len(sample.past)
        if count:
            weights[row, longest - count :] = torch.tensor([past.weight for past in sample.past])
            present[row, longest - count :] = True
        picked.append((None,) * (longest - count) + tuple(past.picked for past in sample.past))
    return BatchFacts(
        article_ids=tuple(sample.article_id for sample in samples),
        categories=tuple(sample.category for sample in samples),
        weeks=tuple(sample.week for sample in samples),
        captions=tuple(sample.caption for sample in samples),
        past_weights=weights,
        past_present=present,
        past_picked=tuple(picked),
        past_ids=tuple(tuple(past.article_ids for past in sample.past) for sample in samples),
        next_ids=tuple(sample.next_ids for sample in samples),
        next_picked=tuple(sample.next_picked for sample in samples),
    )


class SampleSource(Protocol):
    """What a loader draws from: a `GarmentDataset`, or a `CachedDataset` over one."""

    config: DatasetConfig

    def __len__(self) -> int: ...

    def __getitem__(self, key: SampleKey) -> SampleFacts: ...


def training_loader(
    dataset: SampleSource, *, batch_size: int, num_workers: int, start: int = 0, collate_fn: Callable = collate
) -> DataLoader:
    """An endless loader of shuffled batches; the same seed and start give the same batches, whatever the workers.

    Args:
        dataset: its config's seed orders the samples.
        batch_size: samples in every batch; epochs follow each other without a short batch between them.
        num_workers: processes; 0 = none beside this one.
        start: samples that an earlier run has seen.
        collate_fn: `collate`, or `caches.collate_cached` for a `CachedDataset`.
    """
    return DataLoader(
        dataset,
        batch_size=batch_size,
        sampler=EpochSampler(len(dataset), seed=dataset.config.seed, start=start),
        num_workers=num_workers,
        collate_fn=collate_fn,
        pin_memory=torch.cuda.is_available(),
        persistent_workers=num_workers > 0,
        prefetch_factor=PREFETCHED_BATCHES if num_workers else None,
        multiprocessing_context=worker_context([type(dataset).__module__, collate_fn.__module__])
        if num_workers
        else None,
        worker_init_fn=_one_thread,
    )


def worker_context(modules: Sequence[str]) -> BaseContext:
    """How workers are started: as forks of a server process that has imported everything once and done nothing else.

    A fork of this process would inherit OpenCV's threads and hang (see `data.workers`), and a spawned worker imports
    torch and the main module anew: seconds of CPU for each. Where there are no forks, they are spawned.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    spec = getattr(sys.modules["__main__"], "__spec__", None)  # None: started as a file; workers then read it anew
    main = [] if spec is None or spec.name.endswith("__main__") else [spec.name]
    context.set_forkserver_preload([__name__, *modules, *main])  # of no effect once the server runs
    return context


def _one_thread(_: int) -> None:
    """Workers share the cores; torch sees to its own threads, OpenCV would start as many as there are cores."""
    cv2.setNumThreads(1)


def _stacked(arrays: list[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.stack(arrays))

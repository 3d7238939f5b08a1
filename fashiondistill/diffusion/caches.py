"""Latents and text states of a data set, encoded once and kept on disk: training on them loads no picture and no VAE.

In: a `GarmentDataset` and a `GarmentPipeline`. Out: a `CachedDataset` of the same samples. Each entry is a safetensors
file named by the SHA-256 of what it was made from (the bytes of picture, sketch and mask, or the caption; how they were
brought to size; every weight of the model), so an input that changes has another name and is encoded anew, and an
interrupted run goes on. Several data sets and models may share a folder, so nobody can tell which entries are out of
use but by their age: those that no run has asked for in `KEEP_DAYS` days are deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tqdm import tqdm

from fashiondistill.config import IMAGE_HEIGHT, IMAGE_WIDTH
from fashiondistill.data.dataset import GarmentDataset, SampleFacts, SampleKey
from fashiondistill.data.folders import Item
from fashiondistill.diffusion.batches import BatchFacts, batch_facts, collate
from fashiondistill.diffusion.conditioning import Conditioning, latent_mask, latent_sketch
from fashiondistill.diffusion.region import filled, widen

if TYPE_CHECKING:  # diffusers takes seconds to import, and workers that only read the cache need none of it
    from fashiondistill.diffusion.pipeline import GarmentPipeline

NATIVE_SIZE = (IMAGE_HEIGHT, IMAGE_WIDTH)
KEEP_DAYS = 30
READING_THREADS = 8
SECONDS_OF_DAY = 86_400
_FILE_NAME = re.compile(r"[0-9a-f]{64}\.safetensors(\.[0-9]+\.part)?")  # the second is of a run that was killed
_DIGESTS: dict[tuple[int, int, int, int], str] = {}  # (device, inode, size, time of change) -> SHA-256
FORMAT = "1"  # part of every key: a change of what an entry holds makes new ones


@dataclass(frozen=True, eq=False)
class CachedSample(SampleFacts):
    """One article in one week, encoded.

    Attributes:
        latents, masked_latents: float16 [C, 64, 48], scaled; of the picture, and of the picture with the garment grey.
        mask: float16 [1, 64, 48], 1 = repaint.
        sketch: float16 [1, 64, 48] in [0, 1], 1 = stroke.
        text_states: float16 [77, D].
    """

    latents: torch.Tensor
    masked_latents: torch.Tensor
    mask: torch.Tensor
    sketch: torch.Tensor
    text_states: torch.Tensor


@dataclass(frozen=True, eq=False)
class CachedBatch(BatchFacts):
    """B encoded samples: latents [B, C, 64, 48] and their conditions."""

    latents: torch.Tensor
    conditioning: Conditioning

    def _mapped(self, function) -> Self:  # noqa: ANN001 - tensor -> tensor
        values = {entry.name: getattr(self.conditioning, entry.name) for entry in fields(self.conditioning)}
        mapped = Conditioning(**{n: None if v is None else function(v) for n, v in values.items()})
        return replace(super()._mapped(function), conditioning=mapped)


class CachedDataset:
    """The samples of a `GarmentDataset`, read from the cache; `cache_states` makes it."""

    def __init__(self, dataset: GarmentDataset, folder: Path, keys: Sequence[str], text_keys: dict[str, str]) -> None:
        self.dataset, self.folder = dataset, folder
        self.keys, self.text_keys = tuple(keys), text_keys
        self.config = dataset.config
        self._held: dict[str, dict[str, torch.Tensor]] | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, key: int | SampleKey) -> CachedSample:
        index = key.index if isinstance(key, SampleKey) else key
        facts = self.dataset.facts(key)
        states, text = self._entry(self.keys[index]), self._entry(self.text_keys[facts.caption])
        return CachedSample(**vars(facts), **states, **text)

    def hold(self) -> None:
        """Keep in memory what is read from now on, each entry once, however many weeks an article stands in."""
        self._held = {} if self._held is None else self._held

    def _entry(self, key: str) -> dict[str, torch.Tensor]:
        if self._held is None:
            return _read(_path(self.folder, key))
        if key not in self._held:
            self._held[key] = _read(_path(self.folder, key))
        return self._held[key]


def collate_cached(samples: Sequence[CachedSample], *, pose_channels: int = 0) -> CachedBatch:
    """Stack encoded samples; the pose, where a model expects one, is zeros."""
    stacked = {
        name: torch.stack([getattr(sample, name) for sample in samples])
        for name in ("latents", "masked_latents", "mask", "sketch", "text_states")
    }
    latents = stacked["latents"]
    pose = torch.zeros(len(samples), pose_channels, *latents.shape[2:]) if pose_channels else None
    conditioning = Conditioning(
        stacked["text_states"], stacked["mask"], stacked["masked_latents"], pose=pose, sketch=stacked["sketch"]
    )
    return CachedBatch(**vars(batch_facts(samples)), latents=latents, conditioning=conditioning)


def cache_states(
    dataset: GarmentDataset,
    pipeline: GarmentPipeline,
    folder: Path,
    *,
    batch_size: int = 16,
    size: tuple[int, int] = NATIVE_SIZE,
    keep_days: float = KEEP_DAYS,
) -> CachedDataset:
    """Encode what the cache lacks of a data set, with a progress bar, and delete what nobody has used for long.

    Args:
        dataset: its captions must fit the pipeline's tokenizer (see `GarmentDataset`'s count_tokens).
        pipeline: its VAE and text encoder encode, on its device; with `mask_from_outline`, masks get its margin.
        folder: the cache; several data sets and models may share one.
        batch_size: pictures encoded together.
        size: height and width of the pictures to encode; others than 512 x 384 are made from those.
        keep_days: entries that no call has asked for in so many days are deleted, whichever data set they were of.

    Raises:
        ValueError: if strokes are binary, since they change in every epoch; or a caption or file cannot be used.
    """
    if dataset.config.binary_sketch:
        raise ValueError("--binary_sketch True is not usable with cached latents: its strokes change in every epoch.")
    vae_id = weights_id(pipeline.vae, str(pipeline.vae.config.scaling_factor))
    text_id = weights_id(pipeline.text_encoder, json.dumps(pipeline.tokenizer.get_vocab(), sort_keys=True))
    shape = dataset.config.shape if size == NATIVE_SIZE else f"{dataset.config.shape} {size[0]}x{size[1]}"
    layout = [shape, vae_id, str(pipeline.layout.sketch)] + ["outline"] * bool(pipeline.config.mask_from_outline)
    keys = [_picture_key(item, layout) for item in dataset.items]
    captions = sorted(set(dataset.captions[item.article_id] for item in dataset.items))
    text_keys = {caption: _digest([FORMAT, "text", text_id, caption]) for caption in captions}
    _mark_used(_path(folder, key) for key in (*keys, *text_keys.values()))
    waiting = [c for c in captions if not _path(folder, text_keys[c]).is_file()]
    for caption in tqdm(waiting, desc="encoding captions", unit="caption", disable=not waiting):
        states = pipeline.encode_prompt(caption)[0]
        _write(_path(folder, text_keys[caption]), {"text_states": states})
    first_of = {key: index for index, key in reversed(list(enumerate(keys)))}
    missing = [index for key, index in first_of.items() if not _path(folder, key).is_file()]
    starts = range(0, len(missing), batch_size)
    for start in tqdm(starts, desc="encoding pictures", unit="batch", disable=not missing):
        chosen = {keys[index]: index for index in missing[start : start + batch_size]}
        _encode(dataset, pipeline, chosen, folder, size)
    _delete_unused(folder, keep_days)
    return CachedDataset(dataset, folder, keys, text_keys)


def weights_id(module: torch.nn.Module, extra: str) -> str:
    """SHA-256 of every weight's name, shape and value, and of what else decides a model's output."""
    digest = hashlib.sha256(extra.encode())
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name}/{tuple(tensor.shape)}/{tensor.dtype}".encode())
        digest.update(tensor.detach().float().cpu().numpy().tobytes())  # in C order, whatever the memory format
    return digest.hexdigest()


@torch.no_grad()
def _encode(
    dataset: GarmentDataset, pipeline: GarmentPipeline, chosen: dict[str, int], folder: Path, size: tuple[int, int]
) -> None:
    with ThreadPoolExecutor(READING_THREADS) as readers:  # decoders and OpenCV let other threads run
        batch = collate(list(readers.map(dataset.__getitem__, chosen.values()))).to(pipeline.device)
    pixels, repaint, strokes = batch.pixels(), batch.repaint(), batch.strokes()
    if size != NATIVE_SIZE:
        pixels = F.interpolate(pixels, size, mode="bilinear", antialias=True).clamp(-1, 1)
        strokes = F.interpolate(strokes, size, mode="bilinear", antialias=True).clamp(0, 1)
        repaint = F.interpolate(repaint, size, mode="nearest-exact")
    if pipeline.config.mask_from_outline:
        repaint = _as_from_outline(repaint)
    parts = {
        "latents": pipeline.encode_image(pixels),
        "masked_latents": pipeline.encode_image(pixels * (1 - repaint)),
        "mask": latent_mask(repaint),
        "sketch": latent_sketch(strokes, pipeline.layout.sketch or 1),
    }
    for row, key in enumerate(chosen):
        _write(_path(folder, key), {name: values[row] for name, values in parts.items()})


def _as_from_outline(masks: torch.Tensor) -> torch.Tensor:
    """What a model that takes its mask from the outline is asked to repaint: the garment without holes, and a margin.

    A mask that ends with the garment would show such a model something that it never sees when it draws.
    """
    wide = [widen(filled(mask)) for mask in (masks[:, 0] > 0.5).cpu().numpy().astype(np.uint8)]
    return torch.from_numpy(np.stack(wide))[:, None].to(masks)


def _mark_used(paths: Iterable[Path]) -> None:
    """The time of change of an entry says on which day it was last asked for; in a folder of others they see to it."""
    for path in set(paths):
        with suppress(FileNotFoundError, PermissionError):
            if time.time() - path.stat().st_mtime > SECONDS_OF_DAY:
                os.utime(path)


def _delete_unused(folder: Path, keep_days: float) -> None:
    """Only files that are named as entries are; parts of files are another run's work for a day."""
    for path in folder.glob("[0-9a-f][0-9a-f]/*"):
        name = _FILE_NAME.fullmatch(path.name)
        with suppress(FileNotFoundError, PermissionError):  # a run beside this one may be deleting too
            if name and time.time() - path.stat().st_mtime > (1 if name[1] else keep_days) * SECONDS_OF_DAY:
                path.unlink()


def _picture_key(item: Item, layout: Sequence[str]) -> str:
    return _digest([FORMAT, "picture", *layout, *(_file_digest(path) for path in (item.image, item.sketch, item.mask))])


def _file_digest(path: Path) -> str:
    """SHA-256 of a file; one that stands in many weeks (as hard links) or is opened again is read once."""
    found = path.stat()
    key = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
    if key not in _DIGESTS:
        _DIGESTS[key] = hashlib.sha256(path.read_bytes()).hexdigest()
    return _DIGESTS[key]


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _path(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key}.safetensors"


def _write(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    halves = {name: values.detach().to("cpu", torch.float16).contiguous() for name, values in tensors.items()}
    broken = [name for name, values in halves.items() if not values.isfinite().all()]
    if broken:
        raise ValueError(f"{broken[0]} of {path} are not finite in float16: check the model's weights.")
    save_file(halves, part)
    os.replace(part, path)


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"cache: {path} cannot be read ({error}). Delete it and encode again.") from error

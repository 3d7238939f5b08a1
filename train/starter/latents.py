"""Encode the data set once: augmented latents, masked-image latents, masks, sketches and token ids, on the device.

In: `StarterData` and the starter's autoencoder. Out: `LatentCache`. Each article stands in it several times, every
copy with its own colours, place, roughness of strokes, region to repaint and wording.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from safetensors.torch import load_file, save_file
from tqdm import tqdm
from transformers import CLIPTokenizer

from fashiondistill.config import DenoiserConfig, DistillConfig
from fashiondistill.data.vitonhd import DRAWING, ArticleRecord
from fashiondistill.diffusion.caches import weights_id
from fashiondistill.diffusion.conditioning import Conditioning, latent_mask, latent_sketch
from fashiondistill.diffusion.region import MARGIN, filled
from train.starter.augment import (
    GROUND_VALUE,
    caption_of,
    changes_of,
    draw_colour_maps,
    draw_mirrored,
    move,
    recoloured_words,
    rough_sketch,
)
from train.starter.common import random_generator
from train.starter.ranks import Ranks
from train.starter.splits import StarterData, load_split
from train.starter.tokens import encode

CHUNK = 64
VALIDATION_DRAWINGS = 64  # drawn garments beside the photos that validate
RECOLOURED = 0.5  # share of the copies with other colours than the photo


@dataclass(frozen=True, eq=False)
class LatentCache:
    """M samples on one device.

    Attributes:
        latents, masked_latents: [M, C, 64, 48] fp16, scaled.
        mask: [M, 1, 64, 48] fp16.
        sketch: [M, parts, 64, 48] fp16.
        ids: [M, 77] token ids.
        weight: [M] float, how often to draw the sample.
    """

    latents: torch.Tensor
    masked_latents: torch.Tensor
    mask: torch.Tensor
    sketch: torch.Tensor
    ids: torch.Tensor
    weight: torch.Tensor

    def __len__(self) -> int:
        return len(self.latents)

    def take(self, chosen: torch.Tensor) -> LatentCache:
        """The samples at the indices `chosen`."""
        return LatentCache(**{entry.name: getattr(self, entry.name)[chosen] for entry in dataclasses.fields(self)})

    def conditioning(self, text_states: torch.Tensor, dropped: torch.Tensor) -> Conditioning:
        """What the UNet sees of the samples; those `dropped` [M] lose their sketch (and `text_states` are theirs)."""
        return Conditioning(
            encoder_hidden_states=text_states,
            mask=self.mask.float(),
            masked_latents=self.masked_latents.float(),
            sketch=self.sketch.float() * (~dropped)[:, None, None, None],
        )


@dataclass(frozen=True, eq=False)
class CacheSources:
    """What the copies are made from: the data, its enclosed regions (uint8 [N, 1, 512, 384]) and weights [N]."""

    data: StarterData
    regions: torch.Tensor
    weights: torch.Tensor

    @classmethod
    def of(cls, data: StarterData, *, copies: list[int], drawing_share: float) -> CacheSources:
        """Sources of which article n stands in the cache copies[n] times."""
        weights = share_weights(data.records, drawing_share) / torch.tensor(copies)
        return cls(data, fill_masks(data.masks), weights)

    def take(self, chosen: list[int]) -> CacheSources:
        """The articles at the indices `chosen`."""
        data = self.data
        index = torch.tensor(chosen)
        picked = StarterData(
            [data.records[i] for i in chosen],
            *(tensor[index.to(tensor.device)] for tensor in (data.images, data.sketches, data.masks)),
        )
        return CacheSources(picked, self.regions[index.to(self.regions.device)], self.weights[index])


@dataclass(frozen=True)
class CacheSource:
    """Where a stage gets its latents from: the data set through the autoencoder, or a file of an earlier run."""

    config: DenoiserConfig | DistillConfig
    vae: AutoencoderKL
    tokenizer: CLIPTokenizer
    parts: int

    def train(self, ranks: Ranks) -> LatentCache:
        """This process's share of the training articles, in all their copies."""
        path = self._path(ranks)
        if path is not None and path.is_file():
            return LatentCache(**load_file(path, device=_device_name(self.config.device)))
        root, limit = Path(self.config.dataset_path), self.config.max_records
        data = load_split(root, "train", device=self.config.device, limit=limit, part=(ranks.rank, ranks.count))
        cache = self._build(data, self.config.num_variants, self.config.drawing_variants)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            save_file({name: value.contiguous() for name, value in vars(cache).items()}, part)
            os.replace(part, path)
        return cache

    def validation(self) -> LatentCache:
        """The validation photos and some drawings, one copy of each."""
        root, limit = Path(self.config.dataset_path), self.config.max_records
        data = load_split(root, "val", device=self.config.device, max_drawings=VALIDATION_DRAWINGS, limit=limit)
        return self._build(data, 1, 1)

    def _build(self, data: StarterData, num_variants: int, drawing_variants: int) -> LatentCache:
        copies = [min(num_variants, drawing_variants) if r.sender == DRAWING else num_variants for r in data.records]
        sources = CacheSources.of(data, copies=copies, drawing_share=self.config.drawing_share)
        return build_cache(
            sources, copies, vae=self.vae, tokenizer=self.tokenizer, seed=self.config.seed, parts=self.parts
        )

    def _path(self, ranks: Ranks) -> Path | None:
        """Named by all that decides what the file holds."""
        if not self.config.cache_dir:
            return None
        config, root = self.config, Path(self.config.dataset_path)
        said = [config.seed, config.num_variants, config.drawing_variants, config.drawing_share, config.max_records]
        said += [self.parts, ranks.rank, ranks.count, sorted(self.tokenizer.get_vocab().items())]
        said += [hashlib.sha256((root / "manifest.jsonl").read_bytes()).hexdigest()]
        digest = weights_id(self.vae, json.dumps(said))
        return Path(config.cache_dir) / f"latents-{digest[:32]}.safetensors"


def _device_name(device: str) -> str:
    return f"cuda:{torch.cuda.current_device()}" if device == "cuda" else device


@torch.no_grad()
def build_cache(
    sources: CacheSources, copies: list[int], *, vae: AutoencoderKL, tokenizer: CLIPTokenizer, seed: int, parts: int
) -> LatentCache:
    """Encode article n of the sources copies[n] times; what copy v looks like is keyed by (seed, v).

    Args:
        parts: channels of the sketch, see `latent_sketch`.
    """
    vae = vae.to(memory_format=torch.channels_last)
    encoded: list[LatentCache] = []
    chunks = []
    for variant in range(max(copies)):
        wanted = [index for index, count in enumerate(copies) if variant < count]
        chunks += [(variant, wanted[start : start + CHUNK]) for start in range(0, len(wanted), CHUNK)]
    for variant, chosen in tqdm(chunks, desc="encoding latents", unit="chunk"):
        generator = random_generator("cpu", seed, variant, chosen[0])
        encoded.append(_encode_chunk(sources.take(chosen), vae, tokenizer, parts, generator))
    names = [entry.name for entry in dataclasses.fields(LatentCache)]
    return LatentCache(**{name: torch.cat([getattr(chunk, name) for chunk in encoded]) for name in names})


def fill_masks(masks: torch.Tensor) -> torch.Tensor:
    """uint8 masks [N, 1, H, W] -> 0 or 255: what the garment's outer outline encloses, as a drawn outline would."""
    arrays = masks[:, 0].cpu().numpy()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        regions = np.stack(list(pool.map(filled, arrays)))
    return torch.from_numpy(regions * np.uint8(255))[:, None].to(masks.device)


def garment_weights(records: list[ArticleRecord]) -> torch.Tensor:
    """[N] sampling weights: a garment with a quarter of the photos is drawn half as often, not a quarter as often."""
    counts = Counter(record.garment for record in records)
    return torch.tensor([counts[record.garment] ** -0.5 for record in records])


def share_weights(records: list[ArticleRecord], drawing_share: float) -> torch.Tensor:
    """[N] weights of `garment_weights` within photos and within drawings; the drawings' sum is their share of all."""
    drawn = torch.tensor([record.sender == DRAWING for record in records])
    weights = torch.zeros(len(records))
    for kind, total in ((drawn, drawing_share), (~drawn, 1 - drawing_share)):
        own = garment_weights([record for record, here in zip(records, kind.tolist(), strict=True) if here])
        weights[kind] = total * own / own.sum()
    return weights * len(records)


def _encode_chunk(
    sources: CacheSources,
    vae: AutoencoderKL,
    tokenizer: CLIPTokenizer,
    parts: int,
    generator: torch.Generator,
) -> LatentCache:
    data, device = sources.data, sources.data.images.device
    records = data.records
    images = data.images.float() / 127.5 - 1
    masks, sketches = data.masks.float() / 255, data.sketches.float() / 255
    maps = draw_colour_maps(records, generator, share=RECOLOURED)
    words, mirrored = recoloured_words(records, maps), draw_mirrored(records, generator)
    on_device = dataclasses.replace(maps, matrix=maps.matrix.to(device), offset=maps.offset.to(device))
    images = on_device.apply(images, masks)
    images, masks, sketches, regions = move(
        [images, masks, sketches, sources.regions.float() / 255],
        [GROUND_VALUE, 0.0, 0.0, 0.0],
        generator,
        mirrored=mirrored,
        max_shift=0.04,
        scale=(0.85, 1.06),
    )
    sketches = rough_sketch(sketches, masks, generator)
    no_sketch = torch.rand(len(records), 1, 1, 1, generator=generator).to(device) < 0.06
    sketches = torch.where(no_sketch, torch.zeros_like(sketches), sketches)
    repaint = draw_repaint_masks(regions, generator)
    variants = torch.rand(len(records), generator=generator).tolist()
    told = zip(records, words, variants, changes_of(maps, mirrored), strict=True)
    captions = [caption_of(*each) for each in told]
    return LatentCache(
        latents=encode_images(vae, images),
        masked_latents=_encode_masked(vae, images, repaint),
        mask=latent_mask(repaint).half(),
        sketch=latent_sketch(sketches, parts).half(),
        ids=encode(tokenizer, captions).to(device),
        weight=sources.weights.to(device),
    )


def _encode_masked(vae: AutoencoderKL, images: torch.Tensor, repaint: torch.Tensor) -> torch.Tensor:
    """Latents of the pictures without their masked part; what is masked whole is the same grey, encoded once."""
    some = (repaint.amin(dim=(1, 2, 3)) < 1).nonzero()[:, 0]
    grey = encode_images(vae, torch.zeros_like(images[:1]))
    latents = grey.expand(len(images), -1, -1, -1).clone()
    if len(some):
        latents[some] = encode_images(vae, images[some] * (1 - repaint[some]))
    return latents


def encode_images(vae: AutoencoderKL, images: torch.Tensor) -> torch.Tensor:
    """[B, 3, 512, 384] in [-1, 1] -> scaled posterior means, fp16 [B, C, 64, 48]."""
    with torch.autocast(images.device.type, torch.bfloat16):
        parts = [part.contiguous(memory_format=torch.channels_last) for part in images.split(32)]
        means = torch.cat([vae.encode(part).latent_dist.mean for part in parts])
    return (means.float() * vae.config.scaling_factor).half()


def draw_repaint_masks(regions: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """What to repaint [B, 1, H, W], 1 = repaint: everything (30 %), what the outline encloses (45 %), a part (25 %).

    The second is what `GarmentPipeline` asks for when the outline is closed; the margin around it varies here.
    """
    batch, _, height, width = regions.shape
    device = regions.device
    kind = torch.rand(batch, 1, 1, 1, generator=generator).to(device)
    noise = torch.rand(batch, 1, 4, 3, generator=generator).to(device)
    blobs = F.interpolate(noise, (height, width), mode="bicubic", align_corners=False)
    threshold = 0.4 + 0.3 * torch.rand(batch, 1, 1, 1, generator=generator).to(device)
    part = (blobs > threshold).float()
    margin = int(torch.randint(MARGIN - 3, MARGIN + 5, (), generator=generator))
    enclosed = F.max_pool2d((regions > 0.5).float(), 2 * margin + 1, 1, margin)
    result = torch.where(kind < 0.3, torch.ones_like(regions), torch.where(kind < 0.75, enclosed, part))
    empty = result.amax(dim=(1, 2, 3), keepdim=True) == 0
    return torch.where(empty, torch.ones_like(result), result)

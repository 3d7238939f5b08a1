"""Encode the data set once: augmented latents, masked-image latents, masks, sketches and token ids, on the device.

In: `StarterData` and the starter's autoencoder. Out: `LatentCache`. Each article stands in it several times, every
copy with its own colours, place, roughness of strokes, region to repaint and wording.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from tqdm import tqdm
from transformers import CLIPTokenizer

from fashiondistill.diffusion.conditioning import latent_mask, latent_sketch
from train.starter.augment import GROUND_VALUE, caption_of, draw_colour_maps, move, recoloured_words, rough_sketch
from train.starter.common import StarterData, random_generator
from train.starter.tokens import encode

CHUNK = 64


@dataclass(frozen=True, eq=False)
class LatentCache:
    """M samples: latents and masked latents [M, 4, 64, 48] (scaled), mask and sketch [M, 1, 64, 48], ids [M, 77]."""

    latents: torch.Tensor
    masked_latents: torch.Tensor
    mask: torch.Tensor
    sketch: torch.Tensor
    ids: torch.Tensor

    def __len__(self) -> int:
        return len(self.latents)


@torch.no_grad()
def build_cache(
    data: StarterData, vae: AutoencoderKL, tokenizer: CLIPTokenizer, *, num_variants: int, seed: int
) -> LatentCache:
    """Encode every article `num_variants` times; copy 0 keeps its own colours."""
    vae = vae.to(memory_format=torch.channels_last)
    parts: list[LatentCache] = []
    starts = [(v, start) for v in range(num_variants) for start in range(0, len(data), CHUNK)]
    for variant, start in tqdm(starts, desc="encoding latents", unit="chunk"):
        parts.append(_encode_chunk(data, slice(start, start + CHUNK), vae, tokenizer, variant, seed))
    names = [entry.name for entry in dataclasses.fields(LatentCache)]
    return LatentCache(**{name: torch.cat([getattr(part, name) for part in parts]) for name in names})


def _encode_chunk(
    data: StarterData, window: slice, vae: AutoencoderKL, tokenizer: CLIPTokenizer, variant: int, seed: int
) -> LatentCache:
    device = data.images.device
    generator = random_generator("cpu", seed, variant, window.start)
    records = data.records[window]
    images = data.images[window].float() / 127.5 - 1
    masks, sketches = data.masks[window].float() / 255, data.sketches[window].float() / 255
    maps = draw_colour_maps(records, generator, share=0.0 if variant == 0 else 0.6)
    words = recoloured_words(records, maps) if variant else [list(r.colours) for r in records]
    on_device = dataclasses.replace(maps, matrix=maps.matrix.to(device), offset=maps.offset.to(device))
    images = on_device.apply(images, masks)
    images, masks, sketches = move(
        [images, masks, sketches], [GROUND_VALUE, 0.0, 0.0], generator, max_shift=0.04, scale=(0.85, 1.06)
    )
    sketches = rough_sketch(sketches, masks, generator)
    no_sketch = torch.rand(len(records), 1, 1, 1, generator=generator).to(device) < 0.06
    sketches = torch.where(no_sketch, torch.zeros_like(sketches), sketches)
    repaint = draw_repaint_masks(masks, generator)
    variants = torch.rand(len(records), generator=generator).tolist()
    captions = [caption_of(r, w, v) for r, w, v in zip(records, words, variants, strict=True)]
    return LatentCache(
        latents=encode_images(vae, images),
        masked_latents=_encode_masked(vae, images, repaint),
        mask=latent_mask(repaint).half(),
        sketch=latent_sketch(sketches).half(),
        ids=encode(tokenizer, captions).to(device),
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
    """[B, 3, 512, 384] in [-1, 1] -> scaled posterior means, fp16 [B, 4, 64, 48]."""
    with torch.autocast(images.device.type, torch.bfloat16):
        parts = [part.contiguous(memory_format=torch.channels_last) for part in images.split(32)]
        means = torch.cat([vae.encode(part).latent_dist.mean for part in parts])
    return (means.float() * vae.config.scaling_factor).half()


def draw_repaint_masks(masks: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Regions to repaint [B, 1, H, W], 1 = repaint: all (45 %), around the garment (20 %), a part of it (35 %)."""
    batch, _, height, width = masks.shape
    device = masks.device
    kind = torch.rand(batch, 1, 1, 1, generator=generator).to(device)
    noise = torch.rand(batch, 1, 4, 3, generator=generator).to(device)
    blobs = F.interpolate(noise, (height, width), mode="bicubic", align_corners=False)
    threshold = 0.4 + 0.3 * torch.rand(batch, 1, 1, 1, generator=generator).to(device)
    part = (blobs > threshold).float()
    around = F.interpolate(
        F.max_pool2d(F.interpolate(masks, scale_factor=0.125, mode="area"), 5, 1, 2), (height, width)
    )
    result = torch.where(kind < 0.45, torch.ones_like(masks), torch.where(kind < 0.65, (around > 0).float(), part))
    empty = result.amax(dim=(1, 2, 3), keepdim=True) == 0
    return torch.where(empty, torch.ones_like(result), result)

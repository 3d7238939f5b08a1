"""Latents and pictures from the models in training, many at once and without leaving the device.

In: `TrainingModels`, conditions, noise. Out: latents and float pictures. Knows nothing of rounds and data sets.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from typing import TypeVar

import torch
from tqdm import tqdm

from fashiondistill.diffusion.conditioning import Conditioning
from train.models import TrainingModels
from train.objectives import Autocast, in_threads
from train.settings import TrainConfig

DECODED_TOGETHER = 32  # pictures; at 512 x 384 three processes with 128 each ran out of 80 GB here
Made = TypeVar("Made")


def within_memory(rows: Sequence[int], size: int, work: Callable[[Sequence[int]], Made]) -> Iterator[Made]:
    """What `work` makes of `size` rows at a time, in order; of half as many, from then on, where memory is short.

    Noise is keyed by row, so the pictures are the same in any batch.

    Args:
        rows: all of them.
        size: at a time, at least 1.
        work: makes something of some rows.

    Raises:
        ValueError: naming the remedy, if not even one row at a time fits.
    """
    start = 0
    while start < len(rows):
        part, made = rows[start : start + size], None
        try:
            made = work(part)
        except torch.OutOfMemoryError as error:
            if len(part) == 1:
                raise ValueError(
                    "out of memory while one prompt's pictures are drawn. Run fewer processes on this GPU, draw fewer "
                    "candidates or noises of a prompt, or lower --image_size."
                ) from error
            size = (len(part) + 1) // 2
            tqdm.write(f"warning: out of memory; pictures of {size} prompts at a time from here on", file=sys.stderr)
        if made is None:
            torch.cuda.empty_cache()  # outside of the except clause, whose error holds the tensors
            continue
        start += len(part)
        yield made


def noise_of(seeds: Sequence[int], shape: Sequence[int]) -> torch.Tensor:
    """Noise [n, *shape], one generator for each seed: the same on every device and in every batch."""
    one = lambda seed: torch.randn(shape, generator=torch.Generator().manual_seed(seed))  # noqa: E731
    return torch.stack(in_threads(one, seeds))


@torch.no_grad()
def draw_latents(
    models: TrainingModels, conditioning: Conditioning, noise: torch.Tensor, config: TrainConfig, autocast: Autocast
) -> torch.Tensor:
    """Latents [n, C, h, w] drawn from noise with the settings of --num_inference_steps and --guidance_scale."""
    training = models.unet.training
    models.unet.eval()
    with autocast():
        for latents in models.pipeline.denoise(  # noqa: B007 - the last ones are wanted
            noise,
            conditioning,
            models.pipeline.encode_prompt(""),
            num_inference_steps=config.num_inference_steps,
            guidance_scale=config.guidance_scale,
        ):
            pass
    models.unet.train(training)
    return latents


@torch.no_grad()
def decode_pixels(models: TrainingModels, latents: torch.Tensor, autocast: Autocast) -> torch.Tensor:
    """Latents -> float32 [n, 3, H, W] in [-1, 1], on the device.

    A few at a time: at full size the decoder needs far more memory than all that comes before it.
    """
    scaled = (latents / models.pipeline.vae.config.scaling_factor).contiguous(memory_format=torch.channels_last)
    with autocast():
        parts = [
            models.pipeline.vae.decode(part).sample.float().clamp(-1, 1) for part in scaled.split(DECODED_TOGETHER)
        ]
    return torch.cat(parts)


def repeat(conditioning: Conditioning, count: int) -> Conditioning:
    """Each sample `count` times in a row."""
    values = {entry.name: getattr(conditioning, entry.name) for entry in fields(conditioning)}
    return Conditioning(**{n: None if v is None else v.repeat_interleave(count, dim=0) for n, v in values.items()})

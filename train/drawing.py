"""Latents and pictures from the models in training, many at once and without leaving the device.

In: `TrainingModels`, conditions, noise. Out: latents and float pictures. Knows nothing of rounds and data sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import torch

from fashiondistill.diffusion.conditioning import Conditioning
from train.models import TrainingModels
from train.objectives import Autocast, in_threads
from train.settings import TrainConfig


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
    """Latents -> float32 [n, 3, H, W] in [-1, 1], on the device."""
    scaled = (latents / models.pipeline.vae.config.scaling_factor).contiguous(memory_format=torch.channels_last)
    with autocast():
        return models.pipeline.vae.decode(scaled).sample.float().clamp(-1, 1)


def repeat(conditioning: Conditioning, count: int) -> Conditioning:
    """Each sample `count` times in a row."""
    values = {entry.name: getattr(conditioning, entry.name) for entry in fields(conditioning)}
    return Conditioning(**{n: None if v is None else v.repeat_interleave(count, dim=0) for n, v in values.items()})

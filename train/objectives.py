"""What an update minimises on real images: the denoising loss and the trend loss, with every draw keyed by its place.

In: a `TrainBatch`. Out: `LossTerms` with a graph. Noise, timesteps and dropout of a sample depend on (seed, purpose,
place in the stream) alone, so they are the same on every device, in any micro-batch and after a resumed run. Knows
nothing of optimizers and files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import torch
from torch import nn

from fashiondistill.diffusion.conditioning import Conditioning, predict
from fashiondistill.diffusion.losses import (
    Noised,
    add_noise,
    mean_distance,
    min_snr_weight,
    set_distance,
    squared_error,
    trend_weight,
)
from fashiondistill.diffusion.trend import LatentFeatures, TrendEncoder
from train.data import TrainBatch
from train.models import TrainingModels
from train.settings import TrainConfig
from train.starter.common import random_generator

REAL, PAIRS, FREQUENCY, PROMPTS = range(4)  # purposes of draws; each has a stream of its own
Autocast = Callable[[], AbstractContextManager]
Drawn = TypeVar("Drawn")
_DRAWERS = ThreadPoolExecutor(min(8, os.cpu_count() or 1))  # starts no thread before the first draw


@dataclass(frozen=True, eq=False)
class LossTerms:
    """The loss of a micro-batch, a mean over its samples, with a graph; and its parts, for the log."""

    total: torch.Tensor
    parts: Mapping[str, torch.Tensor]


class Objective(Protocol):
    """What the loop asks of an objective."""

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What is trained, by name: "unet", "trend"."""

    @property
    def rate_scales(self) -> Mapping[str, float]:
        """Module -> its learning rate over that of the run; 1 where none is named."""

    def begin_step(self, step: int) -> None:
        """Called before an update; the place for what happens seldom."""

    def loss(self, batch: TrainBatch, step: int) -> LossTerms:
        """The loss of a micro-batch."""

    def end_step(self, step: int, parts: Mapping[str, float]) -> Sequence[str]:
        """Called after an update with the parts' means over the whole batch; returns warnings to show."""

    def state(self) -> dict:
        """What a resumed run needs, as JSON."""

    def restore(self, state: dict) -> None:
        """Take what `state` gave."""


@dataclass(frozen=True, eq=False)
class Draws:
    """What is drawn for B samples.

    Attributes:
        noise: [B, C, h, w].
        timesteps: int64 [B].
        dropped: bool [B], all conditions dropped.
        trend_dropped: bool [B], the trend alone dropped.
    """

    noise: torch.Tensor
    timesteps: torch.Tensor
    dropped: torch.Tensor
    trend_dropped: torch.Tensor


def in_threads(draw_one: Callable[[int], Drawn], keys: Sequence[int]) -> list[Drawn]:
    """What each key gives, in order; torch's generators let one another run, and a GPU waits for nobody so long."""
    return list(_DRAWERS.map(draw_one, keys))


def draw(config: TrainConfig, purpose: int, batch: TrainBatch, *, low: int, high: int, offset: float) -> Draws:
    """Draws of a batch, on its device; timesteps from `low` to below `high`, noise with a share per channel."""
    shape = batch.latents.shape[1:]

    def of_place(place: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        generator = random_generator("cpu", config.seed, purpose, place)
        step = torch.randint(low, high, (), generator=generator)
        chance = torch.rand(2, generator=generator)
        noise = torch.randn(shape, generator=generator)
        return noise + offset * torch.randn(shape[0], 1, 1, generator=generator) if offset else noise, step, chance

    noises, steps, chances = zip(*in_threads(of_place, batch.place.tolist()), strict=True)
    chance, device = torch.stack(chances).to(batch.latents.device), batch.latents.device
    return Draws(
        torch.stack(noises).to(device),
        torch.stack(steps).to(device),
        chance[:, 0] < config.condition_dropout,
        chance[:, 1] < config.trend_dropout,
    )


def with_trend(
    conditioning: Conditioning, batch: TrainBatch, trend: TrendEncoder | None, embeddings: torch.Tensor
) -> Conditioning:
    """Add the trend tokens of each sample's past; without a past they stand there unseen."""
    if trend is None:
        return conditioning
    tokens = trend(embeddings[batch.past_rows], batch.past_weights, batch.category, batch.season)
    seen = (batch.past_weights.sum(dim=1) > 0).float()[:, None].expand(-1, tokens.shape[1])
    return replace(conditioning, trend=tokens, trend_seen=seen)


def conditions_of(batch: TrainBatch, models: TrainingModels, embeddings: torch.Tensor) -> Conditioning:
    """All conditions of a batch, nothing dropped."""
    layout = models.layout
    plain = batch.conditioning(pose_channels=layout.pose, sketch_channels=layout.sketch)
    return with_trend(plain, batch, models.trend, embeddings)


class TemporalObjective:
    """Denoising with the min-SNR weight, trend tokens as a condition, and the trend loss.

    Args:
        models: UNet and trend encoder are trained, unless `train_trend` is False.
        embeddings: CLIP embeddings [A, D] of past articles.
        features, past_features: features of latents, and those of the articles [A, F].
        config: weights and dropout.
        autocast: context in which the UNet runs.
        trend_lr_scale: learning rate of the trend encoder over that of the run.
    """

    def __init__(
        self,
        models: TrainingModels,
        embeddings: torch.Tensor,
        features: tuple[LatentFeatures, torch.Tensor],
        config: TrainConfig,
        autocast: Autocast,
        *,
        train_trend: bool = True,
        trend_lr_scale: float = 1.0,
    ) -> None:
        self.models, self.embeddings, self.config, self.autocast = models, embeddings, config, autocast
        self.features, self.past_features = features
        self.train_trend = train_trend and models.trend is not None
        self.rate_scales = {"trend": trend_lr_scale}
        self.null_states = models.pipeline.encode_prompt("").float()
        models.unet.train()  # gradient checkpointing looks at it
        for module in self.modules.values():
            module.train().requires_grad_(True)

    @property
    def modules(self) -> dict[str, nn.Module]:
        """The UNet or its adapter, and the trend encoder if it is trained."""
        found = self.models.trained
        return found | {"trend": self.models.trend} if self.train_trend else found

    def begin_step(self, step: int) -> None:
        """Nothing happens seldom here."""

    def loss(self, batch: TrainBatch, step: int) -> LossTerms:
        """min-SNR weighted error on real images, plus `temporal_loss_weight` times the trend loss."""
        config, models = self.config, self.models
        num_timesteps = len(models.alphas)
        draws = draw(config, REAL, batch, low=0, high=num_timesteps, offset=config.noise_offset)
        noised = add_noise(batch.latents, draws.noise, draws.timesteps, models.alphas, models.prediction_type)
        with self.autocast():
            conditioning = self._dropped(conditions_of(batch, models, self.embeddings), draws)
            output = predict(models.forward, models.layout, noised.noisy, draws.timesteps, conditioning).float()
        weight = min_snr_weight(noised.alpha, gamma=config.snr_gamma, prediction_type=models.prediction_type)
        denoising = (weight * squared_error(output, noised)).mean()
        parts = {"denoising": denoising.detach()}
        total = denoising
        if config.temporal_loss_weight:
            temporal = self.trend_loss(output, noised, batch)
            parts["temporal"] = temporal.detach()
            total = total + config.temporal_loss_weight * temporal
        return LossTerms(total, parts | {"loss": total.detach()})

    def trend_loss(self, output: torch.Tensor, noised: Noised, batch: TrainBatch) -> torch.Tensor:
        """Distance between the predicted garments and what sold in the weeks before; a scalar."""
        found = self.features(noised.clean(output), batch.mask)
        past = self.past_features[batch.past_rows]
        weights = trend_weight(noised, len(self.models.alphas))
        if self.config.temporal_loss == "mean":
            return mean_distance(found, past, batch.past_weights, weights)
        return set_distance(found, past, batch.past_weights, batch.category, weights)

    def _dropped(self, conditioning: Conditioning, draws: Draws) -> Conditioning:
        if conditioning.trend_seen is not None:
            kept = (~draws.trend_dropped).float()[:, None]
            conditioning = replace(conditioning, trend_seen=conditioning.trend_seen * kept)
        return conditioning.without(draws.dropped, self.null_states)

    def end_step(self, step: int, parts: Mapping[str, float]) -> Sequence[str]:
        """Nothing to warn of."""
        return ()

    def state(self) -> dict:
        """Nothing beyond weights."""
        return {}

    def restore(self, state: dict) -> None:
        """Nothing beyond weights."""

"""What the UNet sees: the channel layout, declared once, and the conditions of a batch.

In: noisy latents and a `Conditioning`. Out: the UNet's input, and its output back in latent shape. Order of the
channels: noisy latents, mask, masked-image latents, pose, sketch (Multimodal Garment Designer, Baldrati et al. 2023,
section 3.2). With fold = 2 every 2 x 2 block of latents becomes one token of four times the channels, which makes a
UNet on 64 x 48 latents about four times cheaper on a CPU.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import torch
import torch.nn.functional as F

VAE_FACTOR = 8  # pixels per latent cell and axis
SKETCH_CHANNELS = (0, 1, 4, 16)  # none, or the square parts of a latent cell


@dataclass(frozen=True)
class ChannelLayout:
    """Channels of the UNet's input before folding; the one place where they are declared."""

    latents: int = 4
    mask: int = 1
    masked_image: int = 4
    pose: int = 0
    sketch: int = 1
    fold: int = 1

    @property
    def in_channels(self) -> int:
        """Channels that the UNet takes."""
        return (self.latents + self.mask + self.masked_image + self.pose + self.sketch) * self.fold**2

    @property
    def out_channels(self) -> int:
        """Channels that the UNet gives."""
        return self.latents * self.fold**2

    def check(self, unet_config: Mapping) -> None:
        """Raise ValueError if a UNet config does not have this layout's channels, naming both counts."""
        if self.sketch not in SKETCH_CHANNELS:
            raise ValueError(f"sketch_channels {self.sketch} is not usable: choose one of {SKETCH_CHANNELS}.")
        for name, expected in (("in_channels", self.in_channels), ("out_channels", self.out_channels)):
            if unet_config[name] != expected:
                raise ValueError(
                    f"the UNet has {name} {unet_config[name]}, the channel layout {self} needs {expected}."
                )

    def fold_latents(self, values: torch.Tensor) -> torch.Tensor:
        """[B, C, h, w] -> [B, C * fold^2, h / fold, w / fold]."""
        return F.pixel_unshuffle(values, self.fold) if self.fold > 1 else values

    def unfold(self, values: torch.Tensor) -> torch.Tensor:
        """Undo `fold_latents`."""
        return F.pixel_shuffle(values, self.fold) if self.fold > 1 else values

    def assemble(self, noisy_latents: torch.Tensor, conditioning: Conditioning) -> torch.Tensor:
        """Noisy latents [B, 4, h, w] and conditions -> UNet input [B, in_channels, h / fold, w / fold].

        Raises:
            ValueError: if the layout has pose or sketch channels and the conditioning lacks them, or the reverse.
        """
        parts = [noisy_latents, conditioning.mask, conditioning.masked_latents]
        for name in ("pose", "sketch"):
            value, channels = getattr(conditioning, name), getattr(self, name)
            given = 0 if value is None else value.shape[1]
            if given != channels:
                raise ValueError(
                    f"conditioning has {given} {name} channels, the channel layout {self} needs {channels}."
                )
            if value is not None:
                parts.append(value)
        return self.fold_latents(torch.cat([part.to(noisy_latents.dtype) for part in parts], dim=1))


@dataclass(frozen=True, eq=False)
class Conditioning:
    """The conditions of a batch, at latent size (h, w) = (H / 8, W / 8).

    Attributes:
        encoder_hidden_states: [B, 77, D] text states.
        mask: [B, 1, h, w], 1 = repaint.
        masked_latents: [B, 4, h, w], scaled latents of the picture with the masked part grey.
        pose: [B, 3 or 18, h, w] or None.
        sketch: [B, 1 (4, 16), h, w] in [0, 1], 1 = stroke, or None.
        trend: [B, K, D] cross-attention tokens beside the text's, or None.
        trend_seen: [B, K], 1 = the UNet sees the token, 0 = as if there were none; None without `trend`.
    """

    encoder_hidden_states: torch.Tensor
    mask: torch.Tensor
    masked_latents: torch.Tensor
    pose: torch.Tensor | None = None
    sketch: torch.Tensor | None = None
    trend: torch.Tensor | None = None
    trend_seen: torch.Tensor | None = None

    def __len__(self) -> int:
        return self.mask.shape[0]

    def without(self, dropped: torch.Tensor, null_states: torch.Tensor) -> Conditioning:
        """Drop text, sketch, pose and trend together where `dropped` [B] is True; the mask inputs stay.

        This is the unconditional branch of MGD's joint guidance; `null_states` [1, 77, D] are the empty prompt's.
        """
        states = torch.where(
            dropped[:, None, None], null_states.to(self.encoder_hidden_states), self.encoder_hidden_states
        )
        kept = (~dropped)[:, None, None, None].to(self.mask.dtype)
        return replace(
            self,
            encoder_hidden_states=states,
            pose=None if self.pose is None else self.pose * kept,
            sketch=None if self.sketch is None else self.sketch * kept,
            trend_seen=None if self.trend_seen is None else self.trend_seen * kept[:, :, 0, 0],
        )

    def cat(self, other: Conditioning) -> Conditioning:
        """Both batches, one after the other."""
        joined = {}
        for entry in fields(self):
            first, second = getattr(self, entry.name), getattr(other, entry.name)
            if (first is None) != (second is None):
                raise ValueError(f"one conditioning has {entry.name}, the other has none.")
            joined[entry.name] = None if first is None else torch.cat([first, second])
        return Conditioning(**joined)

    def to(self, device: torch.device, dtype: torch.dtype) -> Conditioning:
        """Every tensor on `device` in `dtype`."""
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return Conditioning(**{n: None if v is None else v.to(device, dtype) for n, v in values.items()})

    def expand(self, count: int) -> Conditioning:
        """A batch of one, repeated `count` times."""
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return Conditioning(**{n: None if v is None else v.expand(count, *v.shape[1:]) for n, v in values.items()})


def latent_mask(mask: torch.Tensor) -> torch.Tensor:
    """Pixel mask [B, 1, H, W] -> [B, 1, H / 8, W / 8]; a cell is repainted if any of its pixels is."""
    return (F.max_pool2d(mask, VAE_FACTOR) > 0.5).to(mask.dtype)


def latent_sketch(sketch: torch.Tensor, channels: int = 1) -> torch.Tensor:
    """Pixel sketch [B, 1, H, W] in [0, 1] -> [B, channels, H / 8, W / 8] by area: a thin line stays visible as a grey.

    Args:
        channels: parts that each latent cell is divided into, a square number: with 1 a line's place inside its cell
            of 8 pixels is lost, with 4 it is known to 4 pixels.
    """
    side = math.isqrt(channels)
    return F.pixel_unshuffle(F.avg_pool2d(sketch, VAE_FACTOR // side), side)


def predict(
    unet: torch.nn.Module,
    layout: ChannelLayout,
    noisy_latents: torch.Tensor,
    timesteps: torch.Tensor,
    conditioning: Conditioning,
) -> torch.Tensor:
    """The UNet's prediction for noisy latents [B, 4, h, w], in the same shape."""
    inputs = layout.assemble(noisy_latents, conditioning)
    states, trend, seen = conditioning.encoder_hidden_states, conditioning.trend, conditioning.trend_seen
    if trend is None:
        output = unet(inputs, timesteps, states, return_dict=False)[0]
    else:
        mask = torch.cat([torch.ones_like(states[:, :, 0]), seen.to(states.dtype)], dim=1)
        joined = torch.cat([states, trend.to(states.dtype)], dim=1)
        output = unet(inputs, timesteps, joined, encoder_attention_mask=mask, return_dict=False)[0]
    return layout.unfold(output)

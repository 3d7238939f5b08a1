"""Models that draw faster on a CPU: the same weights and the same maths, in fewer passes over memory.

In: a frozen AutoencoderKL or UNet2DConditionModel. Out: the same one, with parts that compute as its own do but for
rounding. Only for drawing: activations are overwritten, which no gradient survives. Most of a decode is spent at full
resolution, where each pass over 512 x 384 x 24 to 48 numbers takes as long as a convolution (docs/LOG.md has profiles).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.upsampling import Upsample2D
from torch import nn

# Where torch 2.14's GroupNorm is slow on channels_last: below 32 channels, a vector of bfloat16 (24 channels of 512 x
# 384: 9.5 ms, against 3.9 by batch norm's kernels), and below 1,024 pixels with groups of other than 16 channels, where
# it takes another path (4 x 192 of 32 x 24, 16 groups: 2.0 ms against 0.6). Below 128 pixels neither matters. Measured
# with one thread of a Xeon with amx_bf16.
THIN, SMALL, TINY, VECTOR = 32, 1024, 128, 16


def make_faster(model: AutoencoderKL | UNet2DConditionModel) -> None:
    """Replace the norms, residual blocks and, in an autoencoder, doubling convolutions of a frozen model, in place.

    Names and values of all parameters stay, so that it can be saved, loaded and given a LoRA as before.
    """
    # A UNet's up-sampling may be told an odd size, and it has few pixels to gain by.
    kinds = (_faster_norm, _faster_block, *([_faster_doubling] if isinstance(model, AutoencoderKL) else []))
    for kind in kinds:  # one after the other: a block takes the norms that stand in it
        for name, module in list(model.named_modules()):
            faster = kind(module)
            if faster is not None:
                parent, _, own = name.rpartition(".")
                setattr(model.get_submodule(parent), own, faster)


def _faster_norm(module: nn.Module) -> nn.Module | None:
    return FastGroupNorm(module) if type(module) is nn.GroupNorm else None


def _faster_block(module: nn.Module) -> nn.Module | None:
    return FastResnet(module) if type(module) is ResnetBlock2D and _is_plain(module) else None


def _faster_doubling(module: nn.Module) -> nn.Module | None:
    plain = type(module) is Upsample2D and module.use_conv and not module.use_conv_transpose and module.norm is None
    return FastUpsample(module) if plain else None


def _is_plain(block: ResnetBlock2D) -> bool:
    """Whether a block is norm, SiLU, convolution, twice, perhaps with the time added between, and a sum."""
    return (
        isinstance(block.nonlinearity, nn.SiLU)
        and (block.time_embedding_norm == "default" or block.time_emb_proj is None)
        and block.skip_time_act is False
        and block.upsample is None
        and block.downsample is None
        and block.output_scale_factor == 1.0
        and block.dropout.p == 0.0
    )


class FastGroupNorm(nn.Module):
    """GroupNorm; where it is slow, by batch norm's kernels: moments by channel, joined by group, then an affine map."""

    def __init__(self, norm: nn.GroupNorm) -> None:
        super().__init__()
        self.weight, self.bias = norm.weight, norm.bias
        self.num_groups, self.eps = norm.num_groups, norm.eps

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """[B, C, ...] -> the same shape."""
        if not self._is_slow(values):
            return F.group_norm(values, self.num_groups, self.weight, self.bias, self.eps)
        normed = [self._one(one) for one in values.split(1)]  # batch norm would mix the pictures of a batch
        return normed[0] if len(normed) == 1 else torch.cat(normed)

    def _is_slow(self, values: torch.Tensor) -> bool:
        if values.ndim != 4 or values.device.type != "cpu":
            return False
        if not values.is_contiguous(memory_format=torch.channels_last):
            return False
        channels, pixels = values.shape[1], values.shape[2] * values.shape[3]
        odd = channels // self.num_groups % VECTOR != 0
        return pixels >= TINY and (channels < THIN or (pixels < SMALL and odd))

    def _one(self, values: torch.Tensor) -> torch.Tensor:
        channels = values.shape[1]
        zeros = torch.zeros(channels)  # with float32 moments given, those of bfloat16 values come in float32 too
        moments = torch.batch_norm_update_stats(values, zeros, zeros.clone(), 0.0)
        mean, variance = (moment.view(self.num_groups, -1) for moment in moments)  # [groups, channels of a group]
        joined = mean.mean(1, keepdim=True)
        spread = (variance + (mean - joined).square()).mean(1, keepdim=True)  # law of total variance
        means, variances = (moment.expand_as(mean).reshape(-1) for moment in (joined, spread))
        weight, bias = self.weight.float(), self.bias.float()
        return F.batch_norm(values, means, variances, weight, bias, training=False, momentum=0.0, eps=self.eps)


class FastResnet(nn.Module):
    """A residual block whose SiLU and sums overwrite what nobody reads again, and that divides nothing by 1."""

    def __init__(self, block: ResnetBlock2D) -> None:
        super().__init__()
        self.norm1, self.norm2 = block.norm1, block.norm2
        self.conv1, self.conv2, self.conv_shortcut = block.conv1, block.conv2, block.conv_shortcut
        self.time_emb_proj = block.time_emb_proj

    def forward(self, values: torch.Tensor, temb: torch.Tensor | None = None) -> torch.Tensor:
        """[B, C, H, W], and [B, T] for a block that is told the time -> [B, C', H, W]."""
        assert temb is None or self.time_emb_proj is not None, "an autoencoder's blocks are told no time"
        hidden = self.conv1(F.silu(self.norm1(values), inplace=True))
        if self.time_emb_proj is not None:
            hidden.add_(self.time_emb_proj(F.silu(temb))[:, :, None, None])
        hidden = self.conv2(F.silu(self.norm2(hidden), inplace=True))
        return hidden.add_(values if self.conv_shortcut is None else self.conv_shortcut(values))


class FastUpsample(nn.Module):
    """Doubling by nearest neighbour and a 3 x 3 convolution, as one transposed 4 x 4 convolution of stride 2.

    After doubling, three taps along an axis see only two different values, so taps that see the same one are added up
    beforehand: 16 products for four pixels instead of 36, and the doubled picture is never written.
    """

    def __init__(self, upsample: Upsample2D) -> None:
        super().__init__()
        self.conv = upsample.conv  # holds the parameters, under their own names
        taps = torch.zeros(4, 3)  # [tap of the transposed convolution, taps of the convolution that it adds up]
        for pixel in (0, 1):
            for tap in range(3):
                taps[pixel + 1 - 2 * ((pixel + tap - 1) // 2), tap] = 1
        taps = taps.to(self.conv.weight.device)
        kernel = torch.einsum("rt,su,oitu->iors", taps, taps, self.conv.weight.detach().float())
        kernel = kernel.to(self.conv.weight.dtype).contiguous(memory_format=torch.channels_last)
        self.register_buffer("kernel", kernel, persistent=False)

    def forward(self, values: torch.Tensor, output_size: int | None = None) -> torch.Tensor:
        """[B, C, h, w] -> [B, C, 2 h, 2 w]."""
        if output_size is not None:
            raise ValueError(f"output_size {output_size} is not usable: this block doubles. Leave it out.")
        return F.conv_transpose2d(values, self.kernel, self.conv.bias, stride=2, padding=1)

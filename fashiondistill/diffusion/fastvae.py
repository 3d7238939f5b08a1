"""An AutoencoderKL that draws faster on a CPU: the same weights and the same maths, in fewer passes over memory.

In: a frozen AutoencoderKL. Out: the same one, with parts that compute as its own do but for rounding. Only for drawing:
activations are overwritten, which no gradient survives. Most of a decode is spent at full resolution, where each pass
over 512 x 384 x 24 to 48 numbers takes as long as a convolution (docs/LOG.md has the profile).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.upsampling import Upsample2D
from torch import nn

# torch's GroupNorm for channels_last takes vectors of 32 bfloat16; below it is 2 to 3 times slower than its batch norm
# (24 channels of 512 x 384 on a Xeon with amx_bf16, torch 2.14: 9.5 ms, against 3.9 for the two passes of batch norm).
THIN = 32


def make_fast(vae: AutoencoderKL) -> AutoencoderKL:
    """Replace the residual blocks, up-sampling convolutions and thin norms of a frozen autoencoder, in place.

    Names and values of all parameters stay, so that it can be saved and loaded as before.
    """
    for part in (vae.encoder, vae.decoder):
        for name, module in list(part.named_modules()):
            parent, _, own = name.rpartition(".")
            fast = _fast(module)
            if fast is not None:
                setattr(part.get_submodule(parent), own, fast)
    return vae


def _fast(module: nn.Module) -> nn.Module | None:
    """What takes a module's place, or None where nothing does."""
    if type(module) is ResnetBlock2D and _is_plain(module):
        return FastResnet(module)
    if type(module) is Upsample2D and module.use_conv and not module.use_conv_transpose and module.norm is None:
        return FastUpsample(module)
    if type(module) is nn.GroupNorm and module.num_channels < THIN:
        return ThinGroupNorm(module)
    return None


def _is_plain(block: ResnetBlock2D) -> bool:
    """Whether a block is norm, SiLU, convolution, twice, and a sum: what an autoencoder's are."""
    return (
        isinstance(block.nonlinearity, nn.SiLU)
        and block.time_emb_proj is None
        and block.upsample is None
        and block.downsample is None
        and block.output_scale_factor == 1.0
        and block.dropout.p == 0.0
    )


class ThinGroupNorm(nn.Module):
    """GroupNorm of few channels, by batch norm's kernels: moments by channel, joined by group, then scale and shift."""

    def __init__(self, norm: nn.GroupNorm) -> None:
        super().__init__()
        self.weight, self.bias = norm.weight, norm.bias
        self.num_groups, self.eps = norm.num_groups, norm.eps

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> the same shape; one picture at a time, since batch norm would mix them."""
        if values.device.type != "cpu" or not values.is_contiguous(memory_format=torch.channels_last):
            return F.group_norm(values, self.num_groups, self.weight, self.bias, self.eps)
        normed = [self._one(one) for one in values.split(1)]
        return normed[0] if len(normed) == 1 else torch.cat(normed)

    def _one(self, values: torch.Tensor) -> torch.Tensor:
        channels = values.shape[1]
        zeros = torch.zeros(channels)  # with float32 moments given, those of bfloat16 values come in float32 too
        mean, variance = torch.batch_norm_update_stats(values, zeros, zeros.clone(), 0.0)
        group_mean = mean.view(self.num_groups, -1).mean(1, keepdim=True)
        spread = (variance + mean.square()).view(self.num_groups, -1).mean(1, keepdim=True) - group_mean.square()
        each = channels // self.num_groups
        means, variances = (moment.expand(-1, each).reshape(-1) for moment in (group_mean, spread))
        weight, bias = self.weight.float(), self.bias.float()
        return F.batch_norm(values, means, variances, weight, bias, training=False, momentum=0.0, eps=self.eps)


class FastResnet(nn.Module):
    """A residual block whose SiLU and sum overwrite what nobody reads again, and that divides nothing by 1."""

    def __init__(self, block: ResnetBlock2D) -> None:
        super().__init__()
        self.norm1, self.norm2 = (_fast(norm) or norm for norm in (block.norm1, block.norm2))
        self.conv1, self.conv2, self.conv_shortcut = block.conv1, block.conv2, block.conv_shortcut

    def forward(self, values: torch.Tensor, temb: None = None) -> torch.Tensor:
        """[B, C, H, W] -> [B, C', H, W]."""
        hidden = self.conv1(F.silu(self.norm1(values), inplace=True))
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

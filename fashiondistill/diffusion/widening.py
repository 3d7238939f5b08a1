"""More input channels for a UNet: conv_in grows, and the new channels begin with zero weights.

In: a UNet2DConditionModel and the layout that it should have. Out: the same UNet, which gives the same output as before
whatever stands in the new channels. Parts are moved by name, since pose comes before sketch: 10 channels (with sketch)
become 28 (pose 18 and sketch) with the sketch last. Knows nothing of files.
"""

from __future__ import annotations

import torch
from diffusers import UNet2DConditionModel
from torch import nn

from fashiondistill.diffusion.conditioning import ChannelLayout

PARTS = ("latents", "mask", "masked_image", "pose", "sketch")  # in the order of `ChannelLayout.assemble`
KNOWN = {
    4: ChannelLayout(mask=0, masked_image=0, sketch=0),
    9: ChannelLayout(sketch=0),
    10: ChannelLayout(),
    13: ChannelLayout(pose=3),
    28: ChannelLayout(pose=18),
}


def layout_of_channels(in_channels: int) -> ChannelLayout:
    """The layout of a Stable-Diffusion-like UNet by its number of input channels.

    Raises:
        ValueError: if there is no such layout.
    """
    if in_channels not in KNOWN:
        raise ValueError(f"a UNet with {in_channels} input channels is unknown here: {sorted(KNOWN)} are known.")
    return KNOWN[in_channels]


@torch.no_grad()
def widen_conv_in(unet: UNet2DConditionModel, old: ChannelLayout, new: ChannelLayout) -> bool:
    """Give `unet` of layout `old` the channels of `new`, in place; True if there were any to add.

    Raises:
        ValueError: if the UNet is not of `old`, or a part of `old` is missing or of another size in `new`.
    """
    if unet.config.in_channels != old.in_channels:
        raise ValueError(f"the UNet has in_channels {unet.config.in_channels}, the layout {old} {old.in_channels}.")
    for name in PARTS:
        before, after = getattr(old, name), getattr(new, name)
        if before and before != after:
            raise ValueError(f"{name} has {before} channels and cannot become {after}: only new parts can be added.")
    if old.fold != new.fold:
        raise ValueError(f"fold {old.fold} cannot become {new.fold}: it is part of how the model was trained.")
    if old == new:
        return False
    was, unit = unet.conv_in, new.fold**2
    conv = nn.Conv2d(new.in_channels, was.out_channels, was.kernel_size, was.stride, was.padding)
    conv = conv.to(was.weight.device, was.weight.dtype).requires_grad_(was.weight.requires_grad)
    conv.weight.zero_()
    conv.bias.copy_(was.bias)
    source = target = 0
    for name in PARTS:
        before, after = getattr(old, name) * unit, getattr(new, name) * unit
        conv.weight[:, target : target + before] = was.weight[:, source : source + before]
        source, target = source + before, target + after
    unet.conv_in = conv.train(was.training)
    unet.register_to_config(in_channels=new.in_channels)
    return True

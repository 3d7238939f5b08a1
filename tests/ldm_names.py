"""A pipeline's weights under the names of Stable Diffusion's first release, as single-file checkpoints have them.

In: a `GarmentPipeline` of Stable Diffusion's blocks. Out: one state dict. This is the reverse of what diffusers'
single-file reader does, written from the published checkpoints' names.
"""

from __future__ import annotations

import re

import torch

from fashiondistill.diffusion.pipeline import GarmentPipeline

RESNET = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1"}
RESNET |= {"norm2": "out_layers.0", "conv2": "out_layers.3", "conv_shortcut": "skip_connection"}
ENDS = {"time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2"}
ENDS |= {"conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2"}
VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def ldm_state(pipeline: GarmentPipeline) -> dict[str, torch.Tensor]:
    """Everything of unet, vae and text encoder."""
    layers = pipeline.unet.config.layers_per_block
    found = {f"model.diffusion_model.{unet_name(n, layers)}": v for n, v in pipeline.unet.state_dict().items()}
    for name, value in pipeline.vae.state_dict().items():
        linear = ".attentions." in name and value.ndim == 2  # a 1 x 1 convolution at the time
        found[f"first_stage_model.{vae_name(name)}"] = value[:, :, None, None] if linear else value
    prefix = "cond_stage_model.transformer.text_model."
    found |= {prefix + n.removeprefix("text_model."): v for n, v in pipeline.text_encoder.state_dict().items()}
    return {name: value.clone().contiguous() for name, value in found.items()}


def unet_name(name: str, layers: int) -> str:
    head, _, leaf = name.rpartition(".")
    if head in ENDS:
        return f"{ENDS[head]}.{leaf}"
    side, *rest = name.split(".")
    if side == "mid_block":
        kind, number, *inner = rest
        place = f"middle_block.{2 * int(number) + (kind == 'attentions')}"
    else:
        block, kind, number, *inner = rest
        per_block, block, number = layers + 1, int(block), int(number)
        if kind == "downsamplers":
            return f"input_blocks.{(block + 1) * per_block}.0.op.{inner[-1]}"
        if kind == "upsamplers":
            last = (block + 1) * per_block - 1
            return f"output_blocks.{last}.{1 if block == 0 else 2}.conv.{inner[-1]}"
        index = block * per_block + number + (side == "down_blocks")
        place = f"{'input' if side == 'down_blocks' else 'output'}_blocks.{index}.{int(kind == 'attentions')}"
    if kind == "resnets":
        return f"{place}.{RESNET['.'.join(inner[:-1])]}.{inner[-1]}"
    return ".".join([place, *inner])


def vae_name(name: str) -> str:
    levels = 4
    name = name.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
    name = re.sub(r"down_blocks\.(\d)\.resnets", r"down.\1.block", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d)\.resnets", lambda m: f"up.{levels - 1 - int(m[1])}.block", name)
    name = re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{levels - 1 - int(m[1])}.upsample", name)
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
    for ours, theirs in VAE_ATTENTION.items():
        name = name.replace(f"mid_block.attentions.0.{ours}.", f"mid.attn_1.{theirs}.")
    return name

"""A pipeline from its folder, checked, and in the form that draws fastest on a device.

In: a folder with safetensors weights. Out: a frozen `GarmentPipeline`, with a LoRA in its UNet if one is added.
"""

from __future__ import annotations

import os
from pathlib import Path

import torch

from fashiondistill.diffusion.adapters import merge_adapter
from fashiondistill.diffusion.checkpoints import verify
from fashiondistill.diffusion.faster import make_faster
from fashiondistill.diffusion.pipeline import GarmentPipeline
from fashiondistill.diffusion.trend import FOLDER, load_trend_encoder


def load_pipeline(folder: Path, device: str = "auto") -> GarmentPipeline:
    """Check and load a pipeline folder.

    Args:
        folder: diffusers layout with safetensors weights.
        device: "cpu", "cuda", or "auto" (cuda if there is one).

    Raises:
        FileNotFoundError, ValueError: naming the missing, damaged or pickled file; see `checkpoints.verify`.
    """
    model_id = verify(folder)
    device, dtype = _place(device)
    try:
        pipeline = GarmentPipeline.from_pretrained(
            folder, torch_dtype=dtype, local_files_only=True, use_safetensors=True
        )
    except (OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())  # some of diffusers' messages have several lines
        raise ValueError(f"model: {folder} cannot be loaded ({reason}). Restore or replace the folder.") from error
    prepare(pipeline, device)
    if (folder / FOLDER).is_dir():
        pipeline.trend = load_trend_encoder(folder / FOLDER).to(device).eval().requires_grad_(False)
    pipeline.model_id = f"{folder.name}-{model_id}"
    return pipeline


def prepare(pipeline: GarmentPipeline, device: str) -> GarmentPipeline:
    """The same pipeline, frozen and in the form that draws fastest on a device."""
    device, dtype = _place(device)
    pipeline.to(device)
    if pipeline.dtype != dtype:  # else diffusers warns of a cast that casts nothing
        pipeline.to(dtype)
    for module in (pipeline.unet, pipeline.vae):
        module.to(memory_format=torch.channels_last)
    for module in (pipeline.unet, pipeline.vae, pipeline.text_encoder):
        module.eval().requires_grad_(False)
    if device == "cpu":
        for module in (pipeline.unet, pipeline.vae):
            make_faster(module)
    return pipeline


def add_lora(pipeline: GarmentPipeline, path: Path) -> None:
    """Add a LoRA into the UNet's weights; see `adapters.merge_adapter`."""
    merge_adapter(pipeline.unet, path)
    pipeline.model_id += f"+{path.name}"


def _place(device: str) -> tuple[str, torch.dtype]:
    """Device and number format to draw with."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return device, torch.bfloat16 if device == "cuda" or cpu_has_bf16() else torch.float32


def cpu_has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 in hardware; emulated, it would be slower than float32."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text(encoding="utf-8") if os.path.exists(cpuinfo) else ""
    return "avx512_bf16" in flags or "amx_bf16" in flags

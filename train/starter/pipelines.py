"""The starter's models put together: schedulers, the pipeline that becomes the bundle, and sample sheets.

In: what the denoiser or the distillation trained, and the autoencoder. Out: `GarmentPipeline`, samples.jpg. Knows
nothing of training.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, DPMSolverMultistepScheduler, UNet2DConditionModel
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from PIL import Image
from tqdm import tqdm
from transformers import CLIPTextModel, CLIPTokenizer

from fashiondistill.config import DenoiserConfig, DistillConfig
from fashiondistill.diffusion.conditioning import ChannelLayout
from fashiondistill.diffusion.loading import cpu_has_bf16
from fashiondistill.diffusion.pipeline import GarmentPipeline
from fashiondistill.images import tile
from train.starter.splits import load_split

DRAWING = "drawing.json"  # beside the scheduler of a stage whose model wants other steps than usual
BETA_SCHEDULE = "squaredcos_cap_v2"


def layout_of(unet_config: Mapping, latent_channels: int) -> ChannelLayout:
    """The layout that a starter's UNet was built with, from its channels."""
    fold = math.isqrt(unet_config["out_channels"] // latent_channels)
    sketch = unet_config["in_channels"] // fold**2 - 2 * latent_channels - 1
    layout = ChannelLayout(latents=latent_channels, masked_image=latent_channels, sketch=sketch, fold=fold)
    layout.check(unet_config)
    return layout


def sampling_scheduler() -> DPMSolverMultistepScheduler:
    """What the bundle samples with: DPM-Solver++ 2M on trailing timesteps."""
    return DPMSolverMultistepScheduler(
        beta_schedule=BETA_SCHEDULE,
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        algorithm_type="dpmsolver++",
    )


def few_step_scheduler() -> DDIMScheduler:
    """What a distilled bundle samples with: DDIM on trailing timesteps, from pure noise to the picture."""
    return DDIMScheduler(
        beta_schedule=BETA_SCHEDULE, prediction_type="v_prediction", timestep_spacing="trailing", clip_sample=False
    )


def load_scheduler(folder: Path) -> SchedulerMixin:
    """The scheduler that a denoiser or a distillation stage wrote.

    Raises:
        ValueError: if it is neither of the two.
    """
    settings = json.loads((folder / "scheduler_config.json").read_text(encoding="utf-8"))
    known = {kind.__name__: kind for kind in (DPMSolverMultistepScheduler, DDIMScheduler)}
    if settings["_class_name"] not in known:
        raise ValueError(f"{folder} holds a {settings['_class_name']}: the stages write one of {', '.join(known)}.")
    return known[settings["_class_name"]].from_config(settings)


def write_drawing(folder: Path, num_steps: int) -> None:
    """Note that the model in a stage's folder wants so many steps, no guidance, and half the steps for Live."""
    said = {"num_inference_steps": num_steps, "guidance_scale": 1.0, "live_steps": max(1, num_steps // 2)}
    (folder / DRAWING).write_text(json.dumps(said) + "\n", encoding="utf-8")


def read_drawing(folder: Path) -> dict[str, int | float]:
    """What `write_drawing` noted; nothing of a stage that does without."""
    path = folder / DRAWING
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def starter_pipeline(
    *,
    vae: AutoencoderKL,
    tokenizer: CLIPTokenizer,
    unet: UNet2DConditionModel,
    text_encoder: CLIPTextModel,
    scheduler: SchedulerMixin,
    drawing: Mapping[str, int | float] | None = None,
) -> GarmentPipeline:
    """The stages' models as the pipeline that the bundle is; `drawing` holds fields of `DrawingDefaults`."""
    layout = layout_of(unet.config, vae.config.latent_channels)
    return GarmentPipeline(
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler,
        fold=layout.fold,
        pose_channels=layout.pose,
        sketch_channels=layout.sketch,
        mask_from_outline=True,
        **(drawing or {}),
    )


def write_samples(
    path: Path, config: DenoiserConfig | DistillConfig, pipeline: GarmentPipeline, **settings: float
) -> None:
    """Draw `num_samples` sketches of the validation split, spread over its categories, with their own captions.

    Args:
        settings: num_inference_steps and guidance_scale, where the pipeline's defaults are not meant.
    """
    data = load_split(Path(config.dataset_path), "val", device="cpu", limit=config.max_records)
    order = sorted(range(len(data)), key=lambda i: (data.records[i].category, data.records[i].article_id))
    chosen = [order[int(i)] for i in np.linspace(0, len(order) - 1, min(config.num_samples, len(order)))]
    fast = pipeline.device.type == "cuda" or cpu_has_bf16()
    pipeline.to(torch.bfloat16 if fast else torch.float32).set_progress_bar_config(disable=True)
    strips = []
    for index in tqdm(chosen, desc="drawing samples"):
        sketch = data.sketches[index, 0].numpy().astype(np.float32) / 255
        generator = torch.Generator().manual_seed(index)
        drawn = pipeline(data.records[index].caption, sketch, generator=generator, **settings).images[0]
        paper = np.repeat(np.round(255 - sketch * 255).astype(np.uint8)[..., None], 3, axis=2)
        photo = data.images[index].permute(1, 2, 0).numpy()
        strips.append(np.concatenate([paper, photo, np.asarray(drawn)], axis=1)[::2, ::2])
    Image.fromarray(tile(strips, columns=4)).save(path, quality=88)

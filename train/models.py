"""The models that training works on: a pipeline folder opened in float32, its noise levels and its trend encoder.

In: settings. Out: `TrainingModels`, and a pipeline folder that the studio opens. The autoencoder and the text encoder
are frozen; the UNet (and the trend encoder, where it is trained) is what changes. Knows nothing of losses and steps.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import DDPMScheduler, UNet2DConditionModel

from fashiondistill.diffusion.checkpoints import verify, write_manifest
from fashiondistill.diffusion.conditioning import ChannelLayout
from fashiondistill.diffusion.losses import EPSILON, V_PREDICTION
from fashiondistill.diffusion.pipeline import GarmentPipeline
from fashiondistill.diffusion.trend import FOLDER, TrendEncoder, load_trend_encoder
from fashiondistill.scoring import ClipScorer
from train.settings import TrainConfig


@dataclass(frozen=True, eq=False)
class TrainingModels:
    """What training needs of a pipeline, on one device.

    Attributes:
        pipeline: float32; its UNet is the one that is trained.
        trend: encoder of the past weeks, or None for a model without trend tokens.
        scorer: CLIP of trend and reward.
        alphas: float32 [T], cumulative products of the noise schedule.
        prediction_type: what the UNet predicts.
    """

    pipeline: GarmentPipeline
    trend: TrendEncoder | None
    scorer: ClipScorer
    alphas: torch.Tensor
    prediction_type: str

    @property
    def unet(self) -> UNet2DConditionModel:
        """The UNet that is trained."""
        return self.pipeline.unet

    @property
    def layout(self) -> ChannelLayout:
        """Its channels."""
        return self.pipeline.layout

    @property
    def device(self) -> torch.device:
        """Where the models are."""
        return self.alphas.device


def load_models(config: TrainConfig, device: str, *, trend_tokens: int | None = None) -> TrainingModels:
    """Open --pretrained_model_name_or_path and the CLIP.

    Args:
        config: where they are.
        device: "cpu" or "cuda".
        trend_tokens: tokens of a new trend encoder if the model has none; None = do without.

    Raises:
        FileNotFoundError, ValueError: naming what is missing, damaged or of a kind that is not trained here.
    """
    folder = Path(config.pretrained_model_name_or_path)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"--pretrained_model_name_or_path {folder} is no folder here. Hub ids are not fetched (both published base "
            "repositories are gone): give a pipeline folder in diffusers' layout."
        )
    pipeline = _open(folder).to(device)
    pipeline.unet.to(memory_format=torch.channels_last)
    pipeline.vae.to(memory_format=torch.channels_last)
    for module in (pipeline.unet, pipeline.vae, pipeline.text_encoder):
        module.eval().requires_grad_(False)
    pipeline.set_progress_bar_config(disable=True)
    schedule = DDPMScheduler.from_config(pipeline.scheduler.config)
    prediction_type = schedule.config.prediction_type
    if prediction_type not in (EPSILON, V_PREDICTION):
        raise ValueError(f"--pretrained_model_name_or_path {folder} predicts {prediction_type}: not trained here.")
    clip = Path(config.clip) if config.clip else folder / "clip"
    scorer = ClipScorer.load(clip, device)
    trend = None
    if (folder / FOLDER).is_dir():
        trend = load_trend_encoder(folder / FOLDER)
    elif trend_tokens:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            width = pipeline.unet.config.cross_attention_dim
            past = {n: getattr(config, n) for n in ("num_past_weeks", "temporal_weight_decay")}
            trend = TrendEncoder(scorer.embed_texts(["a"]).shape[1], width, trend_tokens, **past)
    if trend is not None:
        trend.to(device).eval().requires_grad_(False)
    return TrainingModels(pipeline, trend, scorer, schedule.alphas_cumprod.to(device), prediction_type)


def _open(folder: Path) -> GarmentPipeline:
    """The pipeline in float32: the studio's loader opens bfloat16, which would cost training three digits."""
    verify(folder)
    try:
        return GarmentPipeline.from_pretrained(
            folder, torch_dtype=torch.float32, local_files_only=True, use_safetensors=True
        )
    except (OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"--pretrained_model_name_or_path {folder} cannot be loaded ({reason}).") from error


def save_pipeline(models: TrainingModels, averaged: dict[str, torch.nn.Module], source: Path, folder: Path) -> None:
    """Write a pipeline folder with averaged weights, the source's clip/ and a manifest of SHA-256.

    Args:
        models: its other parts are written as they are.
        averaged: modules that take the place of their namesakes, "unet" and "trend".
        source: folder that the models came from.
        folder: does not exist yet.
    """
    components = dict(models.pipeline.components)
    components["unet"] = averaged.get("unet", models.unet)
    settings = ("fold", "pose_channels", "sketch_channels", "mask_from_outline")
    options = {name: models.pipeline.config[name] for name in settings}
    GarmentPipeline(**components, **options).save_pretrained(folder, safe_serialization=True)
    trend = averaged.get("trend", models.trend)
    if trend is not None:
        trend.save(folder / FOLDER)
    if (source / "clip").is_dir():
        shutil.copytree(source / "clip", folder / "clip")
    write_manifest(folder)

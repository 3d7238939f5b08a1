"""The models that training works on: a pipeline folder opened in float32, its noise levels and its trend encoder.

In: settings. Out: `TrainingModels`, and a pipeline folder that the studio opens. The autoencoder and the text encoder
are frozen; the UNet (and the trend encoder, where it is trained) is what changes. Knows nothing of losses and steps.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import DDPMScheduler, UNet2DConditionModel

from fashiondistill.config import STARTER
from fashiondistill.diffusion.adapters import merge_adapter
from fashiondistill.diffusion.checkpoints import write_manifest
from fashiondistill.diffusion.conditioning import ChannelLayout
from fashiondistill.diffusion.losses import EPSILON, V_PREDICTION
from fashiondistill.diffusion.pipeline import GarmentPipeline
from fashiondistill.diffusion.published import load_unet_pth
from fashiondistill.diffusion.sources import LICENCE, open_base
from fashiondistill.diffusion.trend import FOLDER, TrendEncoder, load_trend_encoder
from fashiondistill.scoring import ClipScorer
from train.adapters import Adapter, plain_unet
from train.checkpoints import weights_to_start_from
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
        adapter: the LoRA that is trained in the place of the whole UNet, or None.
        denoiser: what training calls: the UNet, or its compiled form; None = the UNet.
        folder: where the base came from; None for a single file.
    """

    pipeline: GarmentPipeline
    trend: TrendEncoder | None
    scorer: ClipScorer
    alphas: torch.Tensor
    prediction_type: str
    adapter: Adapter | None = None
    denoiser: Callable | None = None
    folder: Path | None = None

    @property
    def trained(self) -> dict[str, torch.nn.Module]:
        """The part of the UNet that is trained, by name: "unet" or "adapter"."""
        return {"unet": self.unet} if self.adapter is None else {"adapter": self.adapter}

    @property
    def forward(self) -> Callable:
        """What the losses call."""
        return self.unet if self.denoiser is None else self.denoiser  # a compiled module has no truth value

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


def load_models(
    config: TrainConfig, device: str, *, trend_tokens: int | None = None, learn_channels: bool = True
) -> TrainingModels:
    """Open --pretrained_model_name_or_path and the CLIP.

    Args:
        config: where they are.
        device: "cpu" or "cuda".
        trend_tokens: tokens of a new trend encoder if the model has none; None = do without.
        learn_channels: whether this training may learn input channels that the base never had.

    Raises:
        FileNotFoundError, ValueError: naming what is missing, damaged or of a kind that is not trained here.
    """
    name = config.pretrained_model_name_or_path
    base = open_base(name, pose=config.pose_channels, sketch=config.sketch_channels, unet=config.unet)
    pipeline, folder = base.pipeline.to(device), base.folder
    published, _ = weights_to_start_from(config.resume_from_checkpoint)
    if published is not None:
        load_unet_pth(pipeline.unet, published)
        print(f"note: {LICENCE}, should {published.name} be one of them.", file=sys.stderr)
    widened = base.widened and published is None
    if widened and not learn_channels:
        raise ValueError(
            f"--pretrained_model_name_or_path {name}: its UNet has just got new input channels, which nothing has "
            "learnt to use. Train it with python -m train.temporal first, and give final_model/pipeline here."
        )
    pipeline.unet.to(memory_format=torch.channels_last)
    pipeline.vae.to(memory_format=torch.channels_last)
    for module in (pipeline.unet, pipeline.vae, pipeline.text_encoder):
        module.eval().requires_grad_(False)
    pipeline.set_progress_bar_config(disable=True)
    schedule = DDPMScheduler.from_config(pipeline.scheduler.config)
    prediction_type = schedule.config.prediction_type
    if prediction_type not in (EPSILON, V_PREDICTION):
        raise ValueError(f"--pretrained_model_name_or_path {name} predicts {prediction_type}: not trained here.")
    scorer = ClipScorer.load(clip_folder(config, folder), device)
    trend = None
    if folder is not None and (folder / FOLDER).is_dir():
        trend = load_trend_encoder(folder / FOLDER)
    elif trend_tokens:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            width = pipeline.unet.config.cross_attention_dim
            past = {n: getattr(config, n) for n in ("num_past_weeks", "temporal_weight_decay")}
            trend = TrendEncoder(scorer.embed_texts(["a"]).shape[1], width, trend_tokens, **past)
    if trend is not None:
        trend.to(device).eval().requires_grad_(False)
    adapter = make_adapter(config, pipeline.unet, widened)
    if config.gradient_checkpointing:
        pipeline.unet.enable_gradient_checkpointing()
    denoiser = torch.compile(pipeline.unet) if config.compile else None
    alphas = schedule.alphas_cumprod.to(device)
    return TrainingModels(pipeline, trend, scorer, alphas, prediction_type, adapter, denoiser, folder)


def make_adapter(config: TrainConfig, unet: UNet2DConditionModel, widened: bool) -> Adapter | None:
    """The LoRA of --lora_rank; with new input channels conv_in is trained beside it, or they would stay at zero."""
    if not config.lora_rank:
        return None
    alpha = config.lora_alpha or config.lora_rank
    options = {"rank": config.lora_rank, "alpha": alpha, "targets": config.lora_targets, "seed": config.seed}
    return Adapter(unet, conv_in=widened, **options)


def clip_folder(config: TrainConfig, folder: Path | None) -> Path:
    """Where the CLIP of trend and reward is.

    Raises:
        ValueError: if the base brings none and --clip is empty.
    """
    if config.clip:
        return Path(config.clip)
    if folder is None or not (folder / "clip").is_dir():
        name = config.pretrained_model_name_or_path
        raise ValueError(
            f"--pretrained_model_name_or_path {name} brings no clip/: give a CLIP folder with --clip, for example "
            f"{STARTER / 'clip'}."
        )
    return folder / "clip"


def averaged_unet(models: TrainingModels, averaged: dict[str, torch.nn.Module]) -> UNet2DConditionModel:
    """The UNet with averaged weights; a LoRA is merged into it."""
    if "adapter" not in averaged:
        return averaged["unet"]
    unet = plain_unet(models.unet)
    with tempfile.TemporaryDirectory() as written:
        averaged["adapter"].save(Path(written))
        merge_adapter(unet, Path(written))
    return unet


def save_pipeline(
    models: TrainingModels, unet: UNet2DConditionModel, averaged: dict[str, torch.nn.Module], clip: Path, folder: Path
) -> None:
    """Write a pipeline folder with averaged weights, the CLIP of training and a manifest of SHA-256.

    Args:
        models: its other parts are written as they are.
        unet: takes the place of the one in training.
        averaged: a "trend" in it takes the place of the one in training.
        clip: folder that the scorer came from.
        folder: does not exist yet.
    """
    components = dict(models.pipeline.components)
    components["unet"] = unet
    GarmentPipeline(**components, **models.pipeline.settings).save_pretrained(folder, safe_serialization=True)
    trend = averaged.get("trend", models.trend)
    if trend is not None:
        trend.save(folder / FOLDER)
    shutil.copytree(clip, folder / "clip")
    write_manifest(folder)

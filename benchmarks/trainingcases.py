"""The three pieces of training that are timed, with our own loop, losses and samplers on made-up batches.

In: settings. Out: for each case a function that does it once. Weights are random (true shapes) or the bundled
starter's; batches are random latents and states, as the cache gives them. Knows nothing of clocks.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler

from fashiondistill.diffusion.conditioning import ChannelLayout
from fashiondistill.diffusion.pipeline import GarmentPipeline
from fashiondistill.diffusion.sd15 import random_pipeline
from fashiondistill.scoring import ClipScorer
from train.candidates import Round, choose_pairs
from train.data import TrainBatch
from train.drawing import decode_pixels, draw_latents, noise_of, repeat
from train.loop import Trainer, World, open_world
from train.models import TrainingModels, make_adapter
from train.objectives import TemporalObjective
from train.preferences import PreferenceObjective
from train.settings import DpoConfig, TemporalConfig, TrainConfig

DEFAULT_PAIRS = 4
PROMPT = "navy and white striped t-shirt, short sleeves"


@dataclass(frozen=True)
class Asked:
    """What is measured.

    Attributes:
        size: "sd15" or "tiny"; the starter's case has a tiny pipeline in its place then.
        batch, pairs, prompts: samples of an update, pairs of an update, prompts of an online round's batch.
        image_size: height and width.
        steps: denoising steps of an online round.
    """

    device: str
    size: str
    batch: int
    pairs: int
    prompts: int
    image_size: tuple[int, int]
    steps: int
    compile: bool
    out: Path
    num_candidates: int = 4

    def shared(self) -> dict:
        """Flags that all cases have."""
        return {
            "dataset_path": "none", "output_dir": str(self.out), "image_size": self.image_size, "device": self.device,
            "compile": self.compile, "temporal_loss_weight": 0.0, "num_inference_steps": self.steps,
            "gradient_accumulation_steps": 1, "fast_kernels": self.device == "cuda",
        }  # fmt: skip


def training_models(config: TrainConfig, pipeline: GarmentPipeline, world: World) -> TrainingModels:
    """As `train.models.load_models` makes them of a folder, without trend and CLIP."""
    pipeline.to(world.device)
    for module in (pipeline.unet, pipeline.vae, pipeline.text_encoder):
        module.to(memory_format=torch.channels_last) if module is not pipeline.text_encoder else None
        module.eval().requires_grad_(False)
    pipeline.set_progress_bar_config(disable=True)
    schedule = DDPMScheduler.from_config(pipeline.scheduler.config)
    adapter = make_adapter(config, pipeline.unet, widened=False)
    if config.gradient_checkpointing:
        pipeline.unet.enable_gradient_checkpointing()
    denoiser = torch.compile(pipeline.unet) if config.compile else None
    alphas = schedule.alphas_cumprod.to(world.device)
    return TrainingModels(pipeline, None, None, alphas, schedule.config.prediction_type, adapter, denoiser)


def made_up_batch(models: TrainingModels, count: int, image_size: tuple[int, int], *, place: int = 0) -> TrainBatch:
    """Random latents with the words of `PROMPT`."""
    height, width = image_size[0] // 8, image_size[1] // 8
    generator = torch.Generator().manual_seed(place)
    channels = models.layout.latents
    latents = torch.randn(count, channels, height, width, generator=generator)
    states = models.pipeline.encode_prompt(PROMPT).float().cpu()
    return TrainBatch(
        place=torch.arange(place, place + count),
        row=torch.zeros(count, dtype=torch.int64),
        latents=latents,
        masked_latents=latents.flip(0),
        mask=torch.ones(count, 1, height, width),
        sketch=torch.rand(count, models.layout.sketch, height, width, generator=generator),
        text_states=states.expand(count, -1, -1),
        past_rows=torch.zeros(count, 1, dtype=torch.int64),
        past_weights=torch.zeros(count, 1),
        category=torch.zeros(count, dtype=torch.int64),
        season=torch.zeros(count, 2),
    )


class FullFineTune:
    """All weights, cached latents: `train.temporal` without trend."""

    name, unit = "full fine-tune, cached latents", "samples"

    def __init__(self, asked: Asked) -> None:
        self.config = TemporalConfig(**asked.shared(), batch_size=asked.batch)
        self.world, self.items = open_world(self.config), asked.batch
        self.models = training_models(self.config, random_pipeline(ChannelLayout(), size=asked.size), self.world)
        real = TemporalObjective(self.models, None, (None, None), self.config, self.world.autocast)
        self.trainer = Trainer(self.config, self.world, real, None, identity={})
        self.batch = made_up_batch(self.models, asked.batch, asked.image_size)

    def once(self) -> None:
        """One update."""
        self.trainer.update([self.batch])


class FixedRounds:
    """Stands in the place of `CandidateRounds`: one round of pairs."""

    def __init__(self, pairs: Round) -> None:
        self.pairs = pairs

    def open(self, number: int, expected_key: str | None = None) -> Round:
        """The same pairs in every round."""
        return dataclasses.replace(self.pairs, number=number)


class LoraDpo:
    """Pairs and anchor at Stable Diffusion size with LoRA: `train.dpo --lora_rank 16`."""

    name, unit = "LoRA-DPO, cached pairs", "pairs"

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.config = DpoConfig(**asked.shared(), batch_size=asked.pairs, lora_rank=16, dpo_beta=2000.0)
        self.world, self.items = open_world(self.config), asked.pairs
        self.models = training_models(self.config, random_pipeline(ChannelLayout(), size=asked.size), self.world)
        self.trainer = preference_trainer(self.config, self.models, self.world, asked)
        self.batch = made_up_batch(self.models, asked.pairs, asked.image_size)

    def once(self) -> None:
        """One update."""
        self.trainer.objective.begin_step(self.trainer.step)
        self.trainer.update([self.batch])

    def once_small(self) -> None:
        """One update of 4 pairs, the default of `train.dpo`: what a small GPU must hold."""
        self.trainer.update([self.batch.rows(slice(0, DEFAULT_PAIRS))])

    def draw(self) -> torch.Tensor:
        """Candidates of one prompt, together, as pictures on the device: the other half of a round's memory."""
        return draw_candidates(self.models, self.config, self.world, self.batch.rows(slice(0, 1)))[1]


def preference_trainer(config: DpoConfig, models: TrainingModels, world: World, asked: Asked) -> Trainer:
    """A trainer on fixed pairs."""
    real = TemporalObjective(models, None, (None, None), config, world.autocast, train_trend=False)
    count = 4 * asked.pairs
    pairs = made_up_batch(models, count, asked.image_size, place=7)
    winners, losers = (torch.randn_like(pairs.latents).half() for _ in range(2))
    rounds = FixedRounds(Round(0, "", pairs, winners, losers, torch.ones(count), 0.5))
    return Trainer(config, world, PreferenceObjective(real, rounds, config), None, identity={})


def draw_candidates(
    models: TrainingModels, config: DpoConfig, world: World, batch: TrainBatch
) -> tuple[torch.Tensor, torch.Tensor]:
    """Latents and pictures of all candidates of a batch of prompts, drawn together."""
    batch = batch.to(world.device)
    layout, count = models.layout, config.num_candidates
    plain = batch.conditioning(pose_channels=layout.pose, sketch_channels=layout.sketch)
    noise = noise_of(range(len(batch) * count), batch.latents.shape[1:])
    latents = draw_latents(models, repeat(plain, count), noise, config, world.autocast)
    return latents, decode_pixels(models, latents, world.autocast)


class OnlineRounds:
    """Candidates, scores and one update with their pairs; a round counts for each prompt."""

    name, unit = "online rounds of the starter", "rounds"

    def __init__(self, asked: Asked, pipeline: GarmentPipeline, scorer: ClipScorer) -> None:
        self.config = DpoConfig(
            **asked.shared(), batch_size=asked.prompts, dpo_beta=2000.0, anchor_weight=0.0, min_gap=0.0,
            num_candidates=asked.num_candidates,
        )  # fmt: skip
        self.world, self.items, self.scorer = open_world(self.config), asked.prompts, scorer
        self.models = training_models(self.config, pipeline, self.world)
        self.trainer = preference_trainer(self.config, self.models, self.world, asked)
        self.batch = made_up_batch(self.models, asked.prompts, asked.image_size)
        self.words = torch.from_numpy(scorer.embed_texts([PROMPT])).to(self.world.device)
        targets = torch.randn(5, self.words.shape[1], generator=torch.Generator().manual_seed(1))
        self.targets = F.normalize(targets, dim=1).to(self.world.device)

    def once(self) -> None:
        """One round of every prompt of the batch."""
        count = self.config.num_candidates
        latents, pixels = draw_candidates(self.models, self.config, self.world, self.batch)
        images = self.scorer.embed_pixels(pixels)
        score = (0.6 * (images @ self.targets.T).mean(dim=1) + 0.4 * (images @ self.words.T)[:, 0]).view(-1, count)
        _, winners, losers, weights = choose_pairs(score.float().cpu(), self.config.min_gap)
        latents = latents.view(-1, count, *latents.shape[1:])
        rows = torch.arange(len(winners))
        objective = self.trainer.objective
        made = Round(0, "", self.batch, latents[rows, winners], latents[rows, losers], weights, 0.5)
        objective.round, objective.rounds = made, FixedRounds(made)
        objective.first_saturation = 0.5
        self.trainer.update([self.batch])

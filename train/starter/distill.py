"""python -m train.starter.distill: a denoiser that needs few steps and no guidance, from one that needs many.

In: a denoiser stage (or an earlier distillation), its data set and autoencoder. Out: OUTPUT_DIR/{unet,text_encoder,
tokenizer,scheduler}, the layout of the denoiser stage, so that `train.starter.bundle` takes either. Progressive
distillation (Salimans and Ho 2022, algorithm 2, v-prediction) with guidance inside (Meng et al. 2023, section 3): one
DDIM step of the student is trained to land where several guided DDIM steps of the teacher do. All conditions stay
conditions of the student: text, mask, masked image and sketch.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from fashiondistill.cli import run_command
from fashiondistill.config import DistillConfig
from fashiondistill.diffusion.caches import weights_id
from fashiondistill.diffusion.conditioning import Conditioning, predict
from train.starter.common import (
    Clock,
    Ema,
    StageState,
    log_line,
    random_generator,
    run_stage,
    set_up,
)
from train.starter.latents import CacheSource, LatentCache
from train.starter.pipelines import few_step_scheduler, layout_of, starter_pipeline, write_drawing, write_samples
from train.starter.tokens import encode


def time_grid(num_steps: int) -> list[int]:
    """The trailing timesteps of `num_steps` steps and the end, -1, where nothing of the noise is left."""
    return [round(1000 - index * 1000 / num_steps) - 1 for index in range(num_steps)] + [-1]


class DistillStage:
    """Teacher, student and the loss over the latents in `cache`.

    Attributes:
        alphas, sigmas: [1001] signal and noise at timestep t, index t + 1; the first is the end, without noise.
    """

    def __init__(self, config: DistillConfig, teacher: Path, tokenizer: CLIPTokenizer, cache: LatentCache) -> None:
        self.config, self.device, self.cache = config, config.device, cache
        self.teacher = UNet2DConditionModel.from_pretrained(teacher / "unet", torch_dtype=torch.float32)
        self.student = UNet2DConditionModel.from_pretrained(teacher / "unet", torch_dtype=torch.float32)
        self.text_encoder = CLIPTextModel.from_pretrained(teacher / "text_encoder", dtype=torch.float32)
        self.layout = layout_of(self.student.config, cache.latents.shape[1])
        for module in (self.teacher, self.student, self.text_encoder):
            module.to(self.device).requires_grad_(module is self.student)
        for unet in (self.teacher, self.student):
            unet.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(
            self.student.parameters(), lr=config.learning_rate, weight_decay=0.0, fused=self.device == "cuda"
        )
        kept = few_step_scheduler().alphas_cumprod.to(self.device)
        kept = torch.cat([torch.ones_like(kept[:1]), kept])
        self.alphas, self.sigmas = kept.sqrt(), (1 - kept).sqrt()
        with torch.no_grad():
            self.null_states = self.text_encoder(encode(tokenizer, [""]).to(self.device)).last_hidden_state
        compiled = [torch.compile(unet) if config.compile else unet for unet in (self.teacher, self.student)]
        self.forward_teacher, self.forward_student = compiled

    def loss(self, number: int) -> torch.Tensor:
        """Loss of step `number`; samples, noise and places on the grid are keyed by (seed, number)."""
        generator = random_generator(self.device, self.config.seed, number)
        chosen = torch.multinomial(self.cache.weight, self.config.batch_size, replacement=True, generator=generator)
        return self.error_of(self.forward_student, self.cache.take(chosen), generator)

    def error_of(self, student: torch.nn.Module, batch: LatentCache, generator: torch.Generator) -> torch.Tensor:
        """Mean squared v error of one student step against the teacher's steps over the same span."""
        latents = batch.latents.float()
        noise = torch.randn(latents.shape, generator=generator, device=self.device)
        place = torch.randint(self.config.num_steps, (len(latents),), generator=generator, device=self.device)
        grid = torch.tensor(time_grid(self.config.num_steps), device=self.device)
        start, end = grid[place], grid[place + 1]
        noisy = self._mix(latents, noise, start)
        with torch.no_grad(), torch.autocast(self.device, torch.bfloat16):
            keep = torch.zeros(len(latents), dtype=torch.bool, device=self.device)
            conditioning = batch.conditioning(self.text_encoder(batch.ids).last_hidden_state, keep)
        target = self._teach(noisy, start, end, conditioning)
        with torch.autocast(self.device, torch.bfloat16):
            output = self._velocity(student, noisy, start, conditioning)
        return (output - target).square().mean()

    @torch.no_grad()
    def validation_loss(self, held_out: LatentCache, student: torch.nn.Module) -> float:
        """The loss on held-out samples, with the same noise and places at every call."""
        generator = random_generator(self.device, self.config.seed)
        losses = [self.error_of(student, held_out, generator).item() for _ in range(self.config.num_steps)]
        return sum(losses) / len(losses)

    def warm_up(self) -> None:
        """Compile teacher and student; weights and optimizer stay as they are."""
        self.loss(0).backward()
        self.optimizer.zero_grad(set_to_none=True)

    @torch.no_grad()
    def _teach(
        self, noisy: torch.Tensor, start: torch.Tensor, end: torch.Tensor, conditioning: Conditioning
    ) -> torch.Tensor:
        """The velocity with which one step from `noisy` at `start` lands where the teacher's steps do at `end`."""
        here, now = noisy, start
        for part in range(1, self.config.substeps + 1):
            share = part / self.config.substeps
            then = end if part == self.config.substeps else (start + share * (end - start)).round().long()
            with torch.autocast(self.device, torch.bfloat16):
                velocity = self._guided(here, now, conditioning)
            here, now = self._ddim(here, velocity, now, then), then
        alpha, sigma = self._at(start)
        alpha_end, sigma_end = self._at(end)
        ratio = sigma_end / sigma
        picture = (here - ratio * noisy) / (alpha_end - ratio * alpha)
        return (alpha * noisy - picture) / sigma

    def _guided(self, noisy: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning) -> torch.Tensor:
        scale = self.config.teacher_guidance
        if scale == 1:
            return self._velocity(self.forward_teacher, noisy, timesteps, conditioning)
        everywhere = torch.ones(len(noisy), dtype=torch.bool, device=self.device)
        both = conditioning.without(everywhere, self.null_states).cat(conditioning)
        halves = self._velocity(self.forward_teacher, noisy.repeat(2, 1, 1, 1), timesteps.repeat(2), both).chunk(2)
        return halves[0] + scale * (halves[1] - halves[0])

    def _velocity(
        self, unet: torch.nn.Module, noisy: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning
    ) -> torch.Tensor:
        return predict(unet, self.layout, noisy, timesteps, conditioning).float()

    def _ddim(self, noisy: torch.Tensor, velocity: torch.Tensor, now: torch.Tensor, then: torch.Tensor) -> torch.Tensor:
        alpha, sigma = self._at(now)
        picture, noise = alpha * noisy - sigma * velocity, sigma * noisy + alpha * velocity
        return self._mix(picture, noise, then)

    def _mix(self, picture: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        alpha, sigma = self._at(timesteps)
        return alpha * picture + sigma * noise

    def _at(self, timesteps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Signal and noise [B, 1, 1, 1] at timesteps -1 to 999."""
        return self.alphas[timesteps + 1][:, None, None, None], self.sigmas[timesteps + 1][:, None, None, None]


def train(config: DistillConfig) -> None:
    """Run, or go on with, the stage."""
    clock, (out, ranks) = Clock(config), set_up(config)
    teacher = Path(config.teacher)
    tokenizer = CLIPTokenizer.from_pretrained(teacher / "tokenizer")
    vae = AutoencoderKL.from_pretrained(Path(config.autoencoder) / "vae", torch_dtype=torch.float32).to(config.device)
    unet_config = UNet2DConditionModel.load_config(teacher / "unet")
    parts = layout_of(unet_config, vae.config.latent_channels).sketch
    source = CacheSource(config, vae, tokenizer, parts)
    cache = source.train(ranks)
    held_out = source.validation() if ranks.leads else None
    stage = DistillStage(config, teacher, tokenizer, cache)
    modules = {"unet": stage.student}
    state = StageState(out, modules, stage.optimizer, Ema(modules, decay=0.99))
    if config.compile:
        stage.warm_up()

    def write_models(folder: Path) -> None:
        student = state.ema.averaged("unet")
        student.save_pretrained(folder / "unet")
        stage.text_encoder.save_pretrained(folder / "text_encoder")
        tokenizer.save_pretrained(folder / "tokenizer")
        few_step_scheduler().save_pretrained(folder / "scheduler")
        write_drawing(folder, config.num_steps)
        log_line(folder, validation_loss=round(stage.validation_loss(held_out, student), 5))

    identity = {"teacher_weights": weights_id(stage.teacher, "")}
    step = run_stage("distill", config, clock, ranks, state, stage.loss, write_models, identity)
    if not ranks.leads:
        return
    if config.num_samples:
        pipeline = starter_pipeline(
            vae=vae,
            tokenizer=tokenizer,
            unet=state.ema.averaged("unet"),
            text_encoder=stage.text_encoder,
            scheduler=few_step_scheduler(),
        )
        write_samples(out / "samples.jpg", config, pipeline, num_inference_steps=config.num_steps, guidance_scale=1.0)
    log_line(out, step=step, seconds=round(clock.spent, 1))
    print(f"distill: {step} steps in {clock.spent:.0f} s -> {out}")


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    return run_command(
        argv, train, DistillConfig, prog="python -m train.starter.distill", description=__doc__.splitlines()[0]
    )


if __name__ == "__main__":
    sys.exit(main())

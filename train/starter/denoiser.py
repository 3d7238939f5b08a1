"""python -m train.starter.denoiser: the starter's UNet2DConditionModel and CLIPTextModel, from scratch.

In: a prepared data set and the autoencoder stage. Out: OUTPUT_DIR/{unet,text_encoder,tokenizer,scheduler} (EMA
weights, diffusers layout), samples.jpg (validation sketch, picture, drawn), log.jsonl (at every save the validation
loss of the EMA weights), state.safetensors. v-prediction (Salimans and Ho 2022) with the min-SNR weight
min(SNR, gamma) / (SNR + 1) that it needs (Hang et al. 2023, section 3.4), noise schedule by cosine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from fashiondistill.cli import run_command
from fashiondistill.config import IMAGE_HEIGHT, IMAGE_WIDTH, DenoiserConfig
from fashiondistill.diffusion.conditioning import VAE_FACTOR, ChannelLayout
from train.starter.common import Clock, Ema, StageState, log_line, random_generator, run_stage, set_up
from train.starter.latents import CacheSource, LatentCache
from train.starter.pipelines import BETA_SCHEDULE, sampling_scheduler, starter_pipeline, write_samples
from train.starter.splits import split_records
from train.starter.tokens import MAX_LENGTH, encode, stage_tokenizer

VALIDATION_TIMES = 8  # parts of the schedule that the validation loss looks into


def starter_layout(config: DenoiserConfig, latent_channels: int) -> ChannelLayout:
    """What the starter's UNet sees of an autoencoder with so many channels."""
    return ChannelLayout(
        latents=latent_channels, masked_image=latent_channels, sketch=config.sketch_channels, fold=config.fold
    )


def build_unet(config: DenoiserConfig, layout: ChannelLayout) -> UNet2DConditionModel:
    """One level for each width; attention in the last two, where tokens are few (16 x 12 and 8 x 6)."""
    attention = [level >= len(config.block_out_channels) - 2 for level in range(len(config.block_out_channels))]
    return UNet2DConditionModel(
        sample_size=(IMAGE_HEIGHT // VAE_FACTOR // layout.fold, IMAGE_WIDTH // VAE_FACTOR // layout.fold),
        in_channels=layout.in_channels,
        out_channels=layout.out_channels,
        down_block_types=tuple("CrossAttnDownBlock2D" if here else "DownBlock2D" for here in attention),
        up_block_types=tuple("CrossAttnUpBlock2D" if here else "UpBlock2D" for here in reversed(attention)),
        block_out_channels=config.block_out_channels,
        layers_per_block=_per_level(config),
        cross_attention_dim=config.text_width,
        attention_head_dim=[max(1, channels // 32) for channels in config.block_out_channels],  # number of heads
        norm_num_groups=16,
    )


def _per_level(config: DenoiserConfig) -> tuple[int, ...]:
    layers = config.layers_per_block
    return layers * len(config.block_out_channels) if len(layers) == 1 else layers


def build_text_encoder(config: DenoiserConfig, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """A small CLIPTextModel over the starter's own vocabulary."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=config.text_width,
            intermediate_size=4 * config.text_width,
            num_hidden_layers=config.text_layers,
            num_attention_heads=max(1, config.text_width // 64),
            max_position_embeddings=MAX_LENGTH,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def min_snr_weight(alphas_cumprod: torch.Tensor, timesteps: torch.Tensor, gamma: float) -> torch.Tensor:
    """Weight of the v-prediction error, min(SNR, gamma) / (SNR + 1); [B]."""
    alpha = alphas_cumprod[timesteps]
    snr = alpha / (1 - alpha)
    return snr.clamp(max=gamma) / (snr + 1)


class DenoiserStage:
    """Models and optimizer of the stage, and the loss over the latents in `cache`."""

    def __init__(self, config: DenoiserConfig, tokenizer: CLIPTokenizer, cache: LatentCache) -> None:
        self.config, self.device, self.cache = config, config.device, cache
        self.layout = starter_layout(config, cache.latents.shape[1])
        if config.init:
            self.unet = UNet2DConditionModel.from_pretrained(Path(config.init) / "unet", torch_dtype=torch.float32)
            self.text_encoder = CLIPTextModel.from_pretrained(Path(config.init) / "text_encoder", dtype=torch.float32)
        else:
            self.unet = build_unet(config, self.layout)
            self.text_encoder = build_text_encoder(config, tokenizer)
        self.layout.check(self.unet.config)
        self.unet.to(self.device, memory_format=torch.channels_last).train()
        self.text_encoder.to(self.device).train()
        self.modules = {"unet": self.unet, "text_encoder": self.text_encoder}
        parameters = [*self.unet.parameters(), *self.text_encoder.parameters()]
        self.optimizer = torch.optim.AdamW(
            parameters, lr=config.learning_rate, weight_decay=0.01, fused=self.device == "cuda"
        )
        self.schedule = DDPMScheduler(beta_schedule=BETA_SCHEDULE, prediction_type="v_prediction")
        self.alphas = self.schedule.alphas_cumprod.to(self.device)
        self.null_ids = encode(tokenizer, [""]).to(self.device)
        self.forward = torch.compile(self.unet) if config.compile else self.unet

    def loss(self, number: int) -> torch.Tensor:
        """Loss of step `number`; samples, noise and timesteps are keyed by (seed, number)."""
        config, cache = self.config, self.cache
        generator = random_generator(self.device, config.seed, number)
        size = config.batch_size
        chosen = torch.multinomial(cache.weight, size, replacement=True, generator=generator)
        noise = torch.randn(cache.latents[chosen].shape, generator=generator, device=self.device)
        timesteps = torch.randint(1000, (size,), generator=generator, device=self.device)
        dropped = torch.rand(size, generator=generator, device=self.device) < config.condition_dropout
        return self.weighted_error(self.forward, self.text_encoder, cache.take(chosen), noise, timesteps, dropped)

    def weighted_error(
        self,
        unet: Callable,
        text_encoder: CLIPTextModel,
        batch: LatentCache,
        noise: torch.Tensor,
        timesteps: torch.Tensor,
        dropped: torch.Tensor,
    ) -> torch.Tensor:
        """The mean weighted v error on a batch; `dropped` [B] samples lose text and sketch."""
        latents = batch.latents.float()
        ids = torch.where(dropped[:, None], self.null_ids, batch.ids)
        with torch.autocast(self.device, torch.bfloat16):
            conditioning = batch.conditioning(text_encoder(ids).last_hidden_state, dropped)
            noisy = self.schedule.add_noise(latents, noise, timesteps)
            inputs = self.layout.assemble(noisy, conditioning).contiguous(memory_format=torch.channels_last)
            output = unet(inputs, timesteps, conditioning.encoder_hidden_states, return_dict=False)[0]
        target = self.schedule.get_velocity(latents, noise, timesteps)
        error = (self.layout.unfold(output.float()) - target).square().mean(dim=(1, 2, 3))
        return (error * min_snr_weight(self.alphas, timesteps, self.config.snr_gamma)).mean()

    @torch.no_grad()
    def validation_loss(self, held_out: LatentCache, models: dict[str, torch.nn.Module]) -> float:
        """The loss on held-out samples with nothing dropped: 8 timesteps each, the same at every call."""
        generator = random_generator(self.device, self.config.seed)
        keep = torch.zeros(len(held_out), dtype=torch.bool, device=self.device)
        losses = []
        for share in range(VALIDATION_TIMES):
            noise = torch.randn(held_out.latents.shape, generator=generator, device=self.device)
            offset = torch.rand(len(held_out), generator=generator, device=self.device)
            timesteps = ((share + offset) * 1000 / VALIDATION_TIMES).long()
            unet, text_encoder = models["unet"], models["text_encoder"]
            losses.append(self.weighted_error(unet, text_encoder, held_out, noise, timesteps, keep).item())
        return sum(losses) / len(losses)

    def warm_up(self) -> None:
        """Compile forward and backward; weights and optimizer stay as they are."""
        self.loss(0).backward()
        self.optimizer.zero_grad(set_to_none=True)


def train(config: DenoiserConfig) -> None:
    """Run, or go on with, the stage."""
    clock, (out, ranks) = Clock(config), set_up(config)
    if config.init:
        tokenizer = CLIPTokenizer.from_pretrained(Path(config.init) / "tokenizer")
    else:
        records = split_records(Path(config.dataset_path), "train", limit=config.max_records)
        tokenizer = stage_tokenizer(out, ranks, (record.caption for record in records))
    vae = AutoencoderKL.from_pretrained(Path(config.autoencoder) / "vae", torch_dtype=torch.float32).to(config.device)
    source = CacheSource(config, vae, tokenizer, config.sketch_channels)
    cache = source.train(ranks)
    held_out = source.validation() if ranks.leads else None
    stage = DenoiserStage(config, tokenizer, cache)
    state = StageState(out, stage.modules, stage.optimizer, Ema(stage.modules))
    if config.compile:  # before the schedule starts
        stage.warm_up()

    def write_models(folder: Path) -> None:
        averaged = {name: state.ema.averaged(name) for name in stage.modules}
        for name, module in averaged.items():
            module.save_pretrained(folder / name)
        log_line(folder, validation_loss=round(stage.validation_loss(held_out, averaged), 5))
        tokenizer.save_pretrained(folder / "tokenizer")
        sampling_scheduler().save_pretrained(folder / "scheduler")

    step = run_stage("denoiser", config, clock, ranks, state, stage.loss, write_models)
    if not ranks.leads:
        return
    if config.num_samples:
        averaged = {name: state.ema.averaged(name) for name in stage.modules}
        pipeline = starter_pipeline(vae=vae, tokenizer=tokenizer, scheduler=sampling_scheduler(), **averaged)
        write_samples(out / "samples.jpg", config, pipeline)
    samples = step * config.batch_size * ranks.count
    log_line(out, step=step, seconds=round(clock.spent, 1), samples=samples)
    print(f"denoiser: {step} steps, {samples} samples in {clock.spent:.0f} s -> {out}")


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    return run_command(
        argv, train, DenoiserConfig, prog="python -m train.starter.denoiser", description=__doc__.splitlines()[0]
    )


if __name__ == "__main__":
    sys.exit(main())

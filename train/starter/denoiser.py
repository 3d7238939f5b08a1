"""python -m train.starter.denoiser: the starter's UNet2DConditionModel and CLIPTextModel, from scratch.

In: a prepared data set and the autoencoder stage. Out: OUTPUT_DIR/{unet,text_encoder,tokenizer,scheduler} (EMA
weights, diffusers layout), samples.jpg (validation sketch, picture, drawn), log.jsonl, state.safetensors. v-prediction
(Salimans and Ho 2022) with the min-SNR weight min(SNR, gamma) / (SNR + 1) that it needs (Hang et al. 2023, section
3.4), noise schedule by cosine.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, DDPMScheduler, DPMSolverMultistepScheduler, UNet2DConditionModel
from PIL import Image
from tqdm import tqdm
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from fashiondistill.cli import run_command
from fashiondistill.config import DenoiserConfig
from fashiondistill.diffusion.conditioning import ChannelLayout, Conditioning
from fashiondistill.diffusion.pipeline import GarmentPipeline
from fashiondistill.images import tile
from train.starter.common import (
    Clock,
    Ema,
    StageState,
    load_split,
    log_line,
    random_generator,
    run_stage,
    set_up,
)
from train.starter.latents import LatentCache, build_cache
from train.starter.tokens import MAX_LENGTH, encode, train_tokenizer

BETA_SCHEDULE = "squaredcos_cap_v2"


def starter_layout(latent_channels: int) -> ChannelLayout:
    """What the starter's UNet sees of an autoencoder with so many channels; 2 x 2 latents are one token."""
    return ChannelLayout(latents=latent_channels, mask=1, masked_image=latent_channels, pose=0, sketch=1, fold=2)


def build_unet(config: DenoiserConfig, layout: ChannelLayout) -> UNet2DConditionModel:
    """Three levels of 32 x 24, 16 x 12 and 8 x 6 folded latents; attention below the first, where tokens are few."""
    return UNet2DConditionModel(
        sample_size=(32, 24),
        in_channels=layout.in_channels,
        out_channels=layout.out_channels,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=config.block_out_channels,
        layers_per_block=1,
        cross_attention_dim=config.text_width,
        attention_head_dim=[max(1, channels // 32) for channels in config.block_out_channels],  # number of heads
        norm_num_groups=16,
    )


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


def sampling_scheduler() -> DPMSolverMultistepScheduler:
    """What the bundle samples with: DPM-Solver++ 2M on trailing timesteps."""
    return DPMSolverMultistepScheduler(
        beta_schedule=BETA_SCHEDULE,
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        algorithm_type="dpmsolver++",
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
        self.layout = starter_layout(cache.latents.shape[1])
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
        latents = cache.latents[chosen].float()
        noise = torch.randn(latents.shape, generator=generator, device=self.device)
        timesteps = torch.randint(1000, (size,), generator=generator, device=self.device)
        dropped = torch.rand(size, generator=generator, device=self.device) < config.condition_dropout
        ids = torch.where(dropped[:, None], self.null_ids, cache.ids[chosen])
        sketch = cache.sketch[chosen].float() * (~dropped)[:, None, None, None]
        with torch.autocast(self.device, torch.bfloat16):
            conditioning = Conditioning(
                encoder_hidden_states=self.text_encoder(ids).last_hidden_state,
                mask=cache.mask[chosen].float(),
                masked_latents=cache.masked_latents[chosen].float(),
                sketch=sketch,
            )
            noisy = self.schedule.add_noise(latents, noise, timesteps)
            inputs = self.layout.assemble(noisy, conditioning).contiguous(memory_format=torch.channels_last)
            output = self.forward(inputs, timesteps, conditioning.encoder_hidden_states, return_dict=False)[0]
        target = self.schedule.get_velocity(latents, noise, timesteps)
        error = (self.layout.unfold(output.float()) - target).square().mean(dim=(1, 2, 3))
        return (error * min_snr_weight(self.alphas, timesteps, config.snr_gamma)).mean()

    def warm_up(self) -> None:
        """Compile forward and backward; weights and optimizer stay as they are."""
        self.loss(0).backward()
        self.optimizer.zero_grad(set_to_none=True)


def starter_pipeline(
    vae: AutoencoderKL, tokenizer: CLIPTokenizer, unet: UNet2DConditionModel, text_encoder: CLIPTextModel
) -> GarmentPipeline:
    """The stages' models as the pipeline that the bundle is."""
    layout = starter_layout(vae.config.latent_channels)
    return GarmentPipeline(
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=sampling_scheduler(),
        fold=layout.fold,
        pose_channels=layout.pose,
        sketch_channels=layout.sketch,
        mask_from_outline=True,
    )


def write_samples(path: Path, config: DenoiserConfig, pipeline: GarmentPipeline) -> None:
    """Draw `num_samples` sketches of the validation split, spread over its categories, with their own captions."""
    data = load_split(Path(config.dataset_path), "val", device="cpu", limit=config.max_records)
    order = sorted(range(len(data)), key=lambda i: (data.records[i].category, data.records[i].article_id))
    chosen = [order[int(i)] for i in np.linspace(0, len(order) - 1, min(config.num_samples, len(order)))]
    pipeline.to(torch.bfloat16).set_progress_bar_config(disable=True)
    strips = []
    for index in tqdm(chosen, desc="drawing samples"):
        sketch = data.sketches[index, 0].numpy().astype(np.float32) / 255
        generator = torch.Generator().manual_seed(index)
        drawn = pipeline(data.records[index].caption, sketch, generator=generator).images[0]
        paper = np.repeat(np.round(255 - sketch * 255).astype(np.uint8)[..., None], 3, axis=2)
        photo = data.images[index].permute(1, 2, 0).numpy()
        strips.append(np.concatenate([paper, photo, np.asarray(drawn)], axis=1)[::2, ::2])
    Image.fromarray(tile(strips, columns=4)).save(path, quality=88)


def train(config: DenoiserConfig) -> None:
    """Run, or go on with, the stage."""
    clock, (out, ranks) = Clock(config), set_up(config)
    data = load_split(Path(config.dataset_path), "train", device=config.device, limit=config.max_records)
    tokenizer = (
        CLIPTokenizer.from_pretrained(Path(config.init) / "tokenizer")
        if config.init
        else train_tokenizer([record.caption for record in data.records])
    )
    vae = AutoencoderKL.from_pretrained(Path(config.autoencoder) / "vae", torch_dtype=torch.float32).to(config.device)
    variants = range(config.num_variants)[ranks.rank :: ranks.count]
    cache = build_cache(data, vae, tokenizer, variants=variants, seed=config.seed)
    del data
    stage = DenoiserStage(config, tokenizer, cache)
    state = StageState(out, stage.modules, stage.optimizer, Ema(stage.modules))
    if config.compile:  # before the schedule starts
        stage.warm_up()

    def write_models(folder: Path) -> None:
        for name in stage.modules:
            state.ema.averaged(name).save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / "tokenizer")
        sampling_scheduler().save_pretrained(folder / "scheduler")

    step = run_stage("denoiser", config, clock, ranks, state, stage.loss, write_models)
    if not ranks.leads:
        return
    if config.num_samples:
        averaged = {name: state.ema.averaged(name) for name in stage.modules}
        write_samples(out / "samples.jpg", config, starter_pipeline(vae, tokenizer, **averaged))
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

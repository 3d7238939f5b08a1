"""python -m train.starter.autoencoder: the starter's AutoencoderKL, from scratch.

In: a prepared data set. Out: OUTPUT_DIR/vae (diffusers AutoencoderKL, EMA weights), samples.png, log.jsonl,
state.safetensors. The loss is L1 + MSE in luma and doubled chroma (the trial's autoencoder lost its colours with RGB
L1), an L1 on image gradients, and a light KL term (Rombach et al. 2022, section 3.1).
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from PIL import Image

from fashiondistill.cli import run_command, write_run
from fashiondistill.config import AutoencoderConfig
from fashiondistill.images import from_model
from train.starter.augment import RGB_TO_YCC, draw_colour_maps
from train.starter.common import (
    Clock,
    Ema,
    StageState,
    StarterData,
    load_split,
    random_generator,
    run_stage,
)

CHROMA_WEIGHT = 2.0


def build_autoencoder(config: AutoencoderConfig) -> AutoencoderKL:
    """8 x down-sampling, 4 latent channels, no mid attention (768 to 3,072 tokens are dear on a CPU)."""
    levels = len(config.block_out_channels)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=config.block_out_channels,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=8,
        mid_block_add_attention=False,
        sample_size=512,
    )


def reconstruction_loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Pixels [B, 3, H, W] in [-1, 1] -> scalar."""
    to_ycc = torch.tensor(RGB_TO_YCC, device=output.device) * torch.tensor(
        [[1.0], [CHROMA_WEIGHT], [CHROMA_WEIGHT]], device=output.device
    )
    error = torch.einsum("ij,bjhw->bihw", to_ycc, output.float() - target.float())
    luma = error[:, :1]
    edges = (luma[..., 1:] - luma[..., :-1]).abs().mean() + (luma[..., 1:, :] - luma[..., :-1, :]).abs().mean()
    return error.abs().mean() + 2.0 * error.square().mean() + 0.5 * edges


def draw_crops(data: StarterData, config: AutoencoderConfig, step: int) -> torch.Tensor:
    """[B, 3, crop, crop] in [-1, 1]: random crops, half of them mirrored, a third recoloured."""
    generator = random_generator("cpu", config.seed, step)
    count, size = config.batch_size, config.crop
    chosen = torch.randint(len(data), (count,), generator=generator)
    random = torch.rand(count, 4, generator=generator)
    height, width = data.images.shape[2:]
    tops = (random[:, 0] * (height - size)).long().tolist()
    lefts = (random[:, 1] * (width - size)).long().tolist()
    flips = (random[:, 2] < 0.5).tolist()
    crops, alphas = [], []
    for index, top, left, flip in zip(chosen.tolist(), tops, lefts, flips, strict=True):
        window = (slice(None), slice(top, top + size), slice(left, left + size))
        crop, alpha = data.images[index][window], data.masks[index][window]
        crops.append(crop.flip(-1) if flip else crop)
        alphas.append(alpha.flip(-1) if flip else alpha)
    device = data.images.device
    images = torch.stack(crops).float() / 127.5 - 1
    maps = draw_colour_maps([data.records[i] for i in chosen.tolist()], generator, share=0.33)
    maps = dataclasses.replace(maps, matrix=maps.matrix.to(device), offset=maps.offset.to(device))
    return maps.apply(images, torch.stack(alphas).float() / 255)


def train(config: AutoencoderConfig) -> None:
    """Run, or go on with, the stage."""
    clock, out = Clock(config), Path(config.output_dir)
    out.mkdir(parents=True, exist_ok=True)
    write_run(out, config)
    torch.manual_seed(config.seed)
    torch.set_float32_matmul_precision("high")
    data = load_split(Path(config.dataset_path), "train", device=config.device, limit=config.max_records)
    model = AutoencoderKL.from_pretrained(Path(config.init) / "vae") if config.init else build_autoencoder(config)
    model.to(config.device, memory_format=torch.channels_last)
    if config.decoder_only:
        model.encoder.requires_grad_(False)
        model.quant_conv.requires_grad_(False)
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad],
        lr=config.learning_rate,
        betas=(0.9, 0.99),
        weight_decay=0.01,
        fused=config.device == "cuda",
    )
    state = StageState(out, {"vae": model}, optimizer, Ema({"vae": model}, decay=0.998))
    forward = _compiled(model, config)

    def loss_of(step: int) -> torch.Tensor:
        target = draw_crops(data, config, step).contiguous(memory_format=torch.channels_last)
        with torch.autocast(config.device, torch.bfloat16):
            output, kl = forward(target)
        return reconstruction_loss(output, target) + config.kl_weight * kl

    def write_models(folder: Path) -> None:
        averaged = state.ema.averaged("vae")
        if not config.decoder_only:
            _set_scaling_factor(averaged, data, config)
        averaged.save_pretrained(folder / "vae")
        _write_samples(folder / "samples.png", averaged, data, config)

    if config.compile:  # before the schedule starts
        forward(draw_crops(data, config, 0).contiguous(memory_format=torch.channels_last))[0].mean().backward()
        optimizer.zero_grad(set_to_none=True)
    step = run_stage("autoencoder", config, clock, state, loss_of, write_models)
    print(f"autoencoder: {step} steps in {clock.spent:.0f} s -> {out / 'vae'}")


def _compiled(model: AutoencoderKL, config: AutoencoderConfig):  # noqa: ANN202 - a callable of one tensor
    def forward(target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        posterior = model.encode(target).latent_dist
        mean, logvar = posterior.mean, posterior.logvar
        latents = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
        kl = 0.5 * (mean.float().square() + logvar.float().exp() - 1 - logvar.float()).sum(dim=(1, 2, 3)).mean()
        return model.decode(latents).sample, kl

    return torch.compile(forward) if config.compile else forward


@torch.no_grad()
def _set_scaling_factor(model: AutoencoderKL, data: StarterData, config: AutoencoderConfig) -> None:
    """scaling_factor = 1 / standard deviation of the latents (Rombach et al. 2022, appendix G)."""
    images = data.images[:: max(1, len(data) // 64)][:64].to(config.device).float() / 127.5 - 1
    latents = torch.cat([model.encode(batch).latent_dist.mean for batch in images.split(8)])
    model.register_to_config(scaling_factor=float(1 / latents.std()))


@torch.no_grad()
def _write_samples(path: Path, model: AutoencoderKL, data: StarterData, config: AutoencoderConfig) -> None:
    images = data.images[:: max(1, len(data) // 8)][:8].to(config.device).float() / 127.5 - 1
    decoded = torch.cat([model.decode(model.encode(x).latent_dist.mean).sample for x in images.split(4)]).clamp(-1, 1)
    rows = [torch.cat(list(batch), dim=2) for batch in (images, decoded)]
    Image.fromarray(from_model(torch.cat(rows, dim=1).float().cpu().numpy())).resize((384 * 4, 512)).save(path)


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    return run_command(
        argv, train, AutoencoderConfig, prog="python -m train.starter.autoencoder", description=__doc__.splitlines()[0]
    )


if __name__ == "__main__":
    sys.exit(main())

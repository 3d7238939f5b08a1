"""python -m train.starter.autoencoder: the starter's AutoencoderKL, from scratch.

In: a prepared data set. Out: OUTPUT_DIR/vae (diffusers AutoencoderKL, EMA weights), samples.png, log.jsonl,
state.safetensors. The loss is L1 + MSE in luma and doubled chroma (the trial's autoencoder lost its colours with RGB
L1), an L1 on image gradients, and a light KL term (Rombach et al. 2022, section 3.1). Halved latents must decode to the
halved picture as well, which keeps the latents free of detail that a denoiser could not model (Skorokhodov et al. 2025,
"Improving the Diffusability of Autoencoders", section 4). Local spectra and an adversary keep cloth from blurring
(`train.starter.sharpness`).
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from PIL import Image

from fashiondistill.cli import run_command
from fashiondistill.config import AutoencoderConfig
from fashiondistill.images import from_model
from train.starter.augment import RGB_TO_YCC, draw_colour_maps
from train.starter.common import Clock, Ema, StageState, log_line, random_generator, run_stage, set_up
from train.starter.figures import autoencoder_figures
from train.starter.sharpness import Discriminator, adversarial_terms, frequency_loss
from train.starter.splits import StarterData, load_split

CHROMA_WEIGHT = 2.0
VALIDATION = 32  # photos whose reconstruction is measured at the end


def build_autoencoder(config: AutoencoderConfig) -> AutoencoderKL:
    """Each level but the last halves the picture; no mid attention (3,072 tokens are dear on a CPU)."""
    levels = len(config.block_out_channels)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=config.block_out_channels,
        layers_per_block=1,
        latent_channels=config.latent_channels,
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


def _picture_loss(output: torch.Tensor, target: torch.Tensor, config: AutoencoderConfig) -> torch.Tensor:
    loss = reconstruction_loss(output, target)
    return loss + config.frequency_weight * frequency_loss(output, target) if config.frequency_weight else loss


def draw_crops(data: StarterData, config: AutoencoderConfig, step: int) -> torch.Tensor:
    """[B, 3, crop, crop] in [-1, 1]: random crops, half of them mirrored, a third recoloured.

    Places are the mean of two uniform draws: most of the ground is flat and soon learnt.
    """
    generator = random_generator("cpu", config.seed, step)
    count, size = config.batch_size, config.crop
    chosen = torch.randint(len(data), (count,), generator=generator)
    random = torch.rand(count, 5, generator=generator)
    height, width = data.images.shape[2:]
    tops = (random[:, 0:2].mean(dim=1) * (height - size)).long().tolist()
    lefts = (random[:, 2:4].mean(dim=1) * (width - size)).long().tolist()
    flips = (random[:, 4] < 0.5).tolist()
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
    clock, (out, ranks) = Clock(config), set_up(config)
    root, drawn = Path(config.dataset_path), config.max_drawings
    data = load_split(root, "train", device=config.device, max_drawings=drawn, limit=config.max_records)
    model = AutoencoderKL.from_pretrained(Path(config.init) / "vae") if config.init else build_autoencoder(config)
    model.to(config.device, memory_format=torch.channels_last)
    if config.decoder_only:
        model.encoder.requires_grad_(False)
        model.quant_conv.requires_grad_(False)
    modules: dict[str, torch.nn.Module] = {"vae": model}
    if config.adversarial_share:
        modules["discriminator"] = Discriminator().to(config.device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(
        [p for module in modules.values() for p in module.parameters() if p.requires_grad],
        lr=config.learning_rate,
        betas=(0.9, 0.99),
        weight_decay=0.01,
        fused=config.device == "cuda",
    )
    state = StageState(out, modules, optimizer, Ema(modules, decay=0.998))
    forward = _compiled(model, config)

    def loss_of(step: int) -> torch.Tensor:
        target = draw_crops(data, config, step).contiguous(memory_format=torch.channels_last)
        autocast = torch.autocast(config.device, torch.bfloat16)
        with autocast:
            output, latents, kl = forward(target)
        picture_loss = _picture_loss(output, target, config)  # in float32: bfloat16 has 3 digits
        loss = picture_loss + config.kl_weight * kl
        if config.scale_weight and not config.decoder_only:
            few = max(1, len(target) // 4)
            with autocast:
                half = model.decode(F.avg_pool2d(latents[:few], 2)).sample
            loss = loss + config.scale_weight * _picture_loss(half, F.avg_pool2d(target[:few], 2), config)
        if config.adversarial_share:
            push = config.adversarial_share if step >= config.adversarial_start * ranks.count else 0.0
            with autocast:
                loss = loss + adversarial_terms(modules["discriminator"], output, target, picture_loss, push)
        return loss

    def write_models(folder: Path) -> None:
        averaged = state.ema.averaged("vae")
        if not config.decoder_only:
            standardize_latents(averaged, data)
        averaged.save_pretrained(folder / "vae")
        _write_samples(folder / "samples.png", averaged, data, config)

    if config.compile:  # before the schedule starts
        loss_of(0).backward()
        optimizer.zero_grad(set_to_none=True)
    step = run_stage("autoencoder", config, clock, ranks, state, loss_of, write_models)
    if not ranks.leads:
        return
    held_out = load_split(Path(config.dataset_path), "val", device=config.device, max_drawings=0, limit=VALIDATION)
    found = autoencoder_figures(state.ema.averaged("vae"), held_out)
    log_line(out, step=step, seconds=round(clock.spent, 1), **{name: value.mean for name, value in found.items()})
    lines = [f"  {name}: {value}" for name, value in found.items()]
    print("\n".join([f"autoencoder: {step} steps in {clock.spent:.0f} s -> {out / 'vae'}; validation:", *lines]))


def _compiled(model: AutoencoderKL, config: AutoencoderConfig):  # noqa: ANN202 - a callable of one tensor
    def forward(target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        posterior = model.encode(target).latent_dist
        mean, logvar = posterior.mean, posterior.logvar
        latents = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
        kl = 0.5 * (mean.float().square() + logvar.float().exp() - 1 - logvar.float()).sum(dim=(1, 2, 3)).mean()
        return model.decode(latents).sample, latents, kl

    return torch.compile(forward) if config.compile else forward


@torch.no_grad()
def standardize_latents(model: AutoencoderKL, data: StarterData) -> None:
    """Give every latent channel mean 0 and standard deviation 1 over the data; what is decoded stays the same.

    The change goes into the 1 x 1 convolutions on both sides of the latents, so that scaling_factor is 1 and no channel
    is louder than another for the denoiser (Rombach et al. 2022, appendix G, scale all channels by one factor).
    """
    images = data.images[:: max(1, len(data) // 64)][:64].float() / 127.5 - 1
    latents = torch.cat([model.encode(batch).latent_dist.mean for batch in images.split(8)])
    mean, std = latents.mean(dim=(0, 2, 3)), latents.std(dim=(0, 2, 3))
    count = len(mean)
    quant, post = model.quant_conv, model.post_quant_conv
    post.bias += post.weight[:, :, 0, 0] @ mean
    post.weight *= std[None, :, None, None]
    quant.weight[:count] /= std[:, None, None, None]
    quant.bias[:count] = (quant.bias[:count] - mean) / std
    quant.bias[count:] -= 2 * std.log()  # log-variance
    model.register_to_config(scaling_factor=1.0)


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

"""The faster autoencoder: the same numbers as diffusers' own, part by part, whole, and in the model's pictures."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.upsampling import Upsample2D
from torch import nn

from fashiondistill.config import STARTER, GenerateConfig
from fashiondistill.design import Design
from fashiondistill.diffusion.faster import FastGroupNorm, FastResnet, FastUpsample, make_faster
from fashiondistill.diffusion.loading import load_pipeline
from fashiondistill.diffusion.noise import candidate_generator
from fashiondistill.diffusion.pipeline import GarmentPipeline
from tests import tiny

LEAST_PSNR = 45  # dB against stock float32; 48.9 to 56.3 with bfloat16 on 36 pictures, more in float32 (docs/LOG.md)


def autoencoder(seed: int = 0) -> AutoencoderKL:
    """Levels of 8, 24 and 48 channels, with scales and shifts that are not 1 and 0."""
    torch.manual_seed(seed)
    made = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(8, 24, 48),
        latent_channels=4,
        norm_num_groups=8,
        mid_block_add_attention=False,
    )
    for module in made.modules():
        if isinstance(module, nn.GroupNorm):
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.uniform_(module.bias, -1, 1)
    return made.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def faster(model: AutoencoderKL | UNet2DConditionModel) -> AutoencoderKL | UNet2DConditionModel:
    make_faster(model)
    return model


def channels_last(*shape: int) -> torch.Tensor:
    return torch.randn(*shape).contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(("groups", "channels"), [(8, 8), (8, 24), (4, 16), (1, 24), (16, 192), (16, 384)])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_norm_by_other_kernels_is_group_norm(groups: int, channels: int, batch: int) -> None:
    torch.manual_seed(0)
    norm = nn.GroupNorm(groups, channels, eps=1e-6).requires_grad_(False)
    norm.weight.uniform_(0.5, 2)
    norm.bias.uniform_(-1, 1)
    values = 3 + 2 * channels_last(batch, channels, 32, 24)
    assert FastGroupNorm(norm)._is_slow(values) and not FastGroupNorm(norm)._is_slow(values.contiguous())
    torch.testing.assert_close(FastGroupNorm(norm)(values), norm(values), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(FastGroupNorm(norm)(values.contiguous()), norm(values), rtol=1e-4, atol=1e-4)
    # In bfloat16 both round once at the end: at most one unit in the last of 8 bits apart.
    low, values = norm.bfloat16(), values.bfloat16()
    torch.testing.assert_close(FastGroupNorm(low)(values), low(values), rtol=2**-7, atol=2**-7)


def test_one_transposed_convolution_is_doubling_and_a_convolution() -> None:
    torch.manual_seed(0)
    stock = Upsample2D(6, use_conv=True, out_channels=10).double().requires_grad_(False)
    values = torch.randn(2, 6, 7, 5, dtype=torch.float64)
    fast = FastUpsample(stock).double()
    fast.kernel = FastUpsample(stock).kernel.double()
    torch.testing.assert_close(fast(values), stock(values), rtol=1e-6, atol=1e-6)  # edges included
    assert fast(values).shape == (2, 10, 14, 10)
    with pytest.raises(ValueError, match="output_size 3 is not usable"):
        fast(values, output_size=3)


def test_encoder_and_decoder_give_what_diffusers_gives() -> None:
    stock, fast = autoencoder(), faster(autoencoder())
    kinds = Counter(type(module) for module in fast.modules())
    assert kinds[FastResnet] == sum(type(module) is ResnetBlock2D for module in stock.modules()) == 13
    assert kinds[FastUpsample] == 2 and kinds[FastGroupNorm] > 0 and not {ResnetBlock2D, Upsample2D} & kinds.keys()
    pixels, latents = channels_last(2, 3, 64, 48), channels_last(2, 4, 16, 12)
    for stock_gives, fast_gives in (
        (stock.encode(pixels).latent_dist.mean, fast.encode(pixels).latent_dist.mean),
        (stock.decode(latents).sample, fast.decode(latents).sample),
    ):
        torch.testing.assert_close(fast_gives, stock_gives, rtol=1e-3, atol=1e-4)


def test_inputs_are_not_overwritten() -> None:
    fast = faster(autoencoder())
    for run, values in ((fast.encode, channels_last(1, 3, 64, 48)), (fast.decode, channels_last(1, 4, 16, 12))):
        before = values.clone()
        run(values)
        assert torch.equal(values, before)


def test_parameters_keep_their_names_and_files(tmp_path: Path) -> None:
    stock, fast = autoencoder(), faster(autoencoder())
    own, theirs = fast.state_dict(), stock.state_dict()
    assert own.keys() == theirs.keys() and all(torch.equal(own[name], theirs[name]) for name in own)
    fast.save_pretrained(tmp_path)
    again = AutoencoderKL.from_pretrained(tmp_path).eval()
    latents = channels_last(1, 4, 16, 12)
    torch.testing.assert_close(again.decode(latents).sample, stock.decode(latents).sample)


def test_other_blocks_are_left_to_diffusers() -> None:
    torch.manual_seed(0)
    made = AutoencoderKL(act_fn="gelu", block_out_channels=(32,), mid_block_add_attention=True, norm_num_groups=8)
    made.eval().requires_grad_(False)
    latents = channels_last(1, 4, 16, 12)
    before, pictures = [type(module) for module in made.modules()], made.decode(latents).sample
    after = [type(module) for module in faster(made).modules()]
    assert [nn.GroupNorm if kind is FastGroupNorm else kind for kind in after] == before
    torch.testing.assert_close(made.decode(latents).sample, pictures)


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("widths", [(16, 48), (32, 64), (96, 192)])
def test_a_unet_of_any_width_gives_what_diffusers_gives(widths: tuple[int, int], batch: int) -> None:
    def unet() -> UNet2DConditionModel:
        torch.manual_seed(0)
        made = UNet2DConditionModel(
            in_channels=5,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            block_out_channels=widths,
            layers_per_block=1,
            cross_attention_dim=8,
            attention_head_dim=2,
            norm_num_groups=16,
        )
        for module in made.modules():
            if isinstance(module, nn.GroupNorm):
                nn.init.uniform_(module.weight, 0.5, 2)
                nn.init.uniform_(module.bias, -1, 1)
        return made.eval().requires_grad_(False).to(memory_format=torch.channels_last)

    stock, fast = unet(), faster(unet())
    assert stock.state_dict().keys() == fast.state_dict().keys()
    assert sum(type(module) is FastResnet for module in fast.modules()) == 8
    noisy, states = channels_last(batch, 5, 32, 24), torch.randn(batch, 7, 8)
    for size in ((32, 24), (30, 22)):  # the second is doubled to an odd number of cells
        values = noisy[:, :, : size[0], : size[1]].contiguous(memory_format=torch.channels_last)
        for timestep in (999, 3):
            told = torch.tensor(timestep)
            torch.testing.assert_close(
                fast(values, told, states).sample, stock(values, told, states).sample, rtol=1e-3, atol=1e-4
            )
    assert not torch.allclose(fast(noisy, torch.tensor(999), states).sample, fast(noisy, told, states).sample)


def test_doubling_of_a_known_picture() -> None:
    """With a kernel that only copies its middle, the transposed convolution doubles and does nothing else."""
    stock = Upsample2D(1, use_conv=True).requires_grad_(False)
    stock.conv.weight.zero_()
    stock.conv.weight[0, 0, 1, 1] = 1
    stock.conv.bias.zero_()
    values = torch.arange(6.0).reshape(1, 1, 2, 3)
    assert torch.equal(FastUpsample(stock)(values), F.interpolate(values, scale_factor=2.0))


def test_the_studio_draws_what_stock_diffusers_draws() -> None:
    """The bundled model as the studio opens it, and the same weights, seeds and steps in float32 by the book."""
    config = GenerateConfig(num_candidates=2, num_inference_steps=2, guidance_scale=2)
    request = tiny.request(config=config, prompt="navy striped t-shirt")
    ours = [event.image for event in load_pipeline(STARTER, "cpu").stream(request) if isinstance(event, Design)]
    stock = GarmentPipeline.from_pretrained(STARTER, dtype=torch.float32, local_files_only=True)
    stock.set_progress_bar_config(disable=True)
    generators = [candidate_generator(request.seed, index) for index in range(2)]
    theirs = stock(
        request.prompt, request.sketch, num_inference_steps=2, guidance_scale=2.0, generator=generators
    ).images
    for mine, other in zip(ours, theirs, strict=True):
        error = np.mean((mine.astype(float) - np.asarray(other)) ** 2)
        assert 10 * np.log10(255**2 / error) > LEAST_PSNR
    assert np.mean((ours[0].astype(float) - ours[1]) ** 2) > 25  # and not the same picture twice

"""The channel layout, folding, conditions at latent size, and guidance against a plain reference."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fashiondistill.data.drawings import template_sketch
from fashiondistill.diffusion.conditioning import (
    ChannelLayout,
    Conditioning,
    latent_mask,
    latent_sketch,
    predict,
)
from fashiondistill.diffusion.noise import candidate_noise
from fashiondistill.diffusion.pipeline import GarmentPipeline
from tests import tiny

HEIGHT, WIDTH = 8, 6  # latents of the small batches here


def conditions(
    batch: int = 2, *, pose: int = 0, sketch: int = 1, seed: int = 0, height: int = HEIGHT, width: int = WIDTH
) -> Conditioning:
    """Random conditions, distinct in every channel."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(batch, *shape, generator=generator)

    return Conditioning(
        encoder_hidden_states=random(77, tiny.TEXT_WIDTH),
        mask=(random(1, height, width) > 0).float(),
        masked_latents=random(4, height, width),
        pose=random(pose, height, width) if pose else None,
        sketch=random(sketch, height, width).sigmoid() if sketch else None,
    )


@pytest.mark.parametrize(
    ("options", "channels"),
    [
        ({"sketch": 0}, 9),
        ({}, 10),
        ({"pose": 3}, 13),
        ({"pose": 18}, 28),
        ({"fold": 2}, 40),
        ({"pose": 3, "fold": 2}, 52),
    ],
)
def test_published_channel_counts(options: dict, channels: int) -> None:
    layout = ChannelLayout(**options)
    assert layout.in_channels == channels
    assert layout.out_channels == 4 * layout.fold**2
    layout.check({"in_channels": channels, "out_channels": layout.out_channels})


def test_check_names_both_counts() -> None:
    with pytest.raises(ValueError, match=r"in_channels 9, the channel layout .*sketch=1.* needs 10"):
        ChannelLayout().check({"in_channels": 9, "out_channels": 4})
    with pytest.raises(ValueError, match=r"out_channels 4, .*fold=2.* needs 16"):
        ChannelLayout(fold=2).check({"in_channels": 40, "out_channels": 4})


def test_a_pipeline_refuses_a_unet_of_another_layout() -> None:
    made = tiny.pipeline(fold=1)
    parts = {name: made.components[name] for name in ("vae", "text_encoder", "tokenizer", "unet", "scheduler")}
    with pytest.raises(ValueError, match="in_channels 10, .* needs 13"):
        GarmentPipeline(**parts, pose_channels=3)
    with pytest.raises(ValueError, match="in_channels 10, .* needs 40"):
        GarmentPipeline(**parts, fold=2)


@given(st.integers(1, 3), st.integers(1, 6), st.integers(1, 5), st.integers(1, 5), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_unfold_undoes_fold(batch: int, channels: int, rows: int, columns: int, fold: int) -> None:
    layout = ChannelLayout(fold=fold)
    values = torch.arange(batch * channels * rows * columns * fold**2).float()
    values = values.reshape(batch, channels, rows * fold, columns * fold)
    folded = layout.fold_latents(values)
    assert folded.shape == (batch, channels * fold**2, rows, columns)
    assert torch.equal(layout.unfold(folded), values)
    # One token holds one block: channel c of the block's cell (i, j) is folded channel c fold^2 + i fold + j.
    block = values[0, -1, :fold, :fold].reshape(-1)
    assert torch.equal(folded[0, -(fold**2) :, 0, 0], block)


@pytest.mark.parametrize("pose", [0, 3, 18])
def test_assemble_keeps_the_published_order(pose: int) -> None:
    layout, given_conditions = ChannelLayout(pose=pose), conditions(pose=pose)
    noisy = torch.randn(2, 4, HEIGHT, WIDTH)
    inputs = layout.assemble(noisy, given_conditions)
    assert inputs.shape == (2, layout.in_channels, HEIGHT, WIDTH)
    parts = inputs.split([4, 1, 4, pose, 1], dim=1)
    assert torch.equal(parts[0], noisy)
    assert torch.equal(parts[1], given_conditions.mask)
    assert torch.equal(parts[2], given_conditions.masked_latents)
    assert pose == 0 or torch.equal(parts[3], given_conditions.pose)
    assert torch.equal(parts[4], given_conditions.sketch)


def test_assemble_folds_and_keeps_the_latents_type() -> None:
    layout = ChannelLayout(fold=2)
    noisy, given_conditions = torch.randn(2, 4, HEIGHT, WIDTH), conditions()
    inputs = layout.assemble(noisy.bfloat16(), given_conditions)
    assert inputs.dtype == torch.bfloat16 and inputs.shape == (2, 40, HEIGHT // 2, WIDTH // 2)
    flat = ChannelLayout().assemble(noisy, given_conditions)
    assert torch.equal(layout.unfold(layout.assemble(noisy, given_conditions)), flat)


@pytest.mark.parametrize(
    ("layout", "given_conditions", "words"),
    [
        (ChannelLayout(), conditions(sketch=0), "conditioning has 0 sketch channels.*needs 1"),
        (ChannelLayout(sketch=0), conditions(), "conditioning has 1 sketch channels.*needs 0"),
        (ChannelLayout(pose=18), conditions(pose=3), "conditioning has 3 pose channels.*needs 18"),
        (ChannelLayout(), conditions(pose=3), "conditioning has 3 pose channels.*needs 0"),
    ],
)
def test_conditions_of_another_layout_are_refused(
    layout: ChannelLayout, given_conditions: Conditioning, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        layout.assemble(torch.zeros(2, 4, HEIGHT, WIDTH), given_conditions)


def test_dropping_takes_text_sketch_and_pose_together_and_keeps_the_mask() -> None:
    before, null_states = conditions(3, pose=3), torch.full((1, 77, tiny.TEXT_WIDTH), 7.0)
    after = before.without(torch.tensor([True, False, True]), null_states)
    for index, dropped in enumerate((True, False, True)):
        for name in ("pose", "sketch"):
            value = getattr(after, name)[index]
            assert torch.equal(value, torch.zeros_like(value) if dropped else getattr(before, name)[index])
        states = null_states[0] if dropped else before.encoder_hidden_states[index]
        assert torch.equal(after.encoder_hidden_states[index], states)
    assert torch.equal(after.mask, before.mask) and torch.equal(after.masked_latents, before.masked_latents)
    plain = conditions(2, sketch=0).without(torch.tensor([True, True]), null_states)
    assert plain.sketch is None and plain.pose is None


def test_batches_join_grow_and_change_type() -> None:
    first, second = conditions(1, seed=1), conditions(2, seed=2)
    joined = first.cat(second)
    assert (len(first), len(second), len(joined)) == (1, 2, 3)
    assert torch.equal(joined.sketch[1:], second.sketch) and torch.equal(joined.mask[:1], first.mask)
    with pytest.raises(ValueError, match="has pose, the other has none"):
        first.cat(conditions(1, pose=3))
    grown = first.expand(4)
    assert len(grown) == 4 and torch.equal(grown.masked_latents[3], first.masked_latents[0])
    assert grown.pose is None
    halves = first.to(torch.device("cpu"), torch.float16)
    assert {halves.mask.dtype, halves.encoder_hidden_states.dtype, halves.sketch.dtype} == {torch.float16}


def test_latent_mask_repaints_a_cell_if_any_of_its_pixels_is() -> None:
    mask = torch.zeros(2, 1, 512, 384)
    mask[0, 0, 17, 30] = 1  # one pixel of cell (2, 3)
    mask[1, 0, :, 200:] = 1  # columns 25 on
    small = latent_mask(mask)
    assert small.shape == (2, 1, 64, 48) and small.dtype == mask.dtype
    assert torch.nonzero(small[0, 0]).tolist() == [[2, 3]]
    assert small[1, 0, :, 25:].min() == 1 and small[1, 0, :, :25].max() == 0
    assert set(latent_mask(torch.rand(1, 1, 64, 64)).unique().tolist()) <= {0.0, 1.0}


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_latent_sketch_is_the_share_of_strokes(seed: int) -> None:
    sketch = torch.rand(1, 1, 512, 384, generator=torch.Generator().manual_seed(seed)) ** 8
    small = latent_sketch(sketch)
    assert small.shape == (1, 1, 64, 48)
    assert small.mean() == pytest.approx(sketch.mean().item(), rel=1e-4)
    assert small[0, 0, 5, 7] == pytest.approx(sketch[0, 0, 40:48, 56:64].mean().item(), rel=1e-4)


def test_a_thin_line_stays_visible_as_grey() -> None:
    sketch = torch.zeros(1, 1, 512, 384)
    sketch[..., 100, :] = 1
    assert latent_sketch(sketch)[0, 0, 12].unique().tolist() == [pytest.approx(1 / 8)]


def test_predict_is_the_unet_between_fold_and_unfold() -> None:
    made, given_conditions = tiny.pipeline(), conditions(height=16, width=12)
    noisy, timesteps = torch.randn(2, 4, 16, 12), torch.tensor([900, 20])
    with torch.no_grad():
        found = predict(made.unet, made.layout, noisy, timesteps, given_conditions)
        stacked = torch.cat([noisy, given_conditions.mask, given_conditions.masked_latents, given_conditions.sketch], 1)
        folded = stacked.reshape(2, 10, 8, 2, 6, 2).permute(0, 1, 3, 5, 2, 4).reshape(2, 40, 8, 6)
        output = made.unet(folded, timesteps, given_conditions.encoder_hidden_states).sample
        expected = output.reshape(2, 4, 2, 2, 8, 6).permute(0, 1, 4, 2, 5, 3).reshape(2, 4, 16, 12)
    assert torch.allclose(found, expected, atol=1e-6)
    assert found.std() > 0.05  # a random UNet that is silent would pass every comparison


# Guidance.


def naive_denoise(
    made: GarmentPipeline, conditioning: Conditioning, null_states: torch.Tensor, *, steps: int, scale: float, seen: int
) -> torch.Tensor:
    """v = v_0 + s (v_c - v_0), two calls of the UNet per step, the sketch seen in the first `seen` steps only."""
    scheduler = made.scheduler.from_config(made.scheduler.config)
    scheduler.set_timesteps(steps)
    latents = candidate_noise(5, 0) * scheduler.init_noise_sigma
    nothing = torch.zeros_like(conditioning.sketch)

    def velocity(states: torch.Tensor, sketch: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        stacked = torch.cat([latents, conditioning.mask, conditioning.masked_latents, sketch], dim=1)
        output = made.unet(torch.nn.functional.pixel_unshuffle(stacked, 2), timestep, states).sample
        return torch.nn.functional.pixel_shuffle(output, 2)

    for number, timestep in enumerate(scheduler.timesteps):
        sketch = conditioning.sketch if number < seen else nothing
        with_all = velocity(conditioning.encoder_hidden_states, sketch, timestep)
        without = velocity(null_states, nothing, timestep)
        latents = scheduler.step(without + scale * (with_all - without), timestep, latents).prev_sample
    return latents


@pytest.mark.parametrize(
    ("scale", "influence", "seen"), [(1.0, 1.0, 4), (3.0, 1.0, 4), (3.0, 0.5, 2), (7.5, 0.0, 0), (1.0, 0.25, 1)]
)
def test_guidance_equals_a_naive_reference(scale: float, influence: float, seen: int) -> None:
    made = tiny.pipeline()
    with torch.no_grad():
        conditioning = made.condition(tiny.CAPTION, template_sketch("top5glb"))
        null_states = made.encode_prompt("")
        steps = list(
            made.denoise(
                candidate_noise(5, 0),
                conditioning,
                null_states,
                num_inference_steps=4,
                guidance_scale=scale,
                sketch_influence=influence,
            )
        )
        expected = naive_denoise(made, conditioning, null_states, steps=4, scale=scale, seen=seen)
    assert len(steps) == 4
    assert torch.allclose(steps[-1], expected, atol=1e-3 * expected.std().item())


def test_guidance_of_1_never_asks_the_unconditional_branch() -> None:
    made = tiny.pipeline()
    conditioning = made.condition(tiny.CAPTION, template_sketch("top5gub"))
    batches: list[int] = []
    handle = made.unet.register_forward_pre_hook(lambda _, inputs: batches.append(inputs[0].shape[0]))
    with torch.no_grad():
        for scale in (1.0, 3.0):
            list(
                made.denoise(
                    candidate_noise(0, 0),
                    conditioning,
                    made.encode_prompt(""),
                    num_inference_steps=2,
                    guidance_scale=scale,
                )
            )
    handle.remove()
    assert batches == [1, 1, 2, 2]


def test_conditions_of_a_request() -> None:
    made, sketch = tiny.pipeline(), template_sketch("top5gub")
    bare = made.condition(tiny.CAPTION, sketch)
    assert bare.mask.shape == (1, 1, 64, 48) and bare.mask.min() == 1  # no picture: repaint everywhere
    assert np.allclose(bare.sketch[0, 0].numpy(), sketch.reshape(64, 8, 48, 8).mean((1, 3)), atol=1e-6)
    grey = made.encode_image(torch.zeros(1, 3, 512, 384))
    assert torch.allclose(bare.masked_latents, grey)
    mask = np.zeros((512, 384), np.float32)
    mask[:, :192] = 1
    image = tiny.picture()
    half = made.condition(tiny.CAPTION, sketch, image, mask)
    assert half.mask[..., :24].min() == 1 and half.mask[..., 24:].max() == 0
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 127.5 - 1
    pixels[..., :192] = 0
    assert torch.allclose(half.masked_latents, made.encode_image(pixels), atol=1e-5)
    posed = tiny.pipeline(fold=1, pose=18).condition(tiny.CAPTION, sketch)
    assert posed.pose.shape == (1, 18, 64, 48) and posed.pose.abs().max() == 0
    assert tiny.pipeline(fold=1, sketch=0).condition(tiny.CAPTION, sketch).sketch is None

"""Drawing that begins at a picture under noise: how near it stays, and what a request may ask."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fashiondistill.config import GenerateConfig
from fashiondistill.diffusion.pipeline import StepDone, num_steps_of
from tests import tiny
from train.starter.pipelines import few_step_scheduler

CONFIG = GenerateConfig(num_candidates=1, num_inference_steps=6, guidance_scale=1.0)


def draw(pipeline, **changes: object) -> np.ndarray:
    return tiny.designs(pipeline, tiny.request(config=CONFIG, **changes))[0].image.astype(np.int16)


@pytest.mark.parametrize("scheduler", ["as bundled", "few steps"])
def test_the_weaker_a_variation_the_nearer_it_stays(scheduler):
    pipeline, asked = tiny.pipeline(), tiny.request()
    if scheduler == "few steps":
        pipeline.register_modules(scheduler=few_step_scheduler())
    conditioning = pipeline.condition(asked.prompt, asked.sketch)
    start, noise = (torch.randn(1, 4, 64, 48, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))

    def drawn(**options: object) -> torch.Tensor:
        steps = pipeline.denoise(
            noise, conditioning, pipeline.encode_prompt(""), num_inference_steps=6, guidance_scale=1.0, **options
        )
        return list(steps)[-1]

    alike = [_cosine(drawn(start=start, strength=share), start) for share in (0.2, 0.5, 1.0)]
    assert alike[0] > 0.9 and alike[0] > alike[1] > alike[2]
    assert torch.allclose(drawn(start=start, strength=1.0), drawn(), atol=0.1)  # nothing of the start is left


def _cosine(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.nn.functional.cosine_similarity(one.flatten(), other.flatten(), dim=0))


def test_a_variation_is_the_same_again_and_another_with_another_seed():
    pipeline, start = tiny.pipeline(), tiny.picture()
    one, again = (draw(pipeline, start=start, strength=0.5) for _ in range(2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, draw(pipeline, start=start, strength=0.5, seed=9))


def test_steps_are_counted_as_they_are_taken():
    asked = tiny.request(config=CONFIG, start=tiny.picture(), strength=0.5)
    steps = [one for one in tiny.pipeline().stream(asked) if isinstance(one, StepDone)]
    assert [(one.step, one.total_steps) for one in steps] == [(1, 3), (2, 3), (3, 3)]
    assert (num_steps_of(0.01, 6), num_steps_of(1.0, 6)) == (1, 6)


def test_the_sketch_is_let_go_even_if_its_steps_were_skipped():
    pipeline, start = tiny.pipeline(), tiny.picture()
    config = GenerateConfig(num_candidates=1, num_inference_steps=6, guidance_scale=1.0, sketch_influence=0.2)
    other = np.zeros((512, 384), np.float32)
    other[50:450, 60:64] = 1
    drawn = [
        tiny.designs(pipeline, tiny.request(config=config, start=start, strength=0.5, sketch=sketch))[0].image
        for sketch in (tiny.request().sketch, other)
    ]
    assert np.array_equal(*drawn)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"start": np.zeros((512, 384, 3), np.float32)}, "start is float32 of shape"),
        ({"start": np.zeros((8, 8, 3), np.uint8)}, r"start is uint8 of shape \(8, 8, 3\)"),
        ({"strength": 0.0}, "strength 0.0 is out of range: choose more than 0, up to 1"),
        ({"strength": 1.1}, "strength 1.1 is out of range"),
    ],
)
def test_what_cannot_be_varied_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        tiny.request(**changes)

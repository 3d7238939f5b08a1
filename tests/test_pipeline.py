"""GarmentPipeline with tiny real models: files, seeds, streaming, repainting, prompts, and the bundle's own folder."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from transformers import CLIPTextModel

from fashiondistill.config import GenerateConfig
from fashiondistill.data.drawings import template_sketch
from fashiondistill.design import Design
from fashiondistill.diffusion import encoding, loading
from fashiondistill.diffusion import pipeline as pipeline_module
from fashiondistill.diffusion.loading import load_pipeline
from fashiondistill.diffusion.noise import candidate_noise
from fashiondistill.diffusion.pipeline import GarmentPipeline, StepDone
from tests import tiny
from train.starter.bundle import BundleConfig, make_bundle


@pytest.fixture(scope="module")
def made() -> GarmentPipeline:
    return tiny.pipeline()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def drawn(made: GarmentPipeline) -> list[np.ndarray]:
    """The pictures of `tiny.request()`."""
    return [design.image for design in tiny.designs(made, tiny.request())]


def difference(first: np.ndarray, second: np.ndarray) -> float:
    """Mean absolute difference in grey levels."""
    return float(np.abs(first.astype(int) - second).mean())


# Pictures and seeds.


def test_designs_are_pictures_of_the_request(made: GarmentPipeline) -> None:
    request = tiny.request()
    for index, design in enumerate(tiny.designs(made, request)):
        assert design.image.shape == (512, 384, 3) and design.image.dtype == np.uint8
        assert design.index == index and design.request is request
        assert design.image.std() > 20  # the tiny models draw noise, not a flat picture


def test_the_same_seed_gives_the_same_pixels_in_a_fresh_pipeline(drawn: list[np.ndarray]) -> None:
    for state in (1, 2):  # whatever the global random state
        torch.manual_seed(state)
        again = tiny.designs(tiny.pipeline(), tiny.request())
        assert all(np.array_equal(a, b.image) for a, b in zip(drawn, again, strict=True))


def test_candidates_and_seeds_differ(made: GarmentPipeline, drawn: list[np.ndarray]) -> None:
    assert difference(*drawn) > 5
    others = tiny.designs(made, tiny.request(seed=4))
    assert min(difference(a, b.image) for a in drawn for b in others) > 5


def test_words_and_sketch_change_the_picture(made: GarmentPipeline, drawn: list[np.ndarray]) -> None:
    one = dataclasses.replace(tiny.FAST, num_candidates=1)
    changes = {"prompt": "red plain dress"}, {"sketch": template_sketch("top5shoe")}
    for change in changes:
        assert difference(drawn[0], tiny.designs(made, tiny.request(config=one, **change))[0].image) > 1, change


def test_sketch_influence_is_a_dial(made: GarmentPipeline, drawn: list[np.ndarray]) -> None:
    def draw(influence: float, category: str) -> np.ndarray:
        config = dataclasses.replace(tiny.FAST, num_candidates=1, sketch_influence=influence)
        return tiny.designs(made, tiny.request(config=config, sketch=template_sketch(category)))[0].image

    assert np.array_equal(draw(0.0, "top5gub"), draw(0.0, "top5shoe"))
    assert np.array_equal(draw(1.0, "top5gub"), drawn[0])
    half = draw(0.5, "top5gub")
    assert not np.array_equal(half, drawn[0]) and not np.array_equal(half, draw(0.0, "top5gub"))


def test_candidate_noise_is_keyed_by_seed_and_candidate() -> None:
    noises = [candidate_noise(seed, index) for seed in (0, 1, 2**32 - 1) for index in range(8)]
    flat = torch.stack([n.flatten() for n in noises])
    assert flat.shape == (24, 4 * 64 * 48)
    correlation = torch.corrcoef(flat) - torch.eye(24)
    assert correlation.abs().max() < 0.06  # 5.5 standard errors: no pair shares its stream, shifted keys included
    assert flat.mean().abs() < 0.01 and flat.std() == pytest.approx(1, abs=0.01)
    assert torch.equal(candidate_noise(0, 3), noises[3])


def test_candidate_k_does_not_depend_on_how_many_are_drawn(made: GarmentPipeline, drawn: list[np.ndarray]) -> None:
    config = dataclasses.replace(tiny.FAST, num_candidates=4)
    more = tiny.designs(made, tiny.request(config=config))
    for two, four in zip(drawn, more[:2], strict=True):
        assert np.abs(two.astype(int) - four.image).max() <= 2  # a batch is summed in another order
    request = tiny.request()
    conditioning = made.condition(request.prompt, request.sketch)
    steps = made.denoise(
        candidate_noise(request.seed, 3),
        conditioning,
        made.encode_prompt(""),
        num_inference_steps=config.num_inference_steps,
        guidance_scale=config.guidance_scale,
    )
    alone = made.decode_latents(list(steps)[-1])[0]
    assert np.abs(alone.astype(int) - more[3].image).max() <= 2


def test_generators_of_a_batch_are_one_for_each_candidate(made: GarmentPipeline) -> None:
    def draw(*seeds: int) -> list[np.ndarray]:
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        output = made(tiny.CAPTION, template_sketch("top5gub"), num_inference_steps=2, generator=generators)
        return [np.asarray(image) for image in output.images]

    together, alone = draw(1, 2, 3), [draw(seed)[0] for seed in (1, 2, 3)]
    for a, b in zip(together, alone, strict=True):
        assert np.abs(a.astype(int) - b).max() <= 2  # a batch is summed in another order
    assert difference(together[0], together[1]) > 5
    single = made(
        tiny.CAPTION, template_sketch("top5gub"), num_inference_steps=2, generator=torch.Generator().manual_seed(1)
    )
    assert np.array_equal(np.asarray(single.images[0]), alone[0])


def test_callback_sees_every_step(made: GarmentPipeline) -> None:
    seen = []

    def callback(pipe: GarmentPipeline, step: int, timestep: int, values: dict) -> dict:
        seen.append((pipe is made, step, values["latents"].shape))
        return values

    made(tiny.CAPTION, template_sketch("top5gub"), num_inference_steps=3, callback_on_step_end=callback)
    assert seen == [(True, step, (1, 4, 64, 48)) for step in range(3)]


# Streaming.


@pytest.mark.parametrize(
    ("candidates", "steps", "groups"), [(1, 2, [1]), (2, 4, [2]), (3, 4, [2, 1]), (4, 1, [2, 2]), (8, 1, [2, 2, 2, 2])]
)
def test_stream_counts_its_steps(made: GarmentPipeline, candidates: int, steps: int, groups: list[int]) -> None:
    config = GenerateConfig(num_candidates=candidates, num_inference_steps=steps)
    events = list(made.stream(tiny.request(config=config)))
    expected, first = [], 0
    for count in groups:
        expected += [StepDone(first, step, steps, count) for step in range(1, steps + 1)]
        expected += list(range(first, first + count))
        first += count
    assert [event.index if isinstance(event, Design) else event for event in events] == expected


def test_a_large_unet_draws_one_candidate_after_the_other(
    made: GarmentPipeline, drawn: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline_module, "SMALL_UNET", 1)
    events = list(made.stream(tiny.request()))
    steps = [event for event in events if isinstance(event, StepDone)]
    assert steps == [StepDone(index, step, 2) for index in range(2) for step in (1, 2)]
    for one, together in zip((event for event in events if isinstance(event, Design)), drawn, strict=True):
        assert np.abs(one.image.astype(int) - together).max() <= 2  # a batch is summed in another order


def test_closing_the_stream_stops_before_the_next_step(made: GarmentPipeline) -> None:
    num_calls, num_decoded = 0, 0

    def count(*_: object) -> None:
        nonlocal num_calls
        num_calls += 1

    def count_decoded(*_: object) -> None:
        nonlocal num_decoded
        num_decoded += 1

    handles = [
        made.unet.register_forward_pre_hook(count),
        made.vae.decoder.register_forward_pre_hook(count_decoded),
    ]
    events = made.stream(tiny.request(config=GenerateConfig(num_candidates=3, num_inference_steps=5)))
    for number, event in enumerate(events, start=1):
        assert isinstance(event, StepDone)
        if number == 3:
            break
    events.close()
    for handle in handles:
        handle.remove()
    assert (num_calls, num_decoded) == (3, 0)
    assert next(events, None) is None
    assert tiny.designs(made, tiny.request())[0].image.shape == (512, 384, 3)  # the pipeline can be used again


def test_a_masked_picture_is_encoded_once_for_all_that_ask(made: GarmentPipeline) -> None:
    encoded = []
    handle = made.vae.encoder.register_forward_hook(lambda *_: encoded.append(1))
    fresh = GarmentPipeline(**made.components, **made.settings)
    picture, mask = tiny.picture(), np.zeros((512, 384), np.float32)
    mask[100:200, 100:200] = 1
    first = fresh.encode_masked(picture, mask, mask.shape)
    assert fresh.encode_masked(picture.copy(), mask.copy(), mask.shape) is first and len(encoded) == 1
    others = [
        fresh.encode_masked(255 - picture, mask, mask.shape),
        fresh.encode_masked(picture, 1 - mask, mask.shape),
        fresh.encode_masked(None, None, mask.shape),
    ]
    assert len(encoded) == 4 and not any(torch.equal(first, other) for other in others)
    for shift in range(encoding.NUM_CACHED):  # older ones give way
        fresh.encode_masked(None, np.roll(mask, shift + 1, axis=0), mask.shape)
    count = len(encoded)
    again = fresh.encode_masked(picture, mask, mask.shape)
    assert len(encoded) == count + 1 and torch.equal(again, first)
    handle.remove()


def test_two_streams_in_turn_do_not_disturb_each_other(made: GarmentPipeline, drawn: list[np.ndarray]) -> None:
    streams = [made.stream(tiny.request()), made.stream(tiny.request(seed=9))]
    pictures: list[list[np.ndarray]] = [[], []]
    for pair in zip(*streams, strict=True):
        for found, event in zip(pictures, pair, strict=True):
            if isinstance(event, Design):
                found.append(event.image)
    assert all(np.array_equal(a, b) for a, b in zip(drawn, pictures[0], strict=True))


# Prompts.


def test_long_prompts_are_refused_with_both_counts(made: GarmentPipeline) -> None:
    words = "red " * 75
    made.check_prompt(words)  # 75 tokens, and one at each end
    assert made.encode_prompt(words).shape == (1, 77, tiny.TEXT_WIDTH)
    too_long = words + "dress"
    for call in (
        made.check_prompt,
        made.encode_prompt,
        lambda prompt: next(made.stream(tiny.request(prompt=prompt))),
        lambda prompt: made(prompt, template_sketch("top5gub")),
    ):
        with pytest.raises(ValueError, match="prompt has 78 tokens, the text encoder takes 77. Shorten it"):
            call(too_long)


def test_any_words_can_be_encoded(made: GarmentPipeline) -> None:
    for prompt in ("robe d'été à pois", "ジャケット", "\N{T-SHIRT} 100% <b>'\";", " \n red"):
        assert torch.isfinite(made.encode_prompt(prompt)).all()
    assert not torch.allclose(made.encode_prompt("red"), made.encode_prompt("navy"), atol=1e-2)


# Requests that design.py turns down.


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sketch": np.zeros((512, 384), np.float32)}, "sketch is empty: draw at least an outline"),
        ({"sketch": np.full((512, 384), np.nan, np.float32)}, "sketch is empty"),
        ({"sketch": np.ones((384, 512), np.float32)}, r"sketch has shape \(384, 512\); give .* \[512, 384\]"),
        ({"sketch": np.full((512, 384), 255, np.uint8)}, "sketch has values from 255 to 255; give 0 to 1"),
        ({"sketch": np.eye(512, 384, dtype=np.float32) * 2 - 1}, "sketch has values from -1.0 to 1.0"),
        (
            {"image": np.zeros((512, 384), np.uint8)},
            r"image is uint8 of shape \(512, 384\); give uint8 RGB \[512, 384, 3\]",
        ),
        ({"image": np.zeros((512, 384, 3), np.float32)}, "image is float32 .* give uint8 RGB"),
        (
            {"image": np.zeros((512, 384, 3), np.uint8), "mask": np.full((512, 384), 255, np.uint8)},
            "mask has values from 255 to 255",
        ),
        ({"mask": np.ones((512, 384), np.float32)}, "mask is given without an image"),
        (
            {"image": np.zeros((512, 384, 3), np.uint8), "mask": np.ones((512, 384, 1), np.float32)},
            r"mask has shape \(512, 384, 1\)",
        ),
        ({"prompt": " \n"}, "prompt is empty: describe the garment"),
        ({"seed": -1}, "seed -1 is out of range: choose 0 to 4294967295"),
        ({"seed": 2**32}, "seed 4294967296 is out of range"),
    ],
)
def test_bad_requests_name_field_and_remedy(changes: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        tiny.request(**changes)


# Repainting.


def test_pixels_outside_the_mask_are_kept(made: GarmentPipeline) -> None:
    image = tiny.picture()
    mask = np.zeros((512, 384), np.float32)
    mask[200:300, 100:260] = 1
    request = tiny.request(image=image, mask=mask)
    for design in tiny.designs(made, request):
        far = cv2.dilate(mask, np.ones((19, 19))) == 0  # the seam is a few pixels wide
        assert np.array_equal(design.image[far], image[far])
        core = cv2.erode(mask, np.ones((19, 19))) > 0
        assert np.abs(design.image[core].astype(int) - image[core]).mean() > 10
    output = made(tiny.CAPTION, request.sketch, image, mask, num_inference_steps=2)
    assert np.array_equal(np.asarray(output.images[0])[far], image[far])


def test_a_full_mask_repaints_everything_and_an_empty_one_nothing(made: GarmentPipeline) -> None:
    image, full = tiny.picture(), np.ones((512, 384), np.float32)
    one = dataclasses.replace(tiny.FAST, num_candidates=1)
    everywhere = tiny.designs(made, tiny.request(image=image, mask=full, config=one))[0].image
    nowhere = tiny.designs(made, tiny.request(image=image, mask=0 * full, config=one))[0].image
    no_image = tiny.designs(made, tiny.request(config=one))[0].image
    assert np.array_equal(everywhere, no_image)
    assert np.array_equal(nowhere, image)


def test_what_is_masked_does_not_leak_into_the_picture(made: GarmentPipeline) -> None:
    image, mask = tiny.picture(), np.zeros((512, 384), np.float32)
    mask[:, :192] = 1
    other = image.copy()
    other[:, :180] = 0  # only pixels that the mask hides, seam excepted
    first, second = (tiny.designs(made, tiny.request(image=i, mask=mask))[0].image for i in (image, other))
    assert np.array_equal(first[:, :170], second[:, :170])


# Folders.


def test_save_and_load_give_the_same_pixels(drawn: list[np.ndarray], tmp_path: Path) -> None:
    tiny.pipeline().save_pretrained(tmp_path, safe_serialization=True)
    loaded = GarmentPipeline.from_pretrained(tmp_path, local_files_only=True)
    loaded.set_progress_bar_config(disable=True)
    assert loaded.layout == tiny.pipeline().layout
    assert all(np.array_equal(a, b.image) for a, b in zip(drawn, tiny.designs(loaded, tiny.request()), strict=True))


@pytest.mark.parametrize("options", [{"fold": 1}, {"fold": 1, "pose": 18}, {"fold": 1, "sketch": 0}])
def test_every_layout_survives_its_folder(tmp_path: Path, options: dict) -> None:
    made = tiny.pipeline(**options)
    made.save_pretrained(tmp_path, safe_serialization=True)
    loaded = load_pipeline(tmp_path, "cpu")
    assert loaded.layout == made.layout and loaded.model_id == f"{tmp_path.name}-unlisted"
    one = dataclasses.replace(tiny.FAST, num_candidates=1)
    assert tiny.designs(loaded, tiny.request(config=one))[0].image.std() > 5


@pytest.mark.parametrize(("has_bf16", "dtype"), [(False, torch.float32), (True, torch.bfloat16)])
def test_fp16_weights_load_on_a_cpu(
    folder: Path, drawn: list[np.ndarray], monkeypatch: pytest.MonkeyPatch, has_bf16: bool, dtype: torch.dtype
) -> None:
    monkeypatch.setattr(loading, "cpu_has_bf16", lambda: has_bf16)
    loaded = load_pipeline(folder, "cpu")
    assert {loaded.unet.dtype, loaded.vae.dtype, loaded.text_encoder.dtype} == {dtype}
    assert not any(p.requires_grad for m in (loaded.unet, loaded.vae, loaded.text_encoder) for p in m.parameters())
    assert not loaded.unet.training and not loaded.vae.training and not loaded.text_encoder.training
    pictures = [design.image for design in tiny.designs(loaded, tiny.request())]
    again = [design.image for design in tiny.designs(load_pipeline(folder, "cpu"), tiny.request())]
    assert all(np.array_equal(a, b) for a, b in zip(pictures, again, strict=True))
    # Rounding to fp16 and computing in bf16 moves the pictures far less than another seed does (about 90 levels).
    assert difference(pictures[0], drawn[0]) < (12 if has_bf16 else 1)
    assert loaded.model_id.startswith("tiny-") and len(loaded.model_id) == len("tiny-") + 12


def test_the_bundle_of_the_training_stages_is_a_pipeline(tmp_path: Path) -> None:
    made = tiny.pipeline()
    made.vae.save_pretrained(tmp_path / "one" / "vae")
    for name in ("unet", "text_encoder", "tokenizer", "scheduler"):
        getattr(made, name).save_pretrained(tmp_path / "two" / name)
    config = BundleConfig(*(str(tmp_path / name) for name in ("one", "two", "three", "out")))
    with pytest.raises(FileNotFoundError, match="three.clip is missing: run that stage first"):
        make_bundle(config)
    tiny.save_clip_folder(tmp_path / "three" / "clip")
    size = make_bundle(config)
    assert size == sum(path.stat().st_size for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert CLIPTextModel.from_pretrained(tmp_path / "out" / "text_encoder", dtype="auto").dtype == torch.float16
    loaded = load_pipeline(tmp_path / "out", "cpu")
    assert loaded.layout == made.layout and not loaded.model_id.endswith("unlisted")
    assert tiny.designs(loaded, tiny.request())[1].image.std() > 20

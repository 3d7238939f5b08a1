"""The starter's training on the CPU, with tiny models and drawn garments: stages end, go on, save and fit together."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPTokenizer

from fashiondistill.config import AutoencoderConfig, ClipConfig, DenoiserConfig, DistillConfig, StageConfig
from fashiondistill.data.attributes import COLOUR_BY_WORD
from fashiondistill.data.drawings import draw_garment
from fashiondistill.data.vitonhd import UNDATED, ArticlePictures, ArticleRecord, write_article, write_manifest
from fashiondistill.diffusion.checkpoints import verify
from fashiondistill.diffusion.loading import load_pipeline
from fashiondistill.scoring import ClipScorer
from train.starter import autoencoder, clip, common, demo, denoiser, distill, figures, latents, splits
from train.starter.bundle import BundleConfig, make_bundle
from train.starter.latents import LatentCache
from train.starter.ranks import Ranks
from train.starter.tokens import encode, stage_tokenizer

CPU = {"device": "cpu", "compile": False, "save_every_minutes": 0.0}
DRAWN = ("briefs", "bra", "handbag", "tote bag", "scarf", "camisole", "belt", "necklace", "boxer shorts", "earrings")
WORDS = (("navy",), ("red",), ("black",), ("white",), ("green",))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Ten drawn garments that stand for photos of five senders."""
    root = tmp_path_factory.mktemp("dataset")
    records = []
    for number in range(10):
        kind, colours = DRAWN[number % len(DRAWN)], WORDS[number % len(WORDS)]
        drawn = draw_garment(kind, colours=colours, pattern="plain", seed=number)
        record = ArticleRecord(
            article_id=f"{number:010d}",
            split=("train", "train", "train", "val", "test")[number % 5],
            category=drawn.category,
            week=UNDATED,
            garment=drawn.garment,
            caption=drawn.caption,
            colours=colours,
            colour_rgb=tuple(COLOUR_BY_WORD[word].rgb for word in colours),
            pattern="plain",
            source=kind,
            sender=str(number % 5),
            score=1.0,
        )
        write_article(root, record, ArticlePictures(drawn.image, drawn.sketch, drawn.mask))
        records.append(record)
    write_manifest(root, records)
    return root


@pytest.fixture(scope="module")
def stages(dataset, tmp_path_factory):
    """Folders of the three stages, each trained for a few steps."""
    root = tmp_path_factory.mktemp("stages")
    shared = CPU | {"dataset_path": str(dataset), "max_minutes": 0.04}
    autoencoder.train(
        AutoencoderConfig(
            **shared, output_dir=str(root / "ae"), batch_size=2, crop=64, block_out_channels=(8, 8, 16, 16)
        )
    )
    clip.train(ClipConfig(**shared, output_dir=str(root / "clip"), batch_size=4, text_width=64, text_layers=1))
    denoiser.train(_denoiser_config(dataset, root))
    return root


def _denoiser_config(dataset, root, **changes) -> DenoiserConfig:
    values = CPU | {
        "dataset_path": str(dataset),
        "output_dir": str(root / "dn"),
        "autoencoder": str(root / "ae"),
        "max_minutes": 0.05,
        "batch_size": 2,
        "num_variants": 1,
        "block_out_channels": (32, 32),
        "text_width": 64,
        "text_layers": 1,
    }
    return DenoiserConfig(**(values | changes))


def test_the_stages_make_a_bundle_that_draws_and_scores(stages, tmp_path):
    out = tmp_path / "bundle"
    size = make_bundle(BundleConfig(str(stages / "ae"), str(stages / "dn"), str(stages / "clip"), str(out)))
    assert size == sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    assert len(verify(out)) == 12
    assert not [path for path in out.rglob("*.json") if "_name_or_path" in path.read_text(encoding="utf-8")]
    pipeline, scorer = load_pipeline(out, "cpu"), ClipScorer.load(out / "clip", "cpu")
    sketch = np.zeros((512, 384), np.float32)
    sketch[100:400, 100] = 1
    picture = pipeline("navy belt", sketch, num_inference_steps=2, generator=torch.Generator().manual_seed(0)).images[0]
    assert picture.size == (384, 512)
    assert np.isclose(np.linalg.norm(scorer.embed_images([np.asarray(picture)])[0]), 1, atol=1e-3)


def _distill_config(dataset, stages, out, **changes) -> DistillConfig:
    values = CPU | {
        "dataset_path": str(dataset),
        "output_dir": str(out),
        "teacher": str(stages / "dn"),
        "autoencoder": str(stages / "ae"),
        "max_minutes": 0.05,
        "batch_size": 2,
        "num_variants": 1,
        "num_samples": 1,
        "num_steps": 2,
        "teacher_guidance": 2.0,
    }
    return DistillConfig(**(values | changes))


def test_a_distilled_denoiser_becomes_a_bundle_that_draws_in_two_steps(dataset, stages, tmp_path):
    distill.train(_distill_config(dataset, stages, tmp_path / "fast"))
    assert (tmp_path / "fast" / "samples.jpg").is_file()
    out = tmp_path / "bundle"
    make_bundle(BundleConfig(str(stages / "ae"), str(tmp_path / "fast"), str(stages / "clip"), str(out)))
    pipeline = load_pipeline(out, "cpu")
    assert type(pipeline.scheduler).__name__ == "DDIMScheduler"
    generator = torch.Generator().manual_seed(0)
    drawn = pipeline(
        "belt", np.zeros((512, 384), np.float32), num_inference_steps=2, guidance_scale=1.0, generator=generator
    )
    assert drawn.images[0].size == (384, 512)


def test_a_distillation_does_not_go_on_with_another_teacher(dataset, stages, tmp_path):
    """The folder may move; its weights may not change."""
    teacher = Path(shutil.copytree(stages / "dn", tmp_path / "moved"))
    config = _distill_config(dataset, stages, tmp_path / "fast", num_samples=0)
    distill.train(config)
    distill.train(dataclasses.replace(config, teacher=str(teacher)))
    weights = teacher / "unet" / "diffusion_pytorch_model.safetensors"
    changed = load_file(weights)
    changed["conv_in.bias"] += 1
    save_file(changed, weights)
    with pytest.raises(ValueError, match=r"fast/state.safetensors was made with other settings \(teacher_weights"):
        distill.train(dataclasses.replace(config, teacher=str(teacher)))


@pytest.mark.parametrize("scale", [1.0, 3.0])
@pytest.mark.parametrize("num_steps", [1, 3])
def test_distillation_asks_for_the_step_that_lands_where_the_teacher_lands(dataset, stages, tmp_path, scale, num_steps):
    """A teacher that knows the picture walks straight to it, so one long step of its own lands there as well."""
    config = _distill_config(dataset, stages, tmp_path, num_steps=num_steps, substeps=3, teacher_guidance=scale)
    tokenizer = CLIPTokenizer.from_pretrained(stages / "dn" / "tokenizer")
    values = torch.randn(4, 8, 16, 12)
    rest = {"mask": torch.ones(4, 1, 16, 12), "sketch": torch.zeros(4, 4, 16, 12), "weight": torch.ones(4)}
    batch = LatentCache(latents=values, masked_latents=values, ids=encode(tokenizer, ["belt"] * 4), **rest)
    stage = distill.DistillStage(config, stages / "dn", tokenizer, batch)
    picture = torch.randn(1, 8, 16, 12)

    def knows_the_picture(inputs, timesteps, states, return_dict):
        alpha, sigma = stage.alphas[timesteps + 1], stage.sigmas[timesteps + 1]
        return (((alpha[:, None, None, None] * inputs[:, :8]) - picture) / sigma[:, None, None, None],)

    def knows_nothing(inputs, timesteps, states, return_dict):
        return (torch.zeros_like(inputs[:, :8]),)

    stage.forward_teacher = knows_the_picture
    assert stage.error_of(knows_the_picture, batch, torch.Generator().manual_seed(1)).item() < 1e-3
    assert stage.error_of(knows_nothing, batch, torch.Generator().manual_seed(1)).item() > 0.1


def test_validation_loss_is_the_same_at_every_call_and_knows_a_better_model(dataset, stages):
    lines = [json.loads(line) for line in (stages / "dn" / "log.jsonl").read_text().splitlines()]
    assert [line["validation_loss"] for line in lines if "validation_loss" in line]
    tokenizer = CLIPTokenizer.from_pretrained(stages / "dn" / "tokenizer")
    values = torch.randn(3, 8, 16, 12)
    rest = {"mask": torch.ones(3, 1, 16, 12), "sketch": torch.zeros(3, 4, 16, 12), "weight": torch.ones(3)}
    held_out = LatentCache(latents=values, masked_latents=values, ids=encode(tokenizer, ["belt"] * 3), **rest)
    stage = denoiser.DenoiserStage(_denoiser_config(dataset, stages), tokenizer, held_out)
    before = stage.validation_loss(held_out, stage.modules)
    assert stage.validation_loss(held_out, stage.modules) == before
    for number in range(20):
        stage.loss(number).backward()
        stage.optimizer.step()
        stage.optimizer.zero_grad()
    assert stage.validation_loss(held_out, stage.modules) < before


def test_bundle_names_the_stage_that_is_missing(stages, tmp_path):
    with pytest.raises(FileNotFoundError, match="clip"):
        make_bundle(BundleConfig(str(stages / "ae"), str(stages / "dn"), str(tmp_path), str(tmp_path / "out")))


def test_a_stage_goes_on_where_it_stopped(dataset, stages, capsys):
    before = json.loads((stages / "dn" / "finished.json").read_text())["steps"]
    denoiser.train(_denoiser_config(dataset, stages))  # its budget is used up: nothing is trained
    assert json.loads((stages / "dn" / "finished.json").read_text())["steps"] == before
    with pytest.raises(ValueError, match="made with"):
        denoiser.train(_denoiser_config(dataset, stages, learning_rate=1e-5))


def test_state_restores_weights_averages_and_moments(tmp_path):
    def fresh():
        torch.manual_seed(1)
        model = torch.nn.Linear(3, 2)
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
        return model, optimizer, common.StageState(tmp_path, {"m": model}, optimizer, common.Ema({"m": model}))

    def step(model, optimizer, state, number):
        generator = common.random_generator("cpu", 0, number)
        loss = model(torch.randn(4, 3, generator=generator)).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        state.ema.update(number)

    config = StageConfig(dataset_path="x", output_dir="y", max_minutes=100)
    whole = fresh()
    for number in range(6):
        step(*whole, number)
    first, clock = fresh(), common.Clock(config)
    clock.start(spent=0, progress=0)
    for number in range(3):
        step(*first, number)
    first[2].save(step=3, clock=clock, settings={"a": 1})
    second, again = fresh(), common.Clock(config)
    assert second[2].load({"a": 1}, again) == 3
    for number in range(3, 6):
        step(*second, number)
    assert torch.equal(whole[0].weight, second[0].weight)
    assert torch.equal(whole[2].ema.values["m.weight"], second[2].ema.values["m.weight"])


def test_a_resumed_stage_steps_on_with_channels_last_weights(tmp_path):
    """Fused AdamW refuses moments whose memory format is not that of their weights."""

    def fresh():
        model = torch.nn.Conv2d(4, 4, 3).to(memory_format=torch.channels_last)
        optimizer = torch.optim.AdamW(model.parameters(), fused=True)
        return model, optimizer, common.StageState(tmp_path, {"m": model}, optimizer, common.Ema({"m": model}))

    def step(model, optimizer):
        model(torch.ones(1, 4, 5, 5)).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()

    clock = common.Clock(StageConfig(dataset_path="x", output_dir="y"))
    clock.start(spent=0, progress=0)
    model, optimizer, state = fresh()
    step(model, optimizer)
    state.save(step=1, clock=clock, settings={})
    model, optimizer, state = fresh()
    state.load({}, clock)
    before = model.weight.detach().clone()
    step(model, optimizer)
    moments = optimizer.state[model.weight]
    assert moments["exp_avg"].stride() == model.weight.stride()
    assert not torch.equal(model.weight, before)


def test_the_schedule_starts_at_its_beginning_however_long_getting_ready_took(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(common.time, "monotonic", lambda: now[0])
    config = StageConfig(dataset_path="x", output_dir="y", max_minutes=10, stop_after_minutes=6)
    clock = common.Clock(config)
    now[0] += 300  # half of the budget went into reading and compiling
    clock.start(spent=0, progress=0)
    assert clock.progress == 0 and clock.spent == 300 and not clock.done
    now[0] += 60
    assert clock.progress == pytest.approx(0.2) and clock.done  # six minutes of this run are over
    later = common.Clock(config)
    later.start(spent=clock.spent, progress=clock.progress)
    assert later.progress == pytest.approx(0.2)
    now[0] += 240
    assert later.progress == pytest.approx(1.0) and later.done and later.spent == 600


def test_averaged_copy_leaves_the_live_weights_alone():
    model = torch.nn.Conv2d(2, 2, 3).to(memory_format=torch.channels_last)
    ema = common.Ema({"m": model}, decay=0.5)
    start = model.weight.detach().clone()
    with torch.no_grad():
        model.weight.add_(1.0)
    ema.update(1000)
    copy = ema.averaged("m")
    assert torch.allclose(copy.weight, start + 0.5) and torch.allclose(model.weight, start + 1.0)
    assert copy.weight.is_contiguous()


def test_a_data_set_without_test_photos_is_refused(tmp_path):
    write_manifest(tmp_path, [])
    with pytest.raises(ValueError, match="test split"):
        splits.load_split(tmp_path, "test", device="cpu")


def test_standard_latents_decode_to_the_same_pictures(dataset):
    torch.manual_seed(0)
    data = splits.load_split(dataset, "train", device="cpu")
    config = AutoencoderConfig(
        dataset_path="x", output_dir="y", block_out_channels=(8, 8, 16, 16), latent_channels=8, **CPU
    )
    model = autoencoder.build_autoencoder(config).eval()
    images = data.images.float() / 127.5 - 1
    with torch.no_grad():
        before = model.encode(images).latent_dist
        decoded = model.decode(before.mean).sample
        autoencoder.standardize_latents(model, data)
        after = model.encode(images).latent_dist
        std = before.mean.std(dim=(0, 2, 3))
        assert after.mean.mean(dim=(0, 2, 3)).abs().max() < 1e-3
        assert torch.allclose(after.mean.std(dim=(0, 2, 3)), torch.ones(8), atol=1e-3)
        assert torch.allclose(after.std * std[:, None, None], before.std, rtol=1e-3)
        assert torch.allclose(model.decode(after.mean).sample, decoded, atol=1e-3)
    assert model.config.scaling_factor == 1.0


def test_rare_garments_are_drawn_more_often_than_their_share(dataset):
    records = splits.load_split(dataset, "train", device="cpu").records
    many = [records[0]] * 16 + [dataclasses.replace(records[0], garment="crown")] * 4
    weights = latents.garment_weights(many)
    assert weights[16:].sum() / weights.sum() == pytest.approx(1 / 3)


def test_repaint_masks_are_everything_the_region_or_a_part():
    regions = torch.zeros(400, 1, 64, 48)
    regions[:, :, 20:40, 16:32] = 1
    masks = latents.draw_repaint_masks(regions, torch.Generator().manual_seed(0))
    assert set(masks.unique().tolist()) <= {0.0, 1.0} and (masks.amax(dim=(1, 2, 3)) == 1).all()
    everything = (masks.amin(dim=(1, 2, 3)) == 1).float().mean()
    covered = torch.stack([m[r > 0].min() for m, r in zip(masks, regions, strict=True)])
    corner_kept = masks[:, 0, 0, 0] == 0
    assert 0.24 < everything < 0.36
    assert 0.36 < (covered.bool() & corner_kept).float().mean() < 0.56


def test_figures_against_known_pictures():
    grey = np.full((512, 384, 3), 246, np.uint8)
    garment = grey.copy()
    garment[100:300, 100:300] = (40, 60, 120)
    inside = np.zeros((512, 384), bool)
    inside[100:300, 100:300] = True
    assert (
        figures.iou(figures.mask_on_ground(garment), inside) > 0.95
    )  # the blur against noise widens a garment by about two pixels
    assert figures.iou(figures.mask_on_ground(grey), inside) == 0
    darker = garment.copy()
    darker[inside] = (30, 50, 110)
    compared = figures.compare_pictures(garment, darker, inside)
    assert compared["psnr_inside"] == pytest.approx(20 * np.log10(255 / 10), abs=1e-6)
    assert 1 < compared["delta_e_of_mean_colour"] < 6
    assert figures.figure([1.0, 3.0]).mean == 2.0


def test_demo_takes_the_best_of_every_garment_and_no_rejected_one():
    rows = [
        {"article_id": f"{c}{g}{n}", "category": category, "garment": garment, "score": n}
        for c, category in enumerate(("top5gub", "top5glb", "top5gfb", "top5shoe", "top5acc", "top5underwear"))
        for g, garment in enumerate(("one", "two"))
        for n in range(4)
    ]
    chosen = demo.choose(rows, {"003"}, 3)
    upper = [row["article_id"] for row in chosen if row["category"] == "top5gub"]
    assert upper == ["013", "002", "012"]
    with pytest.raises(ValueError, match="drafts left"):
        demo.choose(rows, set(), 9)
    with pytest.raises(ValueError, match="no draft"):
        demo.choose(rows, {"nope"}, 3)


def test_configs_refuse_a_stage_without_end():
    with pytest.raises(ValueError, match="--max_minutes 0 "):
        dataclasses.replace(StageConfig(dataset_path="x", output_dir="y"), max_minutes=0)


def test_a_vocabulary_is_learnt_once_and_read_by_every_process_and_run(tmp_path):
    captions = ["navy plain t-shirt, short sleeves", "red striped dress", "olive checked shirt, collar"]
    first = stage_tokenizer(tmp_path, Ranks(), captions)
    again = stage_tokenizer(tmp_path, Ranks(), ["other words"])
    assert again.get_vocab() == first.get_vocab()
    assert "navy plain" in first.decode(encode(first, captions)[0]) and not list(tmp_path.glob("*.part"))

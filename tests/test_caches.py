"""Cached latents and text states: the same as encoded on the spot, made once, made anew when an input changes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fashiondistill.config import DatasetConfig
from fashiondistill.data.dataset import GarmentDataset
from fashiondistill.data.tokens import token_counter
from fashiondistill.diffusion import caches
from fashiondistill.diffusion.batches import collate, training_loader
from fashiondistill.diffusion.caches import CachedDataset, cache_states, collate_cached
from fashiondistill.diffusion.conditioning import latent_mask, latent_sketch, predict
from fashiondistill.diffusion.pipeline import GarmentPipeline
from tests import tiny
from tests.datasets import save_published


@pytest.fixture(scope="module")
def pipeline() -> GarmentPipeline:
    return tiny.pipeline()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_published(tmp_path_factory.mktemp("published"), size=(96, 144))


@pytest.fixture
def root(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "set"))


def dataset_of(root: Path, **options: object) -> GarmentDataset:
    return GarmentDataset(root, "val", DatasetConfig(**options))


def entries(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_entries_are_what_the_models_give(root: Path, tmp_path: Path, pipeline: GarmentPipeline) -> None:
    dataset = dataset_of(root)
    cached = cache_states(dataset, pipeline, tmp_path / "cache", batch_size=2)
    assert len(cached) == len(dataset) == 5
    for number, sample in enumerate(cached):
        batch = collate([dataset[number]])
        pixels, repaint = batch.pixels(), batch.repaint()
        expected = {
            "latents": pipeline.encode_image(pixels),
            "masked_latents": pipeline.encode_image(pixels * (1 - repaint)),
            "mask": latent_mask(repaint),
            "sketch": latent_sketch(batch.strokes()),
            "text_states": pipeline.encode_prompt(batch.captions[0]),
        }
        for name, values in expected.items():
            found = getattr(sample, name)
            assert found.dtype == torch.float16 and torch.allclose(found.float(), values[0].float(), atol=2e-3), name
        assert sample.past == dataset[number].past and sample.caption == dataset[number].caption
    assert not torch.equal(cached[0].latents, cached[1].latents)
    assert {path.suffix for path in entries(tmp_path / "cache")} == {".safetensors"}


def test_second_run_encodes_nothing(
    root: Path, tmp_path: Path, pipeline: GarmentPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache_states(dataset_of(root), pipeline, tmp_path / "cache")
    before = entries(tmp_path / "cache")
    monkeypatch.setattr(caches, "_write", lambda *_: pytest.fail("something was encoded"))
    cached = cache_states(dataset_of(root), pipeline, tmp_path / "cache")
    assert entries(tmp_path / "cache") == before and len(before) == 10
    assert cached[3].latents.shape == (4, 64, 48)


def test_interrupted_runs_go_on(root: Path, tmp_path: Path, pipeline: GarmentPipeline) -> None:
    cache_states(dataset_of(root), pipeline, tmp_path / "cache")
    before = entries(tmp_path / "cache")
    for path in list(before)[:4]:
        path.unlink()
    cache_states(dataset_of(root), pipeline, tmp_path / "cache")
    after = entries(tmp_path / "cache")
    assert set(after) == set(before) and sum(after[path] != before[path] for path in before) >= 1


def _change_image(root: Path) -> None:
    path = dataset_of(root).items[1].image
    with Image.open(path) as file:
        Image.fromarray(255 - np.asarray(file)).save(path)


def _change_sketch(root: Path) -> None:
    path = dataset_of(root).items[1].sketch
    Image.new("L", (96, 144)).save(path)


def _change_mask(root: Path) -> None:
    path = dataset_of(root).items[1].mask
    Image.new("L", (96, 144), 1).save(path)


def _change_caption(root: Path) -> None:
    captions = json.loads((root / "captions.json").read_text(encoding="utf-8"))
    captions[dataset_of(root).items[1].article_id] = ["Red hat."]
    (root / "captions.json").write_text(json.dumps(captions), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        (_change_image, {"latents", "masked_latents"}),
        (_change_sketch, {"sketch"}),
        (_change_mask, {"mask", "masked_latents"}),
        (_change_caption, {"text_states"}),
    ],
)
def test_changed_inputs_are_encoded_anew(
    root: Path, tmp_path: Path, pipeline: GarmentPipeline, change: Callable[[Path], None], fields: set[str]
) -> None:
    folder = tmp_path / "cache"
    before = list(cache_states(dataset_of(root), pipeline, folder))
    known = set(entries(folder))
    change(root)
    after = list(cache_states(dataset_of(root), pipeline, folder))
    assert len(set(entries(folder)) - known) == 1  # one entry, no more; alone in its batch it may differ by a rounding
    for number in range(5):
        changed = {
            name
            for name in ("latents", "masked_latents", "mask", "sketch", "text_states")
            if not torch.allclose(getattr(before[number], name), getattr(after[number], name), atol=2e-3)
        }
        assert changed == (fields if number == 1 else set())


def test_other_weights_and_other_shapes_have_other_entries(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    first = cache_states(dataset_of(root), tiny.pipeline(seed=0), folder)
    again = cache_states(dataset_of(root), tiny.pipeline(seed=0), folder)
    other = cache_states(dataset_of(root), tiny.pipeline(seed=1), folder)
    pulled = cache_states(dataset_of(root, shape="pull"), tiny.pipeline(seed=0), folder)
    assert again.keys == first.keys and again.text_keys == first.text_keys
    assert not set(other.keys) & set(first.keys) and not set(other.text_keys.values()) & set(first.text_keys.values())
    assert not set(pulled.keys) & set(first.keys) and pulled.text_keys == first.text_keys


def test_memory_format_is_no_other_model(pipeline: GarmentPipeline) -> None:
    """`load_pipeline` lays weights out as channels_last, training may not."""
    model = tiny.vae()
    known = caches.weights_id(model, "")
    assert caches.weights_id(model.to(memory_format=torch.channels_last), "") == known
    assert caches.weights_id(model, "other tokenizer") != known
    with torch.no_grad():
        model.encoder.conv_in.bias[0] += 1e-3
    assert caches.weights_id(model, "") != known


def test_equal_inputs_share_an_entry(root: Path, tmp_path: Path, pipeline: GarmentPipeline) -> None:
    items = dataset_of(root).items
    for kind in ("image", "sketch", "mask"):
        shutil.copyfile(getattr(items[0], kind), getattr(items[1], kind))
    cached = cache_states(dataset_of(root), pipeline, tmp_path / "cache")
    assert len(set(cached.keys)) == 4 and torch.equal(cached[0].latents, cached[1].latents)


def test_batches_go_through_the_unet(root: Path, tmp_path: Path, pipeline: GarmentPipeline) -> None:
    cached = cache_states(dataset_of(root), pipeline, tmp_path / "cache")
    loader = training_loader(cached, batch_size=3, num_workers=0, collate_fn=collate_cached)
    batch = next(iter(loader))
    assert batch.past_weights.shape[0] == len(batch) == 3
    conditioning = batch.to("cpu").conditioning.to(torch.device("cpu"), torch.float32)
    output = predict(pipeline.unet, pipeline.layout, batch.latents.float(), torch.tensor([5, 6, 7]), conditioning)
    assert output.shape == (3, 4, 64, 48) and output.isfinite().all()
    assert collate_cached([cached[0]], pose_channels=18).conditioning.pose.shape == (1, 18, 64, 48)


def test_workers_read_the_same_without_loading_a_pipeline(
    root: Path, tmp_path: Path, pipeline: GarmentPipeline
) -> None:
    """Workers import what stands in `caches`; diffusers among it would cost each of them seconds."""
    cached = cache_states(dataset_of(root), pipeline, tmp_path / "cache")
    alone = iter(training_loader(cached, batch_size=3, num_workers=0, collate_fn=collate_cached))
    beside = iter(training_loader(cached, batch_size=3, num_workers=2, collate_fn=collate_cached))
    for _ in range(4):
        first, second = next(alone), next(beside)
        assert first.article_ids == second.article_ids and torch.equal(first.latents, second.latents)
        assert torch.equal(first.conditioning.encoder_hidden_states, second.conditioning.encoder_hidden_states)
    code = "import sys, fashiondistill.diffusion.caches; sys.exit('diffusers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent.parent).returncode == 0


def test_entries_that_nobody_uses_are_deleted_after_their_time(root: Path, tmp_path: Path) -> None:
    folder, day = tmp_path / "cache", 86_400
    cached = cache_states(dataset_of(root), tiny.pipeline(seed=0), folder)
    own = set(entries(folder))
    cache_states(dataset_of(root), tiny.pipeline(seed=1), folder)
    strangers = [folder / "notes.txt", folder / "ab" / "notes.txt", folder / "ab" / f"{'a' * 64}.safetensors.7.part"]
    for path in strangers:
        path.parent.mkdir(exist_ok=True)
        path.write_text("", encoding="utf-8")

    def age(days: float) -> None:
        for path in entries(folder):
            os.utime(path, (time.time() - days * day,) * 2)

    age(0.9)
    cache_states(dataset_of(root), tiny.pipeline(seed=0), folder)
    assert len(entries(folder)) == 2 * len(own) + 3
    age(29)
    cache_states(dataset_of(root), tiny.pipeline(seed=0), folder)  # asks for its own, so that they are new again
    assert len(entries(folder)) == 2 * len(own) + 2 and not strangers[2].exists()
    for path in set(entries(folder)) - own:
        os.utime(path, (time.time() - 31 * day,) * 2)
    again = cache_states(dataset_of(root), tiny.pipeline(seed=0), folder)
    assert set(entries(folder)) == own | set(strangers[:2])
    assert torch.equal(again[0].latents, cached[0].latents)
    age(2)
    cache_states(dataset_of(root), tiny.pipeline(seed=1), folder, keep_days=1)
    assert not own & set(entries(folder)) and all(path.exists() for path in strangers[:2])


def test_damage_and_bad_inputs_are_named(root: Path, tmp_path: Path) -> None:
    pipeline, folder = tiny.pipeline(), tmp_path / "cache"
    cached: CachedDataset = cache_states(dataset_of(root), pipeline, folder)
    path = next(path for path in folder.rglob("*.safetensors") if cached.keys[0] in path.name)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ValueError, match=f"{path.name} cannot be read .* Delete it and encode again"):
        cached[0]
    with pytest.raises(ValueError, match="--binary_sketch True is not usable with cached latents"):
        cache_states(dataset_of(root, binary_sketch=True), pipeline, folder)
    with torch.no_grad():
        pipeline.vae.encoder.conv_in.weight.fill_(float("nan"))
    with pytest.raises(ValueError, match="latents of .* are not finite"):
        cache_states(dataset_of(root), pipeline, folder)
    assert not list(folder.rglob("*.part"))


def test_captions_too_long_for_the_encoder_are_refused_or_cut(
    root: Path, tmp_path: Path, pipeline: GarmentPipeline
) -> None:
    """CLIP counts fewer tokens than a small vocabulary does; whoever caches tells the data set which one counts."""
    captions = json.loads((root / "captions.json").read_text(encoding="utf-8"))
    (root / "captions.json").write_text(
        json.dumps({article_id: ["peplum jacquard " * 30] for article_id in captions}), encoding="utf-8"
    )
    with pytest.raises(ValueError, match="the text encoder takes 77"):
        cache_states(dataset_of(root), pipeline, tmp_path / "cache")
    pipeline.tokenizer.save_pretrained(tmp_path / "tokenizer")
    dataset = GarmentDataset(root, "val", count_tokens=token_counter(tmp_path / "tokenizer"))
    cached = cache_states(dataset, pipeline, tmp_path / "cache")
    assert 0 < len(cached[0].caption.split()) < 30 and cached[0].text_states.shape[0] == 77
    assert os.listdir(tmp_path / "cache")


def test_models_that_take_masks_from_outlines_get_their_margin(root: Path, tmp_path: Path) -> None:
    narrow, wide = (
        cache_states(dataset_of(root), tiny.pipeline(mask_from_outline=flag), tmp_path / "cache")
        for flag in (False, True)
    )
    for first, second in zip(narrow, wide, strict=True):
        assert (second.mask >= first.mask).all() and second.mask.sum() > first.mask.sum()
        assert not torch.equal(first.masked_latents, second.masked_latents)
        assert torch.equal(first.latents, second.latents)


def test_other_sizes_are_encoded_at_that_size(root: Path, tmp_path: Path, pipeline: GarmentPipeline) -> None:
    dataset = dataset_of(root)
    cached = cache_states(dataset, pipeline, tmp_path / "cache", size=(256, 192))
    native = cache_states(dataset, pipeline, tmp_path / "cache")
    assert cached[0].latents.shape == (4, 32, 24) and native[0].latents.shape == (4, 64, 48)
    assert cached[0].mask.shape == (1, 32, 24) and set(cached[0].mask.unique().tolist()) == {0.0, 1.0}
    few = dataset.subset([3, 1])
    assert [facts.article_id for facts in map(few.facts, range(2))] == [dataset.facts(i).article_id for i in (3, 1)]
    assert few.facts(0) == dataset.facts(3)

"""Base weights by folder, hub id and file; new input channels; the true shapes of Stable Diffusion 1.5."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import httpx
import open_clip
import pytest
import torch
from diffusers import StableDiffusionInpaintPipeline
from huggingface_hub import errors
from safetensors.torch import save_file

from fashiondistill.config import PredictConfig
from fashiondistill.diffusion import sources
from fashiondistill.diffusion.conditioning import ChannelLayout
from fashiondistill.diffusion.pipeline import GarmentPipeline
from fashiondistill.diffusion.sd15 import random_pipeline, sd15_tokenizer, sd15_unet
from fashiondistill.diffusion.sources import open_base
from fashiondistill.diffusion.widening import KNOWN, PARTS, layout_of_channels, widen_conv_in
from fashiondistill.predict import open_model
from tests import tiny
from tests.ldm_names import ldm_state
from tests.training import make_ground
from train import temporal

PLAIN = ChannelLayout(sketch=0)


@pytest.fixture(scope="module")
def stock() -> GarmentPipeline:
    return random_pipeline(PLAIN, size="tiny", seed=2)


@pytest.fixture(scope="module")
def folder(stock: GarmentPipeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stable Diffusion's own layout: a tokenizer, a scheduler and no trace of ours."""
    parts = dict(stock.components) | {"safety_checker": None, "feature_extractor": None}
    path = tmp_path_factory.mktemp("stock") / "inpainting"
    StableDiffusionInpaintPipeline(**parts, requires_safety_checker=False).save_pretrained(path)
    return path


def same_weights(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    one, two = first.state_dict(), second.state_dict()
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


# Shapes and vocabulary.


def test_the_shapes_are_those_of_stable_diffusion() -> None:
    """Its published numbers of parameters: 859,520,964 with 4 input channels, 14,400 more with 9."""
    with torch.device("meta"):
        counts = {n: sum(p.numel() for p in sd15_unet(layout).parameters()) for n, layout in KNOWN.items()}
    assert counts[4] == 859_520_964 and counts[9] == 859_535_364
    assert {n: (count - counts[4]) / (320 * 9) for n, count in counts.items()} == {n: n - 4 for n in KNOWN}


@pytest.mark.parametrize("text", ["navy and white striped t-shirt, short sleeves", "A Hoodie & 3 pockets, fringe's"])
def test_the_vocabulary_is_clips(text: str) -> None:
    expected = [number for number in open_clip.get_tokenizer("ViT-B-32")([text])[0].tolist() if number]
    ids = sd15_tokenizer()(text, padding="max_length", max_length=77).input_ids
    assert ids[: len(expected)] == expected and len(ids) == 77 and set(ids[len(expected) :]) == {49407}


# New input channels.


@pytest.mark.parametrize("before", [4, 9, 10])
@pytest.mark.parametrize("after", [10, 13, 28])
def test_widened_unets_answer_as_before(before: int, after: int) -> None:
    old, new = layout_of_channels(before), layout_of_channels(after)
    torch.manual_seed(0)
    unet = sd15_unet(old, "tiny").eval()
    parts = {name: torch.randn(2, getattr(new, name), 16, 16) for name in PARTS}
    inputs = [torch.cat([v for n, v in parts.items() if getattr(layout, n)], dim=1) for layout in (old, new)]
    rest = (torch.tensor([1, 900]), torch.randn(2, 77, 16))
    with torch.no_grad():
        expected = unet(inputs[0], *rest).sample
        assert widen_conv_in(unet, old, new) == (before != after)
        assert unet.config.in_channels == unet.conv_in.weight.shape[1] == after
        assert torch.allclose(unet(inputs[1], *rest).sample, expected, atol=1e-6)
    assert int((unet.conv_in.weight.abs().sum(dim=(0, 2, 3)) == 0).sum()) == after - before
    new.check(unet.config)


def test_parts_are_moved_by_name() -> None:
    unet = sd15_unet(ChannelLayout(), "tiny")
    sketch = unet.conv_in.weight[:, 9].clone()
    widen_conv_in(unet, ChannelLayout(), ChannelLayout(pose=18))
    assert torch.equal(unet.conv_in.weight[:, 27], sketch) and not unet.conv_in.weight[:, 9:27].any()
    folded = tiny.unet(ChannelLayout(fold=2))
    kept = folded.conv_in.weight.clone()
    widen_conv_in(folded, ChannelLayout(fold=2), ChannelLayout(pose=3, fold=2))
    assert torch.equal(folded.conv_in.weight[:, :36], kept[:, :36]) and torch.equal(
        folded.conv_in.weight[:, 48:], kept[:, 36:]
    )


def test_parts_cannot_shrink_or_change() -> None:
    unet = sd15_unet(ChannelLayout(pose=3), "tiny")
    with pytest.raises(ValueError, match="pose has 3 channels and cannot become 18"):
        widen_conv_in(unet, ChannelLayout(pose=3), ChannelLayout(pose=18))
    with pytest.raises(ValueError, match="sketch has 1 channels and cannot become 0"):
        widen_conv_in(unet, ChannelLayout(pose=3), ChannelLayout(pose=3, sketch=0))
    with pytest.raises(ValueError, match="in_channels 13, the layout .* 28"):
        widen_conv_in(unet, ChannelLayout(pose=18), ChannelLayout(pose=18))
    with pytest.raises(ValueError, match=r"11 input channels is unknown here: \[4, 9, 10, 13, 28\]"):
        layout_of_channels(11)


# Folders and files.


def test_a_stable_diffusion_folder_gets_a_sketch(stock: GarmentPipeline, folder: Path) -> None:
    base = open_base(str(folder))
    assert base.widened and base.pipeline.layout == ChannelLayout() and base.folder == folder
    assert torch.equal(base.pipeline.unet.conv_in.weight[:, :9], stock.unet.conv_in.weight)
    assert same_weights(base.pipeline.vae, stock.vae) and same_weights(base.pipeline.text_encoder, stock.text_encoder)
    assert open_base(str(folder), pose=18, sketch=1).pipeline.unet.config.in_channels == 28
    assert len(tiny.designs(base.pipeline, tiny.request())) == 2


def test_a_single_file_of_the_first_release_is_read(stock: GarmentPipeline, tmp_path: Path) -> None:
    save_file(ldm_state(stock), tmp_path / "sd.safetensors")
    base = open_base(str(tmp_path / "sd.safetensors"), size="tiny")
    assert base.widened and base.folder is None
    narrow = base.pipeline.unet.conv_in.weight[:, :9]
    assert torch.equal(narrow, stock.unet.conv_in.weight)
    for name in ("vae", "text_encoder"):
        assert same_weights(getattr(base.pipeline, name), getattr(stock, name)), name
    others = [(n, v) for n, v in stock.unet.state_dict().items() if n != "conv_in.weight"]
    assert all(torch.equal(base.pipeline.unet.state_dict()[name], value) for name, value in others)
    assert torch.equal(base.pipeline.encode_prompt("red top"), stock.encode_prompt("red top"))


def test_a_unets_own_file_brings_its_channels(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As MGD's published state dict, saved with safetensors: 28 channels."""
    other = sd15_unet(ChannelLayout(pose=18), "tiny")
    save_file(other.state_dict(), tmp_path / "mgd.safetensors")
    base = open_base(str(folder), unet=str(tmp_path / "mgd.safetensors"))
    assert not base.widened and same_weights(base.pipeline.unet, other) and base.pipeline.layout.pose == 18
    assert "CC BY-NC 4.0" in capsys.readouterr().err
    config = PredictConfig(
        dataset_path="d", output_dir="o", checkpoint_path=str(tmp_path / "mgd.safetensors"),
        pretrained_model_name_or_path=str(folder), device="cpu", mixed_precision="no",
    )  # fmt: skip
    opened = open_model(config).unet  # in the number format that draws fastest here
    assert opened.state_dict().keys() == other.state_dict().keys()
    assert all(torch.allclose(opened.state_dict()[n], v, atol=1e-2) for n, v in other.state_dict().items())
    with pytest.raises(ValueError, match="holds a UNet alone: give a whole base there, and this file with --unet"):
        open_base(str(tmp_path / "mgd.safetensors"))


def test_bad_files_and_folders_are_named(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"damaged")
    with pytest.raises(ValueError, match="x.safetensors is damaged or no safetensors file"):
        open_base(str(path))
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match="is no Stable Diffusion 1.5 checkpoint: model.diffusion_model"):
        open_base(str(path))
    with pytest.raises(ValueError, match="--unet .* is no UNet in diffusers' layout: conv_in.weight"):
        open_base(str(folder), unet=str(path))
    save_file(tiny.unet(PLAIN).state_dict(), path)
    with pytest.raises(ValueError, match="--unet .* does not fit the base"):
        open_base(str(folder), unet=str(path))
    with pytest.raises(FileNotFoundError, match="no folder or .safetensors file here, and no hub id"):
        open_base("nowhere/at/all")
    with pytest.raises(FileNotFoundError, match="no model_index.json"):
        open_base(str(tmp_path))
    (tmp_path / "x.ckpt").write_bytes(b"")
    with pytest.raises(ValueError, match="x.ckpt is no .safetensors file: pickled weights are not opened"):
        open_base(str(tmp_path / "x.ckpt"))
    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    (broken / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"cut")
    with pytest.raises(ValueError, match="broken cannot be loaded .*Give a folder in diffusers' layout"):
        open_base(str(broken))


# The hub.


def answer(status: int) -> httpx.Response:
    return httpx.Response(status, request=httpx.Request("GET", "https://huggingface.co/api/models/a/b"))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.RepositoryNotFoundError("404", response=answer(404)), "is not on the hub: gone, renamed or private"),
        (errors.GatedRepoError("403", response=answer(403)), "is gated: accept its terms on the hub and log in"),
        (errors.LocalEntryNotFoundError("no"), "is not in the local cache and the hub cannot be reached"),
        (errors.HfHubHTTPError("503 busy", response=answer(503)), r"cannot be fetched \(503 busy\)"),
        (httpx.ConnectTimeout("timed out"), r"cannot be fetched \(timed out\)"),
    ],
)
def test_a_hub_that_does_not_give_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, words: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(sources, "snapshot_download", fails)
    monkeypatch.setattr(sources.constants, "is_offline_mode", lambda: False)
    with pytest.raises(ValueError, match=f"a/b {words}.*Give a local folder in diffusers' layout"):
        open_base("a/b")
    with pytest.raises(ValueError, match="runwayml/.*stable-diffusion-v1-5/.* is a copy|gated"):
        open_base("runwayml/stable-diffusion-inpainting")
    (tmp_path / "data").mkdir()
    config = ["--dataset_path", str(tmp_path / "data"), "--output_dir", str(tmp_path / "out"), "--device", "cpu"]
    assert temporal.main([*config, "--pretrained_model_name_or_path", "a/b"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert sum(line.startswith("error: --pretrained_model_name_or_path a/b") for line in lines) == 1
    assert not any("Traceback" in line for line in lines)


def test_offline_is_honoured_and_a_cached_snapshot_opens(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With huggingface_hub's own code: a cache as it leaves it, and no network."""
    monkeypatch.setattr(sources.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(sources.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(sources.constants, "is_offline_mode", lambda: True)
    real = sources.snapshot_download
    monkeypatch.setattr(sources, "snapshot_download", lambda *a, **k: real(*a, cache_dir=tmp_path, **k))
    with pytest.raises(ValueError, match="owner/model is not in the local cache and HF_HUB_OFFLINE is set"):
        open_base("owner/model")
    snapshot = tmp_path / "models--owner--model" / "snapshots" / ("0" * 40)
    shutil.copytree(folder, snapshot)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("0" * 40)
    assert open_base("owner/model").widened
    assert "CC BY-NC 4.0" in capsys.readouterr().err


def test_temporal_training_starts_from_stable_diffusion(folder: Path, tmp_path: Path) -> None:
    """Widened, with LoRA; what it leaves opens as a pipeline of ours."""
    ground = make_ground(tmp_path)
    options = {"pretrained_model_name_or_path": str(folder), "lora_rank": 2, "max_train_steps": 1, "save_steps": 1}
    with pytest.raises(ValueError, match="brings no clip/: give a CLIP folder with --clip"):
        temporal.train(ground.temporal(tmp_path / "out", **options))
    temporal.train(ground.temporal(tmp_path / "out", clip=str(ground.model / "clip"), **options))
    final = tmp_path / "out" / "final_model" / "pipeline"
    assert not open_base(str(final)).widened
    assert json.loads((final / "unet" / "config.json").read_text())["in_channels"] == 10

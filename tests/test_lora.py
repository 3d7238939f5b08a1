"""LoRA: the reference without a copy, diffusers' files, merged export, exact resume; and new input channels with it."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from fashiondistill import generate
from fashiondistill.config import PredictConfig
from fashiondistill.diffusion.adapters import ADAPTER, CONV_IN, merge_adapter
from fashiondistill.diffusion.conditioning import ChannelLayout
from fashiondistill.diffusion.loading import load_pipeline
from fashiondistill.predict import open_model
from tests import tiny
from tests.test_train_loop import Stopped, stop_in_call, traces
from tests.training import Ground, make_ground
from train import adapters, dpo, temporal
from train.preferences import PreferenceObjective
from train.runs import open_workplace

TARGETS = ("to_q", "to_k", "to_v", "to_out.0", "proj_in")


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return make_ground(tmp_path_factory.mktemp("ground"))


def unet_with_adapter(**changes: object):  # noqa: ANN201
    unet = tiny.unet(ChannelLayout()).eval().requires_grad_(False)
    base = copy.deepcopy(unet)
    adapter = adapters.Adapter(unet, **({"rank": 3, "alpha": 6.0, "targets": TARGETS} | changes))
    with torch.no_grad():
        for parameter in adapter.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return unet, base, adapter


def answer(unet: torch.nn.Module) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(2, unet.config.in_channels, 16, 12, generator=generator)
    return unet(inputs, torch.tensor([3, 900]), torch.randn(2, 5, tiny.TEXT_WIDTH, generator=generator)).sample


def test_without_its_adapter_the_policy_is_a_frozen_copy() -> None:
    unet, base, adapter = unet_with_adapter()
    with torch.no_grad():
        assert not torch.allclose(answer(unet), answer(base), atol=1e-4)
        with adapters.without_adapter(unet):
            assert torch.equal(answer(unet), answer(base))
    trainable = {id(p) for p in unet.parameters() if p.requires_grad}
    assert trainable == {id(p) for p in adapter.parameters()}
    answer(unet).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in adapter.parameters())


def test_files_are_diffusers_own_and_merge_without_peft(tmp_path: Path) -> None:
    unet, base, adapter = unet_with_adapter()
    adapter.save(tmp_path)
    with torch.no_grad():
        expected = answer(unet)
        theirs = copy.deepcopy(base)
        theirs.load_lora_adapter(load_file(tmp_path / ADAPTER), prefix="unet")
        assert torch.allclose(answer(theirs), expected, atol=1e-5)
        plain = adapters.plain_unet(unet)
        assert torch.equal(answer(plain), answer(base))
        assert merge_adapter(plain, tmp_path) == len(list(adapter.parameters())) // 2
        assert torch.allclose(answer(plain), expected, atol=1e-5)
    assert not (tmp_path / CONV_IN).exists()


def test_other_files_are_refused_and_leave_the_model_as_it_was(tmp_path: Path) -> None:
    _, base, adapter = unet_with_adapter()
    adapter.save(tmp_path)
    before = answer(base).detach()
    other = tiny.unet(ChannelLayout())
    del other.down_blocks[0].attentions
    with pytest.raises(ValueError, match="does not fit this model: down_blocks.0.attentions"):
        merge_adapter(other, tmp_path)
    with pytest.raises(FileNotFoundError, match=f"does not exist. Give a folder with {ADAPTER}"):
        merge_adapter(base, tmp_path / "nothing")
    (tmp_path / ADAPTER).write_bytes(b"damaged")
    with pytest.raises(ValueError, match="is damaged or no safetensors file"):
        merge_adapter(base, tmp_path)
    assert torch.equal(answer(base), before)
    with pytest.raises(ValueError, match="--lora_targets .'nothing',. is not usable"):
        unet_with_adapter(targets=("nothing",))


def test_averages_are_lent_to_the_unet_and_given_back() -> None:
    unet, _, adapter = unet_with_adapter()
    other = copy.deepcopy(adapter)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(0)
        own = answer(unet)
        with adapter.holding(other):
            lent = answer(unet)
        with adapters.without_adapter(unet):
            assert torch.equal(lent, answer(unet))
        assert torch.equal(answer(unet), own)


def test_the_loss_with_adapters_off_is_that_of_a_frozen_copy(ground: Ground, tmp_path: Path) -> None:
    """Of the whole objective, after the policy has moved."""
    config = ground.dpo(tmp_path, lora_rank=2, dpo_beta=2000.0)
    place = open_workplace(config, learn_channels=False)
    objective = dpo.make_objective(config, place)
    assert objective.reference is None and set(objective.modules) == {"adapter"}
    frozen = adapters.plain_unet(place.models.unet).to(memory_format=torch.channels_last).requires_grad_(False)
    with torch.no_grad():
        for number, parameter in enumerate(place.models.adapter.parameters()):
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number)))
    objective.begin_step(0)
    places = torch.arange(2)
    found, parts = objective.pair_loss(places)
    objective.reference = frozen
    expected, others = objective.pair_loss(places)
    assert torch.equal(found, expected) and parts["winner_change"] != 0
    assert all(torch.equal(parts[name], others[name]) for name in parts)


@pytest.mark.parametrize("name", ["temporal", "dpo"])
def test_a_stopped_lora_run_goes_on_bit_by_bit_and_exports_a_merged_model(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    train, config_of = {"temporal": (temporal.train, ground.temporal), "dpo": (dpo.train, ground.dpo)}[name]
    changes = {"lora_rank": 2, "lora_alpha": 4.0, "save_steps": 1, "max_train_steps": 3, "num_samples": 1}
    changes |= {"sample_steps": 2, "gradient_checkpointing": True}
    train(config_of(tmp_path / "whole", **changes))
    with monkeypatch.context() as patch:
        stop_in_call(patch, 4)
        with pytest.raises(Stopped):
            train(config_of(tmp_path / "parts", **changes))
    train(config_of(tmp_path / "parts", **changes))
    assert traces(tmp_path / "whole", 3) == traces(tmp_path / "parts", 3)
    checkpoint, final = tmp_path / "whole" / "checkpoint-3", tmp_path / "whole" / "final_model"
    assert {ADAPTER, "run.json", "state.safetensors", "manifest.json"} <= {path.name for path in checkpoint.iterdir()}
    assert not (checkpoint / "unet.pth").exists() and not (checkpoint / CONV_IN).exists()
    assert (checkpoint / "state.safetensors").stat().st_size < (final / "unet.pth").stat().st_size
    assert json.loads((checkpoint / "run.json").read_text())["settings"]
    merged = load_pipeline(final / "pipeline", "cpu").unet.float()
    again = load_pipeline(ground.model, "cpu").unet.float()
    changed = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight"
    assert not torch.allclose(merged.state_dict()[changed], again.state_dict()[changed], atol=1e-6)
    merge_adapter(again, final)
    assert all(torch.allclose(a, b, atol=2e-2) for a, b in zip(merged.parameters(), again.parameters(), strict=True))


def test_peft_missing_is_said(ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="--lora_rank is not usable: peft is not installed"):
        unet_with_adapter()


def test_new_channels_are_learnt_beside_the_lora_and_no_preference_starts_from_them(
    ground: Ground, tmp_path: Path
) -> None:
    """The tiny model has a sketch; a pose of 3 is new to it."""
    changes = {"lora_rank": 2, "pose_channels": 3, "max_train_steps": 1, "save_steps": 1, "num_samples": 0}
    temporal.train(ground.temporal(tmp_path / "wide", **changes))
    final = tmp_path / "wide" / "final_model"
    assert (final / CONV_IN).is_file()
    pipeline = load_pipeline(final / "pipeline", "cpu")
    assert pipeline.layout.pose == 3
    with pytest.raises(ValueError, match="has just got new input channels.*python -m train.temporal first"):
        dpo.train(ground.dpo(tmp_path / "dpo", **changes))
    config = ground.dpo(tmp_path / "next", pretrained_model_name_or_path=str(final / "pipeline"), lora_rank=2)
    objective = dpo.make_objective(config, open_workplace(config, learn_channels=False))
    assert isinstance(objective, PreferenceObjective)
    assert not any("conv_in" in name for name, _ in objective.models.adapter.named_parameters())


def test_a_compiled_policy_knows_that_its_adapter_is_off() -> None:
    """torchtune#721: a compiled model once went on with the adapter; here its graph is guarded."""
    unet, base, _ = unet_with_adapter(targets=("to_q",))
    compiled = torch.compile(unet, backend="eager")  # the graph is what matters, not what runs it
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(1, unet.config.in_channels, 8, 8, generator=generator)
    rest = (torch.tensor([3]), torch.randn(1, 5, tiny.TEXT_WIDTH, generator=generator))
    with torch.no_grad():
        on = compiled(inputs, *rest).sample
        with adapters.without_adapter(unet):
            off = compiled(inputs, *rest).sample
        again = compiled(inputs, *rest).sample
        assert torch.allclose(off, base(inputs, *rest).sample, atol=1e-5)
    assert torch.equal(on, again) and not torch.allclose(on, off, atol=1e-3)


def test_generate_and_predict_take_a_lora_by_flag(ground: Ground, tmp_path: Path) -> None:
    unet, _, adapter = unet_with_adapter(targets=("to_q", "to_v"))
    adapter.save(tmp_path)
    before = load_pipeline(ground.model, "cpu").unet.state_dict()
    options = {"dataset_path": "d", "output_dir": "o", "device": "cpu", "checkpoint_path": str(ground.model)}
    opened = open_model(PredictConfig(**options, lora=str(tmp_path)))
    changed = {name for name, value in opened.unet.state_dict().items() if not torch.equal(value, before[name])}
    assert changed and all(name.endswith(("to_q.weight", "to_v.weight")) for name in changed)
    assert opened.model_id.endswith(f"+{tmp_path.name}")
    Image.fromarray(255 - (tiny.request().sketch * 255).astype(np.uint8)).save(tmp_path / "sketch.png")
    words = (
        f"--sketch {tmp_path / 'sketch.png'} --category {tiny.CATEGORY} --week {tiny.WEEK} --prompt top --device cpu"
    )
    words += f" --model {ground.model} --catalogue {tiny.save_catalogue(tmp_path / 'shop')} --num_candidates 1"
    pictures = []
    for name, more in (("with", ["--lora", str(tmp_path)]), ("without", [])):
        out = tmp_path / name
        assert generate.main([*words.split(), "--num_inference_steps", "2", "--out", str(out), *more]) == 0
        pictures.append(np.asarray(Image.open(out / "rank_1.png")))
    assert not np.array_equal(*pictures)
    assert generate.main([*words.split(), "--out", str(out), "--lora", str(tmp_path / "nothing")]) == 2

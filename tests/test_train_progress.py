"""What a run says while it runs: bar with time left, losses, samples/s; trackers; optimizers that are not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.training import Ground, make_ground
from train import loop, optimizers, temporal
from train.settings import TemporalConfig, TrainConfig


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return make_ground(tmp_path_factory.mktemp("ground"))


def test_the_bar_tells_time_left_losses_and_speed(
    ground: Ground, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TQDM_MININTERVAL", "0")
    temporal.train(ground.temporal(tmp_path, max_train_steps=3))
    text = capsys.readouterr().err
    assert re.search(r"training: +67%.* 2/3 \[\d\d:\d\d<\d\d:\d\d", text), text
    assert re.search(r"loss=\d+\.\d{4}.*samples/s=\d+\.\d", text), text


def test_trackers_get_flags_and_every_update(ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple] = []

    class Recorder(loop.Accelerator):
        def __init__(self, **options: object) -> None:
            assert options.pop("log_with") == ["wandb", "tensorboard"]
            super().__init__(**options)

        def init_trackers(self, name: str, config: dict) -> None:
            seen.append((name, config))
            self.trackers = [object()]

        def log(self, values: dict, step: int) -> None:
            seen.append((step, values))

        def end_training(self) -> None:
            seen.append(("end", {}))

    monkeypatch.setattr(loop, "Accelerator", Recorder)
    monkeypatch.setattr(loop.importlib.util, "find_spec", lambda name: name)
    temporal.train(ground.temporal(tmp_path, max_train_steps=2, use_wandb=True, use_tensorboard=True, project_name="p"))
    (project, flags), first, second, end = seen
    assert project == "p" and flags["learning_rate"] == 1e-3 and end[0] == "end"
    assert (first[0], second[0]) == (1, 2) and {"loss", "denoising", "learning_rate", "gradient_norm"} <= set(first[1])


@pytest.mark.parametrize("name", ["wandb", "tensorboard"])
def test_a_tracker_that_is_not_installed_is_said(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(loop.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match=f"--use_{name} is not usable: {name} is not installed. pip install {name}"):
        temporal.train(ground.temporal(tmp_path, **{f"use_{name}": True}))


def config(**changes: object) -> TrainConfig:
    return TemporalConfig(dataset_path="d", output_dir="o", **changes)


def test_optimizers_are_what_was_asked_for_or_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    modules = {"unet": nn.Linear(2, 2), "trend": nn.Linear(3, 3)}
    parameters = (modules, {"trend": 10.0})
    made = optimizers.make_optimizer(config(learning_rate=0.5), *parameters)
    assert type(made) is torch.optim.AdamW and made.defaults["lr"] == 0.5 and not made.defaults["fused"]
    assert [(len(g["params"]), g["rate_scale"]) for g in made.param_groups] == [(2, 1.0), (2, 10.0)]
    assert made.param_groups[1]["params"][0] is modules["trend"].weight
    monkeypatch.setattr(optimizers.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match="adamw8bit is not usable: bitsandbytes is not installed. pip install"):
        optimizers.make_optimizer(config(optimizer="adamw8bit"), *parameters)
    monkeypatch.setattr(optimizers.importlib.util, "find_spec", lambda name: name)
    with pytest.raises(ValueError, match="adamw8bit is not usable on a CPU: choose adamw, or --device cuda"):
        optimizers.make_optimizer(config(optimizer="adamw8bit"), *parameters)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lora_alpha": 4.0}, "--lora_alpha 4.0 is not usable: give --lora_rank as well"),
        ({"lora_rank": -1}, "--lora_rank -1 is not usable: choose 0 or more"),
        ({"pose_channels": 5}, "--pose_channels 5 is not usable: choose -1, 0, 3 or 18"),
        ({"sketch_channels": 3}, "--sketch_channels 3 is not usable"),
    ],
)
def test_sizes_out_of_range_are_named(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        config(**changes)

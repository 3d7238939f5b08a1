"""The loop: resumed runs equal uninterrupted ones bit by bit; bad gradients, memory, disk, samples; processes."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from fashiondistill.diffusion.loading import load_pipeline
from tests import tiny
from tests.training import Ground, make_ground
from train import checkpoints, dpo, evaluate, loop, temporal
from train.files import digest
from train.objectives import LossTerms, TemporalObjective
from train.settings import TrainConfig

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return make_ground(tmp_path_factory.mktemp("ground"))


class Stopped(Exception):
    """Stands for the power going."""


def stop_in_call(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Raise in the `number`-th micro-batch of the next run, in the middle of an update."""
    calls, original = 0, TemporalObjective.loss

    def loss(self: TemporalObjective, batch: object, step: int) -> LossTerms:
        nonlocal calls
        calls += 1
        if calls == number:
            raise Stopped
        return original(self, batch, step)

    monkeypatch.setattr(TemporalObjective, "loss", loss)


def traces(out: Path, step: int) -> tuple[str, str, dict]:
    """Digest of all weights, averages and moments; the loss log; the plain state."""
    folder = out / f"checkpoint-{step}"
    values = json.loads((folder / "state.json").read_text())
    return digest(folder / "state.safetensors"), (out / "losses.jsonl").read_text(), values


@pytest.mark.parametrize("name", ["temporal", "dpo"])
def test_a_run_stopped_in_every_update_equals_one_that_never_was(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    train, config_of = {"temporal": (temporal.train, ground.temporal), "dpo": (dpo.train, ground.dpo)}[name]
    train(config_of(tmp_path / "whole", save_steps=1))
    parts = config_of(tmp_path / "parts", save_steps=1)
    for _ in range(2):
        with monkeypatch.context() as patch:
            stop_in_call(patch, 4)  # the second micro-batch of the second update of this run
            with pytest.raises(Stopped):
                train(parts)
    train(parts)
    whole, resumed = traces(tmp_path / "whole", 4), traces(tmp_path / "parts", 4)
    assert whole == resumed
    lines = [json.loads(line) for line in whole[1].splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4] and not any(line["skipped"] for line in lines)
    if name == "dpo":
        assert {"preference", "denoising", "temporal", "accuracy", "winner_change"} <= set(lines[0])
        assert lines[1]["median_difference"] > 0
        first, second = (
            json.loads(p.read_text().splitlines()[0]) for p in sorted((tmp_path / "whole" / "rounds").glob("*.jsonl"))
        )
        assert len(first["seeds"]) == 2 and set(first["seeds"]).isdisjoint(second["seeds"])
        assert {"image_image", "image_text", "text_text", "score", "prompt", "week"} <= set(first)


def test_other_workers_read_the_same(ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {"max_train_steps": 2, "gradient_accumulation_steps": 1}
    temporal.train(ground.temporal(tmp_path / "whole", save_steps=2, **changes))
    with monkeypatch.context() as patch:
        stop_in_call(patch, 2)
        with pytest.raises(Stopped):
            temporal.train(ground.temporal(tmp_path / "parts", save_steps=1, **changes))
    temporal.train(ground.temporal(tmp_path / "parts", num_workers=1, **changes))
    assert traces(tmp_path / "whole", 2) == traces(tmp_path / "parts", 2)
    temporal.train(ground.temporal(tmp_path / "held", in_memory=True, save_steps=2, **changes))
    assert traces(tmp_path / "whole", 2) == traces(tmp_path / "held", 2)


def test_another_runs_checkpoint_is_refused_by_setting(ground: Ground, tmp_path: Path) -> None:
    temporal.train(ground.temporal(tmp_path, max_train_steps=1))
    with pytest.raises(ValueError, match=r"other settings \(learning_rate 0.001 -> 0.01\)"):
        temporal.train(ground.temporal(tmp_path, max_train_steps=2, learning_rate=1e-2))
    with pytest.raises(ValueError, match=r"samples_per_step 4 -> 2"):
        temporal.train(ground.temporal(tmp_path, max_train_steps=2, gradient_accumulation_steps=1))


def change_loss(monkeypatch: pytest.MonkeyPatch, change: Callable[[LossTerms, int], LossTerms]) -> None:
    original = TemporalObjective.loss
    monkeypatch.setattr(TemporalObjective, "loss", lambda self, b, step: change(original(self, b, step), step))


def test_a_loss_that_is_not_finite_changes_nothing(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(terms: LossTerms, step: int) -> LossTerms:
        return LossTerms(terms.total * float("nan"), terms.parts) if step == 1 else terms

    change_loss(monkeypatch, broken)
    temporal.train(ground.temporal(tmp_path, max_train_steps=3, save_steps=1))
    steps = [checkpoints.read_checkpoint(tmp_path / f"checkpoint-{n}")[0] for n in (1, 2, 3)]
    changed = [{n for n in steps[i] if not torch.equal(steps[i][n], steps[i + 1][n])} for i in (0, 1)]
    assert not changed[0] and len(changed[1]) > 10
    assert all(value.isfinite().all() for value in steps[2].values())
    lines = [json.loads(line) for line in (tmp_path / "losses.jsonl").read_text().splitlines()]
    assert [line["skipped"] for line in lines] == [False, True, False] and lines[1]["gradient_norm"] is None
    assert "step 2 is left out: not finite" in capsys.readouterr().err


def test_training_that_has_diverged_stops_with_its_checkpoints_good(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_loss(monkeypatch, lambda t, step: LossTerms(t.total * (float("inf") if step else 1.0), t.parts))
    with pytest.raises(ValueError, match="not finite in 10 updates in a row, up to step 11"):
        temporal.train(ground.temporal(tmp_path, max_train_steps=20, save_steps=5, gradient_accumulation_steps=1))
    newest = checkpoints.find_checkpoint(tmp_path, "latest")
    assert all(value.isfinite().all() for value in checkpoints.read_checkpoint(newest)[0].values())


def test_out_of_memory_halves_the_samples_at_a_time(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    same = {"max_train_steps": 2, "temporal_loss_weight": 0.0, "batch_size": 4, "gradient_accumulation_steps": 1}
    temporal.train(ground.temporal(tmp_path / "whole", save_steps=2, **same))
    sizes, original, limit = [], TemporalObjective.loss, 1

    def loss(self: TemporalObjective, batch: object, step: int) -> LossTerms:
        sizes.append(len(batch))
        if len(batch) > limit:
            raise torch.OutOfMemoryError("no memory")
        return original(self, batch, step)

    monkeypatch.setattr(TemporalObjective, "loss", loss)
    temporal.train(ground.temporal(tmp_path / "small", save_steps=2, **same))
    assert sizes == [4, 2, 1, 1, 1, 1, 1, 1, 1, 1]
    assert "out of memory; 1 samples at a time" in capsys.readouterr().err
    whole, small = (checkpoints.read_checkpoint(tmp_path / n / "checkpoint-2")[0] for n in ("whole", "small"))
    key = "model.unet.conv_in.weight"
    assert torch.allclose(whole[key], small[key], atol=2e-4)
    limit = 0
    with pytest.raises(ValueError, match="out of memory with one sample at a time. Lower --image_size"):
        temporal.train(ground.temporal(tmp_path / "none", **same))


def test_a_full_disk_is_said_and_training_goes_on(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    original = checkpoints.save_checkpoint

    def save(out: Path, state: object, snapshot: checkpoints.Snapshot, *, keep: int) -> Path:
        if snapshot.step in full:
            raise OSError(errno.ENOSPC, f"no space for {out}/checkpoint-{snapshot.step}, which needs 5 bytes")
        return original(out, state, snapshot, keep=keep)

    monkeypatch.setattr(loop, "save_checkpoint", save)
    full = {2}
    temporal.train(ground.temporal(tmp_path / "a", max_train_steps=3, save_steps=1))
    assert checkpoints.checkpoint_steps(tmp_path / "a") == [3, 1]
    assert "warning: no space for" in capsys.readouterr().err
    full = {2, 3}
    with pytest.raises(ValueError, match="has no space for the last checkpoint"):
        temporal.train(ground.temporal(tmp_path / "b", max_train_steps=3, save_steps=1))
    full = set()
    temporal.train(ground.temporal(tmp_path / "b", max_train_steps=3, save_steps=1))
    assert traces(tmp_path / "a", 3)[1] == traces(tmp_path / "b", 3)[1]


def test_a_corrupt_sample_stops_before_training_and_is_named(
    ground: Ground, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = make_ground(tmp_path / "own")
    picture = sorted((own.data / "train" / "images").rglob("*.jpg"))[2]
    picture.write_bytes(picture.read_bytes()[:200])
    words = flags(own.temporal(tmp_path / "out"))
    assert temporal.main(words) == 2
    assert f"error: picture: {picture}" in capsys.readouterr().err
    assert not (tmp_path / "out" / "losses.jsonl").exists()


def test_a_corrupt_cache_entry_is_named(ground: Ground, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = flags(ground.temporal(tmp_path / "out", cache_dir=str(tmp_path / "cache"), max_train_steps=1))
    assert temporal.main(words) == 0
    entry = max((tmp_path / "cache").rglob("*.safetensors"), key=lambda path: path.stat().st_size)
    entry.write_bytes(b"damaged")
    assert temporal.main([*words[:-1], "2"]) == 2
    assert f"{entry} cannot be read" in capsys.readouterr().err


def flags(config: TrainConfig) -> list[str]:
    """A config as a command line, max_train_steps last."""
    words = []
    for name, value in sorted(vars(config).items(), key=lambda entry: entry[0] == "max_train_steps"):
        if isinstance(value, bool):
            words.append(f"--{name}" if value else f"--no-{name}")
        elif isinstance(value, tuple):
            words += [f"--{name}", *map(str, value)] if value else []
        else:
            words += [f"--{name}", str(value)]
    return words


def launch(*words: str) -> None:
    """Run a Python module with its children; none of them is left behind."""
    process = subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _, errors = process.communicate(timeout=280)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, errors[-3000:]


def losses(out: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (out / "losses.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("lora_rank", [0, 2])
def test_two_processes_give_the_losses_of_one(ground: Ground, tmp_path: Path, lora_rank: int) -> None:
    """Of preference training, which has everything: rounds drawn in turns, pairs, and real images."""
    changes = {"max_train_steps": 2, "save_steps": 2, "lora_rank": lora_rank}
    dpo.train(ground.dpo(tmp_path / "one", **changes))
    words = flags(ground.dpo(tmp_path / "two", gradient_accumulation_steps=1, **changes))
    launch("torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "train.dpo", *words)
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-4)


def test_resumed_preferences_need_their_round(ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = ground.dpo(tmp_path, save_steps=1)
    with monkeypatch.context() as patch:
        stop_in_call(patch, 4)
        with pytest.raises(Stopped):
            dpo.train(config)
    (tmp_path / "rounds" / "round_0000.safetensors").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="round_0000.safetensors is missing, damaged or of another run"):
        dpo.train(config)


def test_published_weights_start_a_run_and_a_checkpoints_own_go_on(ground: Ground, tmp_path: Path) -> None:
    temporal.train(ground.temporal(tmp_path / "first", max_train_steps=1, save_steps=1))
    weights = tmp_path / "weights.pth"
    weights.write_bytes((tmp_path / "first" / "final_model" / "unet.pth").read_bytes())
    started = ground.temporal(
        tmp_path / "second", max_train_steps=1, learning_rate=1e-12, resume_from_checkpoint=str(weights)
    )
    temporal.train(started)
    first, second = (
        torch.load(tmp_path / name / "final_model" / "unet.pth", weights_only=True) for name in ("first", "second")
    )
    assert all(torch.allclose(first[name], second[name], atol=1e-6) for name in first)
    inside = str(tmp_path / "first" / "checkpoint-1" / "unet.pth")
    temporal.train(ground.temporal(tmp_path / "first", max_train_steps=2, resume_from_checkpoint=inside))
    assert len((tmp_path / "first" / "losses.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize("name", ["temporal", "dpo"])
def test_a_run_leaves_what_was_published_and_a_folder_that_opens(ground: Ground, tmp_path: Path, name: str) -> None:
    changes = {"max_train_steps": 2, "save_steps": 1, "sample_steps": 1, "num_samples": 2}
    if name == "dpo":
        assert dpo.main(flags(ground.dpo(tmp_path, **changes))) == 0
    else:
        words = flags(ground.temporal(tmp_path, **changes))
        launch("accelerate.commands.launch", "--cpu", "-m", "train.temporal", *words)
    expected = "checkpoint-1/unet.pth checkpoint-2/unet.pth final_model/unet.pth final_model/training_config.json "
    expected += "checkpoint-2/training_config.json training_config.json run.json losses.jsonl curves.png "
    expected += "samples/step_000001.jpg samples/step_000002.jpg predictions/captions_used.txt"
    assert all((tmp_path / path).is_file() for path in expected.split())
    assert len(list((tmp_path / "predictions").rglob("*_pred_*.jpg"))) == 2
    pipeline = load_pipeline(tmp_path / "final_model" / "pipeline", "cpu")
    weights = torch.load(tmp_path / "final_model" / "unet.pth", weights_only=True)
    assert torch.allclose(pipeline.unet.conv_in.weight.float(), weights["conv_in.weight"], atol=1e-2)
    assert (tmp_path / "final_model" / "pipeline" / "trend" / "model.safetensors").is_file() == (name == "temporal")
    assert len(tiny.designs(pipeline, tiny.request())) == 2
    words = ["--input_dir", str(tmp_path / "predictions"), "--output_dir", str(tmp_path / "scores"), "--device", "cpu"]
    words += ["--captions_file", str(tmp_path / "predictions" / "captions_used.txt")]
    assert evaluate.main([*words, "--clip", str(ground.model / "clip")]) == 0
    assert json.loads((tmp_path / "scores" / "summary.json").read_text())["processed_images"] == 2
